//! The verbs on credentials: seal, open, rotate, forget. One keyring per process and configuration: it reads the host
//! keys once and keeps unwrapped data keys as long as the tenant's file stays the same.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::cipher::Key;
use super::envelope::{self, Binding, Envelope};
use super::files::Stamp;
use super::hostkeys::HostKeys;
use super::store::Store;
use super::tenant::{FirstUse, Found, Tenant};
use super::{MAX_PLAINTEXT, Scope, SecretError};

/// Tenants whose keys are kept unwrapped.
const MAX_CACHED: usize = 1024;
/// How often a file that changes under our eyes is read again.
const READS: usize = 5;

/// Host keys, key directory and the data keys in use. Wiped when dropped.
pub struct Keyring {
    hosts: HostKeys,
    store: Store,
    installation: String,
    installation_stamp: Stamp,
    /// By path. Never locked while a file is read or another lock is taken.
    cache: Mutex<HashMap<PathBuf, (Stamp, Arc<Tenant>)>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("keys", &self.key_count())
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// Reads and checks the host key file and the key directory. Empty paths mean that the setting is not made.
    ///
    /// The directory belongs to the current user (or to root); root may also work in the directory of another user, and
    /// what it makes there belongs to that user. The key file belongs to root, the current user or the directory's owner.
    pub fn load(key_file: &Path, key_dir: &Path) -> Result<Keyring, SecretError> {
        if key_file.as_os_str().is_empty() {
            return Err(SecretError::NoHostKey);
        }
        if key_dir.as_os_str().is_empty() {
            return Err(SecretError::NoKeyDir);
        }
        for (setting, path) in [
            ("tenant_crm_sync.key_file", key_file),
            ("tenant_crm_sync.key_dir", key_dir),
        ] {
            if path.is_relative() {
                return Err(SecretError::NotAbsolute {
                    setting,
                    path: path.into(),
                });
            }
        }
        let store = Store::open(key_dir)?;
        let owner = if super::files::user() == 0 {
            store.owner()
        } else {
            super::files::user()
        };
        let hosts = HostKeys::load(key_file, owner)?;
        let (installation, installation_stamp) = store.installation()?;
        Ok(Keyring {
            hosts,
            store,
            installation,
            installation_stamp,
            cache: Mutex::new(HashMap::new()),
        })
    }

    /// How many host keys were loaded.
    pub fn key_count(&self) -> usize {
        self.hosts.count()
    }

    /// Whether the host key file and the directory are still those that were loaded. Costs two `lstat`; where it is
    /// false, load anew, so that a rotation of the host key needs no reload of PHP.
    pub fn is_current(&self) -> bool {
        let same = |path: &Path, stamp: Stamp| matches!(Stamp::at(path), Ok(Some(now)) if now == stamp);
        same(&self.hosts.file, self.hosts.stamp) && same(&self.store.installation_path(), self.installation_stamp)
    }

    /// Seals a credential with the tenant's data key, which is made if there is none.
    ///
    /// `origin` (canonical, such as `https://crm.example.com`) is the only one that may open it; without it, that of the
    /// first use.
    pub fn seal(&self, scope: &Scope<'_>, origin: Option<&str>, plaintext: &[u8]) -> Result<String, SecretError> {
        scope.check()?;
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(scope.invalid("the credential", format!("has more than {MAX_PLAINTEXT} bytes")));
        }
        if let Some(origin) = origin {
            scope.check_origin(origin)?;
        }
        self.seal_as(
            scope,
            origin.map(|origin| Binding::Origin(origin.to_owned())),
            plaintext,
        )
    }

    /// Opens an envelope for use at `origin`. An envelope that was sealed without an origin is bound to this one now.
    pub fn open(&self, scope: &Scope<'_>, origin: &str, envelope: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        scope.check()?;
        scope.check_origin(origin)?;
        let envelope = Envelope::parse(scope, envelope)?;
        let tenant = self.existing(scope)?;
        let plain = self.decrypt(scope, &tenant, &envelope)?;
        let allowed = match &envelope.binding {
            Binding::Origin(bound) => scope.same_origin(bound, origin),
            Binding::FirstUse(serial) => match tenant.first_use(scope.field, *serial) {
                FirstUse::NotYet => self.bind(scope, *serial, origin),
                known => judge(scope, known, origin),
            },
        };
        allowed.map(|()| plain)
    }

    /// The same credential sealed anew, under the first host key and for the same origin. An envelope whose origin came
    /// from its first use names it from now on.
    pub fn rotate(&self, scope: &Scope<'_>, envelope: &str) -> Result<String, SecretError> {
        scope.check()?;
        let envelope = Envelope::parse(scope, envelope)?;
        let tenant = self.existing(scope)?;
        let plain = self.decrypt(scope, &tenant, &envelope)?;
        let binding = match &envelope.binding {
            Binding::Origin(_) => envelope.binding,
            Binding::FirstUse(serial) => match tenant.first_use(scope.field, *serial) {
                FirstUse::Origin(origin) => Binding::Origin(origin.to_owned()),
                // With its number, so that the first use of either binds both.
                FirstUse::NotYet => envelope.binding,
                FirstUse::Expired => return Err(scope.expired()),
            },
        };
        self.seal_as(scope, Some(binding), &plain)
    }

    /// Destroys the tenant's data keys: no envelope of its can be opened again. `false` if there were none.
    pub fn forget(&self, site: &str, tenant: &str) -> Result<bool, SecretError> {
        let scope = Scope {
            site,
            tenant,
            field: "-",
        };
        scope.check()?;
        let path = self.store.path(&self.installation, &scope);
        let lock = self.store.lock()?;
        self.cache.lock().remove(&path);
        self.store.destroy(&lock, &path)
    }

    /// `binding` none: the origin of the first use, under a new number.
    fn seal_as(&self, scope: &Scope<'_>, binding: Option<Binding>, plaintext: &[u8]) -> Result<String, SecretError> {
        let seal = |tenant: &Tenant, binding: &Binding| -> Result<Option<String>, SecretError> {
            let Some((id, key)) = tenant.current(&self.hosts) else {
                return Ok(None);
            };
            envelope::seal(key, id, &self.installation, scope, binding, plaintext).map(Some)
        };
        if let (Some(binding), Some(tenant)) = (&binding, self.tenant(scope)?)
            && let Some(text) = seal(&tenant, binding)?
        {
            return Ok(text);
        }
        self.change(scope, true, |tenant| {
            if tenant.current(&self.hosts).is_none() {
                tenant.add_key(&self.hosts, &self.installation, scope)?;
            }
            let binding = match binding {
                Some(binding) => binding,
                None => Binding::FirstUse(tenant.next_serial(scope.field).ok_or_else(|| scope.too_many())?),
            };
            // The key was there or was just added.
            seal(tenant, &binding)?.ok_or(SecretError::Random)
        })
    }

    fn decrypt(
        &self,
        scope: &Scope<'_>,
        tenant: &Tenant,
        envelope: &Envelope,
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let key: &Key = match tenant.find(&envelope.key_id) {
            Found::Key(key) => key,
            Found::Locked(host) => {
                return Err(SecretError::WrongHostKey {
                    tenant: scope.tenant.into(),
                    host_key: host.into(),
                    file: self.hosts.file.clone(),
                });
            }
            Found::Unknown => {
                return Err(SecretError::OtherTenant {
                    tenant: scope.tenant.into(),
                    field: scope.field.into(),
                    key_id: envelope.key_id.clone(),
                });
            }
        };
        envelope
            .open(key, &self.installation, scope)
            .ok_or_else(|| SecretError::NotAuthentic {
                tenant: scope.tenant.into(),
                field: scope.field.into(),
            })
    }

    /// Records the origin of a first use, unless another process was faster.
    fn bind(&self, scope: &Scope<'_>, serial: u64, origin: &str) -> Result<(), SecretError> {
        self.change(scope, false, |tenant| {
            match tenant.first_use(scope.field, serial) {
                FirstUse::NotYet => {}
                known => return judge(scope, known, origin),
            }
            if tenant.record_use(scope.field, serial, origin) {
                Ok(())
            } else {
                Err(scope.too_many())
            }
        })
    }

    /// The tenant's keys as they are on disk now; `None` if there is no file.
    fn tenant(&self, scope: &Scope<'_>) -> Result<Option<Arc<Tenant>>, SecretError> {
        let path = self.store.path(&self.installation, scope);
        let Some(stamp) = self.store.stamp(&path)? else {
            self.cache.lock().remove(&path);
            return Ok(None);
        };
        if let Some((known, tenant)) = self.cache.lock().get(&path)
            && *known == stamp
        {
            return Ok(Some(Arc::clone(tenant)));
        }
        for _ in 0..READS {
            let Some((bytes, read)) = self.store.read(&path)? else {
                return Ok(None);
            };
            if let Some(tenant) = Tenant::parse(&bytes, &self.hosts, &self.installation, scope) {
                return Ok(Some(self.keep(path, read, tenant)));
            }
            // A file that is being destroyed is overwritten: only one that stayed in its place is damaged.
            if self.store.stamp(&path)? == Some(read) {
                break;
            }
        }
        Err(SecretError::KeyFileDamaged {
            tenant: scope.tenant.into(),
            file: path,
        })
    }

    fn existing(&self, scope: &Scope<'_>) -> Result<Arc<Tenant>, SecretError> {
        self.tenant(scope)?.ok_or_else(|| SecretError::TenantKeyMissing {
            tenant: scope.tenant.into(),
            field: scope.field.into(),
            file: self.store.path(&self.installation, scope),
        })
    }

    /// Changes the tenant's file under the lock. Where there is none, it is made only if `create` says so: using a
    /// credential must not bring a deleted tenant back.
    fn change<T>(
        &self,
        scope: &Scope<'_>,
        create: bool,
        work: impl FnOnce(&mut Tenant) -> Result<T, SecretError>,
    ) -> Result<T, SecretError> {
        let lock = self.store.lock()?;
        let path = self.store.path(&self.installation, scope);
        let found = if create {
            self.tenant(scope)?
        } else {
            Some(self.existing(scope)?)
        };
        let mut tenant = found.map_or_else(Tenant::new, |tenant| Tenant::clone(&tenant));
        let before = tenant.to_bytes();
        let result = work(&mut tenant)?;
        let failed = |error: serde_json::Error| SecretError::Storage {
            action: "encode",
            file: path.clone(),
            user: super::files::user(),
            source: error.into(),
        };
        let (before, after) = (before.map_err(failed)?, tenant.to_bytes().map_err(failed)?);
        if before != after {
            let stamp = self.store.write(&lock, &path, &after)?;
            self.keep(path, stamp, tenant);
        }
        Ok(result)
    }

    fn keep(&self, path: PathBuf, stamp: Stamp, tenant: Tenant) -> Arc<Tenant> {
        let tenant = Arc::new(tenant);
        let mut cache = self.cache.lock();
        if cache.len() >= MAX_CACHED && !cache.contains_key(&path) {
            cache.clear();
        }
        cache.insert(path, (stamp, Arc::clone(&tenant)));
        tenant
    }
}

/// Whether a first use that is on record allows this one.
fn judge(scope: &Scope<'_>, known: FirstUse<'_>, origin: &str) -> Result<(), SecretError> {
    match known {
        FirstUse::Origin(bound) => scope.same_origin(bound, origin),
        FirstUse::NotYet | FirstUse::Expired => Err(scope.expired()),
    }
}

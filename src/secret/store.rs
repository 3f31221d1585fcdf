//! The key directory: one file per tenant, the id of the installation, a lock. Files are replaced whole and under the
//! lock, so readers need none. What a tenant's file says is the business of tenant.rs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ring::hmac;

use super::cipher;
use super::files::{self, Content, Rules, Stamp};
use super::{Scope, SecretError};

const LOCK: &str = "lock";
const INSTALLATION: &str = "installation.id";
/// The one name for files that are being written or destroyed. Whoever holds the lock may remove what a killed process left there.
const PASSING: &str = "passing.tmp";
const SUFFIX: &str = "key";
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// The largest tenant file: above what the bounds in tenant.rs allow.
const MAX_FILE: u64 = 2 * 1024 * 1024;

/// A checked key directory.
pub(super) struct Store {
    dir: PathBuf,
    /// The owner of the directory and of what is made in it: root may work here for the workers' user.
    owner: u32,
}

/// Held while files change; all processes of the installation take turns.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do: a child that another thread forked meanwhile shares the lock until it closes its copy.
        // Unlocking fails only on a lock that is not held.
        let _ = self.0.unlock();
    }
}

impl Store {
    /// Checks that nobody but the workers' user and root can change the directory.
    pub(super) fn open(dir: &Path) -> Result<Store, SecretError> {
        const WHAT: &str = "directory for the tenants' keys";
        let user = files::user();
        let meta = fs::metadata(dir).map_err(|source| {
            let remedy = format!(
                "To make it: install -d -m 0700 -o {user} {dir:?}, where {user} should be the user of the PHP workers."
            );
            SecretError::Unreadable {
                what: WHAT,
                file: dir.into(),
                user,
                source,
                remedy,
            }
        })?;
        let refuse = |problem: String, remedy: String| {
            Err(SecretError::Unsafe {
                what: WHAT,
                file: dir.into(),
                problem,
                remedy,
            })
        };
        if !meta.is_dir() {
            return refuse("is not a directory".into(), "Name a directory.".into());
        }
        let mode = meta.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return refuse(
                format!("has mode {mode:04o}, so others could change it"),
                format!("Run: chmod 0700 {dir:?}"),
            );
        }
        if user != 0 && meta.uid() != 0 && meta.uid() != user {
            let problem = format!("belongs to user {}, and this process runs as user {user}", meta.uid());
            return refuse(
                problem,
                format!("Run PHP as user {}, or run: chown -R {user} {dir:?}", meta.uid()),
            );
        }
        Ok(Store {
            dir: dir.into(),
            owner: meta.uid(),
        })
    }

    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// The path of a tenant's file. Its name does not tell the tenant's.
    pub(super) fn path(&self, installation: &str, scope: &Scope<'_>) -> PathBuf {
        let key = hmac::Key::new(hmac::HMAC_SHA256, installation.as_bytes());
        let parts = cipher::parts(&[
            b"tenant_crm_sync tenant file v1",
            scope.site.as_bytes(),
            scope.tenant.as_bytes(),
        ]);
        self.dir
            .join(format!("{}.{SUFFIX}", cipher::hex(hmac::sign(&key, &parts).as_ref())))
    }

    pub(super) fn installation_path(&self) -> PathBuf {
        self.dir.join(INSTALLATION)
    }

    /// The random id of this directory; made once, by whoever comes first.
    pub(super) fn installation(&self) -> Result<(String, Stamp), SecretError> {
        if let Some(found) = self.read_installation()? {
            return Ok(found);
        }
        let lock = self.lock()?;
        if let Some(found) = self.read_installation()? {
            return Ok(found);
        }
        let path = self.installation_path();
        if self.has_tenants()? {
            // A new id would make every key in the directory useless without a word.
            return Err(SecretError::Installation {
                file: path,
                problem: "is missing",
            });
        }
        let mut id = [0u8; 16];
        cipher::fill(&mut id)?;
        let id = cipher::hex(&id);
        let stamp = self.write(&lock, &path, format!("{id}\n").as_bytes())?;
        Ok((id, stamp))
    }

    fn read_installation(&self) -> Result<Option<(String, Stamp)>, SecretError> {
        let path = self.installation_path();
        let Some((bytes, stamp)) = self.read(&path)? else {
            return Ok(None);
        };
        match std::str::from_utf8(&bytes).map(str::trim_ascii_end) {
            Ok(id) if cipher::is_hex(id, 32) => Ok(Some((id.to_owned(), stamp))),
            _ => Err(SecretError::Installation {
                file: path,
                problem: "is damaged",
            }),
        }
    }

    fn has_tenants(&self) -> Result<bool, SecretError> {
        let entries = fs::read_dir(&self.dir).map_err(|error| self.failed("list", &self.dir, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| self.failed("list", &self.dir, error))?;
            if Path::new(&entry.file_name())
                .extension()
                .is_some_and(|suffix| suffix == SUFFIX)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads one file of the directory; `None` if there is none.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Content>, SecretError> {
        Rules {
            what: "key file",
            mode: 0o600,
            owners: &[files::user(), self.owner],
            limit: MAX_FILE,
        }
        .read(path)
    }

    /// Version of the file at `path`, without opening it.
    pub(super) fn stamp(&self, path: &Path) -> Result<Option<Stamp>, SecretError> {
        Stamp::at(path).map_err(|error| self.failed("look at", path, error))
    }

    /// Waits for the lock, but not for ever: its holder may be a stopped process.
    pub(super) fn lock(&self) -> Result<Lock, SecretError> {
        let path = self.dir.join(LOCK);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC);
        let opened = match options.clone().create_new(true).open(&path) {
            Ok(file) => self.give_away(&file).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(&path),
            Err(error) => Err(error),
        };
        let file = opened.map_err(|error| self.failed("open the lock", &path, error))?;
        let end = Instant::now() + LOCK_PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(Duration::from_millis(3)),
                Err(TryLockError::WouldBlock) => {
                    return Err(SecretError::Busy {
                        file: path,
                        seconds: LOCK_PATIENCE.as_secs(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(self.failed("lock", &path, error)),
            }
        }
    }

    /// Replaces a file as a whole: after a crash there is the old one or the new one.
    pub(super) fn write(&self, _lock: &Lock, path: &Path, bytes: &[u8]) -> Result<Stamp, SecretError> {
        let passing = self.clear_passing()?;
        self.fill(&passing, bytes)
            .map_err(|error| self.failed("write", &passing, error))?;
        fs::rename(&passing, path).map_err(|error| self.failed("write", path, error))?;
        self.sync()?;
        let meta = path
            .symlink_metadata()
            .map_err(|error| self.failed("look at", path, error))?;
        Ok(Stamp::of(&meta))
    }

    fn fill(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        self.give_away(&file)?;
        file.write_all(bytes)?;
        // Versions of a file are told apart by inode, size and time. Inodes are used again at once and clocks tick
        // slowly, so the time's fraction is random instead.
        let mut fraction = [0u8; 4];
        cipher::fill(&mut fraction).map_err(io::Error::other)?;
        let second = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let time = Duration::new(second, u32::from_ne_bytes(fraction) % 1_000_000_000);
        file.set_modified(SystemTime::UNIX_EPOCH + time)?;
        file.sync_all()
    }

    /// Destroys a file; `false` if there was none. What was in it is overwritten, which is all that can be done from here:
    /// a snapshot or a journal of the disk may still have it, wrapped by the host key.
    pub(super) fn destroy(&self, _lock: &Lock, path: &Path) -> Result<bool, SecretError> {
        let passing = self.clear_passing()?;
        match fs::rename(path, &passing) {
            Ok(()) => self.sync()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.failed("delete", path, error)),
        }
        self.clear_passing()?;
        self.sync()?;
        Ok(true)
    }

    /// Removes what was left under the passing name, overwritten.
    fn clear_passing(&self) -> Result<PathBuf, SecretError> {
        let path = self.dir.join(PASSING);
        let result = match OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(&path)
        {
            Ok(file) => overwrite(file).and_then(|()| fs::remove_file(&path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(_) => fs::remove_file(&path),
        };
        result.map_err(|error| self.failed("remove", &path, error))?;
        Ok(path)
    }

    fn sync(&self) -> Result<(), SecretError> {
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|error| self.failed("save", &self.dir, error))
    }

    /// What root makes belongs to the workers' user, who could not read it otherwise.
    fn give_away(&self, file: &File) -> io::Result<()> {
        if files::user() == self.owner || files::user() != 0 {
            return Ok(());
        }
        fchown(file, Some(self.owner), None)
    }

    fn failed(&self, action: &'static str, file: &Path, source: io::Error) -> SecretError {
        SecretError::Storage {
            action,
            file: file.into(),
            user: files::user(),
            source,
        }
    }
}

/// Only where the file has no other name: a hard link put there by somebody must not make us wipe another file.
fn overwrite(mut file: File) -> io::Result<()> {
    let meta = file.metadata()?;
    if !meta.is_file() || meta.nlink() != 1 {
        return Ok(());
    }
    io::copy(&mut io::Read::take(io::repeat(0), meta.len()), &mut file)?;
    file.sync_all()
}

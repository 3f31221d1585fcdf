//! One tenant's key file: its data keys, each wrapped by a host key, and the origins that its credentials without an
//! endpoint were first used with. Reading and writing the file is the business of store.rs, when to do so of keyring.rs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::cipher::{self, Key, NONCE};
use super::hostkeys::HostKeys;
use super::{Scope, SecretError};

const VERSION: u32 = 1;
const PURPOSE: &[u8] = b"tenant_crm_sync data key v1";
/// Data keys in a file: one for each host key that ever wrapped one. More than host keys can be loaded at once.
const MAX_DATA_KEYS: usize = 64;
/// Fields that were sealed without an endpoint.
const MAX_FIELDS: usize = 64;
/// First uses that are remembered for each field.
pub(super) const MAX_FIRST_USES: usize = 32;

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    keys: Vec<Wrapped>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, FirstUses>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    id: String,
    /// The id of the host key that wraps it.
    host: String,
    nonce: String,
    ciphertext: String,
}

/// Envelopes without an endpoint carry serial numbers. The origin of each one's first use is recorded here. Only so many
/// records are kept; numbers up to `floor` without a record are refused for ever, so that dropping a record never
/// lets a credential be bound a second time.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstUses {
    last: u64,
    floor: u64,
    origins: BTreeMap<u64, String>,
}

/// What is known of an envelope without an endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstUse<'a> {
    Origin(&'a str),
    NotYet,
    Expired,
}

/// What became of a data key.
pub(super) enum Found<'a> {
    Key(&'a Key),
    /// It is there, but its host key is not; the host key's id.
    Locked(&'a str),
    Unknown,
}

/// A tenant's file with the data keys that could be unwrapped.
#[derive(Clone)]
pub(super) struct Tenant {
    record: Record,
    keys: HashMap<String, Arc<Key>>,
}

impl Tenant {
    pub(super) fn new() -> Tenant {
        Tenant {
            record: Record {
                version: VERSION,
                keys: Vec::new(),
                fields: BTreeMap::new(),
            },
            keys: HashMap::new(),
        }
    }

    /// Reads a file's content; `None` if it is damaged or another tenant's.
    pub(super) fn parse(bytes: &[u8], hosts: &HostKeys, installation: &str, scope: &Scope<'_>) -> Option<Tenant> {
        let record: Record = serde_json::from_slice(bytes).ok()?;
        if record.version != VERSION || record.keys.len() > MAX_DATA_KEYS || record.fields.len() > MAX_FIELDS {
            return None;
        }
        let mut keys = HashMap::new();
        for wrapped in &record.keys {
            if !cipher::is_hex(&wrapped.id, 16) || !cipher::is_hex(&wrapped.host, 16) {
                return None;
            }
            let Some(host) = hosts.find(&wrapped.host) else {
                continue;
            };
            let mut sealed = STANDARD
                .decode(&wrapped.nonce)
                .ok()
                .filter(|nonce| nonce.len() == NONCE)?;
            sealed.extend(STANDARD.decode(&wrapped.ciphertext).ok()?);
            let key = host
                .key
                .decrypt(&aad(installation, scope, &wrapped.id, &host.id), &sealed)?;
            if keys
                .insert(wrapped.id.clone(), Arc::new(Key::from_bytes(&key)?))
                .is_some()
            {
                return None;
            }
        }
        Some(Tenant { record, keys })
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(&self.record)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub(super) fn find(&self, id: &str) -> Found<'_> {
        match (
            self.keys.get(id),
            self.record.keys.iter().find(|wrapped| wrapped.id == id),
        ) {
            (Some(key), _) => Found::Key(key),
            (None, Some(wrapped)) => Found::Locked(&wrapped.host),
            (None, None) => Found::Unknown,
        }
    }

    /// The data key that seals: the newest one that the first host key wraps.
    pub(super) fn current(&self, hosts: &HostKeys) -> Option<(&str, &Key)> {
        let wrapped = self
            .record
            .keys
            .iter()
            .rev()
            .find(|wrapped| wrapped.host == hosts.first().id)?;
        Some((&wrapped.id, self.keys.get(&wrapped.id)?))
    }

    /// Adds a data key under the first host key. A key is never wrapped again by another host key: whoever knows the old
    /// host key knows the old data keys.
    pub(super) fn add_key(
        &mut self,
        hosts: &HostKeys,
        installation: &str,
        scope: &Scope<'_>,
    ) -> Result<(), SecretError> {
        let mut id = [0u8; 8];
        cipher::fill(&mut id)?;
        let id = cipher::hex(&id);
        let host = hosts.first();
        let key = Key::random()?;
        let sealed = host
            .key
            .encrypt(&aad(installation, scope, &id, &host.id), key.bytes())?;
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE).ok_or(SecretError::Random)?;
        if self.record.keys.len() >= MAX_DATA_KEYS {
            // Only so many host keys can be loaded, so there is one that nobody can unwrap any more.
            if let Some(oldest) = self
                .record
                .keys
                .iter()
                .position(|wrapped| hosts.find(&wrapped.host).is_none())
            {
                self.record.keys.remove(oldest);
            }
        }
        self.record.keys.push(Wrapped {
            id: id.clone(),
            host: host.id.clone(),
            nonce: STANDARD.encode(nonce),
            ciphertext: STANDARD.encode(ciphertext),
        });
        self.keys.insert(id, Arc::new(key));
        Ok(())
    }

    /// The serial number for one more envelope without an endpoint; `None` if too many fields have such.
    pub(super) fn next_serial(&mut self, field: &str) -> Option<u64> {
        let uses = self.uses(field)?;
        uses.last = uses.last.checked_add(1)?;
        Some(uses.last)
    }

    pub(super) fn first_use(&self, field: &str, serial: u64) -> FirstUse<'_> {
        match self.record.fields.get(field) {
            None => FirstUse::NotYet,
            Some(uses) => match uses.origins.get(&serial) {
                Some(origin) => FirstUse::Origin(origin),
                None if serial <= uses.floor => FirstUse::Expired,
                None => FirstUse::NotYet,
            },
        }
    }

    /// Records a first use; `false` if too many fields have such. The caller has asked `first_use`.
    pub(super) fn record_use(&mut self, field: &str, serial: u64, origin: &str) -> bool {
        let Some(uses) = self.uses(field) else {
            return false;
        };
        // A file from a backup may not know this number yet; it must not be given out again.
        uses.last = uses.last.max(serial);
        uses.origins.insert(serial, origin.to_owned());
        while uses.origins.len() > MAX_FIRST_USES {
            if let Some((dropped, _)) = uses.origins.pop_first() {
                uses.floor = uses.floor.max(dropped);
            }
        }
        true
    }

    fn uses(&mut self, field: &str) -> Option<&mut FirstUses> {
        if self.record.fields.len() >= MAX_FIELDS && !self.record.fields.contains_key(field) {
            return None;
        }
        Some(self.record.fields.entry(field.to_owned()).or_default())
    }
}

fn aad(installation: &str, scope: &Scope<'_>, id: &str, host: &str) -> Vec<u8> {
    cipher::parts(&[
        PURPOSE,
        installation.as_bytes(),
        scope.site.as_bytes(),
        scope.tenant.as_bytes(),
        id.as_bytes(),
        host.as_bytes(),
    ])
}

//! The host's keys: the file that the site's administrator makes. They only wrap the tenants' data keys (tenant.rs).

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use zeroize::Zeroizing;

use super::SecretError;
use super::cipher::{self, Key};
use super::files::{self, Rules, Stamp};

const MAX_KEYS: usize = 16;

/// One host key and its public name: the first 8 bytes of its SHA-256, in hexadecimal.
pub(super) struct HostKey {
    pub(super) id: String,
    pub(super) key: Key,
}

/// All keys of the file, in its order; never empty. The first one wraps, all of them unwrap.
pub(super) struct HostKeys {
    pub(super) file: PathBuf,
    pub(super) stamp: Stamp,
    first: HostKey,
    others: Vec<HostKey>,
}

impl HostKeys {
    /// Reads the file. `owner` is the user of the workers, who may own it beside root and the current user.
    pub(super) fn load(file: &Path, owner: u32) -> Result<HostKeys, SecretError> {
        let owners = [files::user(), owner];
        let rules = Rules {
            what: "host key file",
            mode: 0o640,
            owners: &owners,
            limit: 16 * 1024,
        };
        let Some((text, stamp)) = rules.read(file)? else {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            let remedy =
                format!("To make it: (umask 077; head -c32 /dev/urandom | base64 > {file:?}); chown {owner} {file:?}");
            return Err(SecretError::Unreadable {
                what: "host key file",
                file: file.into(),
                user: files::user(),
                source,
                remedy,
            });
        };
        let invalid = |problem: String| SecretError::HostKeyInvalid {
            file: file.into(),
            problem,
        };
        let mut keys: Vec<HostKey> = Vec::new();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let key = decode(line).ok_or_else(|| invalid(format!("has no key in line {}", number + 1)))?;
            let id = id(&key);
            // The same key again, as when the new one was put on top of a copied line, changes nothing.
            if keys.iter().all(|known| known.id != id) {
                keys.push(HostKey { id, key });
            }
        }
        if keys.len() > MAX_KEYS {
            return Err(invalid(format!("holds more than {MAX_KEYS} keys")));
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or_else(|| invalid("holds no key".into()))?;
        Ok(HostKeys {
            file: file.into(),
            stamp,
            first,
            others: keys.collect(),
        })
    }

    /// The key that wraps new data keys.
    pub(super) fn first(&self) -> &HostKey {
        &self.first
    }

    pub(super) fn find(&self, id: &str) -> Option<&HostKey> {
        std::iter::once(&self.first)
            .chain(&self.others)
            .find(|host| host.id == id)
    }

    pub(super) fn count(&self) -> usize {
        1 + self.others.len()
    }
}

fn decode(line: &[u8]) -> Option<Key> {
    let mut room = Zeroizing::new([0u8; 48]);
    let length = STANDARD.decode_slice(line, room.as_mut_slice()).ok()?;
    Key::from_bytes(room.get(..length)?)
}

fn id(key: &Key) -> String {
    let digest = digest::digest(&digest::SHA256, key.bytes());
    cipher::hex(digest.as_ref().get(..8).unwrap_or_default())
}

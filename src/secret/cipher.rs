//! AES-256-GCM with fresh nonces, and the encoding of what it authenticates. What is sealed, and under which key, is
//! decided by envelope.rs and tenant.rs.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key as AesKey, Nonce, Tag};
use zeroize::Zeroizing;

use super::SecretError;

/// Bytes before the ciphertext.
pub(super) const NONCE: usize = 12;
const TAG: usize = 16;
/// What sealing adds to the length of the plaintext.
pub(super) const OVERHEAD: usize = NONCE + TAG;

/// 32 secret bytes that never move, so that no copy stays behind on a stack, and that are wiped when dropped.
/// It has no `Debug`: a key must not be printable.
pub(super) struct Key(Box<Zeroizing<[u8; 32]>>);

impl Key {
    /// A key from the operating system's generator.
    pub(super) fn random() -> Result<Key, SecretError> {
        let mut key = Key(Box::new(Zeroizing::new([0; 32])));
        fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// A key from bytes; `None` unless there are 32.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Key> {
        let mut key = Key(Box::new(Zeroizing::new([0; 32])));
        if bytes.len() != key.0.len() {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(AesKey::<Aes256Gcm>::from_slice(self.bytes()))
    }

    /// Returns nonce, ciphertext and tag in one piece. The nonce comes from the operating system each time: a generator
    /// inside the process would be copied by fork() and repeat itself, which breaks GCM.
    pub(super) fn encrypt(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SecretError> {
        let mut nonce = [0u8; NONCE];
        fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let (_, text) = sealed.split_at_mut(NONCE);
        let tag = self
            .cipher()
            .encrypt_in_place_detached(Nonce::from_slice(&nonce), aad, text);
        // Only texts beyond 64 GiB are refused here; those were refused by length before.
        let tag = tag.map_err(|_| SecretError::Random)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The plaintext, or `None` if key, authenticated data or a single bit differ.
    pub(super) fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        let mut plain = Zeroizing::new(text.to_vec());
        self.cipher()
            .decrypt_in_place_detached(Nonce::from_slice(nonce), aad, &mut plain, Tag::from_slice(tag))
            .ok()?;
        Some(plain)
    }
}

/// Random bytes from the operating system.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), SecretError> {
    getrandom::fill(bytes).map_err(|_| SecretError::Random)
}

/// Authenticated data: each part behind its length, so that `("a", "bc")` and `("ab", "c")` differ.
pub(super) fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

/// Lowercase hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| DIGITS.get(usize::from(digit)))
        .collect()
}

/// Whether `text` is `digits` lowercase hexadecimal digits: each id has one spelling only.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

//! The text form of a sealed credential: `tcs1.<data key id>.<binding>.<base64url of nonce, ciphertext and tag>`.
//! Which data key is used, and whether an origin may open it, is decided by keyring.rs.
//!
//! The binding is `o` and the base64url of the origin that may be given the credential, or `f` and a serial number: such
//! an envelope is bound to the origin of its first use. Both stand in clear, so that a rotation can keep them and an
//! error can name them, and both are authenticated. Every envelope has one spelling only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::cipher::{self, Key, OVERHEAD};
use super::{MAX_PLAINTEXT, Scope, SecretError};

const PREFIX: &str = "tcs1.";
const PURPOSE: &[u8] = b"tenant_crm_sync credential v1";
/// The longest origin: a scheme, a host of 253 bytes, a port.
pub(super) const MAX_ORIGIN: usize = 300;
/// Base64 of the longest plaintext and origin, with room for the rest.
const MAX_TEXT: usize = (MAX_PLAINTEXT + OVERHEAD + MAX_ORIGIN) / 3 * 4 + 64;

/// Whether a setting is meant to be an envelope, and not a plain credential. It may still be damaged.
pub fn is_envelope(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Who may be given the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Binding {
    Origin(String),
    /// The origin of the first use, which the tenant's key file records under this number.
    FirstUse(u64),
}

impl Binding {
    fn text(&self) -> String {
        match self {
            Binding::Origin(origin) => format!("o{}", URL_SAFE_NO_PAD.encode(origin)),
            Binding::FirstUse(serial) => format!("f{serial:016x}"),
        }
    }

    fn parse(text: &str) -> Option<Binding> {
        if let Some(origin) = text.strip_prefix('o') {
            let origin = String::from_utf8(URL_SAFE_NO_PAD.decode(origin).ok()?).ok()?;
            return is_origin(&origin).then_some(Binding::Origin(origin));
        }
        let serial = text.strip_prefix('f').filter(|serial| cipher::is_hex(serial, 16))?;
        u64::from_str_radix(serial, 16).ok().map(Binding::FirstUse)
    }
}

/// Origins are compared as text, so callers give them in canonical form; here only what could garble a message or a
/// file is refused.
pub(super) fn is_origin(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ORIGIN && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An envelope taken apart, not yet authenticated.
pub(super) struct Envelope {
    pub(super) key_id: String,
    pub(super) binding: Binding,
    sealed: Vec<u8>,
}

impl Envelope {
    /// Takes the text apart; the error says that it is none, or damaged.
    pub(super) fn parse(scope: &Scope<'_>, text: &str) -> Result<Envelope, SecretError> {
        Self::split(text).ok_or_else(|| SecretError::Malformed {
            tenant: scope.tenant.into(),
            field: scope.field.into(),
        })
    }

    fn split(text: &str) -> Option<Envelope> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut fields = text.strip_prefix(PREFIX)?.split('.');
        let key_id = fields.next().filter(|id| cipher::is_hex(id, 16))?.to_owned();
        let binding = Binding::parse(fields.next()?)?;
        let sealed = URL_SAFE_NO_PAD.decode(fields.next()?).ok()?;
        if fields.next().is_some() || sealed.len() < OVERHEAD || sealed.len() > MAX_PLAINTEXT + OVERHEAD {
            return None;
        }
        Some(Envelope {
            key_id,
            binding,
            sealed,
        })
    }

    /// The plaintext, if the key and everything that the envelope is bound to are the same as at sealing.
    pub(super) fn open(&self, key: &Key, installation: &str, scope: &Scope<'_>) -> Option<Zeroizing<Vec<u8>>> {
        key.decrypt(&aad(installation, scope, &self.key_id, &self.binding), &self.sealed)
    }
}

/// Seals a credential under a data key.
pub(super) fn seal(
    key: &Key,
    key_id: &str,
    installation: &str,
    scope: &Scope<'_>,
    binding: &Binding,
    plaintext: &[u8],
) -> Result<String, SecretError> {
    let sealed = key.encrypt(&aad(installation, scope, key_id, binding), plaintext)?;
    Ok(format!(
        "{PREFIX}{key_id}.{}.{}",
        binding.text(),
        URL_SAFE_NO_PAD.encode(sealed)
    ))
}

fn aad(installation: &str, scope: &Scope<'_>, key_id: &str, binding: &Binding) -> Vec<u8> {
    cipher::parts(&[
        PURPOSE,
        installation.as_bytes(),
        scope.site.as_bytes(),
        scope.tenant.as_bytes(),
        scope.field.as_bytes(),
        key_id.as_bytes(),
        binding.text().as_bytes(),
    ])
}

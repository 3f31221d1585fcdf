//! What is kept of a token: a small JSON document that only ever leaves this process sealed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

/// Seals and opens bundles for one tenant.
pub trait Vault {
    /// An envelope that only this tenant's connection can open.
    fn seal(&self, plain: &[u8]) -> Result<String>;
    /// What is in it; `None` if it was sealed for another endpoint. A failure says nothing about what is in it.
    fn open(&self, envelope: &str) -> Result<Option<Zeroizing<Vec<u8>>>>;
}

/// Text that is wiped, and not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A tenant's tokens. Members that a later version adds are no reason to lose what an older one can read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// Hash of the settings that it was got with: other settings want other tokens.
    pub source: String,
    /// Good until it ends or is refused. None where a first refresh token was not yet exchanged.
    pub access_token: Option<Secret>,
    /// What the next refresh sends.
    pub refresh_token: Option<Secret>,
    /// Seconds since 1970, by the clock of whoever got it.
    pub obtained_at: f64,
    /// When the access token ends, if that is known.
    pub expires_at: Option<f64>,
    /// What answers have told, by name.
    pub captured: BTreeMap<String, String>,
}

impl Bundle {
    /// A refresh token that nothing has been got with.
    pub fn unused(source: &str, refresh_token: Secret, now: f64) -> Self {
        Self {
            source: source.to_owned(),
            access_token: None,
            refresh_token: Some(refresh_token),
            obtained_at: now,
            expires_at: None,
            captured: BTreeMap::new(),
        }
    }

    pub fn seal(&self, vault: &dyn Vault) -> Result<String> {
        let json = serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|error| Error::new(Kind::Credential, format!("the token cannot be written: {error}")))?;
        vault.seal(&json)
    }

    pub fn open(vault: &dyn Vault, envelope: &str) -> Result<Option<Self>> {
        let Some(json) = vault.open(envelope)? else {
            return Ok(None);
        };
        // What serde says of it could quote it.
        serde_json::from_slice(&json).map(Some).map_err(|_| {
            Error::new(
                Kind::Credential,
                "the stored token is not what this version writes: update the extension, or connect again",
            )
        })
    }

    /// When the access token is to be renewed, if that is known.
    pub fn renew_at(&self, early_s: u64) -> Option<f64> {
        let end = self.expires_at?;
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let early = early_s as f64;
        Some(end - early.min((end - self.obtained_at).max(0.0) / 10.0))
    }
}

//! The schemes by which CRMs prove that a webhook is theirs, as a connector writes them. A block that would accept what
//! proves nothing does not load. How a scheme is carried out is in proof.rs.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::template::Template;

/// Names that a signed message may hold besides the connection's own values.
const MESSAGE: [&str; 5] = ["method", "url", "body", "timestamp", "id"];

/// One way to prove the origin.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scheme {
    /// A keyed signature.
    Hmac(Box<Hmac>),
    /// A plain digest over the secret and the message (HubSpot's v1 and v2).
    Digest(Digest),
    /// `Authorization: Basic …` with a user and password that were given to the CRM.
    Basic(Basic),
    /// A header with a secret that was given to the CRM.
    Header(HeaderSecret),
    /// A query parameter with a secret that was given to the CRM.
    Query(QuerySecret),
    /// A member of the body with a secret that was given to the CRM.
    Body(BodySecret),
    /// The CRM proves nothing, and the unguessable address is declared to be enough. Must stand alone.
    OpaqueUrl {},
    /// The CRM proves nothing: its webhooks are refused. Must stand alone.
    None {},
}

/// A keyed signature in a header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// The digest in it.
    pub algorithm: Algorithm,
    /// The key: `{webhook_secret}`.
    pub key: Template,
    /// How the key is written.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
    /// Taken from the front of the key before it is decoded, where it is there: `whsec_`.
    #[serde(default)]
    pub key_prefix: String,
    /// What is signed, of `{method}`, `{url}`, `{body}`, `{timestamp}`, `{id}` and the connection's values.
    pub message: Template,
    /// The header with the signature.
    pub header: String,
    /// How the signature is written.
    pub encoding: Encoding,
    /// What stands before it: `sha256=`. Signatures without it do not count.
    #[serde(default)]
    pub prefix: String,
    /// What stands between several signatures; without it there is one.
    pub separator: Option<String>,
    /// Where the header is base64 of a subscription's id and the signature.
    pub wrap: Option<Wrap>,
    /// The signed time.
    pub timestamp: Option<Timestamp>,
    /// The header with the message's id, where that is signed.
    pub id_header: Option<String>,
    /// The header that says that this scheme was used.
    pub when: Option<When>,
}

/// A digest over the secret and the message in a header. Whoever has seen one can append to the body, so a body that is
/// not whole JSON is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// The digest.
    pub algorithm: DigestAlgorithm,
    /// What is hashed, of `{method}`, `{url}`, `{body}` and the connection's secrets: `{webhook_secret}{body}`.
    pub message: Template,
    /// The header with the digest.
    pub header: String,
    /// How it is written.
    pub encoding: Encoding,
    /// What stands before it.
    #[serde(default)]
    pub prefix: String,
    /// The header that says that this scheme was used.
    pub when: Option<When>,
}

/// HTTP Basic.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// `{webhook_user}`
    pub user: Template,
    /// `{webhook_password}`
    pub password: Template,
}

/// A secret in a header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderSecret {
    /// The header.
    pub name: String,
    /// `{webhook_secret}`
    pub value: Template,
}

/// A secret in the query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySecret {
    /// The parameter.
    pub name: String,
    /// `{webhook_secret}`
    pub value: Template,
}

/// A secret in the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodySecret {
    /// Nested members of the body.
    pub path: Vec<String>,
    /// `{webhook_secret}`
    pub value: Template,
}

/// The header is base64 of `ID`, the separator and the signature (EspoCRM). The secret of such a subscription is kept as
/// `NAME:ID`, or as `NAME` where the connection's value `id` is this id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// The connection's value that holds the id, where the connection has one subscription only.
    pub id: String,
    /// What stands between id and signature.
    pub separator: String,
}

/// A signed time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timestamp {
    /// The header with it, in digits.
    pub header: String,
    /// What it counts since 1970.
    pub unit: Unit,
    /// How far it may be from ours; the block's `max_age_seconds` where it is not given.
    pub max_age_seconds: Option<u32>,
}

/// A header that must have this value, or the scheme does not apply.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The header.
    pub header: String,
    /// Its value.
    pub equals: String,
}

/// The digest in a keyed signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256
    Sha256,
    /// SHA-1, which is still sound in this use.
    Sha1,
}

/// A digest that is sound without a key in it; SHA-1 is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestAlgorithm {
    /// SHA-256
    Sha256,
}

/// How a key is written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// Its bytes are the key.
    #[default]
    Text,
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Its bytes, only inside `wrap`.
    Raw,
}

/// What a time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
}

impl Scheme {
    /// The kind, as connectors write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "hmac",
            Self::Digest(_) => "digest",
            Self::Basic(_) => "basic",
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::Body(_) => "body",
            Self::OpaqueUrl {} => "opaque_url",
            Self::None {} => "none",
        }
    }

    /// The headers that it reads.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let headers = match self {
            Self::Hmac(hmac) => [
                Some(hmac.header.as_str()),
                hmac.timestamp.as_ref().map(|stamp| stamp.header.as_str()),
                hmac.id_header.as_deref(),
                hmac.when.as_ref().map(|when| when.header.as_str()),
            ],
            Self::Digest(digest) => [
                Some(digest.header.as_str()),
                digest.when.as_ref().map(|when| when.header.as_str()),
                None,
                None,
            ],
            Self::Basic(_) => [Some("authorization"), None, None, None],
            Self::Header(header) => [Some(header.name.as_str()), None, None, None],
            Self::Query(_) | Self::Body(_) | Self::OpaqueUrl {} | Self::None {} => [None; 4],
        };
        headers.into_iter().flatten()
    }

    /// Why this scheme proves nothing, or can never hold.
    fn fault(&self) -> Result<(), &'static str> {
        let is_header = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        ensure(
            self.headers().all(is_header),
            "a header's name has letters, digits and - only",
        )?;
        let has_secret = |template: &Template| template.names().next().is_some();
        match self {
            Self::Hmac(hmac) => hmac.fault(),
            Self::Digest(digest) => {
                ensure(
                    digest.message.has("body"),
                    "message: without {body} anybody can change the body",
                )?;
                ensure(
                    !digest.message.has("timestamp") && !digest.message.has("id"),
                    "message: a digest knows no {timestamp} and no {id}",
                )?;
                ensure(
                    digest.message.names().any(|name| !MESSAGE.contains(&name)),
                    "message: without a secret anybody can make the digest",
                )?;
                ensure(
                    digest.encoding != Encoding::Raw,
                    "encoding: raw bytes do not fit into a header",
                )
            }
            Self::Basic(basic) => ensure(has_secret(&basic.password), "password: name a secret in braces"),
            Self::Header(header) => ensure(has_secret(&header.value), "value: name a secret in braces"),
            Self::Query(query) => ensure(
                has_secret(&query.value) && !query.name.is_empty(),
                "name the parameter, and in value a secret in braces",
            ),
            Self::Body(body) => ensure(
                has_secret(&body.value) && !body.path.is_empty(),
                "path: name the member, and in value a secret in braces",
            ),
            Self::OpaqueUrl {} | Self::None {} => Ok(()),
        }
    }
}

impl Hmac {
    fn fault(&self) -> Result<(), &'static str> {
        ensure(self.key.names().next().is_some(), "key: name a secret in braces")?;
        ensure(
            self.message.has("body"),
            "message: without {body} anybody can change the body",
        )?;
        ensure(
            self.message.has("timestamp") == self.timestamp.is_some(),
            "a timestamp counts only if it is signed: write both timestamp and {timestamp} in message, or neither",
        )?;
        ensure(
            self.message.has("id") == self.id_header.is_some(),
            "an id counts only if it is signed: write both id_header and {id} in message, or neither",
        )?;
        ensure(
            self.separator.as_ref().is_none_or(|separator| !separator.is_empty()),
            "separator: leave it out where there is one signature",
        )?;
        ensure(
            self.encoding != Encoding::Raw || self.wrap.is_some(),
            "encoding: raw bytes fit only inside wrap",
        )?;
        let wrap_is_whole = self.wrap.as_ref().is_none_or(|wrap| {
            !wrap.separator.is_empty() && !wrap.id.is_empty() && self.separator.is_none() && self.prefix.is_empty()
        });
        ensure(
            wrap_is_whole,
            "wrap: it has an id and a separator, and no separator or prefix stands beside it",
        )
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// Reads the list of schemes; faults name their place.
pub(super) fn checked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scheme>, D::Error> {
    let schemes = Vec::<Scheme>::deserialize(deserializer)?;
    if schemes.is_empty() {
        return Err(D::Error::custom(
            "webhooks.verify: name at least one scheme, or {\"none\": {}}",
        ));
    }
    for (position, scheme) in schemes.iter().enumerate() {
        let place = format!("webhooks.verify[{position}].{}", scheme.name());
        if matches!(scheme, Scheme::OpaqueUrl {} | Scheme::None {}) && schemes.len() > 1 {
            return Err(D::Error::custom(format!("{place}: it must stand alone")));
        }
        scheme
            .fault()
            .map_err(|fault| D::Error::custom(format!("{place}: {fault}")))?;
    }
    Ok(schemes)
}

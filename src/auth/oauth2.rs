//! What a connector says about OAuth 2.0: the grant, the addresses, how the client shows itself, what an answer means.
//!
//! Templates know the connection's fields (`{client_id}`, `{client_secret}`, `{refresh_token}`, `{private_key}` and whatever
//! else the connector declares) and `{api_endpoint}`.

use std::collections::BTreeMap;

use reqwest::Url;
use serde::Deserialize;

use crate::json::Path;
use crate::template::{Json, Template, Values};

/// An auth method `oauth2`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth2 {
    /// How tokens are got.
    pub grant: Grant,
    /// Where tokens are issued.
    pub token_url: Template,
    /// Where a person agrees; for `authorization_code`.
    #[serde(default)]
    pub authorize_url: Option<Template>,
    /// What a person is asked to agree to.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between two scopes.
    #[serde(default = "blank")]
    pub scope_separator: String,
    /// Whether the CRM knows PKCE (RFC 7636, S256). Then it must be used.
    #[serde(default)]
    pub pkce: bool,
    /// Further query parameters of `authorize_url`, like `access_type=offline`.
    #[serde(default)]
    pub authorize_query: BTreeMap<String, Template>,
    /// Where the client's id and secret go.
    #[serde(default)]
    pub client: Placement,
    /// How the parameters of a token request are sent.
    #[serde(default)]
    pub encoding: Encoding,
    /// Further parameters of every token request, like `scope` or `resource`. One whose values are missing is left out.
    #[serde(default)]
    pub parameters: BTreeMap<String, Template>,
    /// Values to take from a token answer, by the name that other templates use.
    #[serde(default)]
    pub capture: BTreeMap<String, Capture>,
    /// Seconds that an access token lives where the answer does not say. Without it such a token is used until it is refused.
    #[serde(default)]
    pub expires_in: Option<u64>,
    /// How many seconds before its end a token is renewed; never more than a tenth of its life.
    #[serde(default = "minute")]
    pub early_s: u64,
    /// Whether a refresh token is good for one use only.
    #[serde(default)]
    pub rotates: bool,
    /// Where an answer tells its error's code.
    #[serde(default = "error_member")]
    pub error_at: Path,
    /// Codes that mean that a person must connect again, also in an answer with status 200.
    #[serde(default = "invalid_grant")]
    pub reconnect: Vec<String>,
}

/// How tokens are got.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Grant {
    /// From a refresh token that the connection's field `refresh_token` holds at first.
    RefreshToken,
    /// From the client's own id and secret.
    ClientCredentials,
    /// A person agrees in the browser; from then on as `refresh_token`.
    AuthorizationCode,
    /// From a signed statement (RFC 7523).
    JwtBearer {
        /// How it is signed.
        algorithm: Algorithm,
        /// What it says. Templates also know `{now}` and `{expires}` in seconds since 1970, and `{nonce}`.
        claims: BTreeMap<String, Json>,
        /// The field that holds the private key, as PEM.
        #[serde(default = "private_key")]
        private_key: String,
        /// Seconds until `{expires}`.
        #[serde(default = "three_minutes")]
        lifetime_s: u32,
    },
}

impl Grant {
    /// Whether it lives on a refresh token, which must not be lost.
    #[must_use]
    pub const fn uses_refresh_token(&self) -> bool {
        matches!(self, Self::RefreshToken | Self::AuthorizationCode)
    }
}

/// How a statement is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSA with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

/// Where the client's id and secret go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Among the parameters, as `client_id` and `client_secret`.
    #[default]
    Body,
    /// As HTTP Basic.
    Basic,
    /// In the address's query.
    Query,
    /// Nowhere: the grant itself says who asks.
    None,
}

/// How parameters are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// `application/x-www-form-urlencoded`
    #[default]
    Form,
    /// `application/json`
    Json,
    /// In the address's query; the body is empty.
    Query,
}

/// A value to take from a token answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Where it is.
    pub path: Path,
    /// What counts while no answer has told.
    #[serde(default)]
    pub default: Option<Template>,
    /// The value is an address, and this is where it may lead: `crm.example`, or `*.crm.example` for any name below it. The
    /// endpoint's and the token address's own origin are always allowed. Without `hosts` the value is a plain word.
    #[serde(default)]
    pub hosts: Option<Vec<String>>,
}

/// The longest plain word.
const MAX_WORD: usize = 128;
/// The longest address.
const MAX_ADDRESS: usize = 2048;

impl Capture {
    /// The value as it may be used; a refusal says why.
    pub fn checked(&self, name: &str, found: &str, own: &[&Url]) -> Result<String, String> {
        let refuse = |why: &str| {
            let shown: String = found.chars().take(MAX_WORD).collect();
            Err(format!(
                "the CRM's token answer names {name} \"{}\", {why}",
                shown.escape_debug()
            ))
        };
        let Some(hosts) = &self.hosts else {
            let is_word = !found.is_empty()
                && found.len() <= MAX_WORD
                && found
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            return if is_word {
                Ok(found.to_owned())
            } else {
                refuse("which is no plain word: the connector must list the hosts that it may lead to")
            };
        };
        let url = match Url::parse(found) {
            Ok(url) if found.len() <= MAX_ADDRESS => url,
            _ => return refuse("which is no address"),
        };
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return refuse("which has more in it than an address");
        }
        if !own.iter().any(|known| known.origin() == url.origin()) {
            let host = url.host_str().unwrap_or_default();
            if url.scheme() != "https" {
                return refuse("which is not https: nothing is sent there");
            }
            if url.port().is_some() || !hosts.iter().any(|pattern| is_host(pattern, host)) {
                return refuse(&format!(
                    "which leads to none of this connector's hosts ({}): nothing is sent there",
                    hosts.join(", ")
                ));
            }
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

fn is_host(pattern: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    match pattern.strip_prefix('*') {
        Some(suffix) => {
            suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(&suffix.to_ascii_lowercase())
        }
        None => pattern.eq_ignore_ascii_case(&host),
    }
}

impl Oauth2 {
    /// Checks what the types alone do not say; a failure says what is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.grant == Grant::AuthorizationCode && self.authorize_url.is_none() {
            return Err(String::from(
                "oauth2.authorize_url: the grant authorization_code needs the address where a person agrees",
            ));
        }
        if self.reconnect.is_empty() {
            return Err(String::from(
                "oauth2.reconnect: name the codes that mean that a person must connect again",
            ));
        }
        for (name, capture) in &self.capture {
            let hosts = capture.hosts.as_deref().unwrap_or_default();
            if let Some(wrong) = hosts.iter().find(|pattern| !is_pattern(pattern)) {
                return Err(format!(
                    "oauth2.capture.{name}.hosts: \"{wrong}\" is no host: write crm.example.com or *.example.com"
                ));
            }
        }
        Ok(())
    }

    /// The names of all values that its templates use.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let templates = self
            .parameters
            .values()
            .chain(self.authorize_query.values())
            .chain(self.capture.values().filter_map(|capture| capture.default.as_ref()))
            .chain(&self.authorize_url)
            .chain([&self.token_url]);
        let mut names: Vec<&str> = templates.flat_map(Template::names).collect();
        if let Grant::JwtBearer {
            claims, private_key, ..
        } = &self.grant
        {
            names.extend(claims.values().flat_map(Json::names));
            names.push(private_key);
        }
        names
    }

    /// What the captures' templates say where no answer has told.
    pub fn defaults(&self, values: &Values) -> BTreeMap<String, String> {
        self.capture
            .iter()
            .filter_map(|(name, capture)| Some((name.clone(), capture.default.as_ref()?.text(values)?)))
            .collect()
    }
}

/// At least two labels stay, so that no pattern opens a whole top level domain.
fn is_pattern(pattern: &str) -> bool {
    let name = pattern.strip_prefix("*.").unwrap_or(pattern);
    name.contains('.')
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

fn blank() -> String {
    String::from(" ")
}

const fn minute() -> u64 {
    60
}

const fn three_minutes() -> u32 {
    180
}

fn private_key() -> String {
    String::from("private_key")
}

fn error_member() -> Path {
    Path::member("error")
}

fn invalid_grant() -> Vec<String> {
    vec![String::from("invalid_grant")]
}

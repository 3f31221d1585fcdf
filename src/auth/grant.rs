//! The requests of OAuth 2.0: the address where a person agrees, and the token request of each grant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::judge::TokenAnswers;
use super::jwt;
use super::oauth2::{Encoding, Grant, Oauth2, Placement};
use crate::config::Config;
use crate::crm::limit::Costs;
use crate::error::{Error, Kind, Result};
use crate::net::lane::Lane;
use crate::net::retry::Repeat;
use crate::net::send::Call;
use crate::template::{Value, Values};

/// Bound on a token request: a third of a lease, so that its holder is done before anybody else may try.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// More than any token answer has.
const MAX_ANSWER: usize = 1 << 20;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One tenant's connection, as far as its tokens are concerned.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    /// The tenant's id, for messages.
    pub tenant: &'a str,
    /// What the connector says.
    pub oauth: &'a Oauth2,
    /// The connection's fields, opened, and `api_endpoint`.
    pub values: &'a Values,
    /// The host's rules; its timeout bounds the waiting.
    pub config: &'a Config,
    /// On whose behalf it is asked, and how fast.
    pub lane: Option<&'a Arc<Lane>>,
}

/// What a person's browser brought back.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// The code, good for one use.
    pub code: &'a str,
    /// Where the browser was sent back to.
    pub redirect_uri: &'a str,
    /// What the challenge was made of, with PKCE.
    pub verifier: Option<&'a str>,
}

/// What a token request is made with.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// A refresh token.
    Refresh(&'a str),
    /// A person's consent.
    Code(&'a Code<'a>),
    /// Nothing but what the connection's fields say.
    Itself {
        /// Seconds since 1970.
        now: f64,
    },
}

impl Connection<'_> {
    /// An address that a template names.
    fn url(&self, template: &crate::template::Template, what: &str) -> Result<Url> {
        template
            .text(self.values)
            .and_then(|text| Url::parse(&text).ok())
            .ok_or_else(|| {
                let names: Vec<&str> = template.names().collect();
                Error::new(
                    Kind::Config,
                    format!("the {what} is no address: fill in {}", names.join(", ")),
                )
            })
    }

    /// Where tokens are issued.
    pub fn token_url(&self) -> Result<Url> {
        self.url(&self.oauth.token_url, "token address")
    }

    /// The endpoint, where it is known.
    pub fn endpoint(&self) -> Option<Url> {
        Url::parse(&self.values.text("api_endpoint")?).ok()
    }

    fn field(&self, name: &str) -> Option<Zeroizing<String>> {
        self.values
            .text(name)
            .map(Zeroizing::new)
            .filter(|text| !text.is_empty())
    }

    fn needed(&self, name: &str) -> Result<Zeroizing<String>> {
        self.field(name)
            .ok_or_else(|| Error::new(Kind::Config, format!("the setting {name} is missing or empty")))
    }

    /// The refresh token that the settings name, if they name one.
    pub fn first_refresh_token(&self) -> Option<Zeroizing<String>> {
        self.field("refresh_token")
            .filter(|_| self.oauth.grant.uses_refresh_token())
    }

    /// Hash of the settings that tokens are got with. A token that others have got is of no use, and must not be used.
    pub fn source(&self) -> Result<String> {
        let mut parts = vec![
            Zeroizing::new(self.token_url()?.to_string()),
            self.field("client_id").unwrap_or_default(),
        ];
        if self.oauth.grant.uses_refresh_token() {
            parts.push(self.field("refresh_token").unwrap_or_default());
        } else {
            parts.extend(
                self.oauth
                    .names()
                    .into_iter()
                    .map(|name| self.field(name).unwrap_or_default()),
            );
            parts.push(self.field("client_secret").unwrap_or_default());
        }
        // With its length each, so that nothing moves from one to the next.
        let text: Zeroizing<String> = Zeroizing::new(
            parts
                .iter()
                .map(|part| format!("{}:{};", part.len(), part.as_str()))
                .collect(),
        );
        let hash = digest(&SHA256, text.as_bytes());
        Ok(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What no message may show.
    pub fn secrets(&self, by: By<'_>) -> Vec<Zeroizing<String>> {
        let mut names = vec!["client_secret", "refresh_token"];
        if let Grant::JwtBearer { private_key, .. } = &self.oauth.grant {
            names.push(private_key);
        }
        let mut secrets: Vec<_> = names.into_iter().filter_map(|name| self.field(name)).collect();
        match by {
            By::Refresh(token) => secrets.push(Zeroizing::new(token.to_owned())),
            By::Code(code) => {
                secrets.push(Zeroizing::new(code.code.to_owned()));
                secrets.extend(code.verifier.map(|verifier| Zeroizing::new(verifier.to_owned())));
            }
            By::Itself { .. } => {}
        }
        secrets
    }

    /// The token request.
    pub fn request(&self, by: By<'_>) -> Result<Call> {
        let mut parameters: BTreeMap<&str, Zeroizing<String>> = BTreeMap::new();
        let mut values = self.values.clone();
        let mut set = |name: &'static str, value: &str| {
            parameters.insert(name, Zeroizing::new(value.to_owned()));
        };
        match by {
            By::Refresh(token) => {
                set("grant_type", "refresh_token");
                set("refresh_token", token);
            }
            By::Code(code) => {
                set("grant_type", "authorization_code");
                set("code", code.code);
                set("redirect_uri", code.redirect_uri);
                if let Some(verifier) = code.verifier.filter(|_| self.oauth.pkce) {
                    set("code_verifier", verifier);
                }
                values.set("redirect_uri", Value::text(code.redirect_uri));
            }
            By::Itself { now } => match &self.oauth.grant {
                Grant::JwtBearer {
                    claims,
                    private_key,
                    lifetime_s,
                    ..
                } => {
                    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of our time")]
                    let now = now as i64;
                    let values = values
                        .clone()
                        .with("now", Value::Number(now))
                        .with("expires", Value::Number(now.saturating_add(i64::from(*lifetime_s))))
                        .with("nonce", Value::text(nonce()?));
                    let key = self.needed(private_key)?;
                    let statement = jwt::rs256(claims, &values, private_key, key.as_bytes())?;
                    set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                    set("assertion", &statement);
                }
                _ => set("grant_type", "client_credentials"),
            },
        }
        for (name, template) in &self.oauth.parameters {
            if let Some(value) = template.text(&values) {
                parameters.entry(name).or_insert(Zeroizing::new(value));
            }
        }
        self.call(parameters)
    }

    fn call(&self, mut parameters: BTreeMap<&str, Zeroizing<String>>) -> Result<Call> {
        let mut url = self.token_url()?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if self.oauth.client != Placement::None {
            let id = self.needed("client_id")?;
            let secret = self.field("client_secret");
            if self.oauth.client == Placement::Basic {
                let text = Zeroizing::new(format!(
                    "{}:{}",
                    encoded(&id),
                    secret.as_deref().map(|secret| encoded(secret)).unwrap_or_default()
                ));
                headers.insert(
                    AUTHORIZATION,
                    sensitive(&format!("Basic {}", STANDARD.encode(text.as_bytes())))?,
                );
            } else {
                let mut client = BTreeMap::from([("client_id", id)]);
                client.extend(secret.map(|secret| ("client_secret", secret)));
                if self.oauth.client == Placement::Query {
                    extend_query(&mut url, &client);
                } else {
                    parameters.extend(client);
                }
            }
        }
        let body = match self.oauth.encoding {
            Encoding::Form => {
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                );
                pairs(&parameters)
            }
            Encoding::Json => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let members = parameters
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
                serde_json::Value::Object(members.collect()).to_string()
            }
            Encoding::Query => {
                extend_query(&mut url, &parameters);
                String::new()
            }
        };
        let mut config = self.config.clone();
        config.max_response_bytes = config.max_response_bytes.min(MAX_ANSWER);
        Ok(Call {
            judge: &TokenAnswers,
            method: Method::POST,
            url,
            headers,
            body: Some(Bytes::from(body)),
            // Asking again with a token that was spent, though its answer was lost, is what recovers it where the CRM
            // has a grace period; where it has none, nothing is left to lose.
            repeat: Repeat::AfterAnyTransientFailure,
            timeout: config.timeout.min(PATIENCE),
            config,
            costs: Costs::default(),
            lane: self.lane.cloned(),
        })
    }
}

/// The address where a person agrees that the portal may use the CRM.
pub fn authorize_url(
    connection: &Connection<'_>,
    redirect_uri: &str,
    state: &str,
    code_challenge: Option<&str>,
) -> Result<String> {
    let oauth = connection.oauth;
    let Some(template) = oauth
        .authorize_url
        .as_ref()
        .filter(|_| oauth.grant == Grant::AuthorizationCode)
    else {
        return Err(Error::new(
            Kind::Config,
            "this way to connect needs no consent in the browser: fill in the connection's fields instead",
        ));
    };
    if oauth.pkce && code_challenge.is_none() {
        return Err(Error::new(
            Kind::Config,
            "this CRM wants PKCE: give the code challenge, base64url( sha256( verifier ) )",
        ));
    }
    let mut url = connection.url(template, "address for consent")?;
    let text = |text: &str| Zeroizing::new(text.to_owned());
    let values = connection
        .values
        .clone()
        .with("redirect_uri", Value::text(redirect_uri));
    let mut query = BTreeMap::new();
    for (name, template) in &oauth.authorize_query {
        if let Some(value) = template.text(&values) {
            query.insert(name.as_str(), Zeroizing::new(value));
        }
    }
    query.insert("response_type", text("code"));
    query.insert("client_id", connection.needed("client_id")?);
    query.insert("redirect_uri", text(redirect_uri));
    query.insert("state", text(state));
    if !oauth.scopes.is_empty() {
        query.insert("scope", text(&oauth.scopes.join(&oauth.scope_separator)));
    }
    // A CRM that does not know PKCE may refuse what it does not know.
    if let Some(challenge) = code_challenge.filter(|_| oauth.pkce) {
        query.insert("code_challenge", text(challenge));
        query.insert("code_challenge_method", text("S256"));
    }
    extend_query(&mut url, &query);
    Ok(url.into())
}

fn encoded(text: &str) -> String {
    percent_encode(text.as_bytes(), RESERVED).to_string()
}

fn pairs(parameters: &BTreeMap<&str, Zeroizing<String>>) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

fn extend_query(url: &mut Url, parameters: &BTreeMap<&str, Zeroizing<String>>) {
    let more = pairs(parameters);
    let query = match url.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{query}&{more}"),
        None => more,
    };
    url.set_query(Some(&query));
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::new(Kind::Credential, "the client's id and secret do not fit into a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Random text that no other statement has.
fn nonce() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Kind::Config, format!("the system gives no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

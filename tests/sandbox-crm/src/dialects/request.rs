//! A request as a dialect sees it: decoded where decoding is the same for all CRMs, raw where it is not.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Method};
use serde_json::Value;

use crate::query;

/// How a credential came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer …`, in any case.
    Bearer,
    /// `Authorization: Zoho-oauthtoken …`
    ZohoOauthtoken,
    /// `Authorization: Basic …`: the key is its password, or its user name (Pipedrive).
    Basic,
    /// `x-api-token: …` (Pipedrive)
    ApiToken,
    /// `X-Api-Key: …` (EspoCRM)
    ApiKey,
    /// `X-Hmac-Authorization: base64(key:signature)` (EspoCRM); the dialect checks the signature.
    Hmac,
    /// `Espo-Authorization: base64(user:key)`
    EspoAuthorization,
    /// `DOLAPIKEY: …` (Dolibarr)
    Dolapikey,
    /// `?DOLAPIKEY=…` or `?api_key=…` (Dolibarr), `?api_token=…` (Pipedrive v1)
    Query,
    /// The third argument of a JSON-RPC call (Odoo).
    JsonRpc,
}

/// What the request says it may. Whose it is, is looked up by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub scheme: Scheme,
    pub text: String,
}

impl Credential {
    fn new(scheme: Scheme, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { scheme, text }
    }

    /// All that the headers and the query hold; a Basic one gives two.
    pub fn all(headers: &HeaderMap, raw_query: &str) -> Vec<Self> {
        let mut found = Vec::new();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some((scheme, rest)) = header(AUTHORIZATION.as_str()).and_then(|value| value.split_once(' ')) {
            if scheme.eq_ignore_ascii_case("bearer") {
                found.push(Self::new(Scheme::Bearer, rest));
            } else if scheme.eq_ignore_ascii_case("zoho-oauthtoken") {
                found.push(Self::new(Scheme::ZohoOauthtoken, rest));
            } else if scheme.eq_ignore_ascii_case("basic")
                && let Some((user, password)) = pair(rest)
            {
                found.push(Self::new(Scheme::Basic, password));
                found.push(Self::new(Scheme::Basic, user));
            }
        }
        for (name, scheme) in [
            ("x-api-token", Scheme::ApiToken),
            ("x-api-key", Scheme::ApiKey),
            ("dolapikey", Scheme::Dolapikey),
        ] {
            found.extend(header(name).map(|key| Self::new(scheme, key)));
        }
        let hmac = header("x-hmac-authorization").and_then(pair);
        found.extend(hmac.map(|(key, _)| Self::new(Scheme::Hmac, key)));
        let espo = header("espo-authorization").and_then(pair);
        found.extend(espo.map(|(_, key)| Self::new(Scheme::EspoAuthorization, key)));
        let pairs = query::pairs(raw_query).unwrap_or_default();
        found.extend(
            pairs
                .into_iter()
                .filter(|(name, _)| matches!(name.as_str(), "DOLAPIKEY" | "api_key" | "api_token"))
                .map(|(_, key)| Self::new(Scheme::Query, key)),
        );
        found.retain(|credential| !credential.text.is_empty());
        found
    }

    /// The password of an Odoo JSON-RPC call, which is in the body.
    pub fn in_body(path: &str, body: &[u8]) -> Option<Self> {
        if path != "/jsonrpc" {
            return None;
        }
        let call: Value = serde_json::from_slice(body).ok()?;
        let key = call.pointer("/params/args/2")?.as_str()?;
        Some(Self::new(Scheme::JsonRpc, key)).filter(|credential| !credential.text.is_empty())
    }
}

/// base64(a:b). The second part is lossy: an HMAC is bytes.
fn pair(text: &str) -> Option<(String, String)> {
    let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
    Some((text(bytes.get(..colon)), text(bytes.get(colon + 1..))))
}

#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a Method,
    /// As it came, percent-escapes and all; `segments` decodes.
    pub path: &'a str,
    /// The query decoded as forms are (`+` is a space), in order, doubles kept.
    pub pairs: Vec<(String, String)>,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
    /// `https://localhost:8443`: what the client called us, for absolute links.
    pub origin: String,
    /// The one the tenant was found by; the first one that came where none was good.
    pub credential: Option<Credential>,
}

impl<'a> Request<'a> {
    /// Fails where the query is no UTF-8.
    pub fn new(
        parts: &'a hyper::http::request::Parts,
        body: &'a Bytes,
        origin: String,
        credential: Option<Credential>,
    ) -> Result<Self, String> {
        Ok(Self {
            method: &parts.method,
            path: parts.uri.path(),
            pairs: query::pairs(parts.uri.query().unwrap_or_default())?,
            headers: &parts.headers,
            body,
            origin,
            credential,
        })
    }

    /// The path's decoded parts, without the empty ones that a trailing slash makes. `None` where one is no UTF-8.
    pub fn segments(&self) -> Option<Vec<String>> {
        let parts = self.path.split('/').filter(|part| !part.is_empty());
        parts.map(query::segment).collect()
    }

    /// `None` also where it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first of that name.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first parameter that is none of these.
    pub fn unknown_param(&self, allowed: &[&str]) -> Option<&str> {
        let mut names = self.pairs.iter().map(|(name, _)| name.as_str());
        names.find(|name| !allowed.contains(name))
    }

    /// Lower case, without parameters: `application/json`. Empty where there is none.
    pub fn content_type(&self) -> String {
        let text = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = text.split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    pub fn sends_json(&self) -> bool {
        self.content_type() == "application/json"
    }

    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(self.body).map_err(|reason| reason.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, value: &str, query: &str) -> Vec<(Scheme, String)> {
        let name: hyper::header::HeaderName = name.parse().unwrap();
        let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
        let all = Credential::all(&headers, query);
        all.into_iter().map(|one| (one.scheme, one.text)).collect()
    }

    #[test]
    fn every_way_to_carry_a_key() {
        let user_key = BASE64_STANDARD.encode("user:k:1");
        for (name, value, scheme, key) in [
            ("authorization", "Bearer k", Scheme::Bearer, "k"),
            ("authorization", "bearer k", Scheme::Bearer, "k"),
            ("authorization", "Zoho-oauthtoken k", Scheme::ZohoOauthtoken, "k"),
            ("authorization", &format!("Basic {user_key}"), Scheme::Basic, "k:1"),
            ("x-api-token", "k", Scheme::ApiToken, "k"),
            ("X-Api-Key", "k", Scheme::ApiKey, "k"),
            ("X-Hmac-Authorization", &user_key, Scheme::Hmac, "user"),
            ("Espo-Authorization", &user_key, Scheme::EspoAuthorization, "k:1"),
            ("DOLAPIKEY", "k", Scheme::Dolapikey, "k"),
        ] {
            assert_eq!(found(name, value, "a=1")[0], (scheme, key.into()), "{name}: {value}");
        }
        assert_eq!(found("a", "b", "api_key=k%2B"), [(Scheme::Query, "k+".into())]);
        for (name, value) in [
            ("authorization", "Bearerk"),
            ("authorization", "Basic k"),
            ("authorization", "Digest k"),
            ("x-api-key", ""),
            ("x-hmac-authorization", "a:b"),
        ] {
            assert!(found(name, value, "").is_empty(), "{name}: {value}");
        }
    }

    #[test]
    fn an_odoo_call_carries_its_key_in_the_body() {
        let body = br#"{"params":{"service":"object","args":["db",2,"k","res.partner"]}}"#;
        assert_eq!(
            Credential::in_body("/jsonrpc", body),
            Some(Credential::new(Scheme::JsonRpc, "k"))
        );
        assert_eq!(Credential::in_body("/json/2/x", body), None);
        assert_eq!(Credential::in_body("/jsonrpc", b"{}"), None);
    }
}

//! EspoCRM's REST API: which path is what, how a caller shows who it is, and errors, whose words are in a header.

mod attributes;
mod condition;
mod metadata;
mod records;
mod search;
mod write;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_search;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, StatusCode};
use rustls::crypto::tls13::OkmBlock;
use serde_json::{Value, json};

use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Espocrm;

/// What is wrong with a request, as it is answered.
type Wrong = Box<Answer>;

const BASE: &str = "/api/v1/";

impl Dialect for Espocrm {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        if !proven(tenant, request) {
            return self.unauthorized(request);
        }
        route(tenant, request).unwrap_or_else(|wrong| *wrong)
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::ApiKey, Scheme::Hmac, Scheme::EspoAuthorization, Scheme::Basic]
    }

    /// Without a word, as its clients are machines.
    fn unauthorized(&self, _request: &Request<'_>) -> Answer {
        empty(StatusCode::UNAUTHORIZED)
    }

    fn expired(&self, request: &Request<'_>) -> Answer {
        self.unauthorized(request)
    }

    /// EspoCRM has no limit of its own: this is what a web server in front of it answers.
    fn limited(&self, _request: &Request<'_>, refused: &Refused) -> Answer {
        let mut answer = empty(StatusCode::TOO_MANY_REQUESTS);
        answer.body = "<html><head><title>429 Too Many Requests</title></head></html>".into();
        match refused.header() {
            Some(value) => answer.with(RETRY_AFTER, value),
            None => answer,
        }
    }

    fn ids(&self, _object: Object) -> IdKind {
        IdKind::Hex17
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Naive
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        ["x-api-key", "x-hmac-authorization", "espo-authorization"]
            .iter()
            .any(|name| request.headers.contains_key(*name))
    }
}

/// A user has one method: with a secret it is the signature, without one the key.
fn proven(tenant: &Tenant, request: &Request<'_>) -> bool {
    let scheme = request.credential.as_ref().map(|credential| credential.scheme);
    let secret = tenant.config().secret;
    match (scheme, secret) {
        (Some(Scheme::Hmac), Some(secret)) => signature(request).is_some_and(|given| {
            let path = request.path.strip_prefix(BASE).unwrap_or(request.path);
            let message = format!("{} /{path}", request.method);
            sign(secret.as_bytes(), message.as_bytes()).is_some_and(|own| own == given)
        }),
        (Some(Scheme::Hmac), None) | (Some(Scheme::ApiKey), Some(_)) => false,
        _ => true,
    }
}

/// The part of X-Hmac-Authorization after the key: raw bytes.
fn signature(request: &Request<'_>) -> Option<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(request.header("x-hmac-authorization")?).ok()?;
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    Some(bytes.get(colon + 1..)?.to_vec())
}

/// HMAC-SHA256 of a secret of at most 64 bytes, by the TLS library that is here anyway.
fn sign(secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13()?;
    if secret.len() > 64 {
        return None;
    }
    let tag = suite.hkdf_provider.hmac_sign(&OkmBlock::new(secret), message);
    Some(tag.as_ref().to_vec())
}

fn route(tenant: &Tenant, request: &Request<'_>) -> Result<Answer, Wrong> {
    let nowhere = || Box::new(empty(StatusCode::NOT_FOUND));
    let path = request.path.strip_prefix(BASE).ok_or_else(nowhere)?;
    let parts: Option<Vec<String>> = path.split('/').map(crate::query::segment).collect();
    let parts = parts.ok_or_else(nowhere)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (parts.as_slice(), request.method) {
        (["Metadata"], &Method::GET) => metadata::metadata(request),
        (["App", "user"], &Method::GET) => Ok(me()),
        (["Metadata"] | ["App", "user"], _) => Err(method("GET")),
        ([entity], method) => {
            let object = object(entity).ok_or_else(nowhere)?;
            match *method {
                Method::GET => search::list(tenant, request, object),
                Method::POST => write::create(tenant, request, object),
                _ => Err(self::method("GET, POST")),
            }
        }
        ([entity, id], method) => {
            let object = object(entity).ok_or_else(nowhere)?;
            match *method {
                Method::GET => search::get(tenant, object, id),
                Method::PUT | Method::PATCH => write::update(tenant, request, object, id),
                Method::DELETE => write::delete(tenant, object, id),
                _ => Err(self::method("GET, PUT, PATCH, DELETE")),
            }
        }
        _ => Err(nowhere()),
    }
}

/// Case-sensitive, as its routes are.
fn object(entity: &str) -> Option<Object> {
    Object::ALL.into_iter().find(|object| self::entity(*object) == entity)
}

fn entity(object: Object) -> &'static str {
    match object {
        Object::Leads => "Lead",
        Object::Contacts => "Contact",
        Object::Companies => "Account",
        Object::Deals => "Opportunity",
        Object::Tickets => "Case",
    }
}

/// Who the key belongs to, and what it may.
fn me() -> Answer {
    let all = json!({ "create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "all" });
    let table: serde_json::Map<String, Value> = Object::ALL
        .into_iter()
        .map(|object| (entity(object).to_owned(), all.clone()))
        .collect();
    fine(&json!({
        "user": { "id": "64f0000000000api1", "userName": "api", "type": "api", "name": "API", "isActive": true },
        "acl": { "table": table },
        "preferences": { "timeZone": "Europe/Berlin" },
        "settings": { "recordListMaxSizeLimit": 200 },
        "token": null,
    }))
}

fn fine(value: &Value) -> Answer {
    Answer::value(StatusCode::OK, value)
}

fn empty(status: StatusCode) -> Answer {
    Answer::empty(status).with(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"))
}

/// An empty body: the words are in X-Status-Reason, without what a header cannot hold.
fn refuse(status: StatusCode, words: &str) -> Wrong {
    Box::new(with_reason(empty(status), words))
}

fn bad(words: &str) -> Wrong {
    refuse(StatusCode::BAD_REQUEST, words)
}

fn with_reason(answer: Answer, words: &str) -> Answer {
    let plain: String = words
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .collect();
    match HeaderValue::from_str(&plain) {
        Ok(value) => answer.with(HeaderName::from_static("x-status-reason"), value),
        Err(_) => answer,
    }
}

fn method(allowed: &'static str) -> Wrong {
    Box::new(empty(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW, HeaderValue::from_static(allowed)))
}

//! The requests that a connector wants: addresses, queries, headers and bodies. The face gives the values, `net` sends them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use ring::hmac;
use zeroize::Zeroizing;

use crate::crm::connector::{AuthMethod, Connector, ENDPOINT};
use crate::crm::limit::Costs;
use crate::crm::object::{Object, Operation};
use crate::error::{Error, Kind, Reason, Result};
use crate::net::lane::Lane;
use crate::template::{Json, Template, Value, Values};

/// Longer addresses are cut or refused by servers and proxies on the way.
pub const MAX_URL: usize = 7_500;

/// A tenant's connection to its CRM: what every request to it needs.
#[derive(Debug, Clone)]
pub struct Connection {
    /// What the CRM looks like.
    pub connector: &'static Connector,
    /// How requests are authorised.
    pub method: &'static AuthMethod,
    /// The connection's fields, its secrets opened, and what a token brought along.
    pub values: Values,
    /// Whether a secret of theirs lies in a secrets manager, where another may lie by now.
    pub is_referenced: bool,
    /// On whose behalf its requests are sent, and how fast; none where nothing is sent.
    pub lane: Option<Arc<Lane>>,
}

/// A request that can be sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers, the authorisation among them, which is marked so that no log shows it.
    pub headers: HeaderMap,
    /// Body, if any.
    pub body: Option<Bytes>,
    /// What the connector says of its repetition.
    pub repeatable: Option<bool>,
    /// What it costs of the limits, by unit.
    pub costs: Costs,
}

/// The endpoint that a tenant's settings name.
pub fn endpoint(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| {
        Error::new(
            Kind::Config,
            format!(
                "api_endpoint '{}' is not a URL: write it like https://crm.example.com",
                shown(text)
            ),
        )
    })?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error::new(
            Kind::Config,
            format!("api_endpoint '{}' has no host", shown(text)),
        ));
    }
    Ok(url)
}

/// What of a wrong endpoint may be shown: not what could be a password.
fn shown(text: &str) -> String {
    let after_login = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    after_login
        .chars()
        .take(100)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

/// `https://crm.example.com:8443`, what a credential is bound to.
#[must_use]
pub fn origin(endpoint: &Url) -> String {
    endpoint.origin().ascii_serialization()
}

/// Sets `{api_endpoint}` (without a slash, query or fragment at its end) and `{origin}`.
pub fn set_endpoint(values: &mut Values, endpoint: &Url) {
    let mut whole = endpoint.clone();
    whole.set_query(None);
    whole.set_fragment(None);
    values.set(ENDPOINT, Value::text(whole.as_str().trim_end_matches('/')));
    whole.set_path("");
    values.set("origin", Value::text(whole.as_str().trim_end_matches('/')));
}

impl Connection {
    /// What all paths are below.
    pub fn base(&self) -> Result<String> {
        self.connector.base.text(&self.values).ok_or_else(|| {
            Error::new(
                Kind::Config,
                "the CRM's address is not known yet: connect the tenant first, or check its settings",
            )
        })
    }

    /// Whether a failure means that the access token has run out, or that a secrets manager may have another credential by now. A
    /// CRM of which the connector does not say how it tells so answers 401.
    #[must_use]
    pub fn is_expired(&self, error: &Error) -> bool {
        match error.reason {
            Some(Reason::Expired) => self.method.oauth2.is_some() || self.is_referenced,
            Some(Reason::Unauthorized) => {
                self.is_referenced || (self.method.oauth2.is_some() && !self.connector.errors.tells_expiry())
            }
            _ => false,
        }
    }

    /// Zone of the times of an object that have no offset.
    pub fn zone(&self, object: &Object) -> Result<TimeZone> {
        let Some(name) = &object.updated_at.zone else {
            return Ok(TimeZone::UTC);
        };
        let name = name.text(&self.values).unwrap_or_default();
        TimeZone::get(&name).map_err(|_| {
            Error::new(
                Kind::Config,
                format!(
                    "'{}' is not a time zone: write it like Europe/Berlin",
                    name.escape_default()
                ),
            )
        })
    }

    /// The request of an operation with these values, which include the connection's.
    pub fn request(&self, operation: &Operation, values: &Values) -> Result<Request> {
        let wrong = |what: &str| {
            Error::new(
                Kind::Config,
                format!(
                    "the {what} of {} needs a value that is not there, of {}",
                    operation.method,
                    operation.names().join(", ")
                ),
            )
        };
        for name in ["id", "key_value"] {
            if let Some(id) = values.text(name).filter(|id| id.is_empty() || id == "." || id == "..")
                && operation.path.names().any(|used| used == name)
            {
                return Err(Error::new(Kind::Config, format!("'{id}' cannot be the id of a record")));
            }
        }
        if let Some(name) = operation.misfit(values) {
            return Err(no_number(name, values));
        }
        let path = operation.path.path(values).ok_or_else(|| wrong("path"))?;
        let address = format!("{}{path}", self.base()?);
        let mut url = endpoint(&address)?;
        for (name, value) in &operation.query {
            if let Some(value) = query_value(value, values) {
                append_query(&mut url, name, &value);
            }
        }
        let body = match &operation.body {
            None => None,
            Some(body) => Some(Bytes::from(body.render(values).ok_or_else(|| wrong("body"))?)),
        };
        let method = Method::from_bytes(operation.method.as_bytes())
            .map_err(|_| Error::new(Kind::Config, format!("{} is no HTTP method", operation.method)))?;
        let mut headers = HeaderMap::new();
        for (name, value) in self.connector.headers.iter().chain(&operation.headers) {
            if let Some(value) = value.bytes(values) {
                insert(&mut headers, name, &value, false)?;
            }
        }
        if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.authorise(&mut headers, &method, &path)?;
        Ok(Request {
            method,
            url,
            headers,
            body,
            repeatable: operation.repeatable,
            costs: operation.cost(values),
        })
    }

    /// The request for a page whose address the CRM itself gave: on another origin the credential is not sent.
    pub fn linked(&self, operation: &Operation, values: &Values, link: &str) -> Result<Request> {
        let mut request = self.request(operation, values)?;
        let linked = request
            .url
            .join(link)
            .ok()
            .filter(|to| to.origin() == request.url.origin());
        request.url = linked.ok_or_else(|| {
            Error::new(
                Kind::Egress,
                "the CRM's link to the next page leads to another origin: the credential is not sent there",
            )
        })?;
        request.method = Method::GET;
        request.body = None;
        Ok(request)
    }

    fn authorise(&self, headers: &mut HeaderMap, method: &Method, path: &str) -> Result<()> {
        let missing = || {
            Error::new(
                Kind::Credential,
                format!(
                    "the connection lacks {}, which its authorisation needs",
                    self.method.fields.join(", ")
                ),
            )
        };
        for (name, value) in &self.method.headers {
            let value = value.bytes(&self.values).ok_or_else(missing)?;
            insert(headers, name, &value, true)?;
        }
        if let Some(basic) = &self.method.basic {
            let user = basic.user.bytes(&self.values).ok_or_else(missing)?;
            let password = basic.password.bytes(&self.values).ok_or_else(missing)?;
            let pair = Zeroizing::new([user.as_slice(), b":", password.as_slice()].concat());
            let value = Zeroizing::new(format!("{}{}", basic.prefix, BASE64.encode(pair)));
            insert(headers, &basic.header, value.as_bytes(), true)?;
        }
        if let Some(signed) = &self.method.hmac {
            let values = self
                .values
                .clone()
                .with("method", Value::text(method.as_str()))
                .with("path", Value::text(path.trim_start_matches('/')));
            let key = signed.key.bytes(&values).ok_or_else(missing)?;
            let message = signed.message.bytes(&values).ok_or_else(missing)?;
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
            let user = signed.user.bytes(&values).ok_or_else(missing)?;
            let value = Zeroizing::new([user.as_slice(), b":", tag.as_ref()].concat());
            insert(headers, &signed.header, BASE64.encode(value).as_bytes(), true)?;
        }
        Ok(())
    }
}

/// The refusal of a value that is no number where this CRM has numbers. Left out, it would make another request of it.
#[must_use]
pub fn no_number(name: &str, values: &Values) -> Error {
    let value = values.text(name).unwrap_or_default();
    let shown: String = value.chars().take(60).collect();
    Error::new(
        Kind::Config,
        format!(
            "'{}' cannot be the {name} here: this CRM has numbers",
            shown.escape_debug()
        ),
    )
}

fn insert(headers: &mut HeaderMap, name: &str, value: &[u8], secret: bool) -> Result<()> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::new(Kind::Config, format!("'{name}' is not the name of a header")))?;
    let mut value = HeaderValue::from_bytes(value).map_err(|_| {
        if secret {
            Error::new(
                Kind::Credential,
                "the api_key has characters that no HTTP header can carry (a line break, perhaps): enter it again",
            )
        } else {
            Error::new(Kind::Config, format!("the header {name} would hold a line break"))
        }
    })?;
    value.set_sensitive(secret);
    headers.insert(name, value);
    Ok(())
}

fn query_value(value: &Json, values: &Values) -> Option<Vec<u8>> {
    match value {
        Json::Text(template) => Some(template.bytes(values)?.to_vec()),
        other => Some(other.render(values)?.into_bytes()),
    }
}

/// Whether a query has this parameter.
#[must_use]
pub fn has_parameter(url: &Url, name: &str) -> bool {
    url.query_pairs().any(|(found, _)| found == name)
}

/// One pair of a query, encoded by RFC 3986: a space is `%20`, a plus sign `%2B`.
pub fn append_query(url: &mut Url, name: &str, value: &[u8]) {
    let pair = query_pair(name, value);
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{pair}"),
        _ => pair,
    };
    url.set_query(Some(&query));
}

/// The same for a value that may not be UTF-8.
#[must_use]
pub fn query_pair(name: &str, value: &[u8]) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    format!(
        "{}={}",
        utf8_percent_encode(name, RESERVED),
        percent_encode(value, RESERVED)
    )
}

/// The parameter whose value is this one and nothing else.
#[must_use]
pub fn parameter_of<'o>(operation: &'o Operation, value: &str) -> Option<&'o str> {
    operation.query.iter().find_map(|(name, template)| match template {
        Json::Text(template) => is_only(template, value).then_some(name.as_str()),
        _ => None,
    })
}

fn is_only(template: &Template, value: &str) -> bool {
    template.starts_with(value)
        && template.names().count() == 1
        && template
            .text(&Values::new().with(value, Value::text("")))
            .is_some_and(|rest| rest.is_empty())
}

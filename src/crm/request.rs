//! The requests that a connector wants: addresses, queries and headers. The face gives the values, `net` sends them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::crm::connector::{Auth, Connector};
use crate::error::{Error, Kind, Result};

/// The endpoint that a tenant's settings name. Its path counts for nothing: connectors' paths are absolute (RFC 3986).
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

/// The address of a collection, or of one of its records.
pub fn address(endpoint: &Url, path: &str, object: &str, id: Option<&str>) -> Result<Url> {
    let unusable = || Error::new(Kind::Config, format!("the path {path} does not fit the endpoint"));
    let mut url = endpoint
        .join(&path.replace("{object}", object))
        .map_err(|_| unusable())?;
    if let Some(id) = id {
        if id.is_empty() || matches!(id, "." | "..") {
            return Err(Error::new(Kind::Config, format!("'{id}' cannot be the id of a record")));
        }
        // Encodes slashes, percent signs and all else that is not part of one segment.
        url.path_segments_mut().map_err(|()| unusable())?.push(id);
    }
    Ok(url)
}

/// A connector's headers with the authorisation, which is marked so that no log shows it.
pub fn headers(connector: &Connector, api_key: &[u8]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &connector.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    let Auth::Bearer {} = connector.auth;
    let text = Zeroizing::new([b"Bearer ", api_key].concat());
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| {
        Error::new(
            Kind::Credential,
            "the api_key has characters that no HTTP header can carry (a line break, perhaps): enter it again",
        )
    })?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(headers)
}

/// One pair of a query, encoded by RFC 3986: a space is `%20`, a plus sign `%2B`.
pub fn append_query(url: &mut Url, name: &str, value: &str) {
    let pair = query_pair(name, value.as_bytes());
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

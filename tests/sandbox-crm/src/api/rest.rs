//! The sandbox's own API, `rest`: from a request to the one that answers it, and what is refused before.

use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};

use super::{item, list, write};
use crate::answer::Answer;
use crate::query;
use crate::store::Object;
use crate::tenant::Tenant;

pub fn route(tenant: &Tenant, origin: &str, parts: &Parts, body: Bytes) -> Answer {
    let nowhere = || Answer::error(StatusCode::NOT_FOUND, "There is nothing at this path.");
    let Some(path) = parts.uri.path().strip_prefix("/api/v1/") else {
        return nowhere();
    };
    let (object, id) = match path.split_once('/') {
        Some((object, id)) => (object, Some(id)),
        None => (path, None),
    };
    let Some(object) = Object::from_name(object) else {
        return nowhere();
    };
    let id = match id.map(query::segment) {
        None => None,
        // Not "//", and no path below a row.
        Some(Some(text)) if !text.is_empty() && id.is_some_and(|id| !id.contains('/')) => Some(text),
        Some(_) => return nowhere(),
    };
    let allowed = match id {
        None => "GET, POST",
        Some(_) => "GET, PATCH, PUT, DELETE",
    };
    if !allowed.split(", ").any(|method| method == parts.method.as_str()) {
        return Answer::method_not_allowed(allowed);
    }
    if !accepts_json(&parts.headers) {
        return Answer::error(StatusCode::NOT_ACCEPTABLE, "Only application/json is served.");
    }
    let writes = matches!(parts.method, Method::POST | Method::PATCH | Method::PUT);
    if writes && !sends_json(&parts.headers) {
        return Answer::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/json.",
        );
    }
    let pairs = match query::parse(parts.uri.query().unwrap_or_default()) {
        Ok(pairs) => pairs,
        Err(reason) => return Answer::error(StatusCode::BAD_REQUEST, reason),
    };
    if let Some((name, _)) = pairs.first()
        && (id.is_some() || parts.method != Method::GET)
    {
        return list::unknown_parameter(name);
    }
    match (&parts.method, id) {
        (&Method::GET, None) => list::list(tenant, object, pairs, origin),
        (&Method::GET, Some(id)) => item::get(tenant, object, &id),
        (&Method::DELETE, Some(id)) => item::delete(tenant, object, &id),
        (&Method::PUT, Some(id)) => write::put(tenant, object, &id, &body),
        (_, Some(id)) => write::patch(tenant, object, &id, &body),
        (_, None) => write::create(tenant, object, &parts.headers, body),
    }
}

/// No Accept accepts everything.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            let refused = parameters
                .split(';')
                .filter_map(|parameter| parameter.trim().strip_prefix("q="))
                .any(|weight| weight.parse() == Ok(0.0));
            let kind = kind.trim();
            !refused
                && ["*/*", "application/*", "application/json"]
                    .iter()
                    .any(|known| kind.eq_ignore_ascii_case(known))
        })
}

fn sends_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: hyper::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn accept() {
        assert!(accepts_json(&HeaderMap::new()));
        for value in [
            "*/*",
            "application/json",
            "text/html, Application/*;q=0.5",
            "application/json; charset=utf-8",
        ] {
            assert!(accepts_json(&headers(ACCEPT, value)), "{value}");
        }
        for value in ["text/html", "application/json;q=0", "application/xml, text/*", ""] {
            assert!(!accepts_json(&headers(ACCEPT, value)), "{value}");
        }
    }

    #[test]
    fn content_type() {
        for (value, fine) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/json", false),
            ("application/jsonp", false),
        ] {
            assert_eq!(sends_json(&headers(CONTENT_TYPE, value)), fine, "{value}");
        }
        assert!(!sends_json(&HeaderMap::new()));
    }
}

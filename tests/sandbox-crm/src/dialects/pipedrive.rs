//! Pipedrive: v2 for persons, organizations and deals, v1 for leads, the changes feed and the user. Here is which path is
//! what, and the forms that all answers share; persons and organizations of v1 are gone, as they are at Pipedrive.

mod fields;
mod leads;
mod list;
mod recents;
mod records;
mod search;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_v1;
mod webhooks;
mod write;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::{Moment, Refused, headers};
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Pipedrive;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What is wrong with a request: the answer's status, code and words.
type Wrong = (StatusCode, String);

impl Dialect for Pipedrive {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let (version, path) = version(request.path);
        let answer =
            route(tenant, request, version, path).unwrap_or_else(|(status, words)| refuse(version, status, &words));
        let usages = tenant.limiter.lock().usages(Moment::now());
        // A user's burst where the tenant has no limit.
        match usages.iter().find(|usage| !usage.limit.is_daily()) {
            None => with_limits(answer, 100, 99, 2),
            Some(usage) => with_limits(answer, usage.limit.amount(), usage.left(), usage.reset_s()),
        }
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::ApiToken, Scheme::Bearer]
    }

    fn unauthorized(&self, request: &Request<'_>) -> Answer {
        refuse(version(request.path).0, StatusCode::UNAUTHORIZED, "unauthorized access")
    }

    fn expired(&self, request: &Request<'_>) -> Answer {
        let words = "Invalid token: access token is invalid";
        refuse(version(request.path).0, StatusCode::UNAUTHORIZED, words)
    }

    /// No Retry-After: x-ratelimit-reset is what the token model promises.
    fn limited(&self, request: &Request<'_>, refused: &Refused) -> Answer {
        let answer = refuse(
            version(request.path).0,
            StatusCode::TOO_MANY_REQUESTS,
            "request over limit",
        );
        with_limits(answer, refused.limit.amount(), 0, refused.seconds())
    }

    fn ids(&self, object: Object) -> IdKind {
        match object {
            Object::Leads => IdKind::Uuid,
            _ => IdKind::Int,
        }
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/api/v2/") || request.header("x-api-token").is_some()
    }
}

/// The rest of the path is without the version. `/v1` is what api.pipedrive.com has instead of `/api/v1`.
fn version(path: &str) -> (Version, &str) {
    for prefix in ["/api/v1/", "/v1/"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return (Version::One, rest);
        }
    }
    (Version::Two, path.strip_prefix("/api/v2/").unwrap_or_default())
}

fn route(tenant: &Tenant, request: &Request<'_>, version: Version, path: &str) -> Result<Answer, Wrong> {
    let decoded: Option<Vec<String>> = path.split('/').map(crate::query::segment).collect();
    let Some(parts) = decoded else {
        return Err(bad("the path is not UTF-8"));
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (version, parts.as_slice()) {
        (Version::One, ["leads"]) => match *request.method {
            Method::GET => leads::list(tenant, request, false),
            Method::POST => leads::create(tenant, request),
            _ => Err(method()),
        },
        (Version::One, ["leads", "archived"]) => only(request, &Method::GET, || leads::list(tenant, request, true)),
        (Version::One, ["leads", id]) => match *request.method {
            Method::GET => leads::get(tenant, request, id),
            Method::PATCH => leads::update(tenant, request, id),
            Method::DELETE => leads::delete(tenant, request, id),
            _ => Err(method()),
        },
        (Version::One, ["leadFields"]) => only(request, &Method::GET, || fields::describe_leads(tenant, request)),
        (Version::One, ["recents"]) => only(request, &Method::GET, || recents::list(tenant, request)),
        (Version::One, ["webhooks"]) => webhooks::all(tenant, request),
        (Version::One, ["webhooks", id]) => only(request, &Method::DELETE, || webhooks::delete(tenant, request, id)),
        (Version::One, ["users", "me"]) => only(request, &Method::GET, || me(request)),
        (Version::Two, [one @ ("personFields" | "organizationFields" | "dealFields")]) => {
            let object = match *one {
                "personFields" => Object::Contacts,
                "organizationFields" => Object::Companies,
                _ => Object::Deals,
            };
            only(request, &Method::GET, || fields::describe(tenant, request, object))
        }
        (Version::Two, [name, "search"]) => {
            let object = search_object(name).ok_or_else(nowhere)?;
            only(request, &Method::GET, || search::search(tenant, request, object))
        }
        (Version::Two, [name]) => {
            let object = object(name).ok_or_else(nowhere)?;
            match *request.method {
                Method::GET => list::list(tenant, request, object),
                Method::POST => write::create(tenant, request, object),
                _ => Err(method()),
            }
        }
        (Version::Two, [name, id]) => {
            let object = object(name).ok_or_else(nowhere)?;
            match *request.method {
                Method::GET => list::get(tenant, request, object, id),
                Method::PATCH => write::update(tenant, request, object, id),
                Method::DELETE => write::delete(tenant, request, object, id),
                _ => Err(method()),
            }
        }
        _ => Err(nowhere()),
    }
}

fn object(name: &str) -> Option<Object> {
    match name {
        "persons" => Some(Object::Contacts),
        "organizations" => Some(Object::Companies),
        "deals" => Some(Object::Deals),
        _ => None,
    }
}

/// Leads are searched in v2.
fn search_object(name: &str) -> Option<Object> {
    if name == "leads" {
        Some(Object::Leads)
    } else {
        object(name)
    }
}

fn only(
    request: &Request<'_>,
    allowed: &Method,
    answer: impl FnOnce() -> Result<Answer, Wrong>,
) -> Result<Answer, Wrong> {
    if request.method == allowed {
        answer()
    } else {
        Err(method())
    }
}

/// The user whose key it is: what a client asks to see whether the key is good.
fn me(request: &Request<'_>) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    Ok(fine(json!({
        "success": true,
        "data": {
            "id": 1, "name": "Sandbox User", "default_currency": "EUR", "locale": "en_US", "lang": 1, "email": "api@crm.test",
            "phone": null, "activated": true, "last_login": "2026-01-01 08:00:00", "created": "2024-01-01 08:00:00",
            "modified": "2026-01-01 08:00:00", "has_created_company": true, "active_flag": true, "timezone_name": "Etc/UTC",
            "timezone_offset": "+00:00", "role_id": 1, "icon_url": null, "is_you": true, "is_deleted": false,
            "access": [{ "app": "global", "admin": true, "permission_set_id": "00000000-0000-4000-8000-000000000001" }],
            "company_id": 1, "company_name": "Sandbox", "company_domain": "sandbox", "company_country": "DE",
            "company_industry": "software", "language": { "language_code": "en", "country_code": "US" },
        },
    })))
}

fn fine(value: Value) -> Answer {
    Answer::value(StatusCode::OK, &value)
}

fn refuse(version: Version, status: StatusCode, words: &str) -> Answer {
    let mut body = json!({
        "success": false,
        "error": words,
        "error_info": "Please check developers.pipedrive.com for more information about Pipedrive API.",
        "data": null,
        "additional_data": null,
    });
    let (name, value) = match version {
        Version::One => ("errorCode", status.as_u16().into()),
        Version::Two => ("code", code(status).into()),
    };
    if let Value::Object(body) = &mut body {
        body.insert(name.into(), value);
    }
    Answer::value(status, &body)
}

fn code(status: StatusCode) -> String {
    let name = status.canonical_reason().unwrap_or("Error").to_uppercase();
    format!("ERR_{}", name.replace(' ', "_"))
}

fn bad(words: impl Into<String>) -> Wrong {
    (StatusCode::BAD_REQUEST, words.into())
}

fn nowhere() -> Wrong {
    (StatusCode::NOT_FOUND, "Unknown method .".into())
}

fn method() -> Wrong {
    (
        StatusCode::METHOD_NOT_ALLOWED,
        "This method is not allowed here.".into(),
    )
}

/// A parameter that is ignored in silence would answer with every row, so the sandbox refuses it.
fn no_other(request: &Request<'_>, allowed: &[&str]) -> Result<(), Wrong> {
    match request.unknown_param(allowed) {
        Some(name) => Err(bad(format!("Parameter '{name}' is unknown"))),
        None => Ok(()),
    }
}

/// A whole number of that parameter, `None` where it is absent.
fn number(request: &Request<'_>, name: &str) -> Result<Option<u64>, Wrong> {
    let Some(text) = request.param(name) else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(bad(format!("Parameter '{name}' must be a whole number"))),
    }
}

fn with_limits(answer: Answer, limit: u64, remaining: u64, reset: u64) -> Answer {
    headers::pipedrive(limit, remaining, reset)
        .into_iter()
        .fold(answer, |answer, (name, value)| answer.with(name, value))
}

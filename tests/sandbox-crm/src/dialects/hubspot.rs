//! HubSpot's CRM objects: v3 and the dated paths, one host for all portals. Which request is which; the properties are in
//! `properties`, the words of errors in `answer`.

mod answer;
mod batch;
mod find;
mod list;
mod properties;
mod search;
#[cfg(test)]
mod tests;
mod write;

use hyper::{Method, StatusCode};
use serde_json::json;

use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Hubspot;

const DATED: [&str; 2] = ["2026-03", "2026-09"];

impl Dialect for Hubspot {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let answer = route(tenant, request).unwrap_or_else(|refusal| refusal);
        match request.path.ends_with("/search") {
            // These headers are missing there.
            true => answer,
            false => answer::with_usage(answer, tenant),
        }
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer]
    }

    fn unauthorized(&self, _request: &Request<'_>) -> Answer {
        let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication.";
        answer::error(StatusCode::UNAUTHORIZED, message, "INVALID_AUTHENTICATION")
    }

    fn expired(&self, _request: &Request<'_>) -> Answer {
        let message = "The OAuth token used to make this call expired 1 second(s) ago.";
        answer::error(StatusCode::UNAUTHORIZED, message, "EXPIRED_AUTHENTICATION")
    }

    /// Without Retry-After: HubSpot documents none.
    fn limited(&self, request: &Request<'_>, refused: &Refused) -> Answer {
        let policy = match refused.limit.per_ms {
            _ if refused.limit.is_daily() => "DAILY",
            _ if request.path.ends_with("/search") => "SECONDLY",
            ..=1000 => "SECONDLY",
            _ => "TEN_SECONDLY_ROLLING",
        };
        let message = format!("You have reached your {} limit.", policy.to_lowercase());
        let body = json!({
            "status": "error",
            "message": message,
            "errorType": "RATE_LIMIT",
            "correlationId": answer::correlation(),
            "policyName": policy,
        });
        Answer::value(StatusCode::TOO_MANY_REQUESTS, &body)
    }

    fn ids(&self, _object: Object) -> IdKind {
        IdKind::Int
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339Ms
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        ["/crm/v3/", "/crm/objects/", "/crm/properties/", "/account-info/"]
            .iter()
            .any(|start| request.path.starts_with(start))
    }

    /// `portal_id`: a number; `search_lag_ms`: how long a change takes to be found by search.
    fn options(&self) -> &'static [&'static str] {
        &["portal_id", "search_lag_ms"]
    }
}

type Reply = Result<Answer, Answer>;

fn route(tenant: &Tenant, request: &Request<'_>) -> Reply {
    let segments = request.segments().ok_or_else(answer::not_found_page)?;
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let post = request.method == Method::POST;
    match path.as_slice() {
        ["account-info", version, "details"] if *version == "v3" || DATED.contains(version) => {
            only(request, &[Method::GET])?;
            Ok(account(tenant))
        }
        ["crm", "v3", "properties", kind] => properties::list(tenant, request, properties::object(kind)?),
        ["crm", "properties", version, kind] if DATED.contains(version) => {
            properties::list(tenant, request, properties::object(kind)?)
        }
        ["crm", "v3", "objects", kind, rest @ ..] => objects(tenant, request, kind, rest),
        ["crm", "objects", version, kind, rest @ ..] if DATED.contains(version) => objects(tenant, request, kind, rest),
        _ if post => Err(answer::error(
            StatusCode::NOT_FOUND,
            "resource not found",
            "OBJECT_NOT_FOUND",
        )),
        _ => Err(answer::not_found_page()),
    }
}

fn objects(tenant: &Tenant, request: &Request<'_>, kind: &str, rest: &[&str]) -> Reply {
    let object = properties::object(kind)?;
    match rest {
        [] => match *request.method {
            Method::GET => list::list(tenant, request, object),
            Method::POST => write::create(tenant, request, object),
            _ => Err(answer::method_not_allowed("GET, POST")),
        },
        ["search"] => {
            only(request, &[Method::POST])?;
            search::search(tenant, request, object)
        }
        ["batch", action] => {
            only(request, &[Method::POST])?;
            batch::batch(tenant, request, object, action)
        }
        [id] => match *request.method {
            Method::GET => list::one(tenant, request, object, id),
            Method::PATCH => write::update(tenant, request, object, id),
            Method::DELETE => write::archive(tenant, request, object, id),
            _ => Err(answer::method_not_allowed("GET, PATCH, DELETE")),
        },
        _ => Err(answer::not_found_page()),
    }
}

fn only(request: &Request<'_>, methods: &[Method]) -> Result<(), Answer> {
    match methods.contains(request.method) {
        true => Ok(()),
        false => Err(answer::method_not_allowed(match methods {
            [Method::POST] => "POST",
            _ => "GET",
        })),
    }
}

fn account(tenant: &Tenant) -> Answer {
    let portal = tenant.option("portal_id").unwrap_or_else(|| json!(62_515));
    let body = json!({
        "portalId": portal,
        "accountType": "STANDARD",
        "timeZone": "Europe/Berlin",
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": "+01:00",
        "utcOffsetMilliseconds": 3_600_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    });
    Answer::value(StatusCode::OK, &body)
}

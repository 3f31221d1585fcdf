//! Dynamics 365: Dataverse's Web API, OData 4. Which request is which; lists and deltas are in `list`, writes in `write`.

mod answer;
mod entity;
mod filter;
mod list;
#[cfg(test)]
mod tests;
mod write;

use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use serde_json::json;

use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

use answer::{Reply, bad, fault};
use entity::{Entity, Key};

pub struct Dynamics;

const VERSIONS: [&str; 3] = ["v9.0", "v9.1", "v9.2"];

impl Dialect for Dynamics {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let answer = route(tenant, request).unwrap_or_else(|refusal| refusal);
        answer.with(
            HeaderName::from_static("odata-version"),
            HeaderValue::from_static("4.0"),
        )
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer]
    }

    /// Without a body.
    fn unauthorized(&self, _request: &Request<'_>) -> Answer {
        let challenge = "Bearer authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\"";
        Answer::empty(StatusCode::UNAUTHORIZED).with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    fn expired(&self, _request: &Request<'_>) -> Answer {
        let challenge = "Bearer error=\"invalid_token\", error_description=\"The token is expired\"";
        Answer::empty(StatusCode::UNAUTHORIZED).with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    fn limited(&self, _request: &Request<'_>, refused: &Refused) -> Answer {
        let message = format!(
            "Number of requests exceeded the limit of {} over time window of {} seconds.",
            refused.limit.amount(),
            refused.limit.per_ms / 1000
        );
        let left = HeaderName::from_static("x-ms-ratelimit-burst-remaining-xrm-requests");
        let answer = fault(StatusCode::TOO_MANY_REQUESTS, "0x80072322", message).with(left, HeaderValue::from(0));
        match refused.header() {
            Some(value) => answer.with(RETRY_AFTER, value),
            None => answer,
        }
    }

    fn ids(&self, _object: Object) -> IdKind {
        IdKind::Uuid
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/api/data/")
    }

    /// `alternate_key`: false where emailaddress1 is no key of leads and contacts.
    fn options(&self) -> &'static [&'static str] {
        &["alternate_key"]
    }
}

fn route(tenant: &Tenant, request: &Request<'_>) -> Reply {
    let segments = request.segments().ok_or_else(answer::no_resource)?;
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["api", "data", version, rest @ ..] = path.as_slice() else {
        return Err(answer::no_resource());
    };
    if !VERSIONS.contains(version) {
        return Err(answer::no_resource());
    }
    headers(request)?;
    let base = format!("{}/api/data/{version}", request.origin);
    match rest {
        ["WhoAmI"] => {
            only(request, &[Method::GET])?;
            let id = "9d2f0f6e-0000-4000-8000-00000000000";
            let body = json!({
                "@odata.context": format!("{base}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"),
                "BusinessUnitId": format!("{id}1"),
                "UserId": format!("{id}2"),
                "OrganizationId": format!("{id}3"),
            });
            Ok(Answer::value(StatusCode::OK, &body))
        }
        [definition, "Attributes"] => {
            only(request, &[Method::GET])?;
            unknown(request, &["$select"])?;
            let name = definition
                .strip_prefix("EntityDefinitions(LogicalName='")
                .and_then(|name| name.strip_suffix("')"));
            let entity = name.and_then(Entity::of_logical_name).ok_or_else(answer::no_resource)?;
            Ok(entity.attributes(&base, &tenant.config()))
        }
        [segment] => {
            let (set, key) = match segment.split_once('(') {
                None => (*segment, None),
                Some((set, key)) => (set, Some(key.strip_suffix(')').ok_or_else(answer::syntax)?)),
            };
            let entity = Entity::of_set(set).ok_or_else(answer::no_resource)?;
            match key {
                None => many(tenant, request, &base, entity),
                Some(key) => {
                    let key = entity.key(tenant, key)?;
                    one(tenant, request, &base, entity, &key)
                }
            }
        }
        _ => Err(answer::no_resource()),
    }
}

fn many(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity) -> Reply {
    match *request.method {
        Method::GET => list::list(tenant, request, base, entity),
        Method::POST => write::create(tenant, request, base, entity),
        _ => Err(answer::method_not_allowed("GET, POST")),
    }
}

fn one(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, key: &Key) -> Reply {
    match *request.method {
        Method::GET => list::one(tenant, request, base, entity, key),
        Method::PATCH => write::upsert(tenant, request, base, entity, key),
        Method::DELETE => write::delete(tenant, request, entity, key),
        _ => Err(answer::method_not_allowed("GET, PATCH, DELETE")),
    }
}

/// Every request says which OData it speaks, and that it takes JSON.
fn headers(request: &Request<'_>) -> Result<(), Answer> {
    for name in ["odata-maxversion", "odata-version"] {
        match request.header(name) {
            Some("4.0") => {}
            found => return Err(bad(format!("The header {name} must be 4.0, not {found:?}."))),
        }
    }
    match request.header("accept") {
        Some(kinds) if kinds.contains("application/json") => Ok(()),
        _ => Err(fault(
            StatusCode::NOT_ACCEPTABLE,
            "0x80060888",
            "Accept: application/json is needed.",
        )),
    }
}

fn only(request: &Request<'_>, methods: &[Method]) -> Result<(), Answer> {
    match methods.contains(request.method) {
        true => Ok(()),
        false => Err(answer::method_not_allowed("GET")),
    }
}

fn unknown(request: &Request<'_>, allowed: &[&str]) -> Result<(), Answer> {
    match request.unknown_param(allowed) {
        None => Ok(()),
        Some("$skip") => Err(bad("Skip Clause is not supported in CRM.")),
        Some(name) => Err(bad(format!("The query parameter {name} is not supported."))),
    }
}

/// Whether the client prefers this, and its value.
fn prefers<'a>(request: &'a Request<'_>, name: &str) -> Option<&'a str> {
    let values = request.headers.get_all("prefer").iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|one| {
        let (known, value) = one.trim().split_once('=').unwrap_or((one.trim(), ""));
        known.eq_ignore_ascii_case(name).then_some(value.trim_matches('"'))
    })
}

//! Salesforce's REST API. Which request is which; the query language is in `soql`, what it finds in `query`.

mod answer;
mod changes;
mod collections;
mod entity;
mod query;
#[cfg(test)]
mod query_tests;
mod records;
mod soql;
#[cfg(test)]
mod tests;
mod write;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::json;

use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::{Moment, Refused};
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

use answer::Fault;
use entity::Entity;

pub struct Salesforce;

/// A day's requests where the tenant has no limit of its own.
const DAY: u64 = 15_000;

impl Dialect for Salesforce {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let answer = route(tenant, request).unwrap_or_else(Answer::from);
        let (used, most) = usage(tenant);
        match HeaderValue::from_str(&format!("api-usage={used}/{most}")) {
            Ok(value) => answer.with(HeaderName::from_static("sforce-limit-info"), value),
            Err(_) => answer,
        }
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer]
    }

    fn unauthorized(&self, request: &Request<'_>) -> Answer {
        self.expired(request)
    }

    fn expired(&self, _request: &Request<'_>) -> Answer {
        let message = "Session expired or invalid";
        Fault::new(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", message).into()
    }

    /// Not 429, and no Retry-After.
    fn limited(&self, _request: &Request<'_>, _refused: &Refused) -> Answer {
        let message = "TotalRequests Limit exceeded.";
        Fault::new(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", message).into()
    }

    fn ids(&self, _object: Object) -> IdKind {
        IdKind::Salesforce
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/services/")
    }

    /// `batch_size`: rows of a page of a query (2000); `duplicate_rule`: true refuses a second record with one address.
    fn options(&self) -> &'static [&'static str] {
        &["batch_size", "duplicate_rule"]
    }
}

/// Requests of a day, used and allowed; of the tenant's only limit where it has none of a day.
fn usage(tenant: &Tenant) -> (u64, u64) {
    let usages = tenant.limiter.lock().usages(Moment::now());
    let daily = usages.iter().find(|usage| usage.limit.is_daily());
    daily
        .or(usages.first())
        .map_or((0, DAY), |usage| (usage.used, usage.limit.amount()))
}

type Reply = Result<Answer, Fault>;

fn route(tenant: &Tenant, request: &Request<'_>) -> Reply {
    let segments = request.segments().ok_or_else(Fault::nowhere)?;
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["services", "data", rest @ ..] = path.as_slice() else {
        return Err(Fault::nowhere());
    };
    let [version, rest @ ..] = rest else {
        let version = json!({ "label": "Sandbox", "url": "/services/data/v62.0", "version": "62.0" });
        return Ok(Answer::value(StatusCode::OK, &json!([version])));
    };
    let number = version.strip_prefix('v').and_then(|text| text.strip_suffix(".0"));
    let known = number
        .and_then(|text| text.parse().ok())
        .is_some_and(|number: u32| (20..=70).contains(&number));
    if !known {
        return Err(Fault::nowhere());
    }
    let base = format!("/services/data/{version}");
    let get = |parameters: &[&str]| allow(request, &[Method::GET], parameters);
    match rest {
        ["limits"] => {
            get(&[])?;
            let (used, most) = usage(tenant);
            let left = most.saturating_sub(used);
            Ok(Answer::value(
                StatusCode::OK,
                &json!({ "DailyApiRequests": { "Max": most, "Remaining": left } }),
            ))
        }
        [word @ ("query" | "queryAll")] => {
            get(&["q"])?;
            query::first(tenant, request, &base, *word == "queryAll")
        }
        ["query" | "queryAll", locator] => {
            get(&[])?;
            query::next(tenant, request, &base, locator)
        }
        ["sobjects"] => {
            get(&[])?;
            Ok(entity::all(&base))
        }
        ["sobjects", name, rest @ ..] => sobject(tenant, request, &base, Entity::named(name)?, rest),
        ["composite", "sobjects", rest @ ..] => collections::collections(tenant, request, &base, rest),
        _ => Err(Fault::nowhere()),
    }
}

fn sobject(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, rest: &[&str]) -> Reply {
    let row = [Method::GET, Method::PATCH, Method::DELETE];
    match rest {
        [] => {
            allow(request, &[Method::POST], &[])?;
            records::create(tenant, request, entity)
        }
        ["describe"] => {
            allow(request, &[Method::GET], &[])?;
            Ok(entity.describe(&tenant.config()))
        }
        [word @ ("deleted" | "updated")] => {
            allow(request, &[Method::GET], &["start", "end"])?;
            changes::changes(tenant, request, entity, *word == "deleted")
        }
        [id] => {
            let parameters: &[&str] = if request.method == Method::GET {
                &["fields"]
            } else {
                &[]
            };
            allow(request, &row, parameters)?;
            match *request.method {
                Method::GET => records::get(tenant, request, base, entity, id),
                Method::PATCH => records::update(tenant, request, entity, id),
                _ => records::delete(tenant, entity, id),
            }
        }
        [field, value] => {
            allow(request, &[Method::GET, Method::PATCH], &["fields"])?;
            match *request.method {
                Method::GET => records::get_by(tenant, request, base, entity, field, value),
                _ => records::upsert(tenant, request, base, entity, field, value),
            }
        }
        _ => Err(Fault::nowhere()),
    }
}

fn allow(request: &Request<'_>, methods: &[Method], parameters: &[&str]) -> Result<(), Fault> {
    if !methods.contains(request.method) {
        let message = format!("HTTP Method '{}' not allowed.", request.method);
        return Err(Fault::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            message,
        ));
    }
    match request.unknown_param(parameters) {
        Some(name) => Err(Fault::bad("INVALID_PARAMETER", format!("Unknown parameter {name:?}"))),
        None => Ok(()),
    }
}

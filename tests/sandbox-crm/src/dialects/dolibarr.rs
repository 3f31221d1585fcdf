//! Dolibarr's REST API: an empty page is a 404, a create answers with a number alone, times are filtered by in the database's zone.
//! Resources and their fields are in `fields`, the filter language in `filter`, lists in `list`.

mod fields;
mod filter;
mod list;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, StatusCode};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use self::fields::Resource;
use super::common::{self, Fields, Record};
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{Id, IdKind, Object, Row};
use crate::tenant::Tenant;

pub struct Dolibarr;

/// The zone of the database's session as POSIX writes it, where the option `zone` does not say: Paris, with summer time.
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

impl Dialect for Dolibarr {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let segments = request.segments().unwrap_or_default();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["api", "index.php", rest @ ..] = parts.as_slice() else {
            return error(StatusCode::NOT_FOUND, None);
        };
        route(tenant, request, rest).unwrap_or_else(|refusal| refusal)
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Dolapikey, Scheme::Query]
    }

    fn unauthorized(&self, request: &Request<'_>) -> Answer {
        error(
            StatusCode::UNAUTHORIZED,
            Some(match request.credential {
                Some(_) => "Failed to login to API. No user found for this token",
                None => {
                    "Failed to login to API. No parameter 'HTTP_DOLAPIKEY' on HTTP header (and no parameter DOLAPIKEY in URL)."
                }
            }),
        )
    }

    fn expired(&self, request: &Request<'_>) -> Answer {
        self.unauthorized(request)
    }

    /// Nothing in Dolibarr limits; a web server before it may.
    fn limited(&self, _request: &Request<'_>, refused: &Refused) -> Answer {
        let answer = Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/html"))],
            body: "<html><body><h1>429 Too Many Requests</h1></body></html>".into(),
        };
        match refused.header() {
            Some(value) => answer.with(RETRY_AFTER, value),
            None => answer,
        }
    }

    /// Prospects and companies are one table there.
    fn ids(&self, _object: Object) -> IdKind {
        IdKind::Shared
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/api/index.php") || request.header("dolapikey").is_some()
    }

    fn options(&self) -> &'static [&'static str] {
        &["zone"]
    }
}

/// An answer, or a refusal.
type Reply = Result<Answer, Answer>;

fn route(tenant: &Tenant, request: &Request<'_>, parts: &[&str]) -> Reply {
    let [name, rest @ ..] = parts else {
        return Err(error(StatusCode::NOT_FOUND, None));
    };
    if (request.method, *name, rest) == (&Method::GET, "status", &[]) {
        let status = json!({ "code": 200, "dolibarr_version": "18.0.4", "access_locked": "0" });
        return Ok(Answer::value(StatusCode::OK, &json!({ "success": status })));
    }
    let resource = Resource::from_name(name).ok_or_else(|| error(StatusCode::NOT_FOUND, None))?;
    match (request.method, rest) {
        (&Method::GET, []) => list::list(tenant, request, resource),
        (&Method::POST, []) => create(tenant, request, resource),
        (&Method::GET, ["email", email]) => by_email(tenant, resource, email),
        (&Method::GET, [id]) => get(tenant, resource, id),
        (&Method::PUT, [id]) => update(tenant, request, resource, id),
        (&Method::DELETE, [id]) => delete(tenant, resource, id),
        (_, [] | [_]) => Err(error(StatusCode::METHOD_NOT_ALLOWED, None)),
        _ => Err(error(StatusCode::NOT_FOUND, None)),
    }
}

/// As Restler writes it: the status' name, then the reason.
fn error(status: StatusCode, reason: Option<&str>) -> Answer {
    let name = status.canonical_reason().unwrap_or("Error");
    let message = match reason {
        Some(reason) => format!("{name}: {reason}"),
        None => name.to_owned(),
    };
    Answer::value(
        status,
        &json!({ "error": { "code": status.as_u16(), "message": message } }),
    )
}

fn bad(reason: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, Some(reason))
}

fn number(text: &str) -> Result<Id, Answer> {
    let number = text
        .parse()
        .map_err(|_| bad("Invalid value specified for `id`. Expecting integer value"));
    number.map(Id::Number)
}

/// Where the row is, of the tables that are one here.
fn find(tenant: &Tenant, resource: &Resource, id: &Id) -> Result<(Object, Arc<Row>), Answer> {
    let mut objects = resource.objects.iter();
    let found = objects.find_map(|object| Some((*object, tenant.table(*object).read().get(id)?.clone())));
    found.ok_or_else(|| error(StatusCode::NOT_FOUND, Some(&format!("{} not found", resource.one))))
}

fn shown(tenant: &Tenant, resource: &Resource, object: Object, row: &Row) -> Answer {
    let record = Record::read(row, &tenant.config());
    Answer::value(StatusCode::OK, &resource.read(object, &record))
}

/// The id 0 is a specimen that Dolibarr makes up.
fn get(tenant: &Tenant, resource: &'static Resource, id: &str) -> Reply {
    let id = number(id)?;
    if id == Id::Number(0) {
        let mut fields = Map::new();
        fields.insert("name".into(), "SPECIMEN SPECIMEN".into());
        fields.insert("email".into(), "specimen@specimen.com".into());
        let row = Row::new(id, None, fields);
        return Ok(shown(tenant, resource, resource.table(), &row));
    }
    let (object, row) = find(tenant, resource, &id)?;
    Ok(shown(tenant, resource, object, &row))
}

fn by_email(tenant: &Tenant, resource: &'static Resource, email: &str) -> Reply {
    let id = resource.objects.iter().find_map(|object| {
        let table = tenant.table(*object).read();
        common::find_by(&table, "email", email)
    });
    let missing = || error(StatusCode::NOT_FOUND, Some(&format!("{} not found", resource.one)));
    let (object, row) = find(tenant, resource, &id.ok_or_else(missing)?)?;
    Ok(shown(tenant, resource, object, &row))
}

fn create(tenant: &Tenant, request: &Request<'_>, resource: &'static Resource) -> Reply {
    let given = body(request)?;
    let absent = |field: &&&str| !given.contains_key(**field) || given.get(**field) == Some(&Value::Null);
    if let Some(field) = resource.required.iter().find(absent) {
        return Err(bad(&format!("{field} field missing")));
    }
    let (object, row) = resource.write(&given, None);
    acceptable(&row, resource, "creating")?;
    let row = common::create(tenant, object, row);
    // The number alone.
    Ok(Answer::value(StatusCode::OK, &row.id.to_value()))
}

fn update(tenant: &Tenant, request: &Request<'_>, resource: &'static Resource, id: &str) -> Reply {
    let id = number(id)?;
    let given = body(request)?;
    let (object, old) = find(tenant, resource, &id)?;
    let (_, row) = resource.write(&given, Some(&old.fields().unwrap_or_default()));
    acceptable(&row, resource, "updating")?;
    match common::update(tenant, object, &id, row) {
        Some(row) => Ok(shown(tenant, resource, object, &row)),
        None => Err(error(
            StatusCode::NOT_FOUND,
            Some(&format!("{} not found", resource.one)),
        )),
    }
}

fn delete(tenant: &Tenant, resource: &'static Resource, id: &str) -> Reply {
    let (object, row) = find(tenant, resource, &number(id)?)?;
    common::delete(tenant, object, &row.id);
    let message = format!("{} deleted", resource.one);
    Ok(Answer::value(
        StatusCode::OK,
        &json!({ "success": { "code": 200, "message": message } }),
    ))
}

fn body(request: &Request<'_>) -> Result<Fields, Answer> {
    if !request.sends_json() {
        let reason = format!("Content type `{}` is not supported.", request.content_type());
        return Err(error(StatusCode::FORBIDDEN, Some(&reason)));
    }
    match request.json() {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Array(list)) if list.is_empty() => Ok(Fields::new()),
        Ok(_) => Err(bad("Invalid data")),
        Err(_) => Err(bad("Error parsing JSON: Syntax error")),
    }
}

/// Dolibarr's own reasons come as further members of the error.
fn acceptable(row: &Fields, resource: &Resource, doing: &str) -> Result<(), Answer> {
    match row.get("email").and_then(Value::as_str) {
        Some(email) if !email.is_empty() && !common::is_email(email) => {
            let message = format!("Internal Server Error: Error {doing} {}", resource.one.to_lowercase());
            let error = json!({ "code": 500, "message": message, "0": format!("ErrorBadEMail: {email}") });
            Err(Answer::value(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "error": error }),
            ))
        }
        _ => Ok(()),
    }
}

fn zone(tenant: &Tenant) -> TimeZone {
    let given = tenant.option("zone");
    let zone = given.as_ref().and_then(Value::as_str).unwrap_or(ZONE);
    TimeZone::posix(zone).unwrap_or(TimeZone::UTC)
}

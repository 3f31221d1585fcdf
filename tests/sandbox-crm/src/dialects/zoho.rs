//! Zoho CRM v8, as its public specification has it: which path is what, and the forms that all answers share. Modules and
//! fields are in `fields`, pages in `list`, what changes records in `write`.

mod fields;
mod list;
#[cfg(test)]
mod tests;
mod watch;
mod write;

use hyper::header::HeaderName;
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Value, json};

use self::fields::Module;
use super::common::Record;
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{Id, IdKind, Object};
use crate::tenant::Tenant;

pub struct Zoho;

/// Minutes that the organisation is ahead of UTC, where the option `org_offset_minutes` does not say.
const ORG_OFFSET: i64 = 330;

impl Dialect for Zoho {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let segments = request.segments().unwrap_or_default();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["crm", "v8", rest @ ..] = parts.as_slice() else {
            return nowhere();
        };
        route(tenant, request, rest).unwrap_or_else(|refusal| refusal)
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::ZohoOauthtoken]
    }

    fn unauthorized(&self, request: &Request<'_>) -> Answer {
        match &request.credential {
            Some(credential) if credential.scheme == Scheme::ZohoOauthtoken => invalid_token(),
            _ => error(
                StatusCode::UNAUTHORIZED,
                "AUTHENTICATION_FAILURE",
                "Authentication failed",
                json!({}),
            ),
        }
    }

    fn expired(&self, _request: &Request<'_>) -> Answer {
        invalid_token()
    }

    /// Zoho says neither which limit it is nor for how long.
    fn limited(&self, _request: &Request<'_>, _refused: &Refused) -> Answer {
        let message = "You have exceeded the maximum number of API calls";
        error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", message, json!({}))
    }

    fn ids(&self, _object: Object) -> IdKind {
        IdKind::BigInt
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/crm/v8/") || request.path.starts_with("/crm/bulk/")
    }

    fn options(&self) -> &'static [&'static str] {
        &["org_offset_minutes", "page_token_ttl_s", "hide_converted"]
    }
}

/// An answer, or a refusal of the whole request.
type Reply = Result<Answer, Answer>;

fn route(tenant: &Tenant, request: &Request<'_>, parts: &[&str]) -> Reply {
    match (request.method, parts) {
        (&Method::GET, ["settings", "fields"]) => fields::describe(tenant, request),
        (&Method::GET, ["settings", "modules"]) => Ok(fields::modules()),
        (&Method::GET, ["users"]) => users(request),
        (&Method::POST, ["actions", "watch"]) => watch::enable(tenant, request),
        (&Method::DELETE, ["actions", "watch"]) => watch::disable(tenant, request),
        (&Method::GET, ["org"]) => Ok(org(tenant)),
        (&Method::GET, [module]) => list::list(tenant, request, known(module)?),
        (&Method::GET, [module, "deleted"]) => list::deleted(tenant, request, known(module)?),
        (&Method::GET, [module, "actions", "count"]) => count(tenant, known(module)?),
        (&Method::GET, [module, id]) => get(tenant, request, known(module)?, id),
        (&Method::POST, [module]) => write::create(tenant, request, known(module)?),
        (&Method::POST, [module, "upsert"]) => write::upsert(tenant, request, known(module)?),
        (&Method::PUT, [module]) => write::update(tenant, request, known(module)?, None),
        (&Method::PUT, [module, id]) => write::update(tenant, request, known(module)?, Some(id)),
        (&Method::DELETE, [module]) => write::delete_many(tenant, request, known(module)?),
        (&Method::DELETE, [module, id]) => write::delete(tenant, request, known(module)?, id),
        (_, [_] | [_, _] | [_, "actions", "count"]) => Err(error(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST_METHOD",
            "The http request method type is not a valid one",
            json!({}),
        )),
        _ => Err(nowhere()),
    }
}

fn known(name: &str) -> Result<&'static Module, Answer> {
    Module::from_name(name).ok_or_else(|| {
        let message = "the module name given seems to be invalid";
        bad("INVALID_MODULE", message, json!({ "resource_path_index": 0 }))
    })
}

/// Still `data[0]`. A record that is not there is a 204.
fn get(tenant: &Tenant, request: &Request<'_>, module: &'static Module, id: &str) -> Reply {
    allow(request, &["fields", "converted", "approved"])?;
    let id = number(id).ok_or_else(|| invalid_id(1))?;
    let wanted = list::fields(request)?;
    let row = tenant.table(module.object).read().get(&id).cloned();
    let Some(row) = row else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    let config = tenant.config();
    let record = Record::read(&row, &config);
    let shown = module.read(&config, &record, wanted.as_deref(), offset(tenant));
    Ok(Answer::value(StatusCode::OK, &json!({ "data": [shown] })))
}

fn count(tenant: &Tenant, module: &'static Module) -> Reply {
    let count = tenant.table(module.object).read().len();
    Ok(Answer::value(StatusCode::OK, &json!({ "count": count })))
}

fn users(request: &Request<'_>) -> Reply {
    allow(request, &["type", "page", "per_page"])?;
    let user =
        json!({ "id": "5725767000000411001", "full_name": "Portal", "email": "portal@crm.test", "status": "active" });
    Ok(Answer::value(StatusCode::OK, &json!({ "users": [user] })))
}

fn org(tenant: &Tenant) -> Answer {
    let org = json!({ "company_name": "Zylker", "id": "5725767000000000001", "zgid": tenant.id, "time_zone": "Asia/Kolkata" });
    Answer::value(StatusCode::OK, &json!({ "org": [org] }))
}

fn number(text: &str) -> Option<Id> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Id::Number))?
}

fn allow(request: &Request<'_>, names: &[&str]) -> Result<(), Answer> {
    match request.unknown_param(names) {
        None => Ok(()),
        Some(name) => Err(bad(
            "EXTRA_PARAM_FOUND",
            "extra param found",
            json!({ "param_name": name }),
        )),
    }
}

fn error(status: StatusCode, code: &str, message: &str, details: Value) -> Answer {
    Answer::value(
        status,
        &json!({ "code": code, "details": details, "message": message, "status": "error" }),
    )
}

fn bad(code: &str, message: &str, details: Value) -> Answer {
    error(StatusCode::BAD_REQUEST, code, message, details)
}

fn invalid_param(name: &str) -> Answer {
    bad("INVALID_DATA", "invalid data", json!({ "param_name": name }))
}

fn invalid_id(index: usize) -> Answer {
    bad(
        "INVALID_DATA",
        "invalid record id",
        json!({ "resource_path_index": index }),
    )
}

fn invalid_token() -> Answer {
    error(
        StatusCode::UNAUTHORIZED,
        "INVALID_TOKEN",
        "invalid oauth token",
        json!({}),
    )
}

fn nowhere() -> Answer {
    let message = "Please check if the URL trying to access is a correct one";
    error(StatusCode::NOT_FOUND, "INVALID_URL_PATTERN", message, json!({}))
}

fn offset(tenant: &Tenant) -> Offset {
    let minutes = tenant.option("org_offset_minutes").and_then(|minutes| minutes.as_i64());
    let seconds = i32::try_from(minutes.unwrap_or(ORG_OFFSET).saturating_mul(60)).unwrap_or_default();
    Offset::from_seconds(seconds).unwrap_or(Offset::UTC)
}

/// ISO 8601 to the second, in the organisation's offset.
fn iso(time: Timestamp, offset: Offset) -> String {
    let local = offset.to_datetime(time);
    let seconds = offset.seconds();
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let digits = local.strftime("%Y-%m-%dT%H:%M:%S");
    format!("{digits}{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

/// The time in a conditional header: with an offset, or it is refused.
fn condition(request: &Request<'_>, name: &'static str) -> Result<Option<Timestamp>, Answer> {
    let Some(text) = request.header(name) else {
        return Ok(None);
    };
    let time = text.parse::<Timestamp>().ok().filter(|_| text.contains('T'));
    match time {
        Some(time) => Ok(Some(time)),
        None => {
            let name = HeaderName::from_static(name);
            let details = json!({ "header_name": name.as_str(), "expected_data_type": "datetime" });
            Err(bad("INVALID_DATA", "invalid data", details))
        }
    }
}

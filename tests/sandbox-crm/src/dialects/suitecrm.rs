//! SuiteCRM's V8 JSON API, as its 7.15 core serves it (also below /legacy on SuiteCRM 8): nearly every refusal is a 400 whose
//! `errors` is an object. Which fields there are is in `fields`, which rows a list holds in `list`.

mod fields;
mod list;
#[cfg(test)]
mod tests;

use hyper::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use self::fields::Module;
use super::common::{self, Record, id_text};
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{Id, IdKind, Object, Row};
use crate::tenant::Tenant;
use crate::validate::FIELDS;

pub struct Suitecrm;

/// Hours that PHP on this server is ahead of UTC, where the tenant's option `server_offset` does not say.
const SERVER_OFFSET: i64 = -5;
/// What a V8 path may stand below.
const BASES: [&str; 2] = ["/Api/V8", "/legacy/Api/V8"];

impl Dialect for Suitecrm {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let Some(path) = BASES.iter().find_map(|base| request.path.strip_prefix(base)) else {
            return html(StatusCode::NOT_FOUND, "Page Not Found");
        };
        let Some(segments) = segments(path) else {
            return html(StatusCode::NOT_FOUND, "Page Not Found");
        };
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let answer = match (request.method, parts.as_slice()) {
            (&Method::GET, ["module", module]) => list::list(tenant, request, module),
            (&Method::GET, ["module", module, id]) => get(tenant, request, module, id),
            (&Method::DELETE, ["module", module, id]) => delete(tenant, request, module, id),
            (&Method::POST, ["module"]) => create(tenant, request),
            (&Method::PATCH, ["module"]) => update(tenant, request),
            (&Method::GET, ["meta", "fields", module]) => describe(tenant, module),
            (&Method::GET, ["meta", "modules"]) => Ok(fields::modules()),
            (&Method::GET, ["current-user"]) => Ok(current_user()),
            (_, ["module"] | ["module", _] | ["module", _, _] | ["meta", ..] | ["current-user"]) => {
                return html(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
            }
            _ => return html(StatusCode::NOT_FOUND, "Page Not Found"),
        };
        answer.unwrap_or_else(|detail| refusal(&detail))
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer]
    }

    fn unauthorized(&self, request: &Request<'_>) -> Answer {
        denied(match request.credential {
            Some(_) => "The JWT string must have two dots",
            None => "Missing \"Authorization\" header",
        })
    }

    fn expired(&self, _request: &Request<'_>) -> Answer {
        denied("Access token is invalid")
    }

    /// Nothing in SuiteCRM limits; a web server before it may.
    fn limited(&self, _request: &Request<'_>, refused: &Refused) -> Answer {
        let answer = html(StatusCode::TOO_MANY_REQUESTS, "429 Too Many Requests");
        match refused.header() {
            Some(value) => answer.with(hyper::header::RETRY_AFTER, value),
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
        request.path.starts_with("/Api/") || request.path.starts_with("/legacy/Api/")
    }

    fn options(&self) -> &'static [&'static str] {
        &["server_offset"]
    }
}

/// An answer, or the `detail` of a 400.
type Reply = Result<Answer, String>;

fn segments(path: &str) -> Option<Vec<String>> {
    let parts = path.strip_prefix('/')?.split('/');
    parts.map(crate::query::segment).collect()
}

fn module(name: &str) -> Result<Module, String> {
    Module::from_name(name).ok_or_else(|| format!("Module {name} does not exist"))
}

fn get(tenant: &Tenant, request: &Request<'_>, name: &str, id: &str) -> Reply {
    let module = module(name)?;
    let query = list::Query::read(request, &["fields"], module, tenant)?;
    let table = tenant.table(module.object).read();
    let row = table.get(&uuid(id)?).ok_or_else(|| missing(name, id))?;
    let data = data(tenant, module, row, row.time, false, query.fields.as_deref());
    Ok(document(StatusCode::OK, json!({ "data": data })))
}

fn create(tenant: &Tenant, request: &Request<'_>) -> Reply {
    let (module, id, attributes) = written(request)?;
    let given = fields::write(module, &tenant.config(), attributes, None)?;
    let Some(id) = id else {
        let row = common::create(tenant, module.object, given);
        return Ok(created(tenant, module, &row));
    };
    // A client may choose the id, which makes a repeated create harmless.
    let id = uuid(&id)?;
    let mut table = tenant.table(module.object).write();
    if table.get(&id).is_some() {
        return Err(format!(
            "Bean {} with id {} is already exist",
            module.name,
            id_text(&id)
        ));
    }
    let now = tenant.config().now();
    let mut whole: common::Fields = FIELDS.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    whole.insert("id".into(), id.to_value());
    whole.extend(given);
    for field in ["created_at", "updated_at"] {
        whole.insert(field.into(), TimeFormat::Rfc3339S.write(now));
    }
    let row = Row::new(id, Some(now), whole);
    let answer = created(tenant, module, &row);
    table.put(vec![row]);
    Ok(answer)
}

/// 201 here too.
fn update(tenant: &Tenant, request: &Request<'_>) -> Reply {
    let (module, id, attributes) = written(request)?;
    let text = id.ok_or("The required option \"id\" is missing.")?;
    let id = uuid(&text)?;
    let mut table = tenant.table(module.object).write();
    let old = table.get(&id).ok_or_else(|| missing(module.name, &text))?;
    let old = old.fields().unwrap_or_default();
    let given = fields::write(module, &tenant.config(), attributes, Some(&old))?;
    let row = common::update_in(&mut table, tenant, &id, given).ok_or_else(|| missing(module.name, &text))?;
    Ok(created(tenant, module, &row))
}

fn created(tenant: &Tenant, module: Module, row: &Row) -> Answer {
    let data = data(tenant, module, row, row.time, false, None);
    document(StatusCode::CREATED, json!({ "data": data }))
}

fn delete(tenant: &Tenant, request: &Request<'_>, name: &str, id: &str) -> Reply {
    let module = module(name)?;
    list::known(request, &[])?;
    match common::delete(tenant, module.object, &uuid(id)?) {
        true => {
            let message = format!("Record with id {id} is deleted");
            Ok(document(StatusCode::OK, json!({ "meta": { "message": message } })))
        }
        false => Err(missing(name, id)),
    }
}

fn describe(tenant: &Tenant, name: &str) -> Reply {
    let attributes = fields::describe(module(name)?, &tenant.config());
    let data = json!({ "type": "fields", "attributes": attributes });
    Ok(document(StatusCode::OK, json!({ "data": data })))
}

fn current_user() -> Answer {
    let attributes = json!({ "user_name": "portal", "full_name": "Portal", "status": "Active", "is_admin": "0" });
    let data = json!({ "type": "User", "id": "1", "attributes": attributes });
    document(StatusCode::OK, json!({ "data": data }))
}

type Written = (Module, Option<String>, Map<String, Value>);

/// `data.type`, `data.id` and `data.attributes` of a write.
fn written(request: &Request<'_>) -> Result<Written, String> {
    // Slim parses JSON only where the Content-Type says that it is some.
    let json = matches!(
        request.content_type().as_str(),
        "application/json" | "application/vnd.api+json"
    );
    let body = if json {
        request.json().unwrap_or_default()
    } else {
        Value::Null
    };
    let Value::Object(mut body) = body else {
        return Err("The required option \"data\" is missing.".into());
    };
    let data = body.shift_remove("data");
    if let Some(name) = body.keys().next() {
        return Err(format!(
            "The option \"{name}\" does not exist. Defined options are: \"data\"."
        ));
    }
    let Some(Value::Object(mut data)) = data else {
        return Err("The required option \"data\" is missing.".into());
    };
    let kind = data.shift_remove("type");
    let id = data.shift_remove("id");
    let attributes = data.shift_remove("attributes");
    if let Some(name) = data.keys().next() {
        return Err(format!(
            "The option \"{name}\" does not exist. Defined options are: \"attributes\", \"id\", \"type\"."
        ));
    }
    let kind = kind.ok_or("The required option \"type\" is missing.")?;
    let module = module(
        kind.as_str()
            .ok_or("The option \"type\" is expected to be of type \"string\".")?,
    )?;
    let id = match id {
        None => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err("The option \"id\" is expected to be of type \"string\".".into()),
    };
    match attributes {
        Some(Value::Object(attributes)) => Ok((module, id, attributes)),
        // PHP writes an object without fields so.
        Some(Value::Array(list)) if list.is_empty() => Ok((module, id, Map::new())),
        None => Ok((module, id, Map::new())),
        Some(_) => Err("The option \"attributes\" is expected to be of type \"array\".".into()),
    }
}

fn uuid(text: &str) -> Result<Id, String> {
    let shape = |(position, byte): (usize, u8)| match position {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if text.len() != 36 || !text.bytes().enumerate().all(shape) {
        return Err(format!("The option \"id\" with value \"{text}\" is invalid."));
    }
    Ok(Id::Text(text.to_owned()))
}

fn missing(module: &str, id: &str) -> String {
    format!("{module} module with id {id} is not found")
}

/// One record as JSON:API has it. `type` is the bean's name, not the module's.
fn data(
    tenant: &Tenant,
    module: Module,
    row: &Row,
    time: Option<Timestamp>,
    gone: bool,
    wanted: Option<&[String]>,
) -> Value {
    let config = tenant.config();
    let mut record = Record::read(row, &config);
    record.updated = time.map(|time| config.timestamps.truncate(time));
    let id = id_text(&row.id);
    let attributes = fields::read(module, &config, &record, gone, wanted, server_offset(tenant));
    let related = format!("V8/module/{}/{id}/relationships/email_addresses", module.name);
    json!({
        "type": module.bean,
        "id": id,
        "attributes": attributes,
        "relationships": { "EmailAddress": { "links": { "related": related } } },
    })
}

fn server_offset(tenant: &Tenant) -> Offset {
    let hours = tenant.option("server_offset").and_then(|hours| hours.as_i64());
    let hours = i8::try_from(hours.unwrap_or(SERVER_OFFSET)).unwrap_or_default();
    Offset::from_hours(hours).unwrap_or(Offset::UTC)
}

fn document(status: StatusCode, value: Value) -> Answer {
    Answer {
        status,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/vnd.api+json"))],
        body: value.to_string().into(),
    }
}

fn refusal(detail: &str) -> Answer {
    let error = json!({ "status": 400, "title": null, "detail": detail });
    document(StatusCode::BAD_REQUEST, json!({ "errors": error }))
}

/// As league/oauth2-server says it.
fn denied(hint: &str) -> Answer {
    let message = "The resource owner or authorization server denied the request.";
    let body = json!({ "error": "access_denied", "error_description": message, "hint": hint, "message": message });
    Answer::value(StatusCode::UNAUTHORIZED, &body)
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"OAuth\""))
}

/// Slim's own pages.
fn html(status: StatusCode, title: &str) -> Answer {
    Answer {
        status,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"))],
        body: format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>").into(),
    }
}

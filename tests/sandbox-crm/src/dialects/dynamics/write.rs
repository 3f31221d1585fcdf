//! POST, PATCH (which makes what is not there) and DELETE.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::answer::{Reply, bad, fault, precondition};
use super::entity::{Entity, Key, etag, status};
use super::{list, prefers, unknown};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::columns::{Bad, Source, Written};
use crate::dialects::common::{Fields, Record, create_in, find_by, id_text, update_in};
use crate::store::{Id, Row, Table};
use crate::tenant::{Config, Tenant};

fn body(request: &Request<'_>) -> Result<Map<String, Value>, Answer> {
    if !request.sends_json() {
        let message = "A supported MIME type could not be found: Content-Type must be application/json.";
        return Err(fault(StatusCode::UNSUPPORTED_MEDIA_TYPE, "0x80060888", message));
    }
    match request.json() {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(bad(
            "Error identified in Payload provided by the user: an object is needed.",
        )),
        Err(reason) => Err(bad(format!(
            "Error identified in Payload provided by the user: {reason}"
        ))),
    }
}

/// The fields of a body, and the id that it gives the row.
fn read(entity: Entity, config: &Config, given: &Map<String, Value>) -> Result<(Written, Option<String>), Answer> {
    let mut written = Written::default();
    let mut id = None;
    for (name, value) in given.iter().filter(|(name, _)| !name.starts_with("@odata.")) {
        let column = entity.column(config, name)?;
        if column.source == Source::Id {
            let text = value.as_str().unwrap_or_default();
            id = Some(text.to_lowercase());
            continue;
        }
        let value = match column.name.as_ref() {
            "statuscode" => status(value)?,
            _ => value.clone(),
        };
        written.set(&column, &value).map_err(|reason| match reason {
            Bad::ReadOnly => bad(format!("The property '{name}' is read-only.")),
            Bad::Email => fault(
                StatusCode::BAD_REQUEST,
                "0x80048d19",
                format!("{name}: not a valid e-mail address"),
            ),
            Bad::Number | Bad::Shape => bad(format!("Cannot convert the value of '{name}' to its type.")),
        })?;
    }
    Ok((written, id))
}

pub fn create(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity) -> Reply {
    unknown(request, &["$select"])?;
    let config = tenant.config();
    let (written, id) = read(entity, &config, &body(request)?)?;
    let mut table = tenant.table(entity.object).write();
    if let Some(id) = &id
        && table.find(id).is_some()
    {
        return Err(duplicate());
    }
    let row = insert(&mut table, tenant, entity, written.finish(None), id)?;
    Ok(made(request, &config, base, entity, &row, true))
}

fn duplicate() -> Answer {
    precondition("0x80040237", "A record with matching key values already exists.")
}

fn insert(
    table: &mut Table,
    tenant: &Tenant,
    entity: Entity,
    fields: Fields,
    id: Option<String>,
) -> Result<Arc<Row>, Answer> {
    refuse_duplicate(table, tenant, entity, &fields, None)?;
    let row = create_in(table, tenant, entity.object, fields);
    let Some(id) = id else {
        return Ok(row);
    };
    // The row that was made takes the id that was asked for, and leaves no trace of its own.
    table.remove(std::slice::from_ref(&row.id), tenant.config().now());
    table.forget(std::slice::from_ref(&row.id));
    let mut fields = row.fields().unwrap_or_default();
    fields.insert("id".into(), id.as_str().into());
    let row = Row::new(Id::Text(id), row.time, fields);
    table.put(vec![row.clone()]);
    Ok(Arc::new(row))
}

/// No two rows have one value of the alternate key.
fn refuse_duplicate(
    table: &Table,
    tenant: &Tenant,
    entity: Entity,
    fields: &Fields,
    own: Option<&Row>,
) -> Result<(), Answer> {
    let keyed = entity.key(tenant, "emailaddress1=''").is_ok();
    let Some(email) = fields.get("email").and_then(Value::as_str).filter(|_| keyed) else {
        return Ok(());
    };
    match find_by(table, "email", email) {
        Some(id) if own.is_none_or(|own| own.id != id) => {
            let message = "A record that has the attribute values emailaddress1 already exists.";
            Err(precondition("0x80060892", message))
        }
        _ => Ok(()),
    }
}

/// 204 with the row's address, or the row where the client prefers it.
fn made(request: &Request<'_>, config: &Config, base: &str, entity: Entity, row: &Row, new: bool) -> Answer {
    let address = format!("{base}/{}({})", entity.set, id_text(&row.id));
    let answer = if prefers(request, "return") == Some("representation") {
        let mut shown = entity.show(row, config, &entity.columns(config));
        let context = format!("{base}/$metadata#{}/$entity", entity.set);
        shown.shift_insert(0, "@odata.context".into(), context.into());
        let status = if new { StatusCode::CREATED } else { StatusCode::OK };
        Answer::value(status, &shown.into()).with(
            HeaderName::from_static("preference-applied"),
            HeaderValue::from_static("return=representation"),
        )
    } else {
        Answer::empty(StatusCode::NO_CONTENT)
    };
    match HeaderValue::from_str(&address) {
        Ok(value) => answer.with(HeaderName::from_static("odata-entityid"), value),
        Err(_) => answer,
    }
}

/// Makes the row where it is not there, unless If-Match says that it has to be; changes it unless If-None-Match says not to.
pub fn upsert(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, key: &Key) -> Reply {
    unknown(request, &["$select"])?;
    let config = tenant.config();
    let given = body(request)?;
    let (written, own_id) = read(entity, &config, &given)?;
    if let (Key::Id(id), Some(own)) = (key, &own_id)
        && id != own
    {
        return Err(bad("The id in the body is not the one in the address."));
    }
    let mut table = tenant.table(entity.object).write();
    let must_match = request.header("if-match");
    match entity.find(&table, key) {
        Some(row) => {
            if request.header("if-none-match") == Some("*") {
                return Err(duplicate());
            }
            check_version(must_match, &row)?;
            let old = Record::read(&row, &config);
            let fields = written.finish(Some(&old));
            refuse_duplicate(&table, tenant, entity, &fields, Some(&row))?;
            let row = update_in(&mut table, tenant, &row.id, fields).unwrap_or(row);
            Ok(made(request, &config, base, entity, &row, false))
        }
        None if must_match.is_some() => Err(list::missing(entity, key)),
        None => {
            let mut fields = written.finish(None);
            let id = match key {
                Key::Id(id) => Some(id.clone()),
                Key::Email(email) => {
                    fields.insert("email".into(), email.as_str().into());
                    own_id
                }
            };
            let row = insert(&mut table, tenant, entity, fields, id)?;
            Ok(made(request, &config, base, entity, &row, true))
        }
    }
}

fn check_version(must_match: Option<&str>, row: &Row) -> Result<(), Answer> {
    match must_match {
        None | Some("*") => Ok(()),
        Some(tag) if tag == etag(row) => Ok(()),
        Some(_) => Err(precondition(
            "0x80060882",
            "The version of the existing record doesn't match the RowVersion property provided.",
        )),
    }
}

pub fn delete(tenant: &Tenant, request: &Request<'_>, entity: Entity, key: &Key) -> Reply {
    unknown(request, &[])?;
    let mut table = tenant.table(entity.object).write();
    let row = entity.find(&table, key).ok_or_else(|| list::missing(entity, key))?;
    check_version(request.header("if-match"), &row)?;
    table.remove(std::slice::from_ref(&row.id), tenant.config().now());
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

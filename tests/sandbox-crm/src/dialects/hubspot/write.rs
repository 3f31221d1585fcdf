//! POST, PATCH and DELETE of one record, and the checks that batches share.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value};

use super::answer::{self, Problem};
use super::{Reply, find, list, properties};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::columns::Written;
use crate::dialects::common::{Record, create_in, find_by, id_text, update_in};
use crate::store::{Object, Row, Table};
use crate::tenant::Tenant;

/// The body as an object with none but these names.
pub fn body(request: &Request<'_>, allowed: &[&str]) -> Result<Map<String, Value>, Answer> {
    if !request.sends_json() {
        return Err(answer::unsupported_type());
    }
    let value = request
        .json()
        .map_err(|reason| answer::invalid(format!("Invalid input JSON: {reason}")))?;
    let Value::Object(body) = value else {
        return Err(answer::invalid("Invalid input JSON: an object is needed."));
    };
    match body.keys().find(|name| !allowed.contains(&name.as_str())) {
        Some(name) => Err(answer::invalid(format!("Invalid input JSON: unknown field {name:?}"))),
        None => Ok(body),
    }
}

/// An input's `properties`.
pub fn given(input: &Map<String, Value>) -> Result<Map<String, Value>, Answer> {
    match input.get("properties") {
        Some(Value::Object(properties)) => Ok(properties.clone()),
        // PHP writes an object without fields so.
        Some(Value::Array(list)) if list.is_empty() => Ok(Map::new()),
        _ => Err(answer::invalid("Invalid input JSON: properties must be an object.")),
    }
}

/// Why a record is not written.
pub enum Refused {
    Properties(Vec<Problem>),
    /// The address is that contact's.
    Duplicate(String),
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Properties(problems) => answer::invalid_properties(&problems),
            Refused::Duplicate(id) => {
                let message = format!("Contact already exists. Existing ID: {id}");
                answer::error(StatusCode::CONFLICT, message, "CONFLICT")
            }
        }
    }
}

pub fn check(tenant: &Tenant, object: Object, given: &Map<String, Value>) -> Result<Written, Refused> {
    properties::read(object, &tenant.config(), given).map_err(Refused::Properties)
}

pub fn insert(table: &mut Table, tenant: &Tenant, object: Object, written: Written) -> Result<Arc<Row>, Refused> {
    let fields = written.finish(None);
    if let Some(problem) = properties::lacks(object, &fields) {
        return Err(Refused::Properties(vec![problem]));
    }
    refuse_duplicate(table, object, fields.get("email"), None)?;
    Ok(create_in(table, tenant, object, fields))
}

pub fn change(
    table: &mut Table,
    tenant: &Tenant,
    object: Object,
    row: &Row,
    written: Written,
) -> Result<Arc<Row>, Refused> {
    let old = Record::read(row, &tenant.config());
    let fields = written.finish(Some(&old));
    refuse_duplicate(table, object, fields.get("email"), Some(row))?;
    let changed = update_in(table, tenant, &row.id, fields);
    Ok(changed.unwrap_or_else(|| Arc::new(row.clone())))
}

/// No two contacts have one address.
fn refuse_duplicate(table: &Table, object: Object, email: Option<&Value>, own: Option<&Row>) -> Result<(), Refused> {
    let Some(email) = email.and_then(Value::as_str).filter(|_| object == Object::Contacts) else {
        return Ok(());
    };
    match find_by(table, "email", email) {
        Some(id) if own.is_none_or(|own| own.id != id) => Err(Refused::Duplicate(id_text(&id))),
        _ => Ok(()),
    }
}

pub fn create(tenant: &Tenant, request: &Request<'_>, object: Object) -> Reply {
    list::refuse_unknown(request, &[])?;
    let given = given(&body(request, &["properties", "associations", "objectWriteTraceId"])?)?;
    let written = check(tenant, object, &given)?;
    let row = insert(&mut tenant.table(object).write(), tenant, object, written)?;
    Ok(written_answer(tenant, object, &row, &given, StatusCode::CREATED))
}

pub fn update(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Reply {
    list::refuse_unknown(request, &["idProperty"])?;
    let given = given(&body(request, &["properties", "objectWriteTraceId"])?)?;
    let written = check(tenant, object, &given)?;
    let mut table = tenant.table(object).write();
    let row = find::row(&table, object, request.param("idProperty"), id)?;
    let row = row.ok_or_else(|| answer::no_such_record(id))?;
    let row = change(&mut table, tenant, object, &row, written)?;
    Ok(written_answer(tenant, object, &row, &given, StatusCode::OK))
}

/// The usual properties and the ones that were written.
fn written_answer(
    tenant: &Tenant,
    object: Object,
    row: &Row,
    given: &Map<String, Value>,
    status: StatusCode,
) -> Answer {
    Answer::value(status, &shown(tenant, object, row, given))
}

pub fn shown(tenant: &Tenant, object: Object, row: &Row, given: &Map<String, Value>) -> Value {
    let config = tenant.config();
    let asked: Vec<String> = given.keys().cloned().collect();
    properties::show(&Record::read(row, &config), object, &config, &asked, None)
}

/// Once more is as good: 204 for what is archived already.
pub fn archive(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Reply {
    list::refuse_unknown(request, &[])?;
    let mut table = tenant.table(object).write();
    let gone = table.tombstones().iter().any(|gone| id_text(&gone.row.id) == id);
    match table.find(id).map(|row| row.id.clone()) {
        Some(id) => {
            table.remove(&[id], tenant.config().now());
        }
        None if gone => {}
        None => return Err(answer::no_such_record(id)),
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

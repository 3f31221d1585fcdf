//! v2's writes, and what a written member becomes in the row: for leads too.

use serde_json::{Value, json};

use super::records::{primary, show};
use super::{Wrong, bad, fields, fine, list, no_other};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{self, Fields, Record};
use crate::store::{Id, Object};
use crate::tenant::{Config, Tenant};

/// 200, not 201.
pub fn create(tenant: &Tenant, request: &Request<'_>, object: Object) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    let config = tenant.config();
    let given = body(tenant, request, object, true)?;
    let gone = given.get("is_deleted") == Some(&Value::Bool(true));
    let row = common::create(tenant, object, columns(given));
    let gone = gone && common::delete(tenant, object, &row.id);
    let record = Record::read(&row, &config);
    Ok(fine(
        json!({ "success": true, "data": show(object, &record, &config, gone) }),
    ))
}

/// A deal may be deleted by saying so.
pub fn update(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    list::whole(id)?;
    let config = tenant.config();
    let id = find(tenant, object, id).ok_or_else(|| list::missing(object))?;
    let given = body(tenant, request, object, false)?;
    let gone = given.get("is_deleted") == Some(&Value::Bool(true));
    let row = common::update(tenant, object, &id, columns(given)).ok_or_else(|| list::missing(object))?;
    let gone = gone && common::delete(tenant, object, &id);
    let record = Record::read(&row, &config);
    Ok(fine(
        json!({ "success": true, "data": show(object, &record, &config, gone) }),
    ))
}

pub fn delete(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    list::whole(id)?;
    let found = find(tenant, object, id).filter(|id| common::delete(tenant, object, id));
    let id = found.ok_or_else(|| list::missing(object))?;
    Ok(fine(json!({ "success": true, "data": { "id": id.to_value() } })))
}

pub fn find(tenant: &Tenant, object: Object, id: &str) -> Option<Id> {
    tenant.table(object).read().find(id).map(|row| row.id.clone())
}

/// The body's members, checked; and that the records exist which it links to.
pub fn body(tenant: &Tenant, request: &Request<'_>, object: Object, creating: bool) -> Result<Fields, Wrong> {
    if !request.sends_json() {
        let status = hyper::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err((status, "Content-Type must be application/json".into()));
    }
    let given = match request.json() {
        Ok(Value::Object(given)) => given,
        Ok(_) => return Err(bad("Validation failed: Expected object")),
        Err(reason) => return Err(bad(format!("Invalid JSON: {reason}"))),
    };
    let config: Config = tenant.config();
    fields::check(object, &given, creating, &config)?;
    for (name, linked) in [
        ("person_id", Object::Contacts),
        ("org_id", Object::Companies),
        ("organization_id", Object::Companies),
    ] {
        let id = given.get(name).and_then(Value::as_u64);
        if let Some(id) = id
            && tenant.table(linked).read().get(&Id::Number(id)).is_none()
        {
            return Err(bad(format!("Validation failed: {name}: There is no record {id}")));
        }
    }
    Ok(given)
}

/// Names of the row's own columns for what it has; the rest stays under Pipedrive's names.
pub fn columns(given: Fields) -> Fields {
    let mut row = Fields::new();
    for (name, value) in given {
        match name.as_str() {
            "title" => {
                row.insert("name".into(), value);
            }
            "owner_id" => {
                row.insert("owner".into(), value.as_u64().map(|id| id.to_string()).into());
            }
            "emails" | "phones" => {
                let single = name.trim_end_matches('s').to_owned();
                row.insert(single, primary(&value).into());
                row.insert(name, value);
            }
            "custom_fields" => row.extend(super::records::members(value)),
            // The sandbox's rows know when they were made, and whether they are there.
            "add_time" | "is_deleted" => {}
            _ => {
                row.insert(name, value);
            }
        }
    }
    row
}

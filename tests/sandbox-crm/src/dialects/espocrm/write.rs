//! Creates, updates and deletes. Attributes that EspoCRM does not know, or does not let a client write, it ignores in
//! silence; those that it knows it checks one by one.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::attributes::{self, Kind};
use super::records::{name_of, names, primary, show};
use super::{Wrong, bad, empty, entity, fine, with_reason};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{self, Fields, Record, join_name};
use crate::store::{Object, Order, Row, Table};
use crate::tenant::Tenant;

/// 200 with the whole record.
pub fn create(tenant: &Tenant, request: &Request<'_>, object: Object) -> Result<Answer, Wrong> {
    let given = body(tenant, request, object, true)?;
    let config = tenant.config();
    let row = columns(object, given, None);
    let mut table = tenant.table(object).write();
    if request.header("x-skip-duplicate-check") != Some("true") {
        let found = duplicates(&table, object, &row);
        if !found.is_empty() {
            drop(table);
            let shown = found
                .iter()
                .map(|row| show(tenant, object, &Record::read(row, &config)).into());
            return Err(conflict(shown.collect()));
        }
    }
    let made = common::create_in(&mut table, tenant, object, row);
    drop(table);
    Ok(fine(&show(tenant, object, &Record::read(&made, &config)).into()))
}

/// PUT does as PATCH: what is not given stays.
pub fn update(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Result<Answer, Wrong> {
    let missing = || Box::new(empty(StatusCode::NOT_FOUND));
    let config = tenant.config();
    let old = tenant
        .table(object)
        .read()
        .find(id)
        .map(|row| Record::read(row, &config));
    let old = old.ok_or_else(missing)?;
    let given = body(tenant, request, object, false)?;
    let row = columns(object, given, Some(&old));
    let row = common::update(tenant, object, &old.id, row).ok_or_else(missing)?;
    Ok(fine(&show(tenant, object, &Record::read(&row, &config)).into()))
}

pub fn delete(tenant: &Tenant, object: Object, id: &str) -> Result<Answer, Wrong> {
    let found = tenant.table(object).read().find(id).map(|row| row.id.clone());
    match found.filter(|id| common::delete(tenant, object, id)) {
        Some(_) => Ok(fine(&Value::Bool(true))),
        None => Err(Box::new(empty(StatusCode::NOT_FOUND))),
    }
}

fn body(tenant: &Tenant, request: &Request<'_>, object: Object, creating: bool) -> Result<Fields, Wrong> {
    if !request.sends_json() {
        return Err(bad("Body should be JSON: Content-Type must be application/json."));
    }
    let given = match request.json() {
        Ok(Value::Object(given)) => given,
        Ok(_) => return Err(bad("Body should be a JSON object.")),
        Err(_) => return Err(bad("Body is not valid JSON.")),
    };
    for (name, value) in &given {
        if let Some(failed) = attributes::wrong(object, name, value) {
            return Err(validation(object, name, failed));
        }
        let target = match name.as_str() {
            "accountId" => Object::Companies,
            "contactId" => Object::Contacts,
            "leadId" => Object::Leads,
            _ => continue,
        };
        let known = attributes::kind(object, name) == Some(Kind::Link);
        if let Some(id) = value.as_str().filter(|id| known && !id.is_empty())
            && name_of(tenant, target, id).is_none()
        {
            return Err(validation(object, name, "exists"));
        }
    }
    if creating
        && let Some(name) = attributes::required(object)
            .iter()
            .find(|name| !given.contains_key(**name))
    {
        return Err(validation(object, name, "required"));
    }
    Ok(given)
}

/// The one error that has a body: what to show in which language is the client's matter.
fn validation(object: Object, field: &str, failed: &str) -> Wrong {
    let entity = entity(object);
    let data = json!({ "field": field, "type": failed });
    let body = json!({ "messageTranslation": { "label": "validationFailure", "scope": null, "data": data } });
    let answer = Answer::value(StatusCode::BAD_REQUEST, &body);
    Box::new(with_reason(
        answer,
        &format!("Field validation failure; entityType: {entity}, field: {field}, type: {failed}."),
    ))
}

/// The body is the records that it may be a duplicate of.
fn conflict(found: Vec<Value>) -> Wrong {
    let mut answer = empty(StatusCode::CONFLICT);
    answer.headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    answer.body = Value::Array(found).to_string().into();
    Box::new(with_reason(answer, r#"{"reason":"Duplicate"}"#))
}

/// Of the same name or with the same address.
fn duplicates(table: &Table, object: Object, given: &Fields) -> Vec<std::sync::Arc<Row>> {
    if !matches!(object, Object::Leads | Object::Contacts | Object::Companies) {
        return Vec::new();
    }
    let text = |fields: &Fields, name: &str| {
        let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        text.trim().to_lowercase()
    };
    let (name, email) = (text(given, "name"), text(given, "email"));
    let rows = table.view(Order::Id, None);
    let same = rows.iter().filter(|row| {
        let fields = row.fields().unwrap_or_default();
        (!name.is_empty() && text(&fields, "name") == name) || (!email.is_empty() && text(&fields, "email") == email)
    });
    same.cloned().collect()
}

/// The row's own columns for what it has; the rest stays under EspoCRM's names.
fn columns(object: Object, given: Fields, old: Option<&Record>) -> Fields {
    let mut row = Fields::new();
    let person = matches!(object, Object::Leads | Object::Contacts);
    if person && ["firstName", "lastName"].iter().any(|name| given.contains_key(*name)) {
        let (first, last) = old.map(names).unwrap_or_default();
        let part = |name: &str, old: String| match given.get(name) {
            Some(value) => value.as_str().unwrap_or_default().to_owned(),
            None => old,
        };
        let (first, last) = (part("firstName", first), part("lastName", last));
        row.insert("name".into(), join_name(&first, &last).into());
        row.insert("firstName".into(), first.into());
        row.insert("lastName".into(), last.into());
    }
    for (name, value) in given {
        if attributes::kind(object, &name).is_none() || (person && ["firstName", "lastName"].contains(&name.as_str())) {
            continue;
        }
        let value = if value.as_str() == Some("") { Value::Null } else { value };
        let column = match (object, name.as_str()) {
            (_, "emailAddress") => "email",
            (_, "phoneNumber") => "phone",
            (_, "description") => "notes",
            (Object::Leads, "accountName") => "company",
            (Object::Deals, "stage") => "status",
            (_, "emailAddressData") => {
                row.insert("email".into(), primary(&value, "emailAddress").into());
                "emailAddressData"
            }
            (_, "phoneNumberData") => {
                row.insert("phone".into(), primary(&value, "phoneNumber").into());
                "phoneNumberData"
            }
            (_, name) => name,
        };
        row.insert(column.to_owned(), value);
    }
    row
}

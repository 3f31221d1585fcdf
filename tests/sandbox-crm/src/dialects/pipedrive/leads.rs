//! v1's leads: paged by offset, sorted by one field, without an e-mail of their own.

use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::records::{owner, show};
use super::{Wrong, bad, fields, fine, list, no_other, number, write};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{self, Record};
use crate::store::{Object, Order, Row};
use crate::tenant::{Config, Tenant};

const OBJECT: Object = Object::Leads;
const SORTS: [&str; 9] = [
    "id",
    "title",
    "owner_id",
    "creator_id",
    "was_seen",
    "expected_close_date",
    "next_activity_id",
    "add_time",
    "update_time",
];
const PARAMETERS: [&str; 7] = [
    "limit",
    "start",
    "owner_id",
    "person_id",
    "organization_id",
    "filter_id",
    "sort",
];

/// `archived` ones have a list of their own, without a filter by time.
pub fn list(tenant: &Tenant, request: &Request<'_>, archived: bool) -> Result<Answer, Wrong> {
    let mut allowed = PARAMETERS.to_vec();
    if !archived {
        allowed.push("updated_since");
    }
    no_other(request, &allowed)?;
    if request.param("filter_id").is_some() {
        return Err(bad("Filter not found"));
    }
    let sort = request.param("sort").unwrap_or("add_time");
    if !SORTS.contains(&sort) {
        return Err(bad("Invalid value for parameter 'sort'"));
    }
    let config = tenant.config();
    let most = config.max_per_page.min(500) as u64;
    // More is clamped in silence, as v1 does.
    let limit = number(request, "limit")?.unwrap_or(100).clamp(1, most);
    let start = number(request, "start")?.unwrap_or(0);
    let since = list::time(request, "updated_since")?;
    let (owned, person, organization) = (
        number(request, "owner_id")?,
        number(request, "person_id")?,
        number(request, "organization_id")?,
    );
    let before = since.and_then(|since| since.checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
    let table = tenant.table(OBJECT).read();
    let mut rows = table.view(Order::UpdatedAt, before).to_vec();
    drop(table);
    // Already sorted by time; for the others every row has to be read.
    if sort != "update_time" {
        rows.sort_by_cached_key(|row| sort_key(row, sort, &config));
    }
    let linked = |record: &Record, name: &str, id: Option<u64>| {
        id.is_none_or(|id| record.fields.get(name).and_then(Value::as_u64) == Some(id))
    };
    let passes = |record: &Record| {
        let put_away = record.fields.get("is_archived") == Some(&Value::Bool(true));
        put_away == archived
            && owned.is_none_or(|id| owner(record) == id)
            && linked(record, "person_id", person)
            && linked(record, "organization_id", organization)
    };
    let found: Vec<Record> = rows
        .iter()
        .map(|row| Record::read(row, &config))
        .filter(passes)
        .skip(start as usize)
        .take(limit as usize + 1)
        .collect();
    let more = found.len() as u64 > limit;
    let page: Vec<Value> = found
        .iter()
        .take(limit as usize)
        .map(|record| show(OBJECT, record, &config, false))
        .collect();
    Ok(fine(
        json!({ "success": true, "data": page, "additional_data": paging(start, limit, more) }),
    ))
}

/// The specification has these at the top, running servers one level deeper and with the next start: both are served.
pub fn paging(start: u64, limit: u64, more: bool) -> Value {
    let mut inner = json!({ "start": start, "limit": limit, "more_items_in_collection": more });
    let mut outer = inner.clone();
    if let (Value::Object(inner), true) = (&mut inner, more) {
        inner.insert("next_start".into(), (start + limit).into());
    }
    if let Value::Object(outer) = &mut outer {
        outer.insert("pagination".into(), inner);
    }
    outer
}

/// By the field, then by when it was made.
fn sort_key(row: &Arc<Row>, sort: &str, config: &Config) -> (String, Option<Timestamp>, String) {
    let record = Record::read(row, config);
    let id = common::id_text(&row.id);
    let first = match sort {
        "id" => id.clone(),
        "title" => record.text("name").unwrap_or_default(),
        "owner_id" => format!("{:020}", owner(&record)),
        "was_seen" | "expected_close_date" => record.text(sort).unwrap_or_default(),
        // All the same: one creator, no activities; and the time comes next.
        _ => String::new(),
    };
    (first, record.created, id)
}

pub fn get(tenant: &Tenant, request: &Request<'_>, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    uuid(id)?;
    let config = tenant.config();
    let table = tenant.table(OBJECT).read();
    let row = table.find(id).ok_or_else(missing)?;
    let data = show(OBJECT, &Record::read(row, &config), &config, false);
    Ok(fine(json!({ "success": true, "data": data })))
}

/// 201, and only with a person or an organization that exists.
pub fn create(tenant: &Tenant, request: &Request<'_>) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    let config = tenant.config();
    let given = write::body(tenant, request, OBJECT, true)?;
    let linked = |name: &str| given.get(name).is_some_and(Value::is_u64);
    if !linked("person_id") && !linked("organization_id") {
        return Err(bad("A lead must be linked to a person or an organization"));
    }
    let row = common::create(tenant, OBJECT, write::columns(given));
    let data = show(OBJECT, &Record::read(&row, &config), &config, false);
    Ok(Answer::value(
        StatusCode::CREATED,
        &json!({ "success": true, "data": data }),
    ))
}

pub fn update(tenant: &Tenant, request: &Request<'_>, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    uuid(id)?;
    let config = tenant.config();
    let id = write::find(tenant, OBJECT, id).ok_or_else(missing)?;
    let given = write::body(tenant, request, OBJECT, false)?;
    let row = common::update(tenant, OBJECT, &id, write::columns(given)).ok_or_else(missing)?;
    let data = show(OBJECT, &Record::read(&row, &config), &config, false);
    Ok(fine(json!({ "success": true, "data": data })))
}

pub fn delete(tenant: &Tenant, request: &Request<'_>, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    uuid(id)?;
    let found = write::find(tenant, OBJECT, id).filter(|id| common::delete(tenant, OBJECT, id));
    let id = found.ok_or_else(missing)?;
    Ok(fine(json!({ "success": true, "data": { "id": id.to_value() } })))
}

fn uuid(id: &str) -> Result<(), Wrong> {
    if fields::is_uuid(id) {
        Ok(())
    } else {
        Err(bad("The id must be a UUID"))
    }
}

fn missing() -> Wrong {
    (StatusCode::NOT_FOUND, "requested lead not found".into())
}

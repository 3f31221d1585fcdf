//! v2's searches: what a client asks before it creates, as there is no upsert.

use serde_json::{Value, json};

use super::records::owner;
use super::{Wrong, bad, fine, list, no_other, number};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::Record;
use crate::store::{Object, Order};
use crate::tenant::Tenant;

pub fn search(tenant: &Tenant, request: &Request<'_>, object: Object) -> Result<Answer, Wrong> {
    let (mut allowed, known): (Vec<&str>, &[&str]) = match object {
        Object::Contacts => (
            vec!["organization_id"],
            &["custom_fields", "email", "notes", "phone", "name"],
        ),
        Object::Companies => (vec![], &["address", "custom_fields", "notes", "name"]),
        Object::Deals => (
            vec!["person_id", "organization_id", "status"],
            &["custom_fields", "notes", "title"],
        ),
        _ => (
            vec!["person_id", "organization_id"],
            &["custom_fields", "notes", "title"],
        ),
    };
    let links = allowed.clone();
    allowed.extend(["term", "fields", "exact_match", "include_fields", "limit", "cursor"]);
    no_other(request, &allowed)?;
    let exact = match request.param("exact_match") {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(bad("Validation failed: exact_match: Must be true or false")),
    };
    let term = request.param("term").unwrap_or_default().to_lowercase();
    if term.chars().count() < if exact { 1 } else { 2 } {
        return Err(bad("Validation failed: term: Too short"));
    }
    let fields = request
        .param("fields")
        .map_or_else(|| known.to_vec(), |fields| fields.split(',').collect());
    if let Some(field) = fields.iter().find(|field| !known.contains(field)) {
        return Err(bad(format!("Validation failed: fields: Invalid value '{field}'")));
    }
    let config = tenant.config();
    let limit = list::limit(request, config.max_per_page)?;
    let start = match request.param("cursor") {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| bad("Invalid cursor"))?,
    };
    let mut wanted = Vec::new();
    for name in links.into_iter().filter(|name| *name != "status") {
        // A deal's member is org_id, though the parameter is not.
        let member = if name == "organization_id" && object != Object::Leads {
            "org_id"
        } else {
            name
        };
        wanted.extend(number(request, name)?.map(|id| (member, id)));
    }
    let state = request.param("status");
    if state.is_some_and(|state| !["open", "won", "lost"].contains(&state)) {
        return Err(bad("Validation failed: status: Invalid value"));
    }
    let table = tenant.table(object).read();
    let hits = |record: &Record| {
        let texts = fields
            .iter()
            .flat_map(|field| texts(record, field, &config.custom_fields));
        let matched = texts.map(|text| text.to_lowercase()).any(|text| match exact {
            true => text == term,
            false => text.contains(&term),
        });
        matched
            && state.is_none_or(|state| super::records::status(record) == state)
            && wanted
                .iter()
                .all(|(name, id)| record.fields.get(*name).and_then(Value::as_u64) == Some(*id))
    };
    let found: Vec<Value> = table
        .view(Order::Id, None)
        .iter()
        .map(|row| Record::read(row, &config))
        .filter(hits)
        .skip(start)
        .take(limit.saturating_add(1))
        .map(|record| json!({ "result_score": 1.0, "item": item(object, &record) }))
        .collect();
    let next = (found.len() > limit).then(|| (start + limit).to_string());
    let items: Vec<&Value> = found.iter().take(limit).collect();
    Ok(fine(
        json!({ "success": true, "data": { "items": items }, "additional_data": { "next_cursor": next } }),
    ))
}

fn texts(record: &Record, field: &str, custom: &[String]) -> Vec<String> {
    match field {
        "title" | "name" => record.text("name").into_iter().collect(),
        "custom_fields" => custom.iter().filter_map(|name| record.text(name)).collect(),
        "email" | "phone" => {
            let list = record.fields.get(&format!("{field}s")).and_then(Value::as_array);
            let more = list.into_iter().flatten().filter_map(|one| one.get("value")?.as_str());
            record.text(field).into_iter().chain(more.map(str::to_owned)).collect()
        }
        _ => record.text(field).into_iter().collect(),
    }
}

fn item(object: Object, record: &Record) -> Value {
    let name = record.text("name").unwrap_or_default();
    let one = |field: &str| record.text(field).map_or_else(Vec::new, |value| vec![value]);
    let id = record.id.to_value();
    let owner = json!({ "id": owner(record) });
    match object {
        Object::Contacts => json!({
            "id": id, "type": "person", "name": name, "phones": one("phone"), "emails": one("email"),
            "primary_email": record.text("email"), "visible_to": 7, "owner": owner, "custom_fields": [], "notes": [],
        }),
        Object::Companies => json!({
            "id": id, "type": "organization", "name": name, "visible_to": 7, "owner": owner, "custom_fields": [], "notes": [],
        }),
        Object::Deals => json!({
            "id": id, "type": "deal", "title": name, "visible_to": 7, "owner": owner, "custom_fields": [], "notes": [],
            "value": 0, "currency": "EUR", "status": super::records::status(record),
        }),
        _ => json!({
            "id": id, "type": "lead", "title": name, "visible_to": 3, "owner": owner, "custom_fields": [], "notes": [],
            "phones": [], "emails": [], "is_archived": false,
        }),
    }
}

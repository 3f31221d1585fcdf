//! Rows as Pipedrive's records: persons, organizations and deals of v2, leads of v1.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fields::{self, Write};
use crate::dialects::common::{Fields, Record};
use crate::store::Object;
use crate::tenant::Config;

/// What a record has besides the fields that are its object's own.
pub fn show(object: Object, record: &Record, config: &Config, gone: bool) -> Value {
    let mut shown = match object {
        Object::Contacts => person(record),
        Object::Companies => members(json!({ "name": name(record) })),
        Object::Deals => deal(record, gone),
        _ => return lead(record, config),
    };
    shown.insert("id".into(), record.id.to_value());
    shown.insert("owner_id".into(), owner(record).into());
    shown.entry("visible_to").or_insert(7.into());
    shown.entry("label_ids").or_insert(json!([]));
    for (key, time) in [("add_time", record.created), ("update_time", record.updated)] {
        // Not null, as v2 has none there: a row without a time has no such member.
        if let Some(time) = time {
            shown.insert(key.into(), seconds(time));
        }
    }
    shown.insert("is_deleted".into(), gone.into());
    as_written(object, record, &mut shown);
    let custom = config.custom_fields.iter();
    let custom: Map<String, Value> = custom
        .filter_map(|key| Some((key.clone(), record.fields.get(key)?.clone())))
        .collect();
    shown.insert("custom_fields".into(), custom.into());
    Value::Object(shown)
}

/// What was written under Pipedrive's own names is in the row under these.
fn as_written(object: Object, record: &Record, shown: &mut Fields) {
    for field in fields::of(object) {
        let own = ["name", "title", "owner_id", "emails", "phones", "add_time", "status"].contains(&field.name);
        let nullable = matches!(field.write, Write::OrNull | Write::CreateOrNull);
        match record.fields.get(field.name) {
            Some(value) if !own && (nullable || !value.is_null()) => {
                shown.insert(field.name.into(), value.clone());
            }
            _ => {}
        }
    }
}

fn person(record: &Record) -> Fields {
    members(json!({
        "name": name(record),
        "first_name": record.first_name(),
        "last_name": record.last_name(),
        "emails": values(record, "emails", "email"),
        "phones": values(record, "phones", "phone"),
        "notes": record.text("notes").unwrap_or_default(),
    }))
}

fn deal(record: &Record, gone: bool) -> Fields {
    let status = if gone { "deleted" } else { status(record) };
    let mut shown = members(json!({
        "title": name(record),
        "creator_user_id": 1,
        "pipeline_id": 1,
        "stage_id": 1,
        "value": 0,
        "currency": "EUR",
        "is_archived": false,
        "status": status,
        "probability": null,
        "lost_reason": null,
        "close_time": null,
        "origin": "API",
        "origin_id": null,
        "channel": null,
        "channel_id": null,
        "source_lead_id": null,
        "arr": null,
        "mrr": null,
        "acv": null,
    }));
    if let Some(created) = record.created {
        shown.insert("stage_change_time".into(), seconds(created));
    }
    shown
}

/// The sandbox's rows have five states, deals three.
pub fn status(record: &Record) -> &'static str {
    match record.text("status").as_deref() {
        Some("won" | "converted") => "won",
        Some("lost") => "lost",
        _ => "open",
    }
}

fn lead(record: &Record, config: &Config) -> Value {
    let mut shown = members(json!({
        "id": record.id.to_value(),
        "title": name(record),
        "owner_id": owner(record),
        "creator_id": 1,
        "label_ids": [],
        "person_id": null,
        "organization_id": null,
        "source_name": "API",
        "origin": "API",
        "origin_id": null,
        "channel": null,
        "channel_id": null,
        "is_archived": false,
        "was_seen": false,
        "value": null,
        "expected_close_date": null,
        "visible_to": "3",
        "cc_email": "sandbox+1+lead@pipedrivemail.test",
    }));
    for (key, time) in [("add_time", record.created), ("update_time", record.updated)] {
        if let Some(time) = time {
            shown.insert(key.into(), format!("{time:.3}").into());
        }
    }
    as_written(Object::Leads, record, &mut shown);
    // A custom field without a value does not appear.
    for key in &config.custom_fields {
        if let Some(value) = record.fields.get(key).filter(|value| !value.is_null()) {
            shown.insert(key.clone(), value.clone());
        }
    }
    Value::Object(shown)
}

/// As written, if the first is still the row's own; else the row's own, made into a list.
fn values(record: &Record, list: &str, single: &str) -> Value {
    let own = record.text(single).unwrap_or_default();
    if let Some(written) = record
        .fields
        .get(list)
        .filter(|written| primary(written).as_deref().unwrap_or_default() == own)
    {
        return written.clone();
    }
    match own.as_str() {
        "" => json!([]),
        own => json!([{ "value": own, "primary": true, "label": "work" }]),
    }
}

/// The value that is marked, or else the first.
pub fn primary(list: &Value) -> Option<String> {
    let all = list.as_array()?;
    let marked = all.iter().find(|one| one.get("primary") == Some(&Value::Bool(true)));
    let value = marked.or_else(|| all.first())?.get("value")?;
    Some(value.as_str()?.to_owned())
}

fn name(record: &Record) -> String {
    record.text("name").unwrap_or_default()
}

/// Users are numbers here; the sandbox's rows name them by their address.
pub fn owner(record: &Record) -> u64 {
    record.text("owner").and_then(|owner| owner.parse().ok()).unwrap_or(1)
}

fn seconds(time: Timestamp) -> Value {
    format!("{time:.0}").into()
}

pub fn members(value: Value) -> Fields {
    match value {
        Value::Object(members) => members,
        _ => Fields::new(),
    }
}

//! POST, PUT and PATCH: the body's fields become a row, once per Idempotency-Key.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::item::missing;
use crate::answer::{Answer, Errors};
use crate::store::{Id, Object, Row};
use crate::tenant::{Config, Tenant};
use crate::validate::{self, FIELDS, READ_ONLY};

type Fields = Map<String, Value>;

pub fn create(tenant: &Tenant, object: Object, headers: &HeaderMap, body: Bytes) -> Answer {
    let config = tenant.config();
    let key = headers
        .get("idempotency-key")
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let Some(key) = key else {
        return match parse(&body, true, &config) {
            Ok(fields) => created(insert(tenant, object, fields, &config)),
            Err(refusal) => refusal,
        };
    };
    // Held to the end, so that a second request with the key waits for the first one's row.
    let mut known = tenant.created();
    match known.find(object, &key) {
        Some((request, row)) if request == body => return created(row),
        Some(_) => {
            let message = "This key was used with another body.";
            return Errors::one("Idempotency-Key", message).into();
        }
        None => {}
    }
    match parse(&body, true, &config) {
        Ok(fields) => {
            let row = insert(tenant, object, fields, &config);
            known.remember(object, &key, body, row.clone());
            created(row)
        }
        Err(refusal) => refusal,
    }
}

/// Replaces what a client may write; fields that are not given become empty.
pub fn put(tenant: &Tenant, object: Object, id: &str, body: &[u8]) -> Answer {
    let config = tenant.config();
    change(tenant, object, id, &config, |old| {
        let mut fields = parse(body, true, &config)?;
        let created_at = old.fields().and_then(|mut old| old.remove("created_at"));
        fields.retain(|field, _| !READ_ONLY.contains(&field.as_str()));
        Ok(complete(&old.id, fields, created_at.unwrap_or(Value::Null)))
    })
}

pub fn patch(tenant: &Tenant, object: Object, id: &str, body: &[u8]) -> Answer {
    let config = tenant.config();
    change(tenant, object, id, &config, |old| {
        let given = parse(body, false, &config)?;
        let mut fields = old.fields().ok_or_else(|| {
            let message = "This row was given raw and is no JSON object: it cannot be patched.";
            Answer::error(StatusCode::CONFLICT, message)
        })?;
        for (field, value) in given {
            if !READ_ONLY.contains(&field.as_str()) {
                fields.insert(field, value);
            }
        }
        Ok(fields)
    })
}

/// Every write moves the row's time, also one that changes nothing: CRMs do.
fn change(
    tenant: &Tenant,
    object: Object,
    id: &str,
    config: &Config,
    edit: impl FnOnce(&Row) -> Result<Fields, Answer>,
) -> Answer {
    let mut table = tenant.table(object).write();
    let Some(old) = table.find(id).cloned() else {
        return missing(object);
    };
    let mut fields = match edit(&old) {
        Ok(fields) => fields,
        Err(refusal) => return refusal,
    };
    let now = config.now();
    fields.insert("updated_at".into(), config.timestamps.write(now));
    let row = Row::new(old.id.clone(), Some(now), fields);
    let json = row.json.clone();
    table.put(vec![row]);
    Answer::json(StatusCode::OK, json)
}

fn insert(tenant: &Tenant, object: Object, mut given: Fields, config: &Config) -> Bytes {
    given.retain(|field, _| !READ_ONLY.contains(&field.as_str()));
    let mut table = tenant.table(object).write();
    let id = table.make_id(config.ids, object);
    let now = config.now();
    let written = config.timestamps.write(now);
    let mut fields = complete(&id, given, written.clone());
    fields.insert("updated_at".into(), written);
    let row = Row::new(id, Some(now), fields);
    let json = row.json.clone();
    table.put(vec![row]);
    json
}

/// All fields in the CRM's order, the ones it does not know after its own.
fn complete(id: &Id, mut given: Fields, created_at: Value) -> Fields {
    let mut fields = Fields::new();
    fields.insert("id".into(), id.to_value());
    for field in FIELDS {
        let value = given.shift_remove(field).unwrap_or_else(|| match field {
            "status" => json!("new"),
            "tags" => json!([]),
            _ => Value::Null,
        });
        fields.insert(field.into(), value);
    }
    fields.extend(given);
    fields.insert("created_at".into(), created_at);
    fields.insert("updated_at".into(), Value::Null);
    fields
}

fn created(row: Bytes) -> Answer {
    Answer::json(StatusCode::CREATED, row)
}

fn parse(body: &[u8], whole: bool, config: &Config) -> Result<Fields, Answer> {
    let value: Value = serde_json::from_slice(body).map_err(|reason| {
        let message = format!("The body is not JSON: {reason}.");
        Answer::error(StatusCode::BAD_REQUEST, message)
    })?;
    let fields = match value {
        Value::Object(fields) => fields,
        // PHP writes an object without fields so.
        Value::Array(list) if list.is_empty() => Fields::new(),
        _ => return Err(Errors::one("body", "Must be a JSON object.").into()),
    };
    validate::check(&fields, whole, config.strict)?;
    Ok(fields)
}

//! Rows behind the API's back: seeded, given word for word, touched, removed, read.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Refusal, Reply, fine, tenant};
use crate::answer::Answer;
use crate::app::App;
use crate::paging::array;
use crate::seed::Sower;
use crate::store::{Id, Object, Order, Row, Table};
use crate::tenant::Config;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    tenant: String,
    object: Object,
    count: usize,
    #[serde(default = "first")]
    seed: u64,
    #[serde(default = "usual")]
    bytes: usize,
}

fn first() -> u64 {
    1
}

fn usual() -> usize {
    400
}

pub fn seed(app: &App, seed: Seed) -> Reply {
    let tenant = tenant(app, &seed.tenant)?;
    let config = tenant.config();
    let mut table = tenant.table(seed.object).write();
    let sower = Sower {
        seed: seed.seed,
        object: seed.object,
        bytes: seed.bytes,
        timestamps: config.timestamps,
    };
    let rows = (0..seed.count)
        .map(|_| {
            let id = table.make_id(config.id_kind(seed.object), seed.object);
            sower.row(id, table.last())
        })
        .collect();
    table.put(rows);
    fine(json!({ "added": seed.count, "rows": table.len() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upsert {
    tenant: String,
    object: Object,
    #[serde(default)]
    rows: Vec<Map<String, Value>>,
    /// Served byte for byte.
    #[serde(default)]
    raw: Vec<String>,
    /// The same for bytes that are no text.
    #[serde(default)]
    raw_base64: Vec<String>,
}

pub fn upsert(app: &App, upsert: Upsert) -> Reply {
    let tenant = tenant(app, &upsert.tenant)?;
    let config = tenant.config();
    let mut raw: Vec<Bytes> = upsert.raw.into_iter().map(Bytes::from).collect();
    for text in &upsert.raw_base64 {
        let bytes = BASE64_STANDARD
            .decode(text)
            .map_err(|reason| format!("\"raw_base64\" is not base64: {reason}"))?;
        raw.push(bytes.into());
    }
    let mut table = tenant.table(upsert.object).write();
    let mut rows = Vec::new();
    for fields in upsert.rows {
        rows.push(verbatim(fields, &mut table, upsert.object, &config)?);
    }
    for json in raw {
        rows.push(exact(json, &mut table, upsert.object, &config));
    }
    let ids: Vec<Value> = rows.iter().map(|row| row.id.to_value()).collect();
    table.put(rows);
    fine(json!({ "ids": ids }))
}

fn verbatim(
    mut fields: Map<String, Value>,
    table: &mut Table,
    object: Object,
    config: &Config,
) -> Result<Row, Refusal> {
    let id = match fields.get("id") {
        Some(value) => {
            Id::from_value(value).ok_or_else(|| format!("an \"id\" is a string or a number, not {value}"))?
        }
        None => {
            let id = table.make_id(config.id_kind(object), object);
            fields.shift_insert(0, "id".into(), id.to_value());
            id
        }
    };
    if !fields.contains_key("updated_at") {
        let now = config.now();
        fields.insert("updated_at".into(), config.timestamps.write(now));
    }
    let time = config.timestamps.read(fields.get("updated_at"));
    Ok(Row::new(id, time, fields))
}

/// Where the bytes do not say their id or time, the row has ones of its own that are not served.
fn exact(json: Bytes, table: &mut Table, object: Object, config: &Config) -> Row {
    let fields: Map<String, Value> = serde_json::from_str(&String::from_utf8_lossy(&json)).unwrap_or_default();
    let id = fields
        .get("id")
        .and_then(Id::from_value)
        .unwrap_or_else(|| table.make_id(config.id_kind(object), object));
    let time = match fields.get("updated_at") {
        None => Some(config.now()),
        value => config.timestamps.read(value),
    };
    Row { id, time, json }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    tenant: String,
    object: Object,
    ids: Vec<Value>,
}

pub fn delete(app: &App, delete: Delete) -> Reply {
    let tenant = tenant(app, &delete.tenant)?;
    let mut ids = Vec::new();
    for value in &delete.ids {
        let id = Id::from_value(value).ok_or_else(|| format!("an id is a string or a number, not {value}"))?;
        ids.push(id);
    }
    let now = tenant.config().now();
    let deleted = tenant.table(delete.object).write().remove(&ids, now);
    fine(json!({ "deleted": deleted }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touch {
    tenant: String,
    object: Object,
    count: usize,
}

/// The first `count` rows in id order get another phone and one time, now.
pub fn touch(app: &App, touch: Touch) -> Reply {
    let tenant = tenant(app, &touch.tenant)?;
    let config = tenant.config();
    let (format, now) = (config.timestamps, config.now());
    let mut table = tenant.table(touch.object).write();
    let rows: Vec<Row> = table
        .view(Order::Id, None)
        .iter()
        .take(touch.count)
        .filter_map(|row| {
            let mut fields = row.fields()?;
            fields.insert("phone".into(), phone(fields.get("phone"), now).into());
            fields.insert("updated_at".into(), format.write(now));
            Some(Row::new(row.id.clone(), Some(now), fields))
        })
        .collect();
    let ids: Vec<Value> = rows.iter().map(|row| row.id.to_value()).collect();
    table.put(rows);
    fine(json!({ "ids": ids }))
}

/// Another one than before, also twice in one second.
fn phone(before: Option<&Value>, now: Timestamp) -> String {
    let number = now.as_microsecond().rem_euclid(100_000_000);
    let phone = |number: i64| format!("+49 30 {number:08}");
    match before {
        Some(Value::String(before)) if *before == phone(number) => phone((number + 1).rem_euclid(100_000_000)),
        _ => phone(number),
    }
}

pub fn list(app: &App, call: &Call<'_>) -> Reply {
    let [Some(id), Some(object)] = call.parameters(["tenant", "object"])? else {
        return Err(String::from("/rows: \"tenant\" and \"object\" are needed").into());
    };
    let object = Object::from_name(&object).ok_or_else(|| format!("there is no object {object:?}"))?;
    let tenant = tenant(app, &id)?;
    let order = tenant.config().order;
    let table = tenant.table(object).read();
    let mut body = BytesMut::new();
    array(&table.view(order, None), &mut body);
    Ok(Answer::json(StatusCode::OK, body))
}

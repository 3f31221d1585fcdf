//! v1's feed of changes: the only list that tells of deleted persons and organizations. Times are UTC without a zone.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::records::{members, owner, primary, status};
use super::{Wrong, bad, fine, no_other, number};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::Record;
use crate::filter::TimeFormat;
use crate::store::{Object, Order, Row};
use crate::tenant::Tenant;

const KINDS: [(&str, Object); 3] = [
    ("person", Object::Contacts),
    ("organization", Object::Companies),
    ("deal", Object::Deals),
];
/// What the sandbox has none of.
const OTHERS: [&str; 9] = [
    "activity",
    "activityType",
    "file",
    "filter",
    "note",
    "pipeline",
    "product",
    "stage",
    "user",
];

struct Change {
    at: Option<Timestamp>,
    kind: &'static str,
    row: Arc<Row>,
    gone: bool,
}

pub fn list(tenant: &Tenant, request: &Request<'_>) -> Result<Answer, Wrong> {
    no_other(request, &["since_timestamp", "items", "start", "limit"])?;
    let text = request.param("since_timestamp").unwrap_or_default();
    let naive = text.len() == 19 && text.as_bytes().get(10) == Some(&b' ');
    let since = TimeFormat::Naive.parse(text).filter(|_| naive);
    let since = since.ok_or_else(|| bad("since_timestamp must be YYYY-MM-DD HH:MM:SS"))?;
    let items: Option<Vec<&str>> = request.param("items").map(|items| items.split(',').collect());
    let known = |item: &&str| OTHERS.contains(item) || KINDS.iter().any(|(kind, _)| kind == item);
    if let Some(item) = items.iter().flatten().find(|item| !known(item)) {
        return Err(bad(format!("'{item}' is no item type")));
    }
    let config = tenant.config();
    let limit = number(request, "limit")?
        .unwrap_or(100)
        .clamp(1, config.max_per_page.min(500) as u64);
    let start = number(request, "start")?.unwrap_or(0);
    let before = since.checked_sub(jiff::SignedDuration::from_nanos(1)).ok();
    let mut changes = Vec::new();
    for (kind, object) in KINDS {
        if items.as_ref().is_some_and(|items| !items.contains(&kind)) {
            continue;
        }
        let table = tenant.table(object).read();
        changes.extend(table.view(Order::UpdatedAt, before).iter().map(|row| Change {
            at: row.time,
            kind,
            row: row.clone(),
            gone: false,
        }));
        let gone = table.tombstones().iter().filter(|gone| gone.at >= since);
        changes.extend(gone.map(|gone| Change {
            at: Some(gone.at),
            kind,
            row: gone.row.clone(),
            gone: true,
        }));
    }
    changes.sort_by(|a, b| (a.at, a.kind, &a.row.id).cmp(&(b.at, b.kind, &b.row.id)));
    let page = changes.iter().skip(start as usize).take(limit as usize);
    let more = (changes.len() as u64) > start.saturating_add(limit);
    let data: Vec<Value> = page
        .clone()
        .map(|change| {
            let record = Record::read(&change.row, &config);
            json!({ "item": change.kind, "id": record.id.to_value(), "data": show(change, &record) })
        })
        .collect();
    let mut additional = json!({
        "since_timestamp": text,
        "pagination": { "start": start, "limit": limit, "more_items_in_collection": more },
    });
    if let (Some(last), Value::Object(additional)) =
        (page.clone().next_back().and_then(|change| change.at), &mut additional)
    {
        additional.insert("last_timestamp_on_page".into(), TimeFormat::Naive.write(last));
    }
    if let (Some(Value::Object(pagination)), true) = (additional.get_mut("pagination"), more) {
        pagination.insert("next_start".into(), (start + limit).into());
    }
    Ok(fine(
        json!({ "success": true, "data": data, "additional_data": additional }),
    ))
}

/// v1's shape: other names and times than v2's.
fn show(change: &Change, record: &Record) -> Value {
    let name = record.text("name").unwrap_or_default();
    let list = |key: &str, single: &str| {
        let value = record.fields.get(key).and_then(primary).or_else(|| record.text(single));
        value.map_or_else(
            || json!([]),
            |value| json!([{ "value": value, "primary": true, "label": "work" }]),
        )
    };
    let mut shown = members(match change.kind {
        "person" => json!({
            "name": name, "first_name": record.first_name(), "last_name": record.last_name(), "owner_id": owner(record),
            "email": list("emails", "email"), "phone": list("phones", "phone"), "active_flag": !change.gone, "visible_to": "7",
        }),
        "organization" => json!({ "name": name, "active_flag": !change.gone, "visible_to": "7" }),
        _ => json!({
            "title": name, "user_id": owner(record), "deleted": change.gone, "active": !change.gone, "visible_to": "7",
            "status": if change.gone { "deleted" } else { status(record) },
        }),
    });
    shown.insert("id".into(), record.id.to_value());
    let times = [("add_time", record.created), ("update_time", change.at)];
    shown.extend(
        times
            .into_iter()
            .filter_map(|(key, time)| Some((key.into(), TimeFormat::Naive.write(time?)))),
    );
    Value::Object(shown)
}

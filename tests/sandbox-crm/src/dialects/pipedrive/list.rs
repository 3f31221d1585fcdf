//! v2's lists: sorted, filtered, paged by a cursor that is a key; and single records.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::{owner, show, status};
use super::{Wrong, bad, fine, no_other, number};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::Record;
use crate::store::{Id, Object, Order, Row, Table, Tombstone};
use crate::tenant::{Config, Tenant};

const COMMON: [&str; 13] = [
    "filter_id",
    "ids",
    "owner_id",
    "updated_since",
    "updated_until",
    "sort_by",
    "sort_direction",
    "include_fields",
    "custom_fields",
    "include_option_labels",
    "include_labels",
    "limit",
    "cursor",
];
const SINGLE: [&str; 4] = [
    "include_fields",
    "custom_fields",
    "include_option_labels",
    "include_labels",
];
/// What `include_fields` adds for all three.
const EXTRA: [&str; 10] = [
    "next_activity_id",
    "last_activity_id",
    "email_messages_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "files_count",
    "notes_count",
    "followers_count",
    "smart_bcc_email",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Id,
    UpdateTime,
    AddTime,
}

/// The last record of the page before, and the order that it is meant for.
#[derive(Serialize, Deserialize)]
struct Cursor {
    by: Sort,
    descending: bool,
    /// Nanoseconds.
    time: Option<String>,
    id: Value,
}

pub fn list(tenant: &Tenant, request: &Request<'_>, object: Object) -> Result<Answer, Wrong> {
    let own: &[&str] = match object {
        Object::Contacts => &["org_id", "deal_id"],
        Object::Companies => &[],
        _ => &["org_id", "person_id", "pipeline_id", "stage_id", "status"],
    };
    let allowed: Vec<&str> = COMMON.iter().chain(own).copied().collect();
    no_other(request, &allowed)?;
    extras(request)?;
    if request.param("filter_id").is_some() {
        return Err(bad("Filter not found"));
    }
    let config = tenant.config();
    let asked = Asked::read(request, &config, own)?;
    let table = tenant.table(object).read();
    let mut shown = Vec::new();
    let mut last = None;
    let mut next = None;
    let rows = asked.rows(&table, &config);
    for row in asked.after_cursor(&rows, &config)? {
        let record = Record::read(row, &config);
        let gone = table.get(&row.id).is_none();
        if !asked.passes(&record) {
            continue;
        }
        if shown.len() == asked.limit {
            next = last;
            break;
        }
        shown.push(show(object, &record, &config, gone));
        last = Some(asked.cursor(row, &config));
    }
    Ok(fine(
        json!({ "success": true, "data": shown, "additional_data": { "next_cursor": next } }),
    ))
}

pub fn get(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &SINGLE)?;
    extras(request)?;
    whole(id)?;
    let config = tenant.config();
    let table = tenant.table(object).read();
    let row = table.find(id).ok_or_else(|| missing(object))?;
    let record = Record::read(row, &config);
    Ok(fine(
        json!({ "success": true, "data": show(object, &record, &config, false) }),
    ))
}

pub fn missing(object: Object) -> Wrong {
    let name = match object {
        Object::Contacts => "Person",
        Object::Companies => "Organization",
        _ => "Deal",
    };
    (StatusCode::NOT_FOUND, format!("{name} not found"))
}

/// v2's ids are whole numbers.
pub fn whole(id: &str) -> Result<(), Wrong> {
    match id.parse::<u64>() {
        Ok(number) if number.to_string() == id => Ok(()),
        _ => Err(bad("Validation failed: id: Expected a whole number")),
    }
}

/// 100, and not more than 500 or the tenant's own most.
pub fn limit(request: &Request<'_>, most: usize) -> Result<usize, Wrong> {
    match number(request, "limit")?.unwrap_or(100) {
        limit @ 1..=500 => Ok(most.min(limit as usize)),
        _ => Err(bad("Validation failed: limit: Must be from 1 to 500")),
    }
}

/// The rows say nothing of activities: the extra fields are only looked at.
fn extras(request: &Request<'_>) -> Result<(), Wrong> {
    let deals = |name: &str| name.ends_with("_deals_count") || name.ends_with("_time") || name.ends_with("_status");
    let known = |name: &&str| EXTRA.contains(name) || deals(name) || ["people_count", "source_lead_id"].contains(name);
    let named = request.param("include_fields").unwrap_or_default();
    if let Some(name) = named.split(',').find(|name| !name.is_empty() && !known(name)) {
        return Err(bad(format!(
            "Validation failed: include_fields: Invalid value '{name}'"
        )));
    }
    match request.param("custom_fields").map(|keys| keys.split(',').count()) {
        Some(16..) => Err(bad("Validation failed: custom_fields: At most 15 keys are allowed")),
        _ => Ok(()),
    }
}

struct Asked {
    by: Sort,
    descending: bool,
    limit: usize,
    cursor: Option<Cursor>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    ids: Option<Vec<String>>,
    owner: Option<u64>,
    links: Vec<(String, u64)>,
    status: Option<Vec<String>>,
}

impl Asked {
    fn read(request: &Request<'_>, config: &Config, own: &[&str]) -> Result<Self, Wrong> {
        let by = match request.param("sort_by") {
            None | Some("id") => Sort::Id,
            Some("update_time") => Sort::UpdateTime,
            Some("add_time") => Sort::AddTime,
            Some(_) => return Err(bad("Validation failed: sort_by: Invalid value")),
        };
        let descending = match request.param("sort_direction") {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(bad("Validation failed: sort_direction: Invalid value")),
        };
        let ids: Option<Vec<String>> = request
            .param("ids")
            .map(|ids| ids.split(',').map(str::to_owned).collect());
        if let Some(ids) = &ids {
            if ids.len() > 100 {
                return Err(bad("Validation failed: ids: At most 100 ids are allowed"));
            }
            ids.iter().try_for_each(|id| whole(id))?;
        }
        let mut links = Vec::new();
        for name in own.iter().filter(|name| **name != "status") {
            if let Some(id) = number(request, name)? {
                links.push(((*name).to_owned(), id));
            }
        }
        let cursor = match request.param("cursor") {
            None => None,
            Some(text) => Some(Cursor::decode(text, by, descending).ok_or_else(|| bad("Invalid cursor"))?),
        };
        Ok(Self {
            by,
            descending,
            limit: limit(request, config.max_per_page)?,
            cursor,
            since: time(request, "updated_since")?,
            until: time(request, "updated_until")?,
            ids,
            owner: number(request, "owner_id")?,
            links,
            status: statuses(request)?,
        })
    }

    /// In the order asked for, ascending.
    fn rows(&self, table: &Table, config: &Config) -> Vec<Arc<Row>> {
        if let Some(ids) = &self.ids {
            let mut rows: Vec<Arc<Row>> = ids.iter().filter_map(|id| table.find(id).cloned()).collect();
            rows.sort_by_cached_key(|row| self.key(row, config));
            rows.dedup_by(|a, b| a.id == b.id);
            return rows;
        }
        let order = if self.by == Sort::UpdateTime {
            Order::UpdatedAt
        } else {
            Order::Id
        };
        // A view is of what is later; the parameter includes its own second.
        let before = self
            .since
            .and_then(|since| since.checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
        let mut rows = table.view(order, before).to_vec();
        let deleted = self.status.iter().flatten().any(|status| status == "deleted");
        if deleted {
            let gone = table.tombstones().iter().map(|gone| buried(gone, config));
            rows.extend(gone.filter(|row| self.since.is_none() || row.time >= self.since));
        }
        if deleted || self.by == Sort::AddTime {
            rows.sort_by_cached_key(|row| self.key(row, config));
        }
        rows
    }

    fn key(&self, row: &Row, config: &Config) -> (Option<Timestamp>, Id) {
        let time = match self.by {
            Sort::Id => None,
            Sort::UpdateTime => row.time,
            Sort::AddTime => Record::read(row, config).created,
        };
        (time, row.id.clone())
    }

    fn after_cursor<'a>(&self, rows: &'a [Arc<Row>], config: &Config) -> Result<Vec<&'a Arc<Row>>, Wrong> {
        let whole = rows.iter();
        let Some(cursor) = &self.cursor else {
            return Ok(if self.descending {
                whole.rev().collect()
            } else {
                whole.collect()
            });
        };
        let at = cursor.key().ok_or_else(|| bad("Invalid cursor"))?;
        Ok(if self.descending {
            let end = rows.partition_point(|row| self.key(row, config) < at);
            rows.iter().take(end).rev().collect()
        } else {
            let start = rows.partition_point(|row| self.key(row, config) <= at);
            rows.iter().skip(start).collect()
        })
    }

    fn cursor(&self, row: &Row, config: &Config) -> String {
        let (time, id) = self.key(row, config);
        let cursor = json!({
            "by": self.by, "descending": self.descending, "id": id.to_value(),
            "time": time.map(|time| time.as_nanosecond().to_string()),
        });
        BASE64_URL_SAFE_NO_PAD.encode(cursor.to_string())
    }

    fn passes(&self, record: &Record) -> bool {
        let linked = |(name, id): &(String, u64)| match record.fields.get(name) {
            Some(value) => value.as_u64() == Some(*id),
            // The pipeline and stage that a deal is in where nothing else was said.
            None => ["pipeline_id", "stage_id"].contains(&name.as_str()) && *id == 1,
        };
        let gone = record.fields.get("is_deleted") == Some(&Value::Bool(true));
        let status = if gone { "deleted" } else { status(record) };
        self.until.is_none_or(|until| record.updated < Some(until))
            && self.owner.is_none_or(|id| owner(record) == id)
            && self.links.iter().all(linked)
            && self
                .status
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|one| one == status))
    }
}

impl Cursor {
    fn decode(text: &str, by: Sort, descending: bool) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Self = serde_json::from_slice(&bytes).ok()?;
        (cursor.by == by && cursor.descending == descending).then_some(cursor)
    }

    fn key(&self) -> Option<(Option<Timestamp>, Id)> {
        let time = match &self.time {
            None => None,
            Some(nanos) => Some(Timestamp::from_nanosecond(nanos.parse().ok()?).ok()?),
        };
        Some((time, Id::from_value(&self.id)?))
    }
}

/// A deleted deal as it is listed: changed when it went.
fn buried(gone: &Tombstone, config: &Config) -> Arc<Row> {
    let mut fields = gone.row.fields().unwrap_or_default();
    fields.insert("updated_at".into(), config.timestamps.write(gone.at));
    fields.insert("is_deleted".into(), true.into());
    Arc::new(Row::new(gone.row.id.clone(), Some(gone.at), fields))
}

fn statuses(request: &Request<'_>) -> Result<Option<Vec<String>>, Wrong> {
    let Some(text) = request.param("status") else {
        return Ok(None);
    };
    let all: Vec<String> = text.split(',').map(str::to_owned).collect();
    match all
        .iter()
        .find(|one| !["open", "won", "lost", "deleted"].contains(&one.as_str()))
    {
        Some(one) => Err(bad(format!("Validation failed: status: Invalid value '{one}'"))),
        None => Ok(Some(all)),
    }
}

/// RFC 3339 with its zone, and nothing else.
pub fn time(request: &Request<'_>, name: &str) -> Result<Option<Timestamp>, Wrong> {
    let Some(text) = request.param(name) else {
        return Ok(None);
    };
    let shape = text.as_bytes().get(10) == Some(&b'T') && !text.contains('[');
    match text.parse::<Timestamp>() {
        Ok(time) if shape => Ok(Some(time)),
        _ => Err(bad(format!(
            "Validation failed: {name}: Must be RFC 3339, as 2025-01-01T10:20:00Z"
        ))),
    }
}

//! GET: lists in pages, what has changed since a delta link, and one row.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use hyper::StatusCode;
use jiff::SignedDuration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::answer::{self, Reply, bad, fault};
use super::entity::{Entity, Key, etag, mark};
use super::{filter, prefers, unknown};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::columns::Column;
use crate::dialects::common::id_text;
use crate::store::{Id, Order, Row, Table};
use crate::tenant::{Config, Cursor, Tenant};

const MOST: usize = 5000;
const LIST: [&str; 7] = [
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$count",
    "$skiptoken",
    "$deltatoken",
];

pub fn list(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity) -> Reply {
    unknown(request, &LIST)?;
    let config = tenant.config();
    let columns = select(request, entity, &config)?;
    let table = tenant.table(entity.object).read();
    if let Some(token) = request.param("$deltatoken") {
        return delta(tenant, request, base, entity, &columns, &table, token);
    }
    let size = match prefers(request, "odata.maxpagesize") {
        None => MOST,
        Some(text) => {
            let size: Option<usize> = text.parse().ok().filter(|size| *size > 0);
            size.ok_or_else(|| bad("odata.maxpagesize must be a number from 1"))?
                .min(MOST)
        }
    };
    let track = prefers(request, "odata.track-changes").is_some();
    if track
        && ["$filter", "$orderby", "$top"]
            .iter()
            .any(|name| request.param(name).is_some())
    {
        return Err(bad(
            "$filter, $orderby and $top are not supported with odata.track-changes.",
        ));
    }
    let (number, start, cursor) = match request.param("$skiptoken") {
        Some(token) => resume(tenant, entity, token)?,
        None => {
            let rows = find(request, entity, &config, &table)?;
            let cursor = Arc::new(snapshot(entity, &rows));
            (None, 0, cursor)
        }
    };
    let rest = cursor.ids.get(start..).unwrap_or_default();
    let rows = rest.iter().take(size).filter_map(|id| table.get(id));
    let value: Vec<Value> = rows.map(|row| entity.show(row, &config, &columns).into()).collect();
    let more = rest.len() > size;
    let mut body = json!({ "@odata.context": context(request, base, entity) });
    if let Value::Object(body) = &mut body {
        if request.param("$count") == Some("true") {
            body.insert("@odata.count".into(), cursor.ids.len().min(MOST).into());
        }
        body.insert("value".into(), value.into());
        let keep = || number.unwrap_or_else(|| keep(tenant, &cursor));
        if more {
            let token = format!("{}-{}", keep(), start + size);
            body.insert(
                "@odata.nextLink".into(),
                link(request, base, entity, "$skiptoken", &token).into(),
            );
        } else if track {
            let token = keep().to_string();
            body.insert(
                "@odata.deltaLink".into(),
                link(request, base, entity, "$deltatoken", &token).into(),
            );
        }
    }
    Ok(Answer::value(StatusCode::OK, &body))
}

fn snapshot(entity: Entity, rows: &[Arc<Row>]) -> Cursor {
    Cursor {
        object: entity.object,
        query: String::new(),
        ids: rows.iter().map(|row| row.id.clone()).collect(),
        marks: rows.iter().map(|row| mark(row)).collect(),
    }
}

fn keep(tenant: &Tenant, cursor: &Cursor) -> u64 {
    let copy = Cursor {
        object: cursor.object,
        query: cursor.query.clone(),
        ids: cursor.ids.clone(),
        marks: cursor.marks.clone(),
    };
    tenant.cursors.lock().keep(copy)
}

type Resumed = (Option<u64>, usize, Arc<Cursor>);

fn resume(tenant: &Tenant, entity: Entity, token: &str) -> Result<Resumed, Answer> {
    let wrong = || bad("The skip token is not valid.");
    let (number, start) = token.split_once('-').ok_or_else(wrong)?;
    let (number, start) = number.parse().ok().zip(start.parse().ok()).ok_or_else(wrong)?;
    let cursor = tenant
        .cursors
        .lock()
        .find(number)
        .filter(|cursor| cursor.object == entity.object);
    Ok((Some(number), start, cursor.ok_or_else(wrong)?))
}

fn select(request: &Request<'_>, entity: Entity, config: &Config) -> Result<Vec<Column>, Answer> {
    match request.param("$select") {
        None => Ok(entity.columns(config)),
        Some(names) => names
            .split(',')
            .map(|name| entity.column(config, name.trim()))
            .collect(),
    }
}

fn find(request: &Request<'_>, entity: Entity, config: &Config, table: &Table) -> Result<Vec<Arc<Row>>, Answer> {
    let conditions = match request.param("$filter") {
        None => Vec::new(),
        Some(text) => filter::parse(text, entity, config)?,
    };
    let order: Vec<(Column, bool)> = match request.param("$orderby") {
        None => Vec::new(),
        Some(text) => text
            .split(',')
            .map(|one| {
                let mut words = one.split_whitespace();
                let column = entity.column(config, words.next().unwrap_or_default())?;
                match (words.next(), words.next()) {
                    (None | Some("asc"), None) => Ok((column, false)),
                    (Some("desc"), None) => Ok((column, true)),
                    _ => Err(answer::syntax()),
                }
            })
            .collect::<Result<_, _>>()?,
    };
    // Where only later ones are asked for, the table has them sorted.
    let bound = conditions.iter().filter_map(filter::Condition::bound).max();
    let since = bound.and_then(|time| time.checked_sub(SignedDuration::from_secs(1)).ok());
    let view = table.view(if since.is_some() { Order::UpdatedAt } else { Order::Id }, since);
    let passes = |row: &&Arc<Row>| conditions.iter().all(|condition| condition.passes(row, config));
    let mut rows: Vec<Arc<Row>> = view.iter().filter(passes).cloned().collect();
    rows.sort_by_cached_key(|row| {
        let keys = order
            .iter()
            .map(|(column, down)| (filter::key(row, column, config), *down));
        Sorted(keys.collect(), row.id.clone())
    });
    if let Some(text) = request.param("$top") {
        let top = text.parse().map_err(|_| bad("$top must be a number"))?;
        rows.truncate(top);
    }
    Ok(rows)
}

/// The keys with their directions (true: descending), then the id.
#[derive(PartialEq)]
struct Sorted(Vec<(filter::Key, bool)>, Id);

impl Eq for Sorted {}

impl Ord for Sorted {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut pairs = self.0.iter().zip(&other.0).map(|((own, down), (other, _))| {
            let order = own.partial_cmp(other).unwrap_or(Ordering::Equal);
            if *down { order.reverse() } else { order }
        });
        let first = pairs.find(|order| *order != Ordering::Equal);
        first.unwrap_or_else(|| self.1.cmp(&other.1))
    }
}

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// New and changed rows first, then the deleted ones.
fn delta(
    tenant: &Tenant,
    request: &Request<'_>,
    base: &str,
    entity: Entity,
    columns: &[Column],
    table: &Table,
    token: &str,
) -> Reply {
    let number = token.parse().map_err(|_| bad("The delta token is not valid."))?;
    let cursor = tenant
        .cursors
        .lock()
        .find(number)
        .filter(|cursor| cursor.object == entity.object);
    let cursor = cursor.ok_or_else(|| {
        let message = "Version stamp associated with the client has expired. Please perform a full sync.";
        fault(StatusCode::BAD_REQUEST, "0x80044352", message)
    })?;
    let config = tenant.config();
    let before: HashMap<&Id, u64> = cursor.ids.iter().zip(cursor.marks.iter().copied()).collect();
    let rows = table.view(Order::UpdatedAt, None);
    let changed = rows.iter().filter(|row| before.get(&row.id) != Some(&mark(row)));
    let mut value: Vec<Value> = changed.map(|row| entity.show(row, &config, columns).into()).collect();
    let gone = cursor.ids.iter().filter(|id| table.get(id).is_none());
    value.extend(gone.map(|id| {
        json!({
            "@odata.context": format!("{base}/$metadata#{}/$deletedEntity", entity.set),
            "id": id_text(id),
            "reason": "deleted",
        })
    }));
    let next = tenant.cursors.lock().keep(snapshot(entity, &rows));
    let body = json!({
        "@odata.context": format!("{base}/$metadata#{}/$delta", entity.set),
        "value": value,
        "@odata.deltaLink": link(request, base, entity, "$deltatoken", &next.to_string()),
    });
    Ok(Answer::value(StatusCode::OK, &body))
}

fn context(request: &Request<'_>, base: &str, entity: Entity) -> String {
    let selected = request.param("$select").map(|names| format!("({names})"));
    format!("{base}/$metadata#{}{}", entity.set, selected.unwrap_or_default())
}

/// Absolute, with what the request asked for.
fn link(request: &Request<'_>, base: &str, entity: Entity, name: &str, token: &str) -> String {
    let mut link = format!("{base}/{}?", entity.set);
    let asked = request
        .pairs
        .iter()
        .filter(|(name, _)| name != "$skiptoken" && name != "$deltatoken");
    for (name, value) in asked {
        link.push_str(&format!("{name}={}&", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    }
    link.push_str(&format!("{name}={token}"));
    link
}

pub fn one(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, key: &Key) -> Reply {
    unknown(request, &["$select"])?;
    let config = tenant.config();
    let columns = select(request, entity, &config)?;
    let table = tenant.table(entity.object).read();
    let row = entity.find(&table, key).ok_or_else(|| missing(entity, key))?;
    // "null" is what Microsoft's own examples send to say that nothing is cached.
    if request.header("if-none-match").is_some_and(|tag| tag == etag(&row)) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED));
    }
    let mut shown = entity.show(&row, &config, &columns);
    shown.shift_insert(
        0,
        "@odata.context".into(),
        format!("{}/$entity", context(request, base, entity)).into(),
    );
    Ok(Answer::value(StatusCode::OK, &shown.into()))
}

pub fn missing(entity: Entity, key: &Key) -> Answer {
    let (Key::Id(text) | Key::Email(text)) = key;
    answer::no_such(entity.name, text)
}

//! Queries: which rows a parsed one means, page by page. The pages are of the rows that were there when it ran.

use std::cmp::Ordering;
use std::sync::Arc;

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Reply;
use super::answer::Fault;
use super::entity::{Entity, is_deleted};
use super::soql::{self, Condition, Literal, Query};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::columns::{Column, Kind, Source};
use crate::dialects::common::{Record, id_text};
use crate::store::{Id, Order, Row, Table};
use crate::tenant::{Config, Cursor, Tenant};

/// A row, or one that was deleted.
#[derive(Clone)]
struct Line {
    row: Arc<Row>,
    deleted: Option<Timestamp>,
}

impl Line {
    fn changed(&self, config: &Config) -> Option<Timestamp> {
        let time = self.deleted.or(self.row.time)?;
        Some(config.timestamps.truncate(time))
    }
}

struct Checked {
    entity: Entity,
    /// None: the count alone.
    columns: Option<Vec<Column>>,
    conditions: Vec<(Column, Condition)>,
    order: Vec<(Column, bool)>,
    limit: Option<usize>,
}

pub fn first(tenant: &Tenant, request: &Request<'_>, base: &str, all: bool) -> Reply {
    let text = request.param("q").unwrap_or_default();
    let size = batch_size(tenant, request)?;
    let config = tenant.config();
    let query = check(soql::parse(text)?, &config)?;
    let table = tenant.table(query.entity.object).read();
    let mut lines = find(&table, &query, all, &config)?;
    if let Some(limit) = query.limit {
        lines.truncate(limit);
    }
    let total = lines.len();
    let Some(columns) = &query.columns else {
        return Ok(page(total, Vec::new(), None));
    };
    let next = (total > size).then(|| {
        let ids = lines.iter().map(|line| line.row.id.clone()).collect();
        let cursor = Cursor {
            object: query.entity.object,
            query: text.to_owned(),
            ids,
            marks: Vec::new(),
        };
        let number = tenant.cursors.lock().keep(cursor);
        locator(base, all, number, size)
    });
    lines.truncate(size);
    let records = lines
        .iter()
        .map(|line| {
            query
                .entity
                .show(base, columns, &Record::read(&line.row, &config), line.deleted)
        })
        .collect();
    Ok(page(total, records, next))
}

pub fn next(tenant: &Tenant, request: &Request<'_>, base: &str, locator_text: &str) -> Reply {
    let invalid = || Fault::bad("INVALID_QUERY_LOCATOR", "invalid query locator");
    let (number, start) = locator_text
        .strip_prefix("01g5g000000")
        .and_then(|text| text.split_once('-'))
        .and_then(|(number, start)| Some((number.parse().ok()?, start.parse::<usize>().ok()?)))
        .ok_or_else(invalid)?;
    let cursor = tenant.cursors.lock().find(number).ok_or_else(invalid)?;
    let size = batch_size(tenant, request)?;
    let config = tenant.config();
    let query = check(soql::parse(&cursor.query)?, &config)?;
    let columns = query.columns.unwrap_or_default();
    let table = tenant.table(cursor.object).read();
    let ids = cursor.ids.get(start..).ok_or_else(invalid)?;
    let all = request.path.contains("/queryAll/");
    let show = |id: &Id| {
        let (row, deleted) = match table.get(id) {
            Some(row) => (row.clone(), None),
            None => {
                let gone = table.tombstones().iter().find(|gone| gone.row.id == *id)?;
                (gone.row.clone(), Some(gone.at))
            }
        };
        Some(query.entity.show(base, &columns, &Record::read(&row, &config), deleted))
    };
    let records = ids.iter().take(size).filter_map(show).collect();
    let more = (ids.len() > size).then(|| locator(base, all, number, start + size));
    Ok(page(cursor.ids.len(), records, more))
}

fn locator(base: &str, all: bool, number: u64, start: usize) -> String {
    let word = if all { "queryAll" } else { "query" };
    format!("{base}/{word}/01g5g000000{number}-{start}")
}

fn page(total: usize, records: Vec<Value>, next: Option<String>) -> Answer {
    let mut body = json!({ "totalSize": total, "done": next.is_none() });
    if let Value::Object(body) = &mut body {
        body.extend(next.map(|next| ("nextRecordsUrl".into(), next.into())));
        body.insert("records".into(), records.into());
    }
    Answer::value(StatusCode::OK, &body)
}

/// `Sforce-Query-Options: batchSize=200`, within Salesforce's bounds; the tenant's option may go below them.
fn batch_size(tenant: &Tenant, request: &Request<'_>) -> Result<usize, Fault> {
    let own = tenant.option("batch_size").and_then(|size| size.as_u64());
    let own = own.and_then(|size| usize::try_from(size).ok()).unwrap_or(2000).max(1);
    let Some(header) = request.header("sforce-query-options") else {
        return Ok(own);
    };
    let text = header.trim().strip_prefix("batchSize=");
    let size: Option<usize> = text.and_then(|text| text.trim().parse().ok());
    match size {
        Some(size) => Ok(size.clamp(200, 2000).min(own)),
        None => Err(Fault::bad(
            "INVALID_QUERY_OPTIONS",
            "Sforce-Query-Options: batchSize=N is needed",
        )),
    }
}

fn check(query: Query, config: &Config) -> Result<Checked, Fault> {
    let entity = Entity::find(&query.object).ok_or_else(|| {
        let message = format!("sObject type '{}' is not supported.", query.object);
        Fault::bad("INVALID_TYPE", message)
    })?;
    let column = |name: &str| {
        entity.column(config, name).ok_or_else(|| {
            let message = format!("No such column '{name}' on entity '{}'.", entity.name);
            Fault::bad("INVALID_FIELD", message)
        })
    };
    let fields = query.fields.as_ref();
    let columns: Option<Vec<Column>> = fields
        .map(|names| names.iter().map(|name| column(name)).collect::<Result<_, _>>())
        .transpose()?;
    for (position, one) in columns.iter().flatten().enumerate() {
        if columns
            .iter()
            .flatten()
            .take(position)
            .any(|other| other.name == one.name)
        {
            let message = format!("duplicate field selected: {}", one.name);
            return Err(Fault::bad("MALFORMED_QUERY", message));
        }
    }
    let conditions = query.conditions.into_iter().map(|condition| {
        let column = column(&condition.field)?;
        for value in &condition.values {
            fits(&column, value)?;
        }
        Ok((column, condition))
    });
    let order = query.order.iter().map(|(name, down)| Ok((column(name)?, *down)));
    Ok(Checked {
        entity,
        columns,
        conditions: conditions.collect::<Result<_, _>>()?,
        order: order.collect::<Result<_, _>>()?,
        limit: query.limit,
    })
}

/// A literal has to be written as its column's type is.
fn fits(column: &Column, literal: &Literal) -> Result<(), Fault> {
    let name = &column.name;
    let (wanted, good) = match (column.kind, literal) {
        (_, Literal::Null) => return Ok(()),
        _ if is_deleted(column) => ("boolean", matches!(literal, Literal::Bool(_))),
        (Kind::Time, Literal::Bare(text)) => ("dateTime", time(text).is_some()),
        (Kind::Time, _) => ("dateTime", false),
        (Kind::Number, Literal::Bare(text)) => ("double", text.parse::<f64>().is_ok()),
        (Kind::Number, _) => ("double", false),
        (_, literal) => ("string", matches!(literal, Literal::Text(_))),
    };
    if good {
        return Ok(());
    }
    let quotes = match wanted {
        "string" => "should be enclosed in quotes",
        _ => "should not be enclosed in quotes",
    };
    let message = format!("value of filter criterion for field '{name}' must be of type {wanted} and {quotes}");
    Err(Fault::bad("INVALID_FIELD", message))
}

/// `2026-11-01T00:00:00Z`, with a fraction or an offset. Without a zone it is none.
fn time(text: &str) -> Option<Timestamp> {
    text.get(10..11).filter(|sign| *sign == "T")?;
    text.parse().ok()
}

fn find(table: &Table, query: &Checked, all: bool, config: &Config) -> Result<Vec<Line>, Fault> {
    // Where only later ones are asked for, in the order of time, the table has them sorted.
    let since = query.conditions.iter().filter_map(|(column, condition)| {
        let later = matches!(condition.operator.as_str(), ">" | ">=" | "=");
        match condition.values.as_slice() {
            [Literal::Bare(text)] if later && column.source == Source::Updated => {
                time(text)?.checked_sub(SignedDuration::from_secs(1)).ok()
            }
            _ => None,
        }
    });
    let since = since.max();
    let order = if since.is_some() { Order::UpdatedAt } else { Order::Id };
    let rows = table.view(order, since);
    let mut lines: Vec<Line> = rows
        .iter()
        .map(|row| Line {
            row: row.clone(),
            deleted: None,
        })
        .collect();
    if all {
        lines.extend(table.tombstones().iter().map(|gone| Line {
            row: gone.row.clone(),
            deleted: Some(gone.at),
        }));
    }
    for (column, condition) in &query.conditions {
        operator(condition)?;
        lines.retain(|line| passes(line, column, condition, config));
    }
    lines.sort_by_cached_key(|line| {
        let keys = query
            .order
            .iter()
            .map(|(column, down)| (key(line, column, config), *down));
        Sorted(keys.collect(), id_text(&line.row.id))
    });
    Ok(lines)
}

fn operator(condition: &Condition) -> Result<(), Fault> {
    let null = condition.values.contains(&Literal::Null);
    match condition.operator.as_str() {
        "=" | "!=" | "IN" => Ok(()),
        _ if null => Err(Fault::bad("MALFORMED_QUERY", "null is compared with = and != only")),
        _ => Ok(()),
    }
}

/// As values are compared; nothing comes first.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    None,
    Bool(bool),
    Time(Timestamp),
    Number(f64),
    Text(String),
}

fn key(line: &Line, column: &Column, config: &Config) -> Key {
    match column.source {
        // The row need not be read for these.
        Source::Updated => return line.changed(config).map_or(Key::None, Key::Time),
        Source::Id => return Key::Text(id_text(&line.row.id)),
        _ if is_deleted(column) => return Key::Bool(line.deleted.is_some()),
        _ => {}
    }
    let record = Record::read(&line.row, config);
    if column.kind == Kind::Time {
        return column.time(&record).map_or(Key::None, Key::Time);
    }
    match column.value(&record) {
        Value::Number(number) => number.as_f64().map_or(Key::None, Key::Number),
        Value::String(text) => Key::Text(text.to_lowercase()),
        Value::Bool(own) => Key::Bool(own),
        _ => Key::None,
    }
}

fn passes(line: &Line, column: &Column, condition: &Condition, config: &Config) -> bool {
    let own = key(line, column, config);
    let mut orders = condition.values.iter().map(|literal| {
        let wanted = match literal {
            Literal::Null => Key::None,
            Literal::Bool(wanted) => Key::Bool(*wanted),
            // Ids are told apart by case, other text is not; the form of 15 characters means the same row.
            Literal::Text(text) if column.source == Source::Id => {
                let same = matches!(&own, Key::Text(own) if own.get(..15) == Some(text.as_str()));
                if same { own.clone() } else { Key::Text(text.clone()) }
            }
            Literal::Text(text) if text.is_empty() => Key::None,
            Literal::Text(text) => Key::Text(text.to_lowercase()),
            Literal::Bare(text) if column.kind == Kind::Time => time(text).map_or(Key::None, Key::Time),
            Literal::Bare(text) => text.parse().map_or(Key::None, Key::Number),
        };
        own.partial_cmp(&wanted)
    });
    let there = own != Key::None;
    match condition.operator.as_str() {
        "IN" => orders.any(|order| order == Some(Ordering::Equal)),
        "=" => orders.next() == Some(Some(Ordering::Equal)),
        "!=" => orders.next() != Some(Some(Ordering::Equal)),
        "<" => there && orders.next() == Some(Some(Ordering::Less)),
        "<=" => there && matches!(orders.next(), Some(Some(Ordering::Less | Ordering::Equal))),
        ">" => there && orders.next() == Some(Some(Ordering::Greater)),
        _ => there && matches!(orders.next(), Some(Some(Ordering::Greater | Ordering::Equal))),
    }
}

/// The keys with their directions (true: descending), then the id.
#[derive(PartialEq)]
struct Sorted(Vec<(Key, bool)>, String);

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

//! Dolibarr's lists: a bare array, pages from 0, nothing as 404. A column that there is not is the database's own error.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::fields::{self, Resource, Source};
use super::filter::{Criterion, Filter, Operator};
use super::{Reply, bad, error, zone};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::Record;
use crate::store::{Id, Object, Order, Row};
use crate::tenant::{Config, Tenant};

const KNOWN: [&str; 12] = [
    "sortfield",
    "sortorder",
    "limit",
    "page",
    "sqlfilters",
    "mode",
    "category",
    "thirdparty_ids",
    "includecount",
    "DOLAPIKEY",
    "api_key",
    "properties",
];

struct Item {
    object: Object,
    row: Arc<Row>,
}

pub fn list(tenant: &Tenant, request: &Request<'_>, resource: &'static Resource) -> Reply {
    let config = tenant.config();
    // Restler passes over what it does not know; a strict tenant's does not, for tests of the client.
    if let (true, Some(name)) = (config.strict, request.unknown_param(&KNOWN)) {
        return Err(bad(&format!("Unknown parameter {name}")));
    }
    let limit = whole(request, "limit", 100)?;
    let page = whole(request, "page", 0)?.max(0);
    let filter = filter(request, resource)?;
    let zone = zone(tenant);
    let mut items: Vec<Item> = Vec::new();
    for object in resource.objects {
        let table = tenant.table(*object).read();
        let rows = table.view(Order::Id, None);
        items.extend(rows.iter().map(|row| Item {
            object: *object,
            row: row.clone(),
        }));
    }
    let mode = request.param("mode").unwrap_or("0");
    items.retain(|item| {
        let mut record = None;
        let fits = in_mode(item, resource, mode, &mut record, &config);
        fits && filter.as_ref().is_none_or(|filter| {
            filter.holds(&mut |criterion| holds(criterion, item, resource, &mut record, &config, &zone))
        })
    });
    // Without a limit there are no pages either: everything.
    let size = usize::try_from(limit).unwrap_or_default();
    let offset = size.saturating_mul(usize::try_from(page).unwrap_or_default());
    arrange(&mut items, request, resource, offset, &config)?;
    let size = if size == 0 { usize::MAX } else { size };
    let shown = items.iter().skip(offset).take(size);
    let rows: Vec<Value> = shown
        .map(|item| resource.read(item.object, &Record::read(&item.row, &config)))
        .collect();
    match rows.is_empty() {
        true => Err(error(
            StatusCode::NOT_FOUND,
            Some(&format!("{} not found", resource.many)),
        )),
        false => Ok(Answer::value(StatusCode::OK, &Value::Array(rows))),
    }
}

fn whole(request: &Request<'_>, name: &str, usual: i64) -> Result<i64, Answer> {
    match request.param(name) {
        None => Ok(usual),
        Some(text) => text.parse().map_err(|_| {
            bad(&format!(
                "Invalid value specified for `{name}`. Expecting integer value"
            ))
        }),
    }
}

fn filter(request: &Request<'_>, resource: &Resource) -> Result<Option<Filter>, Answer> {
    let Some(text) = request.param("sqlfilters").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let filter = Filter::parse(text)
        .map_err(|reason| bad(&format!("Error when validating parameter sqlfilters -> {reason}")))?;
    for criterion in filter.criteria() {
        if resource.column(&criterion.column).is_none() {
            return Err(sql_error(resource, &criterion.column));
        }
    }
    Ok(Some(filter))
}

/// The statement and all, as the API shows it.
fn sql_error(resource: &Resource, column: &str) -> Answer {
    let reason = format!(
        "Error when retrieve {} : SELECT t.rowid FROM llx_{} as t WHERE t.entity IN (1) AND {column} ... Unknown column '{column}' in 'where clause'",
        resource.name, resource.name
    );
    error(StatusCode::SERVICE_UNAVAILABLE, Some(&reason))
}

/// 1 are customers, 2 prospects, 3 neither; a third party can be both.
fn in_mode(item: &Item, resource: &Resource, mode: &str, record: &mut Option<Record>, config: &Config) -> bool {
    if resource.name != "thirdparties" || !matches!(mode, "1" | "2" | "3") {
        return true;
    }
    let record = record.get_or_insert_with(|| Record::read(&item.row, config));
    let client = fields::text(Source::Client, item.object, record).unwrap_or_default();
    match mode {
        "1" => matches!(client.as_str(), "1" | "3"),
        "2" => matches!(client.as_str(), "2" | "3"),
        _ => client == "0",
    }
}

fn holds(
    criterion: &Criterion,
    item: &Item,
    resource: &Resource,
    record: &mut Option<Record>,
    config: &Config,
    zone: &TimeZone,
) -> bool {
    let Criterion {
        column,
        operator,
        value,
    } = criterion;
    let Some(source) = resource.column(column) else {
        return false;
    };
    let time = |time: Option<Timestamp>| {
        let time = time.map(|time| config.timestamps.truncate(time));
        operator.holds(time.cmp(&local(value, zone)))
    };
    match source {
        Source::Updated => return time(item.row.time),
        Source::Id => {
            if let (Id::Number(id), Ok(value)) = (&item.row.id, value.parse::<f64>()) {
                return operator.holds((*id as f64).total_cmp(&value));
            }
        }
        _ => {}
    }
    let record = record.get_or_insert_with(|| Record::read(&item.row, config));
    if source == Source::Created {
        return time(record.created);
    }
    // NULL is nothing of all.
    let Some(text) = fields::text(source, item.object, record) else {
        return false;
    };
    let (text, value) = (text.to_lowercase(), value.to_lowercase());
    match operator {
        Operator::Like => like(&text, &value),
        Operator::NotLike => !like(&text, &value),
        operator => operator.holds(text.cmp(&value)),
    }
}

/// The database takes times for those of its session's zone. What is no time is before every other.
fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let digits = text.get(..19).unwrap_or(text);
    let time = match digits.len() {
        10 => format!("{digits} 00:00:00").parse::<DateTime>(),
        _ => digits.parse::<DateTime>(),
    };
    zone.to_timestamp(time.ok()?).ok()
}

/// `%` is any text.
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// Rows that are equal in what is sorted by come in another order on every page: MySQL promises none.
fn arrange(
    items: &mut [Item],
    request: &Request<'_>,
    resource: &Resource,
    offset: usize,
    config: &Config,
) -> Result<(), Answer> {
    let columns: Vec<&str> = request
        .param("sortfield")
        .unwrap_or("t.rowid")
        .split(',')
        .map(str::trim)
        .collect();
    let orders: Vec<String> = request
        .param("sortorder")
        .unwrap_or("ASC")
        .split(',')
        .map(|one| one.trim().to_uppercase())
        .collect();
    let mut keys = Vec::new();
    for (position, column) in columns.iter().enumerate() {
        let source = resource.column(column).ok_or_else(|| sql_error(resource, column))?;
        let order = orders.get(position).or(orders.last()).map_or("ASC", String::as_str);
        keys.push((source, order == "DESC"));
    }
    items.sort_by_cached_key(|item| {
        let mut record = None;
        let mut read = |source: Source| {
            let record = record.get_or_insert_with(|| Record::read(&item.row, config));
            match source {
                Source::Created => Key::Time(record.created),
                source => Key::Text(fields::text(source, item.object, record).map(|text| text.to_lowercase())),
            }
        };
        let keys: Vec<Turned> = keys
            .iter()
            .map(|(source, descending)| {
                let key = match source {
                    Source::Id => Key::Id(item.row.id.clone()),
                    Source::Updated => Key::Time(item.row.time),
                    source => read(*source),
                };
                Turned(key, *descending)
            })
            .collect();
        (keys, chance(&item.row.id, offset))
    });
    Ok(())
}

fn chance(id: &Id, offset: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, offset).hash(&mut hasher);
    hasher.finish()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Id(Id),
    Time(Option<Timestamp>),
    Text(Option<String>),
}

/// A key, and whether the larger comes first.
#[derive(PartialEq, Eq)]
struct Turned(Key, bool);

impl Ord for Turned {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.0.cmp(&other.0);
        if self.1 { order.reverse() } else { order }
    }
}

impl PartialOrd for Turned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

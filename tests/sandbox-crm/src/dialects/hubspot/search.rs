//! POST …/search: filters, one sort, pages by number, and no more than 10,000 results of any query.

use std::cmp::Ordering;
use std::sync::Arc;

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, answer, list, properties};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::columns::{Column, Kind, Source};
use crate::dialects::common::Record;
use crate::filter::TimeFormat;
use crate::store::{Object, Order, Row};
use crate::tenant::{Config, Tenant};

const MOST: usize = 200;
const CAP: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    filter_groups: Vec<Group>,
    #[serde(default)]
    sorts: Vec<Value>,
    #[serde(default)]
    properties: Vec<String>,
    limit: Option<usize>,
    after: Option<Value>,
    query: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Filter {
    property_name: String,
    operator: String,
    value: Option<String>,
    high_value: Option<String>,
    values: Option<Vec<String>>,
}

/// A filter that makes sense.
struct Check {
    column: Column,
    operator: String,
    value: String,
    high: String,
    values: Vec<String>,
}

pub fn search(tenant: &Tenant, request: &Request<'_>, object: Object) -> Reply {
    list::refuse_unknown(request, &[])?;
    if !request.sends_json() {
        return Err(answer::unsupported_type());
    }
    let asked: Asked = serde_json::from_slice(request.body)
        .map_err(|reason| answer::invalid(format!("Invalid input JSON: {reason}")))?;
    let config = tenant.config();
    let limit = asked.limit.unwrap_or(10);
    if limit == 0 || limit > MOST {
        return Err(answer::invalid(format!("limit must be from 1 to {MOST}, not {limit}")));
    }
    let after = offset(asked.after.as_ref())?;
    if after + limit > CAP {
        return Err(answer::invalid(format!(
            "Paging beyond {CAP} results is not supported: narrow the filters."
        )));
    }
    let groups = checks(&asked, object, &config)?;
    let sort = sort(&asked.sorts, object, &config)?;
    let table = tenant.table(object).read();
    let newest = newest(tenant);
    // In the order of time where only later ones are asked for; else in the order of ids, which is the order of creation.
    let since = groups.iter().map(|group| lower_bound(group)).min().flatten();
    let view = match since {
        Some(since) => table.view(Order::UpdatedAt, Some(since)),
        None => table.view(Order::Id, None),
    };
    let query = asked.query.as_deref().unwrap_or_default().to_lowercase();
    let mut found: Vec<&Arc<Row>> = view
        .iter()
        .filter(|row| row.time <= newest)
        .filter(|row| matches(row, &groups, &query, &config))
        .collect();
    match &sort {
        Some((column, down)) if column.source == Source::Updated => found.sort_by(|a, b| {
            let order = a.time.cmp(&b.time).then_with(|| a.id.cmp(&b.id));
            if *down { order.reverse() } else { order }
        }),
        Some((column, down)) => {
            found.sort_by_cached_key(|row| Directed(Key::of(column, &Record::read(row, &config)), *down));
        }
        None => found.sort_by(|a, b| a.id.cmp(&b.id)),
    }
    let total = found.len();
    let page = found.iter().skip(after).take(limit);
    let results: Vec<Value> = page
        .map(|row| properties::show(&Record::read(row, &config), object, &config, &asked.properties, None))
        .collect();
    let mut body = json!({ "total": total, "results": results });
    if let (true, Value::Object(body)) = (after + limit < total, &mut body) {
        let next = (after + limit).to_string();
        body.insert("paging".into(), json!({ "next": { "after": next } }));
    }
    Ok(Answer::value(StatusCode::OK, &body))
}

/// "0", or 0.
fn offset(after: Option<&Value>) -> Result<usize, Answer> {
    let number = match after {
        None | Some(Value::Null) => return Ok(0),
        Some(Value::String(text)) if text.is_empty() => return Ok(0),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    number.ok_or_else(|| answer::invalid("after must be the number that paging.next gave"))
}

/// The time up to which changes are found: searches lag behind where the tenant says so.
fn newest(tenant: &Tenant) -> Option<Timestamp> {
    let lag = tenant.option("search_lag_ms").and_then(|lag| lag.as_i64()).unwrap_or(0);
    match lag {
        ..=0 => Some(Timestamp::MAX),
        lag => Timestamp::now().checked_sub(SignedDuration::from_millis(lag)).ok(),
    }
}

fn checks(asked: &Asked, object: Object, config: &Config) -> Result<Vec<Vec<Check>>, Answer> {
    let all: usize = asked.filter_groups.iter().map(|group| group.filters.len()).sum();
    if asked.filter_groups.len() > 5 || all > 18 || asked.filter_groups.iter().any(|group| group.filters.len() > 6) {
        return Err(answer::invalid(
            "At most 5 filterGroups with 6 filters each and 18 filters in all.",
        ));
    }
    let check = |filter: &Filter| {
        let name = &filter.property_name;
        let column = properties::find(object, config, name)
            .ok_or_else(|| answer::invalid(format!("There was a problem with the request: no property {name:?}")))?;
        let (value, high, values) = (&filter.value, &filter.high_value, &filter.values);
        let fits = match filter.operator.as_str() {
            "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE" | "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN" => {
                value.is_some() && high.is_none() && values.is_none()
            }
            "BETWEEN" => value.is_some() && high.is_some() && values.is_none(),
            "IN" | "NOT_IN" => values.as_ref().is_some_and(|values| !values.is_empty()) && value.is_none(),
            "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => value.is_none() && values.is_none(),
            other => {
                return Err(answer::invalid(format!(
                    "Invalid input JSON: unknown operator {other:?}"
                )));
            }
        };
        let given = value.iter().chain(high).chain(values.iter().flatten());
        let readable = given.clone().all(|text| Key::parse(&column, text).is_some());
        if !fits || !readable {
            let message = format!("The values of the filter {} {name} are not valid.", filter.operator);
            return Err(answer::invalid(message));
        }
        Ok(Check {
            column,
            operator: filter.operator.clone(),
            value: value.clone().unwrap_or_default(),
            high: high.clone().unwrap_or_default(),
            values: values.clone().unwrap_or_default(),
        })
    };
    let group = |group: &Group| group.filters.iter().map(check).collect();
    asked.filter_groups.iter().map(group).collect()
}

fn sort(sorts: &[Value], object: Object, config: &Config) -> Result<Option<(Column, bool)>, Answer> {
    let (name, down) = match sorts {
        [] => return Ok(None),
        [Value::String(name)] => match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        },
        [Value::Object(sort)] => {
            let name = sort.get("propertyName").and_then(Value::as_str).unwrap_or_default();
            let down = match sort.get("direction").and_then(Value::as_str) {
                None | Some("ASCENDING") => false,
                Some("DESCENDING") => true,
                Some(other) => return Err(answer::invalid(format!("{other:?} is no direction"))),
            };
            (name, down)
        }
        _ => return Err(answer::invalid("Only one sort is supported.")),
    };
    match properties::find(object, config, name) {
        Some(column) => Ok(Some((column, down))),
        None => Err(answer::invalid(format!(
            "There was a problem with the request: no property {name:?}"
        ))),
    }
}

/// A value as it is compared: times and numbers by their size, text without regard to case. Nothing comes first.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    None,
    Time(Timestamp),
    Number(f64),
    Text(String),
}

impl Key {
    fn of(column: &Column, record: &Record) -> Self {
        if column.kind == Kind::Time {
            return column.time(record).map_or(Self::None, Self::Time);
        }
        match properties::value(column, record) {
            Value::String(text) => Self::parse(column, &text).unwrap_or(Self::Text(text)),
            _ => Self::None,
        }
    }

    fn parse(column: &Column, text: &str) -> Option<Self> {
        Some(match column.kind {
            // Milliseconds, or ISO 8601.
            Kind::Time => Self::Time(TimeFormat::EpochMs.parse(text)?),
            Kind::Number => Self::Number(text.parse().ok().filter(|number: &f64| number.is_finite())?),
            _ => Self::Text(text.to_lowercase()),
        })
    }
}

/// A sort's key in its direction: true turns it round.
#[derive(PartialEq)]
struct Directed(Key, bool);

impl Eq for Directed {}

impl Ord for Directed {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal);
        if self.1 { order.reverse() } else { order }
    }
}

impl PartialOrd for Directed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A time that every row of the group has to be later than, for the table's own order.
fn lower_bound(group: &[Check]) -> Option<Timestamp> {
    let of_updated = group.iter().filter(|check| check.column.source == Source::Updated);
    of_updated
        .filter(|check| matches!(check.operator.as_str(), "GT" | "GTE" | "BETWEEN" | "EQ"))
        .filter_map(|check| TimeFormat::EpochMs.parse(&check.value))
        .filter_map(|time| time.checked_sub(SignedDuration::from_millis(1)).ok())
        .max()
}

fn matches(row: &Row, groups: &[Vec<Check>], query: &str, config: &Config) -> bool {
    let in_text = |value: &Value| value.as_str().is_some_and(|text| text.to_lowercase().contains(query));
    let by_query = query.is_empty() || Record::read(row, config).fields.values().any(in_text);
    by_query
        && (groups.is_empty()
            || groups
                .iter()
                .any(|group| group.iter().all(|check| passes(check, row, config))))
}

fn passes(check: &Check, row: &Row, config: &Config) -> bool {
    let column = &check.column;
    let own = match column.source {
        Source::Updated => row
            .time
            .map_or(Key::None, |time| Key::Time(config.timestamps.truncate(time))),
        _ => Key::of(column, &Record::read(row, config)),
    };
    let compare = |text: &str| Key::parse(column, text).and_then(|key| own.partial_cmp(&key));
    let there = own != Key::None;
    let is = |text: &str, wanted: &[Ordering]| there && compare(text).is_some_and(|order| wanted.contains(&order));
    use Ordering::{Equal, Greater, Less};
    match check.operator.as_str() {
        "EQ" => is(&check.value, &[Equal]),
        // Also what has no value at all.
        "NEQ" => !is(&check.value, &[Equal]),
        "LT" => is(&check.value, &[Less]),
        "LTE" => is(&check.value, &[Less, Equal]),
        "GT" => is(&check.value, &[Greater]),
        "GTE" => is(&check.value, &[Greater, Equal]),
        "BETWEEN" => is(&check.value, &[Greater, Equal]) && is(&check.high, &[Less, Equal]),
        "IN" => check.values.iter().any(|value| is(value, &[Equal])),
        "NOT_IN" => there && !check.values.iter().any(|value| is(value, &[Equal])),
        "HAS_PROPERTY" => there,
        "NOT_HAS_PROPERTY" => !there,
        "CONTAINS_TOKEN" => contains(&own, &check.value),
        _ => !contains(&own, &check.value),
    }
}

/// A word of the text; `*` at its ends stands for anything.
fn contains(own: &Key, token: &str) -> bool {
    let Key::Text(text) = own else {
        return false;
    };
    let token = token.to_lowercase();
    let bare = token.trim_matches('*');
    let (open_start, open_end) = (token.starts_with('*'), token.ends_with('*'));
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| match (open_start, open_end) {
        (true, true) => word.contains(bare),
        (true, false) => word.ends_with(bare),
        (false, true) => word.starts_with(bare),
        (false, false) => word == bare,
    }) || text == bare
}

//! SuiteCRM's lists: filters as SQL would see them, one field to sort by, pages only where they are asked for.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{self, Module, Source};
use super::{Reply, data, document, module};
use crate::dialects::Request;
use crate::dialects::common::{Record, id_text};
use crate::filter::TimeFormat;
use crate::store::{Id, Order, Row, Table};
use crate::tenant::{Config, Tenant};

#[derive(Debug, Default)]
pub struct Query {
    number: usize,
    size: Option<usize>,
    pub fields: Option<Vec<String>>,
    /// The field, and whether descending.
    sort: Option<(String, bool)>,
    conditions: Vec<Condition>,
    any: bool,
    deleted: bool,
}

#[derive(Debug)]
struct Condition {
    field: String,
    source: Option<Source>,
    test: Test,
    value: String,
    /// What MySQL makes of the value beside a datetime.
    time: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
enum Test {
    Compare(fn(Ordering) -> bool),
    Like,
    In(bool),
}

/// Refuses the first parameter that is none of these, as Symfony's options resolver does.
pub fn known(request: &Request<'_>, options: &[&str]) -> Result<(), String> {
    let option = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    let mut names = request.pairs.iter().map(|(name, _)| option(name));
    match names.find(|name| !options.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let defined: Vec<String> = options.iter().map(|option| format!("\"{option}\"")).collect();
            let defined = defined.join(", ");
            Err(format!(
                "The option \"{name}\" does not exist. Defined options are: {defined}."
            ))
        }
    }
}

impl Query {
    pub fn read(request: &Request<'_>, options: &[&str], module: Module, tenant: &Tenant) -> Result<Self, String> {
        known(request, options)?;
        let config = tenant.config();
        let mut query = Self::default();
        for (name, value) in &request.pairs {
            let keys: Vec<&str> = name.split('[').map(|key| key.trim_end_matches(']')).collect();
            match keys.as_slice() {
                ["page", "number"] => query.number = positive("number", value)?,
                ["page", "size"] => query.size = Some(positive("size", value)?),
                ["fields", of] => query.fields = Some(fields_of(of, value, &config)?),
                ["sort"] => query.sort = Some(sort(value, module, &config)?),
                ["filter", "operator"] => query.any = operator(value)?,
                ["filter", "deleted", "eq"] => query.deleted = value == "1",
                ["filter", "deleted", _] => {}
                ["filter", field, test] => query.conditions.push(condition(field, test, value, module, &config)?),
                ["filter", field] => return Err(format!("Filter field {field} must be an array")),
                _ => return Err(format!("The option \"{name}\" with value \"{value}\" is invalid.")),
            }
        }
        Ok(query)
    }

    fn holds(&self, item: &Item, config: &Config) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        // Read only where a condition looks into the row: most ask for time and id.
        let mut record = None;
        let mut test = |condition: &Condition| condition.holds(item, &mut record, config);
        match self.any {
            true => self.conditions.iter().any(&mut test),
            false => self.conditions.iter().all(&mut test),
        }
    }
}

fn positive(name: &str, value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("The option \"{name}\" with value \"{value}\" is invalid."))
}

fn fields_of(of: &str, value: &str, config: &Config) -> Result<Vec<String>, String> {
    let of = module(of)?;
    let word = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ','))
    };
    if value.is_empty() || !word(value) {
        return Err(format!("The option \"fields\" with value \"{value}\" is invalid."));
    }
    let names: Vec<String> = value.split(',').map(str::to_owned).collect();
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !of.knows(name, config))
        .collect();
    if unknown.is_empty() {
        return Ok(names);
    }
    let (plural, are) = if unknown.len() > 1 { ("s", "are") } else { ("", "is") };
    let unknown = unknown.join(", ");
    Err(format!(
        "The following field{plural} in {} module {are} not found: {unknown}",
        of.bean
    ))
}

fn sort(value: &str, module: Module, config: &Config) -> Result<(String, bool), String> {
    let word = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if value.is_empty() || !word {
        return Err(format!("The option \"sort\" with value \"{value}\" is invalid."));
    }
    let field = value.trim_start_matches('-');
    if !module.knows(field, config) {
        return Err(format!("Sort field {field} in {} module is not found", module.bean));
    }
    Ok((field.to_owned(), value.starts_with('-')))
}

/// Whether one of the conditions is enough.
fn operator(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "and" => Ok(false),
        "or" => Ok(true),
        _ => Err(format!("Filter operator {value} is invalid")),
    }
}

fn condition(field: &str, test: &str, value: &str, module: Module, config: &Config) -> Result<Condition, String> {
    if !module.knows(field, config) {
        return Err(format!("Filter field {field} in {} module is not found", module.bean));
    }
    let test = match test.to_ascii_lowercase().as_str() {
        "eq" => Test::Compare(Ordering::is_eq),
        "neq" => Test::Compare(Ordering::is_ne),
        "gt" => Test::Compare(Ordering::is_gt),
        "gte" => Test::Compare(Ordering::is_ge),
        "lt" => Test::Compare(Ordering::is_lt),
        "lte" => Test::Compare(Ordering::is_le),
        "like" => Test::Like,
        "in" => Test::In(true),
        "not_in" => Test::In(false),
        _ => return Err(format!("Filter operator {test} is invalid")),
    };
    Ok(Condition {
        field: field.to_owned(),
        source: module.source(field),
        test,
        value: value.to_owned(),
        time: datetime(value),
    })
}

/// MySQL reads date and time and passes over what follows, zones too. `None` is what it takes for 0000-00-00.
fn datetime(value: &str) -> Option<Timestamp> {
    let value = value.trim();
    match value.get(..19) {
        Some(digits) => TimeFormat::Naive.parse(digits),
        None => TimeFormat::Naive.parse(&format!("{value} 00:00:00")),
    }
}

/// A row of the list; for a deleted one, `time` is when that was.
struct Item {
    row: Arc<Row>,
    time: Option<Timestamp>,
    gone: bool,
}

impl Condition {
    fn holds(&self, item: &Item, record: &mut Option<Record>, config: &Config) -> bool {
        let text = match (self.source, self.test) {
            (Some(Source::Updated), Test::Compare(passes)) => {
                let time = item.time.map(|time| config.timestamps.truncate(time));
                return passes(time.cmp(&self.time));
            }
            (Some(Source::Id), _) => id_text(&item.row.id),
            (source, _) => {
                let record = record.get_or_insert_with(|| Record::read(&item.row, config));
                if let (Some(Source::Created), Test::Compare(passes)) = (source, self.test) {
                    return passes(record.created.cmp(&self.time));
                }
                match source {
                    Some(source) => fields::text(source, record, item.gone),
                    None => record.text(&self.field).unwrap_or_default(),
                }
            }
        };
        // utf8mb4_general_ci
        let (text, value) = (text.to_lowercase(), self.value.to_lowercase());
        match self.test {
            Test::Compare(passes) => passes(text.cmp(&value)),
            Test::Like => like(&text, &value),
            Test::In(wanted) => value.split(',').any(|one| one.trim() == text) == wanted,
        }
    }
}

/// SQL's LIKE: `%` is any text, `_` any letter.
fn like(text: &str, pattern: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = pattern.get(first.len_utf8()..).unwrap_or_default();
    if first == '%' {
        let mut ends = text.char_indices().map(|(position, _)| position).chain([text.len()]);
        return ends.any(|position| like(text.get(position..).unwrap_or_default(), rest));
    }
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|letter| (first == '_' || letter == first) && like(letters.as_str(), rest))
}

pub fn list(tenant: &Tenant, request: &Request<'_>, name: &str) -> Reply {
    let module = module(name)?;
    let query = Query::read(request, &["fields", "filter", "page", "sort"], module, tenant)?;
    let config = tenant.config();
    let table = tenant.table(module.object).read();
    let mut items = items(&table, query.deleted);
    items.retain(|item| query.holds(item, &config));
    let offset = query
        .size
        .map_or(0, |size| query.number.saturating_sub(1).saturating_mul(size));
    arrange(&mut items, &query, module, offset, &config);
    let total = items.len();
    let shown = items.iter().skip(offset).take(query.size.unwrap_or(usize::MAX));
    let rows: Vec<Value> = shown
        .map(|item| data(tenant, module, &item.row, item.time, item.gone, query.fields.as_deref()))
        .collect();
    let mut answer = json!({ "data": rows });
    if let (Value::Object(answer), Some(size), false) = (&mut answer, query.size, rows.is_empty()) {
        let pages = total.div_ceil(size);
        answer.insert(
            "meta".into(),
            json!({ "total-pages": pages, "records-on-this-page": rows.len() }),
        );
        answer.insert("links".into(), links(request, name, query.number, pages));
    }
    Ok(document(StatusCode::OK, answer))
}

fn items(table: &Table, deleted: bool) -> Vec<Item> {
    let item = |row: &Arc<Row>, time, gone| Item {
        row: row.clone(),
        time,
        gone,
    };
    if deleted {
        let gone = table.tombstones().iter();
        return gone.map(|stone| item(&stone.row, Some(stone.at), true)).collect();
    }
    let rows = table.view(Order::Id, None);
    rows.iter().map(|row| item(row, row.time, false)).collect()
}

/// Where rows are equal in the one field to sort by, MySQL gives them in any order, and another for another page.
fn arrange(items: &mut [Item], query: &Query, module: Module, offset: usize, config: &Config) {
    let Some((field, descending)) = &query.sort else {
        return;
    };
    let turn = |order: Ordering| if *descending { order.reverse() } else { order };
    match module.source(field) {
        Some(Source::Id) => items.sort_by(|a, b| turn(a.row.id.cmp(&b.row.id))),
        Some(Source::Updated) => {
            items.sort_by_cached_key(|item| (item.time, chance(&item.row.id, offset)));
            if *descending {
                items.reverse();
            }
        }
        source => {
            items.sort_by_cached_key(|item| {
                let record = Record::read(&item.row, config);
                let text = match source {
                    Some(source) => fields::text(source, &record, item.gone),
                    None => record.text(field).unwrap_or_default(),
                };
                (text.to_lowercase(), chance(&item.row.id, offset))
            });
            if *descending {
                items.reverse();
            }
        }
    }
}

fn chance(id: &Id, offset: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, offset).hash(&mut hasher);
    hasher.finish()
}

/// Paths below .../Api, not encoded; null where there is none.
fn links(request: &Request<'_>, module: &str, number: usize, pages: usize) -> Value {
    let link = |number: usize| {
        let mut pairs: Vec<(String, String)> = request.pairs.clone();
        pairs.retain(|(name, _)| name != "page[number]");
        pairs.push(("page[number]".into(), number.to_string()));
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("V8/module/{module}?{}", pairs.join("&"))
    };
    let (before, after) = (number > 1, number < pages);
    json!({
        "first": before.then(|| link(1)),
        "prev": before.then(|| link(number - 1)),
        "next": after.then(|| link(number + 1)),
        "last": after.then(|| link(pages)),
    })
}

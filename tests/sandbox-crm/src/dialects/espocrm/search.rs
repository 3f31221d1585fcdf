//! Lists: parameters as PHP reads them, or as one JSON; and single records.

use std::cell::OnceCell;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::records::show;
use super::{Wrong, bad, empty, fine, refuse};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{Fields, Record, id_text};
use crate::filter::TimeFormat;
use crate::store::{Object, Order, Row};
use crate::tenant::{Config, Tenant};

const KNOWN: [&str; 9] = [
    "maxSize",
    "offset",
    "orderBy",
    "order",
    "select",
    "attributeSelect",
    "where",
    "whereGroup",
    "textFilter",
];
/// recordListMaxSizeLimit
const MOST: u64 = 200;

struct Asked {
    limit: usize,
    offset: usize,
    order_by: String,
    descending: bool,
    select: Option<Vec<String>>,
    condition: Option<Condition>,
    text: Option<String>,
}

pub fn list(tenant: &Tenant, request: &Request<'_>, object: Object) -> Result<Answer, Wrong> {
    let config = tenant.config();
    let asked = Asked::read(request, &config)?;
    let counted = match request.header("x-no-total") {
        None | Some("false") => true,
        Some("true") => false,
        Some(_) => return Err(bad("X-No-Total must be true or false.")),
    };
    let found = asked.rows(tenant, object, &config);
    let page = found.iter().skip(asked.offset).take(asked.limit);
    let list: Vec<Value> = page
        .map(|row| asked.selected(show(tenant, object, &Record::read(row, &config))))
        .collect();
    let end = asked.offset.saturating_add(asked.limit);
    let total: i64 = match (counted, end < found.len()) {
        (true, _) => i64::try_from(found.len()).unwrap_or(i64::MAX),
        (false, true) => -1,
        (false, false) => -2,
    };
    Ok(fine(&json!({ "total": total, "list": list })))
}

pub fn get(tenant: &Tenant, object: Object, id: &str) -> Result<Answer, Wrong> {
    let config = tenant.config();
    let record = tenant
        .table(object)
        .read()
        .find(id)
        .map(|row| Record::read(row, &config));
    match record {
        Some(record) => Ok(fine(&show(tenant, object, &record).into())),
        None => Err(Box::new(empty(StatusCode::NOT_FOUND))),
    }
}

impl Asked {
    fn read(request: &Request<'_>, config: &Config) -> Result<Self, Wrong> {
        let mut given = nested(&request.pairs).map_err(|words| bad(&words))?;
        if let Some(text) = given.shift_remove("searchParams") {
            let parsed = serde_json::from_str(text.as_str().unwrap_or_default());
            let Ok(Value::Object(params)) = parsed else {
                return Err(bad("searchParams is no JSON object."));
            };
            given.extend(params);
        }
        // A filter that is ignored in silence would answer with every row.
        if let Some(name) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(bad(&format!("Unknown parameter {name}.")));
        }
        let number = |name: &str| match given.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().or_else(|| value.as_str()?.parse().ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(bad(&format!("{name} must be a whole number."))),
            },
        };
        let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
        let most = MOST.min(config.max_per_page as u64);
        let limit = number("maxSize")?.unwrap_or(most);
        if limit > most {
            let words = format!("Max size should not exceed {most}. Use offset and limit.");
            return Err(refuse(StatusCode::FORBIDDEN, &words));
        }
        let descending = match text("order").as_deref() {
            Some("asc" | "ASC") => false,
            Some("desc" | "DESC") => true,
            // By when they were made, newest first, where nothing is asked for.
            None => !given.contains_key("orderBy"),
            Some(_) => return Err(bad("Bad order.")),
        };
        let condition = match given.get("whereGroup").or_else(|| given.get("where")) {
            None => None,
            Some(items) => Some(Condition::list(items).map_err(|words| bad(&words))?),
        };
        let select = match given.get("attributeSelect").or_else(|| given.get("select")) {
            Some(Value::String(names)) => Some(names.split(',').map(|name| name.trim().to_owned()).collect()),
            Some(Value::Array(names)) => Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            _ => None,
        };
        Ok(Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            offset: usize::try_from(number("offset")?.unwrap_or(0)).unwrap_or(usize::MAX),
            order_by: text("orderBy").unwrap_or_else(|| "createdAt".into()),
            descending,
            select,
            condition,
            text: text("textFilter").map(|text| text.trim_end_matches('*').to_lowercase()),
        })
    }

    /// All that fit, in order; equal ones by id, in the same direction.
    fn rows(&self, tenant: &Tenant, object: Object, config: &Config) -> Vec<Arc<Row>> {
        let order = if self.order_by == "modifiedAt" {
            Order::UpdatedAt
        } else {
            Order::Id
        };
        let mut rows = tenant.table(object).read().view(order, None).to_vec();
        rows.retain(|row| self.fits(tenant, object, row, config));
        if !["modifiedAt", "id"].contains(&self.order_by.as_str()) {
            rows.sort_by_cached_key(|row| {
                let record = Record::read(row, config);
                match self.order_by.as_str() {
                    // The common case need not make the whole record.
                    "createdAt" => (record.created, String::new()),
                    name => {
                        let value = show(tenant, object, &record).shift_remove(name).unwrap_or_default();
                        (
                            None,
                            value.as_str().map_or_else(|| value.to_string(), str::to_lowercase),
                        )
                    }
                }
            });
        }
        if self.descending {
            rows.reverse();
        }
        rows
    }

    fn fits(&self, tenant: &Tenant, object: Object, row: &Row, config: &Config) -> bool {
        // Made only if something besides id and time is asked for.
        let whole = OnceCell::new();
        let attribute = |name: &str| match name {
            "id" => id_text(&row.id).into(),
            "modifiedAt" => row.time.map_or(Value::Null, |time| TimeFormat::Naive.write(time)),
            name => whole
                .get_or_init(|| show(tenant, object, &Record::read(row, config)))
                .get(name)
                .cloned()
                .unwrap_or_default(),
        };
        let contains = |text: &String| {
            ["name", "emailAddress"].iter().any(|name| {
                let value = attribute(name);
                value.as_str().is_some_and(|value| value.to_lowercase().contains(text))
            })
        };
        self.condition
            .as_ref()
            .is_none_or(|condition| condition.holds(&attribute))
            && self.text.as_ref().is_none_or(contains)
    }

    fn selected(&self, mut record: Fields) -> Value {
        if let Some(names) = &self.select {
            record.retain(|name, _| name == "id" || names.contains(name));
        }
        Value::Object(record)
    }
}

/// `where[0][type]=after` as PHP makes arrays of it. `a[]` appends.
fn nested(pairs: &[(String, String)]) -> Result<Map<String, Value>, String> {
    let mut whole = Value::Object(Map::new());
    for (name, value) in pairs {
        let (first, rest) = name.split_at(name.find('[').unwrap_or(name.len()));
        let mut target = member(&mut whole, first).ok_or_else(|| format!("Bad parameter {name}."))?;
        let mut rest = rest;
        for _ in 0..32 {
            let Some((key, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
                break;
            };
            target = member(target, key).ok_or_else(|| format!("Bad parameter {name}."))?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(format!("Bad parameter {name}."));
        }
        *target = Value::String(value.clone());
    }
    match listed(whole) {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

fn member<'a>(target: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if target.is_null() {
        *target = Value::Object(Map::new());
    }
    let members = target.as_object_mut()?;
    let key = if key.is_empty() {
        members.len().to_string()
    } else {
        key.to_owned()
    };
    Some(members.entry(key).or_insert(Value::Null))
}

/// Arrays whose keys are numbers are lists.
fn listed(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    let list = !members.is_empty() && members.keys().all(|key| key.bytes().all(|byte| byte.is_ascii_digit()));
    let members = members.into_iter().map(|(key, value)| (key, listed(value)));
    if list {
        Value::Array(members.map(|(_, value)| value).collect())
    } else {
        Value::Object(members.collect())
    }
}

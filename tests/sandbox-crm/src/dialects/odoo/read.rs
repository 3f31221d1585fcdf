//! search, search_read, search_count and read.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::domain::Domain;
use super::model::{Field, Kind, Model, id_of};
use super::{Arguments, Context, Raised};
use crate::dialects::common::Record;
use crate::store::{Id, Object, Order, Row};
use crate::tenant::{Config, Tenant};

/// A row, and which of the tables that are one model here it is of.
pub struct Item {
    pub object: Object,
    pub row: Arc<Row>,
}

pub fn search_read(
    tenant: &Tenant,
    model: &Model,
    mut arguments: Arguments,
    context: &Context,
) -> Result<Value, Raised> {
    let config = tenant.config();
    let fields = fields(model, &mut arguments, &config)?;
    let items = found(tenant, model, arguments, context, &["load"])?;
    let shown = |item: &Item| {
        model.read(
            &config,
            item.object,
            &Record::read(&item.row, &config),
            fields.as_deref(),
        )
    };
    Ok(items.iter().map(shown).collect())
}

pub fn search(tenant: &Tenant, model: &Model, arguments: Arguments, context: &Context) -> Result<Value, Raised> {
    let items = found(tenant, model, arguments, context, &[])?;
    Ok(items.iter().map(|item| item.row.id.to_value()).collect())
}

pub fn search_count(
    tenant: &Tenant,
    model: &Model,
    mut arguments: Arguments,
    context: &Context,
) -> Result<Value, Raised> {
    let domain = arguments.required("domain")?;
    let limit = arguments.count("limit")?.unwrap_or(usize::MAX);
    arguments.end()?;
    let config = tenant.config();
    let domain = Domain::parse(Some(domain), model, &config)?;
    let items = matching(tenant, model, &domain, context, &config);
    Ok(items.len().min(limit).into())
}

/// Those that are gone are left out, without a word.
pub fn read(tenant: &Tenant, model: &Model, ids: &[Value], mut arguments: Arguments) -> Result<Value, Raised> {
    let config = tenant.config();
    let fields = fields(model, &mut arguments, &config)?;
    arguments.take("load");
    arguments.end()?;
    let mut shown = Vec::new();
    for id in ids {
        let id = id_of(id).ok_or_else(|| Raised::value_error(&format!("invalid id {id}")))?;
        if let Some(item) = one(tenant, model, &id) {
            let record = Record::read(&item.row, &config);
            shown.push(model.read(&config, item.object, &record, fields.as_deref()));
        }
    }
    Ok(Value::Array(shown))
}

pub fn one(tenant: &Tenant, model: &Model, id: &Id) -> Option<Item> {
    model.objects.iter().find_map(|object| {
        let row = tenant.table(*object).read().get(id)?.clone();
        Some(Item { object: *object, row })
    })
}

fn fields(model: &Model, arguments: &mut Arguments, config: &Config) -> Result<Option<Vec<String>>, Raised> {
    // An empty list is no list.
    let fields = arguments.names("fields")?.filter(|fields| !fields.is_empty());
    let unknown = fields.iter().flatten().find(|name| !model.knows(name, config));
    match unknown {
        Some(name) => Err(model.invalid(name)),
        None => Ok(fields),
    }
}

fn found(
    tenant: &Tenant,
    model: &Model,
    mut arguments: Arguments,
    context: &Context,
    more: &[&str],
) -> Result<Vec<Item>, Raised> {
    let domain = arguments.take("domain");
    let offset = arguments.count("offset")?.unwrap_or_default();
    // 0 is no limit, as null is.
    let limit = arguments
        .count("limit")?
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let order = match arguments.take("order") {
        None | Some(Value::Null | Value::Bool(false)) => model.order.to_owned(),
        Some(Value::String(order)) => order,
        Some(order) => return Err(bad_order(&order.to_string())),
    };
    for name in more {
        arguments.take(name);
    }
    arguments.end()?;
    let config = tenant.config();
    let domain = Domain::parse(domain, model, &config)?;
    let keys = keys(&order, model)?;
    let mut items = matching(tenant, model, &domain, context, &config);
    arrange(&mut items, &keys, offset, &config);
    Ok(items.into_iter().skip(offset).take(limit).collect())
}

/// In the order of ids, for the most part: the tables one after the other.
fn matching(tenant: &Tenant, model: &Model, domain: &Domain, context: &Context, config: &Config) -> Vec<Item> {
    let archived = !context.active_test() || domain.names("active");
    let mut items = Vec::new();
    for object in model.objects {
        let table = tenant.table(*object).read();
        let rows = table.view(Order::Id, None);
        items.extend(rows.iter().filter_map(|row| {
            let item = Item {
                object: *object,
                row: row.clone(),
            };
            let mut record = None;
            let mut holds = domain.holds(&item, &mut record, model, config);
            if holds && !archived {
                let record = record.get_or_insert_with(|| Record::read(&item.row, config));
                holds = record.fields.get("active") != Some(&Value::Bool(false));
            }
            holds.then_some(item)
        }));
    }
    items
}

fn bad_order(order: &str) -> Raised {
    let message = format!(
        "Invalid \"order\" specified ({order}). A valid \"order\" specification is a comma-separated list of valid field names (optionally followed by asc/desc for the direction)"
    );
    Raised::odoo(StatusCode::UNPROCESSABLE_ENTITY, "UserError", &message)
}

fn keys(order: &str, model: &Model) -> Result<Vec<(&'static Field, bool)>, Raised> {
    let parts = order.split(',').map(|part| {
        let words: Vec<String> = part.split_whitespace().map(str::to_lowercase).collect();
        let (name, descending) = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [name] | [name, "asc"] => ((*name).to_owned(), false),
            [name, "desc"] => ((*name).to_owned(), true),
            _ => return Err(bad_order(order)),
        };
        let unknown = || Raised::value_error(&format!("Invalid field '{name}' on '{}'", model.name));
        Ok((model.field(&name).ok_or_else(unknown)?, descending))
    });
    parts.collect()
}

/// Rows that are equal in all of it come in any order: the database promises none, and none that stays from page to page.
fn arrange(items: &mut [Item], keys: &[(&'static Field, bool)], offset: usize, config: &Config) {
    items.sort_by_cached_key(|item| {
        let mut record = None;
        let sorted: Vec<Turned> = keys
            .iter()
            .map(|(field, descending)| {
                let key = match field.kind {
                    Kind::Id => Key::Id(item.row.id.clone()),
                    Kind::Updated => Key::Time(item.row.time),
                    _ => {
                        let record = record.get_or_insert_with(|| Record::read(&item.row, config));
                        match field.kind {
                            Kind::Created => Key::Time(record.created),
                            _ => Key::Text(field.value(item.object, record).to_string()),
                        }
                    }
                };
                Turned(key, *descending)
            })
            .collect();
        let mut hasher = DefaultHasher::new();
        (&item.row.id, offset).hash(&mut hasher);
        (sorted, hasher.finish())
    });
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Id(Id),
    Time(Option<Timestamp>),
    Text(String),
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

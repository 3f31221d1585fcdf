//! create, write and unlink. A call is one transaction: all its records are checked before the first is stored, and all that it
//! stores have one time.

use serde_json::{Value, json};

use super::model::{self, Model, id_of, number_of};
use super::read::{Item, one};
use super::{Arguments, Context, Raised};
use crate::dialects::common::Fields;
use crate::store::{Id, Object, Order, Row};
use crate::tenant::Tenant;
use crate::validate::FIELDS;

pub fn create(tenant: &Tenant, model: &Model, mut arguments: Arguments, context: &Context) -> Result<Value, Raised> {
    let given = arguments.required("vals_list")?;
    arguments.end()?;
    let given = match given {
        Value::Array(list) => list,
        // Odoo takes one alone too.
        Value::Object(_) => vec![given],
        _ => return Err(Raised::value_error("vals_list is neither a list nor a mapping")),
    };
    let mut rows = Vec::new();
    for values in &given {
        let Value::Object(values) = values else {
            return Err(Raised::value_error(&format!("'{values}' is no mapping")));
        };
        rows.push(checked(tenant, model, values, context)?);
    }
    let config = tenant.config();
    let now = config.now();
    let written = config.timestamps.write(now);
    let mut ids = Vec::new();
    for (object, row) in rows {
        let mut table = tenant.table(object).write();
        let id = table.make_id(config.id_kind(object), object);
        let mut fields: Fields = FIELDS.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
        fields.insert("id".into(), id.to_value());
        fields.extend(row);
        fields.insert("created_at".into(), written.clone());
        fields.insert("updated_at".into(), written.clone());
        ids.push(id.to_value());
        table.put(vec![Row::new(id, Some(now), fields)]);
    }
    Ok(Value::Array(ids))
}

/// Which table a new record goes into, and its fields.
fn checked(tenant: &Tenant, model: &Model, values: &Fields, context: &Context) -> Result<(Object, Fields), Raised> {
    let value = |field: &str| values.get(field).or_else(|| context.default_of(field));
    let mut given = values.clone();
    for field in ["type", "is_company"] {
        if let (Some(value), true) = (value(field), model.field(field).is_some()) {
            given.insert(field.into(), value.clone());
        }
    }
    let mut row = model.stored(&tenant.config(), &given, &|id| owner(tenant, model, id))?;
    if let Some(field) = model.required().filter(|field| !row.contains_key(field.row)) {
        return Err(model.not_set(field));
    }
    let object = match (row.get("type").and_then(Value::as_str), row.get("is_company")) {
        (Some("opportunity"), _) => Object::Deals,
        (_, Some(Value::Bool(true))) => Object::Companies,
        _ => model.objects.first().copied().unwrap_or(Object::Leads),
    };
    // What the table says already is not said twice.
    row.retain(|field, _| !matches!(field.as_str(), "type" | "is_company"));
    row.entry("status").or_insert_with(|| json!("new"));
    Ok((object, row))
}

/// The user of that number: the sandbox knows users only by the records that they own.
fn owner(tenant: &Tenant, model: &Model, id: u64) -> Option<String> {
    model.objects.iter().find_map(|object| {
        let table = tenant.table(*object).read();
        let rows = table.view(Order::Id, None);
        rows.iter().find_map(|row| {
            let fields = row.fields()?;
            let owner = fields.get("owner")?.as_str()?;
            (number_of(owner) == id).then(|| owner.to_owned())
        })
    })
}

pub fn write(tenant: &Tenant, model: &Model, ids: &[Value], mut arguments: Arguments) -> Result<Value, Raised> {
    let values = arguments.required("vals")?;
    arguments.end()?;
    let Value::Object(values) = values else {
        return Err(Raised::value_error(&format!("'{values}' is no mapping")));
    };
    let config = tenant.config();
    let row = model.stored(&config, &values, &|id| owner(tenant, model, id))?;
    let items = all(tenant, model, ids)?;
    let now = config.now();
    for Item { object, row: old } in items {
        let mut table = tenant.table(object).write();
        // As it is now: another call may have written meanwhile.
        let old = table.get(&old.id).cloned().unwrap_or(old);
        let mut fields = old.fields().unwrap_or_default();
        fields.extend(row.clone());
        fields.insert("updated_at".into(), config.timestamps.write(now));
        table.put(vec![Row::new(old.id.clone(), Some(now), fields)]);
    }
    Ok(true.into())
}

pub fn unlink(tenant: &Tenant, model: &Model, ids: &[Value], arguments: Arguments) -> Result<Value, Raised> {
    arguments.end()?;
    let items = all(tenant, model, ids)?;
    let now = tenant.config().now();
    for Item { object, row } in items {
        tenant.table(object).write().remove(std::slice::from_ref(&row.id), now);
    }
    Ok(true.into())
}

/// All of them, or none.
fn all(tenant: &Tenant, model: &Model, ids: &[Value]) -> Result<Vec<Item>, Raised> {
    let ids: Option<Vec<Id>> = ids.iter().map(id_of).collect();
    let ids = ids.ok_or_else(|| Raised::value_error("ids are whole numbers"))?;
    let item = |id: &Id| one(tenant, model, id).ok_or_else(|| Raised::missing(model, &model::shown(id)));
    ids.iter().map(item).collect()
}

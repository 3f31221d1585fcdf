//! The write of one record, for single requests and collections alike: what is checked, and what becomes of the row.

use hyper::StatusCode;
use serde_json::{Map, Value};

use super::answer::Fault;
use super::entity::Entity;
use crate::dialects::columns::{Bad, Column, Written};
use crate::dialects::common::{Fields, Record, create_in, find_by, id_text, update_in};
use crate::store::{Id, Order, Row, Table};
use crate::tenant::{Config, Tenant};

/// Ids are told apart by case; the form of 15 characters means the same.
pub fn find(table: &Table, id: &str) -> Option<Id> {
    if let Some(row) = table.find(id) {
        return Some(row.id.clone());
    }
    if id.len() != 15 {
        return None;
    }
    let rows = table.view(Order::Id, None);
    let row = rows.iter().find(|row| id_text(&row.id).get(..15) == Some(id))?;
    Some(row.id.clone())
}

/// Why there is no such row.
pub fn missing(table: &Table, id: &str) -> Fault {
    let same = |known: &Id| {
        let known = id_text(known);
        known == id || known.get(..15) == Some(id)
    };
    match table.tombstones().iter().any(|gone| same(&gone.row.id)) {
        true => Fault::new(StatusCode::NOT_FOUND, "ENTITY_IS_DELETED", "entity is deleted"),
        false => Fault::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "Provided external ID field does not exist or is not accessible",
        ),
    }
}

/// A body's fields. `except`: names that are not fields (`attributes`, and `id` in collections).
pub fn read(entity: Entity, config: &Config, given: &Map<String, Value>, except: &[&str]) -> Result<Written, Fault> {
    let mut written = Written::default();
    for (name, value) in given {
        if except.contains(&name.as_str()) {
            continue;
        }
        let column = entity.column(config, name).ok_or_else(|| entity.no_such(name))?;
        set(&mut written, &column, value)?;
    }
    Ok(written)
}

pub fn set(written: &mut Written, column: &Column, value: &Value) -> Result<(), Fault> {
    let name = column.name.as_ref();
    written.set(column, value).map_err(|bad| match bad {
        Bad::ReadOnly => {
            let message =
                format!("Unable to create/update fields: {name}. Please check the security settings of this field.");
            Fault::bad("INVALID_FIELD_FOR_INSERT_UPDATE", message).of(name)
        }
        Bad::Email => Fault::bad(
            "INVALID_EMAIL_ADDRESS",
            format!("{name}: invalid email address: {value}"),
        )
        .of(name),
        Bad::Number | Bad::Shape => Fault::bad(
            "JSON_PARSER_ERROR",
            format!("Cannot deserialize instance of {name} from {value}"),
        ),
    })
}

pub fn insert(table: &mut Table, tenant: &Tenant, entity: Entity, written: Written) -> Result<Id, Fault> {
    let fields = written.finish(None);
    let config = tenant.config();
    lacks(entity, &config, &fields)?;
    refuse_duplicate(table, tenant, &fields, None)?;
    Ok(create_in(table, tenant, entity.object, fields).id.clone())
}

pub fn change(table: &mut Table, tenant: &Tenant, entity: Entity, id: &Id, written: Written) -> Result<(), Fault> {
    let config = tenant.config();
    let Some(row) = table.get(id).cloned() else {
        return Err(missing(table, &id_text(id)));
    };
    let old = Record::read(&row, &config);
    let fields = written.finish(Some(&old));
    // What is required may not be emptied.
    let mut whole = old.fields.clone();
    whole.extend(fields.clone());
    let emptied = |name: &&str| {
        entity
            .column(&config, name)
            .is_some_and(|column| touches(&column, &fields))
    };
    lacks_of(
        entity,
        &config,
        &whole,
        entity.required().iter().copied().filter(|name| emptied(name)),
    )?;
    refuse_duplicate(table, tenant, &fields, Some(&row))?;
    update_in(table, tenant, id, fields);
    Ok(())
}

fn touches(column: &Column, fields: &Fields) -> bool {
    use crate::dialects::columns::Source;
    match column.source {
        Source::First | Source::Last => fields.contains_key("name"),
        Source::Field(name) => fields.contains_key(name),
        _ => fields.contains_key(column.name.as_ref()),
    }
}

fn lacks(entity: Entity, config: &Config, fields: &Fields) -> Result<(), Fault> {
    lacks_of(entity, config, fields, entity.required().iter().copied())
}

fn lacks_of(
    entity: Entity,
    config: &Config,
    fields: &Fields,
    required: impl Iterator<Item = &'static str>,
) -> Result<(), Fault> {
    let record = Record {
        id: Id::Number(0),
        fields: fields.clone(),
        created: None,
        updated: None,
    };
    let empty = |name: &&str| {
        let column = entity.column(config, name);
        column.is_none_or(|column| column.value(&record).is_null())
    };
    let missing: Vec<String> = required.filter(empty).map(str::to_owned).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    let mut fault = Fault::bad("REQUIRED_FIELD_MISSING", message);
    fault.fields = missing;
    Err(fault)
}

/// Where the tenant has such a rule.
fn refuse_duplicate(table: &Table, tenant: &Tenant, fields: &Fields, own: Option<&Row>) -> Result<(), Fault> {
    let rule = tenant.option("duplicate_rule") == Some(Value::Bool(true));
    let Some(email) = fields.get("email").and_then(Value::as_str).filter(|_| rule) else {
        return Ok(());
    };
    match find_by(table, "email", email) {
        Some(id) if own.is_none_or(|own| own.id != id) => {
            let message = "Use one of these records?";
            Err(Fault::bad("DUPLICATES_DETECTED", message))
        }
        _ => Ok(()),
    }
}

/// The rows whose external id is this; Email serves as one, and every custom field does.
pub fn matching(
    table: &Table,
    entity: Entity,
    config: &Config,
    field: &str,
    value: &str,
) -> Result<(Column, Vec<Id>), Fault> {
    use crate::dialects::columns::Kind;
    let column = entity
        .column(config, field)
        .filter(|column| column.kind == Kind::Email || config.custom_fields.iter().any(|name| *name == column.name));
    let Some(column) = column else {
        let message = format!("Provided external ID field does not exist or is not accessible: {field}");
        return Err(Fault::new(StatusCode::NOT_FOUND, "NOT_FOUND", message));
    };
    let wanted = value.to_lowercase();
    let rows = table.view(Order::Id, None);
    let same = |row: &&std::sync::Arc<Row>| {
        let record = Record::read(row, config);
        column
            .value(&record)
            .as_str()
            .is_some_and(|own| own.to_lowercase() == wanted)
    };
    let ids = rows.iter().filter(same).map(|row| row.id.clone()).collect();
    Ok((column, ids))
}

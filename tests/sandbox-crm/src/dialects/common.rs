//! What dialects share: names in two parts, rows as records, and the writes. No CRM's own forms.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::store::{Id, Object, Row, Table};
use crate::tenant::{Config, Tenant};
use crate::validate::FIELDS;

pub use crate::validate::is_email;

pub type Fields = Map<String, Value>;

/// First and last name: parted at the last blank. One word is a last name, as CRMs require that one.
pub fn split_name(name: &str) -> (&str, &str) {
    let name = name.trim();
    match name.rsplit_once(char::is_whitespace) {
        Some((first, last)) => (first.trim_end(), last),
        None => ("", name),
    }
}

pub fn join_name(first: &str, last: &str) -> String {
    format!("{} {}", first.trim(), last.trim()).trim().to_owned()
}

/// A row with its fields read once. Times are truncated to what the dialect serves, so that what a client filters by is
/// compared with what it saw.
pub struct Record {
    pub id: Id,
    pub fields: Fields,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
}

impl Record {
    /// A row that was given raw and is no JSON object has no fields.
    pub fn read(row: &Row, config: &Config) -> Self {
        let fields = row.fields().unwrap_or_default();
        let format = config.timestamps;
        let created = format.read(fields.get("created_at"));
        Self {
            id: row.id.clone(),
            created: created.or(row.time).map(|time| format.truncate(time)),
            updated: row.time.map(|time| format.truncate(time)),
            fields,
        }
    }

    /// The field as text; numbers and booleans by their JSON, None for null, absent, and lists.
    pub fn text(&self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            _ => None,
        }
    }

    pub fn first_name(&self) -> String {
        split_name(&self.text("name").unwrap_or_default()).0.to_owned()
    }

    pub fn last_name(&self) -> String {
        split_name(&self.text("name").unwrap_or_default()).1.to_owned()
    }
}

/// The id's text, without quotes.
pub fn id_text(id: &Id) -> String {
    match id {
        Id::Number(number) => number.to_string(),
        Id::Text(text) => text.clone(),
    }
}

/// A new row of these fields: what is not given is empty, both times are now. The caller has checked them.
pub fn create(tenant: &Tenant, object: Object, given: Fields) -> Arc<Row> {
    let mut table = tenant.table(object).write();
    create_in(&mut table, tenant, object, given)
}

/// The same for a caller that holds the table, as one does who looks for a duplicate first.
pub fn create_in(table: &mut Table, tenant: &Tenant, object: Object, mut given: Fields) -> Arc<Row> {
    let config = tenant.config();
    let id = table.make_id(config.id_kind(object), object);
    let now = config.now();
    let mut fields = Fields::new();
    fields.insert("id".into(), id.to_value());
    for field in FIELDS {
        let empty = if field == "tags" { json!([]) } else { Value::Null };
        fields.insert(field.into(), given.shift_remove(field).unwrap_or(empty));
    }
    given.retain(|field, _| !matches!(field.as_str(), "id" | "created_at" | "updated_at"));
    fields.extend(given);
    fields.insert("created_at".into(), config.timestamps.write(now));
    fields.insert("updated_at".into(), config.timestamps.write(now));
    let row = Row::new(id, Some(now), fields);
    table.put(vec![row.clone()]);
    Arc::new(row)
}

/// Sets these fields and moves the time, also where nothing changes: CRMs do. `None` where there is no such row.
pub fn update(tenant: &Tenant, object: Object, id: &Id, given: Fields) -> Option<Arc<Row>> {
    let mut table = tenant.table(object).write();
    update_in(&mut table, tenant, id, given)
}

pub fn update_in(table: &mut Table, tenant: &Tenant, id: &Id, given: Fields) -> Option<Arc<Row>> {
    let config = tenant.config();
    let old = table.get(id)?;
    let mut fields = old.fields().unwrap_or_default();
    let now = config.now();
    fields.insert("id".into(), old.id.to_value());
    for (field, value) in given {
        if !matches!(field.as_str(), "id" | "created_at" | "updated_at") {
            fields.insert(field, value);
        }
    }
    fields.insert("updated_at".into(), config.timestamps.write(now));
    let row = Row::new(id.clone(), Some(now), fields);
    table.put(vec![row.clone()]);
    Some(Arc::new(row))
}

/// False where there is no such row. The row is remembered: `table.tombstones()`.
pub fn delete(tenant: &Tenant, object: Object, id: &Id) -> bool {
    let now = tenant.config().now();
    tenant.table(object).write().remove(std::slice::from_ref(id), now) > 0
}

/// The first row in id order whose field has this text, compared as most CRMs do: without regard to case.
pub fn find_by(table: &Table, field: &str, text: &str) -> Option<Id> {
    let wanted = text.to_lowercase();
    let rows = table.view(crate::store::Order::Id, None);
    let row = rows.iter().find(|row| {
        let fields = row.fields().unwrap_or_default();
        let value = fields.get(field).and_then(Value::as_str);
        value.is_some_and(|value| value.to_lowercase() == wanted)
    })?;
    Some(row.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_part_at_the_last_blank_and_join_again() {
        for (name, first, last) in [
            ("Zoë Müller", "Zoë", "Müller"),
            ("Jean Luc  Picard", "Jean Luc", "Picard"),
            ("  Madonna ", "", "Madonna"),
            ("", "", ""),
            ("小龙\u{3000}李", "小龙", "李"),
        ] {
            assert_eq!(split_name(name), (first, last), "{name:?}");
        }
        assert_eq!(join_name("Jean Luc", "Picard"), "Jean Luc Picard");
        assert_eq!(join_name("", "Picard"), "Picard");
        assert_eq!(join_name("Jean", ""), "Jean");
    }
}

//! Dolibarr's resources and their fields, from and to the sandbox's rows. Most values are strings, as PHP reads them from MySQL;
//! times are seconds since 1970. Fields that it does not know are ignored in silence.

use serde_json::{Map, Value, json};

use crate::dialects::common::{Fields, Record, id_text, join_name, split_name};
use crate::store::Object;

pub struct Resource {
    pub name: &'static str,
    /// As its errors name them.
    pub one: &'static str,
    pub many: &'static str,
    /// The sandbox's tables that are this one.
    pub objects: &'static [Object],
    pub required: &'static [&'static str],
    fields: &'static [Field],
}

pub struct Field {
    /// In JSON.
    name: &'static str,
    /// In SQL; empty where the table has no such column.
    column: &'static str,
    pub source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Id,
    /// A field of the row.
    Row(&'static str),
    /// A field of another table: writes go nowhere.
    Related(&'static str),
    First,
    Last,
    /// 2 is a prospect, 1 a customer, 3 both.
    Client,
    /// The level of a prospect, by its number.
    Level,
    Created,
    Updated,
}

use Source::{Client, Created, First, Last, Level, Related, Updated};

/// What the numbers of `stcomm_id` stand for.
const LEVELS: [&str; 5] = ["new", "contacted", "qualified", "lost", "converted"];

const fn field(name: &'static str, column: &'static str, source: Source) -> Field {
    Field { name, column, source }
}

const fn row(name: &'static str, column: &'static str, field: &'static str) -> Field {
    Field {
        name,
        column,
        source: Source::Row(field),
    }
}

static CONTACT: [Field; 12] = [
    field("id", "rowid", Source::Id),
    field("ref", "", Source::Id),
    field("lastname", "lastname", Last),
    field("firstname", "firstname", First),
    row("email", "email", "email"),
    row("phone_pro", "phone", "phone"),
    row("phone_mobile", "phone_mobile", "phone_mobile"),
    field("socname", "", Related("company")),
    row("note_public", "note_public", "notes"),
    row("statut", "statut", "statut"),
    field("date_creation", "datec", Created),
    field("date_modification", "tms", Updated),
];
static THIRDPARTY: [Field; 11] = [
    field("id", "rowid", Source::Id),
    field("ref", "", Source::Id),
    row("name", "nom", "name"),
    row("email", "email", "email"),
    row("phone", "phone", "phone"),
    row("note_public", "note_public", "notes"),
    field("client", "client", Client),
    row("status", "status", "statut"),
    field("stcomm_id", "fk_stcomm", Level),
    field("date_creation", "datec", Created),
    field("date_modification", "tms", Updated),
];
static TICKET: [Field; 8] = [
    field("id", "rowid", Source::Id),
    row("subject", "subject", "name"),
    row("message", "message", "notes"),
    row("origin_email", "origin_email", "email"),
    row("fk_statut", "fk_statut", "statut"),
    field("datec", "datec", Created),
    field("date_creation", "", Created),
    field("date_modification", "tms", Updated),
];

static RESOURCES: [Resource; 3] = [
    Resource {
        name: "contacts",
        one: "Contact",
        many: "Contacts",
        objects: &[Object::Contacts],
        required: &["lastname"],
        fields: &CONTACT,
    },
    Resource {
        name: "thirdparties",
        one: "Thirdparty",
        many: "Thirdparties",
        objects: &[Object::Companies, Object::Leads],
        required: &["name"],
        fields: &THIRDPARTY,
    },
    Resource {
        name: "tickets",
        one: "Ticket",
        many: "Tickets",
        objects: &[Object::Tickets],
        required: &["subject", "message"],
        fields: &TICKET,
    },
];

impl Resource {
    pub fn from_name(name: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.name == name)
    }

    /// Where a new row goes.
    pub fn table(&self) -> Object {
        self.objects.first().copied().unwrap_or(Object::Contacts)
    }

    /// By its column in SQL, `t.` before it.
    pub fn column(&self, column: &str) -> Option<Source> {
        let column = column.strip_prefix("t.")?;
        let mut fields = self.fields.iter();
        fields
            .find(|field| !column.is_empty() && field.column == column)
            .map(|field| field.source)
    }

    pub fn read(&self, object: Object, record: &Record) -> Value {
        let mut shown = Map::new();
        for field in self.fields {
            let time = |time: Option<jiff::Timestamp>| json!(time.map(|time| time.as_second()));
            let value = match field.source {
                Created => time(record.created),
                Updated => time(record.updated),
                source => json!(text(source, object, record)),
            };
            shown.insert(field.name.into(), value);
        }
        Value::Object(shown)
    }

    /// The table of a new row, and the row's fields for what a client gives.
    pub fn write(&self, given: &Fields, old: Option<&Fields>) -> (Object, Fields) {
        let before = old
            .and_then(|old| old.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (mut first, mut last) = split_name(before);
        let mut named = false;
        let mut object = self.table();
        let mut row = Fields::new();
        for (name, value) in given {
            let Some(field) = self.fields.iter().find(|field| field.name == name) else {
                continue;
            };
            let text = match value {
                Value::Bool(yes) => Value::from(if *yes { "1" } else { "0" }),
                Value::Number(number) => number.to_string().into(),
                Value::String(text) => text.as_str().into(),
                _ => Value::Null,
            };
            match field.source {
                Source::Row(target) => drop(row.insert(target.into(), text)),
                First => (first, named) = (value.as_str().unwrap_or_default(), true),
                Last => (last, named) = (value.as_str().unwrap_or_default(), true),
                Client => {
                    if matches!(text.as_str(), Some("2" | "3")) {
                        object = Object::Leads;
                    }
                    row.insert("client".into(), text);
                }
                Level => {
                    let level = text.as_str().and_then(|text| text.parse::<usize>().ok());
                    let level = level
                        .and_then(|level| LEVELS.get(level))
                        .map(|level| Value::from(*level));
                    row.insert("status".into(), level.unwrap_or(text));
                }
                Source::Id | Related(_) | Created | Updated => {}
            }
        }
        if named {
            row.insert("name".into(), join_name(first, last).into());
        }
        (object, row)
    }
}

/// The value as text; `None` is SQL's NULL.
pub fn text(source: Source, object: Object, record: &Record) -> Option<String> {
    match source {
        Source::Id => Some(id_text(&record.id)),
        Source::Row("statut") => Some(record.text("statut").unwrap_or_else(|| "1".into())),
        Source::Row(field) | Related(field) => record.text(field),
        First => Some(record.first_name()),
        Last => Some(record.last_name()),
        Client => {
            let usual = if object == Object::Leads { "2" } else { "1" };
            Some(record.text("client").unwrap_or_else(|| usual.into()))
        }
        Level => {
            let status = record.text("status").unwrap_or_default();
            let level = LEVELS.iter().position(|level| *level == status);
            Some(level.map_or(status, |level| level.to_string()))
        }
        Created | Updated => None,
    }
}

//! SuiteCRM's modules and their fields, from and to the sandbox's rows. All values are strings, as PHP reads them from MySQL.

use hyper::StatusCode;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use super::document;
use crate::answer::Answer;
use crate::dialects::common::{Fields, Record, id_text, join_name, split_name};
use crate::store::Object;
use crate::tenant::Config;

#[derive(Debug, Clone, Copy)]
pub struct Module {
    pub name: &'static str,
    pub bean: &'static str,
    pub object: Object,
    common: &'static [Field],
    own: &'static [Field],
}

/// The CRM's name, its type, and where its value is.
type Field = (&'static str, &'static str, Source);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Id,
    /// A field of the row.
    Row(&'static str),
    /// The same; writes go nowhere, as those of a field that another table holds.
    Related(&'static str),
    First,
    Last,
    Created,
    Updated,
    Deleted,
}

use Source::{Created, Deleted, First, Last, Related, Updated};

const fn row(name: &'static str, kind: &'static str, field: &'static str) -> Field {
    (name, kind, Source::Row(field))
}

/// What persons have.
static PERSON: &[Field] = &[
    ("id", "id", Source::Id),
    ("name", "name", Related("name")),
    ("date_entered", "datetime", Created),
    ("date_modified", "datetime", Updated),
    row("description", "text", "notes"),
    ("deleted", "bool", Deleted),
    ("first_name", "varchar", First),
    ("last_name", "varchar", Last),
];
/// What the rest has.
static THING: &[Field] = &[
    ("id", "id", Source::Id),
    row("name", "name", "name"),
    ("date_entered", "datetime", Created),
    ("date_modified", "datetime", Updated),
    row("description", "text", "notes"),
    ("deleted", "bool", Deleted),
];

static LEAD: &[Field] = &[
    row("email1", "varchar", "email"),
    row("phone_work", "phone", "phone"),
    row("account_name", "varchar", "company"),
    row("status", "enum", "status"),
    row("assigned_user_id", "relate", "owner"),
    ("assigned_user_name", "relate", Related("owner")),
];
static CONTACT: &[Field] = &[
    row("email1", "varchar", "email"),
    row("phone_work", "phone", "phone"),
    ("account_name", "relate", Related("company")),
    row("assigned_user_id", "relate", "owner"),
    ("assigned_user_name", "relate", Related("owner")),
];
static ACCOUNT: &[Field] = &[
    row("email1", "varchar", "email"),
    row("phone_office", "phone", "phone"),
    row("account_type", "enum", "status"),
    row("assigned_user_id", "relate", "owner"),
    ("assigned_user_name", "relate", Related("owner")),
];
static OPPORTUNITY: &[Field] = &[
    ("account_name", "relate", Related("company")),
    row("sales_stage", "enum", "status"),
    row("amount", "currency", "amount"),
    row("date_closed", "date", "close_date"),
    row("assigned_user_id", "relate", "owner"),
    ("assigned_user_name", "relate", Related("owner")),
];
static CASE: &[Field] = &[
    ("account_name", "relate", Related("company")),
    row("status", "enum", "status"),
    row("assigned_user_id", "relate", "owner"),
    ("assigned_user_name", "relate", Related("owner")),
];

const fn module(name: &'static str, bean: &'static str, object: Object, fields: [&'static [Field]; 2]) -> Module {
    let [common, own] = fields;
    Module {
        name,
        bean,
        object,
        common,
        own,
    }
}

static MODULES: [Module; 5] = [
    module("Leads", "Lead", Object::Leads, [PERSON, LEAD]),
    module("Contacts", "Contact", Object::Contacts, [PERSON, CONTACT]),
    module("Accounts", "Account", Object::Companies, [THING, ACCOUNT]),
    module("Opportunities", "Opportunity", Object::Deals, [THING, OPPORTUNITY]),
    module("Cases", "aCase", Object::Tickets, [THING, CASE]),
];

impl Module {
    pub fn from_name(name: &str) -> Option<Self> {
        MODULES.iter().find(|module| module.name == name).copied()
    }

    fn fields(self) -> impl Iterator<Item = &'static Field> {
        self.common.iter().chain(self.own)
    }

    pub fn source(self, name: &str) -> Option<Source> {
        let mut fields = self.fields();
        fields
            .find(|(known, _, _)| *known == name)
            .map(|(_, _, source)| *source)
    }

    pub fn knows(self, name: &str, config: &Config) -> bool {
        self.source(name).is_some() || config.custom_fields.iter().any(|custom| custom == name)
    }
}

/// The attributes, those `wanted` or all; never the id.
pub fn read(
    module: Module,
    config: &Config,
    record: &Record,
    gone: bool,
    wanted: Option<&[String]>,
    server: Offset,
) -> Map<String, Value> {
    let asked = |name: &str| name != "id" && wanted.is_none_or(|wanted| wanted.iter().any(|one| one == name));
    let mut attributes = Map::new();
    for (name, _, source) in module.fields().filter(|(name, _, _)| asked(name)) {
        let text = match source {
            Created => atom(record.created, server),
            Updated => atom(record.updated, server),
            _ => text(*source, record, gone),
        };
        attributes.insert((*name).into(), text.into());
    }
    for name in config.custom_fields.iter().filter(|name| asked(name)) {
        attributes.insert(name.clone(), record.text(name).unwrap_or_default().into());
    }
    attributes
}

/// The value that the database holds.
pub fn text(source: Source, record: &Record, gone: bool) -> String {
    match source {
        Source::Id => id_text(&record.id),
        Source::Row(field) | Related(field) => record.text(field).unwrap_or_default(),
        First => record.first_name(),
        Last => record.last_name(),
        Created => sql(record.created),
        Updated => sql(record.updated),
        Deleted => if gone { "1" } else { "0" }.to_owned(),
    }
}

/// The database's digits, which are UTC, with the offset that PHP's own time zone has: the offset is wrong, the digits are right.
/// (DateTime::createFromFormat and date(DATE_ATOM) both think in PHP's zone.)
fn atom(time: Option<Timestamp>, server: Offset) -> String {
    let Some(time) = time else {
        return String::new();
    };
    let seconds = server.seconds();
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let digits = time.strftime("%Y-%m-%dT%H:%M:%S");
    format!("{digits}{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

fn sql(time: Option<Timestamp>) -> String {
    time.map_or(String::new(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The row's fields for what a client gives; `old` for a name of which only one part is given. SuiteCRM refuses names that the
/// bean has not, and looks at no value.
pub fn write(
    module: Module,
    config: &Config,
    attributes: Map<String, Value>,
    old: Option<&Fields>,
) -> Result<Fields, String> {
    let mut given = Fields::new();
    let before = old
        .and_then(|old| old.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (mut first, mut last) = split_name(before);
    let mut named = false;
    for (name, value) in &attributes {
        if !module.knows(name, config) {
            return Err(format!("Property {name} in {} module is invalid", module.bean));
        }
        let text = match value {
            Value::Null => Value::Null,
            Value::Array(_) | Value::Object(_) => "Array".into(),
            Value::String(text) => text.as_str().into(),
            Value::Bool(yes) => if *yes { "1" } else { "" }.into(),
            Value::Number(number) => number.to_string().into(),
        };
        match module.source(name) {
            Some(Source::Row(field)) => drop(given.insert(field.into(), text)),
            Some(First) => (first, named) = (value.as_str().unwrap_or_default(), true),
            Some(Last) => (last, named) = (value.as_str().unwrap_or_default(), true),
            Some(_) => {}
            None => drop(given.insert(name.clone(), text)),
        }
    }
    if named {
        given.insert("name".into(), join_name(first, last).into());
    }
    Ok(given)
}

/// meta/fields: `required` is what the forms ask for; the API does not.
pub fn describe(module: Module, config: &Config) -> Map<String, Value> {
    let mut all = Map::new();
    let count = module.fields().count();
    let known = module.fields().map(|(name, kind, source)| (*name, *kind, *source));
    let custom = config.custom_fields.iter().map(|name| (name.as_str(), "varchar", Last));
    for (position, (name, kind, source)) in known.chain(custom).enumerate() {
        let custom = position >= count;
        let required = !custom && (source == Last || source == Source::Row("name"));
        let mut field = json!({ "type": kind, "required": required, "dbType": kind });
        if let Value::Object(field) = &mut field {
            if custom {
                field.insert("source".into(), "custom_fields".into());
            } else if matches!(source, Related(_)) {
                field.insert("source".into(), "non-db".into());
            }
            if kind == "enum" {
                field.insert("options".into(), format!("{name}_dom").into());
            }
        }
        all.insert(name.to_owned(), field);
    }
    all
}

pub fn modules() -> Answer {
    let all: Map<String, Value> = MODULES
        .iter()
        .map(|module| {
            (
                module.name.to_owned(),
                json!({ "label": module.name, "access": ["access", "list", "view"] }),
            )
        })
        .collect();
    let data = json!({ "type": "modules", "attributes": all });
    document(StatusCode::OK, json!({ "data": data }))
}

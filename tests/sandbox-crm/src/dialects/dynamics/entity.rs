//! Tables and their columns: what they are in the sandbox's row, keys, entity tags, and the metadata.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{self, bad};
use crate::answer::Answer;
use crate::dialects::columns::{Column, Kind, Source};
use crate::dialects::common::{Record, find_by, id_text};
use crate::store::{Object, Row, Table};
use crate::tenant::{Config, Tenant};

use Source::{Created, Field, First, Id, Last, Own, Updated, Whole};

static LEAD: [Column; 16] = [
    Column::new("leadid", Kind::Text, Id),
    Column::new("firstname", Kind::Text, First),
    Column::new("lastname", Kind::Text, Last),
    Column::new("fullname", Kind::Text, Whole),
    Column::new("emailaddress1", Kind::Email, Field("email")),
    Column::new("telephone1", Kind::Text, Field("phone")),
    Column::new("companyname", Kind::Text, Field("company")),
    Column::new("statuscode", Kind::Text, Field("status")),
    Column::new("description", Kind::Text, Field("notes")),
    Column::new("revenue", Kind::Number, Field("score")),
    Column::new("subject", Kind::Text, Own),
    Column::new("jobtitle", Kind::Text, Own),
    Column::new("address1_city", Kind::Text, Own),
    Column::new("address1_country", Kind::Text, Own),
    Column::new("createdon", Kind::Time, Created),
    Column::new("modifiedon", Kind::Time, Updated),
];
static CONTACT: [Column; 13] = [
    Column::new("contactid", Kind::Text, Id),
    Column::new("firstname", Kind::Text, First),
    Column::new("lastname", Kind::Text, Last),
    Column::new("fullname", Kind::Text, Whole),
    Column::new("emailaddress1", Kind::Email, Field("email")),
    Column::new("telephone1", Kind::Text, Field("phone")),
    Column::new("department", Kind::Text, Field("company")),
    Column::new("statuscode", Kind::Text, Field("status")),
    Column::new("description", Kind::Text, Field("notes")),
    Column::new("jobtitle", Kind::Text, Own),
    Column::new("address1_city", Kind::Text, Own),
    Column::new("createdon", Kind::Time, Created),
    Column::new("modifiedon", Kind::Time, Updated),
];
static ACCOUNT: [Column; 8] = [
    Column::new("accountid", Kind::Text, Id),
    Column::new("name", Kind::Text, Field("name")),
    Column::new("emailaddress1", Kind::Email, Field("email")),
    Column::new("telephone1", Kind::Text, Field("phone")),
    Column::new("description", Kind::Text, Field("notes")),
    Column::new("revenue", Kind::Number, Field("score")),
    Column::new("createdon", Kind::Time, Created),
    Column::new("modifiedon", Kind::Time, Updated),
];
static OPPORTUNITY: [Column; 7] = [
    Column::new("opportunityid", Kind::Text, Id),
    Column::new("name", Kind::Text, Field("name")),
    Column::new("estimatedvalue", Kind::Number, Field("score")),
    Column::new("stepname", Kind::Text, Field("status")),
    Column::new("description", Kind::Text, Field("notes")),
    Column::new("createdon", Kind::Time, Created),
    Column::new("modifiedon", Kind::Time, Updated),
];
static INCIDENT: [Column; 6] = [
    Column::new("incidentid", Kind::Text, Id),
    Column::new("title", Kind::Text, Field("name")),
    Column::new("statuscode", Kind::Text, Field("status")),
    Column::new("description", Kind::Text, Field("notes")),
    Column::new("createdon", Kind::Time, Created),
    Column::new("modifiedon", Kind::Time, Updated),
];

/// What the numbers of `statuscode` mean.
const STATUS: [&str; 5] = ["new", "contacted", "qualified", "lost", "converted"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    pub set: &'static str,
    pub name: &'static str,
    pub object: Object,
}

const ALL: [Entity; 5] = [
    Entity::new("leads", "lead", Object::Leads),
    Entity::new("contacts", "contact", Object::Contacts),
    Entity::new("accounts", "account", Object::Companies),
    Entity::new("opportunities", "opportunity", Object::Deals),
    Entity::new("incidents", "incident", Object::Tickets),
];

/// What a URL's parentheses hold.
pub enum Key {
    Id(String),
    /// The value of emailaddress1.
    Email(String),
}

impl Entity {
    const fn new(set: &'static str, name: &'static str, object: Object) -> Self {
        Self { set, name, object }
    }

    pub fn of_set(set: &str) -> Option<Self> {
        ALL.into_iter().find(|entity| entity.set == set)
    }

    pub fn of_logical_name(name: &str) -> Option<Self> {
        ALL.into_iter().find(|entity| entity.name == name)
    }

    pub fn columns(self, config: &Config) -> Vec<Column> {
        let own: &[Column] = match self.object {
            Object::Leads => &LEAD,
            Object::Contacts => &CONTACT,
            Object::Companies => &ACCOUNT,
            Object::Deals => &OPPORTUNITY,
            Object::Tickets => &INCIDENT,
        };
        let custom = config.custom_fields.iter().map(|name| Column::custom(name));
        own.iter().cloned().chain(custom).collect()
    }

    pub fn column(self, config: &Config, name: &str) -> Result<Column, Answer> {
        let mut columns = self.columns(config).into_iter();
        columns.find(|column| column.name == name).ok_or_else(|| {
            bad(format!(
                "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{}'.",
                self.name
            ))
        })
    }

    /// A GUID, or the alternate key where there is one.
    pub fn key(self, tenant: &Tenant, text: &str) -> Result<Key, Answer> {
        if let Some((name, value)) = text.split_once('=') {
            let defined = name == "emailaddress1"
                && matches!(self.object, Object::Leads | Object::Contacts)
                && tenant.option("alternate_key") != Some(Value::Bool(false));
            if !defined {
                let message = format!(
                    "The specified key attributes are not a defined key for the {} entity",
                    self.name
                );
                return Err(answer::fault(StatusCode::BAD_REQUEST, "0x80060891", message));
            }
            let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            let value = value.ok_or_else(answer::syntax)?.replace("''", "'");
            return Ok(Key::Email(value));
        }
        if !is_guid(text) {
            return Err(answer::syntax());
        }
        Ok(Key::Id(text.to_lowercase()))
    }

    pub fn find(self, table: &Table, key: &Key) -> Option<Arc<Row>> {
        match key {
            Key::Id(id) => table.find(id).cloned(),
            Key::Email(email) => find_by(table, "email", email).and_then(|id| table.get(&id).cloned()),
        }
    }

    /// The id is always there.
    pub fn show(self, row: &Row, config: &Config, columns: &[Column]) -> Map<String, Value> {
        let record = Record::read(row, config);
        let mut shown = Map::new();
        shown.insert("@odata.etag".into(), etag(row).into());
        for column in columns {
            shown.insert(column.name.to_string(), value(column, &record));
        }
        shown.insert(format!("{}id", self.name), id_text(&row.id).into());
        shown
    }

    pub fn attributes(self, base: &str, config: &Config) -> Answer {
        let attributes: Vec<Value> = self
            .columns(config)
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    _ if column.source == Id => "Uniqueidentifier",
                    _ if column.name == "statuscode" => "Status",
                    Kind::Time => "DateTime",
                    Kind::Number => "Money",
                    _ => "String",
                };
                json!({
                    "@odata.type": format!("#Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
                    "LogicalName": column.name,
                    "SchemaName": column.name,
                    "AttributeType": kind,
                    "IsPrimaryId": column.source == Id,
                    "IsValidForCreate": !column.read_only() || column.source == Id,
                    "IsValidForUpdate": !column.read_only(),
                    "IsCustomAttribute": column.source == Own && config.custom_fields.iter().any(|name| *name == column.name),
                    "RequiredLevel": { "Value": "None", "CanBeChanged": true },
                    "DisplayName": { "UserLocalizedLabel": { "Label": column.name, "LanguageCode": 1033 } },
                })
            })
            .collect();
        let context = format!("{base}/$metadata#EntityDefinitions('{}')/Attributes", self.name);
        Answer::value(
            StatusCode::OK,
            &json!({ "@odata.context": context, "value": attributes }),
        )
    }
}

pub fn value(column: &Column, record: &Record) -> Value {
    if column.kind == Kind::Time {
        return time_text(column.time(record));
    }
    let value = column.value(record);
    if column.name != "statuscode" {
        return value;
    }
    let position = STATUS.iter().position(|status| Some(*status) == value.as_str());
    position.map_or(Value::Null, |position| (position + 1).into())
}

/// The row's value for a number of `statuscode`.
pub fn status(value: &Value) -> Result<Value, Answer> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    let status = number.and_then(|number| STATUS.get(number.checked_sub(1)?));
    match status {
        Some(status) => Ok((*status).into()),
        None => Err(answer::fault(
            StatusCode::BAD_REQUEST,
            "0x80040203",
            format!("The attribute statuscode has no value {value}."),
        )),
    }
}

pub fn time_text(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| {
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
    })
}

/// What the row is now: another number after every change, also within a second.
pub fn mark(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.json.hash(&mut hasher);
    row.time.hash(&mut hasher);
    hasher.finish() >> 11
}

pub fn etag(row: &Row) -> String {
    format!("W/\"{}\"", mark(row))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

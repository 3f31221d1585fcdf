//! sObjects and their fields: what they are in the sandbox's row, how they are written, and their description.

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::Fault;
use crate::answer::Answer;
use crate::dialects::columns::{Column, Kind, Source};
use crate::dialects::common::{Record, id_text};
use crate::store::Object;
use crate::tenant::Config;

use Source::{Created, Field, First, Id, Last, Own, Updated, Whole};

/// What every sObject has.
static SYSTEM: [Column; 6] = [
    Column::new("Id", Kind::Text, Id),
    // Told from the tombstone, not from the row.
    Column::new("IsDeleted", Kind::Text, Whole),
    Column::new("CreatedDate", Kind::Time, Created),
    Column::new("LastModifiedDate", Kind::Time, Updated),
    Column::new("SystemModstamp", Kind::Time, Updated),
    Column::new("OwnerId", Kind::Text, Field("owner")),
];
static LEAD: [Column; 13] = [
    Column::new("FirstName", Kind::Text, First),
    Column::new("LastName", Kind::Text, Last),
    Column::new("Name", Kind::Text, Whole),
    Column::new("Email", Kind::Email, Field("email")),
    Column::new("Phone", Kind::Text, Field("phone")),
    Column::new("Company", Kind::Text, Field("company")),
    Column::new("Status", Kind::Text, Field("status")),
    Column::new("Description", Kind::Text, Field("notes")),
    Column::new("AnnualRevenue", Kind::Number, Field("score")),
    Column::new("LeadSource", Kind::Text, Own),
    Column::new("Title", Kind::Text, Own),
    Column::new("City", Kind::Text, Own),
    Column::new("Country", Kind::Text, Own),
];
static CONTACT: [Column; 10] = [
    Column::new("FirstName", Kind::Text, First),
    Column::new("LastName", Kind::Text, Last),
    Column::new("Name", Kind::Text, Whole),
    Column::new("Email", Kind::Email, Field("email")),
    Column::new("Phone", Kind::Text, Field("phone")),
    Column::new("Department", Kind::Text, Field("company")),
    Column::new("Description", Kind::Text, Field("notes")),
    Column::new("LeadSource", Kind::Text, Field("status")),
    Column::new("Title", Kind::Text, Own),
    Column::new("MailingCity", Kind::Text, Own),
];
static ACCOUNT: [Column; 6] = [
    Column::new("Name", Kind::Text, Field("name")),
    Column::new("Phone", Kind::Text, Field("phone")),
    Column::new("Description", Kind::Text, Field("notes")),
    Column::new("AnnualRevenue", Kind::Number, Field("score")),
    Column::new("Industry", Kind::Text, Field("status")),
    Column::new("Website", Kind::Text, Own),
];
static OPPORTUNITY: [Column; 5] = [
    Column::new("Name", Kind::Text, Field("name")),
    Column::new("StageName", Kind::Text, Field("status")),
    Column::new("Amount", Kind::Number, Field("score")),
    Column::new("Description", Kind::Text, Field("notes")),
    Column::new("CloseDate", Kind::Text, Own),
];
static CASE: [Column; 6] = [
    Column::new("Subject", Kind::Text, Field("name")),
    Column::new("Status", Kind::Text, Field("status")),
    Column::new("Description", Kind::Text, Field("notes")),
    Column::new("SuppliedEmail", Kind::Email, Field("email")),
    Column::new("SuppliedPhone", Kind::Text, Field("phone")),
    Column::new("Origin", Kind::Text, Own),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    pub name: &'static str,
    pub object: Object,
}

const ALL: [Entity; 5] = [
    Entity::new("Lead", Object::Leads),
    Entity::new("Contact", Object::Contacts),
    Entity::new("Account", Object::Companies),
    Entity::new("Opportunity", Object::Deals),
    Entity::new("Case", Object::Tickets),
];

impl Entity {
    const fn new(name: &'static str, object: Object) -> Self {
        Self { name, object }
    }

    /// In any case, as Salesforce takes it.
    pub fn find(name: &str) -> Option<Self> {
        ALL.into_iter().find(|entity| entity.name.eq_ignore_ascii_case(name))
    }

    /// Of a path.
    pub fn named(name: &str) -> Result<Self, Fault> {
        Self::find(name).ok_or_else(Fault::nowhere)
    }

    fn own(self) -> &'static [Column] {
        match self.object {
            Object::Leads => &LEAD,
            Object::Contacts => &CONTACT,
            Object::Companies => &ACCOUNT,
            Object::Deals => &OPPORTUNITY,
            Object::Tickets => &CASE,
        }
    }

    pub fn columns(self, config: &Config) -> Vec<Column> {
        let custom = config.custom_fields.iter().map(|name| Column::custom(name));
        SYSTEM.iter().chain(self.own()).cloned().chain(custom).collect()
    }

    /// In any case.
    pub fn column(self, config: &Config, name: &str) -> Option<Column> {
        let mut columns = self.columns(config).into_iter();
        columns.find(|column| column.name.eq_ignore_ascii_case(name))
    }

    pub fn no_such(self, name: &str) -> Fault {
        let message = format!("No such column '{name}' on sobject of type {}", self.name);
        Fault::bad("INVALID_FIELD", message)
    }

    pub fn required(self) -> &'static [&'static str] {
        match self.object {
            Object::Leads => &["LastName", "Company"],
            Object::Contacts => &["LastName"],
            Object::Companies => &["Name"],
            Object::Deals => &["Name", "StageName", "CloseDate"],
            Object::Tickets => &[],
        }
    }

    /// A record with these columns. A deleted one was last changed when it was deleted.
    pub fn show(self, base: &str, columns: &[Column], record: &Record, deleted: Option<Timestamp>) -> Value {
        let url = format!("{base}/sobjects/{}/{}", self.name, id_text(&record.id));
        let mut shown = Map::new();
        shown.insert("attributes".into(), json!({ "type": self.name, "url": url }));
        for column in columns {
            let value = match column.source {
                Updated => time_text(deleted.or(record.updated)),
                Created => time_text(record.created),
                _ if is_deleted(column) => deleted.is_some().into(),
                _ => column.value(record),
            };
            shown.insert(column.name.to_string(), value);
        }
        Value::Object(shown)
    }

    pub fn describe(self, config: &Config) -> Answer {
        let fields: Vec<Value> = self
            .columns(config)
            .iter()
            .map(|column| {
                let custom = column.name.ends_with("__c");
                let writable = !column.read_only();
                json!({
                    "name": column.name,
                    "label": column.name,
                    "type": kind(column),
                    "length": if column.kind == Kind::Text { 255 } else { 0 },
                    "createable": writable,
                    "updateable": writable,
                    "nillable": !self.required().contains(&column.name.as_ref()),
                    "custom": custom,
                    "externalId": custom,
                    "idLookup": custom || column.source == Id || column.kind == Kind::Email,
                    "unique": custom,
                    "picklistValues": [],
                })
            })
            .collect();
        let body = json!({
            "name": self.name,
            "label": self.name,
            "custom": false,
            "createable": true,
            "updateable": true,
            "deletable": true,
            "queryable": true,
            "fields": fields,
        });
        Answer::value(StatusCode::OK, &body)
    }
}

pub fn is_deleted(column: &Column) -> bool {
    column.name == "IsDeleted"
}

fn kind(column: &Column) -> &'static str {
    match column.kind {
        _ if column.source == Id => "id",
        _ if is_deleted(column) => "boolean",
        _ if column.name == "OwnerId" => "reference",
        Kind::Time => "datetime",
        Kind::Number => "double",
        Kind::Email => "email",
        Kind::List => "multipicklist",
        Kind::Text => "string",
    }
}

pub fn all(base: &str) -> Answer {
    let entity = |entity: &Entity| {
        let url = format!("{base}/sobjects/{}", entity.name);
        json!({ "name": entity.name, "label": entity.name, "queryable": true, "urls": { "sobject": url } })
    };
    let sobjects: Vec<Value> = ALL.iter().map(entity).collect();
    let body = json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects });
    Answer::value(StatusCode::OK, &body)
}

/// An offset without a colon.
pub fn time_text(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| {
        time.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string().into()
    })
}

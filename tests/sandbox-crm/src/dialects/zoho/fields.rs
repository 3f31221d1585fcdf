//! Zoho's modules and their fields, from and to the sandbox's rows, and what is wrong with a value.

use hyper::StatusCode;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use super::{Reply, allow, bad, invalid_param, iso};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{Fields, Record, id_text, is_email, join_name, split_name};
use crate::store::Object;
use crate::tenant::{Config, Tenant};

pub struct Module {
    pub name: &'static str,
    pub object: Object,
    /// What an upsert looks at where it is not told.
    pub unique: &'static str,
    fields: &'static [Field],
}

pub struct Field {
    pub name: &'static str,
    kind: Kind,
    /// The row's field; for persons' names, `name`.
    pub row: &'static str,
    pub required: bool,
    /// The longest text.
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    First,
    Last,
    Email,
    Number,
    Lookup,
    Owner,
    Tags,
    Id,
    FullName,
    Created,
    Updated,
}

const fn field(name: &'static str, kind: Kind, row: &'static str, length: usize) -> Field {
    Field {
        name,
        kind,
        row,
        required: false,
        length,
    }
}

const fn required(name: &'static str, kind: Kind, row: &'static str, length: usize) -> Field {
    Field {
        name,
        kind,
        row,
        required: true,
        length,
    }
}

const OWNER: Field = field("Owner", Kind::Owner, "owner", 120);
const NOTES: Field = field("Description", Kind::Text, "notes", 32_000);
const TAG: Field = field("Tag", Kind::Tags, "tags", 0);
const EMAIL: Field = field("Email", Kind::Email, "email", 100);
const PHONE: Field = field("Phone", Kind::Text, "phone", 30);
const ACCOUNT: Field = field("Account_Name", Kind::Lookup, "company", 200);
const ID: Field = field("id", Kind::Id, "", 0);
const CREATED: Field = field("Created_Time", Kind::Created, "", 0);
const UPDATED: Field = field("Modified_Time", Kind::Updated, "", 0);
const FIRST: Field = field("First_Name", Kind::First, "name", 40);
const LAST: Field = required("Last_Name", Kind::Last, "name", 80);
const FULL: Field = field("Full_Name", Kind::FullName, "", 0);

static LEADS: [Field; 13] = [
    ID,
    OWNER,
    field("Company", Kind::Text, "company", 200),
    FIRST,
    LAST,
    FULL,
    EMAIL,
    PHONE,
    field("Lead_Status", Kind::Text, "status", 120),
    NOTES,
    TAG,
    CREATED,
    UPDATED,
];
static CONTACTS: [Field; 12] = [
    ID, OWNER, ACCOUNT, FIRST, LAST, FULL, EMAIL, PHONE, NOTES, TAG, CREATED, UPDATED,
];
static ACCOUNTS: [Field; 9] = [
    ID,
    OWNER,
    required("Account_Name", Kind::Text, "name", 200),
    PHONE,
    field("Website", Kind::Text, "website", 255),
    NOTES,
    TAG,
    CREATED,
    UPDATED,
];
static DEALS: [Field; 11] = [
    ID,
    OWNER,
    required("Deal_Name", Kind::Text, "name", 120),
    required("Stage", Kind::Text, "status", 120),
    field("Amount", Kind::Number, "amount", 0),
    field("Closing_Date", Kind::Text, "close_date", 10),
    ACCOUNT,
    NOTES,
    TAG,
    CREATED,
    UPDATED,
];
static CASES: [Field; 11] = [
    ID,
    OWNER,
    required("Subject", Kind::Text, "name", 255),
    field("Status", Kind::Text, "status", 120),
    EMAIL,
    PHONE,
    ACCOUNT,
    NOTES,
    TAG,
    CREATED,
    UPDATED,
];

const fn module(name: &'static str, object: Object, unique: &'static str, fields: &'static [Field]) -> Module {
    Module {
        name,
        object,
        unique,
        fields,
    }
}

static MODULES: [Module; 5] = [
    module("Leads", Object::Leads, "Email", &LEADS),
    module("Contacts", Object::Contacts, "Email", &CONTACTS),
    module("Accounts", Object::Companies, "Account_Name", &ACCOUNTS),
    module("Deals", Object::Deals, "Deal_Name", &DEALS),
    module("Cases", Object::Tickets, "Subject", &CASES),
];

impl Module {
    pub fn from_name(name: &str) -> Option<&'static Self> {
        MODULES.iter().find(|module| module.name == name)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Names that an upsert may look at.
    pub fn unique_fields(&self) -> Vec<&'static str> {
        let text = |field: &&Field| matches!(field.kind, Kind::Text | Kind::Email) && field.length < 32_000;
        self.fields.iter().filter(text).map(|field| field.name).collect()
    }

    /// The fields `wanted`, or all; the id in any case. What is unknown is left out, as Zoho does.
    pub fn read(&self, config: &Config, record: &Record, wanted: Option<&[String]>, offset: Offset) -> Value {
        let asked = |name: &str| name == "id" || wanted.is_none_or(|wanted| wanted.iter().any(|one| one == name));
        let mut shown = Map::new();
        for field in self.fields.iter().filter(|field| asked(field.name)) {
            shown.insert(field.name.into(), field.read(record, offset));
        }
        for name in config.custom_fields.iter().filter(|name| asked(name)) {
            shown.insert(name.clone(), record.fields.get(name).cloned().unwrap_or_default());
        }
        Value::Object(shown)
    }

    /// The row's fields for what a client gives. `old` is the row before, None where there is none and all that is required must
    /// be given. The error is code, details and message of this record.
    pub fn write(&self, config: &Config, given: &Fields, old: Option<&Fields>, path: &str) -> Result<Fields, Wrong> {
        for field in self.fields.iter().filter(|field| field.required) {
            let empty = match given.get(field.name) {
                None => old.is_none(),
                Some(value) => value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()),
            };
            if empty {
                return Err(Wrong::new(
                    "MANDATORY_NOT_FOUND",
                    "required field not found",
                    field.name,
                    path,
                ));
            }
        }
        let before = old
            .and_then(|old| old.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (mut first, mut last) = split_name(before);
        let mut named = false;
        let mut row = Fields::new();
        for (name, value) in given.iter().filter(|(name, _)| *name != "id") {
            let Some(field) = self.field(name) else {
                if config.custom_fields.contains(name) {
                    row.insert(name.clone(), value.clone());
                    continue;
                }
                let message = "the field api name given seems to be invalid";
                return Err(Wrong::new("INVALID_DATA", message, name, path));
            };
            let stored = field.stored(value).map_err(|expected| expected.at(name, path))?;
            match field.kind {
                Kind::First => (first, named) = (value.as_str().unwrap_or_default(), true),
                Kind::Last => (last, named) = (value.as_str().unwrap_or_default(), true),
                _ => drop(row.insert(field.row.into(), stored)),
            }
        }
        if named {
            row.insert("name".into(), join_name(first, last).into());
        }
        Ok(row)
    }
}

/// Why one record is refused.
#[derive(Debug)]
pub struct Wrong {
    pub code: &'static str,
    pub message: &'static str,
    pub details: Fields,
}

impl Wrong {
    pub fn new(code: &'static str, message: &'static str, field: &str, path: &str) -> Self {
        let mut details = Fields::new();
        details.insert("api_name".into(), field.into());
        details.insert("json_path".into(), format!("{path}.{field}").into());
        Self { code, message, details }
    }
}

/// What a value should have been.
enum Expected {
    Type(&'static str),
    Length(usize),
    Other,
}

impl Expected {
    fn at(self, field: &str, path: &str) -> Wrong {
        let mut wrong = Wrong::new("INVALID_DATA", "invalid data", field, path);
        match self {
            Self::Type(kind) => drop(wrong.details.insert("expected_data_type".into(), kind.into())),
            Self::Length(length) => drop(wrong.details.insert("maximum_length".into(), length.into())),
            Self::Other => {}
        }
        wrong
    }
}

impl Field {
    fn read(&self, record: &Record, offset: Offset) -> Value {
        let text = |name: &str| record.text(name).filter(|text| !text.is_empty());
        match self.kind {
            Kind::Id => id_text(&record.id).into(),
            Kind::Text | Kind::Email => json!(text(self.row)),
            Kind::Number => record.fields.get(self.row).cloned().unwrap_or_default(),
            Kind::First => Some(record.first_name()).filter(|name| !name.is_empty()).into(),
            Kind::Last => record.last_name().into(),
            Kind::FullName => json!(text("name")),
            Kind::Created => record.created.map(|time| iso(time, offset)).into(),
            Kind::Updated => record.updated.map(|time| iso(time, offset)).into(),
            Kind::Lookup => text(self.row).map_or(Value::Null, |name| json!({ "name": name, "id": number_of(&name) })),
            Kind::Owner => {
                let owner = text(self.row).unwrap_or_else(|| "portal@crm.test".into());
                json!({ "name": owner, "id": number_of(&owner), "email": owner })
            }
            Kind::Tags => {
                let tags = record.fields.get(self.row).and_then(Value::as_array);
                let names = tags.into_iter().flatten().filter_map(Value::as_str);
                names
                    .map(|name| json!({ "name": name, "id": number_of(name), "color_code": null }))
                    .collect()
            }
        }
    }

    /// The value as the row has it.
    fn stored(&self, value: &Value) -> Result<Value, Expected> {
        match (self.kind, value) {
            (Kind::Id | Kind::FullName | Kind::Created | Kind::Updated, _) => Err(Expected::Other),
            (Kind::Tags, Value::Null) => Ok(json!([])),
            (_, Value::Null) => Ok(Value::Null),
            (Kind::Text | Kind::First | Kind::Last | Kind::Email, Value::String(text)) => {
                if text.chars().count() > self.length {
                    return Err(Expected::Length(self.length));
                }
                if self.kind == Kind::Email && !text.is_empty() && !is_email(text) {
                    return Err(Expected::Type("email"));
                }
                Ok(text.as_str().into())
            }
            (Kind::Email, _) => Err(Expected::Type("email")),
            (Kind::Text | Kind::First | Kind::Last, _) => Err(Expected::Type("text")),
            (Kind::Number, Value::Number(_)) => Ok(value.clone()),
            (Kind::Number, _) => Err(Expected::Type("double")),
            // A user or an account by its name is as much as the sandbox knows of them.
            (Kind::Lookup | Kind::Owner, Value::Object(of)) => match of.get("name").or_else(|| of.get("email")) {
                Some(Value::String(name)) => Ok(name.as_str().into()),
                _ => Err(Expected::Other),
            },
            (Kind::Lookup | Kind::Owner, _) => Err(Expected::Type("jsonobject")),
            (Kind::Tags, Value::Array(tags)) => {
                let names = tags.iter().map(|tag| tag.get("name").and_then(Value::as_str));
                let names: Option<Vec<&str>> = names.collect();
                names.map(|names| json!(names)).ok_or(Expected::Type("jsonobject"))
            }
            (Kind::Tags, _) => Err(Expected::Type("jsonarray")),
        }
    }

    fn data_type(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Text if self.name == "Description" => ("textarea", "string"),
            Kind::Text if self.name.ends_with("Status") || self.name == "Stage" => ("picklist", "string"),
            Kind::Text if self.name == "Phone" => ("phone", "string"),
            Kind::Text if self.name == "Closing_Date" => ("date", "string"),
            Kind::Text | Kind::First | Kind::Last | Kind::FullName => ("text", "string"),
            Kind::Email => ("email", "string"),
            Kind::Number => ("currency", "double"),
            Kind::Lookup => ("lookup", "jsonobject"),
            Kind::Owner => ("ownerlookup", "jsonobject"),
            Kind::Tags => ("text", "jsonarray"),
            Kind::Id => ("bigint", "string"),
            Kind::Created | Kind::Updated => ("datetime", "string"),
        }
    }

    fn describe(&self) -> Value {
        let (data_type, json_type) = self.data_type();
        let read_only = matches!(self.kind, Kind::Id | Kind::FullName | Kind::Created | Kind::Updated);
        json!({
            "id": number_of(self.name),
            "api_name": self.name,
            "field_label": self.name.replace('_', " "),
            "data_type": data_type,
            "json_type": json_type,
            "length": self.length,
            "system_mandatory": self.required,
            "read_only": read_only,
            "custom_field": false,
            "visible": true,
        })
    }
}

/// An id for what has none of its own in the sandbox: the same for the same name.
fn number_of(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (5_725_767_900_000_000_000 + hash % 100_000_000_000).to_string()
}

pub fn describe(tenant: &Tenant, request: &Request<'_>) -> Reply {
    allow(request, &["module", "type", "include"])?;
    let Some(name) = request.param("module") else {
        let details = json!({ "param_name": "module" });
        return Err(bad("REQUIRED_PARAM_MISSING", "required param is missing", details));
    };
    let module = Module::from_name(name).ok_or_else(|| invalid_param("module"))?;
    let config = tenant.config();
    let custom = config.custom_fields.iter().map(|name| {
        json!({
            "id": number_of(name), "api_name": name, "field_label": name, "data_type": "text", "json_type": "string",
            "length": 255, "system_mandatory": false, "read_only": false, "custom_field": true, "visible": true,
        })
    });
    let fields: Vec<Value> = module.fields.iter().map(Field::describe).chain(custom).collect();
    Ok(Answer::value(StatusCode::OK, &json!({ "fields": fields })))
}

pub fn modules() -> Answer {
    let modules: Vec<Value> = MODULES
        .iter()
        .map(|module| json!({ "api_name": module.name, "module_name": module.name, "api_supported": true, "id": number_of(module.name) }))
        .collect();
    Answer::value(StatusCode::OK, &json!({ "modules": modules }))
}

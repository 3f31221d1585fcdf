//! Odoo's models and their fields, from and to the sandbox's rows. false stands for null, many2one fields are pairs.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Arguments, Raised};
use crate::dialects::common::{Fields, Record, id_text};
use crate::store::{Id, Object};
use crate::tenant::Config;

pub struct Model {
    pub name: &'static str,
    /// The sandbox's tables that are this one.
    pub objects: &'static [Object],
    /// The order where none is asked for.
    pub order: &'static str,
    fields: &'static [Field],
}

pub struct Field {
    pub name: &'static str,
    label: &'static str,
    pub kind: Kind,
    /// The row's field.
    pub row: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Id,
    Char,
    Required,
    Text,
    Number,
    Date,
    Active,
    /// lead or opportunity
    Type,
    IsCompany,
    /// A user by a number that is made of the name.
    User,
    Stage,
    /// The company, as a partner; never written.
    Parent,
    Created,
    Updated,
}

use Kind::{Active, Char, Created, Date, IsCompany, Number, Parent, Required, Stage, Text, Type, Updated, User};

const fn field(name: &'static str, label: &'static str, kind: Kind, row: &'static str) -> Field {
    Field { name, label, kind, row }
}

static LEAD: [Field; 16] = [
    field("id", "ID", Kind::Id, ""),
    field("name", "Opportunity", Required, "name"),
    field("type", "Type", Type, "type"),
    field("contact_name", "Contact Name", Char, "contact_name"),
    field("partner_name", "Company Name", Char, "company"),
    field("email_from", "Email", Char, "email"),
    field("phone", "Phone", Char, "phone"),
    field("stage_id", "Stage", Stage, "status"),
    field("user_id", "Salesperson", User, "owner"),
    field("description", "Notes", Text, "notes"),
    field("expected_revenue", "Expected Revenue", Number, "amount"),
    field("date_deadline", "Expected Closing", Date, "close_date"),
    field("priority", "Priority", Char, "priority"),
    field("active", "Active", Active, "active"),
    field("create_date", "Created on", Created, ""),
    field("write_date", "Last Updated on", Updated, ""),
];
static PARTNER: [Field; 12] = [
    field("id", "ID", Kind::Id, ""),
    field("name", "Name", Required, "name"),
    field("is_company", "Is a Company", IsCompany, "is_company"),
    field("parent_id", "Related Company", Parent, "company"),
    field("email", "Email", Char, "email"),
    field("phone", "Phone", Char, "phone"),
    field("website", "Website Link", Char, "website"),
    field("user_id", "Salesperson", User, "owner"),
    field("comment", "Notes", Text, "notes"),
    field("active", "Active", Active, "active"),
    field("create_date", "Created on", Created, ""),
    field("write_date", "Last Updated on", Updated, ""),
];
static TICKET: [Field; 11] = [
    field("id", "ID", Kind::Id, ""),
    field("name", "Subject", Required, "name"),
    field("partner_name", "Customer Name", Char, "contact_name"),
    field("partner_email", "Customer Email", Char, "email"),
    field("partner_phone", "Customer Phone", Char, "phone"),
    field("stage_id", "Stage", Stage, "status"),
    field("user_id", "Assigned to", User, "owner"),
    field("description", "Description", Text, "notes"),
    field("active", "Active", Active, "active"),
    field("create_date", "Created on", Created, ""),
    field("write_date", "Last Updated on", Updated, ""),
];

static MODELS: [Model; 3] = [
    Model {
        name: "crm.lead",
        objects: &[Object::Leads, Object::Deals],
        order: "id desc",
        fields: &LEAD,
    },
    Model {
        name: "res.partner",
        objects: &[Object::Contacts, Object::Companies],
        order: "name, id desc",
        fields: &PARTNER,
    },
    Model {
        name: "helpdesk.ticket",
        objects: &[Object::Tickets],
        order: "id desc",
        fields: &TICKET,
    },
];

/// Stages by their ids, from 1. Others have ids that are made of their names.
const STAGES: [&str; 5] = ["new", "contacted", "qualified", "lost", "converted"];

impl Model {
    pub fn from_name(name: &str) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.name == name)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn knows(&self, name: &str, config: &Config) -> bool {
        self.field(name).is_some() || config.custom_fields.iter().any(|custom| custom == name)
    }

    pub fn invalid(&self, name: &str) -> Raised {
        Raised::value_error(&format!("Invalid field '{name}' on '{}'", self.name))
    }

    pub fn required(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.kind == Required)
    }

    /// The id and these fields, or all.
    pub fn read(&self, config: &Config, object: Object, record: &Record, wanted: Option<&[String]>) -> Value {
        let asked = |name: &str| name == "id" || wanted.is_none_or(|wanted| wanted.iter().any(|one| one == name));
        let mut shown = Map::new();
        for field in self.fields.iter().filter(|field| asked(field.name)) {
            shown.insert(field.name.into(), field.value(object, record));
        }
        for name in config.custom_fields.iter().filter(|name| asked(name)) {
            shown.insert(name.clone(), or_false(record.text(name)));
        }
        Value::Object(shown)
    }

    /// The row's fields for what a client gives. Wrong names are Python's errors, wrong values Odoo's.
    pub fn stored(
        &self,
        config: &Config,
        given: &Fields,
        owners: &dyn Fn(u64) -> Option<String>,
    ) -> Result<Fields, Raised> {
        let mut row = Fields::new();
        for (name, value) in given {
            let Some(field) = self.field(name) else {
                if !config.custom_fields.contains(name) {
                    return Err(self.invalid(name));
                }
                row.insert(name.clone(), value.clone());
                continue;
            };
            let empty = matches!(value, Value::Null | Value::Bool(false));
            let stored =
                match (field.kind, value) {
                    // Odoo leaves these out and logs a warning.
                    (Kind::Id | Created | Updated | Parent, _) => continue,
                    (Active | IsCompany, value) => (value == &Value::Bool(true) || value == &json!(1)).into(),
                    (Required, value) if empty || value == "" => return Err(self.not_set(field)),
                    (_, _) if empty => Value::Null,
                    (Type, Value::String(kind)) if matches!(kind.as_str(), "lead" | "opportunity") => value.clone(),
                    (Type, value) => {
                        return Err(Raised::value_error(&format!(
                            "Wrong value for {}.type: {value}",
                            self.name
                        )));
                    }
                    (User, Value::Number(id)) => owners(id.as_u64().unwrap_or_default()).map(Value::from).ok_or_else(
                        || {
                            Raised::validation(
                                "The operation cannot be completed: another model requires the record being deleted.",
                            )
                        },
                    )?,
                    (Stage, Value::Number(id)) => stage(id.as_u64().unwrap_or_default()),
                    (Number, Value::Number(_)) => value.clone(),
                    (Char | Text | Required | Date, Value::String(text)) => text.as_str().into(),
                    (Char | Text | Required, Value::Number(number)) => number.to_string().into(),
                    (_, value) => {
                        let message = format!("Invalid value for field {}.{name}: {value}", self.name);
                        return Err(Raised::value_error(&message));
                    }
                };
            row.insert(field.row.into(), stored);
        }
        Ok(row)
    }

    pub fn not_set(&self, field: &Field) -> Raised {
        Raised::validation(&format!(
            "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n- Delete: another model requires the record being deleted.\n\nModel: {} ({})\nField: {} ({})",
            self.name, self.name, field.label, field.name
        ))
    }

    pub fn fields_get(&self, config: &Config, mut arguments: Arguments) -> Result<Value, Raised> {
        let wanted = arguments.names("allfields")?;
        let attributes = arguments.names("attributes")?;
        arguments.end()?;
        let asked = |name: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|one| one == name))
        };
        let mut all = Map::new();
        for field in self.fields.iter().filter(|field| asked(field.name)) {
            all.insert(field.name.into(), field.describe());
        }
        for name in config.custom_fields.iter().filter(|name| asked(name)) {
            all.insert(
                name.clone(),
                json!({ "type": "char", "string": name, "required": false, "readonly": false, "store": true }),
            );
        }
        if let Some(attributes) = attributes {
            for field in all.values_mut().filter_map(Value::as_object_mut) {
                field.retain(|name, _| attributes.contains(name));
            }
        }
        Ok(Value::Object(all))
    }
}

impl Field {
    pub fn value(&self, object: Object, record: &Record) -> Value {
        match self.kind {
            Kind::Id => record.id.to_value(),
            Char | Required | Text | Date => or_false(record.text(self.row)),
            Number => record
                .fields
                .get(self.row)
                .filter(|value| value.is_number())
                .cloned()
                .unwrap_or(json!(0.0)),
            Active => (record.fields.get(self.row) != Some(&Value::Bool(false))).into(),
            IsCompany => match record.fields.get(self.row) {
                Some(Value::Bool(yes)) => (*yes).into(),
                _ => (object == Object::Companies).into(),
            },
            Type => {
                let usual = if object == Object::Deals { "opportunity" } else { "lead" };
                record.text(self.row).unwrap_or_else(|| usual.into()).into()
            }
            User | Parent => pair(record.text(self.row), number_of),
            Stage => pair(record.text(self.row), stage_of),
            Created => or_false(record.created.map(seconds)),
            Updated => or_false(record.updated.map(seconds)),
        }
    }

    fn describe(&self) -> Value {
        let kind = match self.kind {
            Kind::Id => "integer",
            Char | Required => "char",
            Text => "html",
            Number => "monetary",
            Date => "date",
            Active | IsCompany => "boolean",
            Type => "selection",
            User | Stage | Parent => "many2one",
            Created | Updated => "datetime",
        };
        let readonly = matches!(self.kind, Kind::Id | Created | Updated);
        json!({ "type": kind, "string": self.label, "required": self.kind == Required, "readonly": readonly, "store": true })
    }
}

/// As it prints times: UTC to the second, without a zone.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn or_false(text: Option<String>) -> Value {
    text.filter(|text| !text.is_empty())
        .map_or(Value::Bool(false), Value::from)
}

fn pair(name: Option<String>, id: fn(&str) -> u64) -> Value {
    name.filter(|name| !name.is_empty())
        .map_or(Value::Bool(false), |name| json!([id(&name), name]))
}

/// An id for what the sandbox has only by name.
pub fn number_of(name: &str) -> u64 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    1_000 + u64::from(hash >> 2)
}

pub fn stage_of(name: &str) -> u64 {
    let known = STAGES.iter().position(|stage| *stage == name);
    known.map_or_else(|| number_of(name), |position| position as u64 + 1)
}

/// A stage that is not one of the known five keeps its number for a name.
fn stage(id: u64) -> Value {
    let known = id.checked_sub(1).and_then(|id| STAGES.get(usize::try_from(id).ok()?));
    known.map_or_else(|| id.to_string().into(), |name| (*name).into())
}

pub fn id_of(value: &Value) -> Option<Id> {
    value.as_u64().map(Id::Number)
}

/// The id's text, for messages.
pub fn shown(id: &Id) -> Value {
    id_text(id).into()
}

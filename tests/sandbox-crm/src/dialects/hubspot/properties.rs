//! The properties of each object type: what they are in the sandbox's row, which are served when none are asked for, and the
//! metadata of them.

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Reply;
use super::answer::{self, Problem};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::columns::{Bad, Column, Kind, Source, Written};
use crate::dialects::common::{Fields, Record, id_text};
use crate::store::Object;
use crate::tenant::{Config, Tenant};

use Source::{Created, Field, First, Id, Last, Own, Updated};

static CONTACTS: [Column; 17] = [
    Column::new("createdate", Kind::Time, Created),
    Column::new("email", Kind::Email, Field("email")),
    Column::new("firstname", Kind::Text, First),
    Column::new("hs_object_id", Kind::Number, Id),
    Column::new("lastmodifieddate", Kind::Time, Updated),
    Column::new("lastname", Kind::Text, Last),
    Column::new("phone", Kind::Text, Field("phone")),
    Column::new("company", Kind::Text, Field("company")),
    Column::new("hs_lead_status", Kind::Text, Field("status")),
    Column::new("hubspot_owner_id", Kind::Text, Field("owner")),
    Column::new("message", Kind::Text, Field("notes")),
    Column::new("hubspotscore", Kind::Number, Field("score")),
    Column::new("lifecyclestage", Kind::Text, Own),
    Column::new("jobtitle", Kind::Text, Own),
    Column::new("website", Kind::Text, Own),
    Column::new("city", Kind::Text, Own),
    Column::new("country", Kind::Text, Own),
];
static COMPANIES: [Column; 10] = [
    Column::new("createdate", Kind::Time, Created),
    Column::new("domain", Kind::Text, Own),
    Column::new("hs_lastmodifieddate", Kind::Time, Updated),
    Column::new("hs_object_id", Kind::Number, Id),
    Column::new("name", Kind::Text, Field("name")),
    Column::new("phone", Kind::Text, Field("phone")),
    Column::new("lifecyclestage", Kind::Text, Field("status")),
    Column::new("hubspot_owner_id", Kind::Text, Field("owner")),
    Column::new("description", Kind::Text, Field("notes")),
    Column::new("annualrevenue", Kind::Number, Field("score")),
];
static DEALS: [Column; 10] = [
    Column::new("amount", Kind::Number, Field("score")),
    Column::new("closedate", Kind::Text, Own),
    Column::new("createdate", Kind::Time, Created),
    Column::new("dealname", Kind::Text, Field("name")),
    Column::new("dealstage", Kind::Text, Field("status")),
    Column::new("hs_lastmodifieddate", Kind::Time, Updated),
    Column::new("hs_object_id", Kind::Number, Id),
    Column::new("pipeline", Kind::Text, Own),
    Column::new("hubspot_owner_id", Kind::Text, Field("owner")),
    Column::new("description", Kind::Text, Field("notes")),
];
static TICKETS: [Column; 9] = [
    Column::new("content", Kind::Text, Field("notes")),
    Column::new("createdate", Kind::Time, Created),
    Column::new("hs_lastmodifieddate", Kind::Time, Updated),
    Column::new("hs_object_id", Kind::Number, Id),
    Column::new("hs_pipeline", Kind::Text, Own),
    Column::new("hs_pipeline_stage", Kind::Text, Field("status")),
    Column::new("hs_ticket_priority", Kind::Text, Own),
    Column::new("subject", Kind::Text, Field("name")),
    Column::new("hubspot_owner_id", Kind::Text, Field("owner")),
];
static LEADS: [Column; 11] = [
    Column::new("hs_createdate", Kind::Time, Created),
    Column::new("hs_lastmodifieddate", Kind::Time, Updated),
    Column::new("hs_object_id", Kind::Number, Id),
    Column::new("hs_lead_name", Kind::Text, Field("name")),
    Column::new("hs_associated_contact_email", Kind::Email, Field("email")),
    Column::new("hs_associated_contact_phone", Kind::Text, Field("phone")),
    Column::new("hs_associated_company_name", Kind::Text, Field("company")),
    Column::new("hs_lead_label", Kind::Text, Field("status")),
    Column::new("hubspot_owner_id", Kind::Text, Field("owner")),
    Column::new("hs_lead_type", Kind::Text, Own),
    Column::new("hs_tag_ids", Kind::List, Field("tags")),
];

/// By name or by number.
pub fn object(kind: &str) -> Result<Object, Answer> {
    Ok(match kind {
        "contacts" | "0-1" => Object::Contacts,
        "companies" | "0-2" => Object::Companies,
        "deals" | "0-3" => Object::Deals,
        "tickets" | "0-5" => Object::Tickets,
        "leads" | "0-136" => Object::Leads,
        other => {
            // Without a category.
            let message = format!("Unable to infer object type from: {other}");
            let body = json!({ "status": "error", "message": message, "correlationId": answer::correlation() });
            return Err(Answer::value(StatusCode::BAD_REQUEST, &body));
        }
    })
}

fn fixed(object: Object) -> &'static [Column] {
    match object {
        Object::Contacts => &CONTACTS,
        Object::Companies => &COMPANIES,
        Object::Deals => &DEALS,
        Object::Tickets => &TICKETS,
        Object::Leads => &LEADS,
    }
}

/// How many of the fixed ones, from the first, are served where none are asked for.
fn usual(object: Object) -> usize {
    match object {
        Object::Contacts => 6,
        Object::Companies => 5,
        Object::Deals | Object::Tickets => 8,
        Object::Leads => 3,
    }
}

pub fn find(object: Object, config: &Config, name: &str) -> Option<Column> {
    let column = fixed(object).iter().find(|column| column.name == name).cloned();
    column.or_else(|| {
        let custom = config.custom_fields.iter().find(|custom| *custom == name)?;
        Some(Column::custom(custom))
    })
}

/// Milliseconds and Z.
pub fn time_text(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| format!("{time:.3}").into())
}

/// Everything is a string, or null.
pub fn value(column: &Column, record: &Record) -> Value {
    if column.kind == Kind::Time {
        return time_text(column.time(record));
    }
    match column.value(record) {
        value @ (Value::Null | Value::String(_)) => value,
        value => value.to_string().into(),
    }
}

/// The record, with the properties asked for (unknown ones are left out in silence) or the usual ones.
pub fn show(record: &Record, object: Object, config: &Config, asked: &[String], archived: Option<Timestamp>) -> Value {
    let mut properties = Map::new();
    let always = |column: &&Column| column.read_only();
    if asked.is_empty() {
        for column in fixed(object).iter().take(usual(object)) {
            properties.insert(column.name.to_string(), value(column, record));
        }
    } else {
        for column in fixed(object).iter().filter(always) {
            properties.insert(column.name.to_string(), value(column, record));
        }
        for column in asked.iter().filter_map(|name| find(object, config, name)) {
            properties.insert(column.name.to_string(), value(&column, record));
        }
    }
    let mut shown = json!({
        "id": id_text(&record.id),
        "properties": properties,
        "createdAt": time_text(record.created),
        "updatedAt": time_text(record.updated),
        "archived": archived.is_some(),
    });
    if let (Some(time), Value::Object(shown)) = (archived, &mut shown) {
        shown.insert("archivedAt".into(), time_text(Some(time)));
    }
    shown
}

/// A body's `properties` as fields of the row.
pub fn read(object: Object, config: &Config, given: &Map<String, Value>) -> Result<Written, Vec<Problem>> {
    let mut written = Written::default();
    let mut problems = Vec::new();
    for (name, value) in given {
        let problem = |code, message: String| Problem {
            code,
            property: name.clone(),
            message,
        };
        let Some(column) = find(object, config, name) else {
            let message = format!("Property \"{name}\" does not exist");
            problems.push(problem("PROPERTY_DOESNT_EXIST", message));
            continue;
        };
        if let Err(bad) = written.set(&column, value) {
            problems.push(match bad {
                Bad::ReadOnly => problem("READ_ONLY_VALUE", format!("\"{name}\" is a read only property")),
                Bad::Email => problem("INVALID_EMAIL", format!("Email address {value} is invalid")),
                Bad::Number => problem("INVALID_LONG", format!("{value} was not a valid number.")),
                Bad::Shape => problem("INVALID_VALUE", format!("\"{name}\" takes a plain value")),
            });
        }
    }
    if problems.is_empty() {
        Ok(written)
    } else {
        Err(problems)
    }
}

/// What a new record needs.
pub fn lacks(object: Object, fields: &Fields) -> Option<Problem> {
    let has = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    let property = match object {
        Object::Contacts => return None,
        Object::Companies if has("domain") => return None,
        Object::Companies => "name",
        Object::Deals => "dealname",
        Object::Tickets => "subject",
        Object::Leads => "hs_lead_name",
    };
    (!has("name")).then(|| Problem {
        code: "REQUIRED_PROPERTY",
        property: property.into(),
        message: format!(
            "Error creating {}. Some required properties were not set: {property}",
            object.name()
        ),
    })
}

pub fn list(tenant: &Tenant, request: &Request<'_>, object: Object) -> Reply {
    super::only(request, &[Method::GET])?;
    if let Some(name) = request.unknown_param(&["archived", "properties", "dataSensitivity"]) {
        return Err(answer::invalid(format!("Unknown query parameter {name:?}")));
    }
    let config = tenant.config();
    let custom: Vec<Column> = config.custom_fields.iter().map(|name| Column::custom(name)).collect();
    let results: Vec<Value> = fixed(object)
        .iter()
        .chain(&custom)
        .map(|column| {
            let (kind, field) = match column.kind {
                Kind::Number => ("number", "number"),
                Kind::Time => ("datetime", "calendar"),
                Kind::List => ("enumeration", "checkbox"),
                Kind::Text | Kind::Email => ("string", "text"),
            };
            json!({
                "name": column.name,
                "label": column.name,
                "type": kind,
                "fieldType": field,
                "description": "",
                "groupName": "information",
                "options": [],
                "hidden": false,
                "calculated": false,
                "hubspotDefined": column.source != Own,
                "hasUniqueValue": column.source == Id || (column.kind == Kind::Email && object == Object::Contacts),
                "modificationMetadata": {
                    "archivable": column.source == Own,
                    "readOnlyDefinition": column.source != Own,
                    "readOnlyValue": column.read_only(),
                },
            })
        })
        .collect();
    Ok(Answer::value(StatusCode::OK, &json!({ "results": results })))
}

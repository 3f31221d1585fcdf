//! Rows as EspoCRM's records.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::attributes::{self, CASE_STATUS, Kind, LEAD_STATUS, STAGES};
use crate::dialects::common::{Fields, Record, id_text, join_name};
use crate::filter::TimeFormat;
use crate::store::Object;
use crate::tenant::Tenant;

/// Every attribute. Names of linked accounts and contacts are looked up in `tenant`.
pub fn show(tenant: &Tenant, object: Object, record: &Record) -> Fields {
    let mut shown = Fields::new();
    shown.insert("id".into(), id_text(&record.id).into());
    shown.insert("name".into(), record.text("name").unwrap_or_default().into());
    shown.insert("deleted".into(), false.into());
    for (name, kind) in attributes::of(object) {
        let value = record.fields.get(name).filter(|value| !value.is_null()).cloned();
        shown.insert(name.into(), value.unwrap_or_else(|| empty(kind)));
    }
    if matches!(object, Object::Leads | Object::Contacts) {
        let (first, last) = names(record);
        shown.insert("firstName".into(), text_or_null(first));
        // Not null: a contact has one.
        shown.insert("lastName".into(), last.into());
    }
    if matches!(object, Object::Leads | Object::Contacts | Object::Companies) {
        reached(record, &mut shown, "emailAddress", "email");
        reached(record, &mut shown, "phoneNumber", "phone");
    }
    let company = record.text("company");
    match object {
        Object::Leads => {
            shown.insert(
                "status".into(),
                status(
                    record,
                    LEAD_STATUS,
                    &["New", "Assigned", "In Process", "Dead", "Converted"],
                ),
            );
            shown.insert("accountName".into(), company.into());
        }
        Object::Deals => {
            let stages = &["Prospecting", "Qualification", "Proposal", "Closed Lost", "Closed Won"];
            shown.insert("stage".into(), status(record, STAGES, stages));
            default(&mut shown, "amountCurrency", "EUR".into());
            default(&mut shown, "amount", 0.into());
            let month = SignedDuration::from_hours(30 * 24);
            let day = record.created.and_then(|created| created.checked_add(month).ok());
            let day = day.unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%d").to_string();
            default(&mut shown, "closeDate", day.into());
        }
        Object::Tickets => {
            shown.insert(
                "status".into(),
                status(
                    record,
                    CASE_STATUS,
                    &["New", "Assigned", "Pending", "Rejected", "Closed"],
                ),
            );
            shown.insert("number".into(), number(&id_text(&record.id)).into());
            default(&mut shown, "priority", "Normal".into());
        }
        Object::Contacts | Object::Companies => {}
    }
    linked(tenant, object, &mut shown);
    shown.insert("description".into(), record.text("notes").into());
    for (name, time) in [("createdAt", record.created), ("modifiedAt", record.updated)] {
        shown.insert(
            name.into(),
            time.map_or(Value::Null, |time| TimeFormat::Naive.write(time)),
        );
    }
    for name in ["createdBy", "modifiedBy"] {
        shown.insert(format!("{name}Id"), "64f0000000000api1".into());
        shown.insert(format!("{name}Name"), "API".into());
    }
    shown.insert("assignedUserName".into(), record.text("owner").into());
    shown.insert("teamsNames".into(), json!({}));
    shown
}

/// As written while the row's name is still theirs, else parted.
pub fn names(record: &Record) -> (String, String) {
    let written = |name: &str| record.fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let (first, last) = (written("firstName"), written("lastName"));
    if join_name(first, last) == record.text("name").unwrap_or_default().trim() {
        return (first.to_owned(), last.to_owned());
    }
    (record.first_name(), record.last_name())
}

fn reached(record: &Record, shown: &mut Fields, attribute: &str, column: &str) {
    let own = record.text(column);
    let data = format!("{attribute}Data");
    let written = record.fields.get(&data);
    let same = written
        .and_then(|data| primary(data, attribute))
        .is_some_and(|value| Some(value) == own);
    let list = match (written, &own) {
        (Some(written), Some(_)) if same => written.clone(),
        (_, Some(own)) => {
            json!([{ attribute: own, "primary": true, "optOut": false, "invalid": false, "lower": own.to_lowercase() }])
        }
        _ => json!([]),
    };
    shown.insert(attribute.into(), own.into());
    shown.insert(data, list);
}

/// The value that is marked, or else the first.
pub fn primary(data: &Value, attribute: &str) -> Option<String> {
    let all = data.as_array()?;
    let marked = all.iter().find(|one| one.get("primary") == Some(&Value::Bool(true)));
    Some(marked.or_else(|| all.first())?.get(attribute)?.as_str()?.to_owned())
}

/// As written, or what the sandbox's five states are called here.
fn status(record: &Record, known: &[&str], five: &[&'static str; 5]) -> Value {
    let text = record.text("status").unwrap_or_default();
    if known.contains(&text.as_str()) {
        return text.into();
    }
    let [new, contacted, qualified, lost, converted] = *five;
    Value::from(match text.as_str() {
        "contacted" => contacted,
        "qualified" => qualified,
        "lost" => lost,
        "converted" => converted,
        _ => new,
    })
}

fn linked(tenant: &Tenant, object: Object, shown: &mut Fields) {
    for (link, target) in [
        ("account", Object::Companies),
        ("contact", Object::Contacts),
        ("lead", Object::Leads),
    ] {
        // A lead's account name is a text of its own.
        if attributes::kind(object, &format!("{link}Id")) != Some(Kind::Link) {
            continue;
        }
        let id = shown
            .get(&format!("{link}Id"))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let name = id.and_then(|id| name_of(tenant, target, &id));
        shown.insert(format!("{link}Name"), name.into());
    }
}

pub fn name_of(tenant: &Tenant, object: Object, id: &str) -> Option<String> {
    let table = tenant.table(object).read();
    let fields = table.find(id)?.fields()?;
    Some(fields.get("name")?.as_str()?.to_owned())
}

fn default(shown: &mut Fields, name: &str, value: Value) {
    if shown.get(name).is_none_or(Value::is_null) {
        shown.insert(name.into(), value);
    }
}

/// A case's number is counted at EspoCRM; here it follows from the id.
fn number(id: &str) -> u64 {
    id.bytes()
        .fold(0, |number: u64, byte| (number * 31 + u64::from(byte)) % 1_000_000)
}

fn empty(kind: Kind) -> Value {
    match kind {
        Kind::Bool => false.into(),
        Kind::Links | Kind::Data(_) => json!([]),
        _ => Value::Null,
    }
}

fn text_or_null(text: String) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

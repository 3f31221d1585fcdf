//! Field mapping: what each CRM's rows become, and what goes back to them.

use jiff::tz::{TimeZone, offset};
use tenant_crm_sync::crm::mapping::Mapping;

mod crms;
mod grammar;
mod laws;
mod transforms;

fn mapping(text: &str) -> Mapping {
    Mapping::parse(text).unwrap()
}

fn wrong(text: &str) -> String {
    Mapping::parse(text).unwrap_err()
}

/// What is read, as one JSON object.
fn read(mapping: &Mapping, fields: &str) -> String {
    read_in(mapping, fields, None)
}

fn read_in(mapping: &Mapping, fields: &str, zone: Option<&TimeZone>) -> String {
    let members: Vec<String> = mapping
        .read(fields, zone)
        .into_iter()
        .map(|(name, json)| format!("{}:{json}", serde_json::Value::from(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// One field `x` read from the field `f` of the CRM.
fn one(entry: &str, value: &str) -> String {
    let mapping = mapping(&format!(r#"{{"x":{entry}}}"#));
    mapping.read(&format!(r#"{{"f":{value}}}"#), None).remove(0).1
}

/// One field `x` written to the field `f` of the CRM.
fn back(entry: &str, value: &str) -> Result<String, String> {
    let written = mapping(&format!(r#"{{"x":{entry}}}"#)).write(&format!(r#"{{"x":{value}}}"#))?;
    Ok(written
        .strip_prefix(r#"{"f":"#)
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(&written)
        .to_owned())
}

fn east() -> TimeZone {
    offset(2).to_time_zone()
}

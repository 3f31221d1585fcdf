//! Tables of values: what the CRM calls it, what the portal calls it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::json;

/// A text, a number or a boolean as text, so that 1 and "1" are one value; nothing for null.
type Key = Option<String>;

/// Pairs of values. Several of the CRM's may have one neutral value: of a list the first is written back, and an object,
/// whose members have no order, must not have such.
#[derive(Debug, Clone, Default)]
pub struct Table {
    inward: BTreeMap<Key, String>,
    outward: BTreeMap<Key, String>,
}

impl Table {
    pub fn is_empty(&self) -> bool {
        self.inward.is_empty()
    }

    /// The JSON text of the neutral value.
    pub fn inward(&self, json: &str) -> Option<&str> {
        look_up(&self.inward, json)
    }

    /// The JSON text of the CRM's value.
    pub fn outward(&self, json: &str) -> Option<&str> {
        look_up(&self.outward, json)
    }

    /// Whether the neutral value is a new one.
    fn add(&mut self, crm: &Value, neutral: &Value) -> Result<bool, String> {
        let (crm, neutral) = (crm.to_string(), neutral.to_string());
        let (Some(from), Some(to)) = (key(&crm), key(&neutral)) else {
            return Err(format!(
                "values: {crm} and {neutral} are to be texts, numbers, true, false or null"
            ));
        };
        if self.inward.insert(from, neutral).is_some() {
            return Err(format!("values: {crm} is there twice"));
        }
        let is_new = !self.outward.contains_key(&to);
        self.outward.entry(to).or_insert(crm);
        Ok(is_new)
    }
}

fn look_up<'t>(table: &'t BTreeMap<Key, String>, json: &str) -> Option<&'t str> {
    if table.is_empty() {
        return None;
    }
    table.get(&key(json)?).map(String::as_str)
}

fn key(json: &str) -> Option<Key> {
    match json {
        "null" => Some(None),
        "true" | "false" => Some(Some(json.to_owned())),
        _ => json::scalar(json).map(Some),
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Table;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{\"CRM's text\": value, …} or [[CRM's value, value], …]")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let mut table = Table::default();
                while let Some((crm, neutral)) = map.next_entry::<String, Value>()? {
                    if !table.add(&Value::String(crm), &neutral).map_err(de::Error::custom)? {
                        return Err(de::Error::custom(format!(
                            "values: several are {neutral}, so none can be written back; a list [[\"…\", {neutral}], …] says by its order which"
                        )));
                    }
                }
                Ok(table)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Table, A::Error> {
                let mut table = Table::default();
                while let Some((crm, neutral)) = list.next_element::<(Value, Value)>()? {
                    table.add(&crm, &neutral).map_err(de::Error::custom)?;
                }
                Ok(table)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

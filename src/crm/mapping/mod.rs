//! Which field of a CRM is which member of the neutral record, and how a value changes on the way, in both directions.
//!
//! Pure: text in, text out. What a field is called and which transforms it needs is declared (`entry.rs`, explained in
//! `catalog/README.md`); where records come from and go to, and how a CRM clears a field, is the connector's business.

mod entry;
mod place;
mod plan;
mod read;
mod table;
mod value;
mod write;

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de};

use entry::{Entry, Found};
use plan::Plan;
use value::shown;

/// Members of the neutral record that no mapping sets: the connector's object says where they are.
const OWN: [&str; 2] = ["id", "updated_at"];

/// What a setting of all fields is called where it stands among them.
const FALSE_IS_NULL: &str = "false_is_null";

/// The longest name of a neutral member, in bytes.
const NAME_LIMIT: usize = 128;

/// Fields by their neutral names, in a fixed order.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Without an entry: removes what it is merged over.
    fields: Vec<(String, Option<Entry>)>,
    false_is_null: Option<bool>,
    plan: Plan,
}

impl Mapping {
    fn new(fields: Vec<(String, Option<Entry>)>, false_is_null: Option<bool>) -> Self {
        let mut mapping = Self {
            fields,
            false_is_null,
            plan: Plan::default(),
        };
        for (_, entry) in &mut mapping.fields {
            for path in entry.iter_mut().flat_map(Entry::paths_mut) {
                path.slot = mapping.plan.add(&path.path);
            }
        }
        mapping
    }

    /// Reads a mapping; a failure names the field and says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("field mapping: {error}"))
    }

    /// The connector's fields, with the tenant's in their places and behind them; a tenant's null takes one away.
    #[must_use]
    pub fn merged(connector: &Self, tenant: &Self) -> Self {
        let mut fields = connector.fields.clone();
        for (name, entry) in &tenant.fields {
            match fields.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(entry),
                None => fields.push((name.clone(), entry.clone())),
            }
        }
        fields.retain(|(_, entry)| entry.is_some());
        Self::new(fields, tenant.false_is_null.or(connector.false_is_null))
    }

    /// The neutral members, as names and JSON texts, in a fixed order. What the record does not have, or has in a form
    /// that makes no sense for the field, is null. Times without an offset are in `zone`, without one in UTC.
    #[must_use]
    pub fn read(&self, fields: &str, zone: Option<&TimeZone>) -> Vec<(String, String)> {
        let utc = TimeZone::UTC;
        let zone = zone.unwrap_or(&utc);
        let found = self.plan.find(fields);
        self.entries()
            .map(|(name, entry)| {
                let value = read::value(entry, &found, self.false_is_null(entry), zone);
                (name.to_owned(), value)
            })
            .collect()
    }

    /// The CRM's fields for a neutral record or a part of one, as a JSON object; times without an offset are written in
    /// UTC. A failure names the field.
    pub fn write(&self, neutral: &str) -> Result<String, String> {
        self.write_in(neutral, None)
    }

    /// As `write`, where the CRM wants times without an offset in `zone`.
    pub fn write_in(&self, neutral: &str, zone: Option<&TimeZone>) -> Result<String, String> {
        let utc = TimeZone::UTC;
        let zone = zone.unwrap_or(&utc);
        let mut members = place::members(neutral).map_err(|reason| format!("the record: {reason}"))?;
        for name in OWN {
            members.remove(name);
        }
        let mut object = place::Object::default();
        for (name, entry) in self.entries() {
            let Some(json) = members.remove(name) else {
                continue;
            };
            if !entry.read_only {
                write::value(entry, json, self.false_is_null(entry), zone, &mut object)
                    .map_err(|reason| format!("field {}: {reason}", shown(name)))?;
            }
        }
        for (name, json) in members {
            object
                .put(&[&name], json)
                .map_err(|reason| format!("field {}: {reason}", shown(&name)))?;
        }
        Ok(object.to_json())
    }

    /// The CRM's fields that reading needs, each once.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for Found { path, .. } in self.entries().flat_map(|(_, entry)| entry.paths()) {
            if let Some(name) = path.first_member()
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The names of the neutral members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|(name, _)| name)
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.fields
            .iter()
            .filter_map(|(name, entry)| Some((name.as_str(), entry.as_ref()?)))
    }

    fn false_is_null(&self, entry: &Entry) -> bool {
        entry
            .false_is_null
            .unwrap_or(!entry.is_boolean() && self.false_is_null.unwrap_or(false))
    }
}

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Mapping;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fields by their neutral names")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Mapping, A::Error> {
                let mut fields: Vec<(String, Option<Entry>)> = Vec::new();
                let mut false_is_null = None;
                while let Some(name) = map.next_key::<String>()? {
                    // The one error type that a reader of JSON has carries no names: each is wrapped in one that does.
                    let named =
                        |reason: &dyn fmt::Display| de::Error::custom(format!("field {}: {reason}", shown(&name)));
                    if name == FALSE_IS_NULL {
                        false_is_null = Some(map.next_value().map_err(|error| named(&error))?);
                        continue;
                    }
                    if let Err(reason) = check_name(&name) {
                        return Err(named(&reason));
                    }
                    if fields.iter().any(|(known, _)| *known == name) {
                        return Err(named(&"it is declared twice"));
                    }
                    let entry: Option<Entry> = map.next_value().map_err(|error| named(&error))?;
                    fields.push((name, entry));
                }
                Ok(Mapping::new(fields, false_is_null))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if OWN.contains(&name) {
        return Err(String::from(
            "the connector's object says where it is; a mapping cannot set it",
        ));
    }
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(format!("a name has 1 to {NAME_LIMIT} bytes"));
    }
    Ok(())
}

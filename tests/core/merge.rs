//! The three-way merge, told in JSON: what goes where, what the next base is, and what waits for a person.

mod fields;
mod laws;
mod records;
mod revision;
mod same;
mod sent;
mod sets;

use std::borrow::Cow;

use serde_json::{Map, Value as Json, json};
use tenant_crm_sync::sync::merge::{self, Basis, Merge, Next, Outcome, Pick, Policy, Record, Rules, Sent, Side, Value};

/// As PHP's arrays are read.
fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => number
            .as_i64()
            .map_or_else(|| Value::real(number.as_f64().unwrap()), Value::Integer),
        Json::String(text) => Value::text(text.clone()),
        Json::Array(list) => Value::list(list.iter().map(value).collect()),
        Json::Object(members) => Value::map(
            members
                .iter()
                .map(|(name, member)| (Cow::Owned(name.clone()), value(member)))
                .collect(),
        ),
    }
}

fn record(json: &Json) -> Option<Record<'static>> {
    let members = json.as_object()?;
    Some(Record::new(
        members
            .iter()
            .map(|(name, member)| (Cow::Owned(name.clone()), value(member))),
    ))
}

/// What a merge says.
#[derive(Debug, PartialEq)]
struct Told {
    to_crm: Json,
    to_portal: Json,
    base: Json,
    delete: Option<&'static str>,
    /// The field, or nothing for the whole record, and why.
    conflicts: Vec<(String, &'static str)>,
    record: Json,
    rules: Vec<&'static str>,
}

/// The sides of one merge.
#[derive(Clone)]
struct Sides {
    base: Json,
    crm: Json,
    portal: Json,
    sent: Option<(Json, Outcome)>,
}

impl Sides {
    fn merge(&self, rules: &Rules<'_>) -> Told {
        let [base, crm, portal] = [&self.base, &self.crm, &self.portal].map(record);
        let sent = self.sent.as_ref().map(|(sent, outcome)| Sent {
            fields: record(sent).unwrap(),
            outcome: *outcome,
        });
        let merged = merge::merge(base.as_ref(), crm.as_ref(), portal.as_ref(), sent.as_ref(), rules);
        self.told(&merged)
    }

    fn told(&self, merged: &Merge<'_>) -> Told {
        let sent = self.sent.as_ref().map_or(Json::Null, |(sent, _)| sent.clone());
        let [mut to_crm, mut to_portal, mut base, mut record] = [(); 4].map(|()| Map::new());
        let mut conflicts = Vec::new();
        for field in &merged.fields {
            let name = field.name;
            let next = match field.next {
                Next::Nothing => None,
                Next::Base => Some(&self.base),
                Next::Crm => Some(&self.crm),
                Next::Sent => Some(&sent),
            };
            if let Some(next) = next {
                base.insert(name.to_owned(), next[name].clone());
            }
            if let Some(reason) = field.conflict {
                conflicts.push((name.to_owned(), reason.text()));
            }
            let side = |side: Side| {
                if side == Side::Crm {
                    &self.crm[name]
                } else {
                    &self.portal[name]
                }
            };
            let picked = match &field.pick {
                Pick::Nothing => {
                    assert!(!field.to_crm && !field.to_portal, "what is nothing is written nowhere");
                    continue;
                }
                Pick::Base => self.base[name].clone(),
                Pick::Of(of) => side(*of).clone(),
                Pick::Set(elements) => {
                    let element = |element: &merge::Element| match element.position {
                        Some(position) => side(element.side)[position].clone(),
                        None => side(element.side).clone(),
                    };
                    elements.iter().map(element).collect()
                }
            };
            if field.to_crm {
                to_crm.insert(name.to_owned(), picked.clone());
            }
            if field.to_portal {
                to_portal.insert(name.to_owned(), picked.clone());
            }
            record.insert(name.to_owned(), picked);
        }
        if let Some(reason) = merged.conflict {
            conflicts.push((String::new(), reason.text()));
        }
        Told {
            to_crm: to_crm.into(),
            to_portal: to_portal.into(),
            base: match merged.basis {
                Basis::Nothing => Json::Null,
                Basis::Fields => base.into(),
                Basis::Crm => self.crm.clone(),
                Basis::Base => self.base.clone(),
            },
            delete: merged.delete.map(Side::name),
            conflicts,
            record: record.into(),
            rules: merged.fields.iter().map(|field| field.rule.text()).collect(),
        }
    }
}

fn sides(base: &Json, crm: &Json, portal: &Json) -> Sides {
    Sides {
        base: base.clone(),
        crm: crm.clone(),
        portal: portal.clone(),
        sent: None,
    }
}

fn told(base: &Json, crm: &Json, portal: &Json, rules: &Rules<'_>) -> Told {
    sides(base, crm, portal).merge(rules)
}

fn policy(policy: Policy) -> Rules<'static> {
    Rules {
        policy,
        ..Rules::default()
    }
}

fn nothing() -> Json {
    json!({})
}

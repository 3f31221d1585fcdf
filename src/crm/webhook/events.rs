//! What happened to which records: where a connector says that it stands in a webhook's body, and what of it is told.
//! Reading it is in plan.rs. Ids are text, with all their digits.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Hash;

/// The most paths that a connector may name.
const MAX_PATHS: usize = 32;

/// Where the events are. A path names nested members; the paths of an event start at the event.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Path to the list of events, or to the only one; without it the body is the list or the event.
    #[serde(default)]
    pub list: Vec<String>,
    /// Our name of the object type: the first of these that gives one.
    #[serde(default, deserialize_with = "few_words")]
    pub object: Vec<Word<String>>,
    /// What happened; without it, and where it is not in the map, `other`.
    pub action: Option<Word<Action>>,
    /// The record's id, or a list of ids.
    pub id: Vec<String>,
    /// The event's id.
    pub event_id: Option<Vec<String>>,
    /// The account at the CRM, by which the tenant is found. Only ever from the body: headers are seldom signed.
    pub account: Option<Vec<String>>,
    /// When it happened.
    pub occurred_at: Option<Vec<String>>,
    /// The fields that changed, in the CRM's words: one name, a list of them, or an object with a member for each.
    pub fields: Option<Vec<String>>,
}

/// A word of the CRM and what it means to us.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word<T> {
    /// Where it is.
    pub from: Source,
    /// Only what stands before the first of these: `.` makes `contact` of `contact.creation`.
    pub before: Option<String>,
    /// Only what stands after the last of these.
    pub after: Option<String>,
    /// The CRM's words and ours.
    pub map: BTreeMap<String, T>,
}

/// Where a word is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// Nested members of the event.
    Path(Vec<String>),
    /// A header of the request.
    Header(String),
    /// A query parameter of the address that was given to the CRM.
    Query(String),
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Create,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
    /// Something else, a merge or a restore: what it is now, the CRM tells.
    Other,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Our name of the object type; `None` for what the connector does not know.
    pub object: Option<String>,
    /// What happened.
    pub action: Action,
    /// The records; at least one.
    pub ids: Vec<String>,
    /// The event's id.
    pub event_id: Option<String>,
    /// The account at the CRM.
    pub account: Option<String>,
    /// When it happened, in milliseconds since 1970; a time without an offset is taken for UTC.
    pub occurred_at_ms: Option<i64>,
    /// The fields that changed, in the CRM's words; empty where it does not say.
    pub fields: Vec<String>,
}

impl Event {
    pub(super) fn hash(&self, hash: &mut Hash) {
        hash.add(self.object.as_deref().unwrap_or_default().as_bytes())
            .add(&[self.action as u8])
            .add(&(self.ids.len() as u64).to_le_bytes());
        for id in &self.ids {
            hash.add(id.as_bytes());
        }
        for text in [&self.event_id, &self.account] {
            hash.add(text.as_deref().unwrap_or_default().as_bytes());
        }
        hash.add(&self.occurred_at_ms.unwrap_or_default().to_le_bytes());
        for field in &self.fields {
            hash.add(field.as_bytes());
        }
    }
}

fn few_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Word<String>>, D::Error> {
    let words = Vec::deserialize(deserializer)?;
    if words.len() > MAX_PATHS - 6 {
        return Err(serde::de::Error::custom("webhooks.events.object: too many words"));
    }
    Ok(words)
}

impl<T> Word<T> {
    pub(super) fn of(&self, word: &str) -> Option<&T> {
        let word = match &self.before {
            Some(sign) => word.split_once(sign.as_str())?.0,
            None => word,
        };
        let word = match &self.after {
            Some(sign) => word.rsplit_once(sign.as_str())?.1,
            None => word,
        };
        self.map.get(word)
    }
}

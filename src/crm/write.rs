//! What a connector says of writing one type of record: one by one, by a unique field, and many at once.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::crm::condition::Condition;
use crate::crm::object::Operation;
use crate::json::{self, Path};
use crate::template::Json;

/// How records are written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// A new record; its values are `{data}` and the object's.
    pub create: Option<Operation>,
    /// Changed fields of a record; `{id}` and `{data}`.
    pub update: Option<Operation>,
    /// A record that is made or changed by a unique field; `{key}`, `{key_value}` and `{data}`.
    pub upsert: Option<Upsert>,
    /// The end of a record; `{id}`.
    pub delete: Option<Operation>,
    /// Several records at once.
    #[serde(default)]
    pub batch: Batches,
    /// What empties a field.
    #[serde(default)]
    pub clear: Clear,
}

/// How a field is emptied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clear {
    /// By null.
    #[default]
    Null,
    /// By an empty text.
    EmptyText,
    /// By false (Odoo).
    False,
}

impl Clear {
    /// A record's fields with nulls as this CRM wants them. A new record does not mention what is empty.
    #[must_use]
    pub fn apply(self, data: &str, is_new: bool) -> String {
        let empty = match self {
            Self::Null => return data.to_owned(),
            Self::EmptyText => "\"\"",
            Self::False => "false",
        };
        let members = json::members(data);
        let kept = members.iter().filter_map(|(name, value)| match *value {
            "null" => (!is_new).then_some((name.as_str(), empty)),
            value => Some((name.as_str(), value)),
        });
        json::object(kept)
    }
}

/// How a record is made or changed by a unique field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upsert {
    /// The request.
    pub request: Operation,
    /// The CRM's fields that can be the key; empty: any.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Whether the key's field is taken out of `{data}`.
    #[serde(default)]
    pub without_key: bool,
}

/// Requests for several records.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// New ones.
    pub create: Option<Batch>,
    /// Changes.
    pub update: Option<Batch>,
    /// Ones that are made or changed by a unique field.
    pub upsert: Option<Batch>,
    /// Ends.
    pub delete: Option<Batch>,
}

/// One request for several records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The request; its values are `{items}` (JSON) and `{ids}`.
    pub request: Operation,
    /// One record in `{items}`: `{id}`, `{data}`, `{key}`, `{key_value}`, `{trace}` (a name of its own for this record).
    #[serde(default)]
    pub item: Option<Json>,
    /// Members that are set into each record's `{data}`, for items that are the record's fields themselves.
    #[serde(default)]
    pub with: BTreeMap<String, Json>,
    /// Most records to a request.
    pub max: usize,
    /// How the answer tells of each record.
    #[serde(default)]
    pub results: Option<Results>,
}

/// How a batch's answer tells of each record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Where the list is.
    #[serde(default)]
    pub rows: Path,
    /// Where a result repeats `{trace}` or, for records that have one, the id. Without it results are in the order of records.
    #[serde(default)]
    pub trace: Option<Path>,
    /// Holds for a record that was written. Without it all that are listed were.
    #[serde(default)]
    pub ok: Option<Condition>,
    /// Holds for a record that was to be removed, and was gone before.
    #[serde(default)]
    pub gone: Option<Condition>,
    /// Where the record's id is.
    #[serde(default)]
    pub id: Option<Path>,
    /// Where the reason of a refusal is.
    #[serde(default)]
    pub message: Vec<Path>,
    /// Where refusals of records that are not listed are told.
    #[serde(default)]
    pub refusals: Option<Path>,
    /// Where a refusal repeats `{trace}` or the id, alone or in a list.
    #[serde(default)]
    pub refusal_trace: Vec<Path>,
}

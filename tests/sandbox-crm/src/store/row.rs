//! One row: the bytes that are served, and the two things that order it.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Id;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: Id,
    /// None where the row carries none that can be read: it comes first, and passes no filter.
    pub time: Option<Timestamp>,
    /// Serialised once, when the row changes.
    pub json: Bytes,
}

impl Row {
    pub fn new(id: Id, time: Option<Timestamp>, fields: Map<String, Value>) -> Self {
        Self {
            id,
            time,
            json: Value::Object(fields).to_string().into(),
        }
    }

    /// `None` for a row that was given raw and is no JSON object.
    pub fn fields(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.json).ok()
    }
}

//! A CRM's field names and what they are in the sandbox's row, both ways. How a value is written on the wire, and the
//! words of a refusal, are the dialect's.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::common::{Fields, Record, id_text, is_email, join_name};

/// Where in the row a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Id,
    Created,
    Updated,
    /// The parts of `name`.
    First,
    Last,
    /// All of `name`, where a CRM puts it together itself.
    Whole,
    /// The row's field of this name.
    Field(&'static str),
    /// The row's field of the column's own name.
    Own,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Email,
    Number,
    Time,
    /// A list of texts; CRMs write it as one text with semicolons.
    List,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: Cow<'static, str>,
    pub kind: Kind,
    pub source: Source,
}

impl Column {
    pub const fn new(name: &'static str, kind: Kind, source: Source) -> Self {
        let name = Cow::Borrowed(name);
        Self { name, kind, source }
    }

    pub fn custom(name: &str) -> Self {
        Self {
            name: Cow::Owned(name.to_owned()),
            kind: Kind::Text,
            source: Source::Own,
        }
    }

    /// The id, the times and a name put together are the CRM's own.
    pub fn read_only(&self) -> bool {
        matches!(
            self.source,
            Source::Id | Source::Created | Source::Updated | Source::Whole
        )
    }

    /// Text, number, boolean or null, whatever the row holds; times are `time`'s.
    pub fn value(&self, record: &Record) -> Value {
        let text = |text: String| match text.is_empty() {
            true => Value::Null,
            false => Value::String(text),
        };
        match self.source {
            Source::Id => id_text(&record.id).into(),
            Source::Created | Source::Updated => Value::Null,
            Source::First => text(record.first_name()),
            Source::Last => text(record.last_name()),
            Source::Whole => flat(record.fields.get("name")),
            Source::Field(name) => flat(record.fields.get(name)),
            Source::Own => flat(record.fields.get(self.name.as_ref())),
        }
    }

    pub fn time(&self, record: &Record) -> Option<Timestamp> {
        match self.source {
            Source::Created => record.created,
            Source::Updated => record.updated,
            _ => None,
        }
    }
}

/// Lists become text, as CRMs write choices; an empty one is nothing.
fn flat(value: Option<&Value>) -> Value {
    match value {
        None => Value::Null,
        Some(Value::Array(list)) if list.is_empty() => Value::Null,
        Some(Value::Array(list)) => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            texts.join(";").into()
        }
        Some(value) => value.clone(),
    }
}

/// Why a value is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    ReadOnly,
    Email,
    Number,
    /// A list or an object where a plain value belongs.
    Shape,
}

/// Fields on their way into a row.
#[derive(Debug, Default)]
pub struct Written {
    fields: Fields,
    first: Option<String>,
    last: Option<String>,
}

impl Written {
    pub fn set(&mut self, column: &Column, value: &Value) -> Result<(), Bad> {
        if column.read_only() {
            return Err(Bad::ReadOnly);
        }
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            Value::Array(_) | Value::Object(_) => return Err(Bad::Shape),
        };
        let value = match (column.kind, &text) {
            (Kind::List, text) => {
                let parts = text.as_deref().unwrap_or_default().split(';');
                parts.filter(|part| !part.is_empty()).map(Value::from).collect()
            }
            (_, None) => Value::Null,
            (Kind::Email, Some(text)) if !is_email(text) => return Err(Bad::Email),
            (Kind::Number, Some(text)) => {
                let number: f64 = text.trim().parse().map_err(|_| Bad::Number)?;
                serde_json::Number::from_f64(number)
                    .map(Value::Number)
                    .ok_or(Bad::Number)?
            }
            (_, Some(text)) => text.as_str().into(),
        };
        match column.source {
            Source::First => self.first = Some(text.unwrap_or_default()),
            Source::Last => self.last = Some(text.unwrap_or_default()),
            Source::Field(name) => {
                self.fields.insert(name.into(), value);
            }
            _ => {
                self.fields.insert(column.name.clone().into_owned(), value);
            }
        }
        Ok(())
    }

    /// The row's fields; the part of a name that was not given is the old one.
    pub fn finish(mut self, old: Option<&Record>) -> Fields {
        if self.first.is_some() || self.last.is_some() {
            let first = self.first.or_else(|| Some(old?.first_name())).unwrap_or_default();
            let last = self.last.or_else(|| Some(old?.last_name())).unwrap_or_default();
            self.fields.insert("name".into(), join_name(&first, &last).into());
        }
        self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Id, Row};
    use crate::tenant::Config;
    use serde_json::json;

    const FIRST: Column = Column::new("first", Kind::Text, Source::First);
    const LAST: Column = Column::new("last", Kind::Text, Source::Last);
    const EMAIL: Column = Column::new("mail", Kind::Email, Source::Field("email"));
    const SCORE: Column = Column::new("amount", Kind::Number, Source::Field("score"));
    const TAGS: Column = Column::new("tags", Kind::List, Source::Field("tags"));
    const ID: Column = Column::new("id", Kind::Text, Source::Id);

    fn record(fields: Value) -> Record {
        let row = Row::new(Id::Number(7), None, fields.as_object().unwrap().clone());
        Record::read(&row, &Config::new("k".into()))
    }

    #[test]
    fn values_come_out_flat() {
        let record = record(json!({ "name": "Jean Luc Picard", "score": 1.5, "tags": ["a", "b"], "own": true }));
        let value = |column: &Column| column.value(&record);
        assert_eq!((value(&FIRST), value(&LAST)), (json!("Jean Luc"), json!("Picard")));
        assert_eq!((value(&SCORE), value(&TAGS)), (json!(1.5), json!("a;b")));
        assert_eq!((value(&ID), value(&EMAIL)), (json!("7"), json!(null)));
        assert_eq!(value(&Column::custom("own")), json!(true));
    }

    #[test]
    fn values_go_in_checked() {
        let mut written = Written::default();
        for (column, value) in [
            (&FIRST, json!("Zoë")),
            (&EMAIL, json!("a@b.test")),
            (&SCORE, json!("2.5")),
            (&TAGS, json!("a;b")),
            (&Column::custom("own"), json!("")),
        ] {
            written.set(column, &value).unwrap();
        }
        for (column, value, bad) in [
            (&ID, json!("8"), Bad::ReadOnly),
            (&EMAIL, json!("a"), Bad::Email),
            (&SCORE, json!("x"), Bad::Number),
            (&SCORE, json!("inf"), Bad::Number),
            (&FIRST, json!(["a"]), Bad::Shape),
        ] {
            assert_eq!(written.set(column, &value), Err(bad));
        }
        let old = record(json!({ "name": "Jean Luc Picard" }));
        assert_eq!(
            Value::Object(written.finish(Some(&old))),
            json!({ "email": "a@b.test", "score": 2.5, "tags": ["a", "b"], "own": null, "name": "Zoë Picard" })
        );
    }
}

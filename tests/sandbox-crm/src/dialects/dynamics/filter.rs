//! $filter: `a ge 1 and b eq 'x'`, contains and startswith. Everything else is an error in the query's syntax.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::answer;
use super::entity::{Entity, value};
use crate::answer::Answer;
use crate::dialects::columns::{Column, Kind, Source};
use crate::dialects::common::Record;
use crate::store::Row;
use crate::tenant::Config;

pub struct Condition {
    pub column: Column,
    pub operator: String,
    literal: Key,
}

/// As values are compared; nothing comes first.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Key {
    None,
    Time(Timestamp),
    Number(f64),
    Text(String),
}

pub fn parse(text: &str, entity: Entity, config: &Config) -> Result<Vec<Condition>, Answer> {
    let mut rest = text.trim();
    let mut conditions = Vec::new();
    loop {
        let (condition, after) = condition(rest, entity, config)?;
        conditions.push(condition);
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(conditions);
        }
        rest = rest.strip_prefix("and ").ok_or_else(answer::syntax)?.trim_start();
    }
}

fn condition<'a>(text: &'a str, entity: Entity, config: &Config) -> Result<(Condition, &'a str), Answer> {
    for function in ["contains", "startswith"] {
        if let Some(rest) = text.strip_prefix(function).and_then(|rest| rest.strip_prefix('(')) {
            let (name, rest) = rest.split_once(',').ok_or_else(answer::syntax)?;
            let column = entity.column(config, name.trim())?;
            let (literal, rest) = literal(rest.trim_start(), &column)?;
            let rest = rest.trim_start().strip_prefix(')').ok_or_else(answer::syntax)?;
            let condition = Condition {
                column,
                operator: function.into(),
                literal,
            };
            return Ok((condition, rest));
        }
    }
    let (name, rest) = text.split_once(' ').ok_or_else(answer::syntax)?;
    let (operator, rest) = rest.trim_start().split_once(' ').ok_or_else(answer::syntax)?;
    if !["eq", "ne", "gt", "ge", "lt", "le"].contains(&operator) {
        return Err(answer::syntax());
    }
    let column = entity.column(config, name)?;
    let (literal, rest) = literal(rest.trim_start(), &column)?;
    let condition = Condition {
        column,
        operator: operator.into(),
        literal,
    };
    Ok((condition, rest))
}

/// Written as its column's type is: text in quotes (doubled inside), times, numbers and ids without.
fn literal<'a>(text: &'a str, column: &Column) -> Result<(Key, &'a str), Answer> {
    let mismatch = || {
        let name = &column.name;
        answer::bad(format!(
            "A binary operator with incompatible types was detected at '{name}'."
        ))
    };
    if let Some(rest) = text.strip_prefix('\'') {
        let mut own = String::new();
        let mut chars = rest.char_indices().peekable();
        while let Some((position, c)) = chars.next() {
            if c != '\'' {
                own.push(c);
            } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                own.push('\'');
            } else {
                let good = column.kind != Kind::Time && column.kind != Kind::Number && column.name != "statuscode";
                let rest = rest.get(position + 1..).unwrap_or_default();
                return if good {
                    Ok((Key::Text(own.to_lowercase()), rest))
                } else {
                    Err(mismatch())
                };
            }
        }
        return Err(answer::syntax());
    }
    let end = text.find([' ', ')', ',']).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).ok_or_else(answer::syntax)?;
    let key = match column.kind {
        _ if word == "null" => Key::None,
        Kind::Time => Key::Time(word.parse().map_err(|_| mismatch())?),
        Kind::Number => Key::Number(word.parse().map_err(|_| mismatch())?),
        _ if column.name == "statuscode" => Key::Number(word.parse().map_err(|_| mismatch())?),
        _ if column.source == Source::Id => Key::Text(word.to_lowercase()),
        _ => return Err(mismatch()),
    };
    Ok((key, rest))
}

pub fn key(row: &Row, column: &Column, config: &Config) -> Key {
    if column.source == Source::Updated {
        // The row need not be read for this.
        return row
            .time
            .map_or(Key::None, |time| Key::Time(config.timestamps.truncate(time)));
    }
    let record = Record::read(row, config);
    if column.kind == Kind::Time {
        return column.time(&record).map_or(Key::None, Key::Time);
    }
    match value(column, &record) {
        Value::Number(number) => number.as_f64().map_or(Key::None, Key::Number),
        Value::String(text) => Key::Text(text.to_lowercase()),
        _ => Key::None,
    }
}

impl Condition {
    /// A time that every row has to be as late as.
    pub fn bound(&self) -> Option<Timestamp> {
        match (&self.literal, self.operator.as_str()) {
            (Key::Time(time), "gt" | "ge" | "eq") if self.column.source == Source::Updated => Some(*time),
            _ => None,
        }
    }

    pub fn passes(&self, row: &Row, config: &Config) -> bool {
        let own = key(row, &self.column, config);
        if let (Key::Text(own), Key::Text(part)) = (&own, &self.literal) {
            match self.operator.as_str() {
                "contains" => return own.contains(part),
                "startswith" => return own.starts_with(part),
                _ => {}
            }
        }
        let there = own != Key::None && self.literal != Key::None;
        let order = own.partial_cmp(&self.literal);
        match self.operator.as_str() {
            "eq" => order == Some(Ordering::Equal),
            "ne" => order != Some(Ordering::Equal),
            "gt" => there && order == Some(Ordering::Greater),
            "ge" => there && matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            "lt" => there && order == Some(Ordering::Less),
            "le" => there && matches!(order, Some(Ordering::Less | Ordering::Equal)),
            _ => false,
        }
    }
}

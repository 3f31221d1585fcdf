//! From a CRM's value to the neutral one. What makes no sense is null: a field must not cost its record.

use jiff::tz::TimeZone;

use super::entry::{Entry, Kind, Many2One, Pick, Shape, Source};
use super::plan::Texts;
use super::value::{self, plain, quoted};
use crate::json::{self, Reader};

const NULL: &str = "null";

/// The JSON text of one member of the neutral record.
pub fn value(entry: &Entry, found: &Texts, false_is_null: bool, zone: &TimeZone) -> String {
    let present = |json: &&str| *json != NULL && !(false_is_null && *json == "false");
    let neutral = match &entry.source {
        Source::One(path) => {
            let json = found.get(path.slot).filter(present);
            if entry.is_verbatim() {
                json.map(str::to_owned)
            } else {
                shaped(entry, json.unwrap_or(NULL), zone)
            }
        }
        Source::Joined { paths, with } => {
            let parts: Vec<String> = paths
                .iter()
                .filter_map(|path| found.get(path.slot).filter(present).and_then(plain))
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty())
                .collect();
            let json = if parts.is_empty() {
                NULL.to_owned()
            } else {
                quoted(&parts.join(with))
            };
            single(entry, &json, zone)
        }
    };
    neutral
        .or_else(|| entry.default.clone())
        .unwrap_or_else(|| NULL.to_owned())
}

fn shaped(entry: &Entry, json: &str, zone: &TimeZone) -> Option<String> {
    match &entry.shape {
        Shape::Plain => single(entry, json, zone),
        Shape::Pick(pick) => single(entry, picked(pick, json).unwrap_or(NULL), zone),
        Shape::Many2One(part) => {
            let position = match part {
                Many2One::Id => 0,
                Many2One::Name => 1,
            };
            let json = if json.starts_with('[') {
                elements(json)?.get(position).copied().unwrap_or(NULL)
            } else {
                json
            };
            // Whatever else it is, it names no record.
            json::scalar(json)?;
            single(entry, json, zone)
        }
        Shape::List(separator) => {
            let parts: Vec<String> = if json.starts_with('[') {
                elements(json)?
                    .into_iter()
                    .filter(|part| plain(part).is_some())
                    .map(str::to_owned)
                    .collect()
            } else {
                plain(json)?
                    .split(separator)
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .map(quoted)
                    .collect()
            };
            let list: Vec<String> = parts.iter().filter_map(|part| single(entry, part, zone)).collect();
            Some(format!("[{}]", list.join(",")))
        }
    }
}

/// One value; nothing for null.
fn single(entry: &Entry, json: &str, zone: &TimeZone) -> Option<String> {
    let clean = value::cleaned(json, &entry.clean);
    let json = clean.as_deref().unwrap_or(json);
    let neutral = match entry.values.inward(json) {
        Some(neutral) => neutral.to_owned(),
        None => match entry.kind {
            None => json.to_owned(),
            Some(Kind::Text) => value::text(json)?,
            Some(Kind::Number) => value::number(json)?,
            Some(Kind::Boolean) => value::boolean(json)?.to_string(),
            Some(Kind::Time) => quoted(&value::time(json, zone)?.to_string()),
            Some(Kind::LocalTime) => quoted(&value::local_time(json, zone)?.to_string()),
        },
    };
    (neutral != NULL).then_some(neutral)
}

/// The value of the preferred element, or of the first that has one.
fn picked<'d>(pick: &Pick, json: &'d str) -> Option<&'d str> {
    if !json.starts_with('[') {
        return Some(json);
    }
    let mut first = None;
    for element in elements(json)? {
        let Some(found) = pick.value.text(element).filter(|json| !value::is_blank(json)) else {
            continue;
        };
        let preferred = pick
            .prefer
            .as_ref()
            .is_some_and(|prefer| prefer.path.text(element).is_some_and(|json| same(json, &prefer.equals)));
        if preferred {
            return Some(found);
        }
        first = first.or(Some(found));
    }
    first
}

fn same(json: &str, wanted: &serde_json::Value) -> bool {
    if let serde_json::Value::String(wanted) = wanted {
        return json.starts_with('"') && json::scalar(json).is_some_and(|text| text == *wanted);
    }
    let wanted = wanted.to_string();
    json == wanted
}

fn elements(json: &str) -> Option<Vec<&str>> {
    let mut list = Vec::new();
    let mut reader = Reader::new(json);
    reader
        .each_element(|reader| {
            let span = reader.span()?;
            list.push(json.get(span).unwrap_or_default());
            Ok(())
        })
        .ok()?;
    Some(list)
}

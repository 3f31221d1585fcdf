//! From a neutral value to the CRM's. What makes no sense is an error: the CRM must not get what nobody meant.

use jiff::tz::TimeZone;

use super::entry::{Entry, Found, Kind, Pick, Shape, Source, To};
use super::place::Object;
use super::value::{self, plain, quoted};
use crate::json::{self, Path, Reader, Step};

const NULL: &str = "null";

/// Puts one member of the neutral record where the CRM has it. A failure says what is wrong without the value, which may
/// be nobody else's business.
pub fn value(
    entry: &Entry,
    json: &str,
    false_is_null: bool,
    zone: &TimeZone,
    object: &mut Object,
) -> Result<(), String> {
    let null = if false_is_null { "false" } else { NULL };
    let or_null = |json: String| if json == NULL { null.to_owned() } else { json };
    match &entry.source {
        Source::One(Found { path, .. }) => object.put(&names(path), &or_null(shaped(entry, json, zone)?)),
        Source::Joined { paths, with } => {
            let parts = split(&single(entry, json, zone)?, paths.len(), with)?;
            for (Found { path, .. }, part) in paths.iter().zip(parts) {
                object.put(&names(path), &or_null(part))?;
            }
            Ok(())
        }
    }
}

/// The steps of a path that leads through objects only; an entry that is written has no other.
fn names(path: &Path) -> Vec<&str> {
    path.steps()
        .iter()
        .filter_map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
        .collect()
}

fn shaped(entry: &Entry, json: &str, zone: &TimeZone) -> Result<String, String> {
    match &entry.shape {
        Shape::Plain => single(entry, json, zone),
        Shape::Many2One(_) => {
            let json = single(entry, json, zone)?;
            if json == NULL || json::scalar(&json).is_some() {
                Ok(json)
            } else {
                Err(String::from("it is not the id of a record"))
            }
        }
        Shape::Pick(pick) => element(pick, &single(entry, json, zone)?),
        Shape::List(separator) => list(entry, separator, json, zone),
    }
}

/// One value; `null` for none.
fn single(entry: &Entry, json: &str, zone: &TimeZone) -> Result<String, String> {
    let clean = value::cleaned(json, &entry.clean);
    let json = clean.as_deref().unwrap_or(json);
    if let Some(crm) = entry.values.outward(json) {
        return Ok(crm.to_owned());
    }
    if json == NULL {
        return Ok(NULL.to_owned());
    }
    if entry.kind.is_some_and(Kind::is_time) {
        if value::is_blank(json) {
            return Ok(NULL.to_owned());
        }
        let timestamp = value::time(json, &TimeZone::UTC).ok_or("it is not a time such as 2026-11-24T10:00:00Z")?;
        return Ok(value::time_to(timestamp, entry.to.unwrap_or(To::Rfc3339), zone));
    }
    let typed = match entry.kind {
        Some(Kind::Text) => typed(json, To::Text)?,
        // A boolean is a number only for a CRM that has no booleans.
        Some(Kind::Number) if matches!(json, "true" | "false") => return Err(String::from("it is not a number")),
        Some(Kind::Number) => typed(json, To::Number)?,
        Some(Kind::Boolean) => typed(json, To::Boolean)?,
        Some(Kind::Time | Kind::LocalTime) | None => json.to_owned(),
    };
    match entry.to {
        Some(to) if typed != NULL => self::typed(&typed, to),
        _ => Ok(typed),
    }
}

fn typed(json: &str, to: To) -> Result<String, String> {
    if to == To::Text {
        return value::text(json).ok_or_else(|| String::from("it is not a text"));
    }
    if value::is_blank(json) {
        return Ok(NULL.to_owned());
    }
    match (to, json) {
        (To::Number, "true") => Ok(String::from("1")),
        (To::Number, "false") => Ok(String::from("0")),
        (To::Number, json) => value::number(json).ok_or_else(|| String::from("it is not a number")),
        (To::Boolean, json) => value::boolean(json)
            .map(|value| value.to_string())
            .ok_or_else(|| String::from("it is neither true nor false")),
        _ => Ok(json.to_owned()),
    }
}

/// The list of objects that has this value alone.
fn element(pick: &Pick, json: &str) -> Result<String, String> {
    if json == NULL {
        return Ok(String::from("[]"));
    }
    if pick.value.is_root() {
        return Ok(format!("[{json}]"));
    }
    let mut object = Object::default();
    object.put(&names(&pick.value), json)?;
    if let Some(prefer) = &pick.prefer {
        object.put(&names(&prefer.path), &prefer.equals.to_string())?;
    }
    for (name, value) in &pick.with {
        object.put(&[name], &value.to_string())?;
    }
    Ok(format!("[{}]", object.to_json()))
}

/// A list as text.
fn list(entry: &Entry, separator: &str, json: &str, zone: &TimeZone) -> Result<String, String> {
    if json == NULL {
        return Ok(NULL.to_owned());
    }
    let mut parts = Vec::new();
    if json.starts_with('[') {
        Reader::new(json)
            .each_element(|reader| {
                parts.push(json.get(reader.span()?).unwrap_or_default());
                Ok(())
            })
            .map_err(|refusal| refusal.to_string())?;
    } else {
        parts.push(json);
    }
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        let part = single(entry, part, zone)?;
        if value::is_blank(&part) {
            continue;
        }
        let text = plain(&part).ok_or("it is not a list of texts")?;
        if text.contains(separator) {
            return Err(format!(
                "an element contains {}, which separates the elements in the CRM",
                quoted(separator)
            ));
        }
        texts.push(text.trim().to_owned());
    }
    Ok(quoted(&texts.join(separator)))
}

/// As many texts as there are places, cut at the last separators: what has no separator goes to the last place, where
/// CRMs have what they require.
fn split(json: &str, places: usize, separator: &str) -> Result<Vec<String>, String> {
    let mut parts = Vec::with_capacity(places);
    if json != NULL {
        let text = plain(json).ok_or("it is not a text")?;
        let mut pieces = text
            .trim()
            .rsplitn(places, separator)
            .map(str::trim)
            .filter(|piece| !piece.is_empty());
        parts.extend(pieces.by_ref().map(quoted));
    }
    parts.resize(places, NULL.to_owned());
    parts.reverse();
    Ok(parts)
}

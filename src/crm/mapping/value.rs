//! Single values in their types. Numbers keep their spelling: none is ever turned into a double and back.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::entry::{Clean, To};
use crate::crm::timestamp::Moment;
use crate::json;

/// No number in seconds or milliseconds that is a date has more signs.
const EPOCH_LIMIT: usize = 18;

/// Characters of a name in a message.
const NAME_SHOWN: usize = 80;

/// The first second of the year 0.
const YEAR_0: i64 = -62_167_219_200;

/// Text as a JSON text.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A field's name for people: in quotes, and not longer than a line.
pub fn shown(name: &str) -> String {
    match name.char_indices().nth(NAME_SHOWN) {
        Some((end, _)) => quoted(&format!("{}…", name.get(..end).unwrap_or_default())),
        None => quoted(name),
    }
}

/// Whether there is nothing: null, or text without a sign.
pub fn is_blank(json: &str) -> bool {
    json == "null" || (json.starts_with('"') && json::scalar(json).is_some_and(|text| text.trim().is_empty()))
}

/// A scalar as text.
pub fn plain(json: &str) -> Option<String> {
    match json {
        "true" | "false" => Some(json.to_owned()),
        _ => json::scalar(json),
    }
}

/// Texts cleaned, all else as it is.
pub fn cleaned(json: &str, how: &[Clean]) -> Option<String> {
    if how.is_empty() || !json.starts_with('"') {
        return None;
    }
    let text = json::scalar(json)?;
    let clean = how.iter().fold(text, |text, how| match how {
        Clean::Trim => text.trim().to_owned(),
        Clean::Lower => text.to_lowercase(),
        Clean::Upper => text.to_uppercase(),
    });
    Some(quoted(&clean))
}

/// A scalar as a JSON text; text keeps its bytes.
pub fn text(json: &str) -> Option<String> {
    if json.starts_with('"') {
        return Some(json.to_owned());
    }
    plain(json).map(|text| quoted(&text))
}

/// A number, or text that is one, as a JSON number in its own spelling; not one that is infinite to everybody else.
pub fn number(json: &str) -> Option<String> {
    let spelling = json::scalar(json)?;
    let (minus, digits) = match spelling.trim().split_at_checked(1) {
        Some(("-", digits)) => ("-", digits),
        Some(("+", digits)) => ("", digits),
        _ => ("", spelling.trim()),
    };
    if !digits.starts_with(|sign: char| sign.is_ascii_digit()) {
        return None;
    }
    let whole = digits.trim_start_matches('0');
    let zero = if whole.starts_with(|sign: char| sign.is_ascii_digit()) {
        ""
    } else {
        "0"
    };
    let number = format!("{minus}{zero}{whole}");
    let mut reader = json::Reader::new(&number);
    let is_number = reader.span().is_ok() && reader.end().is_ok();
    (is_number && number.parse::<f64>().is_ok_and(f64::is_finite)).then_some(number)
}

/// What CRMs say for yes and no.
pub fn boolean(json: &str) -> Option<bool> {
    match plain(json)?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A time in any form that a CRM writes; a day is its first moment.
pub fn time(json: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = json::scalar(json)?;
    let text = text.trim();
    if text.bytes().all(|sign| sign.is_ascii_digit() || sign == b'-') {
        if let Ok(day) = text.parse::<Date>() {
            return in_years(day.to_zoned(zone.clone()).ok()?.timestamp());
        }
        if text.len() > EPOCH_LIMIT {
            return None;
        }
    }
    in_years(Moment::parse(text)?.instant(zone)?)
}

/// The same, but of what is written only date and clock count.
pub fn local_time(json: &str, zone: &TimeZone) -> Option<Timestamp> {
    const DIGITS: usize = "2026-11-01T10:00:00".len();
    let text = json::scalar(json)?;
    let digits = text.trim();
    time(&json::quoted(digits.get(..DIGITS).unwrap_or(digits)), zone)
}

/// RFC 3339 has years of four digits.
fn in_years(timestamp: Timestamp) -> Option<Timestamp> {
    (timestamp.as_second() >= YEAR_0).then_some(timestamp)
}

/// A time in the form that the CRM wants, as JSON.
pub fn time_to(timestamp: Timestamp, to: To, zone: &TimeZone) -> String {
    let naive = |format| {
        let text = timestamp.to_zoned(zone.clone()).strftime(format).to_string();
        quoted(&text)
    };
    match to {
        To::Naive => naive("%Y-%m-%d %H:%M:%S"),
        To::Date => naive("%Y-%m-%d"),
        To::Seconds => timestamp.as_second().to_string(),
        To::Milliseconds => timestamp.as_millisecond().to_string(),
        To::Rfc3339 | To::Text | To::Number | To::Boolean => quoted(&timestamp.to_string()),
    }
}

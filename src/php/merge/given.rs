//! What a caller gives to be merged or compared: arrays and options, checked whatever they hold. A failure names the place.

use std::borrow::Cow;

use ext_php_rs::types::array::Iter;
use ext_php_rs::types::{ZendHashTable, Zval};
use jiff::tz::TimeZone;

use crate::error::{Error, Kind, Result};
use crate::json::{self, MAX_DEPTH};
use crate::sync::merge::{Outcome, Policy, Record, Rules, Same, Value};

/// No record is larger: the bytes of its names and texts, and its values with all that are in them.
const MOST_BYTES: usize = 64 * 1024 * 1024;
const MOST_VALUES: usize = 250_000;

/// Characters of a name in a message.
const NAME_SHOWN: usize = 80;

/// The equivalences of all fields.
const ALL_FIELDS: &str = "*";

/// Something, or why not in words.
type Read<T> = std::result::Result<T, String>;

/// An array's keys and values in its order. PHP's keys are held, so that names can be read from them.
pub struct Entries<'z>(Vec<(Zval, &'z Zval)>);

impl<'z> Entries<'z> {
    /// The entries of an array.
    pub fn of(table: &'z ZendHashTable) -> Self {
        let mut entries = Vec::with_capacity(table.len());
        let mut rest = Iter::new(table);
        entries.extend(std::iter::from_fn(|| rest.next_zval()));
        Self(entries)
    }

    /// The value at a position of the order.
    pub fn get(&self, position: usize) -> Option<&'z Zval> {
        self.0.get(position).map(|(_, value)| value.dereference())
    }

    /// Names, or why one cannot be read, and values.
    fn named(&self) -> impl Iterator<Item = (Read<Cow<'_, str>>, &'z Zval)> {
        self.0.iter().map(|(key, value)| (name(key), value.dereference()))
    }
}

/// An array key as text.
fn name(key: &Zval) -> Read<Cow<'_, str>> {
    match (key.zend_str(), key.long()) {
        (Some(text), _) => text
            .as_str()
            .map(Cow::Borrowed)
            .map_err(|_| String::from("a name is not UTF-8")),
        (None, number) => Ok(Cow::Owned(number.unwrap_or_default().to_string())),
    }
}

/// A name for people: in quotes, and not longer than a line.
fn shown(name: &str) -> String {
    match name.char_indices().nth(NAME_SHOWN) {
        Some((end, _)) => json::quoted(&format!("{}…", name.get(..end).unwrap_or_default())),
        None => json::quoted(name),
    }
}

/// One side's record. `side` is for messages.
pub fn record<'e>(entries: &'e Entries<'_>, side: &str, rules: &Rules<'_>) -> Result<Record<'e>> {
    let wrong = |reason: String| Error::new(Kind::Encode, format!("merge(): {side}: {reason}"));
    let mut budget = Budget::new();
    let mut fields = Vec::with_capacity(entries.0.len());
    for (name, value) in entries.named() {
        let name = name.map_err(wrong)?;
        let in_field = |reason| wrong(format!("field {}: {reason}", shown(&name)));
        budget.spend(name.len()).map_err(in_field)?;
        let is_set = rules.fields.get(name.as_ref()).is_some_and(|field| field.is_set);
        let value = budget.value(value, 1, is_set).map_err(in_field)?;
        fields.push((name, value));
    }
    Ok(Record::new(fields))
}

/// One value; `which` is for messages.
pub fn value<'z>(zval: &'z Zval, which: &str) -> Result<Value<'z>> {
    Budget::new()
        .value(zval, 0, false)
        .map_err(|reason| Error::new(Kind::Encode, format!("same(): {which}: {reason}")))
}

/// What a record may still have.
struct Budget {
    bytes: usize,
    values: usize,
}

impl Budget {
    const fn new() -> Self {
        Self {
            bytes: MOST_BYTES,
            values: MOST_VALUES,
        }
    }

    fn spend(&mut self, bytes: usize) -> Read<()> {
        match (self.bytes.checked_sub(bytes), self.values.checked_sub(1)) {
            (Some(bytes), Some(values)) => {
                *self = Self { bytes, values };
                Ok(())
            }
            (None, _) => Err(format!(
                "here the record passes {} MiB, which is too much",
                MOST_BYTES / 1024 / 1024
            )),
            (_, None) => Err(format!(
                "here the record passes {MOST_VALUES} values, which is too many"
            )),
        }
    }

    fn value<'z>(&mut self, zval: &'z Zval, depth: usize, is_set: bool) -> Read<Value<'z>> {
        let zval = zval.dereference();
        let text = zval.zend_str();
        self.spend(text.map_or(0, |text| text.len()))?;
        if let Some(text) = text {
            return text
                .as_str()
                .map(Value::text)
                .map_err(|_| String::from("it is not UTF-8"));
        }
        if zval.is_null() {
            return Ok(Value::Null);
        }
        if let Some(number) = zval.long() {
            return Ok(Value::Integer(number));
        }
        if let Some(value) = zval.bool() {
            return Ok(Value::Boolean(value));
        }
        if let Some(number) = zval.double() {
            return if number.is_finite() {
                Ok(Value::real(number))
            } else {
                Err(String::from("it is a number that JSON does not know"))
            };
        }
        if let Some(table) = zval.array() {
            return self.array(table, depth, is_set);
        }
        Err(match zval.object().map(|object| object.get_class_name()) {
            Some(class) => format!(
                "it is an object of {}; give its text, number or array",
                class.as_deref().unwrap_or("a class")
            ),
            None => String::from("it is neither a text, a number, a boolean, null nor an array"),
        })
    }

    fn array<'z>(&mut self, table: &'z ZendHashTable, depth: usize, is_set: bool) -> Read<Value<'z>> {
        if depth >= MAX_DEPTH {
            return Err(format!("it has more than {MAX_DEPTH} arrays inside one another"));
        }
        let mut rest = Iter::new(table);
        let mut is_list = true;
        let mut members = Vec::with_capacity(table.len().min(self.values));
        while let Some((key, zval)) = rest.next_zval() {
            // A list that something was taken from has holes; of a set only the values count.
            let here = key
                .long()
                .is_some_and(|key| is_set || usize::try_from(key) == Ok(members.len()));
            is_list &= here;
            let name = if is_list {
                Cow::Borrowed("")
            } else {
                Cow::Owned(name(&key)?.into_owned())
            };
            self.spend(name.len())?;
            members.push((name, self.value(zval, depth + 1, false)?));
        }
        if is_list {
            return Ok(Value::list(members.into_iter().map(|(_, value)| value).collect()));
        }
        // Those before the first that is not of a list.
        for (position, (name, _)) in members
            .iter_mut()
            .enumerate()
            .take_while(|(_, (name, _))| name.is_empty())
        {
            *name = Cow::Owned(position.to_string());
        }
        Ok(Value::map(members))
    }
}

/// The options of `merge()`.
#[derive(Default)]
pub struct Options<'z> {
    /// By what is decided.
    pub rules: Rules<'static>,
    /// What was sent to the CRM, and what came of it.
    pub sent: Option<(&'z Zval, Outcome)>,
}

/// Reads options.
pub fn options(table: &ZendHashTable) -> Result<Options<'_>> {
    let mut options = Options::default();
    let (mut sent, mut outcome) = (None, None);
    for (name, value) in Entries::of(table).named() {
        let name = name.map_err(|reason| wrong("", reason))?;
        let read = match name.as_ref() {
            _ if value.is_null() => Ok(()),
            "sent" if value.is_array() => {
                sent = Some(value);
                Ok(())
            }
            "sent" => Err(String::from("it is to be an array by field")),
            "outcome" => text(value).and_then(Outcome::parse).map(|known| outcome = Some(known)),
            name => option(&mut options.rules, name, value),
        };
        read.map_err(|reason| wrong(&name, reason))?;
    }
    options.sent = sent.zip(outcome);
    match (sent, outcome) {
        (Some(_), None) => Err(wrong("sent", String::from("it needs the option outcome"))),
        (None, Some(_)) => Err(wrong("outcome", String::from("it needs the option sent"))),
        _ => Ok(options),
    }
}

fn wrong(place: &str, reason: String) -> Error {
    Error::new(Kind::Config, format!("merge(): the option {}: {reason}", shown(place)))
}

fn option(rules: &mut Rules<'static>, name: &str, value: &Zval) -> Read<()> {
    match name {
        "policy" => rules.policy = Policy::parse(text(value)?)?,
        "delete" => rules.delete = Policy::parse_delete(text(value)?)?,
        "crm_updated_at" => rules.crm_updated_at = time(value)?,
        "zone" => {
            let zone = TimeZone::get(text(value)?);
            rules.zone = Some(zone.map_err(|_| "it is to be a time zone such as UTC or Europe/Berlin")?);
        }
        "skew" => {
            let seconds = value
                .double()
                .or_else(|| value.long().and_then(|whole| i32::try_from(whole).ok()).map(f64::from));
            let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            rules.skew = seconds.ok_or("it is to be a number of seconds")?;
        }
        "policies" => each(value, |field, value| {
            rules.field(field.to_owned()).policy = Some(Policy::parse(text(value)?)?);
            Ok(())
        })?,
        "portal_updated_at" if value.is_array() => each(value, |field, value| {
            rules.field(field.to_owned()).portal_updated_at = time(value)?;
            Ok(())
        })?,
        "portal_updated_at" => rules.portal_updated_at = time(value)?,
        "sets" => {
            for field in value.array().ok_or("it is to be a list of fields")?.values() {
                rules.field(name_of(field)?).is_set = true;
            }
        }
        "same" => each(value, |field, value| {
            let same = equivalences(value)?;
            if field == ALL_FIELDS {
                rules.same = same;
            } else {
                rules.field(field.to_owned()).same = same;
            }
            Ok(())
        })?,
        _ => {
            return Err(String::from(
                "there is none of this name, but policy, policies, crm_updated_at, portal_updated_at, zone, skew, sets, same, delete, sent and outcome",
            ));
        }
    }
    Ok(())
}

/// Does something with each value by its name; a failure names it.
fn each(value: &Zval, mut act: impl FnMut(&str, &Zval) -> Read<()>) -> Read<()> {
    let table = value.array().ok_or("it is to be an array by field")?;
    for (name, value) in Entries::of(table).named() {
        let name = name?;
        act(&name, value).map_err(|reason| format!("field {}: {reason}", shown(&name)))?;
    }
    Ok(())
}

fn text(value: &Zval) -> Read<&str> {
    value.str().ok_or_else(|| String::from("it is to be a text"))
}

/// A name in a list of names: PHP makes numbers of some.
fn name_of(value: &Zval) -> Read<String> {
    let value = value.dereference();
    let number = value.long().map(|number| number.to_string());
    value
        .str()
        .map(str::to_owned)
        .or(number)
        .ok_or_else(|| String::from("it is to be a list of fields"))
}

/// A time as it was written, or as an epoch number.
fn time(value: &Zval) -> Read<Option<Cow<'static, str>>> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.long().map(|number| number.to_string());
    let text = value.str().map(str::to_owned).or(number);
    text.map(|text| Some(Cow::Owned(text)))
        .ok_or_else(|| String::from("it is to be a time, or null"))
}

/// A name of an equivalence, or a list of names.
pub fn equivalences(value: &Zval) -> Read<Same> {
    let mut same = Same::default();
    match value.array() {
        Some(list) => list.values().try_for_each(|name| same.add(text(name)?))?,
        None => same.add(text(value)?)?,
    }
    Ok(same)
}

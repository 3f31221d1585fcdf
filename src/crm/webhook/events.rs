//! What happened to which records, read from a webhook's body by the paths that the connector gives. The body is walked
//! once; what no path leads to is passed over. Ids are text, with all their digits.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Deserializer};

use super::refusal::Reason;
use super::{Hash, Incoming, MAX_EVENTS, header, query};
use crate::crm::timestamp::Moment;
use crate::json::{Reader, Refusal};

/// Longer ids are no ids; the plugin's tables hold as much.
const MAX_ID: usize = 1024;
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

impl Events {
    /// Reads a request's events; a request without a body has none.
    pub(super) fn read(&self, incoming: &Incoming<'_>) -> Result<Vec<Event>, Reason> {
        if incoming.body.is_empty() {
            return Ok(Vec::new());
        }
        let text = std::str::from_utf8(incoming.body).map_err(|_| Reason::Unreadable)?;
        let plan = Plan::new(self, incoming)?;
        let mut events = None;
        let mut reader = Reader::new(text);
        descend(&mut reader, &self.list, &mut |reader| {
            // A member that comes again replaces the earlier one.
            let mut found = Vec::new();
            let mut records = 0;
            let mut one = |reader: &mut Reader<'_>| {
                let event = plan.event(reader, text)?;
                records += event.ids.len().max(1);
                if records > MAX_EVENTS {
                    return Err(Refusal::Stopped);
                }
                if !event.ids.is_empty() {
                    found.push(event);
                }
                Ok(())
            };
            match reader.peek_token() {
                Some(b'[') => reader.each_element(one)?,
                Some(b'{') => one(reader)?,
                _ => return reader.span().map(drop),
            }
            events = Some(found);
            Ok(())
        })
        .and_then(|()| reader.end())
        .map_err(|refusal| match refusal {
            Refusal::Stopped => Reason::TooLarge,
            _ => Reason::Unreadable,
        })?;
        events.ok_or(Reason::Unreadable)
    }
}

/// The paths that are looked for, and the words that the request gives for all its events.
struct Plan<'e> {
    paths: Vec<&'e [String]>,
    /// For each word: its path's position or its value.
    objects: Vec<(&'e Word<String>, Place)>,
    action: Option<(&'e Word<Action>, Place)>,
    id: usize,
    event_id: Option<usize>,
    account: Option<usize>,
    occurred_at: Option<usize>,
    fields: Option<usize>,
}

enum Place {
    Path(usize),
    Given(Option<String>),
}

impl<'e> Plan<'e> {
    fn new(events: &'e Events, incoming: &Incoming<'_>) -> Result<Self, Reason> {
        let mut paths: Vec<&'e [String]> = Vec::with_capacity(8);
        let mut path = |path: &'e [String]| {
            paths.push(path);
            paths.len() - 1
        };
        let mut place = |source: &'e Source| -> Result<Place, Reason> {
            Ok(match source {
                Source::Path(names) => Place::Path(path(names)),
                Source::Header(name) => Place::Given(header(incoming, name)?.map(str::to_owned)),
                Source::Query(name) => {
                    Place::Given(query(incoming.url, name)?.and_then(|value| String::from_utf8(value).ok()))
                }
            })
        };
        let mut objects = Vec::with_capacity(events.object.len());
        for word in &events.object {
            objects.push((word, place(&word.from)?));
        }
        let action = match &events.action {
            Some(word) => Some((word, place(&word.from)?)),
            None => None,
        };
        let id = path(&events.id);
        let event_id = events.event_id.as_deref().map(&mut path);
        let account = events.account.as_deref().map(&mut path);
        let occurred_at = events.occurred_at.as_deref().map(&mut path);
        let fields = events.fields.as_deref().map(&mut path);
        Ok(Self {
            paths,
            objects,
            action,
            id,
            event_id,
            account,
            occurred_at,
            fields,
        })
    }

    fn event(&self, reader: &mut Reader<'_>, text: &str) -> Result<Event, Refusal> {
        let mut found = vec![Vec::new(); self.paths.len()];
        let all = (0..self.paths.len()).fold(0, |mask, slot| mask | (1_u32 << slot));
        self.walk(reader, text, 0, all, &mut found)?;
        let one = |slot: Option<usize>| match found.get(slot?).map(Vec::as_slice) {
            Some([value]) => Some(value.as_str()),
            _ => None,
        };
        let word = |place: &Place| match place {
            Place::Path(slot) => one(Some(*slot)).map(str::to_owned),
            Place::Given(value) => value.clone(),
        };
        let object = self
            .objects
            .iter()
            .find_map(|(meaning, place)| meaning.of(&word(place)?).cloned());
        let action = self
            .action
            .as_ref()
            .and_then(|(meaning, place)| meaning.of(&word(place)?).copied());
        let event_id = one(self.event_id).map(str::to_owned);
        let account = one(self.account).map(str::to_owned);
        let occurred_at_ms = one(self.occurred_at).and_then(milliseconds);
        Ok(Event {
            object,
            action: action.unwrap_or(Action::Other),
            ids: found.get_mut(self.id).map(std::mem::take).unwrap_or_default(),
            fields: self
                .fields
                .and_then(|slot| found.get_mut(slot))
                .map(std::mem::take)
                .unwrap_or_default(),
            event_id,
            account,
            occurred_at_ms,
        })
    }

    /// Reads one value. `live` has a bit for each path that leads here; `depth` names of them are used up.
    fn walk(
        &self,
        reader: &mut Reader<'_>,
        text: &str,
        depth: usize,
        live: u32,
        found: &mut [Vec<String>],
    ) -> Result<(), Refusal> {
        let slots = || {
            self.paths
                .iter()
                .enumerate()
                .filter(|(slot, _)| live & (1 << slot) != 0)
        };
        if slots().any(|(_, path)| path.len() == depth) {
            let is_of_fields = slots().any(|(slot, path)| path.len() == depth && Some(slot) == self.fields);
            let values = if is_of_fields && reader.peek_token() == Some(b'{') {
                names(reader)?
            } else {
                values(reader, text)?
            };
            for (slot, _) in slots().filter(|(_, path)| path.len() == depth) {
                if let Some(target) = found.get_mut(slot) {
                    target.clone_from(&values);
                }
            }
            return Ok(());
        }
        if reader.peek_token() != Some(b'{') {
            return reader.span().map(drop);
        }
        reader.each_member(|reader, name| {
            let next = slots()
                .filter(|(_, path)| path.get(depth).is_some_and(|part| *part == *name))
                .fold(0, |mask, (slot, _)| mask | (1_u32 << slot));
            if next == 0 {
                reader.span().map(drop)
            } else {
                self.walk(reader, text, depth + 1, next, found)
            }
        })
    }
}

impl<T> Word<T> {
    fn of(&self, word: &str) -> Option<&T> {
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

/// Goes to the value at `path` and lets `take` read it; reads everything else away.
fn descend<'t>(
    reader: &mut Reader<'t>,
    path: &[String],
    take: &mut dyn FnMut(&mut Reader<'t>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let Some((first, rest)) = path.split_first() else {
        return take(reader);
    };
    if reader.peek_token() != Some(b'{') {
        return reader.span().map(drop);
    }
    reader.each_member(|reader, name| {
        if *name == **first {
            descend(reader, rest, take)
        } else {
            reader.span().map(drop)
        }
    })
}

/// The text of the member at `path` of a body that is JSON.
pub(super) fn member(body: &[u8], path: &[String]) -> Result<Option<String>, Reason> {
    let text = std::str::from_utf8(body).map_err(|_| Reason::Malformed)?;
    let mut reader = Reader::new(text);
    let mut found = None;
    descend(&mut reader, path, &mut |reader| {
        found = scalar(reader, text)?;
        Ok(())
    })
    .and_then(|()| reader.end())
    .map_err(|_| Reason::Malformed)?;
    Ok(found)
}

/// A string or number, or a list of them, as texts; empty and overlong ones are none.
fn values(reader: &mut Reader<'_>, text: &str) -> Result<Vec<String>, Refusal> {
    let mut values = Vec::new();
    let mut one = |reader: &mut Reader<'_>| {
        let value = scalar(reader, text)?.filter(|value| !value.is_empty() && value.len() <= MAX_ID);
        values.extend(value);
        if values.len() > MAX_EVENTS {
            return Err(Refusal::Stopped);
        }
        Ok(())
    };
    if reader.peek_token() == Some(b'[') {
        reader.each_element(one)?;
    } else {
        one(reader)?;
    }
    Ok(values)
}

/// The names of an object's members.
fn names(reader: &mut Reader<'_>) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    reader.each_member(|reader, name| {
        if names.len() >= MAX_EVENTS {
            return Err(Refusal::Stopped);
        }
        names.push(name.into_owned());
        reader.span().map(drop)
    })?;
    Ok(names)
}

fn scalar(reader: &mut Reader<'_>, text: &str) -> Result<Option<String>, Refusal> {
    match reader.peek_token() {
        Some(b'"') => reader.string().map(|value| Some(value.into_owned())),
        Some(b'-' | b'0'..=b'9') => {
            let span: Range<usize> = reader.span()?;
            Ok(text.get(span).map(str::to_owned))
        }
        _ => reader.span().map(|_| None),
    }
}

/// A CRM's time in milliseconds, also in Microsoft's form `/Date(1506409448000-0700)/`, whose number counts from 1970 in
/// UTC whatever the offset is.
fn milliseconds(text: &str) -> Option<i64> {
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        let end = inner.rfind(['+', '-']).filter(|at| *at > 0).unwrap_or(inner.len());
        return inner.get(..end)?.parse().ok();
    }
    match Moment::parse(text)? {
        Moment::Zoned(timestamp, _) => Some(timestamp.as_millisecond()),
        Moment::Naive(naive, _) => {
            let zoned = naive.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(zoned.timestamp().as_millisecond())
        }
        Moment::Seconds(at) => at.checked_mul(1000),
        Moment::Milliseconds(at) => Some(at),
    }
}

//! The events of a webhook's body, read in one walk: which paths are looked for, what stands at each, and what that means in
//! our words. What no path leads to is passed over.

use super::body::{descend, names, values};
use super::events::{Action, Event, Events, Source, Word};
use super::refusal::Reason;
use super::{Incoming, MAX_EVENTS, header, query};
use crate::crm::timestamp::Moment;
use crate::json::{Reader, Refusal};

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

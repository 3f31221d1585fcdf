//! What is read of rows: where id, time and fields are, and what of them counts.

use std::ops::Range;

use jiff::tz::TimeZone;

use crate::crm::condition::Condition;
use crate::crm::fingerprint::{Fingerprint, fingerprint};
use crate::crm::mapping::Mapping;
use crate::crm::object::{Listing, Object};
use crate::json::{Path, Reader, object};

/// What is read of a page's rows.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Where the rows are.
    pub rows: Path,
    /// Where a row's id is.
    pub id: Path,
    /// Where its time is; the first that has a value counts.
    pub times: Vec<Path>,
    /// Whether the offset of its time is not of the digits before it.
    pub ignore_offset: bool,
    /// Where its fields are.
    pub fields_at: Path,
    /// How they become the neutral record; without it they are one already.
    pub mapping: Option<Mapping>,
    /// The members of the neutral record that count; `None`: all.
    pub fields: Option<Vec<String>>,
    /// Rows that do not hold it are passed over.
    pub keep: Option<Condition>,
    /// Zone of times without an offset.
    pub zone: TimeZone,
}

impl Shape {
    /// What a connector says of an object's rows.
    #[must_use]
    pub fn of(object: &Object, rows: &Path, mapping: Option<Mapping>, zone: TimeZone) -> Self {
        Self {
            rows: rows.clone(),
            id: object.id.clone(),
            times: object.updated_at.at.clone(),
            ignore_offset: object.updated_at.ignore_offset,
            fields_at: object.fields_at.clone(),
            mapping,
            fields: None,
            keep: None,
            zone,
        }
    }

    /// The same for one of its lists.
    #[must_use]
    pub fn of_listing(mut self, listing: &Listing) -> Self {
        self.rows = listing.rows.clone();
        self.keep.clone_from(&listing.keep);
        if let Some(id) = &listing.id {
            self.id = id.clone();
        }
        if let Some(time) = &listing.time {
            self.times = vec![time.clone()];
        }
        self
    }

    /// A row's time, as the CRM wrote it; what it writes as an offset only where that is one.
    pub(super) fn time(&self, written: String) -> String {
        const DIGITS: usize = "2026-11-01T10:00:00".len();
        match written.get(..DIGITS) {
            Some(digits) if self.ignore_offset => digits.to_owned(),
            _ => written,
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.fields
            .as_ref()
            .is_none_or(|fields| fields.iter().any(|field| field == name))
    }

    /// The neutral record without id and time, and its fingerprint.
    pub(super) fn neutral(&self, mapping: &Mapping, row: &str) -> (String, Fingerprint) {
        let fields = self.fields_at.text(row).unwrap_or("{}");
        let mut members = mapping.read(fields, Some(&self.zone));
        members.retain(|(name, _)| self.is_wanted(name));
        members.sort();
        let text = object(members.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let print = of_object(&text);
        (text, print)
    }

    /// The row as it is: the members that fingerprints cover, each once, in an order that does not depend on the CRM's.
    pub(super) fn chosen<'m>(&self, members: &'m Members) -> Vec<(&'m str, &'m Range<usize>)> {
        let is_time = |name: &str| self.times.iter().any(|time| time.as_member() == Some(name));
        let mut chosen: Vec<(&str, &Range<usize>)> = members
            .iter()
            .map(|(name, span)| (name.as_str(), span))
            .filter(|(name, _)| match self.fields {
                Some(_) => self.is_wanted(name),
                None => !is_time(name),
            })
            .collect();
        // The sort is stable and `dedup_by` keeps the earlier of two: reversed, the last of repeated names counts.
        chosen.reverse();
        chosen.sort_by_key(|(name, _)| *name);
        chosen.dedup_by_key(|(name, _)| *name);
        chosen
    }
}

fn of_object(text: &str) -> Fingerprint {
    let members = members(text).unwrap_or_default();
    let all: Vec<_> = members.iter().map(|(name, span)| (name.as_str(), span)).collect();
    fingerprint(text, &all)
}

/// An object's members: names, and where their values stand.
pub(super) type Members = Vec<(String, Range<usize>)>;

/// The members of an object; `None` where it is none.
pub(super) fn members(object: &str) -> Option<Members> {
    let mut members = Members::with_capacity(16);
    Reader::new(object)
        .each_member(|reader, name| {
            let span = reader.span()?;
            members.push((name.into_owned(), span));
            Ok(())
        })
        .ok()?;
    Some(members)
}

//! What is read of rows: where id, time and fields are, and what of them counts.

use std::borrow::Cow;
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

    /// The neutral record without id and time.
    pub(super) fn neutral(&self, mapping: &Mapping, row: &str) -> String {
        let fields = self.fields_at.text(row).unwrap_or("{}");
        let mut members = mapping.read(fields, Some(&self.zone));
        members.retain(|(name, _)| self.is_wanted(name));
        members.sort();
        object(members.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The row as it is: the members that fingerprints cover, each once, in an order that does not depend on the CRM's.
    pub(super) fn chosen<'m>(&self, members: &'m Members<'_>) -> Vec<(&'m str, &'m Range<usize>)> {
        let at = self.positions(members);
        at.into_iter()
            .filter_map(|position| members.get(position))
            .map(|(name, span)| (&**name, span))
            .collect()
    }

    /// The same as positions among the members.
    fn positions(&self, members: &Members<'_>) -> Vec<usize> {
        let is_time = |name: &str| self.times.iter().any(|time| time.as_member() == Some(name));
        let mut chosen: Vec<(&str, usize)> = members
            .iter()
            .enumerate()
            .map(|(position, (name, _))| (&**name, position))
            .filter(|(name, _)| match self.fields {
                Some(_) => self.is_wanted(name),
                None => !is_time(name),
            })
            .collect();
        // The sort is stable and `dedup_by` keeps the earlier of two: reversed, the last of repeated names counts.
        chosen.reverse();
        chosen.sort_by_key(|(name, _)| *name);
        chosen.dedup_by_key(|(name, _)| *name);
        chosen.into_iter().map(|(_, position)| position).collect()
    }
}

/// What was chosen of the row before: rows of a page have the same members, mostly in the same order.
#[derive(Debug, Default)]
pub(super) struct Choice {
    names: Vec<String>,
    positions: Vec<usize>,
}

impl Choice {
    /// Of a row as it is.
    pub(super) fn fingerprint(&mut self, shape: &Shape, row: &str) -> Fingerprint {
        let members = members(row).unwrap_or_default();
        let is_same = self.names.len() == members.len()
            && self.names.iter().zip(&members).all(|(name, (other, _))| name == other);
        if !is_same {
            self.names = members.iter().map(|(name, _)| (**name).to_owned()).collect();
            self.positions = shape.positions(&members);
        }
        let chosen = self.positions.iter().filter_map(|position| members.get(*position));
        let chosen: Vec<_> = chosen.map(|(name, span)| (&**name, span)).collect();
        fingerprint(row, &chosen)
    }
}

/// The fingerprint of a neutral record.
pub(super) fn of_object(text: &str) -> Fingerprint {
    let members = members(text).unwrap_or_default();
    let all: Vec<_> = members.iter().map(|(name, span)| (&**name, span)).collect();
    fingerprint(text, &all)
}

/// An object's members: names, and where their values stand.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Range<usize>)>;

/// The members of an object; `None` where it is none.
pub(super) fn members(object: &str) -> Option<Members<'_>> {
    let mut members = Members::with_capacity(16);
    Reader::new(object)
        .each_member(|reader, name| {
            let span = reader.span()?;
            members.push((name, span));
            Ok(())
        })
        .ok()?;
    Some(members)
}

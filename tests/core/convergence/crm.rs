//! A CRM as they are: it rewrites values, its lists lag and its single records do not, what it calls a revision is fine, coarse or
//! opaque, some know preconditions and unique keys, some answer a write with the record, and one hides a field.

use std::rc::Rc;

use super::dice::Dice;
use super::value::{EMAIL, Edit, NOTHING, Part, TAGS, V, Whole};

/// Lists show a row as it was at most so long ago, and a request may arrive so late.
pub const LAG: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revisions {
    /// Grow with each write.
    Fine,
    /// Are times that many writes share.
    Coarse,
    /// Cannot be compared.
    Opaque,
}

/// A state of a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    pub rev: u32,
    pub at: u32,
    pub fields: Whole,
    pub is_deleted: bool,
}

pub struct Crm {
    pub revisions: Revisions,
    pub has_preconditions: bool,
    pub has_unique_email: bool,
    pub answers_record: bool,
    pub hidden: Option<usize>,
    /// Each with all its states.
    pub records: Vec<Vec<Rc<Version>>>,
    writes: u32,
}

/// A request that writes. `seen` is the state it was decided by.
#[derive(Debug, Clone)]
pub enum Write {
    Create(Part),
    Update(usize, Part, Rc<Version>),
    Delete(usize, Rc<Version>),
}

#[derive(Debug, Clone)]
pub enum Answer {
    Done(usize, Rc<Version>),
    Deleted,
    Missing,
    Duplicate,
    Changed,
}

impl Crm {
    pub fn new(dice: &mut Dice) -> Self {
        Self {
            revisions: dice.one(&[Revisions::Fine, Revisions::Fine, Revisions::Coarse, Revisions::Opaque]),
            has_preconditions: !dice.once_in(3),
            has_unique_email: !dice.once_in(4),
            answers_record: !dice.once_in(3),
            hidden: dice.once_in(8).then_some(0),
            records: Vec::new(),
            writes: 0,
        }
    }

    /// What it calls the revision of a state.
    pub fn revision(&self, version: &Version) -> String {
        match self.revisions {
            Revisions::Fine => (1_000_000 + version.rev).to_string(),
            Revisions::Coarse => (1_000_000 + version.at / 6).to_string(),
            Revisions::Opaque => format!("etag-{}", version.rev),
        }
    }

    /// The record itself, which is never late.
    pub fn get(&self, id: usize) -> Option<Rc<Version>> {
        self.records[id].last().filter(|version| !version.is_deleted).cloned()
    }

    pub fn alive(&self, email: Edit) -> impl Iterator<Item = usize> {
        let is_email = move |version: &Rc<Version>| version.fields[EMAIL].edit() == email;
        (0..self.records.len()).filter(move |id| self.get(*id).is_some_and(|version| is_email(&version)))
    }

    /// Each record as a list shows it now, each as old as it likes.
    pub fn list(&self, now: u32, dice: &mut Dice) -> Vec<(usize, Rc<Version>)> {
        let shown = |(id, versions): (usize, &Vec<Rc<Version>>)| {
            let late = u32::try_from(dice.below(LAG as usize + 1)).unwrap();
            let version = versions.iter().rev().find(|version| version.at + late <= now)?;
            Some((id, version.clone()))
        };
        self.records.iter().enumerate().filter_map(shown).collect()
    }

    /// A new state of a record, or of a new one.
    pub fn put(&mut self, id: usize, fields: &Whole, now: u32, is_deleted: bool) -> Rc<Version> {
        self.writes += 1;
        let version = Rc::new(Version {
            rev: self.writes,
            at: now,
            fields: fields.each_ref().map(V::rewritten),
            is_deleted,
        });
        if id == self.records.len() {
            self.records.push(Vec::new());
        }
        self.records[id].push(version.clone());
        version
    }

    pub fn write(&mut self, write: &Write, now: u32) -> Answer {
        match write {
            Write::Create(part) => {
                let mut fields = part.clone().map(|value| value.unwrap_or(NOTHING));
                if fields[TAGS] == NOTHING {
                    fields[TAGS] = V::Set(Vec::new());
                }
                if self.has_unique_email && self.alive(fields[EMAIL].edit()).next().is_some() {
                    return Answer::Duplicate;
                }
                let id = self.records.len();
                Answer::Done(id, self.put(id, &fields, now, false))
            }
            Write::Update(id, part, seen) => match self.get(*id) {
                None => Answer::Missing,
                Some(current) if self.has_preconditions && current.rev != seen.rev => Answer::Changed,
                Some(current) => {
                    let mut fields = current.fields.clone();
                    for (field, value) in part.iter().enumerate() {
                        if let Some(value) = value {
                            fields[field] = value.clone();
                        }
                    }
                    Answer::Done(*id, self.put(*id, &fields, now, false))
                }
            },
            Write::Delete(id, seen) => match self.get(*id) {
                None => Answer::Missing,
                Some(current) if self.has_preconditions && current.rev != seen.rev => Answer::Changed,
                Some(current) => {
                    self.put(*id, &current.fields, now, true);
                    Answer::Deleted
                }
            },
        }
    }
}

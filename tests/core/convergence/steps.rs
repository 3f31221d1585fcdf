//! Single steps: requests, and transactions other than settling itself.

use std::rc::Rc;

use tenant_crm_sync::sync::merge::Outcome;
use tenant_crm_sync::sync::revision;

use super::crm::{Answer, LAG, Version, Write};
use super::settle::Todo;
use super::value::{EMAIL, Part};
use super::world::{Fate, Post, Row, Without, World};

/// What came of a request that writes.
#[derive(Debug)]
pub enum Sending {
    Answered(Answer),
    NotDone,
    Unknown,
}

impl World {
    pub fn read_fails(&mut self) -> bool {
        !self.is_quiet && !self.never_fails && self.dice.once_in(8)
    }

    /// A single record; `None` if nobody answers.
    pub fn read(&mut self, id: usize) -> Option<Option<Rc<Version>>> {
        self.reads += 1;
        (!self.read_fails()).then(|| self.crm.get(id))
    }

    pub fn send(&mut self, write: &Write) -> Sending {
        let late = u32::try_from(self.dice.below(LAG as usize)).unwrap();
        let fates = [
            Fate::NotDone,
            Fate::CutBefore,
            Fate::CutBehind,
            Fate::CutBehind,
            Fate::Late(late),
        ];
        let fate = match self.fate.take() {
            Some(fate) => fate,
            None if self.is_quiet || self.never_fails => Fate::Done,
            None => fates.get(self.dice.below(12)).copied().unwrap_or(Fate::Done),
        };
        match fate {
            Fate::Done => Sending::Answered(self.arrive(write)),
            Fate::NotDone => Sending::NotDone,
            Fate::CutBefore => Sending::Unknown,
            Fate::CutBehind => {
                self.arrive(write);
                Sending::Unknown
            }
            Fate::Late(late) => {
                self.late.push((self.now + late, write.clone()));
                Sending::Unknown
            }
        }
    }

    pub fn holds(&self, row: usize, token: u32) -> bool {
        let row = &self.ledger[row];
        !row.is_gone && row.intent.as_ref().is_some_and(|intent| intent.token == token)
    }

    pub fn drop_intent(&mut self, row: usize, token: u32) {
        if self.ledger[row]
            .intent
            .as_ref()
            .is_some_and(|intent| intent.token == token)
        {
            self.ledger[row].intent = None;
            self.ledger[row].version += 1;
        }
    }

    /// Settles under an intent; a record that was found by its key is linked.
    pub fn settle_found(
        &mut self,
        at: usize,
        found: Option<&(usize, Rc<Version>)>,
        sent: Option<(&Part, Outcome)>,
    ) -> Todo {
        if let Some((id, _)) = found
            && self.ledger[at].crm_id.is_none()
        {
            if let Some(other) = self.row_of(*id) {
                if self.ledger[other].post.is_some() {
                    self.history.fault(format!("record {id} has a post, and {at} wants it"));
                    return Todo::Nothing;
                }
                self.ledger[at].hint |= self.ledger[other].hint;
                self.ledger[other].is_gone = true;
            }
            self.ledger[at].crm_id = Some(*id);
        }
        self.settle(at, found.map(|(_, version)| version), sent)
    }

    /// A row of a list.
    pub fn listed(&mut self, id: usize, version: &Rc<Version>) {
        let Some(at) = self.row_of(id) else {
            self.trace(|_| format!("pull: new id {id}"));
            let is_known = |post: &Post| post.fields[EMAIL].edit() == version.fields[EMAIL].edit();
            if self.posts.iter().any(is_known) {
                self.hint(id);
            } else {
                let row = self.new_row(Row {
                    crm_id: Some(id),
                    ..Row::default()
                });
                self.settle(row, Some(version), None);
            }
            return;
        };
        if self.is_taken_for_an_echo(at) {
            return;
        }
        let row = &self.ledger[at];
        let is_newer = match &row.seen {
            Some(seen) => revision::is_newer(&self.crm.revision(version), &self.crm.revision(seen)),
            None => None,
        };
        let is_same = row
            .seen
            .as_ref()
            .is_some_and(|seen| self.shown(seen) == self.shown(version));
        if is_same && is_newer != Some(true) {
            return;
        }
        let is_believed = is_newer == Some(true) || self.lacks(Without::Newer);
        if is_believed && row.intent.is_none() && row.base.is_some() {
            self.trace(|_| format!("pull: {id} {version:?}"));
            self.settle(at, Some(version), None);
        } else if !self.lacks(Without::Hints) {
            self.hint(id);
        }
    }

    /// A record that has no post, of which the ledger has nothing but the id.
    pub fn unknown(&mut self, at: usize, version: &Rc<Version>) {
        match self.unlinked(version.fields[EMAIL].edit()) {
            // Its create will find it.
            Some((_, _, true)) => {}
            Some((Some(row), _, false)) => {
                self.ledger[at].is_gone = true;
                self.ledger[row].crm_id = self.ledger[at].crm_id;
                self.settle(row, Some(version), None);
            }
            found => {
                self.ledger[at].post = found.map(|(_, post, _)| post);
                self.ledger[at].hint = false;
                self.settle(at, Some(version), None);
            }
        }
    }

    /// What a protocol without the rule believes.
    fn is_taken_for_an_echo(&self, at: usize) -> bool {
        let written_at = self.ledger[at].written_at;
        self.lacks(Without::EchoByValue) && written_at > 0 && self.now < written_at + 30
    }

    /// The CRM may have something new of this id.
    pub fn hint(&mut self, id: usize) {
        let at = match self.row_of(id) {
            Some(at) if self.is_taken_for_an_echo(at) => return,
            Some(at) => at,
            None => self.new_row(Row {
                crm_id: Some(id),
                ..Row::default()
            }),
        };
        self.ledger[at].hint = true;
        self.ledger[at].version += 1;
    }
}

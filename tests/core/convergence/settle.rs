//! Settle, in one transaction: the one way in which anything of the CRM gets into ledger and portal.

use std::borrow::Cow;
use std::rc::Rc;

use tenant_crm_sync::sync::merge::{self, Basis, Field, Next, Outcome, Pick, Policy, Rule, Sent, Side};

use super::crm::Version;
use super::value::{FIELDS, Part, V, part, record};
use super::world::{Post, Row, Time, Without, World};

/// What is left to do at the CRM.
pub enum Todo {
    Nothing,
    Write(Part),
    Delete,
}

impl World {
    /// `crm` is what was seen, `sent` what was written before and what came of it.
    pub fn settle(&mut self, at: usize, crm: Option<&Rc<Version>>, sent: Option<(&Part, Outcome)>) -> Todo {
        let sent = sent.filter(|_| !self.lacks(Without::Sent));
        let shown = crm.map(|version| self.shown(version));
        let portal = self.portal(at).map(part);
        let base = self.ledger[at].base.take();
        let sent_part = sent.map(|(part, _)| part.clone());
        self.set_rules(at, crm.map(AsRef::as_ref));
        let records = [base.as_ref(), shown.as_ref(), portal.as_ref()].map(|part| part.map(record));
        let sent = sent.map(|(part, outcome)| Sent {
            fields: record(part),
            outcome,
        });
        let [of_base, of_crm, of_portal] = &records;
        let merged = merge::merge(
            of_base.as_ref(),
            of_crm.as_ref(),
            of_portal.as_ref(),
            sent.as_ref(),
            &self.rules,
        );

        let value = |part: &Option<Part>, field: usize| part.as_ref().and_then(|part| part[field].clone());
        let (mut to_crm, mut to_portal, mut next) = (Part::default(), Part::default(), Part::default());
        let mut waits = [false; 6];
        for merged in &merged.fields {
            let field = FIELDS.iter().position(|name| *name == merged.name).unwrap();
            waits[field] = merged.conflict.is_some();
            let picked = picked(merged, field, &base, &shown, &portal);
            if merged.to_crm {
                to_crm[field].clone_from(&picked);
            }
            if merged.to_portal {
                to_portal[field] = picked;
            }
            next[field] = match merged.next {
                Next::Nothing => None,
                Next::Base => value(&base, field),
                Next::Sent => value(&sent_part, field),
                Next::Crm if self.lacks(Without::Rebase) && merged.to_crm => value(&base, field),
                Next::Crm => value(&shown, field),
            };
            self.judge_newest(merged, field, &shown, &portal, crm);
        }
        let next = match merged.basis {
            Basis::Nothing => None,
            Basis::Fields => Some(next),
            Basis::Crm => shown.clone(),
            Basis::Base => base.clone(),
        };
        let has_edits = to_crm.iter().any(Option::is_some);
        let is_restored = crm.is_none() && has_edits && self.ledger[at].crm_id.is_some();
        self.trace(|_| {
            format!(
                "settle {at} -> crm {to_crm:?} portal {to_portal:?} delete {:?} conflict {:?} waits {waits:?}",
                merged.delete, merged.conflict
            )
        });
        let (delete, conflict) = (merged.delete, merged.conflict);
        drop(merged);
        drop(records);
        self.ledger[at].base = base;
        if sent.is_some() && self.lacks(Without::BaseAfterWrite) {
            self.ledger[at].seen = crm.cloned();
        } else {
            self.ledger[at].base = next;
            self.ledger[at].seen = crm.cloned();
        }
        let row = &mut self.ledger[at];
        row.version += 1;
        row.waits = waits;
        row.waits_whole = conflict.is_some();
        row.dirty = has_edits || delete == Some(Side::Crm);
        self.write_portal(at, &to_portal, crm.map(AsRef::as_ref));
        match delete {
            Some(Side::Portal) => {
                self.bin(at);
                self.bury(at);
            }
            None if crm.is_none() && self.portal(at).is_none() && conflict.is_none() => self.bury(at),
            None if is_restored => {
                self.begin_again(at);
                return Todo::Nothing;
            }
            _ => {}
        }
        match delete {
            Some(Side::Crm) => Todo::Delete,
            _ if has_edits && conflict.is_none() => Todo::Write(to_crm),
            _ => Todo::Nothing,
        }
    }

    /// The rules of a row: who waits for a person goes on waiting, and the times of both sides.
    fn set_rules(&mut self, at: usize, crm: Option<&Version>) {
        let epoch = |time: i64| Cow::Owned((1_700_000_000 + time).to_string());
        let row = &self.ledger[at];
        self.rules.crm_updated_at = crm.map(|version| epoch(i64::from(version.at) + i64::from(self.skew)));
        let waiting = !matches!(self.without, Some(Without::Waiting));
        for (field, name) in FIELDS.into_iter().enumerate() {
            let own = self.rules.field(name);
            let policy = own.policy.unwrap_or_default();
            self.history.policies[field].get_or_insert(policy);
            let declared = self.history.policies[field].unwrap_or_default();
            own.policy = Some(if waiting && row.waits[field] {
                Policy::Ask
            } else {
                declared
            });
            own.portal_updated_at = match row.times[field] {
                Time::At(time) if declared == Policy::Newest => Some(epoch(i64::from(time))),
                _ => None,
            };
        }
        let declared = *self.history.delete.get_or_insert(self.rules.delete);
        self.rules.delete = if waiting && row.waits_whole {
            Policy::Ask
        } else {
            declared
        };
    }

    /// Writes fields to the post, which may be in the bin or not there yet.
    fn write_portal(&mut self, at: usize, fields: &Part, crm: Option<&Version>) {
        if fields.iter().all(Option::is_none) {
            return;
        }
        self.portal_writes += 1;
        let post = match self.ledger[at].post {
            Some(post) => post,
            None => {
                let fields = crm.expect("a new post comes from the CRM").fields.clone();
                self.posts.push(Post {
                    fields,
                    is_binned: true,
                });
                self.ledger[at].post = Some(self.posts.len() - 1);
                self.posts.len() - 1
            }
        };
        for (field, value) in fields.iter().enumerate() {
            let Some(value) = value else { continue };
            if !self.posts[post].is_binned {
                self.history
                    .flips("the portal", field, &self.posts[post].fields[field], value);
            }
            self.posts[post].fields[field] = value.clone();
        }
        if self.posts[post].is_binned {
            // In the bin it may have kept what nobody has sent.
            self.ledger[at].dirty = true;
        }
        self.posts[post].is_binned = false;
    }

    fn bin(&mut self, at: usize) {
        if let Some(post) = self.ledger[at].post {
            self.portal_writes += 1;
            self.posts[post].is_binned = true;
        }
    }

    /// What remains of a record that is gone.
    pub fn bury(&mut self, at: usize) {
        let forgets = self.lacks(Without::Tombstones);
        let row = &mut self.ledger[at];
        row.is_gone = forgets || row.crm_id.is_none();
        row.post = None;
        row.base = None;
        row.seen = None;
        row.dirty = false;
        row.version += 1;
    }

    /// The record is dead, and its post becomes a new one.
    pub fn begin_again(&mut self, at: usize) {
        let row = &mut self.ledger[at];
        let again = Row {
            post: row.post.take(),
            dirty: true,
            times: row.times,
            ..Row::default()
        };
        self.bury(at);
        self.new_row(again);
    }

    fn judge_newest(
        &mut self,
        merged: &Field<'_>,
        field: usize,
        crm: &Option<Part>,
        portal: &Option<Part>,
        version: Option<&Rc<Version>>,
    ) {
        let Rule::Newest(side) = merged.rule else { return };
        let edit = |part: &Option<Part>| part.as_ref().and_then(|part| part[field].as_ref()).map_or(0, V::edit);
        let [crms, portals] = [crm, portal].map(|part| self.history.times(edit(part)));
        let (ours, theirs) = match side {
            Side::Crm => (version.map_or(0, |version| version.at), portals.0),
            Side::Portal => (portals.1, crms.0),
        };
        if ours < theirs {
            self.history.fault(format!(
                "newest took the {side:?}'s {} though it is older",
                FIELDS[field]
            ));
        }
    }
}

fn picked(
    merged: &Field<'_>,
    field: usize,
    base: &Option<Part>,
    crm: &Option<Part>,
    portal: &Option<Part>,
) -> Option<V> {
    let of = |part: &Option<Part>| part.as_ref().and_then(|part| part[field].clone());
    let side = |side| if side == Side::Crm { of(crm) } else { of(portal) };
    match &merged.pick {
        Pick::Nothing => None,
        Pick::Base => of(base),
        Pick::Of(of) => side(*of),
        Pick::Set(elements) => {
            let element = |element: &merge::Element| Some(side(element.side)?.elements()[element.position?]);
            Some(V::Set(elements.iter().filter_map(element).collect()))
        }
    }
}

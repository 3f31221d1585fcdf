//! What people do: users of the CRM, and the person at the inbox.

use tenant_crm_sync::sync::merge::Side;

use super::crm::{Answer, Write};
use super::history::Change;
use super::value::{EMAIL, Edit, NOTHING, TAGS, V, Whole};
use super::world::{Post, Row, Time, World};

impl World {
    /// Any change by a user of the CRM.
    pub fn crm_user(&mut self) {
        let alive: Vec<usize> = (0..self.crm.records.len())
            .filter(|id| self.crm.get(*id).is_some())
            .collect();
        if alive.is_empty() {
            return;
        }
        let id = self.dice.one(&alive);
        if self.dice.once_in(8) {
            self.crm_user_deletes(id);
        } else {
            let field = self.any_field();
            self.crm_user_edits(id, field);
        }
    }

    pub fn crm_user_deletes(&mut self, id: usize) {
        let Some(current) = self.crm.get(id) else { return };
        let email = current.fields[EMAIL].edit();
        self.trace(|_| format!("CRM user deletes {id}"));
        let row = self.row_of(id).map(|row| &self.ledger[row]);
        let is_linked = row.is_some_and(|row| row.post.is_some());
        let is_untold = row.is_some_and(|row| self.is_untold(row));
        let is_blind = is_untold
            || row.is_some_and(Row::is_asked)
            || self
                .on_its_way(id, email)
                .any(|write| matches!(write, Write::Create(_)));
        self.history
            .deleted(Side::Crm, email, &current.fields, is_linked, is_blind);
        self.put(id, &current.fields, true);
    }

    /// Whether the portal has something in the field that the CRM hides of which nobody knows whether it is there.
    fn is_untold(&self, row: &Row) -> bool {
        let (Some(post), Some(field)) = (row.post, self.crm.hidden) else {
            return false;
        };
        let known = row.base.as_ref().and_then(|base| base[field].as_ref());
        !known.unwrap_or(&NOTHING).means(&self.posts[post].fields[field])
    }

    pub fn crm_user_edits(&mut self, id: usize, field: usize) {
        let Some(current) = self.crm.get(id).filter(|_| Some(field) != self.crm.hidden) else {
            return;
        };
        let email = current.fields[EMAIL].edit();
        let undecided = self.tags_on_their_way(id, email);
        let (mut fields, at) = (current.fields.clone(), self.now);
        let change = Change {
            side: Side::Crm,
            person: email,
            field,
            over: fields[field].edit(),
            also: 0,
            at,
            until: at,
        };
        fields[field] = self.history.edit(change, &fields[field], &mut self.dice, &undecided);
        self.trace(|_| format!("CRM user: {id} {:?}", fields[field]));
        self.put(id, &fields, false);
    }

    /// Elements of which nobody knows whether they were written.
    fn tags_on_their_way(&self, id: usize, email: Edit) -> Vec<Edit> {
        let tags = |write: &Write| match write {
            Write::Update(_, part, _) | Write::Create(part) => {
                part[TAGS].as_ref().map_or(Vec::new(), |tags| tags.elements().to_vec())
            }
            Write::Delete(..) => Vec::new(),
        };
        self.on_its_way(id, email).flat_map(tags).collect()
    }

    /// Writes of which nobody knows yet whether they were done.
    fn on_its_way(&self, id: usize, email: Edit) -> impl Iterator<Item = &Write> {
        let sent = self.ledger.iter().filter_map(|row| row.intent.as_ref()?.sent.as_ref());
        sent.filter(move |write| match write {
            Write::Create(part) => part[EMAIL].as_ref().is_some_and(|value| value.edit() == email),
            Write::Update(of, ..) | Write::Delete(of, _) => *of == id,
        })
    }

    pub fn any_field(&mut self) -> usize {
        self.dice.one(&[0, 2, 3, 4, 5, 5])
    }

    /// Someone whom both sides may know already.
    pub fn crm_user_creates(&mut self, person: Edit) {
        if self
            .crm
            .records
            .iter()
            .flatten()
            .any(|version| version.fields[EMAIL].edit() == person)
        {
            return;
        }
        let Some(fields) = self.new_person(Side::Crm, person) else {
            return;
        };
        self.trace(|_| format!("CRM user creates {person}"));
        self.put(self.crm.records.len(), &fields, false);
    }

    fn put(&mut self, id: usize, fields: &Whole, is_deleted: bool) {
        self.crm.put(id, fields, self.now, is_deleted);
        self.announce(id);
    }

    /// Webhooks may be lost, late and doubled.
    pub fn announce(&mut self, id: usize) {
        for _ in 0..self.dice.below(3) {
            self.webhooks.push(id);
        }
    }

    /// One of the webhooks that are on their way.
    pub fn webhook(&mut self) {
        if !self.webhooks.is_empty() {
            let at = self.dice.below(self.webhooks.len());
            let id = self.webhooks.swap_remove(at);
            self.trace(|_| format!("webhook {id}"));
            self.hint(id);
        }
    }

    pub fn new_person(&mut self, side: Side, person: Edit) -> Option<Whole> {
        let at = self.now;
        if !self.history.creates(side, person) {
            return None;
        }
        let hidden = self.crm.hidden;
        let history = &mut self.history;
        let mut text = |field| {
            if Some(field) == hidden && side == Side::Crm {
                V::Text(0, false)
            } else {
                history.root(side, person, field, at)
            }
        };
        Some([
            text(0),
            V::Text(person, side == Side::Portal),
            text(2),
            text(3),
            text(4),
            V::Set(vec![text(TAGS).edit()]),
        ])
    }

    /// An open question of the inbox, if there is one.
    pub fn person_decides(&mut self) {
        let open = self.rows(|row| row.intent.is_none() && !row.hint && row.is_asked());
        if open.is_empty() {
            return;
        }
        let at = self.dice.one(&open);
        let for_crm = self.dice.once_in(2);
        if self.ledger[at].waits_whole {
            self.decide_whole(at, for_crm);
            return;
        }
        let field = (0..6).find(|field| self.ledger[at].waits[*field]).unwrap_or_default();
        let (Some(post), Some(seen)) = (self.ledger[at].post, self.ledger[at].seen.clone()) else {
            return;
        };
        let (crm, portal) = (seen.fields[field].clone(), self.posts[post].fields[field].clone());
        if self.posts[post].is_binned {
            return;
        }
        self.trace(|_| format!("person decides {at}: {portal:?} or the CRM's {crm:?}: crm {for_crm}"));
        if for_crm {
            self.history.decisions.push((field, crm.edit(), portal.edit()));
            self.posts[post].fields[field] = crm.clone();
        } else {
            // As if the portal had changed it again, over what the CRM has.
            let person = self.posts[post].fields[EMAIL].edit();
            let decided = self.history.decide(person, field, &crm, &portal, self.now);
            self.posts[post].fields[field] = decided;
        }
        let time = Time::At(self.now);
        let row = &mut self.ledger[at];
        row.times[field] = time;
        row.base.get_or_insert_default()[field] = Some(crm);
        row.waits[field] = false;
        row.dirty = true;
        row.version += 1;
    }

    fn decide_whole(&mut self, at: usize, for_crm: bool) {
        self.trace(|_| format!("person decides the record {at}: crm {for_crm}"));
        self.history.asked_whole.push(self.email_of(at));
        let seen = self.ledger[at].seen.clone();
        let is_alive = self.portal(at).is_some();
        let shown = seen.as_ref().map(|seen| self.shown(seen));
        let row = &mut self.ledger[at];
        row.waits_whole = false;
        row.waits = [false; 6];
        row.version += 1;
        match (seen, is_alive, for_crm) {
            // Deleted in the portal, and that counts: what is there now is what may be deleted.
            (Some(_), false, false) => {
                row.base = shown;
                row.dirty = true;
            }
            (Some(seen), false, true) => {
                row.base = shown;
                if let Some(post) = row.post {
                    self.posts[post] = Post {
                        fields: seen.fields.clone(),
                        is_binned: false,
                    };
                    self.portal_writes += 1;
                }
            }
            // Deleted in the CRM, and that counts.
            (None, true, true) => {
                if let Some(post) = row.post {
                    self.posts[post].is_binned = true;
                    self.portal_writes += 1;
                }
                self.bury(at);
            }
            (None, true, false) => self.begin_again(at),
            // Both sides changed meanwhile: look again.
            _ => {
                row.dirty = true;
                row.hint = row.crm_id.is_some();
            }
        }
    }

    fn email_of(&self, at: usize) -> Edit {
        let row = &self.ledger[at];
        let post = row.post.map(|post| self.posts[post].fields[EMAIL].edit());
        post.or(row.seen.as_ref().map(|seen| seen.fields[EMAIL].edit()))
            .unwrap_or_default()
    }

    /// A write arrives at the CRM, late or not.
    pub fn arrive(&mut self, write: &Write) -> Answer {
        let before = match write {
            Write::Create(_) => None,
            Write::Update(id, ..) | Write::Delete(id, _) => self.crm.get(*id),
        };
        let answer = self.crm.write(write, self.now);
        self.trace(|_| format!("at the CRM: {write:?} {answer:?}"));
        if let Answer::Done(id, _) = &answer {
            self.announce(*id);
        }
        if matches!(answer, Answer::Done(..) | Answer::Deleted) {
            self.crm_writes += 1;
            if let Some(before) = before {
                self.history.arrived(write, &before, self.crm.hidden);
            }
        }
        answer
    }
}

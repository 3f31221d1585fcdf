//! What must hold, judged by what people did and by nothing that the sync believes.

use tenant_crm_sync::sync::merge::{Policy, Side};

use super::crm::{Version, Write};
use super::history::{Change, Delete, History};
use super::value::{EMAIL, Edit, FIELDS, TAGS, V, Whole};
use super::world::World;

impl History {
    /// A value must never give way to one that it was made over.
    pub fn flips(&mut self, place: &str, field: usize, old: &V, new: &V) {
        if field != TAGS && old.edit() != new.edit() && new.edit() != 0 && self.chain(old.edit()).contains(&new.edit())
        {
            self.fault(format!(
                "{}: {place} had {} and goes back to {}",
                FIELDS[field],
                old.edit(),
                new.edit()
            ));
        }
    }

    /// An own write over what the CRM has.
    pub fn arrived(&mut self, write: &Write, before: &Version, hidden: Option<usize>) {
        let (part, seen) = match write {
            Write::Create(_) => return,
            Write::Delete(_, seen) => {
                // What changed since the look cannot be known.
                for (field, value) in before.fields.iter().enumerate() {
                    if *value != seen.fields[field] {
                        self.overwritten(value, &seen.fields[field], None);
                    }
                }
                return;
            }
            Write::Update(_, part, seen) => (part, seen),
        };
        let mut is_idle = true;
        for (field, value) in part.iter().enumerate() {
            let Some(value) = value else { continue };
            let (had, saw) = (&before.fields[field], &seen.fields[field]);
            is_idle &= had.means(value) || Some(field) == hidden;
            if had == saw {
                self.flips("the CRM", field, had, value);
            } else {
                self.overwritten(had, saw, Some(value));
            }
        }
        if is_idle && hidden.is_none() && before.rev == seen.rev {
            self.fault(format!("a write that changes nothing: {part:?}"));
        }
    }

    fn overwritten(&mut self, had: &V, saw: &V, value: Option<&V>) {
        if let V::Set(_) = had {
            let lost = |element: &&Edit| !value.is_some_and(|value| value.elements().contains(element));
            let came = had
                .elements()
                .iter()
                .filter(|element| !saw.elements().contains(element))
                .filter(lost);
            let went = saw
                .elements()
                .iter()
                .filter(|element| !had.elements().contains(element));
            self.blind.extend(came.chain(went).copied());
        } else {
            let stop = self.chain(saw.edit());
            self.blind.extend(
                self.chain(had.edit())
                    .into_iter()
                    .take_while(|edit| !stop.contains(edit)),
            );
        }
    }

    /// Whether an edit is in a value, or was given up by a policy or a person.
    fn is_accounted(&self, edit: Edit, value: &V, field: usize) -> Result<(), String> {
        // One that a person gave up for another is as the other.
        const DECISIONS: usize = 6;
        self.accounted(edit, value.edit(), field, DECISIONS)
    }

    fn accounted(&self, edit: Edit, value: Edit, field: usize, deep: usize) -> Result<(), String> {
        if self.is_in(edit, value) || self.blind.contains(&edit) {
            return Ok(());
        }
        let kept = self.chain(value);
        if let Some(deep) = deep.checked_sub(1) {
            let merged = (1..)
                .zip(&self.changes)
                .filter(|(_, change)| change.field == field && change.also != 0);
            let merged = merged.map(|(decided, change)| (decided, change.also));
            let chosen = self
                .decisions
                .iter()
                .filter(|(of, ..)| *of == field)
                .map(|(_, won, lost)| (*won, *lost));
            let mut given_up = merged.chain(chosen).filter(|(_, lost)| self.is_in(edit, *lost));
            if given_up.any(|(won, _)| self.accounted(won, value, field, deep).is_ok()) {
                return Ok(());
            }
        }
        let lost = self.chain(edit);
        let Some(at) = lost.iter().position(|edit| kept.contains(edit)) else {
            return Err(String::from("no common ancestor"));
        };
        // The first edits on both ways behind what both have in common.
        let Some(fork) = kept.iter().position(|edit| *edit == lost[at]).filter(|fork| *fork > 0) else {
            return Err(format!("{} went back to {}, which it was made over", edit, value));
        };
        let winner = kept[fork - 1];
        let loser = lost[at - 1];
        let side = |edit| self.change(edit).map(|change| change.side);
        if side(winner) == side(loser) {
            return Err(format!("{edit} lost against {value} of the same side"));
        }
        let is_policy = match self.policies[field] {
            Some(Policy::Crm) => side(winner) == Some(Side::Crm),
            Some(Policy::Portal) => side(winner) == Some(Side::Portal),
            Some(Policy::Newest) => true,
            _ => false,
        };
        if is_policy {
            Ok(())
        } else {
            Err(format!(
                "{edit} lost against {value}, policy {:?}",
                self.policies[field]
            ))
        }
    }

    /// Every edit of a person must be in these fields, or given up.
    fn judge_fields(&self, person: Edit, fields: &Whole) -> Result<(), String> {
        let deletes = || self.deletes.iter().filter(|delete| delete.person == person);
        for (edit, change) in (1..).zip(&self.changes) {
            if change.person != person {
                continue;
            }
            let (field, value) = (change.field, &fields[change.field]);
            if field == TAGS {
                let is_there = value.elements().contains(&edit);
                let is_removed = self.is_removed(edit);
                let was_deleted = deletes().any(|delete| delete.fields[TAGS].elements().contains(&edit));
                // What was taken away in a record that was deleted was seen by nobody.
                let is_fine = is_there != is_removed
                    || self.blind.contains(&edit)
                    || if is_there {
                        deletes().next().is_some()
                    } else {
                        was_deleted
                    };
                if !is_fine {
                    return Err(format!("tag {edit}: removed {is_removed}, there {is_there}"));
                }
                continue;
            }
            let went = |delete: &Delete| self.is_in(edit, delete.fields[field].edit());
            let lost = self.is_accounted(edit, value, field);
            if let Err(reason) = lost.as_ref()
                && !deletes().any(went)
            {
                return Err(format!("{}: {reason}", FIELDS[field]));
            }
        }
        Ok(())
    }

    /// What the other side did that whoever deleted the record had not seen. `given_up`: nor was it given up before.
    fn unseen(&self, delete: &Delete, given_up: bool) -> Vec<Edit> {
        let other = |change: &Change| change.person == delete.person && change.side != delete.side;
        let is_seen = |edit: Edit, field: usize| {
            let value = &delete.fields[field];
            match field {
                TAGS => {
                    value.elements().contains(&edit)
                        || given_up && (self.is_removed(edit) || self.blind.contains(&edit))
                }
                _ if given_up => self.is_accounted(edit, value, field).is_ok(),
                _ => self.is_in(edit, value.edit()),
            }
        };
        // What somebody deleted who had seen it is no more anyone's.
        let went = |edit: Edit, change: &Change| {
            let mut own = self
                .deletes
                .iter()
                .filter(|own| own.person == change.person && own.side == change.side);
            own.any(|own| match &own.fields[change.field] {
                V::Set(list) => list.contains(&edit),
                value @ V::Text(..) => self.is_in(edit, value.edit()),
            })
        };
        let changes = (1..)
            .zip(&self.changes)
            .filter(|(edit, change)| other(change) && !(given_up && went(*edit, change)));
        let unseen = changes
            .filter(|(edit, change)| !is_seen(*edit, change.field))
            .map(|(edit, _)| edit);
        let is_there = |edit: &Edit| delete.fields[TAGS].elements().contains(edit);
        let added_by = |edit: &Edit| {
            let change = self.change(*edit).filter(|change| change.person == delete.person);
            change.map(|change| change.side)
        };
        let is_taken = |(side, edit): &&(Side, Edit)| {
            let is_unknown = match given_up {
                // To add and to take away again may be nothing.
                true => is_there(edit) && !self.blind.contains(edit) && added_by(edit) != Some(*side),
                // Both took it away, and neither knew.
                false => is_there(edit) || self.removed.contains(&(delete.side, *edit)),
            };
            *side != delete.side && added_by(edit).is_some() && is_unknown
        };
        let taken = self.removed.iter().filter(is_taken);
        unseen.chain(taken.map(|(_, edit)| *edit)).collect()
    }

    /// A record that is gone on both sides must have been deleted by somebody who may.
    fn judge_dead(&self, person: Edit) -> Result<(), String> {
        let by = |side: Side| {
            self.deletes
                .iter()
                .any(|delete| delete.person == person && delete.side == side)
        };
        if by(Side::Crm) && by(Side::Portal) {
            return Ok(());
        }
        let mut deletes = self.deletes.iter().filter(|delete| delete.person == person);
        let may = |delete: &Delete| {
            let is_policy = match self.delete {
                Some(Policy::Crm) => delete.side == Side::Crm,
                Some(Policy::Portal) => delete.side == Side::Portal,
                _ => false,
            };
            is_policy || self.asked_whole.contains(&person) || self.unseen(delete, true).is_empty()
        };
        if deletes.any(may) {
            Ok(())
        } else {
            Err(String::from("it is gone, and nobody deleted it who may"))
        }
    }

    /// A record that is there on both sides must not have been deleted, or for a reason.
    fn judge_alive(&self, person: Edit) -> Result<(), String> {
        for delete in self
            .deletes
            .iter()
            .filter(|delete| delete.person == person && !delete.is_blind)
        {
            let unseen = self.unseen(delete, false);
            let is_new = unseen
                .iter()
                .any(|edit| self.change(*edit).is_some_and(|change| change.over == 0));
            let other = if delete.side == Side::Crm {
                Side::Portal
            } else {
                Side::Crm
            };
            if !delete.is_linked && self.created.contains(&(other, person)) {
                continue;
            }
            let counts = match (self.delete, delete.side) {
                (Some(Policy::Crm), Side::Crm) | (Some(Policy::Portal), Side::Portal) => is_new,
                _ => !unseen.is_empty(),
            };
            if !counts && !self.asked_whole.contains(&person) {
                return Err(format!("deleted in {:?}, and there again", delete.side));
            }
        }
        Ok(())
    }
}

impl World {
    /// Both values of a field by the declared rules.
    pub fn means(&self, field: usize, a: &V, b: &V) -> bool {
        // The note is rewritten in a way that nobody declared.
        if field == 3 { a == b } else { a.means(b) }
    }

    /// What is wrong once all is quiet.
    pub fn judge(&mut self) -> Vec<String> {
        let mut faults = std::mem::take(&mut self.history.faults);
        for person in self.history.people() {
            if let Err(fault) = self.judge_person(person) {
                faults.push(format!("person {person}: {fault}"));
            }
        }
        for (at, row) in self.ledger.iter().enumerate().filter(|(_, row)| !row.is_gone) {
            if row.dirty || row.hint || row.intent.is_some() || row.is_asked() {
                faults.push(format!("ledger row {at} has something to do"));
            }
        }
        faults
    }

    fn judge_person(&self, person: Edit) -> Result<(), String> {
        let records: Vec<usize> = self.crm.alive(person).collect();
        let posts: Vec<usize> = (0..self.posts.len())
            .filter(|post| !self.posts[*post].is_binned && self.posts[*post].fields[EMAIL].edit() == person)
            .collect();
        let (id, post) = match (records.as_slice(), posts.as_slice()) {
            ([], []) => return self.history.judge_dead(person),
            ([id], [post]) => (*id, *post),
            (records, posts) => return Err(format!("records {records:?}, posts {posts:?}")),
        };
        let version = self.crm.get(id).ok_or("it is gone")?;
        let fields = &self.posts[post].fields;
        for (field, name) in FIELDS.into_iter().enumerate() {
            if !self.means(field, &version.fields[field], &fields[field]) {
                return Err(format!(
                    "{name}: CRM {:?}, portal {:?}",
                    version.fields[field], fields[field]
                ));
            }
        }
        let row = self.row_of(id).map(|row| &self.ledger[row]).ok_or("no ledger row")?;
        if row.post != Some(post) {
            return Err(format!("linked to {:?}, not to {post}", row.post));
        }
        let base = row.base.as_ref().ok_or("no base")?;
        for (field, name) in FIELDS.into_iter().enumerate() {
            if Some(field) != self.crm.hidden && base[field].as_ref() != Some(&version.fields[field]) {
                return Err(format!(
                    "{name}: CRM {:?}, base {:?}",
                    version.fields[field], base[field]
                ));
            }
        }
        self.history.judge_fields(person, fields)?;
        self.history.judge_alive(person)
    }
}

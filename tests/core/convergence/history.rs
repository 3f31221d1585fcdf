//! What people did and decided: the judge knows nothing else.

use tenant_crm_sync::sync::merge::{Policy, Side};

use super::dice::Dice;
use super::value::{Edit, V, Whole};

/// A value that somebody wrote over another one.
pub struct Change {
    pub side: Side,
    pub person: Edit,
    pub field: usize,
    pub over: Edit,
    /// What a decision put over that.
    pub also: Edit,
    /// When the edit began and when it was done.
    pub at: u32,
    pub until: u32,
}

pub struct Delete {
    pub side: Side,
    pub person: Edit,
    pub fields: Whole,
    /// Whether the two sides' records were known to be one.
    pub is_linked: bool,
    /// While the outcome of the record's own create was unknown, while a question was open, or while a hidden field was not known to be there.
    pub is_blind: bool,
}

/// What people did and decided.
#[derive(Default)]
pub struct History {
    pub changes: Vec<Change>,
    pub deletes: Vec<Delete>,
    pub removed: Vec<(Side, Edit)>,
    pub created: Vec<(Side, Edit)>,
    /// By a person who chose the CRM's value: field, winner, loser.
    pub decisions: Vec<(usize, Edit, Edit)>,
    pub asked_whole: Vec<Edit>,
    /// Overwritten between look and write in a CRM without preconditions, or not to be told apart from a write whose outcome is unknown.
    pub blind: Vec<Edit>,
    pub policies: [Option<Policy>; 6],
    pub delete: Option<Policy>,
    pub faults: Vec<String>,
}

impl History {
    pub fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Whether this side has not created the person yet.
    pub fn creates(&mut self, side: Side, person: Edit) -> bool {
        let is_new = !self.created.contains(&(side, person));
        self.created.push((side, person));
        is_new
    }

    pub fn root(&mut self, side: Side, person: Edit, field: usize, at: u32) -> V {
        self.changes.push(Change {
            side,
            person,
            field,
            over: 0,
            also: 0,
            at,
            until: at,
        });
        V::Text(Edit::try_from(self.changes.len()).unwrap(), side == Side::Portal)
    }

    /// A new value over what its editor sees; of a set one element more or less.
    pub fn edit(&mut self, change: Change, old: &V, dice: &mut Dice, on_its_way: &[Edit]) -> V {
        let side = change.side;
        if let V::Set(list) = old {
            let mut list = list.clone();
            if list.is_empty() || dice.once_in(2) {
                let added = self.root(side, change.person, change.field, change.at).edit();
                list.push(added);
                return V::Set(list);
            }
            let taken = list.swap_remove(dice.below(list.len()));
            self.removed.push((side, taken));
            if on_its_way.contains(&taken) {
                self.blind.push(taken);
            }
            return V::Set(list);
        }
        self.changes.push(change);
        V::Text(Edit::try_from(self.changes.len()).unwrap(), side == Side::Portal)
    }

    /// A person chose the portal's value; the CRM's is seen and given up.
    pub fn decide(&mut self, person: Edit, field: usize, crm: &V, portal: &V, at: u32) -> V {
        self.changes.push(Change {
            side: Side::Portal,
            person,
            field,
            over: crm.edit(),
            also: portal.edit(),
            at,
            until: at,
        });
        V::Text(Edit::try_from(self.changes.len()).unwrap(), true)
    }

    pub fn deleted(&mut self, side: Side, person: Edit, fields: &Whole, is_linked: bool, is_blind: bool) {
        self.deletes.push(Delete {
            side,
            person,
            fields: fields.clone(),
            is_linked,
            is_blind,
        });
    }

    pub fn people(&self) -> Vec<Edit> {
        let mut people: Vec<Edit> = self.changes.iter().map(|change| change.person).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    pub fn is_removed(&self, element: Edit) -> bool {
        self.removed.iter().any(|(_, removed)| *removed == element)
    }

    pub fn change(&self, edit: Edit) -> Option<&Change> {
        self.changes.get(usize::from(edit).checked_sub(1)?)
    }

    /// Whether an edit is in a value: it, or one that it was made over.
    pub fn is_in(&self, edit: Edit, value: Edit) -> bool {
        edit == value
            || self
                .change(value)
                .is_some_and(|change| self.is_in(edit, change.over) || self.is_in(edit, change.also))
    }

    /// When an edit began and when it was done.
    pub fn times(&self, edit: Edit) -> (u32, u32) {
        self.change(edit).map_or((0, 0), |change| (change.at, change.until))
    }

    /// An edit and those that it was made over, the last first, and at last nothing.
    pub fn chain(&self, edit: Edit) -> Vec<Edit> {
        let next = |edit: &Edit| Some(self.change(*edit)?.over);
        std::iter::successors(Some(edit), next).collect()
    }
}

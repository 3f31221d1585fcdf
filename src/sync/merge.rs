//! Three ways make one: what the CRM has, what the portal has, and what both last agreed on. Field by field, pure.
//!
//! A side has changed a field if its value is not the base's. What one side changed goes to the other; what both changed
//! is decided by policy, or left as it is on both sides for a person. A field of which a side says nothing is one that it
//! has not changed: what a CRM leaves out is not deleted. Who asks and who writes is not known here; nor are clocks: an own
//! write that comes back is known by its value.
//!
//! Without a base nobody ever agreed: equal values agree, nothing gives way to something, and different values are as if both sides
//! had changed them.

use std::iter::Peekable;
use std::slice::Iter;

mod decide;
mod phone;
mod rules;
mod same;
mod sent;
mod set;
mod value;
mod words;

pub use rules::{FieldRules, Policy, Rules};
pub use same::Same;
pub use sent::{Outcome, Sent};
pub use set::Element;
pub use value::{Member, Record, Value};
pub use words::{Origin, Reason, Rule, Side};

use decide::{Decision, Said, decide};
use sent::Doubt;

/// The value of a merged field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// None: it is not decided, and nobody ever agreed on one.
    Nothing,
    /// The base's.
    Base,
    /// The one of this side.
    Of(Side),
    /// A list of these.
    Set(Vec<Element>),
}

/// What both sides are compared with the next time. It is what the CRM has, also where the portal's value counts: so that is one
/// which only the portal changed, and what was decided stays decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing is known of it.
    Nothing,
    /// The base's, as before.
    Base,
    /// The CRM's.
    Crm,
    /// What was sent; the CRM does not say what it has.
    Sent,
}

/// The next base of a whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// There is none: nobody agrees on a record that the CRM does not have.
    #[default]
    Nothing,
    /// Field by field.
    Fields,
    /// All that the CRM has, until it is deleted there.
    Crm,
    /// The base, as before.
    Base,
}

/// One field of the result.
#[derive(Debug, Clone)]
pub struct Field<'r> {
    /// Its name.
    pub name: &'r str,
    /// What the base says of it.
    pub base: Option<&'r Member<'r>>,
    /// What the CRM says of it.
    pub crm: Option<&'r Member<'r>>,
    /// What the portal says of it.
    pub portal: Option<&'r Member<'r>>,
    /// What was sent of it.
    pub sent: Option<&'r Member<'r>>,
    /// Its value.
    pub pick: Pick,
    /// Whether it must be written to the CRM.
    pub to_crm: bool,
    /// Whether it must be written to the portal.
    pub to_portal: bool,
    /// Where the value comes from.
    pub from: Origin,
    /// Why.
    pub rule: Rule,
    /// Why a person has to decide; then nothing is written.
    pub conflict: Option<Reason>,
    /// The next base.
    pub next: Next,
}

/// What becomes of a record.
#[derive(Debug, Clone, Default)]
pub struct Merge<'r> {
    /// Its fields by name; none where it is gone.
    pub fields: Vec<Field<'r>>,
    /// Where it must be deleted, because the other side did.
    pub delete: Option<Side>,
    /// Why a person has to decide about the whole record; then nothing is written.
    pub conflict: Option<Reason>,
    /// What both sides are compared with the next time.
    pub basis: Basis,
}

/// Merges a record. A side that is `None` has no such record: with a base it was deleted there, without one it is new.
/// `sent` is a write to the CRM that is settled by this merge.
#[must_use]
pub fn merge<'r>(
    base: Option<&'r Record<'_>>,
    crm: Option<&'r Record<'_>>,
    portal: Option<&'r Record<'_>>,
    sent: Option<&'r Sent<'_>>,
    rules: &Rules<'_>,
) -> Merge<'r> {
    let all = All {
        base,
        crm,
        portal,
        sent,
    };
    match (crm, portal) {
        (None, None) => Merge::default(),
        (Some(_), Some(_)) => Merge {
            fields: all.fields(|name, said| decide(said, &rules.of(name), rules)),
            basis: Basis::Fields,
            ..Merge::default()
        },
        (None, Some(_)) => all.half(Side::Portal, rules),
        (Some(_), None) => all.half(Side::Crm, rules),
    }
}

/// What is merged.
struct All<'r, 'a> {
    base: Option<&'r Record<'a>>,
    crm: Option<&'r Record<'a>>,
    portal: Option<&'r Record<'a>>,
    sent: Option<&'r Sent<'a>>,
}

/// What one side changed of a record that the other does not have.
enum Edits {
    No,
    Yes,
    /// Nobody can tell whether it is one, or known where the record was deleted.
    Unsure,
}

impl<'r> All<'r, '_> {
    /// A record that only one side has.
    fn half(&self, side: Side, rules: &Rules<'_>) -> Merge<'r> {
        let gone = side.other();
        let all = |rule: Option<Rule>| {
            self.fields(|_, said| {
                let value = if side == Side::Crm { said.crm } else { said.portal };
                decide::alone(said.base, value, side, rule)
            })
        };
        let [found, deleted] = match side {
            Side::Crm => [Basis::Fields, Basis::Crm],
            Side::Portal => [Basis::Nothing, Basis::Nothing],
        };
        let is_own = side == Side::Crm && self.is_own_create(rules);
        if self.base.is_none() && !is_own {
            return Merge {
                fields: all(Some(Rule::Filled(side))),
                basis: found,
                ..Merge::default()
            };
        }
        let winner = match (self.edits(side, is_own, rules), rules.delete) {
            (Edits::No, _) => Some(gone),
            (_, Policy::Newest | Policy::Ask) => None,
            (Edits::Unsure, policy) if policy != Policy::of(gone) => None,
            (_, Policy::Crm) => Some(Side::Crm),
            (_, Policy::Portal) => Some(Side::Portal),
        };
        match winner {
            Some(winner) if winner == gone => Merge {
                delete: Some(side),
                basis: deleted,
                ..Merge::default()
            },
            Some(_) => Merge {
                fields: all(Some(Rule::Restored(side))),
                basis: found,
                ..Merge::default()
            },
            None => Merge {
                fields: all(None),
                conflict: Some(Reason::Deleted(gone)),
                basis: Basis::Base,
                ..Merge::default()
            },
        }
    }

    /// Whether the CRM's record is the one that was sent, and nobody's else.
    fn is_own_create(&self, rules: &Rules<'_>) -> bool {
        let Some(sent) = self.sent.filter(|_| self.base.is_none()) else {
            return false;
        };
        sent.outcome != Outcome::Unknown
            || self.rows().all(|row| match (row.said.sent, row.said.crm) {
                (Some((sent, _)), Some(crm)) => rules.of(row.name).equal(sent, crm),
                (Some((sent, _)), None) => sent.is_null(),
                (None, _) => true,
            })
    }

    /// What the side that still has the record changed. Of an own create only what was sent counts: the rest is the server's.
    fn edits(&self, side: Side, is_own: bool, rules: &Rules<'_>) -> Edits {
        let mut edits = Edits::No;
        for Row { name, said, .. } in self.rows().filter(|row| !is_own || row.said.sent.is_some()) {
            let field = rules.of(name);
            let ground = said.ground(&field);
            let value = if side == Side::Crm { said.crm } else { said.portal };
            if ground.doubt != Doubt::None {
                edits = Edits::Unsure;
            } else if value.is_some_and(|value| decide::is_change(ground.base.as_deref(), value, &field)) {
                return Edits::Yes;
            }
        }
        edits
    }

    fn fields(&self, decide: impl Fn(&str, &Said<'r>) -> Decision) -> Vec<Field<'r>> {
        let longest =
            [self.base, self.crm, self.portal].map(|record| record.map_or(0, |record| record.members().len()));
        let mut fields = Vec::with_capacity(longest.into_iter().max().unwrap_or_default());
        fields.extend(self.rows().map(|row| {
            let decision = decide(row.name, &row.said);
            let next = match (row.members, decision.is_waiting) {
                ([Some(_), ..], true) => Next::Base,
                (_, true) => Next::Nothing,
                ([_, Some(_), ..], _) => Next::Crm,
                ([.., Some(_)], _) if row.said.is_done() => Next::Sent,
                ([Some(_), ..], _) => Next::Base,
                _ => Next::Nothing,
            };
            let [base, crm, portal, sent] = row.members;
            Field {
                name: row.name,
                base,
                crm,
                portal,
                sent,
                pick: decision.pick,
                to_crm: decision.to_crm,
                to_portal: decision.to_portal,
                from: decision.from,
                rule: decision.rule,
                conflict: decision.conflict,
                next,
            }
        }));
        fields
    }

    /// The fields of all, which are sorted by name.
    fn rows(&self) -> impl Iterator<Item = Row<'r>> + use<'r> {
        let sent = self.sent.map(|sent| &sent.fields);
        let outcome = self.sent.map(|sent| sent.outcome);
        let mut rest = [self.base, self.crm, self.portal, sent]
            .map(|record| record.map(Record::members).unwrap_or_default().iter().peekable());
        std::iter::from_fn(move || {
            let first = |side: &mut Peekable<Iter<'r, Member<'r>>>| {
                let member: &'r Member<'r> = side.peek()?;
                Some(member.name.as_ref())
            };
            let name = rest.iter_mut().filter_map(first).min()?;
            let members = rest.each_mut().map(|side| side.next_if(|member| member.name == name));
            let [base, crm, portal, sent] = members.map(|member| member.map(|member| &member.value));
            let said = Said {
                base,
                crm,
                portal,
                sent: sent.zip(outcome),
            };
            Some(Row { name, members, said })
        })
    }
}

/// One field of all.
struct Row<'r> {
    name: &'r str,
    /// The base's, the CRM's, the portal's and what was sent.
    members: [Option<&'r Member<'r>>; 4],
    said: Said<'r>,
}

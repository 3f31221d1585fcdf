//! Three ways make one: what the CRM has, what the portal has, and what both last agreed on. Field by field, pure.
//!
//! A side has changed a field if its value is not the base's. What one side changed goes to the other; what both changed
//! is decided by policy, or left as it is on both sides for a person. A field of which a side says nothing is one that it
//! has not changed: what a CRM leaves out is not deleted. Who asks and who writes is not known here; nor are clocks: an own
//! write that comes back is known by its value.
//!
//! Without a base nobody ever agreed: equal values agree, nothing gives way to something, and different values are as if both sides
//! had changed them.

mod decide;
mod phone;
mod rules;
mod same;
mod set;
mod value;
mod words;

pub use rules::{FieldRules, Policy, Rules};
pub use same::Same;
pub use set::Element;
pub use value::{Member, Record, Value};
pub use words::{Origin, Reason, Rule, Side};

use decide::{Decision, decide};

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
}

/// Merges a record. A side that is `None` has no such record: with a base it was deleted there, without one it is new.
#[must_use]
pub fn merge<'r>(
    base: Option<&'r Record<'_>>,
    crm: Option<&'r Record<'_>>,
    portal: Option<&'r Record<'_>>,
    rules: &Rules<'_>,
) -> Merge<'r> {
    match (crm, portal) {
        (None, None) => Merge::default(),
        (Some(_), Some(_)) => Merge {
            fields: each(base, crm, portal, |name, base, crm, portal| {
                decide(base, crm, portal, &rules.of(name), rules)
            }),
            ..Merge::default()
        },
        (None, Some(_)) => half(base, portal, Side::Portal, rules),
        (Some(_), None) => half(base, crm, Side::Crm, rules),
    }
}

/// A record that only one side has.
fn half<'r>(base: Option<&'r Record<'_>>, there: Option<&'r Record<'_>>, side: Side, rules: &Rules<'_>) -> Merge<'r> {
    let gone = side.other();
    let all = |rule: Option<Rule>| {
        let (crm, portal) = match side {
            Side::Crm => (there, None),
            Side::Portal => (None, there),
        };
        each(base, crm, portal, |_, base, crm, portal| {
            decide::alone(base, crm.or(portal), side, rule)
        })
    };
    if base.is_none() {
        return Merge {
            fields: all(Some(Rule::Filled(side))),
            ..Merge::default()
        };
    }
    let edits = each(base, None, there, |name, base, _, own| {
        decide(base, None, own, &rules.of(name), rules)
    });
    let is_edited = edits.iter().any(|field| field.to_crm);
    let winner = match rules.delete {
        _ if !is_edited => Some(gone),
        Policy::Crm => Some(Side::Crm),
        Policy::Portal => Some(Side::Portal),
        Policy::Newest | Policy::Ask => None,
    };
    match winner {
        Some(winner) if winner == gone => Merge {
            delete: Some(side),
            ..Merge::default()
        },
        Some(_) => Merge {
            fields: all(Some(Rule::Restored(side))),
            ..Merge::default()
        },
        None => Merge {
            fields: all(None),
            conflict: Some(Reason::Deleted(gone)),
            ..Merge::default()
        },
    }
}

/// What one side says of a field.
type Given<'r> = Option<&'r Value<'r>>;

/// Walks over the fields of all three, which are sorted by name.
fn each<'r>(
    base: Option<&'r Record<'_>>,
    crm: Option<&'r Record<'_>>,
    portal: Option<&'r Record<'_>>,
    decide: impl Fn(&str, Given<'r>, Given<'r>, Given<'r>) -> Decision,
) -> Vec<Field<'r>> {
    let mut rest = [base, crm, portal].map(|record| record.map(Record::members).unwrap_or_default().iter().peekable());
    let longest = rest.iter().map(ExactSizeIterator::len).max().unwrap_or_default();
    let mut fields = Vec::with_capacity(longest);
    while let Some(name) = rest
        .iter_mut()
        .filter_map(|side| {
            let member: &'r Member<'r> = side.peek()?;
            Some(member.name.as_ref())
        })
        .min()
    {
        let [base, crm, portal] = rest.each_mut().map(|side| side.next_if(|member| member.name == name));
        let value = |member: Option<&'r Member<'r>>| member.map(|member| &member.value);
        let decision = decide(name, value(base), value(crm), value(portal));
        fields.push(Field {
            name,
            base,
            crm,
            portal,
            pick: decision.pick,
            to_crm: decision.to_crm,
            to_portal: decision.to_portal,
            from: decision.from,
            rule: decision.rule,
            conflict: decision.conflict,
        });
    }
    fields
}

//! What becomes of one field.

use crate::sync::merge::rules::{Applied, Policy, Rules};
use crate::sync::merge::sent::{Doubt, Ground, Outcome};
use crate::sync::merge::set::{self, Set};
use crate::sync::merge::value::Value;
use crate::sync::merge::{Origin, Pick, Reason, Rule, Side};

/// What is said of one field.
#[derive(Clone, Copy)]
pub struct Said<'r> {
    pub base: Option<&'r Value<'r>>,
    pub crm: Option<&'r Value<'r>>,
    pub portal: Option<&'r Value<'r>>,
    /// What was written to the CRM, and what came of it.
    pub sent: Option<(&'r Value<'r>, Outcome)>,
}

impl<'r> Said<'r> {
    /// Whether a write of it was surely done.
    pub fn is_done(&self) -> bool {
        self.sent.is_some_and(|(_, outcome)| outcome != Outcome::Unknown)
    }

    /// What it is compared with.
    pub fn ground(&self, field: &Applied<'_>) -> Ground<'r> {
        let Self {
            base,
            crm,
            portal,
            sent,
        } = *self;
        match sent {
            Some((sent, outcome)) => Ground::written(base, crm, portal, sent, outcome, field),
            None => Ground::plain(base),
        }
    }
}

/// A field's value, why, and where it must be written.
pub struct Decision {
    pub pick: Pick,
    pub to_crm: bool,
    pub to_portal: bool,
    pub from: Origin,
    pub rule: Rule,
    pub conflict: Option<Reason>,
    /// Whether it is left for a person, alone or with its record.
    pub is_waiting: bool,
}

impl Decision {
    /// Nothing is to be written.
    const fn quiet(pick: Pick, from: Origin, rule: Rule) -> Self {
        Self {
            pick,
            to_crm: false,
            to_portal: false,
            from,
            rule,
            conflict: None,
            is_waiting: false,
        }
    }

    /// The value of this side, to be written on the other.
    fn take(side: Side, rule: Rule) -> Self {
        Self {
            to_crm: side == Side::Portal,
            to_portal: side == Side::Crm,
            ..Self::quiet(Pick::Of(side), Origin::side(side), rule)
        }
    }

    /// Both sides stay as they are. The base stays, too: so it is found undecided again.
    fn wait(has_base: bool, conflict: Option<Reason>) -> Self {
        let pick = if has_base { Pick::Base } else { Pick::Nothing };
        Self {
            conflict,
            is_waiting: true,
            ..Self::quiet(pick, Origin::Base, Rule::Asked)
        }
    }
}

/// A field of a record that both sides have.
pub fn decide(said: &Said<'_>, field: &Applied<'_>, rules: &Rules<'_>) -> Decision {
    let ground = said.ground(field);
    let base = ground.base.as_deref();
    let (crm, portal) = match (said.crm, said.portal) {
        (Some(crm), Some(portal)) => (crm, portal),
        (Some(crm), None) => return one_sided(base, crm, Side::Crm, field),
        (None, Some(portal)) => return one_sided(base, portal, Side::Portal, field),
        (None, None) => return Decision::quiet(Pick::Base, Origin::Base, Rule::Unsaid),
    };
    // Most fields of most records; for sets, too.
    if crm == portal && base == Some(crm) {
        return Decision::quiet(Pick::Of(Side::Crm), Origin::Equal, Rule::Unchanged);
    }
    if field.is_set {
        return sets(base, crm, portal, field);
    }
    let is_base = |value| base.is_some_and(|base| field.same.equal(base, value));
    if field.same.equal(crm, portal) {
        return agreed(is_base(crm));
    }
    let has_base = said.base.is_some();
    if ground.doubt == Doubt::Own {
        return match field.policy {
            Policy::Portal => Decision::take(Side::Portal, Rule::Policy(Side::Portal)),
            Policy::Crm | Policy::Newest | Policy::Ask => Decision::wait(has_base, Some(Reason::Own)),
        };
    }
    if is_base(portal) {
        return Decision::take(Side::Crm, Rule::Changed(Side::Crm));
    }
    if is_base(crm) {
        return Decision::take(Side::Portal, Rule::Changed(Side::Portal));
    }
    if base.is_none() && portal.is_null() {
        return Decision::take(Side::Crm, Rule::Filled(Side::Crm));
    }
    if base.is_none() && crm.is_null() {
        return Decision::take(Side::Portal, Rule::Filled(Side::Portal));
    }
    let changed = if base.is_some() {
        Reason::Changed
    } else {
        Reason::Different
    };
    match field.policy {
        Policy::Crm => Decision::take(Side::Crm, Rule::Policy(Side::Crm)),
        Policy::Portal if ground.doubt == Doubt::Order => Decision::wait(has_base, Some(Reason::Order)),
        Policy::Portal => Decision::take(Side::Portal, Rule::Policy(Side::Portal)),
        Policy::Ask => Decision::wait(has_base, Some(changed)),
        Policy::Newest => match rules.newer(field) {
            Ok(side) => Decision::take(side, Rule::Newest(side)),
            Err(reason) => Decision::wait(has_base, Some(reason)),
        },
    }
}

/// Both sides have it. Of two ways to write it the CRM's is kept: it is the one that comes again.
const fn agreed(is_base: bool) -> Decision {
    let (from, rule) = if is_base {
        (Origin::Equal, Rule::Unchanged)
    } else {
        (Origin::Both, Rule::Agreed)
    };
    Decision::quiet(Pick::Of(Side::Crm), from, rule)
}

/// Whether a value is another than the base's.
pub fn is_change(base: Option<&Value<'_>>, value: &Value<'_>, field: &Applied<'_>) -> bool {
    !base.map_or(value.is_null(), |base| field.equal(base, value))
}

/// A field of which only one side says anything.
fn one_sided(base: Option<&Value<'_>>, value: &Value<'_>, side: Side, field: &Applied<'_>) -> Decision {
    if !is_change(base, value, field) {
        return Decision::quiet(Pick::Of(side), Origin::Equal, Rule::Unchanged);
    }
    let rule = if base.is_some() {
        Rule::Changed(side)
    } else {
        Rule::Filled(side)
    };
    Decision::take(side, rule)
}

/// Sets are merged, whatever the policy: nothing of either side is lost.
fn sets(base: Option<&Value<'_>>, crm: &Value<'_>, portal: &Value<'_>, field: &Applied<'_>) -> Decision {
    let [old, crm, portal] = [base, Some(crm), Some(portal)].map(|value| Set::of(value, field.same));
    if crm.equals(&portal) {
        return agreed(base.is_some() && old.equals(&crm));
    }
    if old.equals(&portal) {
        let rule = if base.is_some() {
            Rule::Changed(Side::Crm)
        } else {
            Rule::Filled(Side::Crm)
        };
        return Decision::take(Side::Crm, rule);
    }
    let merged = set::merge(&old, &crm, &portal);
    let (from, rule) = match (old.equals(&crm), base.is_some()) {
        (true, true) => (Origin::Portal, Rule::Changed(Side::Portal)),
        (true, false) => (Origin::Portal, Rule::Filled(Side::Portal)),
        _ => (Origin::Set, Rule::Set),
    };
    Decision {
        to_crm: merged.to_crm,
        to_portal: merged.to_portal,
        ..Decision::quiet(Pick::Set(merged.elements), from, rule)
    }
}

/// A field of a record that one side does not have: with a rule all that is known is written there, without one it waits.
pub fn alone(base: Option<&Value<'_>>, value: Option<&Value<'_>>, side: Side, rule: Option<Rule>) -> Decision {
    let Some(rule) = rule else {
        return Decision::wait(base.is_some(), None);
    };
    let pick = if value.is_some() { Pick::Of(side) } else { Pick::Base };
    let is_written = match side {
        // A post that comes back from the bin may have something where the CRM has nothing, and keeps that of which it says nothing.
        Side::Crm => value.is_some(),
        // What is nothing need not be written to a new record.
        Side::Portal => value.or(base).is_some_and(|value| !value.is_null()),
    };
    let from = if value.is_some() {
        Origin::side(side)
    } else {
        Origin::Base
    };
    Decision {
        to_crm: is_written && side == Side::Portal,
        to_portal: is_written && side == Side::Crm,
        ..Decision::quiet(pick, from, rule)
    }
}

//! By which rules a merge decides: policies, what is the same, and whose change is the newer one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::crm::timestamp::Moment;
use crate::sync::merge::same::Same;
use crate::sync::merge::set::Set;
use crate::sync::merge::value::Value;
use crate::sync::merge::{Reason, Side};

/// Most CRMs write whole seconds: within one nobody can say what was first.
const SKEW: f64 = 1.0;

/// Who decides where both sides changed a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// The CRM's value counts.
    #[default]
    Crm,
    /// The portal's value counts.
    Portal,
    /// The later change counts, where the times tell which it is.
    Newest,
    /// A person.
    Ask,
}

impl Policy {
    /// The policy of that name. A failure says which there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "crm" => Ok(Self::Crm),
            "portal" => Ok(Self::Portal),
            "newest" => Ok(Self::Newest),
            "ask" => Ok(Self::Ask),
            _ => Err(String::from("it is to be crm, portal, newest or ask")),
        }
    }

    /// That this side counts.
    pub(super) const fn of(side: Side) -> Self {
        match side {
            Side::Crm => Self::Crm,
            Side::Portal => Self::Portal,
        }
    }

    /// The same for a record that one side deleted and the other changed: nobody knows when it was deleted.
    pub fn parse_delete(name: &str) -> Result<Self, String> {
        match Self::parse(name) {
            Ok(policy) if policy != Self::Newest => Ok(policy),
            _ => Err(String::from("it is to be crm, portal or ask")),
        }
    }
}

/// The rules of one field.
#[derive(Debug, Clone, Default)]
pub struct FieldRules<'a> {
    /// In place of the record's.
    pub policy: Option<Policy>,
    /// Whether its value is a set.
    pub is_set: bool,
    /// Beside what holds for all fields.
    pub same: Same,
    /// When it was changed in the portal, in place of the record's.
    pub portal_updated_at: Option<Cow<'a, str>>,
}

/// The rules of a record.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// For fields that both sides changed.
    pub policy: Policy,
    /// For records that one side deleted and the other changed.
    pub delete: Policy,
    /// When the CRM's record was changed, in the CRM's form.
    pub crm_updated_at: Option<Cow<'a, str>>,
    /// When the portal's record was changed; without an offset it is UTC.
    pub portal_updated_at: Option<Cow<'a, str>>,
    /// The zone of the CRM's times without an offset; without one they tell nothing.
    pub zone: Option<TimeZone>,
    /// Seconds by which the clocks may differ.
    pub skew: f64,
    /// What is the same in all fields.
    pub same: Same,
    /// By name.
    pub fields: BTreeMap<Cow<'a, str>, FieldRules<'a>>,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Self {
            policy: Policy::Crm,
            delete: Policy::Ask,
            crm_updated_at: None,
            portal_updated_at: None,
            zone: None,
            skew: SKEW,
            same: Same::default(),
            fields: BTreeMap::new(),
        }
    }
}

impl<'a> Rules<'a> {
    /// The rules of a field, to be changed.
    pub fn field(&mut self, name: impl Into<Cow<'a, str>>) -> &mut FieldRules<'a> {
        self.fields.entry(name.into()).or_default()
    }

    /// What holds for a field.
    pub(super) fn of(&self, name: &str) -> Applied<'_> {
        let own = self.fields.get(name);
        let portal_updated_at = own.and_then(|own| own.portal_updated_at.as_deref());
        Applied {
            policy: own.and_then(|own| own.policy).unwrap_or(self.policy),
            is_set: own.is_some_and(|own| own.is_set),
            same: own.map_or(self.same, |own| own.same.or(self.same)),
            portal_updated_at: portal_updated_at.or(self.portal_updated_at.as_deref()),
        }
    }

    /// The side whose change is the later one, or why nobody can tell.
    pub(super) fn newer(&self, field: &Applied<'_>) -> Result<Side, Reason> {
        let crm = instant(self.crm_updated_at.as_deref(), self.zone.as_ref()).ok_or(Reason::CrmTime)?;
        let portal = instant(field.portal_updated_at, Some(&TimeZone::UTC)).ok_or(Reason::PortalTime)?;
        let ahead = crm.duration_since(portal).as_secs_f64();
        if ahead.abs() <= self.skew {
            Err(Reason::Close)
        } else if ahead > 0.0 {
            Ok(Side::Crm)
        } else {
            Ok(Side::Portal)
        }
    }
}

/// What holds for one field, the record's rules included.
pub(super) struct Applied<'r> {
    pub policy: Policy,
    pub is_set: bool,
    pub same: Same,
    pub portal_updated_at: Option<&'r str>,
}

impl Applied<'_> {
    /// Whether two values of the field are one.
    pub fn equal(&self, a: &Value<'_>, b: &Value<'_>) -> bool {
        if self.is_set {
            Set::of(Some(a), self.same).equals(&Set::of(Some(b), self.same))
        } else {
            self.same.equal(a, b)
        }
    }
}

fn instant(text: Option<&str>, zone: Option<&TimeZone>) -> Option<Timestamp> {
    match Moment::parse(text?)? {
        moment @ Moment::Naive(..) => moment.instant(zone?),
        moment => moment.instant(&TimeZone::UTC),
    }
}

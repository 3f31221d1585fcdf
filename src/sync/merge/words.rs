//! What a merge speaks of: sides, where values come from, by which rule, and why a person has to decide.

/// One of the two that are kept in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The CRM.
    Crm,
    /// The portal.
    Portal,
}

impl Side {
    /// As options and results call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Portal => "portal",
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Crm => Self::Portal,
            Self::Portal => Self::Crm,
        }
    }
}

/// Where a merged value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody changed it.
    Equal,
    /// Both changed it to the same value.
    Both,
    /// The CRM.
    Crm,
    /// The portal.
    Portal,
    /// The base: it is not decided, or neither side says anything of it.
    Base,
    /// Both, merged as a set.
    Set,
}

impl Origin {
    pub(super) const fn side(side: Side) -> Self {
        match side {
            Side::Crm => Self::Crm,
            Side::Portal => Self::Portal,
        }
    }

    /// As results call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Both => "both",
            Self::Crm => "crm",
            Self::Portal => "portal",
            Self::Base => "base",
            Self::Set => "set",
        }
    }
}

/// Why a value was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Neither side changed it.
    Unchanged,
    /// Neither side says anything of it.
    Unsaid,
    /// Both sides have it.
    Agreed,
    /// Only one side changed it.
    Changed(Side),
    /// Only one side has a value, and there was none before.
    Filled(Side),
    /// It is the policy that this side counts.
    Policy(Side),
    /// This side's change is the later one.
    Newest(Side),
    /// Additions and removals of both.
    Set,
    /// One side deleted the record, but the other's changes count.
    Restored(Side),
    /// It waits for a person.
    Asked,
}

impl Rule {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        use Side::{Crm, Portal};
        match self {
            Self::Unchanged => "nobody changed it",
            Self::Unsaid => "neither side says anything of it",
            Self::Agreed => "both sides have it",
            Self::Changed(Crm) => "changed in the CRM only",
            Self::Changed(Portal) => "changed in the portal only",
            Self::Filled(Crm) => "only the CRM has a value",
            Self::Filled(Portal) => "only the portal has a value",
            Self::Policy(Crm) => "changed on both sides: the CRM's value counts by policy",
            Self::Policy(Portal) => "changed on both sides: the portal's value counts by policy",
            Self::Newest(Crm) => "changed on both sides: the CRM's change is the newer one",
            Self::Newest(Portal) => "changed on both sides: the portal's change is the newer one",
            Self::Set => "changed on both sides: what each added and removed counts",
            Self::Restored(Crm) => "deleted in the portal, changed in the CRM: the CRM counts by policy",
            Self::Restored(Portal) => "deleted in the CRM, changed in the portal: the portal counts by policy",
            Self::Asked => "changed on both sides: a person decides",
        }
    }
}

/// Why a person has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Both sides changed the field.
    Changed,
    /// The sides differ and never agreed.
    Different,
    /// The CRM's time is missing or makes no sense.
    CrmTime,
    /// The portal's time is missing or makes no sense.
    PortalTime,
    /// The times are too close.
    Close,
    /// The CRM has neither what was sent nor what was there before; nobody knows whether the write was done.
    Order,
    /// The same, and the portal has changed again.
    Own,
    /// This side deleted what the other changed.
    Deleted(Side),
}

impl Reason {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Changed => "both sides changed it",
            Self::Different => "the two sides differ and never agreed",
            Self::CrmTime => "both sides changed it, and the CRM's time is missing or cannot be read",
            Self::PortalTime => "both sides changed it, and the portal's time is missing or cannot be read",
            Self::Close => "both sides changed it at the same time, as far as the clocks can tell",
            Self::Order => "it is not known whether the portal's value had reached the CRM before it was changed there",
            Self::Own => "the portal changed it again while it was on its way to the CRM, which now has another value",
            Self::Deleted(Side::Crm) => "deleted in the CRM, changed in the portal",
            Self::Deleted(Side::Portal) => "deleted in the portal, changed in the CRM",
        }
    }
}

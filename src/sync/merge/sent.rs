//! What was written to the CRM, and what came of it. An own write that comes back is no change of the CRM's; a server may have
//! written it differently, and the portal may have changed again meanwhile. So before the sides are compared, the base of a field
//! that was sent becomes what both had once the write was done.

use std::borrow::Cow;

use crate::sync::merge::rules::Applied;
use crate::sync::merge::set;
use crate::sync::merge::value::{Record, Value};

/// How it is known what came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The CRM's record is the answer of the write itself: nobody was in between.
    Answered,
    /// The write was done, and the record was read behind it.
    Done,
    /// Nobody knows whether it was done; the record was read once it could not come late any more.
    Unknown,
}

impl Outcome {
    /// The outcome of that name. A failure says which there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "answered" => Ok(Self::Answered),
            "done" => Ok(Self::Done),
            "unknown" => Ok(Self::Unknown),
            _ => Err(String::from("it is to be answered, done or unknown")),
        }
    }
}

/// A write to the CRM.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    /// What was sent.
    pub fields: Record<'a>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What cannot be told from what the CRM has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    None,
    /// The portal has what was sent, the CRM something else. That came later if the write was done, and at the same time if not.
    Order,
    /// The portal has changed again. What the CRM has may be what was sent, written in the server's own way.
    Own,
}

/// What a field is compared with.
pub(super) struct Ground<'v> {
    pub base: Option<Cow<'v, Value<'v>>>,
    pub doubt: Doubt,
}

impl<'v> Ground<'v> {
    /// Without a write.
    pub fn plain(base: Option<&'v Value<'v>>) -> Self {
        Self {
            base: base.map(Cow::Borrowed),
            doubt: Doubt::None,
        }
    }

    fn doubtful(base: Option<&'v Value<'v>>, doubt: Doubt) -> Self {
        Self {
            doubt,
            ..Self::plain(base)
        }
    }

    /// Behind a write of this field.
    pub fn written(
        base: Option<&'v Value<'v>>,
        crm: Option<&'v Value<'v>>,
        portal: Option<&'v Value<'v>>,
        sent: &'v Value<'v>,
        outcome: Outcome,
        field: &Applied<'_>,
    ) -> Self {
        let same = |a: Option<&Value<'_>>, b: Option<&Value<'_>>| match (a, b) {
            (Some(a), Some(b)) => field.equal(a, b),
            (None, None) => true,
            _ => false,
        };
        let was_sent = Some(sent);
        let reached = || Self::plain(was_sent);
        match outcome {
            Outcome::Answered | Outcome::Done if crm.is_none() || field.is_set || same(crm, was_sent) => reached(),
            // The server's way to write it goes to the portal, unless the portal goes on.
            Outcome::Answered | Outcome::Done if same(portal, was_sent) => reached(),
            Outcome::Answered => Self::plain(crm),
            Outcome::Done => Self::doubtful(base, Doubt::Own),
            Outcome::Unknown => match crm {
                Some(crm) if field.is_set => Self {
                    base: Some(Cow::Owned(set::reached(base, sent, crm, field.same))),
                    doubt: Doubt::None,
                },
                Some(_) if same(crm, was_sent) => reached(),
                Some(_) if same(crm, base) => Self::plain(base),
                _ if same(base, was_sent) => Self::plain(base),
                _ if same(portal, was_sent) => Self::doubtful(base, Doubt::Order),
                Some(_) => Self::doubtful(base, Doubt::Own),
                None => Self::plain(base),
            },
        }
    }
}

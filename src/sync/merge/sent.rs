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

/// What a field is compared with.
pub(super) struct Ground<'v> {
    pub base: Option<Cow<'v, Value<'v>>>,
    /// The CRM has neither what was sent nor what was there before: somebody changed it, or the server wrote it in its own way.
    pub is_unsure: bool,
}

impl<'v> Ground<'v> {
    /// Without a write.
    pub fn plain(base: Option<&'v Value<'v>>) -> Self {
        Self {
            base: base.map(Cow::Borrowed),
            is_unsure: false,
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
        let same = |a: Option<&Value<'_>>, b: &Value<'_>| a.is_some_and(|a| field.equal(a, b));
        let plain = Self::plain(base);
        let sent_now = Self::plain(Some(sent));
        match (outcome, crm) {
            (Outcome::Answered | Outcome::Done, None) => sent_now,
            (Outcome::Unknown, None) => plain,
            (Outcome::Unknown, Some(crm)) if field.is_set => Self {
                base: Some(Cow::Owned(set::reached(base, sent, crm, field.same))),
                is_unsure: false,
            },
            _ if field.is_set || same(crm, sent) => sent_now,
            // The server's way to write it goes to the portal, unless the portal goes on.
            (Outcome::Answered, _) if same(portal, sent) => sent_now,
            (Outcome::Answered, _) => Self::plain(crm),
            (Outcome::Done, _) if same(portal, sent) => sent_now,
            (Outcome::Unknown, Some(crm)) if same(base, crm) => plain,
            (Outcome::Unknown, _) if same(portal, sent) => plain,
            (Outcome::Done | Outcome::Unknown, _) => Self {
                is_unsure: true,
                ..plain
            },
        }
    }
}

//! Why a webhook is refused: known to us for counting, never to who sent it.

use std::fmt;

/// What was wrong; for counting only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It carries no proof that the connector knows.
    Missing,
    /// The connection has no secret, or one that cannot be read in the way the connector says.
    Unconfigured,
    /// The connector says that this CRM's webhooks prove nothing.
    Unverifiable,
    /// The proof is not in the form that the connector says.
    Malformed,
    /// The proof is for another message, or made with another secret.
    Mismatch,
    /// Signed too long ago.
    Old,
    /// Signed in the future: one of the two clocks is wrong.
    Future,
    /// Larger than the bounds, or too many events.
    TooLarge,
    /// Proven, but not the JSON that the connector says.
    Unreadable,
}

impl Reason {
    /// The name under which it is counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unconfigured => "unconfigured",
            Self::Unverifiable => "unverifiable",
            Self::Malformed => "malformed",
            Self::Mismatch => "mismatch",
            Self::Old => "old",
            Self::Future => "future",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
        }
    }

    /// Of several schemes' reasons the one with the largest weight is told, the first where they are equal.
    pub(super) const fn weight(self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::Unconfigured | Self::Unverifiable => 1,
            _ => 2,
        }
    }
}

/// A refusal; its text is the same whatever was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(Reason);

impl Refusal {
    /// What was wrong; not for an answer.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.0
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the webhook is refused")
    }
}

impl std::error::Error for Refusal {}

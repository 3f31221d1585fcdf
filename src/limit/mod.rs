//! How fast a CRM may be asked: what a request draws on, and whether it may go now.
//!
//! `gcra` and `tally` are the arithmetic of one window, `table` and `shared` where one host's processes count together, `local`
//! the decision there, `redis` the same for many hosts, `share` what one of them may do alone; `limiter` chooses. `budget` makes
//! draws of what connectors and tenants (`own`) say, `told` reads what a CRM's answers say of its limits. Waiting is the business
//! of `net::lane`.

pub mod budget;
pub mod checkpoint;
pub mod file;
pub mod gcra;
mod identity;
pub mod limiter;
pub mod local;
pub mod own;
pub mod place;
pub mod redis;
mod share;
pub mod shared;
pub mod slot;
pub mod table;
pub mod tally;
pub mod told;

use std::time::Duration;

use crate::{chance, clock};

/// Which counter: 128 bits of an HMAC, so that what is shared tells no tenant's or account's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u128);

/// One window of a quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What the CRM takes in a window: requests, or units where requests cost different amounts.
    pub amount: u64,
    /// How long a window is.
    pub period: Duration,
    /// What may be spent at once, of `Count::Paced`; at least 1, less than the amount.
    pub burst: u64,
    /// How it is counted.
    pub count: Count,
}

/// How a window is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Evenly, so that no window of this length, wherever it begins, sees more than the amount. For seconds and minutes.
    Paced,
    /// By portions of the window that has just passed. For hours and days that the CRM looks back.
    Rolling,
    /// From a fixed time of the day on: seconds after midnight UTC.
    Daily(u32),
}

/// What one request takes of one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// Whose window.
    pub key: Key,
    /// Which.
    pub rule: Rule,
    /// How much.
    pub cost: u64,
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Nanoseconds by `CLOCK_MONOTONIC`, the same for all processes of a host.
    pub mono: u64,
    /// Milliseconds since 1970.
    pub unix: u64,
}

impl Now {
    /// This moment.
    #[must_use]
    pub fn read() -> Self {
        Self {
            mono: clock::monotonic(),
            unix: clock::unix_milliseconds(),
        }
    }

    /// This moment, as far as it matters to a window of this rule: the wall clock is a tenth of what a decision costs.
    #[inline]
    #[must_use]
    pub fn of(rule: &Rule) -> Self {
        match rule.count {
            Count::Paced => Self {
                mono: clock::monotonic(),
                unix: 0,
            },
            Count::Rolling | Count::Daily(_) => Self::read(),
        }
    }
}

/// Where time and chance come from.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    /// This moment.
    pub now: fn() -> Now,
    /// A random share, from 0 to 1.
    pub chance: fn() -> f64,
}

impl Ground {
    /// The machine.
    pub const REAL: Self = Self {
        now: Now::read,
        chance: chance::share,
    };
}

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may: everything it costs is taken.
    Go,
    /// It may not, nothing is taken; ask again after so many nanoseconds.
    Wait(u64, Cause),
}

/// Why a request has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The window of this draw is used up.
    Window(usize),
    /// The CRM has asked to wait.
    Told,
    /// The connection has failed again and again, and is tried once in a while.
    Broken,
    /// Redis, which counts for all hosts, is away or has just come up.
    Away,
}

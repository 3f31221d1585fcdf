//! The scripts that Redis runs for us: what they are given and what they answer. What they do is said in the `.lua` files.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

use crate::limit::local::Usage;
use crate::limit::{Cause, Count, Decision, Draw, Key};

/// All scripts, with the sums by which the server knows them.
pub(super) struct Scripts {
    pub(super) take: Script,
    pub(super) refund: Script,
    pub(super) away: Script,
    pub(super) limited: Script,
    pub(super) told: Script,
    pub(super) usage: Script,
    pub(super) wake: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let over_slots = |body| Script::new(&[include_str!("slot.lua"), body].concat());
        Self {
            take: over_slots(include_str!("take.lua")),
            refund: over_slots(include_str!("refund.lua")),
            away: over_slots(include_str!("away.lua")),
            limited: over_slots(include_str!("limited.lua")),
            told: over_slots(include_str!("told.lua")),
            usage: over_slots(include_str!("usage.lua")),
            wake: Script::new(include_str!("wake.lua")),
        }
    }
}

/// One call of a script over windows.
pub(super) struct Call<'a> {
    /// All keys of an installation are in one slot of a cluster.
    pub(super) prefix: &'a str,
    pub(super) host: &'a str,
    /// How many hosts this one reckons with.
    pub(super) hosts: u64,
    pub(super) gate: Key,
    pub(super) draws: &'a [Draw],
    /// What this host remembers to be used of each window; empty: it says nothing.
    pub(super) known: &'a [u64],
    /// The script's own values.
    pub(super) values: [i64; 3],
}

impl Call<'_> {
    /// Runs the script; `history` is what the server says of its data.
    pub(super) async fn run(
        &self,
        script: &Script,
        connection: &mut MultiplexedConnection,
        history: &str,
    ) -> RedisResult<Vec<i64>> {
        let name = |kind: &str, key: Key| format!("{{{}}}:{kind}:{:032x}", self.prefix, key.0);
        let mut call = script.prepare_invoke();
        call.key(format!("{{{}}}:born", self.prefix))
            .key(format!("{{{}}}:hosts", self.prefix))
            .key(name("gate", self.gate))
            .arg(history)
            .arg(self.host)
            .arg(self.hosts);
        for value in self.values {
            call.arg(value);
        }
        for (position, draw) in self.draws.iter().enumerate() {
            let (kind, shift) = match draw.rule.count {
                Count::Paced => ("paced", 0),
                Count::Rolling => ("rolling", 0),
                Count::Daily(shift) => ("daily", shift),
            };
            call.key(name("window", draw.key))
                .arg(kind)
                .arg(draw.rule.amount.max(1))
                .arg(microseconds(draw.rule.period).max(1))
                .arg(draw.rule.burst)
                .arg(shift)
                .arg(draw.cost)
                .arg(
                    self.known
                        .get(position)
                        .map_or(-1, |known| i64::try_from(*known).unwrap_or(i64::MAX)),
                );
        }
        call.invoke_async(connection).await
    }
}

/// Times as the scripts reckon them.
pub(super) fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// What was decided, and what is known beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Whether the request may go.
    pub decision: Decision,
    /// How many hosts there are.
    pub hosts: u64,
    /// What all hosts together have used of each window, as far as it is counted.
    pub used: Vec<u64>,
}

impl Taken {
    /// Reads what `take` answers to so many draws; `None`: it is no such answer.
    #[must_use]
    pub fn read(answer: &[i64], draws: usize) -> Option<Self> {
        let [wait, cause, which, hosts, used @ ..] = answer else {
            return None;
        };
        if used.len() != draws {
            return None;
        }
        let nanoseconds = u64::try_from(*wait).ok()?.max(1).saturating_mul(1000);
        let decision = match cause {
            0 => Decision::Go,
            1 => {
                let window = usize::try_from(*which).ok()?.checked_sub(1).filter(|at| *at < draws)?;
                Decision::Wait(nanoseconds, Cause::Window(window))
            }
            2 => Decision::Wait(nanoseconds, Cause::Told),
            3 => Decision::Wait(nanoseconds, Cause::Away),
            _ => return None,
        };
        Some(Self {
            decision,
            hosts: u64::try_from(*hosts).ok()?,
            used: used.iter().map(|used| u64::try_from(*used).unwrap_or(0)).collect(),
        })
    }
}

/// Reads what `usage` answers; `None`: it is no such answer. What only this host counts is left at 0.
#[must_use]
pub fn usage(answer: &[i64], amount: u64) -> Option<Usage> {
    let [used, left, limit, free, held] = *<&[i64; 5]>::try_from(answer).ok()?;
    let number = |number: i64| u64::try_from(number).ok();
    let time = |micros: i64| number(micros).map(|micros| (micros > 0).then(|| Duration::from_micros(micros)));
    #[expect(clippy::cast_precision_loss, reason = "a part of the whole, to be shown")]
    let factor = number(limit)? as f64 / amount.max(1) as f64;
    Some(Usage {
        used: number(used)?,
        left: number(left)?,
        factor: factor.min(1.0),
        free_in: time(free)?,
        held_for: time(held)?,
        admitted: 0,
        delayed: 0,
        limited: 0,
    })
}

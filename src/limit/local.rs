//! The decision on one host: whether a request may go by all that it draws on, counted by all processes together.
//!
//! No locks, and no state of this process but where the counters are. Where they are kept is the business of `place`, what
//! happens to them of `slot`, waiting of the caller.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::place::{Place, Spare};
use super::slot::{LONGEST_HOLD, Past, Slot, Taken};
use super::table::Table;
use super::{Cause, Count, Decision, Draw, Key, Now, Rule};
use crate::error::Result;
use crate::net::breaker;

pub use super::slot::Usage;

/// No connection: nothing holds a request but its draws.
pub const NO_GATE: Key = Key(0);
/// What a key that finds no room in the table gets of its amount.
const SPARE_SHARE: u64 = 16;

/// A connection's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateState {
    /// Until when the CRM has asked to wait.
    pub held_for: Option<Duration>,
    /// Until when nothing is tried, after failures.
    pub open_for: Option<Duration>,
    /// Failures in a row.
    pub failures: u32,
}

/// The counters of one host.
#[derive(Debug)]
pub struct Local {
    place: Place,
    /// For keys that find no room there.
    spare: OnceLock<Box<Spare>>,
}

/// A slot and the rule that holds there.
struct Seat<'a> {
    slot: &'a Slot,
    rule: Rule,
}

impl Local {
    /// Of a file that all processes of this user share, made if need be with so many slots; one that is there keeps its own.
    ///
    /// # Errors
    /// `Kind::Config`: the file is not this user's alone, or there is no room for it.
    pub fn shared(path: &Path, slots: usize) -> Result<Self> {
        Ok(Self::at(Place::shared(path, slots)?))
    }

    /// Of this process alone.
    #[must_use]
    pub fn private(slots: usize) -> Self {
        Self::at(Place::private(slots))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            spare: OnceLock::new(),
        }
    }

    /// Redis, which counts for all hosts, has answered a process of this host.
    pub fn answered(&self, now: Now) {
        self.table(now).answer(now.mono);
    }

    /// Redis has failed a process of this host. From the first failure on nothing counts as saved up: what it admitted last is
    /// not known here.
    pub fn unanswered(&self, now: Now) {
        let table = self.table(now);
        if table.silent_since(now).is_none() {
            table.lose(now.mono);
        }
    }

    /// For how long Redis has answered no process of this host; `None`: it did when it was asked last.
    #[must_use]
    pub fn silence(&self, now: Now) -> Option<Duration> {
        let since = self.table(now).silent_since(now)?;
        Some(Duration::from_nanos(now.mono.saturating_sub(since)))
    }

    /// Whether all that a request costs may be taken: then it is. Else nothing is.
    #[inline]
    pub fn take(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
        match draws {
            [draw] if gate == NO_GATE => self.take_of(self.table(now), draw, now),
            _ => self.take_gated(gate, draws, now),
        }
    }

    /// The same of one window alone: each step is in one place with the others, since a call costs as much as most of them.
    #[inline]
    fn take_of(&self, table: &Table, draw: &Draw, now: Now) -> Decision {
        let seat = self.seat(table, draw, now);
        match take_one(&seat, draw, 0, now, table.past(now)) {
            Ok(_) => {
                seat.slot.admitted.fetch_add(1, Relaxed);
                Decision::Go
            }
            Err((wait, cause)) => Decision::Wait(wait, cause),
        }
    }

    fn take_gated(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
        let table = self.table(now);
        let mut probe = None;
        if gate != NO_GATE
            && let Some(slot) = self.look(table, gate)
        {
            if let Some(wait) = slot.held(now.mono) {
                return Decision::Wait(wait, Cause::Told);
            }
            match breaker::state(&slot.breaker, now.mono) {
                breaker::State::Closed => {}
                breaker::State::Open(wait) => return Decision::Wait(wait, Cause::Broken),
                breaker::State::Due => probe = Some(slot),
            }
        }
        if let ([draw], None) = (draws, probe) {
            return self.take_of(table, draw, now);
        }
        let past = table.past(now);
        // Several are looked at first: what has to be put back again holds others up.
        if draws.len() > 1
            && let Some((wait, cause)) = self.longest_wait(table, draws, now, past)
        {
            return Decision::Wait(wait, cause);
        }
        match self.take_all(table, draws, 0, probe, now, past) {
            Ok(()) => Decision::Go,
            Err((wait, cause)) => Decision::Wait(wait, cause),
        }
    }

    fn longest_wait(&self, table: &Table, draws: &[Draw], now: Now, past: Past) -> Option<(u64, Cause)> {
        let waits = draws.iter().enumerate().filter_map(|(index, draw)| {
            let seat = self.seat(table, draw, now);
            let wait = match seat.slot.held(now.mono) {
                Some(wait) => (wait, Cause::Told),
                None => (
                    seat.slot.blocked(&seat.rule, draw.cost, now, past)?,
                    Cause::Window(index),
                ),
            };
            seat.slot.delayed.fetch_add(1, Relaxed);
            Some(wait)
        });
        waits.max_by_key(|(wait, _)| *wait)
    }

    /// One draw after the other; whoever comes later and is refused makes those before put back what they took.
    fn take_all(
        &self,
        table: &Table,
        draws: &[Draw],
        index: usize,
        probe: Option<&Slot>,
        now: Now,
        past: Past,
    ) -> std::result::Result<(), (u64, Cause)> {
        let Some((draw, others)) = draws.split_first() else {
            return match probe {
                Some(slot) if !breaker::probe(&slot.breaker, now.mono) => Err((breaker::OPEN, Cause::Broken)),
                _ => Ok(()),
            };
        };
        let seat = self.seat(table, draw, now);
        let taken = take_one(&seat, draw, index, now, past)?;
        self.take_all(table, others, index + 1, probe, now, past)
            .inspect(|()| {
                seat.slot.admitted.fetch_add(1, Relaxed);
            })
            .inspect_err(|_| seat.slot.undo(taken, &seat.rule, draw.cost, now))
    }

    /// Gives back what `take` took at `taken`, for a request that never left the machine.
    pub fn refund(&self, draws: &[Draw], taken: Now, now: Now) {
        let table = self.table(now);
        for draw in draws {
            let seat = self.seat(table, draw, now);
            seat.slot.refund(&seat.rule, draw.cost, taken, now);
            // `Err` where there is nothing to take off: the slot is a new one.
            let _ = seat
                .slot
                .admitted
                .fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1));
        }
    }

    /// A refusal for too many requests was read, of a request that started at `started`: nothing goes before `wait` is over.
    ///
    /// `quota`: the CRM says that it is the quota of hours or days that is used up, not the pace.
    pub fn limited(&self, gate: Key, draws: &[Draw], started: Now, now: Now, wait: Duration, quota: bool) {
        let table = self.table(now);
        let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX).min(LONGEST_HOLD);
        let until = now.mono.saturating_add(wait);
        if gate != NO_GATE {
            let slot = self.gate_slot(table, gate, now);
            slot.hold(until, now.mono);
            slot.limited.fetch_add(1, Relaxed);
        }
        for draw in draws {
            let Seat { slot, rule } = self.seat(table, draw, now);
            slot.limited.fetch_add(1, Relaxed);
            let is_paced = rule.count == Count::Paced;
            if is_paced || quota {
                slot.hold(until, now.mono);
            }
            if is_paced && !quota {
                slot.cut(started.mono, now.mono);
            }
            slot.begin_empty(&rule, until, now.mono);
        }
    }

    /// An answer of the CRM says what is left of a window, and how much there is.
    pub fn told(&self, draw: &Draw, remaining: u64, limit: Option<u64>, now: Now) {
        let seat = self.seat(self.table(now), draw, now);
        seat.slot.told(&seat.rule, remaining, limit, now);
    }

    /// A call has got an answer.
    pub fn succeeded(&self, gate: Key, now: Now) {
        if let Some(slot) = self.look(self.table(now), gate) {
            breaker::succeeded(&slot.breaker);
        }
    }

    /// A call has failed in a way that says that the CRM cannot be reached or does not work.
    pub fn failed(&self, gate: Key, now: Now) {
        if gate != NO_GATE {
            breaker::failed(&self.gate_slot(self.table(now), gate, now).breaker, now.mono);
        }
    }

    /// The state of a draw's window. Makes no slot.
    #[must_use]
    pub fn usage(&self, draw: &Draw, now: Now) -> Usage {
        let table = self.table(now);
        let past = table.past(now);
        let unused = Slot::default();
        match table.look(draw.key) {
            Some(slot) => slot.usage(&draw.rule, draw.cost, now, past),
            None => match self.spare.get().map(|spare| spare.of(draw.key)) {
                Some(slot) => slot.usage(&spare_share(draw.rule), draw.cost, now, past),
                None => unused.usage(&draw.rule, draw.cost, now, past),
            },
        }
    }

    /// The state of a connection. Makes no slot.
    #[must_use]
    pub fn gate(&self, gate: Key, now: Now) -> GateState {
        let Some(slot) = self.look(self.table(now), gate) else {
            return GateState {
                held_for: None,
                open_for: None,
                failures: 0,
            };
        };
        let kept = slot.breaker.load(Relaxed);
        GateState {
            held_for: slot.held(now.mono).map(Duration::from_nanos),
            open_for: match breaker::state(&slot.breaker, now.mono) {
                breaker::State::Closed => None,
                breaker::State::Due => Some(Duration::ZERO),
                breaker::State::Open(wait) => Some(Duration::from_nanos(wait)),
            },
            failures: u32::try_from(breaker::failures(kept)).unwrap_or(u32::MAX),
        }
    }

    /// Remembers how many hosts there are.
    pub fn set_hosts(&self, hosts: u64) {
        self.place.current().set_hosts(hosts);
    }

    /// How many hosts there were last; 0 where nobody has said.
    #[must_use]
    pub fn hosts(&self) -> u64 {
        self.place.current().hosts()
    }

    /// How many slots are in use, and how many there are.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        self.place.current().used()
    }

    /// For how long what was counted before has been unknown: the file was broken or removed; `None`: nothing is missing.
    #[must_use]
    pub fn damage(&self, now: Now) -> Option<Duration> {
        let at = self.table(now).past(now).broken;
        (at > 0).then(|| Duration::from_nanos(now.mono.saturating_sub(at)))
    }

    /// Whether other processes see what is counted here.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.place.is_shared()
    }

    /// The table that counts now.
    #[inline]
    pub(super) fn table(&self, now: Now) -> &Table {
        self.place.table(now.mono)
    }

    /// Where a draw counts: in the table, or in this process with a part of the amount if that is full.
    #[inline]
    fn seat<'a>(&'a self, table: &'a Table, draw: &Draw, now: Now) -> Seat<'a> {
        match table.slot(draw.key, &draw.rule, now) {
            Some(slot) => Seat { slot, rule: draw.rule },
            None => Seat {
                slot: self.spare_slot(draw.key),
                rule: spare_share(draw.rule),
            },
        }
    }

    fn gate_slot<'a>(&'a self, table: &'a Table, gate: Key, now: Now) -> &'a Slot {
        table.gate(gate, now).unwrap_or_else(|| self.spare_slot(gate))
    }

    /// A connection's slot, where it has one.
    fn look<'a>(&'a self, table: &'a Table, gate: Key) -> Option<&'a Slot> {
        table
            .look(gate)
            .or_else(|| self.spare.get().map(|spare| spare.of(gate)))
    }

    #[cold]
    fn spare_slot(&self, key: Key) -> &Slot {
        self.spare.get_or_init(Box::default).of(key)
    }
}

#[inline]
fn take_one(
    seat: &Seat<'_>,
    draw: &Draw,
    index: usize,
    now: Now,
    past: Past,
) -> std::result::Result<Taken, (u64, Cause)> {
    let refused = |wait, cause| {
        seat.slot.delayed.fetch_add(1, Relaxed);
        Err((wait, cause))
    };
    if let Some(wait) = seat.slot.held(now.mono) {
        return refused(wait, Cause::Told);
    }
    match seat.slot.take(&seat.rule, draw.cost, now, past) {
        Ok(taken) => Ok(taken),
        Err(wait) => refused(wait, Cause::Window(index)),
    }
}

fn spare_share(rule: Rule) -> Rule {
    Rule {
        amount: (rule.amount / SPARE_SHARE).max(1),
        burst: (rule.burst / SPARE_SHARE).max(1),
        ..rule
    }
}

//! The decision on one host: whether a request may go by all that it draws on, counted by all processes together.
//!
//! No locks, and no state of this process but where the counters are. Where they are kept is the business of `table` and `file`,
//! what happens to them of `slot`, waiting of the caller.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::file::{self, Mapped};
use super::shared::Memory;
use super::slot::{LONGEST_HOLD, SECOND, Slot};
use super::table::Table;
use super::{Cause, Count, Decision, Draw, Key, Now, Rule};
use crate::clock;
use crate::error::Result;
use crate::net::breaker;

pub use super::slot::Usage;

/// No connection: nothing holds a request but its draws.
pub const NO_GATE: Key = Key(0);
/// How often it is looked whether the file is still there.
const LOOK: u64 = SECOND;
/// How often one process goes over to another file, at most: each one before stays mapped.
const MOST_FILES: usize = 64;
/// Slots of this process for keys that find no room in the table. They are shared by whoever comes to lie there.
const SPARE_SLOTS: usize = 1024;
/// What such a key gets of its amount.
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
    first: Place,
    /// The shared file, and how many slots a new one gets.
    file: Option<(PathBuf, usize)>,
    /// When it was last looked at.
    looked: AtomicU64,
    spare: OnceLock<Box<Spare>>,
}

/// Where the counters are, and where they went from there when the file was replaced.
#[derive(Debug)]
struct Place {
    table: Table,
    /// `None`: memory of this process.
    file: Option<Mapped>,
    next: OnceLock<Box<Place>>,
}

impl Place {
    fn new(memory: Memory, file: Option<Mapped>) -> Self {
        Self {
            table: Table::new(memory),
            file,
            next: OnceLock::new(),
        }
    }
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
        let (memory, mapped) = file::open(path, slots, false)?;
        Ok(Self::of(memory, Some(mapped), Some((path.to_owned(), slots))))
    }

    /// Of this process alone.
    #[must_use]
    pub fn private(slots: usize) -> Self {
        let slots = slots.clamp(*file::SLOTS.start(), *file::SLOTS.end());
        Self::of(Memory::own(slots), None, None)
    }

    fn of(memory: Memory, mapped: Option<Mapped>, file: Option<(PathBuf, usize)>) -> Self {
        Self {
            first: Place::new(memory, mapped),
            file,
            looked: AtomicU64::new(0),
            spare: OnceLock::new(),
        }
    }

    /// From `now` on nothing counts as saved up: as after a loss. For a table that takes over from one that is away.
    pub fn begin_empty(&self, now: Now) {
        let header = self.table(now).memory.header();
        header.lost.store(now.mono.max(1), Relaxed);
    }

    /// Whether all that a request costs may be taken: then it is. Else nothing is.
    pub fn take(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
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
        let lost = table.lost(now);
        // Several are looked at first: what has to be put back again holds others up.
        if draws.len() > 1
            && let Some((wait, cause)) = self.longest_wait(table, draws, now, lost)
        {
            return Decision::Wait(wait, cause);
        }
        match self.take_all(table, draws, 0, probe, now, lost) {
            Ok(()) => Decision::Go,
            Err((wait, cause)) => Decision::Wait(wait, cause),
        }
    }

    fn longest_wait(&self, table: &Table, draws: &[Draw], now: Now, lost: u64) -> Option<(u64, Cause)> {
        let waits = draws.iter().enumerate().filter_map(|(index, draw)| {
            let seat = self.seat(table, draw, now);
            let wait = match seat.slot.held(now.mono) {
                Some(wait) => (wait, Cause::Told),
                None => (
                    seat.slot.blocked(&seat.rule, draw.cost, now, lost)?,
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
        lost: u64,
    ) -> std::result::Result<(), (u64, Cause)> {
        let Some((draw, others)) = draws.split_first() else {
            return match probe {
                Some(slot) if !breaker::probe(&slot.breaker, now.mono) => Err((breaker::OPEN, Cause::Broken)),
                _ => Ok(()),
            };
        };
        let seat = self.seat(table, draw, now);
        if let Some(wait) = seat.slot.held(now.mono) {
            seat.slot.delayed.fetch_add(1, Relaxed);
            return Err((wait, Cause::Told));
        }
        let taken = seat.slot.take(&seat.rule, draw.cost, now, lost).map_err(|wait| {
            seat.slot.delayed.fetch_add(1, Relaxed);
            (wait, Cause::Window(index))
        })?;
        self.take_all(table, others, index + 1, probe, now, lost)
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
        let lost = table.lost(now);
        let unused = Slot::default();
        match table.look(draw.key) {
            Some(slot) => slot.usage(&draw.rule, draw.cost, now, lost),
            None => match self.spare.get().map(|spare| spare.of(draw.key)) {
                Some(slot) => slot.usage(&spare_share(draw.rule), draw.cost, now, lost),
                None => unused.usage(&draw.rule, draw.cost, now, lost),
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
        self.current().0.table.memory.header().hosts.store(hosts, Relaxed);
    }

    /// How many hosts there were last; 0 where nobody has said.
    #[must_use]
    pub fn hosts(&self) -> u64 {
        self.current().0.table.memory.header().hosts.load(Relaxed)
    }

    /// How many slots are in use, and how many there are.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        self.current().0.table.used()
    }

    /// Whether other processes see what is counted here.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.current().0.file.is_some()
    }

    /// Where the counters are now, and how many files there were before.
    fn current(&self) -> (&Place, usize) {
        let mut place = &self.first;
        let mut files = 0;
        while let Some(next) = place.next.get() {
            place = next;
            files += 1;
        }
        (place, files)
    }

    /// The table that counts now.
    pub(super) fn table(&self, now: Now) -> &Table {
        let (place, files) = self.current();
        if let Some((path, slots)) = &self.file
            && self.is_time_to_look(now.mono)
            && files < MOST_FILES
        {
            look_after(path, *slots, place);
        }
        place.next.get().map_or(&place.table, |next| &next.table)
    }

    fn is_time_to_look(&self, now: u64) -> bool {
        let looked = self.looked.load(Relaxed);
        now.abs_diff(looked) >= LOOK && self.looked.compare_exchange(looked, now, Relaxed, Relaxed).is_ok()
    }

    /// Where a draw counts: in the table, or in this process with a part of the amount if that is full.
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

    fn spare_slot(&self, key: Key) -> &Slot {
        self.spare.get_or_init(Box::default).of(key)
    }
}

/// Slots for keys that find no room in the table.
#[derive(Debug)]
struct Spare {
    first: Slot,
    others: Box<[Slot]>,
}

impl Default for Spare {
    fn default() -> Self {
        Self {
            first: Slot::default(),
            others: (1..SPARE_SLOTS).map(|_| Slot::default()).collect(),
        }
    }
}

impl Spare {
    fn of(&self, key: Key) -> &Slot {
        usize::try_from(key.0 % SPARE_SLOTS as u128)
            .ok()
            .and_then(|place| self.others.get(place))
            .unwrap_or(&self.first)
    }
}

fn spare_share(rule: Rule) -> Rule {
    Rule {
        amount: (rule.amount / SPARE_SHARE).max(1),
        burst: (rule.burst / SPARE_SHARE).max(1),
        ..rule
    }
}

/// Sees whether the file is still the one that is mapped, and goes over to the new one if not.
fn look_after(path: &Path, slots: usize, place: &Place) {
    if place.file.as_ref().is_some_and(|mapped| mapped.is_at(path)) {
        return;
    }
    let next = match file::open(path, slots, true) {
        Ok((memory, mapped)) => Place::new(memory, Some(mapped)),
        // There is no other, but its pages are gone: alone, and as after a loss.
        Err(_) if place.file.as_ref().is_some_and(Mapped::is_cut_short) => {
            let memory = Memory::own(slots);
            memory.header().lost.store(clock::monotonic().max(1), Relaxed);
            Place::new(memory, None)
        }
        // Those who have it mapped go on with it, and try again.
        Err(_) => return,
    };
    // `Err` where another thread was faster: its place is as good.
    let _ = place.next.set(Box::new(next));
}

//! Whose slot is where: keys find, claim and take over slots without locks, and a process killed anywhere holds nobody up.
//!
//! A claim is one exchange of the first half of the key; the second half is added by whoever comes along. A slot that nobody has
//! seen for a day is taken over by exchanging the time it was seen at. What a slot counts is the business of `slot`.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, SeqCst},
};

use super::shared::Memory;
use super::slot::{Past, SECOND, Slot, span};
use super::tally::{BUCKETS, Span};
use super::{Count, Key, Now, Rule};

/// Words of the header that are not used yet.
const SPARE: usize = 23;
/// A key lies at most so many slots after its place.
const REACH: usize = 1024;
/// Seconds after which a slot that nobody has seen may be taken over; counted windows that are longer stay as long.
const KEPT: u64 = 25 * 3600;
/// A time further ahead than clocks of one host can be read apart is corrupt.
const APART: u64 = 60;
/// The first half of a key whose slot was given up.
const FREE: u64 = 1;
/// How often a key is looked for again where it met with others.
const ATTEMPTS: usize = 4;

/// What kind of window a slot counts, beside the time it was seen at: nothing that is counted,
const PACED: u64 = 0;
/// days,
const DAYS: u64 = 1;
/// or buckets of so many milliseconds, above 1. This says that it is being taken over.
const TAKING: u64 = u32::MAX as u64;

/// What is said of the whole table. The order of the words is the layout of the shared file.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Header {
    /// Says that it is one.
    pub(super) magic: AtomicU64,
    /// The layout.
    pub(super) version: AtomicU64,
    /// Since when the machine is up: other monotonic times mean nothing.
    pub(super) boot: AtomicU64,
    /// How many slots follow.
    pub(super) slots: AtomicU64,
    /// When it was made.
    pub(super) made: AtomicU64,
    /// When it was made in the place of one that was lost, or 0: nothing had been saved up before then.
    pub(super) lost: AtomicU64,
    /// How many hosts were known last.
    pub(super) hosts: AtomicU64,
    /// When Redis, which counts for all hosts, answered somebody here last.
    pub(super) answered: AtomicU64,
    /// When it was made in the place of one that was broken or gone, or 0: nobody knows what had been counted before then.
    pub(super) broken: AtomicU64,
    spare: [AtomicU64; SPARE],
}

impl Header {
    /// The words as they are in the file.
    pub(super) fn words(&self) -> [u64; 9] {
        [
            &self.magic,
            &self.version,
            &self.boot,
            &self.slots,
            &self.made,
            &self.lost,
            &self.hosts,
            &self.answered,
            &self.broken,
        ]
        .map(|word| word.load(Relaxed))
    }
}

/// Slots by key.
#[derive(Debug)]
pub struct Table {
    memory: Memory,
}

/// Where a key is.
enum Found<'a> {
    At(&'a Slot),
    /// It has none; the chain ends here.
    Empty(&'a Slot),
    /// Every place that it may have is another's.
    Full,
}

/// A key's halves: neither looks like an empty slot or one given up.
const fn halves(key: Key) -> (u64, u64) {
    #[expect(clippy::cast_possible_truncation, reason = "the halves")]
    let (low, high) = (key.0 as u64, (key.0 >> 64) as u64);
    (
        if low <= FREE { low | 1 << 63 } else { low },
        if high == 0 { 1 << 63 } else { high },
    )
}

/// The second half of a slot's key, which is `high` if there is none: whoever claimed it may have been killed before that.
fn second_half(slot: &Slot, high: u64) -> u64 {
    match slot.high.load(SeqCst) {
        0 => match slot.high.compare_exchange(0, high, SeqCst, SeqCst) {
            Ok(_) => high,
            Err(other) => other,
        },
        other => other,
    }
}

/// What kind of window the rule's slot counts.
#[inline]
fn kind(rule: &Rule, now: Now) -> u64 {
    match rule.count {
        Count::Paced => PACED,
        Count::Daily(_) => DAYS,
        Count::Rolling => span(rule, now).map_or(PACED, |span| span.length().clamp(DAYS + 1, TAKING - 1)),
    }
}

impl Table {
    /// In this memory.
    #[must_use]
    pub fn new(memory: Memory) -> Self {
        Self { memory }
    }

    /// The first slot that may be a key's.
    #[inline]
    fn place(&self, low: u64, high: u64) -> usize {
        // Keys are hashes, mostly; multiplying spreads those that are not, and finds the place without a division.
        let mixed = (low ^ high.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = (u128::from(mixed) * self.memory.slots().len() as u128) >> 64;
        usize::try_from(place).unwrap_or(0)
    }

    /// The slots in the order in which they may be a key's.
    fn chain(&self, low: u64, high: u64) -> impl Iterator<Item = &Slot> {
        let slots = self.memory.slots();
        let (before, after) = slots.split_at_checked(self.place(low, high)).unwrap_or((slots, &[]));
        after.iter().chain(before).take(REACH)
    }

    fn find(&self, low: u64, high: u64) -> Found<'_> {
        for slot in self.chain(low, high) {
            let kept = slot.low.load(SeqCst);
            if kept == low {
                if second_half(slot, high) == high {
                    return Found::At(slot);
                }
            } else if kept == 0 {
                return Found::Empty(slot);
            }
        }
        Found::Full
    }

    /// A key's slot, where it has one.
    #[must_use]
    pub fn look(&self, key: Key) -> Option<&Slot> {
        let (low, high) = halves(key);
        match self.find(low, high) {
            Found::At(slot) => Some(slot),
            Found::Empty(_) | Found::Full => None,
        }
    }

    /// A rule's slot, made if need be; `None` if the table is full.
    #[inline]
    #[must_use]
    pub fn slot(&self, key: Key, rule: &Rule, now: Now) -> Option<&Slot> {
        self.slot_of_kind(key, kind(rule, now), now)
    }

    /// The slot of a connection, made if need be.
    #[must_use]
    pub fn gate(&self, key: Key, now: Now) -> Option<&Slot> {
        self.slot_of_kind(key, PACED, now)
    }

    /// A key's slot, made if need be, of a window of this kind.
    #[inline]
    pub(super) fn slot_of_kind(&self, key: Key, kind: u64, now: Now) -> Option<&Slot> {
        let (low, high) = halves(key);
        let stamp = ((now.mono / SECOND) << 32) | kind;
        // Nearly always it lies in its place, and has been seen in this second.
        if let Some(slot) = self.memory.slots().get(self.place(low, high))
            && slot.low.load(Acquire) == low
            && slot.high.load(Relaxed) == high
            && slot.seen.load(Relaxed) == stamp
        {
            return Some(slot);
        }
        self.find_or_claim(low, high, stamp, now)
    }

    fn find_or_claim(&self, low: u64, high: u64, stamp: u64, now: Now) -> Option<&Slot> {
        for _ in 0..ATTEMPTS {
            match self.find(low, high) {
                Found::At(slot) => {
                    if slot.seen.load(Relaxed) == stamp {
                        return Some(slot);
                    }
                    // Seen first, then looked at again: whoever takes it over does it the other way round.
                    slot.seen.store(stamp, SeqCst);
                    if slot.low.load(SeqCst) == low {
                        return Some(slot);
                    }
                }
                // Whoever wins it, it is looked at again.
                Found::Empty(slot) => {
                    let _ = slot.low.compare_exchange(0, low, SeqCst, SeqCst);
                }
                Found::Full => self.take_over(low, high, stamp, now)?,
            }
        }
        None
    }

    /// Takes over the first slot that nobody has seen for long.
    fn take_over(&self, low: u64, high: u64, stamp: u64, now: Now) -> Option<()> {
        let slot = self.chain(low, high).find(|slot| is_old(slot, now))?;
        let seen = slot.seen.load(SeqCst);
        let former = slot.low.load(SeqCst);
        let mine = stamp | TAKING;
        if !is_old(slot, now) || slot.seen.compare_exchange(seen, mine, SeqCst, SeqCst).is_err() {
            // Another was faster: look again.
            return Some(());
        }
        slot.low.store(FREE, SeqCst);
        if slot.seen.load(SeqCst) != mine {
            // Its owner has come back.
            let _ = slot.low.compare_exchange(FREE, former, SeqCst, SeqCst);
            return Some(());
        }
        slot.clear();
        slot.high.store(high, SeqCst);
        slot.low.store(low, SeqCst);
        slot.seen.store(stamp, SeqCst);
        // Two processes may have made two slots of one key: at least one of them sees it, and gives its own up.
        let is_twice = self.chain(low, high).any(|other| {
            !std::ptr::eq(other, slot) && other.low.load(SeqCst) == low && other.high.load(SeqCst) == high
        });
        if is_twice {
            slot.low.store(FREE, SeqCst);
            slot.seen.store(0, SeqCst);
        }
        Some(())
    }

    /// What is known of the time before.
    #[inline]
    #[must_use]
    pub fn past(&self, now: Now) -> Past {
        let header = self.memory.header();
        Past {
            lost: moment(&header.lost, now),
            broken: moment(&header.broken, now),
        }
    }

    /// From then on it counts alone, and knows of no past.
    pub(super) fn break_off(&self, at: u64) {
        self.lose(at);
        self.memory.header().broken.store(at.max(1), Relaxed);
    }

    /// A checkpoint has told what had been counted.
    pub(super) fn vouch(&self) {
        self.memory.header().broken.store(0, Relaxed);
    }

    /// From then on nothing counts as saved up.
    pub(super) fn lose(&self, at: u64) {
        self.memory.header().lost.store(at.max(1), Relaxed);
    }

    /// Redis has answered.
    pub(super) fn answer(&self, at: u64) {
        self.memory.header().answered.store(at, Relaxed);
    }

    /// Since when Redis has not answered anybody here; `None`: it did when it was asked last.
    pub(super) fn silent_since(&self, now: Now) -> Option<u64> {
        let lost = self.past(now).lost;
        let answered = self.memory.header().answered.load(Relaxed).min(now.mono);
        (lost > answered).then_some(lost)
    }

    /// How many hosts were known last.
    pub(super) fn hosts(&self) -> u64 {
        self.memory.header().hosts.load(Relaxed)
    }

    pub(super) fn set_hosts(&self, hosts: u64) {
        self.memory.header().hosts.store(hosts, Relaxed);
    }

    /// How many slots are in use, and how many there are.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        let slots = self.memory.slots();
        let used = slots.iter().filter(|slot| slot.low.load(Relaxed) > FREE).count();
        (used, slots.len())
    }

    /// The slots that count, with their keys, their kinds and where this moment lies in them.
    pub(super) fn counted(&self, now: Now) -> impl Iterator<Item = (Key, u64, &Slot, Span)> {
        self.memory.slots().iter().filter_map(move |slot| {
            let (low, high) = (slot.low.load(SeqCst), slot.high.load(SeqCst));
            let kind = slot.seen.load(SeqCst) & TAKING;
            let span = span_of_kind(kind, now)?;
            (low > FREE && high != 0).then(|| (Key(u128::from(high) << 64 | u128::from(low)), kind, slot, span))
        })
    }
}

/// A time that has passed, or 0.
#[inline]
fn moment(word: &AtomicU64, now: Now) -> u64 {
    let at = word.load(Relaxed);
    if at > now.mono {
        // It cannot be: by now at the latest.
        word.store(now.mono, Relaxed);
        return now.mono;
    }
    at
}

/// Where this moment lies in a window of this kind.
pub(super) fn span_of_kind(kind: u64, now: Now) -> Option<Span> {
    match kind {
        DAYS => Some(Span::any_day(now.unix)),
        length if length > DAYS && length < TAKING => Some(Span::of_parts(length, now.unix)),
        _ => None,
    }
}

/// Whether a slot may be taken over.
fn is_old(slot: &Slot, now: Now) -> bool {
    let seen = slot.seen.load(SeqCst);
    let (at, kind) = (seen >> 32, seen & TAKING);
    let second = now.mono / SECOND;
    let kept = match kind {
        PACED | DAYS | TAKING => KEPT,
        length => KEPT.max(length.saturating_mul(BUCKETS as u64) / 1000),
    };
    let is_corrupt = at > second.saturating_add(APART);
    (is_corrupt || second.saturating_sub(at) > kept || slot.low.load(SeqCst) == FREE && kind != TAKING)
        && slot.is_quiet(now.mono)
}

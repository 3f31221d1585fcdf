//! What is kept of one key: 32 words, each changed in one step, so that a process killed anywhere leaves nothing half done.
//!
//! Any bits may be in them: what cannot be is cut down to what can. Which slot is whose is the business of `table`.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use super::gcra::{Pace, Verdict};
use super::tally::{self, Ring, Span};
use super::{Count, Now, Rule};

/// A hold ends after this at the latest; a later one is corrupt.
pub const LONGEST_HOLD: u64 = 31 * 24 * 3600 * SECOND;
/// A second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// The whole, of which a cut takes a part.
const WHOLE: u64 = 1 << 16;
/// A cut leaves 1/16.
const MOST_CUT: u64 = WHOLE - WHOLE / 16;
/// Nanoseconds of a tick, by which the time of a cut is kept.
const TICK_BITS: u32 = 16;
/// What comes back in a million ticks, of the whole: 2 % of it in a minute.
const RECOVERY: u64 = 1432;
/// A cut at a time further ahead than clocks of one host can be read apart is corrupt.
const APART: u64 = (10 * SECOND) >> TICK_BITS;

/// Who the slot belongs to and what has happened there. The order of the words is the layout of the shared file.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Slot {
    /// Half of the key; 0 in an empty slot.
    pub(super) low: AtomicU64,
    /// The other half.
    pub(super) high: AtomicU64,
    /// When it was last used, in seconds, and what kind of window it counts: see `table`.
    pub(super) seen: AtomicU64,
    /// `Count::Paced`: when everything taken is paid off.
    paid: AtomicU64,
    /// Until when the CRM has asked to wait.
    hold: AtomicU64,
    /// When a refusal took off a part of the amount, in ticks, and which part.
    cut: AtomicU64,
    /// The amount that the CRM itself has named, where it is smaller.
    told: AtomicU64,
    /// Requests let through.
    pub(super) admitted: AtomicU64,
    /// Requests told to wait.
    pub(super) delayed: AtomicU64,
    /// Refusals by the CRM.
    pub(super) limited: AtomicU64,
    /// See `net::breaker`.
    pub(super) breaker: AtomicU64,
    /// The other windows: what was counted.
    pub(super) ring: Ring,
}

/// What has been taken of a slot, to be put back exactly where nobody else came between.
#[derive(Debug, Clone, Copy)]
pub enum Taken {
    /// The number before and after.
    Paced(u64, u64),
    /// A count.
    Counted,
}

/// What is known of the time before: monotonic times, 0 where nothing was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// Before this, nothing counts as saved up.
    pub lost: u64,
    /// What was counted before this, nobody knows.
    pub broken: u64,
}

/// A window's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// What has been used: of an evenly paced window what is not paid off yet.
    pub used: u64,
    /// What may go at once.
    pub left: u64,
    /// The part of the amount that is in use now, after refusals and by what the CRM has told: 1.0 is all of it.
    pub factor: f64,
    /// When the draw's cost may go, where it may not now.
    pub free_in: Option<std::time::Duration>,
    /// Until when the CRM has asked to wait.
    pub held_for: Option<std::time::Duration>,
    /// Requests let through since the slot is there.
    pub admitted: u64,
    /// Requests told to wait.
    pub delayed: u64,
    /// Refusals by the CRM.
    pub limited: u64,
}

/// A period in nanoseconds.
#[inline]
fn nanoseconds(rule: &Rule) -> u64 {
    rule.period
        .as_secs()
        .saturating_mul(SECOND)
        .saturating_add(u64::from(rule.period.subsec_nanos()))
}

/// Where this moment lies in a counted window.
pub(super) fn span(rule: &Rule, now: Now) -> Option<Span> {
    match rule.count {
        Count::Paced => None,
        Count::Rolling => Some(Span::rolling(nanoseconds(rule).div_ceil(1_000_000), now.unix)),
        Count::Daily(offset) => Some(Span::daily(offset, now.unix)),
    }
}

/// How long one of a window's amount takes to come back.
fn one_of(rule: &Rule) -> u64 {
    (nanoseconds(rule) / rule.amount.max(1)).max(SECOND)
}

/// When everything is paid off: in a table that lost its past not before a burst after that.
#[inline]
const fn floor(paid: u64, pace: &Pace, lost: u64) -> u64 {
    let least = if lost == 0 { 0 } else { pace.leaving(0, lost) };
    if paid < least { least } else { paid }
}

/// So much of it, at least 1.
fn part(amount: u64, of_whole: u64) -> u64 {
    let part = u128::from(amount) * u128::from(of_whole) / u128::from(WHOLE);
    u64::try_from(part).unwrap_or(amount).max(1)
}

impl Slot {
    /// The part of the amount that refusals have left.
    fn remaining(&self, now: u64) -> u64 {
        let kept = self.cut.load(Relaxed);
        if kept == 0 {
            return WHOLE;
        }
        let (at, off) = (kept >> TICK_BITS, kept & (WHOLE - 1));
        let tick = now >> TICK_BITS;
        if at > tick.saturating_add(APART) {
            return WHOLE;
        }
        let back = tick.saturating_sub(at).saturating_mul(RECOVERY) / 1_000_000;
        WHOLE - off.min(MOST_CUT).saturating_sub(back)
    }

    /// The amount and the burst that hold now.
    #[inline]
    fn effective(&self, rule: &Rule, now: u64) -> (u64, u64) {
        let told = self.told.load(Relaxed);
        if told == 0 && self.cut.load(Relaxed) == 0 {
            return (rule.amount, rule.burst);
        }
        self.lowered(rule, told, now)
    }

    /// The same, where the CRM has refused or told something.
    #[cold]
    fn lowered(&self, rule: &Rule, told: u64, now: u64) -> (u64, u64) {
        let remaining = self.remaining(now);
        let amount = part(rule.amount, remaining);
        let burst = part(rule.burst, remaining);
        if told == 0 || told >= amount {
            return (amount, burst);
        }
        let burst = u128::from(burst) * u128::from(told) / u128::from(amount);
        (told, u64::try_from(burst).unwrap_or(1).max(1))
    }

    /// What may be counted of a window: before a loss it is taken to have been used evenly and fully.
    fn counted(&self, rule: &Rule, now: Now, past: Past) -> u64 {
        let amount = self.effective(rule, now.mono).0;
        if past.broken == 0 {
            return amount;
        }
        let since = now.mono.saturating_sub(past.broken) / 1_000_000;
        let period = nanoseconds(rule) / 1_000_000;
        let (unknown, whole) = match rule.count {
            Count::Daily(offset) => (tally::of_day(offset, now.unix).saturating_sub(since), tally::DAY),
            Count::Paced | Count::Rolling => (period.saturating_sub(since), period),
        };
        // Rounded up: what nobody knows of is no gift.
        let used = (u128::from(amount) * u128::from(unknown)).div_ceil(u128::from(whole.max(1)));
        amount - u64::try_from(used).unwrap_or(amount).min(amount)
    }

    #[inline]
    fn pace(&self, rule: &Rule, now: u64) -> Pace {
        let (amount, burst) = self.effective(rule, now);
        Pace::new(amount, burst, nanoseconds(rule))
    }

    /// Nanoseconds for which the CRM has asked to wait.
    #[inline]
    #[must_use]
    pub fn held(&self, now: u64) -> Option<u64> {
        let hold = self.hold.load(Relaxed);
        if hold <= now {
            return None;
        }
        if hold - now > LONGEST_HOLD {
            // It cannot be; taken away, or it would hold when its time comes near.
            let _ = self.hold.compare_exchange(hold, 0, SeqCst, Relaxed);
            return None;
        }
        Some(hold - now)
    }

    /// How long `cost` would have to wait for the window. Takes nothing.
    #[must_use]
    pub fn blocked(&self, rule: &Rule, cost: u64, now: Now, past: Past) -> Option<u64> {
        if let Some(span) = span(rule, now) {
            return match self.counted(rule, now, past) {
                0 => (cost > 0).then(|| one_of(rule)),
                amount => tally::blocked(&self.ring, &span, amount, cost),
            };
        }
        let pace = self.pace(rule, now.mono);
        let kept = self.paid.load(Relaxed);
        match pace.decide(floor(kept, &pace, past.lost), now.mono, cost) {
            Verdict::Go(_) => None,
            Verdict::Wait(wait, honest) => {
                // Put right, or it would lie ahead for ever. `Err` where somebody else has done so.
                let _ = honest.map(|honest| self.paid.compare_exchange(kept, honest, SeqCst, Relaxed));
                Some(wait)
            }
        }
    }

    /// Takes `cost` of the window.
    ///
    /// # Errors
    /// Nothing is taken: nanoseconds to wait.
    #[inline]
    pub fn take(&self, rule: &Rule, cost: u64, now: Now, past: Past) -> Result<Taken, u64> {
        if rule.count != Count::Paced
            && let Some(span) = span(rule, now)
        {
            return self.count(rule, &span, cost, now, past);
        }
        let pace = self.pace(rule, now.mono);
        let mut kept = self.paid.load(Relaxed);
        loop {
            let (next, verdict) = match pace.decide(floor(kept, &pace, past.lost), now.mono, cost) {
                Verdict::Go(next) => (next, Ok(Taken::Paced(kept, next))),
                Verdict::Wait(wait, None) => return Err(wait),
                // Put right, or it would lie ahead for ever.
                Verdict::Wait(wait, Some(honest)) => (honest, Err(wait)),
            };
            match self.paid.compare_exchange_weak(kept, next, SeqCst, Relaxed) {
                Ok(_) => return verdict,
                Err(other) => kept = other,
            }
        }
    }

    fn count(&self, rule: &Rule, span: &Span, cost: u64, now: Now, past: Past) -> Result<Taken, u64> {
        let amount = self.counted(rule, now, past);
        if amount == 0 && cost > 0 {
            return Err(one_of(rule));
        }
        tally::take(&self.ring, span, amount, cost).map(|()| Taken::Counted)
    }

    /// Puts back what was taken just now.
    pub fn undo(&self, taken: Taken, rule: &Rule, cost: u64, now: Now) {
        if let Taken::Paced(before, after) = taken
            && self.paid.compare_exchange(after, before, SeqCst, Relaxed).is_ok()
        {
            return;
        }
        self.refund(rule, cost, now, now);
    }

    /// Gives back what was taken at `taken`.
    pub fn refund(&self, rule: &Rule, cost: u64, taken: Now, now: Now) {
        if let Some(span) = span(rule, taken) {
            tally::give_back(&self.ring, &span, cost);
            return;
        }
        let pace = self.pace(rule, now.mono);
        let next = |paid| Some(pace.given_back(paid, taken.mono, now.mono, cost));
        // Never `Err`: there is always a next number.
        let _ = self.paid.fetch_update(SeqCst, Relaxed, next);
    }

    /// The CRM asks to wait until then.
    pub fn hold(&self, until: u64, now: u64) {
        let next = |hold: u64| {
            let is_honest = hold <= now.saturating_add(LONGEST_HOLD);
            (!is_honest || hold < until).then_some(until)
        };
        // None: it has asked for more already.
        let _ = self.hold.fetch_update(SeqCst, Relaxed, next);
    }

    /// A request that started at `started` was refused: halves what is used of the amount, once for all that were under way.
    pub fn cut(&self, started: u64, now: u64) {
        let (began, tick) = (started >> TICK_BITS, now >> TICK_BITS);
        let next = |kept: u64| {
            let at = kept >> TICK_BITS;
            let is_honest = kept != 0 && at <= tick.saturating_add(APART);
            if is_honest && began <= at {
                return None;
            }
            Some(tick << TICK_BITS | (WHOLE - self.remaining(now) / 2))
        };
        // None: it belongs to what has been seen already.
        let _ = self.cut.fetch_update(SeqCst, Relaxed, next);
    }

    /// From `until` on no burst: what was saved up meanwhile would come all at once, into a window that is just opening.
    pub fn begin_empty(&self, rule: &Rule, until: u64, now: u64) {
        if rule.count == Count::Paced {
            let pace = self.pace(rule, now);
            self.paid.fetch_max(pace.leaving(1, until), SeqCst);
        }
    }

    /// What the CRM itself says of this window.
    pub fn told(&self, rule: &Rule, remaining: u64, limit: Option<u64>, now: Now) {
        if let Some(limit) = limit {
            let smaller = if limit < rule.amount { limit.max(1) } else { 0 };
            if self.told.load(Relaxed) != smaller {
                self.told.store(smaller, Relaxed);
            }
        }
        if let Some(span) = span(rule, now) {
            let used = limit.unwrap_or(rule.amount).saturating_sub(remaining);
            tally::raise(&self.ring, &span, used);
            return;
        }
        let pace = self.pace(rule, now.mono);
        if pace.left(self.paid.load(Relaxed), now.mono) > remaining {
            self.paid.fetch_max(pace.leaving(remaining, now.mono), SeqCst);
        }
    }

    /// The state of the window.
    #[must_use]
    pub fn usage(&self, rule: &Rule, cost: u64, now: Now, past: Past) -> Usage {
        let (amount, _) = self.effective(rule, now.mono);
        let (used, left) = match span(rule, now) {
            Some(span) => {
                let used = tally::used(&self.ring, &span) + (amount - self.counted(rule, now, past));
                (used, amount.saturating_sub(used))
            }
            None => {
                let pace = self.pace(rule, now.mono);
                let paid = floor(self.paid.load(Relaxed), &pace, past.lost);
                (pace.used(paid, now.mono), pace.left(paid, now.mono))
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a part of the whole, to be shown")]
        let factor = amount as f64 / rule.amount.max(1) as f64;
        Usage {
            used,
            left,
            factor: factor.min(1.0),
            free_in: self.blocked(rule, cost, now, past).map(std::time::Duration::from_nanos),
            held_for: self.held(now.mono).map(std::time::Duration::from_nanos),
            admitted: self.admitted.load(Relaxed),
            delayed: self.delayed.load(Relaxed),
            limited: self.limited.load(Relaxed),
        }
    }

    /// Whether nothing in it matters any more, apart from what was counted.
    pub(super) fn is_quiet(&self, now: u64) -> bool {
        let paid = self.paid.load(SeqCst);
        self.held(now).is_none() && (paid <= now || paid - now > LONGEST_HOLD)
    }

    /// Empties it for another key.
    pub(super) fn clear(&self) {
        for word in [
            &self.paid,
            &self.hold,
            &self.cut,
            &self.told,
            &self.admitted,
            &self.delayed,
            &self.limited,
            &self.breaker,
        ]
        .into_iter()
        .chain(&self.ring)
        {
            word.store(0, SeqCst);
        }
    }
}

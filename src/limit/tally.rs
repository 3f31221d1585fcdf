//! Windows that are counted: a ring of buckets by the wall clock, for windows that look back and for those that begin anew
//! each day.
//!
//! A bucket is one word, its number and its count, so that it can be replaced in one step. Which rule is counted here is the
//! business of `slot`.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Into how many buckets a window is cut.
const PARTS: u64 = 20;
/// One more than the parts: the bucket that begins, and the whole window before it.
pub const BUCKETS: usize = 21;
/// The buckets of one key.
pub type Ring = [AtomicU64; BUCKETS];

const COUNT_BITS: u32 = 40;
const TAG: u64 = (1 << (64 - COUNT_BITS)) - 1;
/// A bucket counts no further; amounts above are taken as this.
pub const MOST: u64 = (1 << COUNT_BITS) - 1;
pub(super) const DAY: u64 = 86_400_000;
/// How often somebody who met others in the last free place looks again before the request has to wait.
const ATTEMPTS: u32 = 8;
/// What a request waits that found no place only because others were being turned away at this moment.
const MOMENT: u64 = 1_000_000;

/// Where a moment lies in a window: bucket numbers, times in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The bucket of this moment.
    pub index: u64,
    /// How long a bucket is.
    length: u64,
    /// After midnight UTC.
    offset: u64,
    /// How many buckets before this one count too.
    back: u64,
    /// How many after it, where a clock was set back.
    ahead: u64,
    /// The moment.
    now: u64,
}

impl Span {
    /// Of a window that looks back so many milliseconds.
    #[must_use]
    pub fn rolling(period: u64, now: u64) -> Self {
        Self::of_parts(period.div_ceil(PARTS), now)
    }

    /// The same, of a window whose parts are known.
    #[must_use]
    pub fn of_parts(length: u64, now: u64) -> Self {
        let length = length.max(1);
        Self {
            index: now / length,
            length,
            offset: 0,
            back: PARTS,
            ahead: PARTS,
            now,
        }
    }

    /// Of a window that begins anew each day, so many seconds after midnight UTC.
    #[must_use]
    pub fn daily(offset: u32, now: u64) -> Self {
        let offset = u64::from(offset).saturating_mul(1000);
        Self {
            index: now.saturating_sub(offset) / DAY,
            length: DAY,
            offset,
            back: 0,
            ahead: 1,
            now,
        }
    }

    /// Of any day's window whose beginning is not known: yesterday's may still be the one that counts.
    #[must_use]
    pub fn any_day(now: u64) -> Self {
        Self {
            back: 1,
            ..Self::daily(0, now)
        }
    }

    /// How long its buckets are, in milliseconds.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Whether a bucket counts that has passed, or is the one of this moment.
    #[must_use]
    pub const fn counts(&self, index: u64) -> bool {
        index <= self.index && self.index - index <= self.back
    }

    /// The count of a bucket that counts now.
    fn counted(&self, word: u64) -> u64 {
        // From the furthest ahead on, going back.
        let before = self.index.wrapping_add(self.ahead).wrapping_sub(word >> COUNT_BITS) & TAG;
        if before <= self.back + self.ahead {
            word & MOST
        } else {
            0
        }
    }

    /// The word of a bucket.
    const fn word(index: u64, count: u64) -> u64 {
        (index & TAG) << COUNT_BITS | count
    }

    fn is_of(word: u64, index: u64) -> bool {
        word >> COUNT_BITS == index & TAG
    }

    /// Nanoseconds until `need` of what counts has left.
    fn wait(&self, ring: &Ring, need: u64) -> u64 {
        let first = self.index.saturating_sub(self.back);
        let mut freed = 0_u64;
        let mut leaves = self.index;
        for index in first..=self.index.saturating_add(self.ahead) {
            let word = place(ring, index).load(SeqCst);
            if Self::is_of(word, index) {
                freed = freed.saturating_add(word & MOST);
                leaves = index;
            }
            if freed >= need {
                break;
            }
        }
        let at = leaves
            .saturating_add(self.back)
            .saturating_add(1)
            .saturating_mul(self.length)
            .saturating_add(self.offset);
        at.saturating_sub(self.now).max(1).saturating_mul(1_000_000)
    }
}

/// How many milliseconds of a day's window have passed.
pub(super) fn of_day(offset: u32, now: u64) -> u64 {
    now.saturating_sub(u64::from(offset).saturating_mul(1000)) % DAY
}

/// Where a bucket is kept.
fn place(ring: &Ring, index: u64) -> &AtomicU64 {
    let [first, ..] = ring;
    usize::try_from(index % BUCKETS as u64)
        .ok()
        .and_then(|at| ring.get(at))
        .unwrap_or(first)
}

/// All that counts now.
#[must_use]
pub fn used(ring: &Ring, span: &Span) -> u64 {
    if span.back == 0 {
        // A day, and the next where a clock was set back.
        let next = span.index.saturating_add(1);
        return [span.index, next]
            .map(|index| span.counted(place(ring, index).load(SeqCst)))
            .into_iter()
            .fold(0, u64::saturating_add);
    }
    // So few counts of so few bits have room in a word.
    ring.iter().map(|bucket| span.counted(bucket.load(SeqCst))).sum()
}

/// How long `cost` has to wait, in nanoseconds; `None` if it may go. A cost above the amount needs an unused window.
#[must_use]
pub fn blocked(ring: &Ring, span: &Span, amount: u64, cost: u64) -> Option<u64> {
    let amount = amount.clamp(1, MOST);
    let need = used(ring, span).saturating_add(cost.min(amount));
    (cost > 0 && need > amount).then(|| span.wait(ring, need - amount))
}

/// Takes `cost`, or says how many nanoseconds to wait.
///
/// # Errors
/// Nothing is taken: the nanoseconds.
pub fn take(ring: &Ring, span: &Span, amount: u64, cost: u64) -> Result<(), u64> {
    let amount = amount.clamp(1, MOST);
    let cost = cost.min(MOST);
    if cost == 0 {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        if let Some(wait) = blocked(ring, span, amount, cost) {
            return Err(wait);
        }
        // Reserved first and summed up afterwards: of two that meet in the last place at least one sees the other.
        if !reserve(place(ring, span.index), span.index, cost) {
            return Err(span.wait(ring, cost));
        }
        let others = used(ring, span).saturating_sub(cost);
        if others.saturating_add(cost.min(amount)) <= amount {
            return Ok(());
        }
        give_back(ring, span, cost);
    }
    Err(MOMENT)
}

fn reserve(bucket: &AtomicU64, index: u64, cost: u64) -> bool {
    let next = |word: u64| {
        let count = if Span::is_of(word, index) { word & MOST } else { 0 };
        let sum = count.saturating_add(cost);
        (sum <= MOST).then(|| Span::word(index, sum))
    };
    bucket.fetch_update(SeqCst, SeqCst, next).is_ok()
}

/// Gives back what was taken at the span's moment, as far as its bucket is still there.
pub fn give_back(ring: &Ring, span: &Span, cost: u64) {
    let cost = cost.min(MOST);
    let next =
        |word: u64| Span::is_of(word, span.index).then(|| Span::word(span.index, (word & MOST).saturating_sub(cost)));
    // None: the bucket has made room for another, and what was taken has left the window.
    let _ = place(ring, span.index).fetch_update(SeqCst, SeqCst, next);
}

/// At least so much is used: what is missing is counted now.
pub fn raise(ring: &Ring, span: &Span, at_least: u64) {
    let bucket = place(ring, span.index);
    loop {
        // Read before the sum: whoever raises meanwhile changes it, and the exchange fails.
        let word = bucket.load(SeqCst);
        let missing = at_least.min(MOST).saturating_sub(used(ring, span));
        if missing == 0 {
            return;
        }
        let count = if Span::is_of(word, span.index) { word & MOST } else { 0 };
        let raised = Span::word(span.index, count.saturating_add(missing).min(MOST));
        if raised == word || bucket.compare_exchange(word, raised, SeqCst, SeqCst).is_ok() {
            return;
        }
    }
}

/// The buckets that count now and are not empty: how many before this one, and the count.
pub fn counts<'a>(ring: &'a Ring, span: &'a Span) -> impl Iterator<Item = (u64, u64)> + 'a {
    (0..=span.back).filter_map(|before| {
        let index = span.index.checked_sub(before)?;
        let word = place(ring, index).load(SeqCst);
        let count = word & MOST;
        (Span::is_of(word, index) && count > 0).then_some((before, count))
    })
}

/// A bucket as it was kept elsewhere: the larger count holds. One that does not count any more is left out.
pub fn merge(ring: &Ring, span: &Span, index: u64, count: u64) {
    if !span.counts(index) {
        return;
    }
    let kept = Span::word(index, count.min(MOST));
    let next = |word: u64| {
        let is_more = if Span::is_of(word, index) {
            word >= kept
        } else {
            span.counted(word) > 0
        };
        (!is_more).then_some(kept)
    };
    // None: what is here says more.
    let _ = place(ring, index).fetch_update(SeqCst, SeqCst, next);
}

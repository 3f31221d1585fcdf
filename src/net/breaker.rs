//! The breaker of a connection: what fails again and again is asked once in a while, by one process of all.
//!
//! Pure over one word of the connection's slot, the time of the last failure or probe and the failures in a row, so that every
//! change is one exchange and a process killed anywhere leaves nothing behind. What counts as a failure is the caller's business.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// So many failures in a row open it.
pub const FAILURES: u64 = 3;
/// Nanoseconds between two attempts while it is open.
pub const OPEN: u64 = 60_000_000_000;
/// A failure this many nanoseconds after the one before begins a new row.
const MEMORY: u64 = 300_000_000_000;
/// Times are kept without their last bits, which hold the count.
const COUNT_BITS: u32 = 16;
const MOST: u64 = (1 << COUNT_BITS) - 1;

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Requests may go.
    Closed,
    /// None may for so many nanoseconds.
    Open(u64),
    /// One may try: whoever wins `probe`.
    Due,
}

const fn word(at: u64, count: u64) -> u64 {
    at >> COUNT_BITS << COUNT_BITS | if count > MOST { MOST } else { count }
}

const fn state_of(kept: u64, now: u64) -> State {
    if failures(kept) < FAILURES {
        return State::Closed;
    }
    let until = (kept & !MOST).saturating_add(OPEN);
    match until.saturating_sub(now) {
        0 => State::Due,
        // A time to come is corrupt: the probe replaces it.
        wait if wait > OPEN + (1 << COUNT_BITS) => State::Due,
        wait => State::Open(wait),
    }
}

/// The failures in a row.
#[must_use]
pub const fn failures(kept: u64) -> u64 {
    kept & MOST
}

/// Whether requests may go now.
#[must_use]
pub fn state(cell: &AtomicU64, now: u64) -> State {
    state_of(cell.load(SeqCst), now)
}

/// Takes the attempt that is due; false if another process has it.
pub fn probe(cell: &AtomicU64, now: u64) -> bool {
    let kept = cell.load(SeqCst);
    match state_of(kept, now) {
        State::Closed => true,
        State::Open(_) => false,
        State::Due => cell
            .compare_exchange(kept, word(now, failures(kept)), SeqCst, SeqCst)
            .is_ok(),
    }
}

/// A call has failed.
pub fn failed(cell: &AtomicU64, now: u64) {
    let next = |kept: u64| {
        let is_stale = failures(kept) < FAILURES && now.saturating_sub(kept & !MOST) > MEMORY;
        let count = if is_stale { 0 } else { failures(kept) };
        Some(word(now, count.saturating_add(1)))
    };
    // Never `Err`: there is always a next word.
    let _ = cell.fetch_update(SeqCst, SeqCst, next);
}

/// A call has succeeded.
pub fn succeeded(cell: &AtomicU64) {
    if cell.load(SeqCst) != 0 {
        cell.store(0, SeqCst);
    }
}

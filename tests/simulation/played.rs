//! Time and chance as they are played: tokio's paused clock, and numbers that follow from a seed. Each thread plays by itself.

use std::cell::Cell;
use std::time::Duration;

use tenant_crm_sync::limit::{Ground, Now};
use tokio::time::Instant;

/// What the machine's clock says when a run begins: it has been up for an hour.
const UP: u64 = 3_600_000_000_000;
/// 2026-11-24T21:58:30Z in milliseconds: in the middle of a run it is midnight in London, and for others it has just been.
const BEGIN: u64 = 1_795_557_510_000;

thread_local! {
    static DICE: Cell<u64> = const { Cell::new(1) };
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// What the code under test gets in place of the machine's.
pub const GROUND: Ground = Ground { now, chance };

/// Begins anew, within a runtime whose clock is paused.
pub fn begin(seed: u64) {
    DICE.set(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    START.set(Some(Instant::now()));
}

/// Since the run began.
pub fn elapsed() -> Duration {
    START.get().map_or(Duration::ZERO, |start| start.elapsed())
}

/// The same in milliseconds.
pub fn millis() -> u64 {
    elapsed().as_millis() as u64
}

/// Both clocks.
pub fn now() -> Now {
    let elapsed = elapsed();
    Now {
        mono: UP + elapsed.as_nanos() as u64,
        unix: BEGIN + elapsed.as_millis() as u64,
    }
}

/// Microseconds since 1970.
pub fn unix_micros() -> u64 {
    BEGIN * 1000 + elapsed().as_micros() as u64
}

/// The next number.
pub fn throw() -> u64 {
    let mut dice = DICE.get();
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    DICE.set(dice);
    dice.wrapping_mul(0x2545_F491_4F6C_DD1D)
}

/// A share, from 0 to 1.
pub fn chance() -> f64 {
    (throw() >> 11) as f64 / (1_u64 << 53) as f64
}

/// From `least` to `most`.
pub fn between(least: u64, most: u64) -> u64 {
    least + throw() % (most - least + 1)
}

/// From `least` on, seldom more, very seldom up to `most`: each doubling is as much rarer as `tail` says (1 to 3).
pub fn heavy(least: u64, most: u64, tail: f64) -> u64 {
    let drawn = least as f64 * (1.0 - chance()).powf(-1.0 / tail);
    (drawn as u64).clamp(least, most)
}

/// So long, of this thread's clock.
pub async fn sleep(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

//! The limiters: of one host, windows in played time, refusals, the breaker, the shared file and the processes that share it; of several, Redis.

mod breaker;
mod checkpoint;
mod counted;
mod crowd;
mod draws;
mod file;
mod hostile;
mod paced;
mod redis;
mod refused;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Cause, Count, Decision, Draw, Key, Now, Rule};

pub use tenant_crm_sync::limit::local::NO_GATE;

pub const MILLISECOND: u64 = 1_000_000;
pub const SECOND: u64 = 1000 * MILLISECOND;
pub const HOUR: u64 = 3600 * SECOND;
/// A connection.
pub const GATE: Key = Key(7 << 80 | 7);
/// 2026-11-24T00:00:00Z, in milliseconds.
pub const MIDNIGHT: u64 = 1_795_478_400_000;

/// So many nanoseconds after the machine came up, which was at midnight.
pub const fn at(mono: u64) -> Now {
    Now {
        mono,
        unix: MIDNIGHT + mono / MILLISECOND,
    }
}

pub const fn draw(key: u128, amount: u64, period: Duration, burst: u64, count: Count) -> Draw {
    Draw {
        key: Key(key << 64 | key),
        rule: Rule {
            amount,
            period,
            burst,
            count,
        },
        cost: 1,
    }
}

/// `amount` in so many seconds.
pub const fn paced(key: u128, amount: u64, seconds: u64, burst: u64) -> Draw {
    draw(key, amount, Duration::from_secs(seconds), burst, Count::Paced)
}

pub const fn rolling(key: u128, amount: u64, seconds: u64) -> Draw {
    draw(key, amount, Duration::from_secs(seconds), 1, Count::Rolling)
}

pub const fn daily(key: u128, amount: u64, offset: u32) -> Draw {
    draw(key, amount, Duration::from_secs(86_400), 1, Count::Daily(offset))
}

pub const fn costing(draw: Draw, cost: u64) -> Draw {
    Draw { cost, ..draw }
}

/// Whether it went, and how long to wait if not.
pub fn take(local: &Local, draws: &[Draw], now: Now) -> Result<(), (u64, Cause)> {
    match local.take(GATE, draws, now) {
        Decision::Go => Ok(()),
        Decision::Wait(wait, cause) => Err((wait, cause)),
    }
}

/// How many go at this moment, of at most a million.
pub fn burst_at(local: &Local, draw: Draw, now: Now) -> u64 {
    let mut count = 0;
    while count < 1_000_000 && take(local, &[draw], now).is_ok() {
        count += 1;
    }
    count
}

/// The most that lies within a period, both ends included.
pub fn most_in_a_window(admitted: &[(u64, u64)], period: u64) -> u64 {
    let (mut from, mut sum, mut most) = (0, 0, 0);
    for &(at, cost) in admitted {
        sum += cost;
        while at - admitted[from].0 > period {
            sum -= admitted[from].1;
            from += 1;
        }
        most = most.max(sum);
    }
    most
}

/// Numbers that look random, the same ones each time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.throw() % (most - least + 1)
    }
}

/// A folder of its own, removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tcs-limit-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("limits")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

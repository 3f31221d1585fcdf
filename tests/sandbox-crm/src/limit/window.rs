//! One limit at work: what its window has seen, and until when a request beyond it has to wait.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use super::spec::{Kind, Limit};

/// Both clocks: sliding windows go by the one that is never set, fixed ones by the calendar.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub instant: Instant,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

impl Moment {
    pub fn now() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            instant: Instant::now(),
            unix_ms: unix.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

pub struct Window {
    pub limit: Limit,
    /// What the limit goes by.
    counted: Count,
    /// Everything that came, refused or not.
    came: Count,
    /// The most that ever came in one window.
    pub most: u64,
    pub refused: u64,
}

impl Window {
    pub fn new(limit: Limit) -> Self {
        Self {
            counted: Count::default(),
            came: Count::default(),
            most: 0,
            refused: 0,
            limit,
        }
    }

    pub fn arrived(&mut self, cost: u64, now: Moment) {
        self.came.add(cost, &self.limit, now);
        self.most = self.most.max(self.came.total);
    }

    pub fn fits(&mut self, cost: u64, now: Moment) -> bool {
        self.counted.forget(&self.limit, now);
        self.counted.total.saturating_add(cost) <= self.limit.amount()
    }

    pub fn take(&mut self, cost: u64, now: Moment) {
        self.counted.add(cost, &self.limit, now);
    }

    pub fn used(&mut self, now: Moment) -> u64 {
        self.counted.forget(&self.limit, now);
        self.counted.total
    }

    /// Until so much more can be taken; a whole window where it never can.
    pub fn wait(&mut self, cost: u64, now: Moment) -> Duration {
        self.counted.forget(&self.limit, now);
        let window = self.limit.window();
        if self.limit.kind != Kind::Sliding {
            return Duration::from_millis(self.limit.per_ms - now.unix_ms % self.limit.per_ms);
        }
        let mut left = self.counted.total.saturating_add(cost);
        for (at, cost) in &self.counted.entries {
            if left <= self.limit.amount() {
                break;
            }
            left -= cost;
            if left <= self.limit.amount() {
                return window.saturating_sub(now.instant.saturating_duration_since(*at));
            }
        }
        if left <= self.limit.amount() {
            Duration::ZERO
        } else {
            window
        }
    }

    /// What was used stays used when a CRM changes its limits.
    pub fn change(&mut self, limit: Limit) {
        self.limit = limit;
    }

    pub fn forget_counts(&mut self) {
        (self.most, self.refused) = (self.came.total, 0);
    }
}

/// What is within the window that ends now.
#[derive(Default)]
struct Count {
    /// Of sliding windows: each with its cost.
    entries: VecDeque<(Instant, u64)>,
    total: u64,
    /// Of the others: which window it is.
    index: u64,
}

impl Count {
    fn add(&mut self, cost: u64, limit: &Limit, now: Moment) {
        self.forget(limit, now);
        self.total = self.total.saturating_add(cost);
        if limit.kind == Kind::Sliding {
            self.entries.push_back((now.instant, cost));
        }
    }

    fn forget(&mut self, limit: &Limit, now: Moment) {
        if limit.kind != Kind::Sliding {
            let index = now.unix_ms / limit.per_ms.max(1);
            if self.index != index {
                (self.index, self.total) = (index, 0);
            }
            return;
        }
        while let Some((at, cost)) = self.entries.front()
            && now.instant.saturating_duration_since(*at) >= limit.window()
        {
            self.total = self.total.saturating_sub(*cost);
            self.entries.pop_front();
        }
    }
}

//! What a tenant's API has seen since it was last asked to forget: for tests that want to know whether a limit was ever
//! crossed, also one that the tenant does not have.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

/// Arrivals that are remembered, per tenant.
const REMEMBERED: usize = 200_000;

#[derive(Default)]
pub struct Counts {
    arrivals: VecDeque<Instant>,
    arrived: u64,
    refused: u64,
    answers_429: u64,
    first_arrival: Option<Timestamp>,
    first_429: Option<Timestamp>,
    last_429: Option<Timestamp>,
}

impl Counts {
    pub fn arrived(&mut self, now: Instant) {
        if self.arrivals.len() >= REMEMBERED {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(now);
        self.arrived += 1;
        self.first_arrival.get_or_insert_with(Timestamp::now);
    }

    pub fn refused(&mut self) {
        self.refused += 1;
    }

    /// A refusal that is on its way to the client now: 429, or what this CRM has in its place.
    pub fn told(&mut self) {
        let now = Timestamp::now();
        self.answers_429 += 1;
        self.first_429.get_or_insert(now);
        self.last_429 = Some(now);
    }

    /// The most arrivals in any window of that length, of those that are remembered.
    fn most(&self, window: Duration) -> usize {
        let (mut most, mut first) = (0, 0);
        for (last, at) in self.arrivals.iter().enumerate() {
            let left = |first: &Instant| at.saturating_duration_since(*first) >= window;
            while self.arrivals.get(first).is_some_and(left) {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    pub fn show(&self, window: Option<Duration>) -> Value {
        json!({
            "arrivals": self.arrived,
            "refused": self.refused,
            "answers_429": self.answers_429,
            "first_arrival_at": self.first_arrival.map(|at| at.to_string()),
            "first_429_at": self.first_429.map(|at| at.to_string()),
            "last_429_at": self.last_429.map(|at| at.to_string()),
            "most": window.map(|window| self.most(window)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_window_is_found_wherever_it_begins() {
        let mut counts = Counts::default();
        let start = Instant::now();
        for ms in [0, 900, 950, 1000, 1899, 1900, 5000] {
            counts.arrived(start + Duration::from_millis(ms));
        }
        let most = |ms| counts.most(Duration::from_millis(ms));
        assert_eq!(
            (most(1), most(100), most(101), most(1000), most(60_000)),
            (1, 2, 3, 4, 7)
        );
        assert_eq!(counts.show(None)["most"], Value::Null);
    }

    #[test]
    fn the_first_and_the_last_refusal_have_a_time() {
        let mut counts = Counts::default();
        assert_eq!(counts.show(None)["first_429_at"], Value::Null);
        counts.told();
        let first = counts.show(None)["first_429_at"].clone();
        counts.told();
        let shown = counts.show(None);
        assert_eq!((&shown["answers_429"], &shown["first_429_at"]), (&json!(2), &first));
        assert!(shown["last_429_at"].as_str() >= first.as_str());
    }
}

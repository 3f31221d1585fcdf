//! A tenant's limits, as many at once as real CRMs have: what is let in, what a refused request is told, what was seen. A sliding
//! window is the strictest way of counting there is, so a client that is right by it is right by every server's.

mod counts;
pub mod headers;
mod spec;
#[cfg(test)]
mod tests;
mod window;

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Answer;
use counts::Counts;
use window::Window;

pub use spec::{Limit, RetryAfter};
pub use window::Moment;

#[derive(Default)]
pub struct Limiter {
    windows: Vec<Window>,
    pub counts: Counts,
}

/// How much of one limit is used.
#[derive(Debug, Clone)]
pub struct Usage {
    pub limit: Limit,
    pub used: u64,
    /// Until all of it is free again.
    pub reset: Duration,
}

impl Usage {
    pub fn left(&self) -> u64 {
        self.limit.amount().saturating_sub(self.used)
    }

    pub fn reset_s(&self) -> u64 {
        seconds(self.reset)
    }
}

impl Limiter {
    /// Other limits from now on. What was used stays used in windows that stay, so that limits can be lowered while clients run.
    pub fn change(&mut self, limits: Vec<Limit>) {
        let mut old = std::mem::take(&mut self.windows);
        let window = |limit: Limit| match old.iter().position(|window| window.limit.counts_like(&limit)) {
            Some(known) => {
                let mut window = old.swap_remove(known);
                window.change(limit);
                window
            }
            None => Window::new(limit),
        };
        self.windows = limits.into_iter().map(window).collect();
    }

    /// One limit from now on, or none, and nothing used.
    pub fn set(&mut self, limit: Option<Limit>) {
        self.windows = limit.into_iter().map(Window::new).collect();
    }

    pub fn limits(&self) -> Vec<&Limit> {
        self.windows.iter().map(|window| &window.limit).collect()
    }

    pub fn usages(&mut self, now: Moment) -> Vec<Usage> {
        let usage = |window: &mut Window| Usage {
            used: window.used(now),
            reset: window.wait(window.limit.amount(), now),
            limit: window.limit.clone(),
        };
        self.windows.iter_mut().map(usage).collect()
    }

    /// Counts the request, or says how it is refused: by the limit that keeps it out longest.
    pub fn admit(&mut self, method: &str, target: &str, now: Moment) -> Result<(), Refused> {
        self.counts.arrived(now.instant);
        let cost = |window: &Window| window.limit.cost(method, target);
        let mut full = false;
        for window in &mut self.windows {
            if let Some(cost) = cost(window) {
                window.arrived(cost, now);
                full |= !window.fits(cost, now);
            }
        }
        let mut refusal: Option<Refused> = None;
        for window in &mut self.windows {
            let Some(cost) = cost(window) else { continue };
            let fits = window.fits(cost, now);
            if !full || window.limit.count_refused {
                window.take(cost, now);
            }
            if fits {
                continue;
            }
            window.refused += 1;
            let wait = window.wait(cost, now);
            if refusal.as_ref().is_none_or(|known| known.wait < wait) {
                let limit = window.limit.clone();
                refusal = Some(Refused { limit, wait });
            }
        }
        match refusal {
            None => Ok(()),
            Some(refused) => {
                self.counts.refused();
                Err(refused)
            }
        }
    }

    /// What an answer tells of the limits that say whose words they are told in.
    pub fn tell(&mut self, answer: Answer) -> Answer {
        let headers = headers::all(&self.usages(Moment::now()));
        headers
            .into_iter()
            .fold(answer, |answer, (name, value)| answer.with(name, value))
    }

    /// What was seen; `window`: the length of which the fullest window is wanted.
    pub fn show(&mut self, window: Option<Duration>, now: Moment) -> Value {
        let usages = self.usages(now);
        let limits = usages.iter().zip(&self.windows).map(|(usage, window)| {
            let mut shown = json!(usage.limit);
            if let Value::Object(shown) = &mut shown {
                shown.insert("used".into(), usage.used.into());
                shown.insert("left".into(), usage.left().into());
                shown.insert("most".into(), window.most.into());
                shown.insert("refused".into(), window.refused.into());
            }
            shown
        });
        let limits: Vec<Value> = limits.collect();
        let mut shown = self.counts.show(window);
        if let Value::Object(shown) = &mut shown {
            shown.insert("limits".into(), limits.into());
        }
        shown
    }

    /// Counts from now on; what is used stays used.
    pub fn forget_counts(&mut self) {
        self.counts = Counts::default();
        self.windows.iter_mut().for_each(Window::forget_counts);
    }
}

/// A request beyond a limit.
#[derive(Debug, Clone)]
pub struct Refused {
    pub limit: Limit,
    /// Until it would be let in.
    pub wait: Duration,
}

impl Refused {
    /// Rounded up: who waits that long is let in.
    pub fn seconds(&self) -> u64 {
        seconds(self.wait)
    }

    /// Retry-After, as the limit says it is written.
    pub fn header(&self) -> Option<HeaderValue> {
        let text = match self.limit.retry_after {
            RetryAfter::None => return None,
            RetryAfter::Seconds => self.seconds().to_string(),
            RetryAfter::Date => http_date(SystemTime::now() + self.wait + Duration::from_millis(999)),
        };
        HeaderValue::from_str(&text).ok()
    }

    /// The answer of `rest`.
    pub fn answer(&self) -> Answer {
        let answer = Answer::error(StatusCode::TOO_MANY_REQUESTS, "This tenant's request limit is reached.");
        match self.header() {
            Some(value) => answer.with(RETRY_AFTER, value),
            None => answer,
        }
    }
}

fn seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).map_or(u64::MAX, |seconds| seconds.max(1))
}

fn http_date(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

//! A tenant's request limit: at most so many requests in any window of that length (a sliding window, so a client
//! that is right by it is right by every server's way of counting).

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub requests: usize,
    pub per_ms: u64,
    #[serde(default)]
    pub retry_after: RetryAfter,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    #[default]
    Seconds,
    Date,
    None,
}

#[derive(Default)]
pub struct Limiter {
    limit: Option<Limit>,
    admitted: VecDeque<Instant>,
}

impl Limiter {
    pub fn set(&mut self, limit: Option<Limit>) {
        self.limit = limit;
        self.admitted.clear();
    }

    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// How many requests the window that ends now has seen.
    pub fn used(&self, now: Instant) -> usize {
        let window = Duration::from_millis(self.limit.map_or(0, |limit| limit.per_ms));
        let recent = |first: &&Instant| now.saturating_duration_since(**first) < window;
        self.admitted.iter().rev().take_while(recent).count()
    }

    /// Counts the request, or says how it is refused. Refused requests are not counted.
    pub fn admit(&mut self, now: Instant) -> Result<(), Refused> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let window = Duration::from_millis(limit.per_ms);
        while self
            .admitted
            .front()
            .is_some_and(|first| now.saturating_duration_since(*first) >= window)
        {
            self.admitted.pop_front();
        }
        if self.admitted.len() < limit.requests {
            self.admitted.push_back(now);
            return Ok(());
        }
        let wait = self.admitted.front().map_or(window, |first| {
            window.saturating_sub(now.saturating_duration_since(*first))
        });
        Err(Refused { limit, wait })
    }
}

/// A request beyond the limit.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    pub limit: Limit,
    /// Until the next request is let in.
    pub wait: Duration,
}

impl Refused {
    /// Rounded up: who waits that long is let in.
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.wait.as_millis().div_ceil(1000)).map_or(u64::MAX, |seconds| seconds.max(1))
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

fn http_date(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(requests: usize, retry_after: RetryAfter) -> Limiter {
        let mut limiter = Limiter::default();
        limiter.set(Some(Limit {
            requests,
            per_ms: 1000,
            retry_after,
        }));
        limiter
    }

    #[test]
    fn no_window_of_that_length_sees_more() {
        let mut limiter = limiter(3, RetryAfter::Seconds);
        let start = Instant::now();
        let admitted: Vec<u64> = (0..400)
            .map(|step| step * 10)
            .filter(|ms| limiter.admit(start + Duration::from_millis(*ms)).is_ok())
            .collect();
        assert!(admitted.windows(4).all(|four| four[3] - four[0] >= 1000));
        assert_eq!(admitted.len(), 12); // and none is refused without need
    }

    #[test]
    fn retry_after_is_enough() {
        let mut limiter = limiter(1, RetryAfter::Seconds);
        let start = Instant::now();
        limiter.admit(start).unwrap();
        let refused = limiter.admit(start + Duration::from_millis(100)).unwrap_err().answer();
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(
            refused
                .headers
                .iter()
                .any(|(name, value)| name == RETRY_AFTER && value == "1")
        );
        limiter.admit(start + Duration::from_millis(1100)).unwrap();
    }

    #[test]
    fn dates_are_http_dates_and_none_is_none() {
        assert_eq!(
            http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
        let mut limiter = limiter(0, RetryAfter::None);
        let refused = limiter.admit(Instant::now()).unwrap_err().answer();
        assert!(refused.headers.iter().all(|(name, _)| name != RETRY_AFTER));
    }

    #[test]
    fn without_a_limit_all_pass() {
        let mut limiter = limiter(0, RetryAfter::Date);
        assert!(limiter.admit(Instant::now()).is_err());
        limiter.set(None);
        assert!(limiter.admit(Instant::now()).is_ok());
    }
}

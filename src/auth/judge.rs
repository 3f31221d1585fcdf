//! What an answer to a token request means for whoever sends it: whether asking again could help.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::error::{Error, Kind, Reason};
use crate::net::retry;
use crate::net::send::{Judge, Verdict};

/// Judges by the status alone; what an answer says is read by `answer`.
#[derive(Debug)]
pub struct TokenAnswers;

impl Judge for TokenAnswers {
    fn judge(&self, status: StatusCode, headers: &HeaderMap, _: &[u8]) -> Verdict {
        let (kind, reason) = match status.as_u16() {
            200..=299 => return Verdict::Success,
            429 => (Kind::RateLimited, Reason::RateLimited),
            408 | 425 | 500 | 502 | 503 | 504 => (Kind::Http, Reason::Transient),
            400 | 401 | 403 => (Kind::Http, Reason::Unauthorized),
            _ => (Kind::Http, Reason::Failed),
        };
        let mut error = Error::new(kind, format!("HTTP {status}"));
        error.reason = Some(reason);
        error.retry_after = retry::retry_after(headers);
        Verdict::Failure(error)
    }

    fn concerns_success(&self) -> bool {
        false
    }
}

//! On whose behalf a request goes, and when it may: it waits for its turn where a limit is used up, and says until when where
//! that is too long to be waited for. What there is to be counted comes from `limit`, what an answer means from the connector.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::clock;
use crate::crm::limit::Costs;
use crate::error::{Error, Kind, Reason, Result};
use crate::limit::budget::{self, Draws, Window};
use crate::limit::limiter::{Limiter, is_of_days};
use crate::limit::{Cause, Decision, Draw, Key, Now};
use crate::net::journal::{Journal, Pending, Start};
use crate::net::trace::Trace;

/// How long all wait after a 429 that names no time.
const UNTOLD: Duration = Duration::from_secs(1);
/// How long a used up quota is left alone where nobody says when it comes back.
const UNTOLD_QUOTA: Duration = Duration::from_secs(900);
/// Those who wait for the same moment do not all come at it, but in so long, or in a fourth of what was waited.
const SPREAD: Duration = Duration::from_millis(20);

/// A tenant's way to its CRM.
pub struct Lane {
    /// The tenant's id, for logs and messages.
    pub tenant: String,
    /// What must not be shown.
    pub secrets: Vec<Zeroizing<Vec<u8>>>,
    /// The connection: what is broken or held back for one request of it is for all.
    pub gate: Key,
    /// What requests draw on.
    pub windows: Vec<Window>,
    /// Where it is counted.
    pub limiter: Arc<Limiter>,
    /// Where every attempt is written down.
    pub journal: Arc<Journal>,
    /// The trace that the call is part of.
    pub trace: Option<Trace>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its secrets are not shown.
        f.debug_struct("Lane")
            .field("tenant", &self.tenant)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

/// A request that may go.
#[derive(Debug)]
pub struct Turn<'l> {
    draws: Vec<Draw>,
    /// The windows that the draws are of.
    windows: Vec<&'l Window>,
    started: Now,
}

impl Lane {
    /// Waits until a request may go, but no longer than that.
    pub async fn turn(&self, costs: &Costs, latest: Instant) -> Result<Turn<'_>> {
        let Draws { draws, windows } = budget::draws(&self.windows, costs)?;
        loop {
            match self.limiter.take(self.gate, &draws).await {
                Decision::Go => {
                    return Ok(Turn {
                        draws,
                        windows,
                        started: self.limiter.now(),
                    });
                }
                Decision::Wait(nanos, cause) => {
                    let wait = Duration::from_nanos(nanos);
                    if wait >= latest.saturating_duration_since(Instant::now()) {
                        return Err(self.refusal(wait, cause, &draws, &windows));
                    }
                    let spread = (wait / 4).min(SPREAD).mul_f64(self.limiter.chance());
                    tokio::time::sleep(wait + spread).await;
                }
            }
        }
    }

    /// Writes down that a request begins.
    pub fn begin(&self, method: &Method, operation: &str, attempt: u32, body: Option<&Bytes>) -> Pending {
        self.journal.begin(Start {
            tenant: &self.tenant,
            secrets: &self.secrets,
            method,
            operation,
            attempt,
            sent: body.map_or(0, Bytes::len),
            trace: self.trace,
        })
    }

    /// What an answer, or its absence, says of the limits.
    pub async fn learn(&self, turn: Turn<'_>, headers: Option<&HeaderMap>, error: Option<&mut Error>) {
        if let Some(headers) = headers {
            for (draw, window) in turn.draws.iter().zip(&turn.windows) {
                if let Some(told) = window.told(headers, turn.started.unix) {
                    self.limiter.told(draw, told.remaining, told.limit).await;
                }
            }
        }
        match error {
            Some(error) if error.kind == Kind::Connect || error.kind == Kind::Egress => {
                self.limiter.refund(&turn.draws, turn.started).await;
            }
            Some(error) if error.kind == Kind::RateLimited => {
                let quota = error.reason == Some(Reason::Quota);
                let wait = error
                    .retry_after
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .unwrap_or(if quota { UNTOLD_QUOTA } else { UNTOLD });
                if quota {
                    error.retry_after.get_or_insert(wait.as_secs_f64());
                }
                self.limiter
                    .limited(self.gate, &turn.draws, turn.started, wait, quota)
                    .await;
            }
            _ => {}
        }
    }

    /// What the end of a call says of the connection's health.
    pub fn ended(&self, error: Option<&Error>) {
        let answered = match error {
            None => true,
            // It was not sent.
            Some(error) if error.attempts == 0 => return,
            Some(error) => match error.kind {
                Kind::Connect | Kind::Tls | Kind::Timeout | Kind::Transport => false,
                Kind::Http => !matches!(error.status, Some(502..=504)),
                // Nothing was asked, or nobody waited for the answer.
                Kind::Config | Kind::Credential | Kind::Egress | Kind::Encode | Kind::Cancelled => return,
                Kind::RateLimited | Kind::TooLarge | Kind::Decode => true,
            },
        };
        self.limiter.ended(self.gate, answered);
    }

    fn refusal(&self, wait: Duration, cause: Cause, draws: &[Draw], windows: &[&Window]) -> Error {
        let until = clock::utc(clock::unix_now() + wait.as_secs_f64());
        let (kind, reason, message) = match cause {
            Cause::Window(position) => {
                let reason = if is_of_days(cause, draws) {
                    Reason::Quota
                } else {
                    Reason::RateLimited
                };
                let name = windows
                    .get(position)
                    .map_or("this connection", |window| window.name.as_str());
                (
                    Kind::RateLimited,
                    reason,
                    format!("not sent: the limit of {name} is used up until {until}"),
                )
            }
            Cause::Told => (
                Kind::RateLimited,
                Reason::RateLimited,
                format!("not sent: the CRM has asked to wait until {until}"),
            ),
            Cause::Away => (
                Kind::RateLimited,
                Reason::Busy,
                format!(
                    "not sent: Redis, which counts for all hosts, is away or has just come up; it is asked again from {until} on"
                ),
            ),
            Cause::Broken => (
                Kind::Connect,
                Reason::Busy,
                format!(
                    "not sent: the CRM could not be reached {} times in a row; it is tried again from {until} on",
                    self.limiter.gate(self.gate).failures
                ),
            ),
        };
        let mut error = Error::new(kind, message);
        error.reason = Some(reason);
        error.retry_after = Some(wait.as_secs_f64());
        error
    }
}

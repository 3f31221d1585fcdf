//! What was asked of the CRMs: every attempt of every request, kept in a ring until PHP takes it away, and as lines in a file
//! where the host names one. No entry holds a query, a body of a success or a secret.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::Method;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::clock;
use crate::error::{Error, Reason};
use crate::net::logfile::LogFile;
use crate::net::trace::Trace;
use crate::secret::{hide, redact};

/// Attempts that wait for PHP at most; the oldest make room.
pub const RING: usize = 2000;
/// What is kept of a failure's words.
const EXCERPT: usize = 300;
/// What is kept of names.
const NAME: usize = 190;
/// What is kept of an address.
const OPERATION: usize = 1000;
/// A longer line may be torn by another process's.
const LINE: usize = 4096;
/// Outcome of what went well.
pub const OK: &str = "ok";
/// Outcome of what nobody waited for any more.
const CANCELLED: &str = "cancelled";

/// One request that was sent, or that would have been.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Whose tenant it is: a process may serve several sites.
    pub site: Arc<str>,
    /// The tenant's id.
    pub tenant: String,
    /// When it began: milliseconds since 1970.
    pub at: u64,
    /// HTTP method.
    pub method: Method,
    /// `GET https://crm.example/api/v1/leads`
    pub operation: String,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// Counts from 1 within a call.
    pub attempt: u32,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the answer's body that were read, unpacked.
    pub received: u64,
    /// `ok`, or the name of the error's reason, or of its kind where the reason says nothing.
    pub outcome: &'static str,
    /// Of a failure: the start of the answer or what went wrong, without secrets.
    pub excerpt: Option<String>,
    /// The trace it was part of, and its own span.
    pub trace: Option<Trace>,
}

/// What an attempt begins with.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The tenant's id.
    pub tenant: &'a str,
    /// What must not be shown.
    pub secrets: &'a [Zeroizing<Vec<u8>>],
    /// HTTP method.
    pub method: &'a Method,
    /// Method and address, without query, user and password.
    pub operation: &'a str,
    /// Counts from 1 within a call.
    pub attempt: u32,
    /// Bytes of the request's body.
    pub sent: usize,
    /// The trace that the call is part of.
    pub trace: Option<Trace>,
}

/// A process's attempts, of all sites.
#[derive(Debug, Default)]
pub struct Book {
    ring: Arc<Mutex<Ring>>,
    files: Mutex<HashMap<PathBuf, Arc<LogFile>>>,
}

#[derive(Debug, Default)]
struct Ring {
    attempts: VecDeque<Attempt>,
    dropped: u64,
}

/// Where one site's attempts are written down.
#[derive(Debug, Clone)]
pub struct Journal {
    ring: Arc<Mutex<Ring>>,
    site: Arc<str>,
    file: Option<Arc<LogFile>>,
}

impl Book {
    /// One site's journal; lines go to this file, too, unless its name is empty.
    #[must_use]
    pub fn journal(&self, site: &str, file: &Path) -> Arc<Journal> {
        let file = (!file.as_os_str().is_empty()).then(|| {
            let mut files = self.files.lock();
            Arc::clone(files.entry(file.to_owned()).or_insert_with(|| LogFile::new(file)))
        });
        Arc::new(Journal {
            ring: Arc::clone(&self.ring),
            site: Arc::from(site),
            file,
        })
    }

    /// Why lines are not written to this file; `None`: they are.
    #[must_use]
    pub fn problem(&self, file: &Path) -> Option<String> {
        self.files.lock().get(file).and_then(|file| file.problem())
    }

    /// Forgets what nobody took: the next request may be another site's.
    pub fn forget(&self) {
        let mut ring = self.ring.lock();
        ring.attempts.clear();
        ring.dropped = 0;
    }
}

impl Journal {
    /// An attempt begins. It is written down when it ends, and also when nobody waits for its end any more.
    pub fn begin(&self, start: Start<'_>) -> Pending {
        Pending {
            journal: Some(self.clone()),
            begun: Instant::now(),
            attempt: Attempt {
                site: Arc::clone(&self.site),
                tenant: cut(start.tenant, NAME).to_owned(),
                at: milliseconds(),
                method: start.method.clone(),
                operation: hide(start.operation, &borrowed(start.secrets), OPERATION),
                status: None,
                took: Duration::ZERO,
                attempt: start.attempt,
                sent: start.sent as u64,
                received: 0,
                outcome: CANCELLED,
                excerpt: None,
                trace: start.trace.and_then(Trace::child),
            },
        }
    }

    /// Writes an attempt down. Never waits for a disk, nor for PHP.
    pub fn record(&self, attempt: Attempt) {
        if let Some(file) = &self.file
            && let Some(line) = line(&attempt)
        {
            file.append(line);
        }
        let mut ring = self.ring.lock();
        if ring.attempts.len() >= RING {
            ring.attempts.pop_front();
            ring.dropped = ring.dropped.saturating_add(1);
        }
        ring.attempts.push_back(attempt);
    }

    /// Takes this site's attempts, oldest first, and how many were lost since the last time.
    #[must_use]
    pub fn drain(&self, max: usize) -> (Vec<Attempt>, u64) {
        let mut ring = self.ring.lock();
        let mut taken = Vec::new();
        let mut others = VecDeque::new();
        for attempt in ring.attempts.drain(..) {
            if taken.len() < max && attempt.site == self.site {
                taken.push(attempt);
            } else {
                others.push_back(attempt);
            }
        }
        ring.attempts = others;
        (taken, std::mem::take(&mut ring.dropped))
    }
}

/// An attempt that has not ended yet.
#[derive(Debug)]
#[must_use]
pub struct Pending {
    /// None once it is written down.
    journal: Option<Journal>,
    attempt: Attempt,
    begun: Instant,
}

impl Pending {
    /// Value of the request's `traceparent`; none where nobody traces the call.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.attempt.trace.map(|trace| trace.to_string())
    }

    /// An answer has begun to come: what is known if its end does not.
    pub fn status(&mut self, status: u16) {
        self.attempt.status = Some(status);
    }

    /// It went well.
    pub fn succeeded(mut self, status: u16, received: usize) {
        self.attempt.status = Some(status);
        self.attempt.received = received as u64;
        self.attempt.outcome = OK;
        self.finish();
    }

    /// It did not; the error's excerpt may be raw.
    pub fn failed(mut self, error: &Error, received: usize, secrets: &[Zeroizing<Vec<u8>>]) {
        let said = error.body.as_deref().filter(|body| !body.trim().is_empty());
        self.attempt.excerpt = Some(redact(said.unwrap_or(&error.message), &borrowed(secrets), EXCERPT));
        self.attempt.status = error.status.or(self.attempt.status);
        self.attempt.received = received as u64;
        self.attempt.outcome = outcome(error);
        self.finish();
    }

    fn finish(&mut self) {
        if let Some(journal) = self.journal.take() {
            self.attempt.took = self.begun.elapsed();
            journal.record(self.attempt.clone());
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.finish();
    }
}

/// What a failure counts as.
#[must_use]
pub fn outcome(error: &Error) -> &'static str {
    match error.reason {
        Some(reason) if reason != Reason::Failed => reason.name(),
        _ => error.kind.name(),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    site: &'a str,
    tenant: &'a str,
    operation: &'a str,
    method: &'a str,
    status: Option<u16>,
    ms: f64,
    attempt: u32,
    sent: u64,
    received: u64,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    pid: u32,
}

fn line(attempt: &Attempt) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(attempt.at).ok()?).ok()?;
    let mut line = Line {
        time: format!("{at:.3}"),
        site: cut(&attempt.site, NAME),
        tenant: &attempt.tenant,
        operation: &attempt.operation,
        method: attempt.method.as_str(),
        status: attempt.status,
        // Whole microseconds say enough.
        ms: (attempt.took.as_secs_f64() * 1e6).round() / 1e3,
        attempt: attempt.attempt,
        sent: attempt.sent,
        received: attempt.received,
        outcome: attempt.outcome,
        excerpt: attempt.excerpt.as_deref(),
        trace_id: attempt.trace.map(Trace::trace_id),
        span_id: attempt.trace.map(Trace::span_id),
        pid: std::process::id(),
    };
    let mut text = serde_json::to_string(&line).ok()?;
    if text.len() >= LINE {
        // Only where nearly every character has to be escaped.
        line.excerpt = None;
        line.site = "";
        line.operation = cut(line.operation, EXCERPT);
        text = serde_json::to_string(&line).ok()?;
    }
    text.push('\n');
    Some(text)
}

fn milliseconds() -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since 1970 fit"
    )]
    let now = (clock::unix_now() * 1000.0) as u64;
    now
}

/// At most so many bytes of a text.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn borrowed(secrets: &[Zeroizing<Vec<u8>>]) -> Vec<&[u8]> {
    secrets.iter().map(|secret| secret.as_slice()).collect()
}

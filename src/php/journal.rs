//! What PHP gets of the journal, and the trace that this request of PHP is part of.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendHashTable, Zval};

use crate::net::journal::{Attempt, Journal, RING};
use crate::net::trace::Trace;
use crate::php::zend::{Array, Call};
use crate::php::{credential, ini};
use crate::runtime::{self, Engine};

/// Asks for a trace of its own.
const NEW: &[u8] = b"new";

thread_local! {
    /// The trace that this request named.
    static TRACE: Cell<Option<Trace>> = const { Cell::new(None) };
    /// Attempts that were lost because PHP did not take them in time.
    static DROPPED: Cell<u64> = const { Cell::new(0) };
}

/// Forgets the request's trace and what it did not take: the next request may be another site's.
pub fn end_request() {
    TRACE.set(None);
    if let Some(engine) = runtime::running() {
        engine.journals().forget();
    }
}

/// The trace that calls of this request are part of.
pub fn current_trace() -> Option<Trace> {
    TRACE.get()
}

/// Does something as part of a trace that was named before: a pull belongs to the one that it began with, whatever others began since.
pub fn within<T>(trace: Option<Trace>, work: impl FnOnce() -> T) -> T {
    let current = TRACE.replace(trace);
    let result = work();
    TRACE.set(current);
    result
}

/// Where calls of this request are written down.
pub fn of(engine: &Engine) -> Arc<Journal> {
    engine.journals().journal(&credential::site(), &ini::log_file())
}

/// Attempts that were lost in this process, and why lines are not written, if they are not.
pub fn health() -> (u64, Option<String>) {
    let problem = runtime::running().and_then(|engine| engine.journals().problem(&ini::log_file()));
    (DROPPED.get(), problem)
}

/// `trace( ?string $traceparent ): ?string`
pub fn trace(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let trace = match call.arg(0).filter(|value| !value.is_null()) {
        None => None,
        Some(_) => match call.text(0)?.as_slice() {
            NEW => Trace::begin(),
            // What a stranger sent and the standard does not know begins no trace.
            text => std::str::from_utf8(text).ok().and_then(Trace::parse),
        },
    };
    TRACE.set(trace);
    Ok(trace.map(|trace| trace.to_string()).into_zval(false)?)
}

/// `attempts( int $max = 1000 ): array`
pub fn attempts(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(0, 1)?;
    let max = if call.count() > 0 { call.integer(0)? } else { 1000 };
    let max = usize::try_from(max).unwrap_or(0).min(RING);
    let mut list = Array::list();
    if let Some(engine) = runtime::running() {
        let journal = engine.journals().journal(&credential::site(), Path::new(""));
        let (attempts, dropped) = journal.drain(max);
        DROPPED.set(DROPPED.get().saturating_add(dropped));
        for attempt in attempts {
            list.push(told(&attempt)?);
        }
    }
    Ok(list.into_value())
}

fn told(attempt: &Attempt) -> PhpResult<Zval> {
    let bytes = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let at = attempt.at as f64 / 1000.0;
    let mut table = ZendHashTable::new();
    table.insert("tenant", attempt.tenant.as_str())?;
    table.insert("at", at)?;
    table.insert("method", attempt.method.as_str())?;
    table.insert("operation", attempt.operation.as_str())?;
    table.insert("status", attempt.status.map(i64::from))?;
    table.insert("milliseconds", attempt.took.as_secs_f64() * 1000.0)?;
    table.insert("attempt", i64::from(attempt.attempt))?;
    table.insert("sent", bytes(attempt.sent))?;
    table.insert("received", bytes(attempt.received))?;
    table.insert("outcome", attempt.outcome)?;
    table.insert("excerpt", attempt.excerpt.as_deref())?;
    table.insert("trace_id", attempt.trace.map(Trace::trace_id))?;
    table.insert("span_id", attempt.trace.map(Trace::span_id))?;
    Ok(table.into_zval(false)?)
}

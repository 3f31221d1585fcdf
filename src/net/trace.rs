//! The trace that a request is part of, as W3C Trace Context says it: read from what a browser or a proxy sent, and passed on
//! with a new span for every attempt. Nobody is traced who did not ask for it.

use std::fmt;

/// Name of the header.
pub const HEADER: &str = "traceparent";

/// Length of `00-<32 hex>-<16 hex>-<2 hex>`.
const LENGTH: usize = 55;
/// The only flag that is known: the caller records this trace.
const SAMPLED: u8 = 1;

/// A trace, and the span in it that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    flags: u8,
}

impl Trace {
    /// Reads a header's value; nothing of one that is not what the standard says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, later) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let version = hex(parts.next()?, 2)?;
        let id = hex(parts.next()?, 32)?;
        let span = hex(parts.next()?, 16)?;
        let flags = hex(parts.next()?, 2)?;
        // Later versions may say more, behind a dash; 255 is none.
        let is_whole = match version {
            0 => later.is_empty(),
            255 => false,
            _ => later.is_empty() || later.starts_with('-'),
        };
        let read = Self {
            id,
            span: u64::try_from(span).ok()?,
            flags: u8::try_from(flags).ok()? & SAMPLED,
        };
        (is_whole && parts.next().is_none() && read.id != 0 && read.span != 0).then_some(read)
    }

    /// A trace of its own, to be recorded; none where the system gives no random numbers.
    #[must_use]
    pub fn begin() -> Option<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).ok()?;
        let new = Self {
            id: u128::from_ne_bytes(id),
            span: 0,
            flags: SAMPLED,
        };
        new.child().filter(|new| new.id != 0)
    }

    /// The same trace with a new span; none where the system gives no random numbers.
    #[must_use]
    pub fn child(self) -> Option<Self> {
        let mut span = [0; 8];
        getrandom::fill(&mut span).ok()?;
        let span = u64::from_ne_bytes(span);
        // One in 2^64 is no span, which is no reason to try again.
        (span != 0).then_some(Self { span, ..self })
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.id)
    }

    /// 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

impl fmt::Display for Trace {
    /// As the header's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.id, self.span, self.flags)
    }
}

/// So many lowercase hexadecimal digits, and nothing else.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != digits || !is_hex {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

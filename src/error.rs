//! What can go wrong, once for the whole house. The face turns it into `false`, a line in the log or an exception.

use std::fmt;

/// What kind of failure it is; the exception class follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Settings, INI or arguments are unusable.
    Config,
    /// A credential cannot be sealed or opened.
    Credential,
    /// The host's rules forbid the call.
    Egress,
    /// No connection: nothing was sent.
    Connect,
    /// The CRM's certificate is not trusted, or TLS cannot be agreed on.
    Tls,
    /// The answer did not come in time.
    Timeout,
    /// The connection broke.
    Transport,
    /// The CRM answered with an error status.
    Http,
    /// The CRM asks to wait.
    RateLimited,
    /// The answer is larger than the host allows.
    TooLarge,
    /// The answer is not what was expected.
    Decode,
    /// The data cannot be written as JSON.
    Encode,
    /// PHP was interrupted.
    Cancelled,
}

impl Kind {
    /// The name that `last_error()` shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Credential => "credential",
            Self::Egress => "egress",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Http => "http",
            Self::RateLimited => "rate_limited",
            Self::TooLarge => "too_large",
            Self::Decode => "decode",
            Self::Encode => "encode",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What an answer of the CRM means, where it is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The access token has run out.
    Expired,
    /// The credential is refused.
    Unauthorized,
    /// The credential is good, but not for this.
    Forbidden,
    /// There is no such record.
    Missing,
    /// The record is there already.
    Duplicate,
    /// Somebody else changed the record meanwhile, or several match.
    Conflict,
    /// The CRM does not take the data.
    Invalid,
    /// Too many requests for now.
    RateLimited,
    /// The quota of the day is used up.
    Quota,
    /// It was not processed and may be sent again.
    Busy,
    /// It may have been processed; reads may be repeated.
    Transient,
    /// The stored place in a list means nothing any more.
    StaleCursor,
    /// Anything else.
    Failed,
}

impl Reason {
    /// The name that `last_error()` shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::Busy => "busy",
            Self::Transient => "transient",
            Self::StaleCursor => "stale_cursor",
            Self::Failed => "failed",
        }
    }
}

/// A failure with all that is known about it; holds no secret.
#[derive(Debug, Clone)]
pub struct Error {
    /// What kind.
    pub kind: Kind,
    /// What happened and what to do about it.
    pub message: String,
    /// `GET https://crm.example/api/v1/leads`, without its query.
    pub operation: String,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// What the answer means, where one came.
    pub reason: Option<Reason>,
    /// Seconds that the CRM asks to wait.
    pub retry_after: Option<f64>,
    /// Requests that were sent.
    pub attempts: u32,
    /// A redacted excerpt of the answer.
    pub body: Option<String>,
}

impl Error {
    /// A failure of which only the kind and the reason are known.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            operation: String::new(),
            status: None,
            reason: None,
            retry_after: None,
            attempts: 0,
            body: None,
        }
    }

    /// The same, with the operation that failed.
    #[must_use]
    pub fn during(mut self, operation: &str) -> Self {
        operation.clone_into(&mut self.operation);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.operation.is_empty() {
            write!(f, "{}: ", self.operation)?;
        }
        f.write_str(&self.message)?;
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The house's result.
pub type Result<T> = std::result::Result<T, Error>;

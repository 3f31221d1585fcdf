//! What an answer means: status codes lie, so a connector says in order which answers mean what.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::crm::condition::Condition;
use crate::error::{Error, Kind, Reason};
use crate::json::Path;
use crate::net::retry;
use crate::net::send::{Judge, Verdict};

/// One kind of answer. All that is given must hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// HTTP statuses: `404`, or `"4xx"`. None: any.
    #[serde(default)]
    pub status: Vec<StatusPattern>,
    /// What the body, read as JSON, says.
    #[serde(default)]
    pub body: Option<Condition>,
    /// What the body's text has in it.
    #[serde(default)]
    pub text: Option<String>,
    /// A header that is there.
    #[serde(default)]
    pub header: Option<String>,
    /// What it means.
    pub is: Meaning,
    /// How long to wait before the next request.
    #[serde(default)]
    pub wait: Option<Wait>,
    /// What people should do about it.
    #[serde(default)]
    pub remedy: Option<String>,
}

/// A status or a hundred of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct StatusPattern(u16, u16);

impl StatusPattern {
    /// Whether a status is meant.
    #[must_use]
    pub fn fits(&self, status: u16) -> bool {
        (self.0..=self.1).contains(&status)
    }
}

impl TryFrom<serde_json::Value> for StatusPattern {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let wrong = || format!("{value} is no status: write 404 or \"4xx\"");
        if let Some(status) = value.as_u64() {
            let status = u16::try_from(status).ok().filter(|status| (100..600).contains(status));
            return status.map(|status| Self(status, status)).ok_or_else(wrong);
        }
        match value.as_str().and_then(|text| text.strip_suffix("xx")) {
            Some(digit @ ("2" | "3" | "4" | "5")) => {
                let first = digit.parse::<u16>().map_err(|_| wrong())? * 100;
                Ok(Self(first, first + 99))
            }
            _ => Err(wrong()),
        }
    }
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Success, whatever the status.
    Success,
    /// A list without rows.
    NoRows,
    /// The access token has run out: a new one, then the same request.
    Expired,
    /// The credential is refused.
    Unauthorized,
    /// The credential is good, but not for this.
    Forbidden,
    /// There is no such record.
    Missing,
    /// The record is there already.
    Duplicate,
    /// Somebody else changed it meanwhile, or several match.
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
    /// The stored cursor means nothing any more.
    StaleCursor,
    /// Anything else.
    Failed,
}

/// Where an answer says how long to wait.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// A header with seconds, or an HTTP date.
    #[serde(default)]
    pub header: Option<String>,
    /// A header with milliseconds.
    #[serde(default)]
    pub header_ms: Option<String>,
    /// Where neither says it.
    #[serde(default)]
    pub seconds: Option<f64>,
}

/// A connector's rules, in the form that `net` asks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// In order; the first that fits counts. What none fits goes by its status.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Where the CRM's own words are.
    #[serde(default)]
    pub message: Vec<Path>,
    /// A header with the CRM's own words.
    #[serde(default)]
    pub message_header: Option<String>,
}

impl Judge for Errors {
    fn judge(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
        // Old servers write other encodings, and a mark before the first byte.
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}');
        let json = Some(text).filter(|text| text.trim_start().starts_with(['{', '[']));
        let fitting = self.rules.iter().find(|rule| rule.fits(status, headers, json, text));
        let meaning = fitting.map_or_else(|| by_status(status), |rule| rule.is);
        let reason = match meaning {
            Meaning::Success => return Verdict::Success,
            Meaning::NoRows => return Verdict::NoRows,
            Meaning::Expired => Reason::Expired,
            Meaning::Unauthorized => Reason::Unauthorized,
            Meaning::Forbidden => Reason::Forbidden,
            Meaning::Missing => Reason::Missing,
            Meaning::Duplicate => Reason::Duplicate,
            Meaning::Conflict => Reason::Conflict,
            Meaning::Invalid => Reason::Invalid,
            Meaning::RateLimited => Reason::RateLimited,
            Meaning::Quota => Reason::Quota,
            Meaning::Busy => Reason::Busy,
            Meaning::Transient => Reason::Transient,
            Meaning::StaleCursor => Reason::StaleCursor,
            Meaning::Failed => Reason::Failed,
        };
        let kind = match reason {
            Reason::RateLimited | Reason::Quota => Kind::RateLimited,
            _ => Kind::Http,
        };
        let mut message = format!("HTTP {status}");
        if let Some(own) = self.own_words(headers, json) {
            message.push_str(": ");
            message.push_str(&own);
        }
        if let Some(remedy) = fitting.and_then(|rule| rule.remedy.as_deref()) {
            message.push_str("; ");
            message.push_str(remedy);
        }
        let mut error = Error::new(kind, message);
        error.reason = Some(reason);
        error.retry_after = fitting
            .and_then(|rule| rule.wait.as_ref())
            .and_then(|wait| wait.seconds(headers))
            .or_else(|| retry::retry_after(headers));
        Verdict::Failure(error)
    }

    fn concerns_success(&self) -> bool {
        self.rules.iter().any(|rule| {
            rule.status.is_empty()
                || rule
                    .status
                    .iter()
                    .any(|StatusPattern(from, to)| *from < 300 && *to >= 200)
        })
    }
}

impl Errors {
    /// Whether a rule says how an expired token is told.
    #[must_use]
    pub fn tells_expiry(&self) -> bool {
        self.rules.iter().any(|rule| rule.is == Meaning::Expired)
    }

    /// The CRM's own words, in one line and not too long.
    fn own_words(&self, headers: &HeaderMap, json: Option<&str>) -> Option<String> {
        let header = self
            .message_header
            .as_deref()
            .and_then(|name| headers.get(name)?.to_str().ok());
        let found = header.map(str::to_owned).or_else(|| {
            let json = json?;
            self.message
                .iter()
                .find_map(|path| path.scalar(json).filter(|text| !text.is_empty()))
        })?;
        Some(one_line(&found))
    }
}

/// A CRM's words for messages and logs: one line, bounded, without signs that control terminals or turn the text round.
#[must_use]
pub fn one_line(words: &str) -> String {
    const TURNING: [char; 9] = [
        '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
    ];
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = line
        .chars()
        .filter(|sign| !sign.is_control() && !TURNING.contains(sign));
    plain.take(300).collect()
}

impl Rule {
    fn fits(&self, status: StatusCode, headers: &HeaderMap, json: Option<&str>, text: &str) -> bool {
        let code = status.as_u16();
        (self.status.is_empty() || self.status.iter().any(|pattern| pattern.fits(code)))
            && self.header.as_deref().is_none_or(|name| headers.contains_key(name))
            && self
                .body
                .as_ref()
                .is_none_or(|condition| json.is_some_and(|json| condition.holds(json)))
            && self.text.as_deref().is_none_or(|wanted| text.contains(wanted))
    }
}

impl Wait {
    fn seconds(&self, headers: &HeaderMap) -> Option<f64> {
        let number = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?.trim();
            value
                .parse::<f64>()
                .ok()
                .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        };
        self.header
            .as_deref()
            .and_then(|name| number(name).or_else(|| retry::seconds_in(headers, name)))
            .or_else(|| self.header_ms.as_deref().and_then(number).map(|ms| ms / 1000.0))
            .or_else(|| retry::retry_after(headers))
            .or(self.seconds)
    }
}

fn by_status(status: StatusCode) -> Meaning {
    match status.as_u16() {
        200..=299 => Meaning::Success,
        401 => Meaning::Unauthorized,
        403 => Meaning::Forbidden,
        404 | 410 => Meaning::Missing,
        409 | 412 => Meaning::Conflict,
        400 | 413 | 415 | 422 => Meaning::Invalid,
        429 => Meaning::RateLimited,
        408 | 425 | 500 | 502 | 503 | 504 => Meaning::Transient,
        _ => Meaning::Failed,
    }
}

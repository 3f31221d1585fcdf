//! What an answer's headers say of a limit: how much is left, how much there is, when it begins anew. Headers are a stranger's:
//! what is no number, too long or contradicts itself says nothing. What follows from it is the business of `local` and `redis`.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::clock;
use crate::crm::limit::{Form, MOST, REQUESTS, Reset, ResetForm, Tells};

/// Longer headers are not read.
const MOST_BYTES: usize = 2_048;
/// No window is longer than a day, and no clock further off than an hour.
const MOST_RESET: Duration = Duration::from_secs(90_000);
/// The IETF's headers, which say themselves what they are of.
const STANDARD: (&str, &str) = ("ratelimit", "ratelimit-policy");

/// What an answer says of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What is left.
    pub remaining: u64,
    /// How much there is.
    pub limit: Option<u64>,
    /// When it begins anew.
    pub reset: Option<Duration>,
}

/// What is known of a limit that answers may speak of.
#[derive(Debug, Clone, Copy)]
pub struct Of<'l> {
    /// Where they say it; where nothing is said, in the IETF's headers, if these name a window of this length.
    pub tells: Option<&'l Tells>,
    /// What is counted.
    pub unit: &'l str,
    /// The window's length.
    pub seconds: u64,
}

/// What these headers say at this time, in milliseconds since 1970.
#[must_use]
pub fn read(of: Of<'_>, headers: &HeaderMap, unix: u64) -> Option<Told> {
    let told = match of.tells {
        None => structured(of, STANDARD.0, Some(STANDARD.1), None, headers),
        Some(tells) => match tells.form {
            Form::Number => numbers(of.seconds, tells, headers),
            Form::Usage => usage(tells, headers),
            Form::Structured => {
                let remaining = tells.remaining.as_deref()?;
                structured(of, remaining, tells.limit.as_deref(), tells.name.as_deref(), headers)
            }
        },
    }?;
    let reset = of.tells.and_then(|tells| tells.reset.as_ref());
    let reset = reset.and_then(|reset| until(reset, headers, unix)).or(told.reset);
    Some(Told {
        remaining: told.limit.map_or(told.remaining, |limit| told.remaining.min(limit)),
        limit: told.limit.filter(|limit| *limit > 0),
        reset: reset.filter(|reset| *reset <= MOST_RESET),
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (value.len() <= MOST_BYTES).then_some(value)
}

/// A whole number that a limit can have. Others, `-1` for one, have meanings that nobody has told.
fn number(text: &str) -> Option<u64> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_whole
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number| *number <= MOST)
}

fn numbers(seconds: u64, tells: &Tells, headers: &HeaderMap) -> Option<Told> {
    let named = |name: &Option<String>| number(text(headers, name.as_deref()?)?);
    if let Some(interval) = tells.interval_ms.as_deref().filter(|name| headers.contains_key(*name)) {
        let milliseconds = number(text(headers, interval)?)?;
        if milliseconds != seconds.saturating_mul(1_000) {
            return None;
        }
    }
    let limit = named(&tells.limit);
    let unused = || Some(limit?.saturating_sub(named(&tells.used)?));
    Some(Told {
        remaining: named(&tells.remaining).or_else(unused)?,
        limit,
        reset: None,
    })
}

/// `api-usage=18/5000, per-app-api-usage=17/250(appName=ours)`
fn usage(tells: &Tells, headers: &HeaderMap) -> Option<Told> {
    let value = text(headers, tells.used.as_deref()?)?;
    let wanted = tells.name.as_deref();
    let mut entries = value.split([',', ';']).filter_map(|entry| entry.trim().split_once('='));
    let (_, numbers) = entries.find(|(name, _)| wanted.is_none_or(|wanted| name.trim() == wanted))?;
    let (used, limit) = numbers.split_once('/')?;
    let limit = limit.split_once('(').map_or(limit, |(limit, _)| limit);
    let (used, limit) = (number(used.trim())?, number(limit.trim())?);
    Some(Told {
        remaining: limit.saturating_sub(used),
        limit: Some(limit),
        reset: None,
    })
}

/// `"day";r=50;t=30`, of the policies `"day";q=100;w=86400`
fn structured(
    of: Of<'_>,
    remaining: &str,
    policy: Option<&str>,
    name: Option<&str>,
    headers: &HeaderMap,
) -> Option<Told> {
    let left = items(text(headers, remaining)?)?;
    let policies = policy.and_then(|policy| text(headers, policy)).map(items);
    let policies = match policies {
        Some(policies) => policies?,
        None => Vec::new(),
    };
    let is_ours = |item: &&Item<'_>| {
        item.number("w").is_none_or(|seconds| seconds == of.seconds)
            && item
                .parameter("qu")
                .map_or(of.unit == REQUESTS || name.is_some(), |unit| unit == of.unit)
    };
    let item = match name {
        Some(name) => left.iter().find(|item| item.name == name)?,
        None => {
            let mut timed = policies
                .iter()
                .filter(|item| item.number("w").is_some())
                .filter(is_ours);
            match (timed.next(), timed.next()) {
                (Some(only), None) => left.iter().find(|item| item.name == only.name)?,
                // Without a policy one that stands alone may be meant where the connector says so, and only there.
                (None, None) if policies.is_empty() && of.tells.is_some() && left.len() == 1 => left.first()?,
                _ => return None,
            }
        }
    };
    let policy = policies.iter().find(|policy| policy.name == item.name);
    if !policy.is_none_or(|policy| is_ours(&policy)) {
        return None;
    }
    Some(Told {
        remaining: item.number("r")?,
        limit: policy.and_then(|policy| policy.number("q")),
        reset: item.number("t").map(Duration::from_secs),
    })
}

/// A member of a structured header's list.
struct Item<'h> {
    name: &'h str,
    parameters: Vec<(&'h str, &'h str)>,
}

impl Item<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(found, _)| *found == name);
        found.map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> Option<u64> {
        number(self.parameter(name)?)
    }
}

/// The members of a list; `None` where it is none. Names with quotes inside them are not read.
fn items(list: &str) -> Option<Vec<Item<'_>>> {
    let mut rest = list.trim();
    let mut items = Vec::new();
    loop {
        let (name, after) = word(rest)?;
        let mut item = Item {
            name,
            parameters: Vec::new(),
        };
        rest = after;
        while let Some(parameter) = rest.strip_prefix(';') {
            let (name, value) = parameter.split_once('=')?;
            let (value, after) = word(value)?;
            item.parameters.push((name.trim(), value));
            rest = after;
        }
        items.push(item);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(items),
        }
    }
}

/// A quoted or bare word at the beginning, and what is behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (word, after) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').filter(|(word, _)| !word.contains('\\'))?,
        None => text.split_at_checked(text.find([',', ';', ' ']).unwrap_or(text.len()))?,
    };
    (!word.is_empty()).then(|| (word, after.trim_start()))
}

fn until(reset: &Reset, headers: &HeaderMap, unix: u64) -> Option<Duration> {
    let value = text(headers, &reset.header)?;
    let at = |milliseconds: u64| Duration::from_millis(milliseconds.saturating_sub(unix));
    match reset.form {
        ResetForm::Seconds => seconds(value),
        ResetForm::Ms => seconds(value).map(|time| time / 1_000),
        ResetForm::Epoch => seconds(value).map(|time| time.saturating_sub(Duration::from_millis(unix))),
        ResetForm::EpochMs => value.parse().ok().map(at),
        ResetForm::Date => {
            let date = clock::unix_of_http_date(value);
            let date = date.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let stamp = || {
                let stamp: jiff::Timestamp = value.parse().ok()?;
                u64::try_from(stamp.as_millisecond()).ok().map(Duration::from_millis)
            };
            let date = date.or_else(stamp)?;
            Some(date.saturating_sub(Duration::from_millis(unix)))
        }
    }
}

/// Seconds, or parts of them.
fn seconds(text: &str) -> Option<Duration> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = plain.then(|| text.parse().ok()).flatten()?;
    Duration::try_from_secs_f64(seconds).ok()
}

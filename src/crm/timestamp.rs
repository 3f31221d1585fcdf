//! A CRM's own times: read in the form it writes, moved back, and written in the same form. Never the portal's clock.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::crm::object::TimeFormat;

/// Epoch numbers from this size on count milliseconds (in seconds it would be the year 5138).
const FIRST_MILLISECOND: u64 = 100_000_000_000;

const REPEATED_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A point in the CRM's time, in the form in which the CRM wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// With an offset; the separator (`T` or a space) is kept.
    Zoned(Timestamp, char),
    /// Without an offset, in whatever zone the CRM means.
    Naive(DateTime, char),
    /// Seconds since 1970.
    Seconds(i64),
    /// Milliseconds since 1970.
    Milliseconds(i64),
}

impl Moment {
    /// Reads RFC 3339, `2026-11-23 10:00:00`, `+0000` offsets and epoch numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(number) = text.parse::<i64>() {
            return Some(if number.unsigned_abs() >= FIRST_MILLISECOND {
                Self::Milliseconds(number)
            } else {
                Self::Seconds(number)
            });
        }
        let separator = text.chars().nth(10)?;
        if !matches!(separator, 'T' | 't' | ' ') {
            return None;
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(Self::Zoned(timestamp, separator));
        }
        text.parse::<DateTime>().ok().map(|naive| Self::Naive(naive, separator))
    }

    /// The same form, `seconds` earlier, cut to whole seconds.
    #[must_use]
    pub fn earlier(&self, seconds: i64) -> Option<String> {
        let back = SignedDuration::from_secs(seconds);
        match self {
            Self::Zoned(timestamp, separator) => {
                let moved = timestamp.checked_sub(back).ok()?;
                let text = moved.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                Some(with_separator(&text, *separator))
            }
            Self::Naive(naive, separator) => {
                // In the hour that a zone repeats when summer time ends, a later change has an earlier time.
                let moved = naive.checked_sub(back.checked_add(REPEATED_HOUR)?).ok()?;
                let text = moved.strftime("%Y-%m-%dT%H:%M:%S").to_string();
                Some(with_separator(&text, *separator))
            }
            Self::Seconds(at) => Some(at.checked_sub(seconds)?.to_string()),
            Self::Milliseconds(at) => Some(at.checked_sub(seconds.checked_mul(1000)?)?.to_string()),
        }
    }

    /// The point in time; one without an offset is of `zone`, and of the two that a repeated hour has the earlier.
    #[must_use]
    pub fn instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Zoned(timestamp, _) => Some(*timestamp),
            Self::Naive(naive, _) => Some(zone.to_ambiguous_zoned(*naive).earlier().ok()?.timestamp()),
            Self::Seconds(at) => Timestamp::from_second(*at).ok(),
            Self::Milliseconds(at) => Timestamp::from_millisecond(*at).ok(),
        }
    }

    /// In the form that a CRM wants in its filter; a naive time is of `zone`. `None` where it is wanted as it was written.
    #[must_use]
    pub fn write(&self, format: TimeFormat, zone: &TimeZone) -> Option<String> {
        let at = self.instant(zone);
        let utc = |form: &str| Some(at?.strftime(form).to_string());
        match format {
            TimeFormat::AsWritten => None,
            TimeFormat::Rfc3339 => utc("%Y-%m-%dT%H:%M:%SZ"),
            TimeFormat::Rfc3339Ms => utc("%Y-%m-%dT%H:%M:%S.%3fZ"),
            TimeFormat::Offset => utc("%Y-%m-%dT%H:%M:%S+00:00"),
            TimeFormat::SpaceMsZ => utc("%Y-%m-%d %H:%M:%S.%3fZ"),
            TimeFormat::Naive => Some(at?.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()),
            TimeFormat::NaiveUtc => utc("%Y-%m-%d %H:%M:%S"),
            TimeFormat::Epoch => Some(at?.as_second().to_string()),
            TimeFormat::EpochMs => Some(at?.as_millisecond().to_string()),
        }
    }

    /// Seconds since 1970; a time without an offset is taken for UTC.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only compared with a tolerance of a day")]
    pub fn unix(&self) -> f64 {
        match self {
            Self::Zoned(timestamp, _) => timestamp.as_second() as f64,
            Self::Naive(naive, _) => naive
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map_or(f64::MAX, |zoned| zoned.timestamp().as_second() as f64),
            Self::Seconds(at) => *at as f64,
            Self::Milliseconds(at) => *at as f64 / 1000.0,
        }
    }

    /// Whether this is later than `other`; `None` where the two are of different forms.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Zoned(a, _), Self::Zoned(b, _)) => Some(a > b),
            (Self::Naive(a, _), Self::Naive(b, _)) => Some(a > b),
            (Self::Seconds(a), Self::Seconds(b)) | (Self::Milliseconds(a), Self::Milliseconds(b)) => Some(a > b),
            _ => None,
        }
    }
}

/// Whether two texts are written alike, in a form in which the later time is the greater text; whether they are times at all is not
/// looked at.
#[must_use]
pub fn are_alike(one: &str, other: &str) -> bool {
    const WITHOUT_OFFSET: usize = "2026-11-01T10:00:00".len();
    let is_same = |(a, b): (&u8, &u8)| a == b || a.is_ascii_digit() && b.is_ascii_digit();
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.len() == other.len()
        && matches!(one, [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', ..])
        && (one.last() == Some(&b'Z') || one.len() == WITHOUT_OFFSET)
        && one.iter().zip(other).all(is_same)
}

fn with_separator(text: &str, separator: char) -> String {
    if separator == ' ' {
        text.replacen('T', " ", 1)
    } else {
        text.to_owned()
    }
}

/// The later of two times as the CRM wrote them; the new one where they cannot be compared.
#[must_use]
pub fn later(old: Option<String>, new: &str) -> String {
    let Some(old) = old else {
        return new.to_owned();
    };
    let newer = match (Moment::parse(&old), Moment::parse(new)) {
        (Some(a), Some(b)) => b.is_after(&a).unwrap_or(true),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if newer { new.to_owned() } else { old }
}

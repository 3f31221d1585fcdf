//! Points in time as tenants write them and as filters ask for them. Without a zone it is UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a tenant's CRM writes `created_at` and `updated_at`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// "2026-11-23T10:00:00.123456Z"
    #[default]
    Rfc3339,
    /// "2026-11-23T10:00:00.123Z"
    Rfc3339Ms,
    /// "2026-11-23T10:00:00Z"
    Rfc3339S,
    /// "2026-11-23 10:00:00"
    Naive,
    /// 1795428000
    Epoch,
    /// 1795428000123
    EpochMs,
}

impl TimeFormat {
    /// To the precision of the format.
    pub fn truncate(self, time: Timestamp) -> Timestamp {
        let micros = time.as_microsecond();
        let step = match self {
            Self::Rfc3339 => 1,
            Self::Naive | Self::Epoch | Self::Rfc3339S => 1_000_000,
            Self::EpochMs | Self::Rfc3339Ms => 1_000,
        };
        Timestamp::from_microsecond(micros - micros.rem_euclid(step)).unwrap_or(time)
    }

    pub fn write(self, time: Timestamp) -> Value {
        match self {
            Self::Rfc3339 => format!("{time:.6}").into(),
            Self::Rfc3339Ms => format!("{time:.3}").into(),
            Self::Rfc3339S => format!("{time:.0}").into(),
            Self::Naive => time.strftime("%Y-%m-%d %H:%M:%S").to_string().into(),
            Self::Epoch => time.as_second().into(),
            Self::EpochMs => time.as_millisecond().into(),
        }
    }

    /// The time that a row carries; `None` where it carries none that can be read.
    pub fn read(self, value: Option<&Value>) -> Option<Timestamp> {
        match value? {
            Value::String(text) => self.parse(text),
            Value::Number(number) => self.number(number.as_i64()?),
            _ => None,
        }
    }

    /// RFC 3339, `Y-m-d H:i:s` or a count since 1970 (milliseconds for `epoch_ms`, seconds for the others).
    pub fn parse(self, text: &str) -> Option<Timestamp> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.number(text.parse().ok()?);
        }
        // jiff reads much more than the two forms promised: dates alone, weeks, annotations.
        if !is_date_and_time(text) {
            return None;
        }
        text.parse::<Timestamp>().ok().or_else(|| {
            let time = text.parse::<DateTime>().ok()?;
            Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
    }

    fn number(self, number: i64) -> Option<Timestamp> {
        match self {
            Self::EpochMs => Timestamp::from_millisecond(number).ok(),
            _ => Timestamp::from_second(number).ok(),
        }
    }
}

/// `dddd-dd-dd[T ]dd:dd:dd` and then nothing that is no fraction or offset.
fn is_date_and_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(start), Some(rest)) = (bytes.get(..19), bytes.get(19..)) else {
        return false;
    };
    let shape = b"0000-00-00T00:00:00";
    let fits = start.iter().zip(shape).all(|(byte, expected)| match expected {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        _ => byte == expected,
    });
    fits && rest
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b':' | b'+' | b'-' | b'Z' | b'z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        TimeFormat::Rfc3339.parse(text).map(|time| time.as_microsecond())
    }

    const TEN: i64 = 1_795_428_000_000_000;

    #[test]
    fn all_promised_forms() {
        for text in [
            "2026-11-23T10:00:00Z",
            "2026-11-23T10:00:00.000000Z",
            "2026-11-23T23:00:00+13:00",
            "2026-11-23T10:00:00+0000",
            "2026-11-23T10:00:00",
            "2026-11-23 10:00:00",
            "1795428000",
        ] {
            assert_eq!(at(text), Some(TEN), "{text}");
        }
        assert_eq!(at("2026-11-23 10:00:00.25"), Some(TEN + 250_000));
        assert_eq!(at("-1"), Some(-1_000_000));
        assert_eq!(
            TimeFormat::EpochMs.parse("1795428000123"),
            Timestamp::from_microsecond(TEN + 123_000).ok()
        );
    }

    #[test]
    fn nothing_else() {
        for text in [
            "",
            "yesterday",
            "2026-11-23",
            "2026-11-23T10:00",
            "2026-13-01 10:00:00",
            "2026-02-30 10:00:00",
            "2026-11-23T10:00:00 00:00", // a plus sign that was not encoded
            "2026-11-23T10:00:00Z ",
            "2026-11-23T10:00:00Z[UTC]",
            "23/11/2026 10:00:00",
            "1e9",
            "99999999999999999999",
            "1795428000123", // milliseconds, where seconds are spoken
            "２０２６-11-23 10:00:00",
            "-",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let time = Timestamp::from_nanosecond(1_795_428_000_123_456_789).unwrap();
        for (format, written) in [
            (TimeFormat::Rfc3339, Value::from("2026-11-23T10:00:00.123456Z")),
            (TimeFormat::Rfc3339Ms, Value::from("2026-11-23T10:00:00.123Z")),
            (TimeFormat::Rfc3339S, Value::from("2026-11-23T10:00:00Z")),
            (TimeFormat::Naive, Value::from("2026-11-23 10:00:00")),
            (TimeFormat::Epoch, Value::from(1_795_428_000)),
            (TimeFormat::EpochMs, Value::from(1_795_428_000_123_i64)),
        ] {
            let served = format.truncate(time);
            assert_eq!(format.write(served), written);
            assert_eq!(format.read(Some(&written)), Some(served));
        }
        assert_eq!(TimeFormat::Naive.read(Some(&Value::Null)), None);
        assert_eq!(TimeFormat::Naive.read(None), None);
    }

    #[test]
    fn truncation_goes_down_before_1970_too() {
        let time = Timestamp::from_microsecond(-1).unwrap();
        assert_eq!(TimeFormat::Epoch.truncate(time), Timestamp::from_second(-1).unwrap());
    }
}

//! The CRM's own times.

use jiff::tz::TimeZone;
use tenant_crm_sync::crm::object::TimeFormat;
use tenant_crm_sync::crm::timestamp::{Moment, are_alike, later};

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The point in time that a text is in a zone, in UTC.
fn instant(text: &str, name: &str) -> Option<String> {
    Some(Moment::parse(text)?.instant(&zone(name))?.to_string())
}

fn written(text: &str, format: TimeFormat, name: &str) -> Option<String> {
    Moment::parse(text).unwrap().write(format, &zone(name))
}

#[test]
fn moves_back_in_the_form_it_was_written() {
    for (written, expected) in [
        ("2026-11-23T10:00:00Z", "2026-11-23T09:58:00Z"),
        ("2026-11-23T10:00:00.987654Z", "2026-11-23T09:58:00Z"),
        ("2026-11-23T12:00:00+02:00", "2026-11-23T09:58:00Z"),
        ("2026-11-23T12:00:00+0200", "2026-11-23T09:58:00Z"),
        ("2026-11-23 10:00:00", "2026-11-23 08:58:00"),
        ("2026-11-23T10:00:00", "2026-11-23T08:58:00"),
        ("2026-01-01 00:01:00", "2025-12-31 22:59:00"),
        ("1795428000", "1795427880"),
        ("1795428000123", "1795427880123"),
    ] {
        let moment = Moment::parse(written).expect(written);
        assert_eq!(moment.earlier(120).as_deref(), Some(expected), "{written}");
    }
}

#[test]
fn nonsense_is_no_time() {
    for text in [
        "",
        "yesterday",
        "2026-13-01 00:00:00",
        "2026-11-23",
        "23.11.2026 10:00:00",
        "é",
    ] {
        assert_eq!(Moment::parse(text), None, "{text}");
    }
}

#[test]
fn the_later_of_two_by_value_not_by_text() {
    assert_eq!(later(None, "x"), "x");
    let old = Some("2026-11-23T10:00:00+02:00".to_owned());
    assert_eq!(later(old.clone(), "2026-11-23T09:00:00Z"), "2026-11-23T09:00:00Z");
    assert_eq!(later(old.clone(), "2026-11-23T07:59:59Z"), "2026-11-23T10:00:00+02:00");
    assert_eq!(later(old, "garbage"), "2026-11-23T10:00:00+02:00");
    assert_eq!(later(Some("9".into()), "10"), "10");
}

#[test]
fn a_time_is_the_same_moment_however_it_is_written() {
    for text in [
        "2026-11-23T10:00:00Z",
        "2026-11-23 10:00:00Z",
        "2026-11-23T12:00:00+02:00",
        "2026-11-23T12:00:00+0200",
        "2026-11-23T10:00:00.000+0000",
        "2026-11-23T05:00:00-05:00",
        "2026-11-23t10:00:00z",
        " 2026-11-23T10:00:00Z ",
        "1795428000",
        "1795428000000",
    ] {
        // What has an offset of its own does not care for the zone.
        for name in ["UTC", "Pacific/Auckland"] {
            assert_eq!(
                instant(text, name).as_deref(),
                Some("2026-11-23T10:00:00Z"),
                "{text} in {name}"
            );
        }
    }
}

#[test]
fn a_time_without_an_offset_is_of_the_zone() {
    for (name, expected) in [
        ("UTC", "2026-11-23T10:00:00Z"),
        ("Europe/Berlin", "2026-11-23T09:00:00Z"),
        ("Pacific/Auckland", "2026-11-22T21:00:00Z"),
        ("Pacific/Tongatapu", "2026-11-22T21:00:00Z"),
        ("America/New_York", "2026-11-23T15:00:00Z"),
        ("Asia/Kathmandu", "2026-11-23T04:15:00Z"),
    ] {
        assert_eq!(
            instant("2026-11-23 10:00:00", name).as_deref(),
            Some(expected),
            "{name}"
        );
    }
}

#[test]
fn of_an_hour_that_comes_twice_the_earlier_counts() {
    // Summer time ends at 3:00 on the 25th of October 2026: nothing that changed in either hour may be passed over.
    for (text, expected) in [
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59Z"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
        // And begins at 2:00 on the 29th of March: an hour that there is not.
        ("2026-03-29 02:30:00", "2026-03-29T00:30:00Z"),
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00Z"),
    ] {
        assert_eq!(instant(text, "Europe/Berlin").as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn is_written_as_each_crm_wants_it() {
    let text = "2026-11-23 10:00:00.250";
    for (format, expected) in [
        (TimeFormat::Rfc3339, "2026-11-22T21:00:00Z"),
        (TimeFormat::Rfc3339Ms, "2026-11-22T21:00:00.250Z"),
        (TimeFormat::Offset, "2026-11-22T21:00:00+00:00"),
        (TimeFormat::SpaceMsZ, "2026-11-22 21:00:00.250Z"),
        (TimeFormat::Naive, "2026-11-23 10:00:00"),
        (TimeFormat::NaiveUtc, "2026-11-22 21:00:00"),
        (TimeFormat::Epoch, "1795381200"),
        (TimeFormat::EpochMs, "1795381200250"),
    ] {
        assert_eq!(
            written(text, format, "Pacific/Auckland").as_deref(),
            Some(expected),
            "{format:?}"
        );
    }
    assert_eq!(written(text, TimeFormat::AsWritten, "UTC"), None);
    assert_eq!(
        written("1795381200250", TimeFormat::Naive, "Pacific/Auckland").as_deref(),
        Some("2026-11-23 10:00:00")
    );
    assert_eq!(
        written("1795381200", TimeFormat::EpochMs, "UTC").as_deref(),
        Some("1795381200000")
    );
    assert_eq!(
        written("2026-10-25 02:30:00", TimeFormat::NaiveUtc, "Europe/Berlin").as_deref(),
        Some("2026-10-25 00:30:00")
    );
}

#[test]
fn what_is_moved_back_is_still_a_time_of_its_zone() {
    // The stored time of a pull goes through both: back, and into the CRM's form. No change may lie between.
    let newest = "2026-10-25 02:10:00";
    let back = Moment::parse(newest).unwrap().earlier(120).unwrap();
    let asked = instant(&back, "Europe/Berlin").unwrap();
    assert!(
        asked.as_str() <= "2026-10-25T00:08:00Z",
        "{asked}: the first 02:10 is at 00:10 UTC"
    );
}

#[test]
fn seconds_and_milliseconds_are_told_apart_by_their_size() {
    assert_eq!(Moment::parse("99999999999"), Some(Moment::Seconds(99_999_999_999)));
    assert_eq!(
        Moment::parse("100000000000"),
        Some(Moment::Milliseconds(100_000_000_000))
    );
    assert_eq!(
        Moment::parse("-100000000000"),
        Some(Moment::Milliseconds(-100_000_000_000))
    );
    assert_eq!(Moment::parse("0"), Some(Moment::Seconds(0)));
    assert_eq!(
        Moment::parse("-1").and_then(|moment| moment.earlier(1)).as_deref(),
        Some("-2")
    );
}

#[test]
fn numbers_at_the_end_of_all_numbers_are_no_times() {
    for number in [i64::MIN, i64::MIN + 1, i64::MAX] {
        let moment = Moment::parse(&number.to_string()).unwrap();
        assert_eq!(moment.instant(&TimeZone::UTC), None, "{number}");
        for format in [
            TimeFormat::Rfc3339,
            TimeFormat::Naive,
            TimeFormat::Epoch,
            TimeFormat::EpochMs,
        ] {
            assert_eq!(moment.write(format, &TimeZone::UTC), None, "{number} as {format:?}");
        }
    }
    assert_eq!(
        Moment::parse("-9223372036854775808").and_then(|moment| moment.earlier(120)),
        None
    );
    assert_eq!(
        Moment::parse("1795428000").and_then(|moment| moment.earlier(i64::MIN)),
        None
    );
    assert_eq!(Moment::parse("9223372036854775808"), None, "beyond all numbers");
    for text in ["2026-11-23T10:00:00Z", "1795428000123"] {
        assert_eq!(
            Moment::parse(text).and_then(|moment| moment.earlier(i64::MAX)),
            None,
            "{text}"
        );
    }
}

#[test]
fn texts_that_are_written_alike_are_in_the_order_of_their_times() {
    const TIMES: [&str; 16] = [
        "2026-11-23T10:00:00Z",
        "2026-11-23T09:59:59Z",
        "2025-12-31T23:59:59Z",
        "2026-11-23T10:00:00.5Z",
        "2026-11-23T10:00:00.4Z",
        "2026-11-23T10:00:00.25Z",
        "2026-11-23T10:00:00+01:00",
        "2026-11-23T09:30:00-01:00",
        "2026-11-23T10:00:00+0200",
        "2026-11-23 10:00:00",
        "2026-11-23 09:00:00",
        "2026-11-23 10:00:00Z",
        "1795428000",
        "1795428001",
        "-1795428000",
        "-1795428001",
    ];
    let mut alike = 0;
    for one in TIMES {
        for other in TIMES.iter().filter(|other| are_alike(one, other)) {
            let (a, b) = (Moment::parse(one).unwrap(), Moment::parse(other).unwrap());
            assert_eq!(a.is_after(&b), Some(one > *other), "{one} and {other}");
            alike += usize::from(one != *other);
        }
    }
    assert_eq!(alike, 10, "pairs of seconds, of tenths and of times without an offset");
    assert!(!are_alike("1795428000", "1795428001"), "numbers have signs");
    assert!(!are_alike("", "2026-11-23T10:00:00Z"));
}

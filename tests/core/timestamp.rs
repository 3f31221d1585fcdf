//! The CRM's own times.

use tenant_crm_sync::crm::timestamp::{Moment, later};

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

//! From where a pull goes on.

use tenant_crm_sync::crm::next::Continue;
use tenant_crm_sync::crm::page::Row;
use tenant_crm_sync::sync::watermark::Watermark;

/// 2026-11-24T00:00:00Z
const NOW: f64 = 1_795_478_400.0;

fn row(updated_at: Option<&str>) -> Row {
    Row {
        span: 0..0,
        id: "1".into(),
        updated_at: updated_at.map(str::to_owned),
        mapped: None,
    }
}

#[test]
fn goes_back_by_the_length_of_the_walk_and_the_overlap() {
    let mut walk = Watermark::beginning();
    walk.started = Some(1000.0);
    walk.saw(
        &[
            row(Some("2026-11-23T10:00:00Z")),
            row(None),
            row(Some("2026-11-23T09:00:00Z")),
        ],
        NOW,
    );
    // A row of an early page that changed while later ones were read is asked for again.
    assert_eq!(
        walk.finished(1300.0, 120, None).since.as_deref(),
        Some("2026-11-23T09:53:00Z")
    );
}

#[test]
fn never_falls_back_behind_where_it_started() {
    let mut walk = Watermark::parse(Some("2026-11-23T10:00:00Z")).unwrap();
    walk.started = Some(0.0);
    assert_eq!(
        walk.finished(0.0, 120, None).since.as_deref(),
        Some("2026-11-23T10:00:00Z"),
        "no rows"
    );
    walk.saw(&[row(Some("2026-11-23T10:00:30Z"))], NOW);
    assert_eq!(
        walk.finished(0.0, 120, None).since.as_deref(),
        Some("2026-11-23T10:00:00Z"),
        "inside the overlap"
    );
}

#[test]
fn rows_without_a_usable_time_lead_to_a_full_pull() {
    let mut walk = Watermark::beginning();
    walk.saw(&[row(None), row(Some("soon"))], NOW);
    assert_eq!(walk.finished(0.0, 120, None), Watermark::beginning());
}

#[test]
fn is_stored_and_read_back() {
    let mut walk = Watermark::parse(Some("2026-11-23 10:00:00")).unwrap();
    walk.next = Some(Continue::Cursor("a\"b".into()));
    walk.newest = Some("x".into());
    walk.started = Some(1.5);
    assert_eq!(Watermark::parse(Some(&walk.store())).unwrap(), walk);
    assert_eq!(Watermark::parse(None).unwrap(), Watermark::beginning());
    assert_eq!(Watermark::parse(Some("  ")).unwrap(), Watermark::beginning());
}

#[test]
fn forged_ones_are_refused_with_the_remedy() {
    let version = Watermark::beginning().store();
    let with = |member: &str| format!("{},{member}}}", version.trim_end_matches('}'));
    for text in [
        String::from("{}"),
        String::from("{\"v\":0}"),
        String::from("{\"v\":99}"),
        with("\"x\":1"),
        with("\"since\":3"),
        String::from("{"),
        with("\"next\":{\"page\":\"x\"}"),
    ] {
        let error = Watermark::parse(Some(&text)).unwrap_err();
        assert!(error.message.contains("null to pull everything"), "{text}: {error}");
    }
}

#[test]
fn a_row_from_the_future_does_not_hide_what_comes() {
    let mut walk = Watermark::beginning();
    walk.saw(
        &[row(Some("2099-01-01T00:00:00Z")), row(Some("2026-11-23T10:00:00Z"))],
        NOW,
    );
    assert_eq!(walk.newest.as_deref(), Some("2026-11-23T10:00:00Z"));
}

#[test]
fn every_place_in_a_list_is_stored_and_read_back() {
    for next in [
        Continue::Link("/x?page=2".into()),
        Continue::Page(u64::MAX),
        Continue::Offset(200, "00QAbC".into()),
        Continue::After("12".into()),
    ] {
        let mut walk = Watermark::beginning();
        walk.next = Some(next);
        walk.has_shifted = true;
        assert_eq!(Watermark::parse(Some(&walk.store())).unwrap(), walk);
    }
}

#[test]
fn what_the_crm_calls_the_next_pull_is_kept_until_that_pull_has_ended() {
    let mut walk = Watermark::beginning();
    walk.origin = Some("https://crm.example".into());
    let ended = walk.finished(0.0, 120, Some("https://crm.example/delta?t=1".into()));
    assert_eq!(ended.resume.as_deref(), Some("https://crm.example/delta?t=1"));
    assert_eq!(ended.origin.as_deref(), Some("https://crm.example"));
    assert_eq!(
        ended.restarted(5.0).resume,
        ended.resume,
        "a pull that starts over starts from the same place"
    );
    assert_eq!(
        ended.finished(0.0, 120, None).resume,
        None,
        "what is not given again has run out"
    );
}

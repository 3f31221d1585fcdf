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
fn a_page_leads_as_far_as_its_rows_one_by_one() {
    // Times of several forms; those of the future, and what is no time.
    const TIMES: [&str; 14] = [
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:01Z",
        "2026-11-22T23:59:59Z",
        "2026-02-30T10:00:00Z",
        "2026-99-99T99:99:99Z",
        "2099-01-01T00:00:00Z",
        "2026-11-23T10:00:00.500Z",
        "2026-11-23T10:00:00.250Z",
        "2026-11-23 10:00:00",
        "2026-11-23 09:00:00",
        "2026-11-23T10:00:00+01:00",
        "2026-11-23T10:00:00+02:00",
        "1795428000",
        "soon",
    ];
    let mut state = 1_u32;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % below
    };
    let mut led = std::collections::BTreeSet::new();
    for round in 0..20_000 {
        // Half of the pages are of one form, as nearly all pages are.
        let forms = if round % 2 == 0 { 6 } else { TIMES.len() };
        let rows: Vec<Row> = (0..draw(6)).map(|_| row(TIMES.get(draw(forms)).copied())).collect();
        let mut at_once = Watermark::beginning();
        at_once.newest = TIMES.get(draw(TIMES.len() * 2)).map(|time| String::from(*time));
        let mut one_by_one = at_once.clone();
        at_once.saw(&rows, NOW);
        for row in rows.clone() {
            one_by_one.saw(&[row], NOW);
        }
        assert_eq!(at_once.newest, one_by_one.newest, "{rows:?}");
        led.insert(at_once.newest);
    }
    assert!(led.len() > 10, "{led:?}");
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

//! Where the next page is, in each kind of paging; where a walk must not end early, and where it must end.

use jiff::tz::TimeZone;
use tenant_crm_sync::crm::next::{Continue, Extent, Place, next};
use tenant_crm_sync::crm::object::Next;
use tenant_crm_sync::crm::page::{Page, scan};
use tenant_crm_sync::crm::shape::Shape;
use tenant_crm_sync::error::Kind;
use tenant_crm_sync::json::Path;

use crate::support::built_in;

/// A page with these members besides its rows.
fn page(others: &str) -> Page {
    let object = built_in("rest").object("leads").unwrap();
    let shape = Shape::of(object, &Path::member("data"), None, TimeZone::UTC);
    scan(format!("{{\"data\":[]{others}}}").as_bytes(), &shape).unwrap()
}

fn rules(json: &str) -> Vec<Next> {
    serde_json::from_str(json).unwrap()
}

/// So many rows, the last one's id being `z`, of ten that were asked for.
fn rows(at: Option<&Continue>, rows: u64) -> Place<'_> {
    Place {
        at,
        rows,
        size: Some(10),
        last_id: (rows > 0).then_some("z"),
    }
}

fn following(json: &str, others: &str, place: Place<'_>) -> Option<Continue> {
    next(&page(others), &rules(json), place).unwrap().0
}

#[test]
fn links_end_where_there_is_none() {
    let link = r#"[{"link":{"at":["links","next"]}}]"#;
    let after = |others: &str| following(link, others, rows(None, 10));
    assert_eq!(
        after(r#","links":{"next":"/x?p=2"}"#),
        Some(Continue::Link("/x?p=2".into()))
    );
    for end in [
        "",
        r#","links":{"next":null}"#,
        r#","links":{"next":""}"#,
        r#","links":{"next":false}"#,
        r#","links":[]"#,
    ] {
        assert_eq!(after(end), None, "{end}");
    }
    assert_eq!(
        following(link, r#","links":{"next":"/y"}"#, rows(None, 0)),
        Some(Continue::Link("/y".into())),
        "an empty page is not the last"
    );
}

#[test]
fn cursors_end_where_there_is_none_or_no_more() {
    let cursor = r#"[{"cursor":{"at":"next"}}]"#;
    assert_eq!(
        following(cursor, r#","next":"c\"1""#, rows(None, 3)),
        Some(Continue::Cursor("c\"1".into())),
        "a short page is not the last"
    );
    assert_eq!(
        following(cursor, r#","next":12"#, rows(None, 10)),
        Some(Continue::Cursor("12".into()))
    );
    for end in ["", r#","next":null"#, r#","next":"""#, r#","next":false"#] {
        assert_eq!(following(cursor, end, rows(None, 10)), None, "{end}");
    }
    let told = r#"[{"cursor":{"at":"next","more":["info","more"]}}]"#;
    assert_eq!(
        following(told, r#","next":"c","info":{"more":true}"#, rows(None, 10)),
        Some(Continue::Cursor("c".into()))
    );
    assert_eq!(
        following(told, r#","next":"c","info":{"more":false}"#, rows(None, 10)),
        None
    );
}

#[test]
fn the_first_rule_whose_marker_is_there_counts() {
    let both = r#"[{"link":{"at":"next"}},{"cursor":{"at":"cursor"}}]"#;
    assert_eq!(
        following(both, r#","cursor":"c""#, rows(None, 10)),
        Some(Continue::Cursor("c".into()))
    );
    assert_eq!(following(both, r#","cursor":"c","next":null"#, rows(None, 10)), None);
    assert_eq!(
        following("[]", r#","cursor":"c""#, rows(None, 10)),
        None,
        "without rules there is one page"
    );
}

#[test]
fn numbered_pages_say_how_many_they_are() {
    let told = r#"[{"page":{"number":"page","last":"last","total":"total"}}]"#;
    let found = |others: &str| next(&page(others), &rules(told), rows(None, 10)).unwrap();
    let extent = |last, total| {
        Some(Extent {
            last_page: Some(last),
            total,
        })
    };
    assert_eq!(
        found(r#","page":2,"last":"3","total":21"#),
        (Some(Continue::Page(3)), extent(3, Some(21)))
    );
    assert_eq!(found(r#","page":3,"last":3"#), (None, extent(3, None)));
    assert_eq!(
        found(r#","page":4,"last":3"#),
        (None, extent(3, None)),
        "a list that has become shorter"
    );
    for missing in [
        "",
        r#","page":1"#,
        r#","last":3"#,
        r#","page":"x","last":3"#,
        r#","page":-1,"last":3"#,
        r#","page":1.5,"last":3"#,
    ] {
        assert_eq!(found(missing), (None, None), "{missing}");
    }
}

#[test]
fn pages_that_are_only_counted_end_with_an_empty_one() {
    let counted = r#"[{"page":{"first":0}}]"#;
    assert_eq!(following(counted, "", rows(None, 10)), Some(Continue::Page(1)));
    assert_eq!(
        following(counted, "", rows(Some(&Continue::Page(1)), 1)),
        Some(Continue::Page(2)),
        "a short page is not the last"
    );
    assert_eq!(following(counted, "", rows(Some(&Continue::Page(2)), 0)), None);
    assert_eq!(
        following(r#"[{"page":{}}]"#, "", rows(None, 10)),
        Some(Continue::Page(2)),
        "the first is 1 where nothing is said"
    );
    let more = r#"[{"page":{"more":"more"}}]"#;
    assert_eq!(
        following(more, r#","more":true"#, rows(Some(&Continue::Page(5)), 0)),
        Some(Continue::Page(6))
    );
    assert_eq!(
        following(more, r#","more":false"#, rows(Some(&Continue::Page(5)), 10)),
        None
    );
    assert_eq!(
        following(counted, "", rows(Some(&Continue::Page(u64::MAX)), 10)),
        Some(Continue::Page(u64::MAX))
    );
}

#[test]
fn counted_rows_begin_again_with_the_last_one() {
    let plain = r#"[{"offset":{}}]"#;
    let first = following(plain, "", rows(None, 10)).unwrap();
    assert_eq!(first, Continue::Offset(10, "z".into()));
    // The row that comes again is not counted twice: 10 + (10 - 1).
    assert_eq!(
        following(plain, "", rows(Some(&first), 10)),
        Some(Continue::Offset(19, "z".into()))
    );
    assert_eq!(
        following(plain, "", rows(Some(&first), 4)),
        Some(Continue::Offset(13, "z".into())),
        "a short page is not the last"
    );
    assert_eq!(
        following(plain, "", rows(Some(&first), 1)),
        None,
        "only the row that came again"
    );
    assert_eq!(following(plain, "", rows(Some(&first), 0)), None);
    assert_eq!(following(plain, "", rows(None, 0)), None);
}

#[test]
fn counted_rows_end_with_the_total_or_where_there_is_no_more() {
    let total = r#"[{"offset":{"total":"total"}}]"#;
    let at = Continue::Offset(10, "z".into());
    let (following_page, extent) = next(&page(r#","total":19"#), &rules(total), rows(Some(&at), 10)).unwrap();
    assert_eq!(following_page, None);
    assert_eq!(
        extent,
        Some(Extent {
            last_page: None,
            total: Some(19)
        })
    );
    assert_eq!(
        following(total, r#","total":20"#, rows(Some(&at), 10)),
        Some(Continue::Offset(19, "z".into()))
    );
    assert_eq!(
        following(total, "", rows(Some(&at), 10)),
        Some(Continue::Offset(19, "z".into())),
        "no total: until a page is empty"
    );
    let more = r#"[{"offset":{"more":"more"}}]"#;
    assert_eq!(
        following(more, r#","more":true"#, rows(None, 3)),
        Some(Continue::Offset(3, "z".into()))
    );
    assert_eq!(following(more, r#","more":false"#, rows(None, 10)), None);
}

#[test]
fn rows_sorted_by_id_go_on_after_the_last_one() {
    let keyset = r#"[{"keyset":{"start":"0"}}]"#;
    assert_eq!(following(keyset, "", rows(None, 10)), Some(Continue::After("z".into())));
    assert_eq!(
        following(keyset, "", rows(Some(&Continue::After("a".into())), 3)),
        Some(Continue::After("z".into())),
        "a short page is not the last"
    );
    assert_eq!(following(keyset, "", rows(Some(&Continue::After("z".into())), 0)), None);
    let short = r#"[{"keyset":{"start":"0","short_page_is_last":true}}]"#;
    assert_eq!(following(short, "", rows(None, 9)), None);
    assert_eq!(following(short, "", rows(None, 10)), Some(Continue::After("z".into())));
    let unsized_page = Place {
        size: None,
        ..rows(None, 9)
    };
    assert_eq!(
        following(short, "", unsized_page),
        Some(Continue::After("z".into())),
        "nobody knows what short is"
    );
    let more = r#"[{"keyset":{"start":"0","more":"more"}}]"#;
    assert_eq!(following(more, r#","more":false"#, rows(None, 10)), None);
    assert_eq!(
        following(more, r#","more":true"#, rows(None, 1)),
        Some(Continue::After("z".into()))
    );
}

#[test]
fn sorted_rows_without_ids_are_an_error_and_no_end() {
    let keyset = rules(r#"[{"keyset":{"start":"0"}}]"#);
    let place = Place {
        last_id: None,
        ..rows(None, 10)
    };
    let error = next(&page(""), &keyset, place).unwrap_err();
    assert_eq!(error.kind, Kind::Decode);
    assert!(error.message.contains("id"), "{error}");
}

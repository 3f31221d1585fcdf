//! A page is read once.

use jiff::tz::TimeZone;
use tenant_crm_sync::crm::next::{self, Continue, Place};
use tenant_crm_sync::crm::object::Listing;
use tenant_crm_sync::crm::page::{Page, scan};
use tenant_crm_sync::crm::shape::Shape;
use tenant_crm_sync::error::Kind;

use crate::support::built_in;

fn listing() -> &'static Listing {
    built_in("rest").object("leads").unwrap().read.full.as_ref().unwrap()
}

/// The rows of the connector `rest`.
fn shape(fields: Option<&[&str]>) -> Shape {
    let object = built_in("rest").object("leads").unwrap();
    let fields = fields.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    Shape {
        fields,
        ..Shape::of(object, &listing().rows, None, TimeZone::UTC).of_listing(listing())
    }
}

fn read(body: &[u8]) -> Page {
    read_fields(body, None)
}

fn read_fields(body: &[u8], fields: Option<&[&str]>) -> Page {
    scan(body, &shape(fields)).unwrap()
}

fn fingerprints(rows: &str, fields: Option<&[&str]>) -> Vec<[u8; 16]> {
    let page = read_fields(format!("{{\"data\":[{rows}]}}").as_bytes(), fields);
    assert!(page.refused.is_empty());
    page.fingerprints(&shape(fields))
}

fn same(a: &str, b: &str) -> bool {
    let prints = fingerprints(&format!("{a},{b}"), None);
    prints[0] == prints[1]
}

#[test]
fn ids_are_text_whatever_they_are() {
    let page =
        read(br#"{"data":[{"id":12},{"id":"00QAbC"},{"id":12345678901234567890},{"id":"a/b \u00e9"},{"id":1.50}]}"#);
    let ids: Vec<&str> = page.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["12", "00QAbC", "12345678901234567890", "a/b é", "1.50"]);
}

#[test]
fn rows_that_cannot_be_taken_are_refused_alone_and_named() {
    let page = read(b"{\"data\":[{\"id\":1},{\"name\":\"x\"},7,{\"id\":null},{\"id\":[1]},{\"id\":\"\"},{\"id\":2,\"n\":\"\xFFx\"},{\"id\":3}]}");
    assert_eq!(
        page.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["1", "3"]
    );
    assert_eq!(
        page.refused.iter().map(|row| row.position).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    let broken = &page.refused[5];
    assert_eq!(broken.id.as_deref(), Some("2"));
    assert!(broken.reason.contains("UTF-8"));
    assert_eq!(page.row_text(1), Some("{\"id\":3}"));
}

#[test]
fn fingerprints_do_not_depend_on_order_or_spelling() {
    assert!(same(
        r#"{"id":1,"a":{"x":1,"y":[2,3]}}"#,
        r#"{ "a" : {"y":[2 , 3],"x":1}, "id":1}"#
    ));
    assert!(same(r#"{"id":1,"a":"é\/"}"#, r#"{"id":1,"a":"\u00e9/"}"#));
    assert!(
        same(r#"{"id":1,"a":1}"#, r#"{"id":1,"a":2,"a":1}"#),
        "the last of repeated members counts"
    );
    assert!(
        same(r#"{"id":1,"updated_at":"x"}"#, r#"{"id":1,"updated_at":"y"}"#),
        "the time of the change is no content"
    );
}

#[test]
fn fingerprints_tell_values_apart() {
    for (a, b) in [
        (r#"{"id":1,"a":"1"}"#, r#"{"id":1,"a":1}"#),
        (r#"{"id":1,"a":null}"#, r#"{"id":1}"#),
        (r#"{"id":1,"a":""}"#, r#"{"id":1,"a":null}"#),
        (r#"{"id":1,"a":[1,2]}"#, r#"{"id":1,"a":[2,1]}"#),
        (r#"{"id":1,"a":[[1],2]}"#, r#"{"id":1,"a":[[1,2]]}"#),
        (r#"{"id":1,"a":[]}"#, r#"{"id":1,"a":{}}"#),
        (r#"{"id":1,"ab":"c"}"#, r#"{"id":1,"a":"bc"}"#),
        (r#"{"id":1,"a":{"b":1,"c":2}}"#, r#"{"id":1,"a":{"b":2,"c":1}}"#),
        (r#"{"id":1,"a":true}"#, r#"{"id":1,"a":false}"#),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn only_mapped_fields_count() {
    let rows = r#"{"id":1,"name":"n","score":1},{"id":1,"name":"n","score":2}"#;
    let prints = fingerprints(rows, Some(&["name"]));
    assert_eq!(prints[0], prints[1]);
    let prints = fingerprints(rows, Some(&["score", "name"]));
    assert_ne!(prints[0], prints[1]);
    assert_eq!(prints, fingerprints(rows, Some(&["name", "score"])));
}

#[test]
fn a_snapshot_is_the_mapped_fields_as_the_crm_wrote_them() {
    let shape = shape(Some(&["name", "q\""]));
    let page = scan(br#"{"data":[{"id":1,"name":"\u00e9","q\"":[1, 2],"x":1}]}"#, &shape).unwrap();
    assert_eq!(page.snapshot(0, &shape).unwrap(), r#"{"name":"\u00e9","q\"":[1, 2]}"#);
    assert_eq!(page.snapshot(1, &shape), None);
}

#[test]
fn the_next_page_is_found_in_each_style() {
    let next = |rest: &str| {
        let page = read(format!("{{\"data\":[]{rest}}}").as_bytes());
        let place = Place {
            at: None,
            rows: 0,
            size: None,
            last_id: None,
        };
        next::next(&page, &listing().next, place).unwrap().0
    };
    assert_eq!(next(""), None);
    assert_eq!(
        next(r#","links":{"next":"/x?page=2"}"#),
        Some(Continue::Link("/x?page=2".into()))
    );
    assert_eq!(
        next(r#","links":{"next":null},"meta":{"next_cursor":"c"}"#),
        None,
        "the first marker counts"
    );
    assert_eq!(
        next(r#","meta":{"next_cursor":"c"}"#),
        Some(Continue::Cursor("c".into()))
    );
    assert_eq!(next(r#","meta":{"next_cursor":7}"#), Some(Continue::Cursor("7".into())));
    assert_eq!(
        next(r#","meta":{"current_page":2,"last_page":3}"#),
        Some(Continue::Page(3))
    );
    assert_eq!(next(r#","meta":{"current_page":3,"last_page":3}"#), None);
    assert_eq!(next(r#","meta":[1]"#), None);
    assert_eq!(read(br#"[{"id":1}]"#).rows.len(), 1, "a bare list is a page");
}

#[test]
fn what_is_not_a_page_is_refused() {
    for body in [
        &b""[..],
        b"<html>",
        b"{\"data\":[{\"id\":1}",
        b"{\"data\":[]} x",
        b"7",
        b"{}",
        b"{\"data\":null}",
        b"{\"data\":{}}",
    ] {
        let error = scan(body, &shape(None)).unwrap_err();
        assert_eq!(error.kind, Kind::Decode, "{}", body.escape_ascii());
    }
}

#[test]
fn deep_nesting_costs_no_more_than_its_length() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let wide: Vec<String> = (0..2_000).map(|_| deep(500)).collect();
    let body = format!("{{\"data\":[{{\"id\":1,\"a\":[{}]}}]}}", wide.join(","));
    let started = std::time::Instant::now();
    assert_eq!(read(body.as_bytes()).rows.len(), 1);
    assert!(
        started.elapsed().as_secs() < 20,
        "{:?} for {} bytes",
        started.elapsed(),
        body.len()
    );
}

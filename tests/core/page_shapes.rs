//! Pages of other forms: rows deeper in the answer, rows that are passed over, mapped rows, and records read in parts.

use jiff::tz::TimeZone;
use tenant_crm_sync::crm::mapping::Mapping;
use tenant_crm_sync::crm::object::Object;
use tenant_crm_sync::crm::page::{Page, scan};
use tenant_crm_sync::crm::shape::Shape;
use tenant_crm_sync::error::Kind;
use tenant_crm_sync::json::Path;

use crate::support::connector;

/// A list of leads of which the connector says this, besides what it says of the object.
fn shape_of(object: &str, listing: &str) -> Shape {
    shape_in(object, listing, TimeZone::UTC)
}

fn shape_in(object: &str, listing: &str, zone: TimeZone) -> Shape {
    let played = connector(&format!(
        r#"{{"leads":{{{object}"read":{{"full":{{"request":{{"method":"GET","path":"/x"}},{listing}}}}}}}}}"#
    ));
    let leads: &Object = played.object("leads").unwrap();
    let listing = leads.read.full.as_ref().unwrap();
    Shape::of(leads, &listing.rows, leads.map.clone(), zone).of_listing(listing)
}

fn read(shape: &Shape, body: &str) -> Page {
    scan(body.as_bytes(), shape).unwrap()
}

fn ids(page: &Page) -> Vec<&str> {
    page.rows.iter().map(|row| row.id.as_str()).collect()
}

#[test]
fn rows_can_be_deeper_in_the_answer() {
    let deep = shape_of("", r#""rows":["result",0,"records"]"#);
    let body = r#"{"jsonrpc":"2.0","result":[{"é":"ü","records":[{"id":1,"a":"ö"},{"id":2}],"more":true}],"at":"x"}"#;
    let page = read(&deep, body);
    assert_eq!(ids(&page), ["1", "2"]);
    assert_eq!(
        page.row_text(0),
        Some(r#"{"id":1,"a":"ö"}"#),
        "spans count from the answer's beginning"
    );
    let other = |json: &str| page.other(&serde_json::from_str::<Path>(json).unwrap());
    assert_eq!(
        other(r#"["result",0,"more"]"#),
        Some("true"),
        "what stands beside the rows is found, too"
    );
    assert_eq!(other(r#""at""#), Some("\"x\""));
    assert_eq!(other(r#"["result",1]"#), None);
    for wrong in [
        "{}",
        r#"{"result":[]}"#,
        r#"{"result":[{"records":{}}]}"#,
        r#"{"result":[{"records":null}]}"#,
        "[]",
    ] {
        assert_eq!(scan(wrong.as_bytes(), &deep).unwrap_err().kind, Kind::Decode, "{wrong}");
    }
}

#[test]
fn rows_that_are_refused_deeper_in_the_answer_are_the_right_ones() {
    let deep = shape_of("", r#""rows":["a","b"]"#);
    let page = scan(
        b"{\"x\":\"\xFF\",\"a\":{\"b\":[{\"id\":1},{\"id\":2,\"n\":\"\xFF\"},{\"id\":3}]}}",
        &deep,
    )
    .unwrap();
    assert_eq!(ids(&page), ["1", "3"]);
    assert_eq!(page.refused.len(), 1);
    assert_eq!(
        (page.refused[0].position, page.refused[0].id.as_deref()),
        (1, Some("2"))
    );
}

#[test]
fn the_answer_itself_can_be_the_list() {
    let root = shape_of("", r#""rows":[]"#);
    let page = read(&root, r#" [ {"id":1}, {"id":2} ] "#);
    assert_eq!(ids(&page), ["1", "2"]);
    assert_eq!(page.row_text(1), Some(r#"{"id":2}"#));
    assert!(read(&root, "[]").rows.is_empty());
    for wrong in [r#"{"id":1}"#, "null", "", "[{\"id\":1}", "[1]]"] {
        assert_eq!(scan(wrong.as_bytes(), &root).unwrap_err().kind, Kind::Decode, "{wrong}");
    }
}

#[test]
fn an_answer_without_the_list_names_it() {
    let error = scan(br#"{"rows":[]}"#, &shape_of("", r#""rows":["result","records"]"#)).unwrap_err();
    assert!(error.message.contains("result.records"), "{error}");
}

#[test]
fn rows_that_are_not_kept_are_counted_and_stay_the_last_ones() {
    let kept = shape_of("", r#""rows":"data","keep":{"at":["type","name"],"is":["lead"]}"#);
    let page = read(
        &kept,
        r#"{"data":[{"id":1,"type":{"name":"lead"}},{"id":2,"type":{"name":"opportunity"}},{"id":3},{"type":{"name":"lead"}},{"id":5,"type":null}]}"#,
    );
    assert_eq!(ids(&page), ["1"]);
    assert_eq!(page.skipped, 3);
    assert_eq!(page.refused.len(), 1, "one that is wanted and has no id is refused");
    assert_eq!(
        page.last_id.as_deref(),
        Some("5"),
        "the next page is after all rows, not after those that are kept"
    );
}

#[test]
fn ids_and_times_can_be_deeper_in_the_row() {
    let shape = shape_of(
        r#""id":["meta","key"],"updated_at":{"at":[["meta","changed"],"created"]},"#,
        r#""rows":"data""#,
    );
    let page = read(
        &shape,
        r#"{"data":[{"meta":{"key":7,"changed":"2026-11-01T10:00:00Z"}},{"meta":{"key":"8","changed":""},"created":"c"},
                    {"meta":{"key":9,"changed":null}},{"meta":{"key":10,"changed":1795428000}}]}"#,
    );
    assert_eq!(ids(&page), ["7", "8", "9", "10"]);
    let times: Vec<_> = page.rows.iter().map(|row| row.updated_at.as_deref()).collect();
    assert_eq!(
        times,
        [Some("2026-11-01T10:00:00Z"), Some("c"), None, Some("1795428000")]
    );
}

#[test]
fn a_list_can_have_its_own_id_and_time() {
    let feed = shape_of("", r#""rows":"data","id":"deleted_id","time":"deleted_at""#);
    let page = read(
        &feed,
        r#"{"data":[{"id":"entry","deleted_id":"12","deleted_at":"t","updated_at":"u"}]}"#,
    );
    assert_eq!(ids(&page), ["12"]);
    assert_eq!(page.rows[0].updated_at.as_deref(), Some("t"));
}

#[test]
fn an_offset_that_lies_is_left_out() {
    let shape = shape_of(
        r#""updated_at":{"at":["at"],"ignore_offset":true,"zone":"UTC"},"#,
        r#""rows":"data""#,
    );
    let page = read(
        &shape,
        r#"{"data":[{"id":1,"at":"2026-11-01T10:00:00-05:00"},{"id":2,"at":"2026-11-01"},{"id":3,"at":"ééééééééééé"}]}"#,
    );
    let times: Vec<_> = page.rows.iter().map(|row| row.updated_at.as_deref()).collect();
    assert_eq!(
        times,
        [Some("2026-11-01T10:00:00"), Some("2026-11-01"), Some("ééééééééééé")]
    );
}

const MAPPED: &str = r#""updated_at":{"at":["changed"]},"fields_at":["properties"],
    "map":{"name":{"join":{"paths":["first","last"]}},"email":"mail","made":{"from":"made","as":"time"}},"#;

#[test]
fn mapped_rows_are_neutral_records() {
    let shape = shape_of(MAPPED, r#""rows":"results""#);
    let page = read(
        &shape,
        r#"{"results":[{"id":12,"changed":"2026-11-01T10:00:00Z","properties":{"first":"Ada","last":"L.","mail":"a@example.com","made":"2026-11-01T09:00:00+02:00"}},
                       {"id":"q\"","properties":{}},{"id":14}]}"#,
    );
    let record = |position: usize| serde_json::from_str::<serde_json::Value>(&page.record(position).unwrap()).unwrap();
    assert_eq!(
        record(0),
        serde_json::json!({"id":"12","updated_at":"2026-11-01T10:00:00Z","name":"Ada L.","email":"a@example.com","made":"2026-11-01T07:00:00Z"})
    );
    let bare = serde_json::json!({"id":"q\"","updated_at":null,"name":null,"email":null,"made":null});
    assert_eq!(record(1), bare);
    assert_eq!(
        record(2)["name"],
        serde_json::Value::Null,
        "a row without its fields is empty, not refused"
    );
    let snapshot: serde_json::Value = serde_json::from_str(&page.snapshot(0, &shape).unwrap()).unwrap();
    assert_eq!(
        snapshot,
        serde_json::json!({"name":"Ada L.","email":"a@example.com","made":"2026-11-01T07:00:00Z"})
    );
    assert_eq!((page.record(3), page.snapshot(3, &shape)), (None, None));
}

#[test]
fn rows_without_a_mapping_are_records_as_they_are() {
    let shape = shape_of("", r#""rows":"data""#);
    let page = read(&shape, r#"{"data":[{"id":1, "n":1.50}]}"#);
    assert_eq!(page.record(0).as_deref(), Some(r#"{"id":1, "n":1.50}"#));
}

fn prints(shape: &Shape, rows: &str) -> Vec<[u8; 16]> {
    let page = read(shape, &format!("{{\"results\":[{rows}]}}"));
    assert!(page.refused.is_empty(), "{:?}", page.refused);
    page.fingerprints(shape)
}

#[test]
fn fingerprints_of_mapped_rows_are_of_what_is_mapped() {
    let mut shape = shape_of(MAPPED, r#""rows":"results""#);
    let rows = r#"{"id":1,"properties":{"first":"Ada","last":"L.","mail":"m","made":"2026-11-01T09:00:00Z","score":1}},
        {"id":1,"changed":"x","other":2,"properties":{"made":"2026-11-01T11:00:00+02:00","mail":"m","last":"L.","first":"Ada","score":2}},
        {"id":1,"properties":{"first":"Ada","last":"L.","mail":"other","made":"2026-11-01T09:00:00Z"}}"#;
    let all = prints(&shape, rows);
    assert_eq!(
        all[0], all[1],
        "neither order, nor what is not mapped, nor another spelling of one time counts"
    );
    assert_ne!(all[0], all[2]);
    shape.fields = Some(vec!["name".into()]);
    let names = prints(&shape, rows);
    assert_eq!(names[0], names[2], "only the members that are asked for count");
    let page = read(
        &shape,
        r#"{"results":[{"id":1,"properties":{"first":"Ada","mail":"m"}}]}"#,
    );
    assert_eq!(page.snapshot(0, &shape).as_deref(), Some(r#"{"name":"Ada"}"#));
}

#[test]
fn mapped_times_without_an_offset_are_of_the_zone() {
    let shape = shape_in(
        MAPPED,
        r#""rows":"results""#,
        TimeZone::get("Pacific/Auckland").unwrap(),
    );
    let page = read(
        &shape,
        r#"{"results":[{"id":1,"properties":{"made":"2026-11-23 10:00:00"}}]}"#,
    );
    assert!(
        page.record(0).unwrap().contains("2026-11-22T21:00:00Z"),
        "{:?}",
        page.record(0)
    );
}

#[test]
fn a_tenants_mapping_replaces_the_connectors() {
    let mut shape = shape_of(MAPPED, r#""rows":"results""#);
    let tenant = Mapping::parse(r#"{"email":"private_mail","made":null}"#).unwrap();
    shape.mapping = shape.mapping.as_ref().map(|own| Mapping::merged(own, &tenant));
    let page = read(
        &shape,
        r#"{"results":[{"id":1,"properties":{"first":"Ada","mail":"m","private_mail":"p","made":"x"}}]}"#,
    );
    let snapshot: serde_json::Value = serde_json::from_str(&page.snapshot(0, &shape).unwrap()).unwrap();
    assert_eq!(snapshot, serde_json::json!({"name":"Ada","email":"p"}));
}

#[test]
fn pages_put_together_keep_their_rows() {
    let shape = shape_of("", r#""rows":"data""#);
    let mut whole = Page::default();
    whole.append(&read(&shape, r#"{"data":[{"id":1,"a":"é"}]}"#));
    whole.append(&read(&shape, r#"{"x":"ü","data":[{"id":2},{"id":3,"a":"ö"}]}"#));
    assert_eq!(ids(&whole), ["1", "2", "3"]);
    let texts: Vec<_> = (0..4).map(|position| whole.row_text(position)).collect();
    assert_eq!(
        texts,
        [
            Some(r#"{"id":1,"a":"é"}"#),
            Some(r#"{"id":2}"#),
            Some(r#"{"id":3,"a":"ö"}"#),
            None
        ]
    );
}

/// A page, and the other fields of the same records in another order.
fn parts(shape: &Shape, first: &str, others: &str) -> Page {
    let mut page = read(shape, first);
    page.absorb(&read(shape, others), shape);
    page
}

#[test]
fn records_read_in_parts_are_those_that_were_read_at_once() {
    for (object, first, others, whole) in [
        (
            MAPPED,
            r#"{"results":[{"id":1,"changed":"t","properties":{"first":"Ada"}},{"id":2,"properties":{"first":"Bob"}}]}"#,
            r#"{"results":[{"id":2,"properties":{"last":"B.","mail":"b"}},{"id":1,"changed":"later","properties":{"last":"L.","mail":"a"}}]}"#,
            r#"{"results":[{"id":1,"changed":"t","properties":{"first":"Ada","last":"L.","mail":"a"}},{"id":2,"properties":{"first":"Bob","last":"B.","mail":"b"}}]}"#,
        ),
        (
            "",
            r#"{"results":[{"id":1,"updated_at":"t","a":1},{"id":2,"a":2}]}"#,
            r#"{"results":[{"id":2,"b":[2]},{"id":1,"b":[1]}]}"#,
            r#"{"results":[{"id":1,"updated_at":"t","a":1,"b":[1]},{"id":2,"a":2,"b":[2]}]}"#,
        ),
    ] {
        let shape = shape_of(object, r#""rows":"results""#);
        let (in_parts, at_once) = (parts(&shape, first, others), read(&shape, whole));
        assert!(in_parts.refused.is_empty());
        assert_eq!(ids(&in_parts), ids(&at_once));
        let times = |page: &Page| page.rows.iter().map(|row| row.updated_at.clone()).collect::<Vec<_>>();
        assert_eq!(
            times(&in_parts),
            times(&at_once),
            "the time is of the first part: what changed later comes again"
        );
        assert_eq!(in_parts.fingerprints(&shape), at_once.fingerprints(&shape), "{object}");
        for position in 0..2 {
            assert_eq!(
                in_parts.snapshot(position, &shape),
                at_once.snapshot(position, &shape),
                "{object}"
            );
        }
    }
}

#[test]
fn a_record_that_goes_while_it_is_read_in_parts_is_refused() {
    let shape = shape_of(MAPPED, r#""rows":"results""#);
    let page = parts(
        &shape,
        r#"{"results":[{"id":1,"properties":{"first":"A"}},{"id":2,"properties":{"first":"B"}},{"id":3,"properties":{"first":"C"}}]}"#,
        r#"{"results":[{"id":3,"properties":{"last":"c"}},{"id":1,"properties":{"last":"a"}},{"id":9,"properties":{"last":"z"}}]}"#,
    );
    assert_eq!(ids(&page), ["1", "3"]);
    assert_eq!(page.refused.len(), 1);
    assert_eq!(page.refused[0].id.as_deref(), Some("2"));
    assert!(
        page.refused[0].reason.contains("next pull"),
        "{}",
        page.refused[0].reason
    );
    assert!(page.record(1).unwrap().contains("C c"));
}

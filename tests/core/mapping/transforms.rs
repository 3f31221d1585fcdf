//! Each transform, in both directions.

use super::{back, east, mapping, one, read, read_in};

#[test]
fn values_without_transforms_keep_their_bytes() {
    for value in [
        "12345678901234567890",
        "1.50",
        "1E+3",
        "1e999",
        r#""\u00e9\/x""#,
        "[1, 2]",
        r#"{ "a" : 1 }"#,
        "false",
    ] {
        assert_eq!(one(r#""f""#, value), value);
        assert_eq!(back(r#""f""#, value).unwrap(), value);
    }
    assert_eq!(one(r#""f""#, "null"), "null");
    assert_eq!(back(r#""f""#, "null").unwrap(), "null");
}

#[test]
fn lists_of_objects_have_one_value_that_counts() {
    let entry =
        r#"{"from":"f","pick":{"prefer":{"path":"primary","equals":true},"value":"value","with":{"label":"work"}}}"#;
    assert_eq!(
        one(
            entry,
            r#"[{"value":"a"},{"value":"b","primary":true},{"value":"c","primary":true}]"#
        ),
        r#""b""#
    );
    // The preferred one is empty: the first that is not.
    assert_eq!(
        one(entry, r#"[{"value":""},{"value":"b"},{"value":"","primary":true}]"#),
        r#""b""#
    );
    for none in ["[]", "null", "[1,null,{}]", r#"[{"value":null}]"#] {
        assert_eq!(one(entry, none), "null");
    }
    assert_eq!(one(entry, r#""plain""#), r#""plain""#);
    assert_eq!(
        back(entry, r#""b""#).unwrap(),
        r#"[{"label":"work","primary":true,"value":"b"}]"#
    );
    assert_eq!(back(entry, "null").unwrap(), "[]");
    assert_eq!(one(r#"{"from":"f","pick":{}}"#, r#"["",7,8]"#), "7");
    assert_eq!(back(r#"{"from":"f","pick":{}}"#, "7").unwrap(), "[7]");
    let by_number = r#"{"from":"f","pick":{"prefer":{"path":"type","equals":2},"value":["v","x"]}}"#;
    assert_eq!(
        one(by_number, r#"[{"type":"2","v":{"x":1}},{"type":2,"v":{"x":2}}]"#),
        "2"
    );
    assert_eq!(back(by_number, "3").unwrap(), r#"[{"type":2,"v":{"x":3}}]"#);
}

#[test]
fn tables_translate_both_ways_and_unknown_values_pass() {
    let entry = r#"{"from":"f","values":{"Open - Not Contacted":"new","Closed":"lost","-None-":null}}"#;
    for (crm, neutral) in [
        (r#""Open - Not Contacted""#, r#""new""#),
        (r#""Closed""#, r#""lost""#),
        (r#""-None-""#, "null"),
        (r#""Other""#, r#""Other""#),
        ("17", "17"),
        (r#"["Closed"]"#, r#"["Closed"]"#),
    ] {
        assert_eq!(one(entry, crm), neutral);
        assert_eq!(back(entry, neutral).unwrap(), crm);
    }
    let pairs = r#"{"from":"f","as":"boolean","values":[["1",true],["0",false],[2,true]]}"#;
    assert_eq!(one(pairs, "1"), "true");
    assert_eq!(one(pairs, r#""2""#), "true");
    assert_eq!(one(pairs, r#""yes""#), "true");
    assert_eq!(back(pairs, "true").unwrap(), r#""1""#);
    assert_eq!(back(pairs, "false").unwrap(), r#""0""#);
}

#[test]
fn texts_are_cleaned_both_ways() {
    let entry = r#"{"from":"f","clean":["trim","lower"]}"#;
    assert_eq!(one(entry, r#"" Ada@Example.COM ""#), r#""ada@example.com""#);
    assert_eq!(back(entry, r#"" É ""#).unwrap(), r#""é""#);
    assert_eq!(one(entry, "12"), "12");
    assert_eq!(one(r#"{"from":"f","clean":["upper"]}"#, r#""de""#), r#""DE""#);
}

#[test]
fn types_and_the_forms_in_which_they_are_written() {
    for (kind, value, expected) in [
        ("text", "12345678901234567890", r#""12345678901234567890""#),
        ("text", "1.50", r#""1.50""#),
        ("text", "true", r#""true""#),
        ("text", r#""\u00e9""#, r#""\u00e9""#),
        ("text", "[1]", "null"),
        ("number", r#""12345678901234567890.10""#, "12345678901234567890.10"),
        ("number", r#"" +007 ""#, "7"),
        ("number", r#""-0.5e1""#, "-0.5e1"),
        ("number", r#""000""#, "0"),
        ("number", "1.50", "1.50"),
        ("boolean", r#""TRUE""#, "true"),
        ("boolean", "0", "false"),
        ("boolean", r#""no""#, "false"),
        ("boolean", r#""maybe""#, "null"),
        (
            "time",
            r#""2026-11-24T02:00:00.120+0530""#,
            r#""2026-11-23T20:30:00.12Z""#,
        ),
        ("time", r#""2026-11-24 02:00:00""#, r#""2026-11-24T02:00:00Z""#),
        ("time", r#""2026-11-24""#, r#""2026-11-24T00:00:00Z""#),
        ("time", "-62167219200", r#""0000-01-01T00:00:00Z""#),
        ("time", "1795485600", r#""2026-11-24T02:00:00Z""#),
        ("time", r#""1795485600123""#, r#""2026-11-24T02:00:00.123Z""#),
    ] {
        assert_eq!(
            one(&format!(r#"{{"from":"f","as":"{kind}"}}"#), value),
            expected,
            "{value}"
        );
    }
    for none in [
        r#""1e999""#,
        "1e999",
        r#""""#,
        r#""1,5""#,
        r#""0x1F""#,
        r#""--1""#,
        r#""1 2""#,
        r#""é""#,
        "true",
        "{}",
        r#"".5""#,
    ] {
        assert_eq!(one(r#"{"from":"f","as":"number"}"#, none), "null", "{none}");
    }
    for none in [
        r#""0000-00-00 00:00:00""#,
        r#""""#,
        "-9223372036854775808",
        "-99999999999",
        "-62167219201",
        "99999999999999999999",
        r#""tomorrow""#,
        "1.5",
        "[]",
    ] {
        assert_eq!(one(r#"{"from":"f","as":"time"}"#, none), "null", "{none}");
    }
}

#[test]
fn what_is_written_has_the_form_that_the_crm_wants() {
    for (form, value, expected) in [
        (r#""as":"number""#, r#""12.50""#, "12.50"),
        (r#""as":"number","to":"text""#, "12.50", r#""12.50""#),
        (r#""as":"boolean","to":"text""#, "true", r#""true""#),
        (r#""as":"boolean","to":"number""#, r#""no""#, "0"),
        (r#""as":"text""#, "7", r#""7""#),
        (r#""as":"text","to":"number""#, r#""7""#, "7"),
        (r#""to":"number""#, r#""""#, "null"),
        (
            r#""as":"time""#,
            r#""2026-11-24T04:00:00+02:00""#,
            r#""2026-11-24T02:00:00Z""#,
        ),
        (
            r#""as":"time","to":"naive""#,
            r#""2026-11-24T02:00:00.5Z""#,
            r#""2026-11-24 02:00:00""#,
        ),
        (
            r#""as":"time","to":"date""#,
            r#""2026-11-24T02:00:00Z""#,
            r#""2026-11-24""#,
        ),
        (
            r#""as":"time","to":"seconds""#,
            r#""2026-11-24T02:00:00Z""#,
            "1795485600",
        ),
        (
            r#""as":"time","to":"milliseconds""#,
            r#""2026-11-24T02:00:00.5Z""#,
            "1795485600500",
        ),
        (r#""as":"time""#, r#""""#, "null"),
    ] {
        assert_eq!(
            back(&format!(r#"{{"from":"f",{form}}}"#), value).unwrap(),
            expected,
            "{form}"
        );
    }
    for (form, value, reason) in [
        ("number", r#""secret""#, "it is not a number"),
        ("number", "1e999", "it is not a number"),
        ("number", "true", "it is not a number"),
        ("boolean", "2", "it is neither true nor false"),
        ("text", "[1]", "it is not a text"),
        ("time", r#""secret""#, "it is not a time such as 2026-11-24T10:00:00Z"),
    ] {
        let error = back(&format!(r#"{{"from":"f","as":"{form}"}}"#), value).unwrap_err();
        assert_eq!(error, format!("field \"x\": {reason}"));
    }
}

#[test]
fn times_without_an_offset_are_in_the_given_zone_both_ways() {
    let map = mapping(r#"{"at":{"from":"at","as":"time","to":"naive"}}"#);
    let row = r#"{"at":"2026-11-24 02:00:00"}"#;
    let neutral = read_in(&map, row, Some(&east()));
    assert_eq!(neutral, r#"{"at":"2026-11-24T00:00:00Z"}"#);
    assert_eq!(map.write_in(&neutral, Some(&east())).unwrap(), row);
    assert_eq!(map.write(&neutral).unwrap(), r#"{"at":"2026-11-24 00:00:00"}"#);
    // A time with an offset does not care.
    assert_eq!(
        read_in(&map, r#"{"at":"2026-11-24T02:00:00Z"}"#, Some(&east())),
        r#"{"at":"2026-11-24T02:00:00Z"}"#
    );
}

#[test]
fn lists_in_one_text() {
    let entry = r#"{"from":"f","list":";","values":{"a":"A"}}"#;
    assert_eq!(one(entry, r#""a; b;;c""#), r#"["A","b","c"]"#);
    assert_eq!(one(entry, r#"["a",7,[1],null]"#), r#"["A",7]"#);
    assert_eq!(one(entry, r#""""#), "[]");
    assert_eq!(one(entry, "null"), "null");
    assert_eq!(back(entry, r#"["A","b",7,""]"#).unwrap(), r#""a;b;7""#);
    assert_eq!(back(entry, "[]").unwrap(), r#""""#);
    assert_eq!(back(entry, "null").unwrap(), "null");
    assert_eq!(
        back(entry, r#"["b;c"]"#).unwrap_err(),
        r#"field "x": an element contains ";", which separates the elements in the CRM"#
    );
    assert_eq!(
        back(entry, "[[1]]").unwrap_err(),
        r#"field "x": it is not a list of texts"#
    );
}

#[test]
fn defaults_stand_for_null() {
    let entry = r#"{"from":"f","default":"new","as":"text"}"#;
    assert_eq!(one(entry, "null"), r#""new""#);
    assert_eq!(one(entry, "{}"), r#""new""#);
    assert_eq!(one(entry, r#""""#), r#""""#);
    assert_eq!(one(r#"{"from":"f","default":0}"#, "null"), "0");
}

#[test]
fn false_is_null_where_the_crm_says_so_but_not_for_booleans() {
    let map = mapping(
        r#"{"false_is_null":true,"phone":"phone","owner":{"from":"user_id","many2one":"id"},
            "company":{"from":"partner_id","many2one":"name","read_only":true},
            "active":{"from":"active","as":"boolean"},"raw":{"from":"raw","false_is_null":false}}"#,
    );
    assert_eq!(
        read(
            &map,
            r#"{"phone":false,"user_id":[7,"Ada"],"partner_id":[9,"Ada & Co"],"active":false,"raw":false}"#
        ),
        r#"{"phone":null,"owner":7,"company":"Ada & Co","active":false,"raw":false}"#
    );
    assert_eq!(
        read(&map, r#"{"user_id":false,"partner_id":[],"active":null}"#),
        r#"{"phone":null,"owner":null,"company":null,"active":null,"raw":null}"#
    );
    assert_eq!(
        map.write(r#"{"phone":null,"owner":7,"company":"x","active":false,"raw":null}"#)
            .unwrap(),
        r#"{"active":false,"phone":false,"raw":null,"user_id":7}"#
    );
    assert_eq!(
        read(&map, r#"{"user_id":[[7],"Ada"],"partner_id":[9,true]}"#),
        read(&map, "{}")
    );
    assert_eq!(
        map.write(r#"{"owner":[7,"Ada"]}"#).unwrap_err(),
        r#"field "owner": it is not the id of a record"#
    );
}

//! Paths into JSON text.

use tenant_crm_sync::json::{Path, Step, scalar};

fn path(json: &str) -> Path {
    serde_json::from_str(json).unwrap()
}

fn found<'d>(at: &str, document: &'d str) -> Option<&'d str> {
    path(at).text(document)
}

#[test]
fn are_a_name_or_a_list_of_names_and_positions() {
    assert_eq!(path(r#""data""#), Path::member("data"));
    assert_eq!(
        path(r#"["a",0,"b"]"#).steps(),
        [Step::Member("a".into()), Step::Index(0), Step::Member("b".into())]
    );
    assert!(path("[]").is_root() && Path::default().is_root());
    for wrong in [
        "7",
        "null",
        "true",
        r#"{"a":1}"#,
        r#"["a",-1]"#,
        "[1.5]",
        r#"["a",null]"#,
        r#"[["a"]]"#,
    ] {
        assert!(serde_json::from_str::<Path>(wrong).is_err(), "{wrong}");
    }
    assert_eq!(path(r#"["links","next",0]"#).to_string(), "links.next.0");
}

#[test]
fn lead_to_values_however_deep() {
    let document = r#" { "a" : [ {"b":1} , { "b" : { "c" : [ 10 , "x" ] } } ], "é":{"ü":"ö"}, "" : 5 } "#;
    for (at, expected) in [
        (r#"["a",0,"b"]"#, Some("1")),
        (r#"["a",1,"b","c",1]"#, Some(r#""x""#)),
        (r#"["a",1,"b","c"]"#, Some(r#"[ 10 , "x" ]"#)),
        (r#"["é","ü"]"#, Some(r#""ö""#)),
        (r#""""#, Some("5")),
        ("[]", Some(document.trim())),
        (r#""b""#, None),
        (r#"["a",2]"#, None),
        (r#"["a","0"]"#, None),
        (r#"[0]"#, None),
        (r#"["a",0,"b","c"]"#, None),
    ] {
        assert_eq!(found(at, document), expected, "{at}");
    }
}

#[test]
fn take_the_last_of_equal_names_and_names_by_what_they_mean() {
    assert_eq!(found(r#""a""#, r#"{"a":1,"a":2}"#), Some("2"));
    assert_eq!(
        found(r#"["a","b"]"#, r#"{"a":{"b":1},"a":{}}"#),
        None,
        "the last one has no b"
    );
    assert_eq!(found(r#""é\"""#, r#"{"\u00e9\"":3}"#), Some("3"));
    assert_eq!(found(r#""0""#, r#"{"0":1}"#), Some("1"));
    assert_eq!(
        found("[0]", r#"{"0":1}"#),
        None,
        "a position is none of an object's names"
    );
}

#[test]
fn find_nothing_in_what_is_no_json() {
    for document in [
        "",
        " ",
        "<html>",
        "{\"a\":",
        "{\"a\"",
        "{a:1}",
        "{\"b\":nul,\"a\":1}",
        "\"a\"",
        "7",
        "null",
    ] {
        assert_eq!(found(r#""a""#, document), None, "{document}");
        assert_eq!(found(r#"[0]"#, document), None, "{document}");
    }
}

#[test]
fn say_where_the_value_stands_in_bytes() {
    let document = "{\"é\": [1,  {\"a\":\"ü\"}]}";
    let span = path(r#"["é",1,"a"]"#).find(document).unwrap();
    assert_eq!(&document[span], "\"ü\"");
}

#[test]
fn give_texts_and_numbers_as_text_and_nothing_else() {
    let document =
        r#"{"t":"a\u00e9\n","n":1.50,"big":12345678901234567890,"neg":-3e5,"b":true,"z":null,"l":[1],"o":{},"e":""}"#;
    for (at, expected) in [
        ("t", Some("aé\n")),
        ("n", Some("1.50")),
        ("big", Some("12345678901234567890")),
        ("neg", Some("-3e5")),
        ("e", Some("")),
        ("b", None),
        ("z", None),
        ("l", None),
        ("o", None),
        ("missing", None),
    ] {
        assert_eq!(Path::member(at).scalar(document).as_deref(), expected, "{at}");
    }
    assert_eq!(scalar(""), None);
    assert_eq!(
        Path::default().scalar(" 12\n").as_deref(),
        Some("12"),
        "a bare number is a document"
    );
}

#[test]
fn are_taken_apart_and_put_together() {
    let deep = path(r#"["a",0,"b"]"#);
    let (first, rest) = deep.split_member().unwrap();
    assert_eq!((first, &rest), ("a", &path(r#"[0,"b"]"#)));
    assert_eq!(rest.split_member(), None, "it begins with a position");
    assert_eq!(Path::member("a").join(&rest), deep);
    assert_eq!(deep.first_member(), Some("a"));
    assert_eq!(rest.first_member(), None);
    assert_eq!(deep.as_member(), None);
    assert_eq!(Path::member("a").as_member(), Some("a"));
    assert_eq!(Path::default().split_member(), None);
}

#[test]
fn nested_documents_cost_no_more_than_their_length() {
    let document = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(500), "]".repeat(500));
    assert_eq!(found(r#""b""#, &document), Some("2"));
    let too_deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(found(r#""b""#, &too_deep), None);
}

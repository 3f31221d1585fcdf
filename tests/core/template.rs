//! Texts and JSON with named values: what is left out, in which form values are written, and that no value breaks out.

use tenant_crm_sync::template::{Json, Template, Value, Values};

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().fold(Values::new(), |values, (name, value)| {
        values.with(name, Value::text(value))
    })
}

fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// What JSON becomes with these values.
fn rendered(json: &str, values: &Values) -> Option<String> {
    serde_json::from_str::<Json>(json).unwrap().render(values)
}

/// What a single value becomes in JSON.
fn alone(json: &str, value: Value) -> Option<String> {
    rendered(json, &Values::new().with("v", value))
}

#[test]
fn a_text_without_one_of_its_values_is_none() {
    let text = template("{a}-{b}");
    assert_eq!(text.text(&values(&[("a", "1"), ("b", "2")])).as_deref(), Some("1-2"));
    assert_eq!(text.text(&values(&[("a", "1")])), None);
    assert_eq!(text.bytes(&values(&[("b", "2")])), None);
    assert_eq!(text.path(&values(&[])), None);
    assert_eq!(text.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(template("").text(&values(&[])).as_deref(), Some(""));
    // An empty value is one.
    assert_eq!(text.text(&values(&[("a", ""), ("b", "")])).as_deref(), Some("-"));
}

#[test]
fn the_later_of_two_values_of_a_name_counts() {
    let both = values(&[("a", "1"), ("a", "2")]);
    assert_eq!(template("{a}{a}").text(&both).as_deref(), Some("22"));
}

#[test]
fn braces_are_written_twice() {
    let some = values(&[("a", "{b}"), ("b", "x")]);
    for (text, expected) in [
        ("{{a}}", "{a}"),
        ("{{{a}}}", "{{b}}"),
        ("a}}b{{", "a}b{"),
        ("é{a}é", "é{b}é"),
        ("{{}}", "{}"),
    ] {
        assert_eq!(template(text).text(&some).as_deref(), Some(expected), "{text}");
    }
    for text in ["{", "}", "a{", "{a}}", "{{a}", "{a"] {
        let reason = Template::parse(text).unwrap_err();
        assert!(reason.contains(text) && reason.contains("{{"), "{text}: {reason}");
    }
}

#[test]
fn what_is_no_name_or_form_is_refused_with_the_place() {
    for text in ["{}", "{A}", "{a b}", "{a-b}", "{é}", "{|quote}", "x{ a}y"] {
        let reason = Template::parse(text).unwrap_err();
        assert!(
            reason.contains(text) && reason.contains("small letters"),
            "{text}: {reason}"
        );
    }
    for form in ["sql", "", "Quote", "quote|text"] {
        let reason = Template::parse(&format!("{{a|{form}}}")).unwrap_err();
        assert!(reason.contains("double_quote"), "{form}: {reason}");
    }
    let nested = serde_json::from_str::<Json>(r#"{"a":[{"b":"{x"}]}"#).unwrap_err();
    assert!(nested.to_string().contains("{x"), "{nested}");
}

#[test]
fn only_a_value_at_the_very_beginning_is_what_a_text_starts_with() {
    assert!(template("{origin}/x").starts_with("origin"));
    for text in ["/{origin}", "{origin|text}/x", "{other}{origin}", "origin", ""] {
        assert!(!template(text).starts_with("origin"), "{text}");
    }
}

#[test]
fn members_without_a_value_are_left_out() {
    let json = r#"{"a":"{a}","b":{"c":"x{c}","d":1},"e":null,"f":true,"g":["{a}","{c}","y"]}"#;
    assert_eq!(
        rendered(json, &values(&[("a", "1")])).unwrap(),
        r#"{"a":"1","b":{"d":1},"e":null,"f":true,"g":["1","y"]}"#
    );
    assert_eq!(rendered(r#"["{a}"]"#, &values(&[])).unwrap(), "[]");
    assert_eq!(rendered(r#""{a}""#, &values(&[])), None);
    assert_eq!(rendered(r#""plain""#, &values(&[])).unwrap(), r#""plain""#);
}

#[test]
fn an_object_or_list_in_a_list_is_left_out_whole() {
    let json = r#"{"domain":[["id",">","{after}"],"&",["at",">","{since}"]],"filters":[{"field":"id","value":"{after}"},{"field":"at","value":"{since}"}]}"#;
    assert_eq!(
        rendered(json, &values(&[("since", "t")])).unwrap(),
        r#"{"domain":["&",["at",">","t"]],"filters":[{"field":"at","value":"t"}]}"#
    );
    assert_eq!(
        rendered(json, &values(&[])).unwrap(),
        r#"{"domain":["&"],"filters":[]}"#
    );
    // A list that is a member of such an object is a list of its own: HubSpot's groups of filters.
    let groups = r#"[{"filters":[{"value":"{after}"},{"value":"{since}"}]}]"#;
    assert_eq!(
        rendered(groups, &values(&[("since", "t")])).unwrap(),
        r#"[{"filters":[{"value":"t"}]}]"#
    );
}

#[test]
fn a_value_that_stands_alone_keeps_its_type() {
    assert_eq!(alone(r#""{v}""#, Value::text("7")).unwrap(), r#""7""#);
    assert_eq!(alone(r#""{v}""#, Value::Number(-7)).unwrap(), "-7");
    assert_eq!(alone(r#""{v}""#, list(&["1", "q\""])).unwrap(), r#"["1","q\""]"#);
    assert_eq!(alone(r#""{v}""#, list(&[])).unwrap(), "[]");
    assert_eq!(
        alone(r#""{v}""#, Value::Json(r#"{"a":1.50}"#.into())).unwrap(),
        r#"{"a":1.50}"#
    );
    // With anything around it, or as text, it is text.
    assert_eq!(alone(r#""{v}.""#, Value::Number(7)).unwrap(), r#""7.""#);
    assert_eq!(alone(r#""{v|text}""#, Value::Number(7)).unwrap(), r#""7""#);
    assert_eq!(alone(r#""{v|text}""#, list(&["a", "b"])).unwrap(), r#""a,b""#);
    assert_eq!(alone(r#""{v} {v}""#, list(&["a", "b"])).unwrap(), r#""a,b a,b""#);
}

#[test]
fn no_text_breaks_out_of_its_json() {
    let evil = "\"}],\"admin\":true,\"\\u0000\n\u{7f}é\u{2028}";
    for json in [r#"{"a":"{v}"}"#, r#"{"a":"{v|text}"}"#, r#"{"a":"x{v}"}"#] {
        let out = alone(json, Value::text(evil)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(read.as_object().unwrap().len(), 1, "{out}");
        assert!(read["a"].as_str().unwrap().ends_with(evil), "{out}");
    }
    let out = alone(r#"{"a":"{v}"}"#, list(&[evil, "b"])).unwrap();
    let read: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(read["a"][0].as_str(), Some(evil));
    // Bytes that are not UTF-8 cannot be JSON.
    assert_eq!(alone(r#"["{v}","x"]"#, Value::text(b"\xff")).unwrap(), r#"["x"]"#);
}

#[test]
fn numbers_are_whole_and_exact() {
    for (text, number) in [
        ("12", "12"),
        ("-5", "-5"),
        ("9007199254740993", "9007199254740993"),
        ("007", "7"),
    ] {
        assert_eq!(
            alone(r#""{v|number}""#, Value::text(text)).as_deref(),
            Some(number),
            "{text}"
        );
    }
    for text in [
        "abc",
        "",
        "1.5",
        "1e3",
        "12x474",
        " 1",
        "99999999999999999999",
        "1,2",
        "1) OR (1",
    ] {
        assert_eq!(alone(r#""{v|number}""#, Value::text(text)), None, "{text}");
    }
    assert_eq!(
        alone(r#""{v|number}""#, Value::Number(i64::MIN)).unwrap(),
        i64::MIN.to_string()
    );
    assert_eq!(alone(r#""{v|numbers}""#, list(&["1", "-2"])).unwrap(), "[1,-2]");
    assert_eq!(alone(r#""{v|numbers}""#, list(&["1", "x"])), None, "not some of them");
}

#[test]
fn quotes_are_escaped_as_each_language_wants() {
    let lists = [
        ("quote", r"'O\'Brien','a\\b','','é'"),
        ("odata", r"'O''Brien','a\b','','é'"),
        ("double_quote", r#""O'Brien","a\\b","","é""#),
    ];
    for (form, expected) in lists {
        let some = Values::new().with("v", list(&["O'Brien", "a\\b", "", "é"]));
        let text = template(&format!("({{v|{form}}})")).text(&some).unwrap();
        assert_eq!(text, format!("({expected})"), "{form}");
    }
    for (form, value, expected) in [
        ("quote", r"\' OR 1=1 --", r"'\\\' OR 1=1 --'"),
        ("odata", "' or 1 eq 1 or '", "''' or 1 eq 1 or '''"),
        ("double_quote", r#"" OR "a"="a\"#, r#""\" OR \"a\"=\"a\\""#),
    ] {
        let some = values(&[("v", value)]);
        let made = template(&format!("{{v|{form}}}"));
        assert_eq!(made.text(&some).as_deref(), Some(expected), "{form}");
        // Alone in JSON it is the same text.
        let json = alone(&format!("\"{{v|{form}}}\""), Value::text(value)).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), expected, "{form}");
    }
    let number = Values::new().with("v", Value::Number(7));
    assert_eq!(template("{v|quote}").text(&number).as_deref(), Some("'7'"));
}

#[test]
fn in_a_path_each_value_is_one_segment() {
    let path = |text: &str, value: &[u8]| {
        template(text)
            .path(&Values::new().with("v", Value::text(value)))
            .unwrap()
    };
    assert_eq!(path("/a/{v}/b", b"x/../y"), "/a/x%2F..%2Fy/b");
    assert_eq!(path("/{v}", b"a?b#c%2e;d"), "/a%3Fb%23c%252e;d");
    assert_eq!(
        path("/{v}", "é {}|\\^`<>\"".as_bytes()),
        "/%C3%A9%20%7B%7D%7C%5C%5E%60%3C%3E%22"
    );
    assert_eq!(path("/{v}", b"a\r\nb\0\t"), "/a%0D%0Ab%00%09");
    assert_eq!(path("/{v}", b"\xff"), "/%FF");
    assert_eq!(path("/leads({v|odata})", b"O'B/1"), "/leads('O''B%2F1')");
    // What stands around a value is the connector's own.
    assert_eq!(path("/a?x={v}", b"1"), "/a?x=1");
}

#[test]
fn bytes_that_are_no_text_are_kept_as_bytes() {
    let some = Values::new().with("key", Value::text(b"\xff\xfe"));
    let header = template("Bearer {key}");
    assert_eq!(header.bytes(&some).unwrap().as_slice(), b"Bearer \xff\xfe");
    assert_eq!(header.text(&some), None);
    assert_eq!(some.text("key"), None);
}

#[test]
fn values_show_only_their_names() {
    let shown = format!("{:?}", values(&[("api_key", "hunter2")]));
    assert!(shown.contains("api_key") && !shown.contains("hunter2"), "{shown}");
}

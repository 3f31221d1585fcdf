//! The JSON reader against what PHP 8.2's json_decode was seen to do.

use tenant_crm_sync::json::{MAX_DEPTH, Reader, Refusal, Sink, read};

/// Writes what is read as text that shows every difference.
struct Show;

impl Sink for Show {
    type Value = String;
    type List = Vec<String>;
    type Map = Vec<(String, String)>;
    type Key = String;
    fn null(&mut self) -> String {
        "null".into()
    }
    fn boolean(&mut self, value: bool) -> String {
        value.to_string()
    }
    fn integer(&mut self, value: i64) -> String {
        format!("i{value}")
    }
    fn float(&mut self, value: f64) -> String {
        format!("f{value:?}")
    }
    fn text(&mut self, value: &str) -> String {
        format!("{value:?}")
    }
    fn list(&mut self) -> Vec<String> {
        vec![]
    }
    fn push(&mut self, list: &mut Vec<String>, value: String) {
        list.push(value);
    }
    fn end_list(&mut self, list: Option<Vec<String>>) -> String {
        format!("[{}]", list.unwrap_or_default().join(" "))
    }
    fn map(&mut self) -> Self::Map {
        vec![]
    }
    fn key(&mut self, name: &str) -> String {
        name.to_owned()
    }
    fn insert(&mut self, map: &mut Self::Map, key: String, value: String) {
        map.push((key, value));
    }
    fn end_map(&mut self, map: Option<Self::Map>) -> String {
        let members: Vec<_> = map
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("{{{}}}", members.join(" "))
    }
}

fn shown(document: &[u8]) -> Result<String, Refusal> {
    read(document, &mut Show)
}

#[test]
fn takes_what_php_takes() {
    for (document, expected) in [
        ("0", "i0"),
        ("-0", "i0"),
        ("-0e1", "f-0.0"),
        ("1.0", "f1.0"),
        ("1E3", "f1000.0"),
        ("1e400", "finf"),
        ("1e-400", "f0.0"),
        ("9223372036854775807", "i9223372036854775807"),
        ("-9223372036854775808", "i-9223372036854775808"),
        ("9223372036854775808", "f9.223372036854776e18"),
        ("3.141592653589793238", "f3.141592653589793"),
        ("[true,false,null]", "[true false null]"),
        (" [ 1 ,\t2 ]\r\n", "[i1 i2]"),
        ("[[],{}]", "[[] {}]"),
        (r#"{"a":1,"a":2}"#, "{a=i1 a=i2}"),
        (r#"{"":null}"#, "{=null}"),
        (r#""\ud83d\ude00\/\u0000\n""#, r#""😀/\0\n""#),
        (
            "\"long enough for several words of eight, é\"",
            "\"long enough for several words of eight, é\"",
        ),
    ] {
        assert_eq!(shown(document.as_bytes()), Ok(expected.into()), "{document}");
    }
}

#[test]
fn refuses_what_php_refuses_for_the_same_reason() {
    for (document, expected) in [
        (&b""[..], Refusal::Syntax),
        (b"[1,]", Refusal::Syntax),
        (b"[1] x", Refusal::Syntax),
        (b"01", Refusal::Syntax),
        (b"1.", Refusal::Syntax),
        (b".5", Refusal::Syntax),
        (b"-", Refusal::Syntax),
        (b"+1", Refusal::Syntax),
        (b"nan", Refusal::Syntax),
        (b"TRUE", Refusal::Syntax),
        (b"nul", Refusal::Syntax),
        (b"{1:2}", Refusal::Syntax),
        (b"{'a':1}", Refusal::Syntax),
        (b"[1", Refusal::Syntax),
        (b"\xEF\xBB\xBF[1]", Refusal::Syntax),
        (br#""\u00""#, Refusal::Syntax),
        (br#""\x41""#, Refusal::Syntax),
        (br#""\ud800""#, Refusal::Utf16),
        (br#""\udc00""#, Refusal::Utf16),
        (b"\"a\x01b\"", Refusal::ControlCharacter),
        (b"[\"abc", Refusal::ControlCharacter),
        (b"[1]\0", Refusal::ControlCharacter),
        (b"\x02", Refusal::ControlCharacter),
        (b"\"\x80\"", Refusal::Utf8),
        (b"\"\xED\xA0\x80\"", Refusal::Utf8),
        (b"\"\xC0\xAF\"", Refusal::Utf8),
        (b"\x80", Refusal::Utf8),
    ] {
        assert_eq!(shown(document), Err(expected), "{}", document.escape_ascii());
        // The same where the value is only passed over.
        if let Ok(text) = std::str::from_utf8(document) {
            assert_eq!(passed(text).map(drop), Err(expected), "{}", document.escape_ascii());
        }
    }
}

fn passed(document: &str) -> Result<std::ops::Range<usize>, Refusal> {
    let mut reader = Reader::new(document);
    let span = reader.span()?;
    reader.end().map(|()| span)
}

#[test]
fn what_is_passed_over_is_passed_over_whole() {
    for document in [
        r#"{"a":"x\"","b":[-0e1,12.5,"\ud83d\ude00\\"]}"#,
        r#""quoted \" and \u0000 and \/""#,
        "1e400",
        "[]",
    ] {
        assert_eq!(
            passed(&format!(" {document} ")),
            Ok(1..document.len() + 1),
            "{document}"
        );
    }
}

#[test]
fn counts_nesting_as_php_does() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(shown(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(shown(nested(MAX_DEPTH + 1).as_bytes()), Err(Refusal::Depth));
}

#[test]
fn every_position_of_a_special_byte_in_a_string_is_seen() {
    for length in 0..40 {
        for at in 0..length {
            let mut text = vec![b'x'; length];
            text[at] = 0x1F;
            let document = [b"\"", text.as_slice(), b"\""].concat();
            assert_eq!(shown(&document), Err(Refusal::ControlCharacter), "{length} {at}");
        }
        let escaped = format!("\"{}\\n\"", "é".repeat(length));
        assert_eq!(shown(escaped.as_bytes()), Ok(format!("\"{}\\n\"", "é".repeat(length))));
    }
}

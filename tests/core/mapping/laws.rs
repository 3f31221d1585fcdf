//! What holds for every record: nothing mapped is lost on the way there and back, and nothing makes it panic.

use super::{mapping, read};
use tenant_crm_sync::crm::mapping::Mapping;

/// A row of numbers that is the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn of<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.roll(list.len())]
    }
}

const PLAIN: &[&str] = &[
    "null",
    "true",
    "12345678901234567890",
    "-0.10",
    "1E+2",
    r#""""#,
    r#""é \ud83d\ude00\/""#,
    "[1, {\"a\": 2}]",
    "{}",
];

const HOSTILE: &[&str] = &[
    "null",
    "false",
    "1e999",
    "-9223372036854775808",
    r#""\u0000""#,
    r#""1e999""#,
    r#"" ; ; ""#,
    r#""-""#,
    r#""é""#,
    r#""2026-13-45 99:99:99""#,
    r#""9999999999-9""#,
    "[]",
    "[[[]]]",
    r#"[false,"x"]"#,
    r#"[{"value":{"value":[]}}]"#,
    r#"{"value":1}"#,
    r#"{"b":{"c":1},"b":2}"#,
    r#""İSTANBUL""#,
];

/// One field of each kind, from fields that have nothing in common.
fn everything() -> Mapping {
    mapping(
        r#"{"plain":"plain","nested":["o","n"],"other":["o","m"],
            "name":{"join":{"paths":["first","last"]}},
            "email":{"from":"emails","pick":{"prefer":{"path":"primary","equals":true},"value":"value"}},
            "status":{"from":"status","values":{"Open":"new","Shut":"lost","-None-":null}},
            "score":{"from":"score","as":"number","to":"text"},
            "vip":{"from":"vip","as":"boolean","values":[["1",true],["0",false]]},
            "at":{"from":"at","as":"time","to":"milliseconds"},
            "day":{"from":"day","as":"time","to":"date"},
            "tags":{"from":"tags","list":";"},
            "owner":{"from":"owner","many2one":"id","false_is_null":true},
            "notes":{"from":"notes","as":"text","clean":["trim"]}}"#,
    )
}

#[test]
fn what_is_read_and_written_is_what_was_there() {
    let map = everything();
    let mut dice = Dice(7);
    for _ in 0..1000 {
        let row = format!(
            r#"{{"at":{at},"day":{day},"emails":{emails},"first":{first},"last":{last},"notes":{notes},"o":{{"m":{m},"n":{n}}},"owner":{owner},"plain":{plain},"score":{score},"status":{status},"tags":{tags},"vip":{vip}}}"#,
            at = dice.of(&["1795485600123", "-999999990000", "null"]),
            day = dice.of(&[r#""2024-02-29""#, r#""0001-01-01""#, "null"]),
            emails = dice.of(&["[]", r#"[{"primary":true,"value":"a@b.c"}]"#]),
            first = dice.of(&[r#""Ada""#, r#""Ada Maria""#, r#""İ""#]),
            last = dice.of(&[r#""Lovelace""#, r#""O'Hara-Ünal""#]),
            notes = dice.of(&[r#""""#, r#""a\nb""#, "null"]),
            m = dice.of(PLAIN),
            n = dice.of(PLAIN),
            owner = dice.of(&["7", "12345678901234567890", "false"]),
            plain = dice.of(PLAIN),
            score = dice.of(&[r#""1.50""#, r#""-12345678901234567890""#, "null"]),
            status = dice.of(&[r#""Open""#, r#""Shut""#, r#""-None-""#, r#""Else""#]),
            tags = dice.of(&[r#""""#, r#""a;b""#, r#""é""#, "null"]),
            vip = dice.of(&[r#""1""#, r#""0""#, "null"]),
        );
        assert_eq!(map.write(&read(&map, &row)).unwrap(), row);
    }
}

#[test]
fn what_makes_no_sense_is_null_or_an_error_with_a_name() {
    let map = everything();
    let names: Vec<String> = map.sources();
    let mut dice = Dice(99);
    for _ in 0..2000 {
        let members: Vec<String> = names
            .iter()
            .map(|name| {
                let values = if dice.roll(3) == 0 { PLAIN } else { HOSTILE };
                format!("\"{name}\":{}", dice.of(values))
            })
            .collect();
        let row = format!("{{{}}}", members.join(","));
        let neutral = read(&map, &row);
        let again = read(&map, &map.write(&neutral).unwrap());
        assert_eq!(read(&map, &map.write(&again).unwrap()), again, "{row}");
        // The same values as if the portal had them.
        let swapped: Vec<String> = map
            .names()
            .map(|name| format!("\"{name}\":{}", dice.of(HOSTILE)))
            .collect();
        if let Err(error) = map.write(&format!("{{{}}}", swapped.join(","))) {
            assert!(error.starts_with("field \""), "{error}");
        }
    }
}

#[test]
fn text_that_is_not_a_record_is_nothing_or_an_error() {
    let map = everything();
    let nothing = read(&map, "{}");
    let deep = format!(r#"{{"plain":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    for (text, reason) in [
        ("", "the record: it is not a JSON object"),
        ("[]", "the record: it is not a JSON object"),
        (r#"{"plain":1"#, r#"the record: field "plain": Syntax error"#),
        (r#"{"plain":1} x"#, r#"the record: field "plain": Syntax error"#),
        (
            r#"{"plain":"\ud800"}"#,
            r#"the record: field "plain": Single unpaired high surrogate in Unicode escape"#,
        ),
        (r#"{"plain":01}"#, r#"the record: field "plain": Syntax error"#),
        (&deep, r#"the record: field "plain": Maximum stack depth exceeded"#),
    ] {
        assert_eq!(read(&map, text), nothing);
        assert_eq!(map.write(text).unwrap_err(), reason);
    }
    let error = map.write(&format!(r#"{{"{}":01}}"#, "é\\n".repeat(1000))).unwrap_err();
    assert!(error.starts_with(r#"the record: field "é\né"#) && error.ends_with(r#"…": Syntax error"#));
    assert!(error.len() < 250, "{error}");
    // As deep as JSON goes for PHP.
    let inside = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let row = format!(r#"{{"plain":{inside}}}"#);
    assert!(read(&map, &row).contains(&inside));
    assert_eq!(map.write(&row).unwrap(), row);
    // As wide as a tenant likes.
    let wide: Vec<String> = (0..50_000).map(|n| format!("\"f{n:05}\":{n}")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    assert_eq!(read(&map, &wide), nothing);
    assert_eq!(map.write(&wide).unwrap(), wide);
}

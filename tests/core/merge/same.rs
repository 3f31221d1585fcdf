//! What is written differently and is the same, and what is not.

use serde_json::{Value as Json, json};
use tenant_crm_sync::sync::merge::Same;

use super::value;

fn same(names: &[&str]) -> Same {
    let mut same = Same::default();
    for name in names {
        same.add(name).unwrap();
    }
    same
}

fn check(names: &[&str], cases: &[(Json, Json, bool)]) {
    let same = same(names);
    for (a, b, expected) in cases {
        let (a_value, b_value) = (value(a), value(b));
        assert_eq!(same.equal(&a_value, &b_value), *expected, "{names:?}: {a} {b}");
        assert_eq!(same.equal(&b_value, &a_value), *expected, "{names:?}: {b} {a}");
        assert!(same.equal(&a_value, &a_value) && same.equal(&b_value, &b_value));
    }
}

#[test]
fn by_default_only_nothing_is_written_in_several_ways() {
    check(
        &[],
        &[
            (json!(null), json!(""), true),
            (json!(null), json!([]), true),
            (json!(null), json!({"a": null}), true),
            (json!(null), json!(0), false),
            (json!(null), json!(false), false),
            (json!("1"), json!(1), false),
            (json!(1.0), json!(1), true),
            (json!(1), json!(true), false),
            (json!("a"), json!("A"), false),
            (json!("a"), json!("a "), false),
            (json!(-0.0), json!(0), true),
        ],
    );
}

#[test]
fn texts() {
    check(
        &["trim"],
        &[
            (json!(" a\t"), json!("a"), true),
            (json!("a\u{a0}"), json!("a"), true),
            (json!("a\r\nb\r"), json!("a\nb"), true),
            (json!("   "), json!(null), true),
            (json!("a b"), json!("ab"), false),
            (json!("A"), json!("a"), false),
            (json!(["a "]), json!(["a"]), true),
            (json!({"x": {"y": " a"}}), json!({"x": {"y": "a"}}), true),
        ],
    );
    check(
        &["case"],
        &[
            (json!("STRASSE"), json!("straße"), true),
            (json!("ΟΔΟΣ"), json!("οδος"), true),
            (json!("Ä"), json!("ä"), true),
            (json!("a"), json!("a "), false),
            (json!("a"), json!("b"), false),
        ],
    );
    check(
        &["email"],
        &[
            (json!(" Ann@Example.ORG "), json!("ann@example.org"), true),
            (json!("ann+x@example.org"), json!("ann@example.org"), false),
        ],
    );
}

#[test]
fn numbers_booleans_and_times() {
    check(
        &["number"],
        &[
            (json!("1"), json!(1), true),
            (json!("01.500"), json!(1.5), true),
            (json!("+1e3"), json!(1000), true),
            (json!("0.1"), json!("0.10"), true),
            (json!("-0"), json!(0), true),
            (json!("12345678901234567890"), json!("12345678901234567891"), false),
            (json!("12345678901234567890.0"), json!("12345678901234567890"), true),
            (json!("1e999999999999999999"), json!("1e999999999999999998"), false),
            (json!("1,5"), json!(1.5), false),
            (json!("x"), json!("y"), false),
            (json!(""), json!(0), false),
        ],
    );
    check(
        &["boolean"],
        &[
            (json!("yes"), json!(true), true),
            (json!("On"), json!(1), true),
            (json!("0"), json!(false), true),
            (json!(null), json!(false), true),
            (json!("no"), json!(""), true),
            (json!("yes"), json!("no"), false),
            (json!("maybe"), json!(true), false),
            (json!(2), json!(true), false),
        ],
    );
    check(
        &["time"],
        &[
            (json!("2026-11-23T10:00:00Z"), json!("2026-11-23 11:00:00+01:00"), true),
            (json!("2026-11-23T10:00:00.999Z"), json!("2026-11-23 10:00:00"), true),
            (json!("2026-11-23"), json!("2026-11-23T00:00:00Z"), true),
            (json!(1_763_892_000), json!("2025-11-23T10:00:00Z"), true),
            (json!("2026-11-23T10:00:00Z"), json!("2026-11-23T10:00:01Z"), false),
            (json!("2026-13-45"), json!("2026-13-46"), false),
        ],
    );
}

#[test]
fn telephone_numbers() {
    check(
        &["phone:49"],
        &[
            (json!("0171 / 23 45 678"), json!("+491712345678"), true),
            (json!("+49 (0)171 2345678"), json!("00491712345678"), true),
            (json!("tel:+49-171-2345678"), json!("0171.2345678"), true),
            (json!("0171 2345678 ext. 12"), json!("+49 171 2345678;ext=12"), true),
            (json!("0171 2345678 x12"), json!("+49 171 2345678"), false),
            (json!("+43 171 2345678"), json!("0171 2345678"), false),
            (json!("0171 2345678"), json!("0171 2345679"), false),
            (json!("ask Ann"), json!("ask Bob"), false),
            (json!(" call  "), json!("call"), false),
            (json!(""), json!("+"), false),
        ],
    );
    check(
        &["phone:+1"],
        &[
            (json!("(202) 555-0123"), json!("+1 202 555 0123"), true),
            (json!("1-202-555-0123"), json!("+12025550123"), true),
            (json!("011 44 20 7946 0000"), json!("+442079460000"), true),
        ],
    );
    check(
        &["phone:39"],
        &[(json!("06 1234 5678"), json!("+39 06 1234 5678"), true)],
    );
    check(
        &["phone:36"],
        &[(json!("06 20 123 4567"), json!("+36 20 123 4567"), true)],
    );
    check(
        &["phone"],
        &[
            (json!("+49 171 2345678"), json!("0049 1712345678"), true),
            (json!("0171 2345678"), json!("01712345678"), true),
            (json!("0171 2345678"), json!("+491712345678"), false),
        ],
    );
}

#[test]
fn several_at_once_and_unknown_ones() {
    check(
        &["trim", "case", "boolean"],
        &[(json!(" TRUE "), json!(true), true), (json!(" A"), json!("a"), true)],
    );
    for name in ["", "phones", "phone:", "phone:0", "phone:1234", "phone:+", "trim "] {
        let refusal = Same::default().add(name).unwrap_err();
        assert!(refusal.contains("is no equivalence; there are trim"), "{refusal}");
    }
    assert!(Same::default().add(&"x".repeat(10_000)).unwrap_err().len() < 300);
}

/// What is the same as the same is the same, whatever is declared.
#[test]
fn it_is_an_equivalence() {
    let texts = [
        "",
        " ",
        "0",
        "-0",
        "+0",
        "1",
        "01",
        "1.0",
        "1e0",
        "true",
        "YES",
        "on",
        "no",
        "false",
        "off",
        "2026-11-23",
        "2026-11-23T00:00:00Z",
        "1763892000",
        "1763892000000",
        "+491712345678",
        "0171 2345678",
        "00491712345678",
        "491712345678",
        "a",
        "A",
        " a ",
        "ß",
        "SS",
        "ss",
        "1e999999",
        "0.1e1",
        "ann@x.org",
        "ANN@x.org ",
        "x12",
        "+",
        "()",
    ];
    let mut values: Vec<_> = texts.iter().map(|text| value(&json!(text))).collect();
    values.extend(
        [
            json!(0),
            json!(1),
            json!(1.5),
            json!(true),
            json!(false),
            json!(null),
            json!(["1"]),
            json!([1]),
            json!({"a": "1"}),
        ]
        .iter()
        .map(value),
    );
    let names = [
        "trim", "case", "email", "boolean", "number", "time", "phone", "phone:49", "phone:1", "phone:39",
    ];
    for subset in 0_u32..1 << names.len() {
        let chosen: Vec<&str> = (0..names.len())
            .filter(|bit| subset >> bit & 1 == 1)
            .map(|bit| names[bit])
            .collect();
        if chosen.len() > 3 {
            continue;
        }
        let same = same(&chosen);
        for a in &values {
            for b in &values {
                let equal = same.equal(a, b);
                assert_eq!(equal, same.normal(a) == same.normal(b), "{chosen:?} {a:?} {b:?}");
                assert_eq!(equal, same.equal(b, a));
            }
        }
    }
}

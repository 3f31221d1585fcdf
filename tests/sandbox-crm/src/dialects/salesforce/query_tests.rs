//! What queries find, in which pages, and which are refused.

use serde_json::json;

use super::soql;
use super::tests::{BASE, JSON, crm, id, names, query};

#[test]
fn queries_filter_sort_and_limit() {
    let crm = crm(9);
    let select = "SELECT Id, LastName FROM Lead";
    for (rest, expected) in [
        (
            "WHERE SystemModstamp >= 2026-11-01T00:00:04Z ORDER BY SystemModstamp, Id",
            // Upper case comes first in ids.
            "Nr9 Nr8",
        ),
        ("WHERE SystemModstamp > 2026-11-01T01:00:03+01:00", "Nr9 Nr8"),
        ("WHERE SystemModstamp = 2026-11-01T00:00:00Z", "Nr1"),
        ("WHERE Email = 'Z3@example.TEST'", "Nr3"),
        ("WHERE AnnualRevenue <= 2 AND LastName != 'Nr1'", "Nr2"),
        ("WHERE LastName IN ('Nr5', 'Nr6') ORDER BY LastName DESC", "Nr6 Nr5"),
        ("WHERE Phone = null ORDER BY AnnualRevenue DESC LIMIT 2", "Nr9 Nr8"),
        ("WHERE Phone != null", ""),
        ("WHERE IsDeleted = false LIMIT 1", "Nr1"),
    ] {
        let (status, found) = query(&crm, &format!("{select} {rest}"));
        assert_eq!(
            (status, names(&found).join(" ").as_str()),
            (200, expected),
            "{rest}: {found}"
        );
        assert_eq!(found["done"], true);
    }
    assert_eq!(query(&crm, "select count() from lead").1["totalSize"], 9);
}

#[test]
fn queries_that_are_refused() {
    let crm = crm(1);
    for (text, code) in [
        ("SELECT Foo FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Foo = 1", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER BY Foo", "INVALID_FIELD"),
        ("SELECT Id FROM Foo", "INVALID_TYPE"),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp >= '2026-11-01T00:00:00Z'",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp >= 2026-11-01",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp >= 2026-11-01T00:00:00",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp >= 2026-11-01T00:00:00 00:00",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM Lead WHERE Email = z1@example.test", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Email = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Email = 'O'Brien'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id = 'a' OR Id = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT 1 OFFSET 1", "MALFORMED_QUERY"),
        ("SELECT * FROM Lead", "MALFORMED_QUERY"),
        ("SELECT FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Phone > null", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ] {
        let (status, refused) = query(&crm, text);
        assert_eq!(
            (status, &refused[0]["errorCode"]),
            (400, &json!(code)),
            "{text}: {refused}"
        );
    }
}

#[test]
fn quotes_are_escaped_with_a_backslash() {
    let parsed = soql::parse("SELECT Id FROM Lead WHERE LastName = 'O\\'Brien \\\\'").unwrap();
    assert_eq!(parsed.conditions[0].values, [soql::Literal::Text("O'Brien \\".into())]);
    assert!(soql::parse("SELECT Id FROM Lead WHERE LastName = 'a\\q'").is_err());
}

#[test]
fn pages_are_of_what_was_there_when_the_query_ran() {
    let crm = crm(5);
    crm.configure(|config| {
        config.options.insert("batch_size".into(), json!(2));
    });
    let (_, first) = query(&crm, "SELECT Id, LastName FROM Lead ORDER BY LastName");
    assert_eq!(
        (&first["totalSize"], &first["done"], names(&first)),
        (&json!(5), &json!(false), vec!["Nr1", "Nr2"])
    );
    let body = json!({ "Phone": "1" }).to_string();
    assert_eq!(
        crm.send("PATCH", &format!("{BASE}/sobjects/Lead/{}", id(1)), JSON, &body)
            .0,
        204
    );
    let (_, second) = crm.get(first["nextRecordsUrl"].as_str().unwrap());
    assert_eq!(names(&second), ["Nr3", "Nr4"]);
    let (_, last) = crm.get(second["nextRecordsUrl"].as_str().unwrap());
    assert_eq!((&last["done"], names(&last)), (&json!(true), vec!["Nr5"]));
    assert!(last.get("nextRecordsUrl").is_none());
    let (status, refused) = crm.get(&format!("{BASE}/query/01g5g00000099-2"));
    assert_eq!(
        (status, &refused[0]["errorCode"]),
        (400, &json!("INVALID_QUERY_LOCATOR"))
    );
    let options = [("sforce-query-options", "batchSize=many")];
    let refused = crm.answer("GET", &format!("{BASE}/query?q=SELECT+Id+FROM+Lead"), &options, "");
    assert_eq!(refused.status, 400);
}

//! What answers tell of each record: in order, by name, in parts; and the ids of new ones.

use super::*;

/// What the connector says of results, for records that are created in one batch.
fn told(results: &str, items: &[Item], status: u16, body: &str) -> Vec<Outcome> {
    let crm = Crm::writing(&format!(
        r#"{{"batch":{{"create":{{"request":{{"method":"POST","path":"/b","body":{{"records":"{{items}}"}}}},
            "item":{{"trace":"{{trace}}","data":"{{data}}"}},"max":100,"results":{results}}}}}}}"#
    ));
    let outcomes = crm.run(Verb::Create, items, |_| Ok(reply(status, &[], body))).unwrap();
    assert_eq!(crm.calls(), 1, "what is told of each record is not sent again");
    outcomes
}

fn message(outcome: &Outcome) -> &str {
    &outcome.error.as_ref().unwrap().message
}

const IN_ORDER: &str =
    r#"{"rows":[],"ok":{"at":"success","is":[true]},"id":"id","message":[["errors",0,"message"],"status"]}"#;
const BY_TRACE: &str = r#"{"rows":"results","trace":"trace","id":"id","message":["message"],"refusals":"errors"}"#;

#[test]
fn in_the_order_of_the_records() {
    let body = r#"[{"success":true,"id":"a"},
        {"success":false,"errors":[{"message":" not\n an   e-mail "}]},
        {"success":false,"errors":[],"status":"DENIED"},
        {"success":false},
        {"success":true,"id":7}]"#;
    let outcomes = told(IN_ORDER, &new(5), 200, body);
    assert_eq!(ids(&outcomes), [Some("a"), None, None, None, Some("7")]);
    assert_eq!(refused(&outcomes), [1, 2, 3]);
    assert_eq!(message(&outcomes[1]), "not an e-mail");
    assert_eq!(message(&outcomes[2]), "DENIED");
    assert!(message(&outcomes[3]).contains("no reason"));
    let error = outcomes[1].error.as_ref().unwrap();
    assert_eq!(
        (error.kind, error.reason, error.status),
        (Kind::Http, Some(Reason::Invalid), Some(200))
    );
    assert_eq!(error.operation, "POST https://crm.example/leads");
}

#[test]
fn records_that_an_answer_does_not_tell_of_are_not_taken_for_written() {
    for body in [
        r#"[{"success":true,"id":"a"}]"#,
        r#"[{"success":true,"id":"a"},"#,
        r#"[{"success":true,"id":"a"},]"#,
    ] {
        let outcomes = told(IN_ORDER, &new(3), 200, body);
        assert!(
            refused(&outcomes).contains(&1) && refused(&outcomes).contains(&2),
            "{body}"
        );
    }
    for body in ["", "{}", "null", "<html>OK</html>", "[]", "true"] {
        assert_eq!(refused(&told(IN_ORDER, &new(2), 200, body)), [0, 1], "{body}");
        assert_eq!(refused(&told(BY_TRACE, &new(2), 200, body)), [0, 1], "{body}");
    }
}

#[test]
fn by_the_trace_whatever_their_order() {
    let body =
        r#"{"results":[{"trace":"r2","id":"c"},{"trace":"r0","id":"a"}],"errors":[{"message":"no such stage"}]}"#;
    let outcomes = told(BY_TRACE, &new(3), 207, body);
    assert_eq!(ids(&outcomes), [Some("a"), None, Some("c")]);
    assert_eq!(refused(&outcomes), [1]);
    assert_eq!(message(&outcomes[1]), "no such stage");
    assert_eq!(outcomes[1].error.as_ref().unwrap().status, Some(207));
}

#[test]
fn by_the_id_where_the_answer_repeats_that() {
    let crm = Crm::writing(
        r#"{"batch":{"update":{"request":{"method":"POST","path":"/b","body":{"records":"{items}"}},
            "item":{"id":"{id|text}"},"max":9,"results":{"rows":"results","trace":"id","message":["message"]}}}}"#,
    );
    let outcomes = crm
        .run(Verb::Update, &known(3), |_| {
            Ok(reply(
                207,
                &[],
                r#"{"results":[{"id":"i2"},{"id":"i0"},{"id":"other"}]}"#,
            ))
        })
        .unwrap();
    assert_eq!(refused(&outcomes), [1]);
    assert_eq!(ids(&outcomes), [Some("i0"), Some("i1"), Some("i2")]);
}

#[test]
fn a_207_names_the_refused_records() {
    let results = r#"{"rows":"results","trace":"trace","id":"id","message":["message"],"refusals":"errors",
        "refusal_trace":[["context","trace"],["context","ids"]]}"#;
    let items = [
        item(None, &json!({})),
        item(Some("12"), &json!({})),
        item(None, &json!({})),
        item(None, &json!({})),
    ];
    let body = r#"{"results":[{"trace":"r3","id":"d"}],"errors":[
        {"message":"first","context":{"trace":["r9","r0"]}},
        {"message":"second","context":{"ids":[12]}}]}"#;
    let outcomes = told(results, &items, 207, body);
    assert_eq!(refused(&outcomes), [0, 1, 2]);
    assert_eq!(message(&outcomes[0]), "first");
    assert_eq!(message(&outcomes[1]), "second");
    assert_eq!(
        message(&outcomes[2]),
        "first",
        "of one that nobody names the first reason is the best guess"
    );
    assert_eq!(outcomes[3].id.as_deref(), Some("d"));
}

#[test]
fn reasons_are_bounded() {
    let body = json!([{ "success": false, "status": "é".repeat(5_000) }]).to_string();
    assert_eq!(message(&told(IN_ORDER, &new(1), 200, &body)[0]).chars().count(), 300);
}

#[test]
fn traces_begin_anew_in_each_request() {
    let crm = Crm::writing(
        r#"{"batch":{"create":{"request":{"method":"POST","path":"/b","body":{"records":"{items}"}},
            "item":{"trace":"{trace}","n":"{data}"},"max":2,"results":{"rows":"rows","trace":"trace","id":"id"}}}}"#,
    );
    let outcomes = crm
        .run(Verb::Create, &new(4), |body| {
            // Each half has an r0 of its own; the second batch is refused until it is halved.
            let records = body["records"].as_array().unwrap();
            if records.len() == 2 && records[0]["n"]["n"] == 2 {
                return Err(failed(400));
            }
            let rows: Vec<Value> = records
                .iter()
                .rev()
                .map(|record| json!({"trace": record["trace"], "id": record["n"]["n"]}))
                .collect();
            Ok(reply(200, &[], &json!({ "rows": rows }).to_string()))
        })
        .unwrap();
    assert_eq!(ids(&outcomes), [Some("0"), Some("1"), Some("2"), Some("3")]);
    assert_eq!(crm.calls(), 4);
}

#[test]
fn bare_ids_are_results_too() {
    let outcomes = told(r#"{"rows":[],"id":[]}"#, &new(3), 200, "[41,\"42\", 43 ]");
    assert_eq!(ids(&outcomes), [Some("41"), Some("42"), Some("43")]);
    let outcomes = told(r#"{"rows":[]}"#, &new(2), 200, "[41,42]");
    assert_eq!(ids(&outcomes), [Some("41"), Some("42")]);
}

#[test]
fn an_answer_without_results_means_that_all_were_written() {
    let crm = Crm::writing(BATCHES);
    let outcomes = crm.run(Verb::Update, &known(3), |_| Ok(reply(204, &[], ""))).unwrap();
    assert!(refused(&outcomes).is_empty());
    assert_eq!(ids(&outcomes), [Some("i0"), Some("i1"), Some("i2")]);
}

/// The id of a new record, which the connector finds with this and the answer has there.
fn id_of(more: &str, headers: &[(&str, &str)], body: &str) -> Option<String> {
    let played = connector(&format!(
        r#"{{"leads":{{"id":"Id","write":{{"create":{{"method":"POST","path":"/x"{more}}}}}}}}}"#
    ));
    let object = played.object("leads").unwrap();
    new_id(
        object.write.create.as_ref().unwrap(),
        object,
        &reply(201, headers, body),
    )
}

#[test]
fn ids_of_new_records_are_in_bodies() {
    assert_eq!(
        id_of("", &[], r#"{"Id":"00Q","name":"x"}"#).as_deref(),
        Some("00Q"),
        "the record itself"
    );
    assert_eq!(
        id_of(r#","record":["data",0]"#, &[], r#"{"data":[{"Id":7}]}"#).as_deref(),
        Some("7")
    );
    assert_eq!(
        id_of(r#","id":["data","id"]"#, &[], r#"{"data":{"id":"9"},"Id":"other"}"#).as_deref(),
        Some("9")
    );
    assert_eq!(
        id_of(r#","id":[]"#, &[], "12\n").as_deref(),
        Some("12"),
        "a bare number"
    );
    assert_eq!(id_of(r#","id":[]"#, &[], "\"a-b\"").as_deref(), Some("a-b"));
    assert_eq!(id_of(r#","id":[0]"#, &[], "[12]").as_deref(), Some("12"));
    for body in ["", "{}", "{\"Id\":null}", "{\"Id\":{}}", "<html>", "null"] {
        assert_eq!(id_of("", &[], body), None, "{body}");
    }
    assert_eq!(id_of(r#","id":[]"#, &[], "true"), None);
}

#[test]
fn ids_of_new_records_are_in_headers() {
    let found = |value: &str| id_of(r#","id_header":"OData-EntityId""#, &[("odata-entityid", value)], "");
    let guid = "5f2c9f1e-0000-4000-8000-000000000001";
    assert_eq!(
        found(&format!("https://x.crm.dynamics.com/api/data/v9.2/leads({guid})")).as_deref(),
        Some(guid)
    );
    assert_eq!(found("https://crm.example/leads/12").as_deref(), Some("12"));
    assert_eq!(found("/leads/12/").as_deref(), Some("12"));
    assert_eq!(found("12").as_deref(), Some("12"));
    assert_eq!(id_of(r#","id_header":"Location""#, &[], ""), None);
}

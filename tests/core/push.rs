//! Several records written: what is sent, in how many requests, and what is told of each record. No CRM answers here but a
//! closure that sees every request.

use std::cell::RefCell;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::error::{Error, Kind, Reason, Result};
use tenant_crm_sync::net::send::{Judge, Reply, Verdict};
use tenant_crm_sync::sync::push::{Build, Item, Outcome, Push, Verb, new_id};

use crate::support::{built_in, connection, connector, reply};

mod results;

/// One request as it would have been sent.
struct Sent {
    line: String,
    body: Value,
}

/// A CRM that answers by a closure and remembers what it was sent.
struct Crm {
    connector: &'static Connector,
    sent: RefCell<Vec<Sent>>,
}

impl Crm {
    /// A CRM whose leads are written so.
    fn writing(write: &str) -> Self {
        Self::of(connector(&format!(
            r#"{{"leads":{{"remote":"Lead","write":{write}}}}}"#
        )))
    }

    fn of(connector: &'static Connector) -> Self {
        Self {
            connector,
            sent: RefCell::default(),
        }
    }

    fn run(&self, verb: Verb, items: &[Item], mut answer: impl FnMut(&Value) -> Result<Reply>) -> Result<Vec<Outcome>> {
        let connection = connection(self.connector, "https://crm.example", b"k");
        let push = Push {
            connection: &connection,
            name: "leads",
            object: self.connector.object("leads").unwrap(),
            verb,
        };
        push.run(items, &mut |build: &Build<'_>, sent_verb| {
            assert_eq!(sent_verb, verb);
            let request = build(&connection)?;
            let body = request
                .body
                .as_deref()
                .map_or(Value::Null, |body| serde_json::from_slice(body).unwrap());
            let answered = answer(&body);
            self.sent.borrow_mut().push(Sent {
                line: format!("{} {}", request.method, request.url),
                body,
            });
            answered
        })
    }

    fn calls(&self) -> usize {
        self.sent.borrow().len()
    }

    fn lines(&self) -> Vec<String> {
        self.sent.borrow().iter().map(|sent| sent.line.clone()).collect()
    }

    fn bodies(&self) -> Vec<Value> {
        self.sent.borrow().iter().map(|sent| sent.body.clone()).collect()
    }
}

/// The failure that an answer with this status is.
fn failed(status: u16) -> Error {
    let errors = &built_in("rest").errors;
    match errors.judge(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"") {
        Verdict::Failure(mut error) => {
            error.status = Some(status);
            error
        }
        other => panic!("{status} is {other:?}"),
    }
}

fn item(id: Option<&str>, data: &Value) -> Item {
    Item {
        id: id.map(str::to_owned),
        data: data.to_string(),
        key: None,
    }
}

/// New records `{"n":0}`, `{"n":1}` and so on.
fn new(count: usize) -> Vec<Item> {
    (0..count).map(|n| item(None, &json!({ "n": n }))).collect()
}

/// Records with the ids `i0`, `i1` and so on.
fn known(count: usize) -> Vec<Item> {
    (0..count)
        .map(|n| item(Some(&format!("i{n}")), &json!({ "n": n })))
        .collect()
}

fn ids(outcomes: &[Outcome]) -> Vec<Option<&str>> {
    outcomes.iter().map(|outcome| outcome.id.as_deref()).collect()
}

/// Positions of the records that were not written.
fn refused(outcomes: &[Outcome]) -> Vec<usize> {
    let bad = outcomes
        .iter()
        .enumerate()
        .filter(|(_, outcome)| outcome.error.is_some());
    bad.map(|(position, _)| position).collect()
}

const ONE_BY_ONE: &str = r#"{"create":{"method":"POST","path":"/{remote}","body":"{data}"},
    "update":{"method":"PATCH","path":"/{remote}/{id}","body":"{data}"},
    "delete":{"method":"DELETE","path":"/{remote}/{id}"}}"#;

/// Creates, changes and deletes in batches of four, told in their order.
const BATCHES: &str = r#"{"batch":{
    "create":{"request":{"method":"POST","path":"/batch","body":{"records":"{items}"}},"item":"{data}","max":4,
        "results":{"rows":"rows","ok":{"at":"ok","is":[true]},"id":"id","message":["why"]}},
    "update":{"request":{"method":"PATCH","path":"/batch","body":{"records":"{items}"}},
        "item":{"id":"{id|text}","set":"{data}"},"max":4},
    "delete":{"request":{"method":"DELETE","path":"/batch","query":{"ids":"{ids}"}},"max":4}}}"#;

/// A batch's answer in which every record was written, with ids after its number.
fn all_written(body: &Value) -> Result<Reply> {
    let rows: Vec<Value> = body["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| json!({ "ok": true, "id": format!("new-{}", record["n"]) }))
        .collect();
    Ok(reply(200, &[], &json!({ "rows": rows }).to_string()))
}

/// Whether a batch has the record of this number in it.
fn has(body: &Value, wanted: &[u64]) -> bool {
    let records = body["records"].as_array().unwrap();
    records
        .iter()
        .any(|record| wanted.iter().any(|n| record["n"] == json!(n)))
}

#[test]
fn without_batches_records_go_one_by_one() {
    let crm = Crm::writing(ONE_BY_ONE);
    let mut number = 40;
    let outcomes = crm
        .run(Verb::Create, &new(3), |_| {
            number += 1;
            Ok(reply(201, &[], &format!("{{\"id\":{number}}}")))
        })
        .unwrap();
    assert_eq!(ids(&outcomes), [Some("41"), Some("42"), Some("43")]);
    assert_eq!(crm.bodies(), [json!({"n":0}), json!({"n":1}), json!({"n":2})]);
    let crm = Crm::writing(ONE_BY_ONE);
    crm.run(Verb::Update, &known(2), |_| Ok(reply(204, &[], ""))).unwrap();
    assert_eq!(
        crm.lines(),
        ["PATCH https://crm.example/Lead/i0", "PATCH https://crm.example/Lead/i1"]
    );
}

#[test]
fn one_bad_record_does_not_hold_up_the_others() {
    let crm = Crm::writing(ONE_BY_ONE);
    let outcomes = crm
        .run(Verb::Update, &known(3), |body| {
            if body["n"] == 1 {
                Err(failed(422))
            } else {
                Ok(reply(200, &[], "{}"))
            }
        })
        .unwrap();
    assert_eq!(refused(&outcomes), [1]);
    assert_eq!(ids(&outcomes), [Some("i0"), Some("i1"), Some("i2")]);
    assert_eq!(outcomes[1].error.as_ref().unwrap().reason, Some(Reason::Invalid));
    assert_eq!(crm.calls(), 3);
}

#[test]
fn what_concerns_all_records_ends_the_run() {
    for status in [401, 403, 429, 500, 503] {
        for write in [ONE_BY_ONE, BATCHES] {
            let crm = Crm::writing(write);
            let error = crm.run(Verb::Create, &new(8), |_| Err(failed(status))).unwrap_err();
            assert_eq!(error.status, Some(status));
            assert_eq!(crm.calls(), 1, "{status}: nothing is sent again, nothing is halved");
        }
    }
    let crm = Crm::writing(BATCHES);
    let error = crm
        .run(Verb::Create, &new(8), |_| Err(Error::new(Kind::Timeout, "")))
        .unwrap_err();
    assert_eq!((error.kind, crm.calls()), (Kind::Timeout, 1));
}

#[test]
fn batches_hold_as_many_as_the_crm_takes() {
    let crm = Crm::writing(BATCHES);
    let outcomes = crm.run(Verb::Create, &new(10), all_written).unwrap();
    let sizes: Vec<usize> = crm
        .bodies()
        .iter()
        .map(|body| body["records"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [4, 4, 2]);
    let expected: Vec<String> = (0..10).map(|n| format!("new-{n}")).collect();
    assert_eq!(
        ids(&outcomes),
        expected.iter().map(|id| Some(id.as_str())).collect::<Vec<_>>()
    );
    assert!(refused(&outcomes).is_empty());
}

#[test]
fn nothing_to_write_sends_nothing() {
    for write in [ONE_BY_ONE, BATCHES] {
        let crm = Crm::writing(write);
        assert!(
            crm.run(Verb::Create, &[], |_| panic!("it was sent"))
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn each_record_of_a_batch_is_written_as_the_connector_says() {
    let crm = Crm::writing(BATCHES);
    let one = [item(Some("12"), &json!({"name": "q\"é"})), item(Some("13"), &json!({}))];
    let outcomes = crm.run(Verb::Update, &one, |_| Ok(reply(200, &[], "[]"))).unwrap();
    assert_eq!(
        crm.bodies(),
        [json!({"records": [{"id": "12", "set": {"name": "q\"é"}}, {"id": "13", "set": {}}]})]
    );
    assert_eq!(ids(&outcomes), [Some("12"), Some("13")]);
    crm.run(Verb::Delete, &known(2), |_| Ok(reply(204, &[], ""))).unwrap();
    assert_eq!(crm.lines()[1], "DELETE https://crm.example/batch?ids=i0%2Ci1");
}

#[test]
fn members_of_the_items_are_set_into_the_data() {
    let crm = Crm::writing(
        r#"{"batch":{"update":{"request":{"method":"PATCH","path":"/b","body":{"records":"{items}"}},
            "item":"{data}","with":{"Id":"{id}","attributes":{"type":"{remote}"}},"max":9}}}"#,
    );
    let items = [
        item(Some("7"), &json!({"Id": "another's", "n": 1})),
        item(Some("8"), &json!({})),
    ];
    crm.run(Verb::Update, &items, |_| Ok(reply(200, &[], ""))).unwrap();
    assert_eq!(
        crm.bodies()[0]["records"],
        json!([
            {"Id": "7", "n": 1, "attributes": {"type": "Lead"}},
            {"Id": "8", "attributes": {"type": "Lead"}}
        ]),
        "the data cannot name another record"
    );
}

#[test]
fn a_refused_batch_is_halved_until_the_bad_record_stands_alone() {
    let crm = Crm::writing(&BATCHES.replace("\"max\":4", "\"max\":64"));
    let outcomes = crm
        .run(Verb::Create, &new(64), |body| {
            if has(body, &[37]) {
                Err(failed(400))
            } else {
                all_written(body)
            }
        })
        .unwrap();
    assert_eq!(refused(&outcomes), [37]);
    assert_eq!(outcomes[37].error.as_ref().unwrap().status, Some(400));
    assert_eq!(outcomes[38].id.as_deref(), Some("new-38"), "the order is kept");
    assert_eq!(crm.calls(), 1 + 2 * 6, "two for each time that 64 is halved");
}

#[test]
fn halving_ends() {
    // All of them bad: every call halves, so there are fewer than two for each record.
    let crm = Crm::writing(&BATCHES.replace("\"max\":4", "\"max\":100"));
    let outcomes = crm.run(Verb::Create, &new(100), |_| Err(failed(422))).unwrap();
    assert_eq!(refused(&outcomes).len(), 100);
    assert_eq!(crm.calls(), 2 * 100 - 1);
    // Two of them bad, in an odd number.
    let crm = Crm::writing(&BATCHES.replace("\"max\":4", "\"max\":7"));
    let outcomes = crm
        .run(Verb::Create, &new(7), |body| {
            if has(body, &[0, 6]) {
                Err(failed(409))
            } else {
                all_written(body)
            }
        })
        .unwrap();
    assert_eq!(refused(&outcomes), [0, 6]);
    assert_eq!(
        ids(&outcomes)[1..6],
        ["new-1", "new-2", "new-3", "new-4", "new-5"].map(Some)
    );
}

#[test]
fn a_record_that_is_gone_before_its_delete_is_deleted() {
    let crm = Crm::writing(ONE_BY_ONE);
    let outcomes = crm.run(Verb::Delete, &known(1), |_| Err(failed(404))).unwrap();
    assert!(refused(&outcomes).is_empty());
    let crm = Crm::writing(BATCHES);
    let outcomes = crm.run(Verb::Delete, &known(4), |_| Err(failed(404))).unwrap();
    assert!(refused(&outcomes).is_empty());
    // A change of one that is gone is none.
    let crm = Crm::writing(ONE_BY_ONE);
    let outcomes = crm.run(Verb::Update, &known(1), |_| Err(failed(404))).unwrap();
    assert_eq!(outcomes[0].error.as_ref().unwrap().reason, Some(Reason::Missing));
}

#[test]
fn what_the_crm_cannot_do_is_said_with_its_reason() {
    let played = connector(r#"{"leads":{"cannot":{"upsert":"it knows no unique fields"}}}"#);
    let crm = Crm::of(played);
    let error = crm.run(Verb::Upsert, &new(1), |_| panic!("it was sent")).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    assert!(
        error.message.contains("leads") && error.message.contains("it knows no unique fields"),
        "{error}"
    );
    let error = crm.run(Verb::Delete, &known(1), |_| panic!("it was sent")).unwrap_err();
    assert!(error.message.contains("delete"), "{error}");
}

#[test]
fn records_without_the_id_that_they_need_are_not_sent() {
    for id in [None, Some(""), Some("."), Some("..")] {
        let crm = Crm::writing(ONE_BY_ONE);
        let error = crm
            .run(Verb::Update, &[item(id, &json!({}))], |_| panic!("{id:?} was sent"))
            .unwrap_err();
        assert_eq!(error.kind, Kind::Config, "{id:?}");
        assert_eq!(crm.calls(), 0);
    }
}

#[test]
fn an_upsert_takes_its_key_out_of_the_data_where_the_crm_wants_it_so() {
    let write = |without: bool| {
        format!(
            r#"{{"upsert":{{"request":{{"method":"PATCH","path":"/{{remote}}/{{key}}/{{key_value}}","body":"{{data}}"}},"without_key":{without}}}}}"#
        )
    };
    let one = Item {
        id: None,
        data: r#"{"Email":"a/b@example.com","Name":"A","Score":1.50}"#.into(),
        key: Some(("Email".into(), "a/b@example.com".into())),
    };
    for (without, body) in [
        (true, json!({"Name": "A", "Score": 1.5})),
        (false, json!({"Email": "a/b@example.com", "Name": "A", "Score": 1.5})),
    ] {
        let crm = Crm::writing(&write(without));
        crm.run(Verb::Upsert, std::slice::from_ref(&one), |_| {
            Ok(reply(200, &[], r#"{"id":"9"}"#))
        })
        .unwrap();
        assert_eq!(crm.lines(), ["PATCH https://crm.example/Lead/Email/a%2Fb@example.com"]);
        assert_eq!(crm.bodies(), [body]);
    }
}

//! Limits over real HTTP: several at once, changed while clients run, told in the CRM's words, and what was seen of it all.

use serde_json::{Value, json};

use crate::common::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn several_limits_are_kept_told_and_counted() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    let limits = json!({ "tenant": "a", "limits": [
        { "requests": 2, "per_ms": 60_000, "headers": "x_ratelimit" },
        { "requests": 50, "kind": "daily", "headers": "salesforce" },
    ] });
    let set = sandbox.tell("POST", "/behaviour", limits).await;
    assert_eq!(
        (&set["limit"]["requests"], &set["limits"][1]["per_ms"]),
        (&json!(2), &json!(86_400_000))
    );
    let client = sandbox.client("key-a").build().unwrap();
    let get = || client.get(sandbox.tls("/api/v1/leads")).send();
    for left in ["1", "0"] {
        let answer = get().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-ratelimit-remaining"]),
            (200, &left.parse().unwrap())
        );
    }
    let refused = get().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["sforce-limit-info"], "api-usage=2/50");
    assert_eq!(refused.headers()["retry-after"], "60");

    let seen = sandbox.ask("/limits?tenant=a&window_ms=60000").await;
    let numbers = ["arrivals", "refused", "answers_429", "most"].map(|name| seen[name].as_u64().unwrap());
    assert_eq!(numbers, [3, 1, 1, 3]);
    let requests = sandbox.ask("/requests?tenant=a").await;
    let times = ["at", "answered_at"].map(|name| requests[2][name].as_str().unwrap().to_owned());
    let told = seen["first_429_at"].as_str().unwrap();
    assert!(
        times[0].as_str() <= told && told <= times[1].as_str(),
        "{times:?} {told}"
    );

    // Raised: what was used stays used, so that is one more.
    let raised = json!({ "tenant": "a", "limits": [{ "requests": 3, "per_ms": 60_000 }] });
    sandbox.tell("POST", "/behaviour", raised).await;
    sandbox.tell("DELETE", "/limits?tenant=a", Value::Null).await;
    assert_eq!(get().await.unwrap().status(), 200);
    assert_eq!(get().await.unwrap().status(), 429);
    let seen = sandbox.ask("/limits?tenant=a").await;
    assert_eq!((&seen["arrivals"], &seen["answers_429"]), (&json!(2), &json!(1)));
    assert_eq!((&seen["most"], &seen["limits"][0]["used"]), (&Value::Null, &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn planned_refusals_are_counted_as_answers_and_salesforces_as_refusals() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    sandbox.tenant("s", json!({ "dialect": "salesforce" })).await;
    let plan = json!({ "tenant": "a", "faults": [{ "kind": "status", "status": 429 }] });
    sandbox.tell("POST", "/faults", plan).await;
    let none = json!({ "tenant": "s", "limits": [{ "requests": 0, "kind": "daily" }] });
    sandbox.tell("POST", "/behaviour", none).await;
    for (tenant, path, status, refused) in [
        ("a", "/api/v1/leads", 429, 0),
        ("s", "/services/data/v62.0/limits", 403, 1),
    ] {
        let client = sandbox.client(&format!("key-{tenant}")).build().unwrap();
        let answer = client.get(sandbox.tls(path)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let seen = sandbox.ask(&format!("/limits?tenant={tenant}")).await;
        assert_eq!((&seen["answers_429"], &seen["refused"]), (&json!(1), &json!(refused)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_make_no_sense_are_refused() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    for (method, path, body) in [
        (
            "POST",
            "/behaviour",
            json!({ "tenant": "a", "limits": [{ "requests": 1 }] }),
        ),
        (
            "POST",
            "/behaviour",
            json!({ "tenant": "a", "limit": null, "limits": [] }),
        ),
        ("GET", "/limits", Value::Null),
        ("GET", "/limits?tenant=a&window_ms=x", Value::Null),
        ("DELETE", "/limits", Value::Null),
    ] {
        let answer = sandbox.control(method, path, body.clone()).await;
        assert_eq!(answer.status().as_u16(), 400, "{method} {path} {body}");
    }
}

//! The control API over real HTTP: rows word for word, limits, every fault, the log.

use std::time::{Duration, Instant};

use crate::common::{Sandbox, json_of};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn plan(sandbox: &Sandbox, fault: Value) {
    let faults = json!({ "tenant": "a", "faults": [fault] });
    sandbox.tell("POST", "/faults", faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_served_as_they_were_given() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({ "paging": "none" })).await;
    let raw = r#"{"id":"x/\"1", "big":123456789012345678901234567890,"f":0.10, "a":1,"a":2}"#;
    let told = sandbox
        .tell(
            "POST",
            "/rows",
            json!({
                "tenant": "a", "object": "deals",
                "rows": [{ "b": 1, "a": { "z": [] }, "updated_at": null }, { "id": 9 }],
                "raw": [raw],
                "raw_base64": [BASE64_STANDARD.encode(b"{\"id\":8,\"name\":\"\xff\"}")],
            }),
        )
        .await;
    assert_eq!(told["ids"], json!([1, 9, "x/\"1", 8]));
    let client = sandbox.client("key-a").build().unwrap();
    let get = async |path: &str| {
        let answer = client.get(sandbox.tls(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap()
    };
    assert_eq!(get("/api/v1/deals/x%2F%221").await, raw.as_bytes());
    assert_eq!(get("/api/v1/deals/8").await, &b"{\"id\":8,\"name\":\"\xff\"}"[..]);
    assert_eq!(
        get("/api/v1/deals/1").await,
        &br#"{"id":1,"b":1,"a":{"z":[]},"updated_at":null}"#[..]
    );
    let list = get("/api/v1/deals").await;
    assert!(list.windows(raw.len()).any(|window| window == raw.as_bytes()));

    let gone = json!({ "tenant": "a", "object": "deals", "ids": [9, "9", "x/\"1"] });
    assert_eq!(sandbox.tell("DELETE", "/rows", gone).await["deleted"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wire_takes_its_round_trips() {
    const MS: u64 = 60;
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    let to: u64 = sandbox.plain("").rsplit(':').next().unwrap().parse().unwrap();
    let far = sandbox.tell("POST", "/rtt", json!({ "to": to, "ms": MS })).await["port"].clone();
    let client = sandbox.client("key-a").build().unwrap();
    // The first one waits for the handshake, too.
    for round_trips in [2, 1] {
        let start = Instant::now();
        let answer = client
            .get(format!("http://127.0.0.1:{far}/api/v1/leads"))
            .send()
            .await
            .unwrap();
        assert_eq!(json_of(answer).await["data"], json!([]));
        assert!(
            start.elapsed() >= Duration::from_millis(round_trips * MS),
            "{round_trips}: {:?}",
            start.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn touched_rows_are_the_changed_ones() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({ "paging": "none" })).await;
    sandbox.seed("a", 200).await;
    let before = sandbox.ask("/rows?tenant=a&object=leads").await;
    let touch = json!({ "tenant": "a", "object": "leads", "count": 70 });
    let ids = sandbox.tell("POST", "/touch", touch).await["ids"].clone();
    assert_eq!(ids.as_array().unwrap().len(), 70);
    let client = sandbox.client("key-a").build().unwrap();
    let later = "/api/v1/leads?filter%5Bupdated_at_gt%5D=2026-01-01%2000%3A00%3A00";
    let changed = client.get(sandbox.tls(later)).send().await.unwrap();
    let changed = json_of(changed).await;
    let changed = changed["data"].as_array().unwrap();
    assert_eq!(json!(changed.iter().map(|row| &row["id"]).collect::<Vec<_>>()), ids);
    for (old, new) in before.as_array().unwrap().iter().zip(changed) {
        assert_ne!(old["phone"], new["phone"]);
        assert_eq!(old["name"], new["name"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_latency() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    let client = sandbox.client("key-a").build().unwrap();
    let get = || client.get(sandbox.tls("/api/v1/leads")).send();
    let behaviour = json!({ "tenant": "a", "latency_ms": 120,
        "limit": { "requests": 2, "per_ms": 60_000, "retry_after": "date" } });
    sandbox.tell("POST", "/behaviour", behaviour).await;
    let started = Instant::now();
    assert_eq!(get().await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(120));
    assert_eq!(get().await.unwrap().status(), 200);
    let refused = get().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().ends_with(" GMT"));

    let cleared = json!({ "tenant": "a", "latency_ms": null, "limit": null, "bytes_per_s": 100 });
    let now = sandbox.tell("POST", "/behaviour", cleared).await;
    assert_eq!((&now["latency_ms"], &now["limit"]), (&json!(0), &Value::Null));
    let started = Instant::now();
    let body = get().await.unwrap().bytes().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(body.len() as u64 * 10 * 9 / 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_cut_where_it_was_asked() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    sandbox.seed("a", 100).await;
    let count = async || {
        let rows = sandbox.ask("/rows?tenant=a&object=leads").await;
        rows.as_array().unwrap().len()
    };
    for http1 in [true, false] {
        let client = sandbox.client("key-a");
        let client = if http1 { client.http1_only() } else { client }.build().unwrap();
        let post = || {
            client
                .post(sandbox.tls("/api/v1/leads"))
                .json(&json!({ "name": "A" }))
                .send()
        };
        let before = count().await;
        for (fault, rows) in [
            (json!({ "kind": "cut_before_read" }), 0),
            (json!({ "kind": "cut_after_read" }), 0),
            (json!({ "kind": "cut_after_read", "process": true }), 1),
        ] {
            sandbox.tell("DELETE", "/requests", Value::Null).await;
            plan(&sandbox, fault.clone()).await;
            assert!(post().await.is_err(), "{fault}");
            assert_eq!(count().await, before + rows, "{fault}");
            let request = &sandbox.ask("/requests").await[0];
            assert_eq!(request["status"], Value::Null);
            let read = fault["kind"] != "cut_before_read";
            assert_eq!(request["body_base64"] != "", read, "{request}");
        }
        plan(&sandbox, json!({ "kind": "cut_mid_body" })).await;
        let mut cut = client.get(sandbox.tls("/api/v1/leads")).send().await.unwrap();
        let promised = cut.content_length().unwrap() as usize;
        let mut got = 0;
        while let Ok(Some(piece)) = cut.chunk().await {
            got += piece.len();
        }
        assert_eq!(got, promised / 2);
        assert_eq!(post().await.unwrap().status(), 201, "the fault is used up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_short_slow_late_huge_and_endless() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({ "paging": "none" })).await;
    sandbox.seed("a", 10).await;
    let client = sandbox.client("key-a").build().unwrap();
    let get = || client.get(sandbox.tls("/api/v1/leads")).send();
    let whole = get().await.unwrap().bytes().await.unwrap();

    plan(&sandbox, json!({ "kind": "truncated_json" })).await;
    let half = get().await.unwrap().bytes().await.unwrap();
    assert_eq!(half, whole.slice(..whole.len() / 2));

    for kind in ["slow_body", "stall"] {
        plan(&sandbox, json!({ "kind": kind, "ms": 1500 })).await;
        let started = Instant::now();
        let answer = get().await.unwrap();
        let headers_after = started.elapsed();
        assert_eq!(answer.bytes().await.unwrap(), whole);
        assert!(started.elapsed() >= Duration::from_millis(1400), "{kind}");
        assert_eq!(headers_after < Duration::from_millis(1200), kind == "slow_body");
    }

    for chunked in [false, true] {
        plan(
            &sandbox,
            json!({ "kind": "huge_body", "bytes": 1_000_000, "chunked": chunked }),
        )
        .await;
        let answer = get().await.unwrap();
        assert_eq!(answer.content_length(), (!chunked).then_some(1_000_000));
        let body = answer.bytes().await.unwrap();
        assert_eq!(body.len(), 1_000_000);
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["data"].is_array());
    }

    plan(&sandbox, json!({ "kind": "endless_body" })).await;
    let mut endless = get().await.unwrap();
    let mut got = 0;
    while got < 20_000_000 {
        got += endless.chunk().await.unwrap().expect("it must not end").len();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_replaced() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    let client = sandbox.client("key-a").build().unwrap();
    let get = || client.get(sandbox.tls("/api/v1/leads?page=1")).send();

    let fault = json!({ "kind": "status", "status": 503, "after": 1, "times": 2, "path_contains": "page=1",
        "method": "GET", "headers": { "Retry-After": 7 }, "body": "down" });
    plan(&sandbox, fault).await;
    assert_eq!(get().await.unwrap().status(), 200);
    for _ in 0..2 {
        let answer = get().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (503, &"7".parse().unwrap())
        );
        assert_eq!(answer.text().await.unwrap(), "down");
    }
    assert_eq!(get().await.unwrap().status(), 200);

    plan(
        &sandbox,
        json!({ "kind": "redirect", "location": "https://other.test/", "status": 307 }),
    )
    .await;
    let answer = get().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (307, &"https://other.test/".parse().unwrap())
    );

    plan(
        &sandbox,
        json!({ "kind": "canned", "status": 207, "body_base64": "AP8=" }),
    )
    .await;
    let answer = get().await.unwrap();
    assert_eq!(answer.status(), 207);
    assert!(!answer.headers().contains_key("content-type"));
    assert_eq!(answer.bytes().await.unwrap(), &b"\x00\xff"[..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_answers_go_out_byte_for_byte() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    let raw = b"HTTP/1.1 200 Whatever\r\nContent-Length: 5\r\nBad Header\r\n\r\nhi";
    plan(
        &sandbox,
        json!({ "kind": "canned", "raw_base64": BASE64_STANDARD.encode(raw) }),
    )
    .await;
    let port = sandbox.ports["plain_port"].as_u64().unwrap() as u16;
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket
        .write_all(b"GET /api/v1/leads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-a\r\n\r\n")
        .await
        .unwrap();
    let mut got = Vec::new();
    socket.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_is_strict_and_resets() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    for (method, path, body, status) in [
        ("GET", "/nonsense", Value::Null, 404),
        ("PUT", "/tenants", Value::Null, 405),
        ("POST", "/tenants", json!({ "id": "b" }), 400),
        ("POST", "/tenants", json!({ "id": "b", "key": "key-a" }), 400),
        (
            "POST",
            "/tenants",
            json!({ "id": "b", "key": "k", "pagign": "none" }),
            400,
        ),
        (
            "POST",
            "/seed",
            json!({ "tenant": "nobody", "object": "leads", "count": 1 }),
            404,
        ),
        (
            "POST",
            "/seed",
            json!({ "tenant": "a", "object": "lead", "count": 1 }),
            400,
        ),
        (
            "POST",
            "/faults",
            json!({ "tenant": "a", "faults": [{ "kind": "stall" }] }),
            400,
        ),
        ("GET", "/requests?since=x", Value::Null, 400),
        ("GET", "/rows?tenant=a", Value::Null, 400),
        ("DELETE", "/tenants/nobody", Value::Null, 404),
    ] {
        let answer = sandbox.control(method, path, body.clone()).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path} {body}");
        assert!(json_of(answer).await["message"].is_string());
    }
    // A new key, and the old one is no more.
    sandbox
        .tell("POST", "/tenants", json!({ "id": "a", "key": "other" }))
        .await;
    let url = sandbox.tls("/api/v1/leads");
    for (key, status) in [("key-a", 401), ("other", 200)] {
        let answer = sandbox.client(key).build().unwrap().get(&url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    let requests = sandbox.ask("/requests").await;
    assert_eq!(requests[0]["tenant"], Value::Null);
    assert_eq!(
        sandbox.ask(&format!("/requests?since={}", requests[0]["n"])).await[0],
        requests[1]
    );

    sandbox.tell("POST", "/reset", Value::Null).await;
    assert_eq!(sandbox.ask("/tenants").await, json!([]));
    assert_eq!(sandbox.ask("/requests").await, json!([]));
    let stats = sandbox.ask("/stats").await;
    assert_eq!((&stats["connections"], &stats["requests"]), (&json!(0), &json!(0)));
}

//! The CRM's API over real HTTP: connections, paging, writes and what is refused.

use crate::common::{Sandbox, json_of};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn ready_files_come_and_go_and_the_ca_stays() {
    let mut sandbox = Sandbox::start();
    let dir = sandbox.dir.clone();
    let pid: Value = serde_json::from_slice(&std::fs::read(dir.join("sandbox.pid")).unwrap()).unwrap();
    assert_eq!(pid, sandbox.ports["pid"]);
    assert_eq!(sandbox.ask("/health").await["ok"], true);
    let ca = std::fs::read(dir.join("ca.pem")).unwrap();

    assert!(sandbox.terminate().success());
    assert!(!dir.join("sandbox.pid").exists() && !dir.join("sandbox.json").exists());

    let again = Sandbox::start_in(dir.clone());
    assert_eq!(std::fs::read(dir.join("ca.pem")).unwrap(), ca);
    // The certificate still fits the CA.
    let url = again.tls("/api/v1/leads");
    let answer = again.client("x").build().unwrap().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_an_error_and_a_stale_ready_file_goes() {
    let sandbox = Sandbox::start();
    let dir = sandbox.dir.join("second");
    std::fs::create_dir(&dir).unwrap();
    let stale = dir.join("sandbox.json");
    std::fs::write(&stale, "{}").unwrap();
    let port = sandbox.ports["control_port"].to_string();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_sandbox-crm"))
        .args(["--dir", dir.to_str().unwrap(), "--plain-port", &port])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains(&port));
    assert!(!stale.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_for_many_pages_on_both_protocols() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({ "paging": "link" })).await;
    sandbox.seed("a", 250).await;
    for (http1, protocol) in [(true, "HTTP/1.1"), (false, "HTTP/2")] {
        sandbox.tell("DELETE", "/requests", Value::Null).await;
        let before = sandbox.ask("/stats").await["connections"].as_u64().unwrap();
        let client = sandbox.client("key-a").pool_max_idle_per_host(1);
        let client = if http1 { client.http1_only() } else { client }.build().unwrap();
        let mut next = Some(sandbox.tls("/api/v1/leads?per_page=60"));
        let mut ids = Vec::new();
        while let Some(url) = next {
            let page = json_of(client.get(url).send().await.unwrap()).await;
            ids.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["id"].as_u64().unwrap()),
            );
            next = page["links"]["next"].as_str().map(str::to_owned);
            // On a busy machine the client takes a moment until it has its connection back.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(ids, (1..=250).collect::<Vec<u64>>());
        let after = sandbox.ask("/stats").await["connections"].as_u64().unwrap();
        assert_eq!(after - before, 1);
        let requests = sandbox.ask("/requests?tenant=a").await;
        let requests = requests.as_array().unwrap();
        assert_eq!(requests.len(), 5);
        for request in requests {
            assert_eq!(request["protocol"], protocol);
            assert_eq!(request["connection"], requests[0]["connection"]);
            assert_eq!(request["headers"]["authorization"], "Bearer key-a");
            assert_eq!(request["status"], 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_lives_and_dies() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({ "paging": "page" })).await;
    sandbox.seed("a", 3).await;
    let client = sandbox.client("key-a").build().unwrap();
    let list = sandbox.tls("/api/v1/leads");

    let answer = client
        .post(&list)
        .json(&json!({ "name": "Zoë", "email": "zoe@example.test" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let row = json_of(answer).await;
    assert_eq!(
        (&row["id"], &row["name"], &row["status"]),
        (&json!(4), &json!("Zoë"), &json!("new"))
    );

    let one = sandbox.tls("/api/v1/leads/4");
    assert_eq!(json_of(client.get(&one).send().await.unwrap()).await, row);

    let answer = client.patch(&one).json(&json!({ "phone": "1" })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let patched = json_of(answer).await;
    assert_eq!((&patched["name"], &patched["phone"]), (&json!("Zoë"), &json!("1")));
    assert_ne!(patched["updated_at"], row["updated_at"]);

    let since = row["updated_at"].as_str().unwrap();
    let later = format!("{list}?filter%5Bupdated_at_gt%5D={since}");
    let changed = json_of(client.get(later).send().await.unwrap()).await;
    assert_eq!(changed["data"], json!([patched]));
    assert_eq!(changed["meta"]["total"], 1);

    let put = json_of(client.put(&one).json(&json!({ "name": "New" })).send().await.unwrap()).await;
    assert_eq!(
        (&put["name"], &put["phone"], &put["created_at"]),
        (&json!("New"), &Value::Null, &row["created_at"])
    );

    let answer = client.delete(&one).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert!(answer.bytes().await.unwrap().is_empty());
    for again in [
        client.delete(&one),
        client.get(&one),
        client.patch(&one).json(&json!({})),
    ] {
        assert_eq!(again.send().await.unwrap().status(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_makes_one_row() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({})).await;
    let client = sandbox.client("key-a").build().unwrap();
    let post = |key: &str, name: &str| {
        client
            .post(sandbox.tls("/api/v1/leads"))
            .header("Idempotency-Key", key)
            .json(&json!({ "name": name }))
            .send()
    };
    let (first, second) = tokio::join!(post("k1", "A"), post("k1", "A"));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (201, 201));
    assert_eq!(json_of(first).await, json_of(second).await);
    assert_eq!(post("k1", "B").await.unwrap().status(), 422);
    assert_eq!(post("k2", "A").await.unwrap().status(), 201);
    let rows = sandbox.ask("/rows?tenant=a&object=leads").await;
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_and_said() {
    let sandbox = Sandbox::start();
    sandbox.tenant("a", json!({ "strict": true })).await;
    sandbox.seed("a", 1).await;
    let client = sandbox.client("key-a").build().unwrap();
    let json = "application/json";
    for (method, path, kind, body, status) in [
        ("GET", "/", "", "", 404),
        ("GET", "/api/v1/", "", "", 404),
        ("GET", "/api/v1/leads/", "", "", 404),
        ("GET", "/api/v1/leads/1/notes", "", "", 404),
        ("GET", "/api/v1/nonsense", "", "", 404),
        ("GET", "/api/v1/leads/2", "", "", 404),
        ("GET", "/api/v1/leads/%FF", "", "", 404),
        ("DELETE", "/api/v1/leads", "", "", 405),
        ("POST", "/api/v1/leads/1", json, "{}", 405),
        ("OPTIONS", "/api/v1/leads", "", "", 405),
        ("GET", "/api/v1/leads?limit=5", "", "", 400),
        ("GET", "/api/v1/leads?page=1&page=2", "", "", 400),
        ("GET", "/api/v1/leads/1?page=1", "", "", 400),
        ("GET", "/api/v1/leads?page=0", "", "", 422),
        ("GET", "/api/v1/leads?filter[updated_at_gt]=yesterday", "", "", 422),
        ("POST", "/api/v1/leads", "text/plain", "{\"name\":\"a\"}", 415),
        ("PATCH", "/api/v1/leads/1", "", "{}", 415),
        ("POST", "/api/v1/leads", json, "{\"name\":", 400),
        ("POST", "/api/v1/leads", json, "", 400),
        ("POST", "/api/v1/leads", json, "[1]", 422),
        ("POST", "/api/v1/leads", json, "[]", 422),
        ("POST", "/api/v1/leads", json, "{\"name\":\"a\",\"email\":\"b\"}", 422),
        (
            "POST",
            "/api/v1/leads",
            json,
            "{\"name\":\"a\",\"colour\":\"red\"}",
            422,
        ),
        ("PATCH", "/api/v1/leads/1", json, "{\"name\":\"\"}", 422),
    ] {
        let mut request = client.request(method.parse().unwrap(), sandbox.tls(path)).body(body);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path} {body}");
        let told = json_of(answer).await;
        assert!(told["message"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
        assert_eq!(told["errors"].is_object(), status == 422, "{told}");
    }
    let url = sandbox.tls("/api/v1/leads");
    let html = client.get(&url).header("accept", "text/html").send().await.unwrap();
    assert_eq!(html.status(), 406);
    let other = sandbox.client("key-A").build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(other.status(), 401);
    let rows = sandbox.ask("/rows?tenant=a&object=leads").await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_see_their_own_rows_in_their_own_way() {
    let sandbox = Sandbox::start();
    sandbox
        .tenant(
            "Acme",
            json!({ "ids": "mixed_case", "timestamps": "epoch_ms", "paging": "none" }),
        )
        .await;
    sandbox
        .tenant(
            "acme",
            json!({ "ids": "uuid", "timestamps": "naive", "paging": "cursor", "order": "updated_at,id" }),
        )
        .await;
    sandbox.seed("Acme", 2).await;
    sandbox.seed("acme", 2).await;
    let get = async |key: &str, path: &str| {
        let client = sandbox.client(key).build().unwrap();
        json_of(client.get(sandbox.plain(path)).send().await.unwrap()).await
    };
    let upper = get("key-Acme", "/api/v1/leads").await;
    let (one, two) = (
        upper["data"][0]["id"].as_str().unwrap(),
        upper["data"][1]["id"].as_str().unwrap(),
    );
    assert!(one != two && one.eq_ignore_ascii_case(two));
    assert_eq!(get("key-Acme", &format!("/api/v1/leads/{two}")).await, upper["data"][1]);
    assert!(upper["data"][0]["updated_at"].is_u64());
    assert_eq!(upper.as_object().unwrap().len(), 1);

    let lower = get("key-acme", "/api/v1/leads?per_page=1").await;
    assert_eq!(lower["data"][0]["updated_at"].as_str().unwrap().len(), 19);
    assert_eq!(lower["data"][0]["id"].as_str().unwrap().len(), 36);
    let cursor = lower["meta"]["next_cursor"].as_str().unwrap();
    let last = get("key-acme", &format!("/api/v1/leads?per_page=1&cursor={cursor}")).await;
    assert_eq!(last["meta"]["next_cursor"], Value::Null);
    assert!(last["data"][0]["updated_at"].as_str() >= lower["data"][0]["updated_at"].as_str());
}

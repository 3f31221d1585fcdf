//! What all dialects share, over real HTTP: refusals in the CRM's own form, and the control API's reach.

use serde_json::{Value, json};

use crate::common::{Sandbox, json_of};

const QUERY: &str = "/services/data/v62.0/query?q=SELECT+Id,LastName+FROM+Lead+ORDER+BY+SystemModstamp,Id";

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_in_the_form_of_the_crm_they_meant() {
    let sandbox = Sandbox::start();
    sandbox.tenant("zoho", json!({ "dialect": "zoho" })).await;
    let client = sandbox.anonymous();
    let get = async |path: &str| client.get(sandbox.tls(path)).send().await.unwrap();
    let hubspot = get("/crm/objects/2026-09/contacts").await;
    assert_eq!(hubspot.status(), 401);
    assert_eq!(json_of(hubspot).await["category"], "INVALID_AUTHENTICATION");
    let salesforce = get(QUERY).await;
    assert_eq!(salesforce.status(), 401);
    assert_eq!(json_of(salesforce).await[0]["errorCode"], "INVALID_SESSION_ID");
    let dynamics = get("/api/data/v9.2/leads").await;
    assert_eq!(dynamics.status(), 401);
    assert!(
        dynamics.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    // A good key that comes in another CRM's way is none.
    let key = sandbox.client("key-zoho").build().unwrap();
    let answer = key
        .get(sandbox.tls("/crm/v8/Contacts?fields=Email"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let rest = get("/api/v1/leads").await;
    assert_eq!(json_of(rest).await["error"], "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_each_crms_own() {
    let sandbox = Sandbox::start();
    let limit = async |tenant: &str, dialect: &str, path: &str| {
        sandbox.tenant(tenant, json!({ "dialect": dialect })).await;
        let limit = json!({ "tenant": tenant, "limit": { "requests": 0, "per_ms": 10_000 } });
        sandbox.tell("POST", "/behaviour", limit).await;
        let client = sandbox.client(&format!("key-{tenant}")).build().unwrap();
        client.get(sandbox.tls(path)).send().await.unwrap()
    };
    let hubspot = limit("h", "hubspot", "/crm/v3/objects/contacts").await;
    assert_eq!(
        (hubspot.status().as_u16(), hubspot.headers().get("retry-after")),
        (429, None)
    );
    assert_eq!(json_of(hubspot).await["policyName"], "TEN_SECONDLY_ROLLING");
    let salesforce = limit("s", "salesforce", QUERY).await;
    assert_eq!(salesforce.status(), 403);
    assert_eq!(json_of(salesforce).await[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
    let dynamics = limit("d", "dynamics", "/api/data/v9.2/leads").await;
    assert_eq!(dynamics.status(), 429);
    assert!(dynamics.headers().contains_key("retry-after"));
    assert_eq!(json_of(dynamics).await["error"]["code"], "0x80072322");
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_touches_and_removals_reach_a_dialect() {
    let sandbox = Sandbox::start();
    sandbox.tenant("s", json!({ "dialect": "salesforce" })).await;
    sandbox.seed("s", 3).await;
    let client = sandbox.client("key-s").build().unwrap();
    let get = async |path: &str| json_of(client.get(sandbox.plain(path)).send().await.unwrap()).await;
    let all = get(QUERY).await;
    assert_eq!(all["totalSize"], 3);
    let first = all["records"][0]["Id"].as_str().unwrap().to_owned();
    assert_eq!(first.len(), 18);
    let rows = sandbox.ask("/rows?tenant=s&object=leads").await;
    assert!(rows.as_array().unwrap().iter().any(|row| row["id"] == first));
    // As precise as they are served.
    assert!(rows[0]["updated_at"].as_str().unwrap().ends_with("Z") && !rows[0]["updated_at"].to_string().contains('.'));

    let touch = json!({ "tenant": "s", "object": "leads", "count": 1 });
    let touched = sandbox.tell("POST", "/touch", touch).await["ids"][0].clone();
    let since = "SELECT+Id+FROM+Lead+WHERE+SystemModstamp+%3E+2026-01-01T00:00:00Z";
    let changed = get(&format!("/services/data/v62.0/query?q={since}")).await;
    assert_eq!(
        (&changed["totalSize"], &changed["records"][0]["Id"]),
        (&json!(1), &touched)
    );

    let gone = json!({ "tenant": "s", "object": "leads", "ids": [first] });
    sandbox.tell("DELETE", "/rows", gone).await;
    let deleted = get("/services/data/v62.0/queryAll?q=SELECT+Id+FROM+Lead+WHERE+IsDeleted+=+true").await;
    assert_eq!(deleted["records"][0]["Id"], first);
    let fault = json!({ "tenant": "s", "faults": [{ "kind": "status", "status": 502, "path_contains": "queryAll" }] });
    sandbox.tell("POST", "/faults", fault).await;
    let answer = client
        .get(sandbox.plain("/services/data/v62.0/queryAll?q=x"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(sandbox.ask("/requests?tenant=s").await.as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_config_is_checked() {
    let sandbox = Sandbox::start();
    for config in [
        json!({ "dialect": "sugar" }),
        json!({ "dialect": "hubspot", "options": { "nonsense": 1 } }),
        json!({ "options": { "portal_id": 1 } }),
        json!({ "oauth": { "client_id": "a" } }),
        json!({ "oauth": { "client_id": "a", "client_secret": "b", "rotation": "often" } }),
    ] {
        let mut config = config;
        config["id"] = "t".into();
        config["key"] = "k".into();
        assert_eq!(
            sandbox.control("POST", "/tenants", config.clone()).await.status(),
            400,
            "{config}"
        );
    }
    let fine = json!({ "dialect": "hubspot", "options": { "portal_id": 1 }, "custom_fields": ["colour"] });
    sandbox.tenant("t", fine).await;
    assert_eq!(sandbox.ask("/tenants").await[0]["dialect"], "hubspot");
    assert_eq!(sandbox.control("GET", "/oauth", Value::Null).await.status(), 400);
    assert_eq!(
        sandbox.control("GET", "/oauth?tenant=x", Value::Null).await.status(),
        404
    );
}

//! The OAuth endpoints over real HTTP: the forms they take, what they give, and what an access token is good for.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::Response;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::common::{Sandbox, json_of};

const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A tenant with an OAuth client `app` / `s+cret` and the refresh token `r/0`.
async fn tenant(sandbox: &Sandbox, name: &str, dialect: &str, more: Value) {
    let mut oauth = json!({ "client_id": "app", "client_secret": "s+cret", "refresh_token": "r/0", "code": "c&1" });
    oauth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sandbox
        .tenant(name, json!({ "dialect": dialect, "oauth": oauth }))
        .await;
}

async fn form(sandbox: &Sandbox, path: &str, fields: &[(&str, &str)]) -> Response {
    let client = sandbox.anonymous();
    let mut body = String::new();
    for (name, value) in fields {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        body.push_str(&format!("{}={}&", encode(name), encode(value)));
    }
    client
        .post(sandbox.tls(path))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap()
}

fn refresh<'a>(token: &'a str, secret: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("client_secret", secret),
        ("refresh_token", token),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_the_api_until_it_is_expired() {
    let sandbox = Sandbox::start();
    tenant(&sandbox, "a", "hubspot", json!({})).await;
    sandbox.seed("a", 3).await;
    let answer = form(&sandbox, "/oauth/v3/token", &refresh("r/0", "s+cret")).await;
    assert_eq!(answer.status(), 200);
    let told = json_of(answer).await;
    assert_eq!(
        (&told["token_type"], &told["expires_in"], &told["refresh_token"]),
        (&json!("bearer"), &json!(1800), &json!("r/0"))
    );
    let token = told["access_token"].as_str().unwrap();
    let get = async || {
        let client = sandbox.client(token).build().unwrap();
        client
            .get(sandbox.tls("/crm/v3/objects/contacts?limit=1"))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(get().await.status(), 200);
    let seen = sandbox.ask("/oauth?tenant=a").await;
    assert_eq!(
        seen,
        json!({ "refreshes": 1, "issued": 1, "refused": 0, "refresh_token": "r/0", "access_tokens": 1 })
    );

    let ended = sandbox.tell("POST", "/oauth/expire", json!({ "tenant": "a" })).await;
    assert_eq!(ended, json!({ "expired": 1 }));
    let expired = get().await;
    assert_eq!(expired.status(), 401);
    assert_eq!(json_of(expired).await["category"], "EXPIRED_AUTHENTICATION");
    assert_eq!(sandbox.ask("/oauth?tenant=a").await["access_tokens"], 0);
    // The key that the tenant was made with is no access token.
    let client = sandbox.client("key-a").build().unwrap();
    let url = sandbox.tls("/crm/v3/objects/contacts");
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lives_as_long_as_it_says() {
    let sandbox = Sandbox::start();
    tenant(&sandbox, "a", "rest", json!({ "access_ttl_s": 1 })).await;
    let told = json_of(form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await).await;
    assert_eq!(told["expires_in"], 1);
    let client = sandbox.client(told["access_token"].as_str().unwrap()).build().unwrap();
    let url = sandbox.tls("/api/v1/leads");
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let expired = client.get(&url).send().await.unwrap();
    assert_eq!(expired.status(), 401);
    assert_eq!(expired.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_use_token_that_is_used_twice_is_refused_and_counted() {
    let sandbox = Sandbox::start();
    tenant(&sandbox, "a", "rest", json!({ "rotation": "single_use" })).await;
    let first = json_of(form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await).await;
    let again = form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await;
    assert_eq!(again.status(), 400);
    assert_eq!(json_of(again).await["error"], "invalid_grant");
    let next = first["refresh_token"].as_str().unwrap();
    assert_eq!(
        form(&sandbox, "/oauth/token", &refresh(next, "s+cret")).await.status(),
        200
    );
    let seen = sandbox.ask("/oauth?tenant=a").await;
    assert_eq!((&seen["refreshes"], &seen["refused"]), (&json!(2), &json!(1)));
    assert_ne!(seen["refresh_token"], "r/0");
}

#[tokio::test(flavor = "multi_thread")]
async fn grace_answers_a_lost_answer_again() {
    let sandbox = Sandbox::start();
    tenant(
        &sandbox,
        "a",
        "rest",
        json!({ "rotation": "grace", "grace_ms": 60_000 }),
    )
    .await;
    let first = json_of(form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await).await;
    let again = json_of(form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await).await;
    assert_eq!(first, again);
    assert_eq!(sandbox.ask("/oauth?tenant=a").await["access_tokens"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_app_for_many_tenants() {
    let sandbox = Sandbox::start();
    tenant(&sandbox, "a", "hubspot", json!({})).await;
    tenant(
        &sandbox,
        "b",
        "hubspot",
        json!({ "refresh_token": "r/b", "code": "c-b" }),
    )
    .await;
    let path = "/oauth/2026-09/token";
    assert_eq!(form(&sandbox, path, &refresh("r/b", "s+cret")).await.status(), 200);
    let code = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("client_secret", "s+cret"),
        ("code", "c-b"),
    ];
    assert_eq!(json_of(form(&sandbox, path, &code).await).await["refresh_token"], "r/b");
    assert_eq!(form(&sandbox, path, &code).await.status(), 400);
    assert_eq!(sandbox.ask("/oauth?tenant=b").await["issued"], 2);
    assert_eq!(sandbox.ask("/oauth?tenant=a").await["issued"], 0);
    assert_eq!(sandbox.ask("/oauth?tenant=b").await["refused"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_crm_takes_its_own_form_only() {
    let sandbox = Sandbox::start();
    for dialect in ["hubspot", "salesforce", "pipedrive", "zoho", "dynamics", "suitecrm"] {
        tenant(&sandbox, dialect, dialect, json!({})).await;
    }
    let good = refresh("r/0", "s+cret");
    let client = sandbox.anonymous();

    let salesforce = json_of(form(&sandbox, "/services/oauth2/token", &good).await).await;
    assert_eq!(salesforce["instance_url"], sandbox.tls(""));
    assert!(salesforce.get("expires_in").is_none() && salesforce.get("refresh_token").is_none());

    // Pipedrive knows its client by Basic.
    let body = form(&sandbox, "/oauth/token", &good).await;
    assert_eq!(body.status(), 401);
    assert_eq!(json_of(body).await["error"], "invalid_client");
    let basic = BASE64_STANDARD.encode("app:s%2Bcret");
    let pipedrive = client
        .post(sandbox.tls("/oauth/token"))
        .header("authorization", format!("Basic {basic}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=refresh_token&refresh_token=r/0");
    let pipedrive = json_of(pipedrive.send().await.unwrap()).await;
    assert_eq!(pipedrive["api_domain"], sandbox.tls(""));

    // Zoho takes the query, and refuses with 200.
    let query = "grant_type=refresh_token&client_id=app&client_secret=s%2Bcret&refresh_token=";
    let zoho = async |token: &str| {
        let url = sandbox.tls(&format!("/oauth/v2/token?{query}{token}"));
        let answer = client.post(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        json_of(answer).await
    };
    assert_eq!(zoho("r/0").await["api_domain"], sandbox.tls(""));
    assert_eq!(zoho("r/1").await, json!({ "error": "invalid_code" }));
    let in_body = json_of(form(&sandbox, "/oauth/v2/token", &good).await).await;
    assert_eq!(in_body["error"], "invalid_request");

    // Dynamics wants a scope for client_credentials, and gives no refresh token.
    let with = |scope: &'static str| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "s+cret"),
            ("scope", scope),
        ]
    };
    let path = "/contoso.test/oauth2/v2.0/token";
    let dynamics = json_of(form(&sandbox, path, &with("https://x.test/.default")).await).await;
    assert!(dynamics["access_token"].is_string() && dynamics.get("refresh_token").is_none());
    for (scope, error) in [("https://x.test/", "invalid_scope"), ("", "invalid_request")] {
        let refused = form(&sandbox, path, &with(scope)).await;
        assert_eq!(refused.status(), 400);
        assert_eq!(json_of(refused).await["error"], error);
    }

    // SuiteCRM takes JSON too; the others do not.
    let json = json!({ "grant_type": "client_credentials", "client_id": "app", "client_secret": "s+cret" });
    for (path, status) in [
        ("/Api/access_token", 200),
        ("/legacy/Api/access_token", 200),
        ("/services/oauth2/token", 401),
        ("/oauth/v3/token", 415),
    ] {
        let answer = client.post(sandbox.tls(path)).json(&json).send().await.unwrap();
        // A client whose id is in a body that is not read is nobody's.
        let expected = if status == 401 { 400 } else { status };
        assert_eq!(answer.status().as_u16(), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_oauths_words() {
    let sandbox = Sandbox::start();
    tenant(
        &sandbox,
        "a",
        "hubspot",
        json!({ "redirect_uri": "https://portal.test/" }),
    )
    .await;
    let path = "/oauth/2026-09/token";
    for (fields, status, error) in [
        (&refresh("r/1", "s+cret")[..], 400, "invalid_grant"),
        (&refresh("r/0", "s cret"), 401, "invalid_client"),
        (&refresh("", "s+cret"), 400, "invalid_request"),
        (&refresh("r/0", "s+cret")[..1], 401, "invalid_client"),
        (&[], 400, "invalid_request"),
        (
            &[
                ("grant_type", "client_credentials"),
                ("client_id", "app"),
                ("client_secret", "s+cret"),
            ],
            400,
            "unsupported_grant_type",
        ),
        (
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "app"),
                ("client_secret", "s+cret"),
                ("code", "c&1"),
            ],
            400,
            "invalid_grant",
        ),
    ] {
        let answer = form(&sandbox, path, fields).await;
        assert_eq!(answer.status().as_u16(), status, "{fields:?}");
        assert_eq!(json_of(answer).await["error"], error, "{fields:?}");
    }
    let get = sandbox.anonymous().get(sandbox.tls(path)).send().await.unwrap();
    assert_eq!(get.status(), 405);
    // The endpoint of another CRM does not know this client.
    let other = form(&sandbox, "/services/oauth2/token", &refresh("r/0", "s+cret")).await;
    assert_eq!(json_of(other).await["error"], "invalid_client");
    assert_eq!(sandbox.ask("/oauth?tenant=a").await["access_tokens"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_meet_token_requests_and_limits_do_not() {
    let sandbox = Sandbox::start();
    tenant(&sandbox, "a", "rest", json!({ "rotation": "single_use" })).await;
    let limit = json!({ "tenant": "a", "limit": { "requests": 0, "per_ms": 60_000 } });
    sandbox.tell("POST", "/behaviour", limit).await;
    let fault = json!({ "kind": "status", "status": 503, "path_contains": "/oauth/token", "process": true });
    sandbox
        .tell("POST", "/faults", json!({ "tenant": "a", "faults": [fault] }))
        .await;
    assert_eq!(
        form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await.status(),
        503
    );
    // It had its effect: the answer with the next refresh token is lost.
    assert_eq!(
        form(&sandbox, "/oauth/token", &refresh("r/0", "s+cret")).await.status(),
        400
    );
    let seen = sandbox.ask("/requests?tenant=a").await;
    assert_eq!(seen.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_is_verified() {
    let sandbox = Sandbox::start();
    let pem = include_str!("jwt_public_key.pem");
    let oauth = json!({ "public_key_pem": pem, "subject": "sync@acme.test" });
    tenant(&sandbox, "a", "salesforce", oauth).await;
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let ask = async |assertion: &str| {
        let fields = [("grant_type", JWT), ("assertion", assertion)];
        let answer = form(&sandbox, "/services/oauth2/token", &fields).await;
        (answer.status().as_u16(), json_of(answer).await)
    };
    let claims =
        json!({ "iss": "app", "sub": "sync@acme.test", "aud": "https://login.salesforce.com", "exp": now + 120 });
    let good = assertion("RS256", &claims);
    let (status, told) = ask(&good).await;
    assert_eq!(status, 200, "{told}");
    assert!(told.get("refresh_token").is_none());
    for (claim, value) in [
        ("sub", json!("other@acme.test")),
        ("aud", json!("https://login.example.test")),
        ("exp", json!(now - 1)),
        ("exp", json!(now + 3600)),
        ("exp", json!(null)),
    ] {
        let mut claims = claims.clone();
        claims[claim] = value;
        let (status, told) = ask(&assertion("RS256", &claims)).await;
        let error = if claims["exp"].is_null() {
            "invalid_client"
        } else {
            "invalid_grant"
        };
        assert_eq!((status >= 400, &told["error"]), (true, &json!(error)), "{claims}");
    }
    assert_eq!(ask(&assertion("none", &claims)).await.0, 400);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = assertion("RS256", &json!({ "iss": "app" }));
    let stolen = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    assert_eq!(ask(&stolen).await.1["error"], "invalid_grant");
}

/// Signed with the key that belongs to `jwt_public_key.pem`; both are used nowhere else.
fn assertion(alg: &str, claims: &Value) -> String {
    let der = BASE64_STANDARD
        .decode(include_str!("jwt_private_key.base64").replace('\n', ""))
        .unwrap();
    let key = RsaKeyPair::from_pkcs8(&der).unwrap();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "alg": alg, "typ": "JWT" }).to_string();
    let signed = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", encode(&signature))
}

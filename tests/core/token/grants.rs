//! What is sent for each grant, byte by byte, and what a person's consent needs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Url;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use tenant_crm_sync::auth::oauth2::Oauth2;
use tenant_crm_sync::auth::token::{Clock, Code, Connection, exchange};
use tenant_crm_sync::auth::{LocalTokens, authorize_url};
use tenant_crm_sync::error::{Kind, Result};
use tenant_crm_sync::net::send::Call;
use tenant_crm_sync::template::Values;

use super::process::Process;
use super::world::{World, config, oauth, reply, values};

struct Still;

impl Clock for Still {
    fn unix(&self) -> f64 {
        1_000_000.0
    }
    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
    fn sleep(&mut self, _: std::time::Duration) -> Result<()> {
        Ok(())
    }
}

/// The request that a grant without a refresh token sends.
fn sent(oauth: &Oauth2, values: &Values) -> Call {
    let seen = RefCell::new(None);
    let connection = Connection {
        tenant: "acme",
        oauth,
        values,
        config: &config(),
        lane: None,
    };
    let tokens = RefCell::new(LocalTokens::default());
    LocalTokens::renew(&tokens, "", &connection, &Still, &mut |call| {
        seen.replace(Some(call));
        Ok(reply(200, r#"{"access_token":"t"}"#))
    })
    .unwrap();
    seen.take().unwrap()
}

fn body(call: &Call) -> String {
    String::from_utf8(call.body.clone().unwrap().to_vec()).unwrap()
}

fn header(call: &Call, name: &str) -> String {
    call.headers
        .get(name)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

#[test]
fn client_and_parameters_go_where_the_connector_says() {
    let odd = values(&[("client_id", "a b&c"), ("client_secret", "x:y/ä")]);
    let with = |changes: &str| {
        let mut json: serde_json::Value = serde_json::from_str(changes).unwrap();
        json["grant"] = "client_credentials".into();
        sent(&oauth(&json.to_string()), &odd)
    };
    let call = with(r#"{"parameters": {"scope": "https://{host}/.default", "resource": "{nothing}"}}"#);
    assert_eq!(call.method, "POST");
    assert_eq!(header(&call, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        body(&call),
        "client_id=a%20b%26c&client_secret=x%3Ay%2F%C3%A4&grant_type=client_credentials&scope=https%3A%2F%2Flogin.example%2F.default"
    );
    let call = with(r#"{"client": "basic"}"#);
    assert_eq!(body(&call), "grant_type=client_credentials");
    assert_eq!(
        header(&call, "authorization"),
        format!("Basic {}", STANDARD.encode("a%20b%26c:x%3Ay%2F%C3%A4"))
    );
    assert!(call.headers["authorization"].is_sensitive());
    let call = with(r#"{"encoding": "json"}"#);
    assert_eq!(header(&call, "content-type"), "application/json");
    let json: BTreeMap<String, String> = serde_json::from_str(&body(&call)).unwrap();
    assert_eq!(
        (json["client_id"].as_str(), json["client_secret"].as_str()),
        ("a b&c", "x:y/ä")
    );
    let call = with(r#"{"encoding": "query", "client": "query", "token_url": "https://{host}/t?fixed=1"}"#);
    assert_eq!(body(&call), "");
    assert_eq!(
        call.url.as_str(),
        "https://login.example/t?fixed=1&client_id=a%20b%26c&client_secret=x%3Ay%2F%C3%A4&grant_type=client_credentials"
    );
    assert!(!call.operation().contains("client_id"), "{}", call.operation());
}

/// A key that nobody else has, in both of PEM's forms, and its public half.
fn keys() -> (String, String, Vec<u8>) {
    let openssl = |arguments: &[&str], input: &[u8]| {
        use std::io::Write;
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let modern = openssl(
        &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        b"",
    );
    let old = openssl(&["rsa", "-traditional"], &modern);
    let public = openssl(&["rsa", "-RSAPublicKey_out", "-outform", "DER"], &modern);
    (
        String::from_utf8(modern).unwrap(),
        String::from_utf8(old).unwrap(),
        public,
    )
}

#[test]
fn a_statement_is_signed_as_rfc_7523_says() {
    let jwt = oauth(
        r#"{"grant": {"jwt_bearer": {"algorithm": "RS256", "claims": {"iss": "{client_id}", "sub": "{username}", "aud": "https://{host}", "exp": "{expires}", "jti": "{nonce}"}}}, "client": "none"}"#,
    );
    let (modern, old, public) = keys();
    assert!(old.contains("BEGIN RSA PRIVATE KEY"));
    for pem in [
        modern.clone(),
        old,
        modern.replace('\n', "\\n"),
        format!("Bag Attributes\n{modern}"),
    ] {
        let values = values(&[("private_key", &pem), ("username", "me@acme.example")]);
        let call = sent(&jwt, &values);
        let body = body(&call);
        assert!(
            body.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"),
            "{body}"
        );
        assert!(!body.contains("client_secret"));
        let statement = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("assertion="))
            .unwrap();
        let (signed, signature) = statement.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        key.verify(signed.as_bytes(), &signature).unwrap();
        let part = |position: usize| -> serde_json::Value {
            let text = URL_SAFE_NO_PAD
                .decode(signed.split('.').nth(position).unwrap())
                .unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        assert_eq!(part(0)["alg"], "RS256");
        assert_eq!(part(1)["iss"], "client");
        assert_eq!(part(1)["sub"], "me@acme.example");
        assert_eq!(part(1)["exp"], 1_000_180);
        assert_eq!(part(1)["jti"].as_str().unwrap().len(), 32);
    }
}

#[test]
fn a_key_that_cannot_sign_is_named_and_not_shown() {
    let jwt = oauth(r#"{"grant": {"jwt_bearer": {"algorithm": "RS256", "claims": {"iss": "{client_id}"}}}}"#);
    let tokens = RefCell::new(LocalTokens::default());
    for pem in [
        "hunter2hunter2",
        "-----BEGIN PRIVATE KEY-----\nhunter2hunter2==\n-----END PRIVATE KEY-----",
    ] {
        let values = values(&[("private_key", pem)]);
        let connection = Connection {
            tenant: "acme",
            oauth: &jwt,
            values: &values,
            config: &config(),
            lane: None,
        };
        let error = LocalTokens::renew(&tokens, "", &connection, &Still, &mut |_| unreachable!()).unwrap_err();
        assert_eq!(error.kind, Kind::Credential);
        assert!(
            error.message.contains("private_key") && !error.message.contains("hunter2"),
            "{}",
            error.message
        );
    }
}

#[test]
fn without_a_store_a_process_keeps_only_tokens_that_can_be_had_again() {
    let (grant, fields) = (oauth(r#"{"grant": "client_credentials"}"#), values(&[]));
    let config = config();
    let connection = Connection {
        tenant: "acme",
        oauth: &grant,
        values: &fields,
        config: &config,
        lane: None,
    };
    let tokens = RefCell::new(LocalTokens::default());
    let get = |site: &str, connection: &Connection<'_>, now: f64, least| {
        tokens
            .borrow_mut()
            .get(site, connection, now, least)
            .unwrap()
            .map(|granted| granted.version)
    };
    let renew = |oauth: &Oauth2, values: &Values| {
        let connection = Connection {
            tenant: "acme",
            oauth,
            values,
            config: &config,
            lane: None,
        };
        LocalTokens::renew(&tokens, "site", &connection, &Still, &mut |_| {
            Ok(reply(200, r#"{"access_token":"t","expires_in":"600"}"#))
        })
    };
    assert_eq!(get("site", &connection, 1e6, None), None);
    assert_eq!(renew(&grant, &fields).unwrap().version, 1);
    assert_eq!(get("site", &connection, 1e6 + 500.0, None), Some(1));
    assert_eq!(get("site", &connection, 1e6 + 541.0, None), None);
    assert_eq!(get("site", &connection, 1e6, Some(2)), None);
    assert_eq!(get("another", &connection, 1e6, None), None);
    // Whoever knows the client's id but not its secret gets nobody's token.
    let guessed = values(&[("client_secret", "guessed")]);
    assert_eq!(
        get(
            "site",
            &Connection {
                values: &guessed,
                ..connection
            },
            1e6,
            None
        ),
        None
    );
    assert_eq!(renew(&grant, &fields).unwrap().version, 2);
    let error = renew(&oauth("{}"), &values(&[("refresh_token", "r")])).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    assert!(error.message.contains("use_token_store"), "{}", error.message);
}

fn consent() -> Oauth2 {
    oauth(
        r#"{"grant": "authorization_code", "authorize_url": "https://{host}/agree", "scopes": ["read", "write"], "pkce": true,
            "authorize_query": {"access_type": "offline", "state": "no"}}"#,
    )
}

#[test]
fn the_address_for_consent_holds_what_the_grant_needs() {
    let (oauth, values) = (consent(), values(&[]));
    let connection = Connection {
        tenant: "acme",
        oauth: &oauth,
        values: &values,
        config: &config(),
        lane: None,
    };
    let url = authorize_url(
        &connection,
        "https://portal.example/?a=1&b=2",
        "st&te",
        Some("challenge"),
    )
    .unwrap();
    let url = Url::parse(&url).unwrap();
    assert_eq!((url.host_str(), url.path()), (Some("login.example"), "/agree"));
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let expected = [
        ("access_type", "offline"),
        ("client_id", "client"),
        ("code_challenge", "challenge"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://portal.example/?a=1&b=2"),
        ("response_type", "code"),
        ("scope", "read write"),
        ("state", "st&te"),
    ];
    assert_eq!(
        query,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    );
    assert_eq!(url.query_pairs().count(), expected.len());
    assert!(
        authorize_url(&connection, "https://portal.example", "s", None).is_err(),
        "PKCE is not left out"
    );
    assert!(!url.as_str().contains("s3cret"));
    // A CRM that does not know PKCE is not told of it.
    let mut plain = consent();
    plain.pkce = false;
    let connection = Connection {
        oauth: &plain,
        ..connection
    };
    let url = authorize_url(&connection, "https://portal.example", "s", Some("challenge")).unwrap();
    assert!(!url.contains("code_challenge"));
}

#[test]
fn a_code_is_exchanged_for_tokens_that_are_stored() {
    let world = World::new();
    let oauth = consent();
    let code = Code {
        code: "c0de",
        redirect_uri: "https://portal.example/back",
        verifier: Some("verifier"),
    };
    let mut process = Process::of(&world);
    let mut connect = |answer: (u16, &str)| {
        world.with(|world| world.crm.always = Some((answer.0, answer.1.to_owned())));
        process.run("acme", &oauth, &values(&[]), |connection, with| {
            exchange(connection, with, &code)
        })
    };
    let error = connect((400, r#"{"error":"invalid_grant"}"#)).unwrap_err();
    assert!(error.message.contains("start again"), "{}", error.message);
    let error = connect((200, r#"{"access_token":"a"}"#)).unwrap_err();
    assert!(error.message.contains("no refresh token"), "{}", error.message);
    assert!(!world.is_leased("acme"));
    connect((200, r#"{"access_token":"a","refresh_token":"r"}"#)).unwrap();
    assert_eq!(world.version("acme"), 1);
    // Again, in place of what was there.
    connect((200, r#"{"access_token":"b","refresh_token":"s"}"#)).unwrap();
    assert_eq!((world.version("acme"), world.access_in("acme").as_str()), (2, "b"));
    let blank = values(&[("refresh_token", "")]);
    assert_eq!(
        Process::of(&world).ask("acme", &oauth, &blank, None).unwrap().version,
        2
    );
}

#[test]
fn a_connector_that_cannot_work_is_refused() {
    let parse = |json: &str| {
        serde_json::from_str::<Oauth2>(json)
            .map_err(|error| error.to_string())
            .and_then(|oauth| oauth.check())
    };
    for (json, wanted) in [
        (r#"{"grant":"authorization_code","token_url":"{x}"}"#, "authorize_url"),
        (
            r#"{"grant":"refresh_token","token_url":"{x}","reconnect":[]}"#,
            "reconnect",
        ),
        (
            r#"{"grant":"refresh_token","token_url":"{x}","capture":{"u":{"path":"u","hosts":["*"]}}}"#,
            "no host",
        ),
        (
            r#"{"grant":"refresh_token","token_url":"{x}","capture":{"u":{"path":"u","hosts":["*.com"]}}}"#,
            "no host",
        ),
        (
            r#"{"grant":"refresh_token","token_url":"{x}","capture":{"u":{"path":"u","hosts":["a.example/x"]}}}"#,
            "no host",
        ),
        (r#"{"grant":"refresh_token","token_url":"{X}"}"#, "no value's name"),
        (
            r#"{"grant":"refresh_token","token_url":"{x}","secret":"y"}"#,
            "unknown field",
        ),
        (
            r#"{"grant":{"jwt_bearer":{"algorithm":"none","claims":{}}},"token_url":"{x}"}"#,
            "unknown variant",
        ),
    ] {
        let error = parse(json).unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}

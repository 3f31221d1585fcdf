//! The schemes without published signatures, what connections leave unset, and blocks that do not load.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use tenant_crm_sync::crm::webhook::Reason;

use super::{Signed, block, load, only, vectors};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac_scheme(changes: &Value) -> Value {
    let mut scheme = json!({
        "algorithm": "sha256", "key": "{webhook_secret}", "message": "{body}", "header": "X-Signature", "encoding": "hex"
    });
    for (name, value) in changes.as_object().unwrap() {
        scheme[name] = value.clone();
    }
    json!({ "hmac": scheme })
}

#[test]
fn basic() {
    let pipedrive = block("pipedrive");
    let signed = Signed::new("{}")
        .secret("webhook_user", "crm")
        .secret("webhook_password", "p:ä");
    let with = |value: &str| {
        signed
            .clone()
            .header("authorization", value)
            .check(&pipedrive)
            .map(|ok| ok.scheme)
    };
    let right = STANDARD.encode("crm:p:ä");
    assert_eq!(with(&format!("Basic {right}")), Ok("basic"));
    assert_eq!(with(&format!("basic {right}")), Ok("basic"));
    assert_eq!(with(&format!("Bearer {right}")), Err(Reason::Malformed));
    assert_eq!(with("Basic"), Err(Reason::Malformed));
    assert_eq!(
        with(&format!("Basic {}", STANDARD.encode("crm:"))),
        Err(Reason::Mismatch)
    );
    for bit in 0..right.len() * 8 {
        let mut changed = right.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed: String = changed.into_iter().map(char::from).collect();
        assert_eq!(with(&format!("Basic {changed}")), Err(Reason::Mismatch), "bit {bit}");
    }
}

#[test]
fn a_secret_in_a_header_or_in_the_query() {
    let dynamics = block("dynamics");
    let signed = Signed::new("{}").secret("webhook_secret", "a+b c/ä");
    assert_eq!(
        signed
            .clone()
            .header("X-WEBHOOK-SECRET", "a+b c/ä")
            .check(&dynamics)
            .unwrap()
            .scheme,
        "header"
    );
    assert_eq!(
        signed.clone().header("x-webhook-secret", "a+b c").check(&dynamics),
        Err(Reason::Mismatch)
    );
    let query = |query: &str| {
        let signed = signed.clone().url(&format!("https://portal.example/webhook?{query}"));
        signed.check(&dynamics).map(|ok| ok.position)
    };
    assert_eq!(query("x=1&code=a%2Bb+c%2F%C3%A4"), Ok(1));
    assert_eq!(query("c%6Fde=a%2Bb%20c/ä"), Ok(1));
    assert_eq!(
        query("code=a%2Bb+c%2F%C3%A4&code=a%2Bb+c%2F%C3%A4"),
        Err(Reason::Malformed)
    );
    assert_eq!(query("code="), Err(Reason::Mismatch));
    assert_eq!(query("xcode=a%2Bb+c%2F%C3%A4"), Err(Reason::Missing));
}

#[test]
fn a_secret_in_the_body() {
    let copper = only(json!({ "body": { "path": ["proof", "key"], "value": "{webhook_secret}" } }));
    let with = |body: &str| {
        Signed::new(body)
            .secret("webhook_secret", "12")
            .check(&copper)
            .map(|ok| ok.scheme)
    };
    assert_eq!(with(r#"{"ids":[1],"proof":{"a":[],"key":"12"}}"#), Ok("body"));
    assert_eq!(with(r#"{"proof":{"key":12}}"#), Ok("body"));
    assert_eq!(
        with(r#"{"proof":{"key":"12"},"proof":{"key":"13"}}"#),
        Err(Reason::Mismatch),
        "the last counts"
    );
    assert_eq!(with(r#"{"key":"12"}"#), Err(Reason::Missing));
    assert_eq!(with(r#"{"proof":{"key":["12"]}}"#), Err(Reason::Missing));
    assert_eq!(with(r#"{"proof":{"key":"12"}} x"#), Err(Reason::Malformed));
    assert_eq!(with("proof[key]=12"), Err(Reason::Malformed));
    assert_eq!(with(&"[".repeat(100_000)), Err(Reason::Malformed));
}

#[test]
fn none_is_refused_and_an_opaque_address_is_enough_only_where_that_is_declared() {
    let signed = Signed::new(r#"{"triggercode":"CONTACT_MODIFY","object":{"id":5}}"#);
    assert_eq!(signed.check(&block("dolibarr")), Err(Reason::Unverifiable));
    let verified = signed.check(&only(json!({ "opaque_url": {} }))).unwrap();
    assert_eq!((verified.scheme, verified.identified), ("opaque_url", false));
}

#[test]
fn sha1_and_keys_in_hexadecimal() {
    let signed = Signed::new("a=1&b=2").secret("webhook_secret", "00FFa1");
    let sha1 = only(hmac_scheme(&json!({ "algorithm": "sha1" })));
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"00FFa1"),
        b"a=1&b=2",
    );
    let with_tag = signed.clone().header("X-Signature", &hex(tag.as_ref()));
    assert!(with_tag.check(&sha1).is_ok());
    assert_eq!(
        with_tag
            .clone()
            .header("X-Signature", &hex(tag.as_ref()).to_uppercase())
            .check(&sha1),
        Err(Reason::Mismatch)
    );
    // Close: the key is written in hexadecimal digits, the time comes first.
    let close = only(hmac_scheme(&json!({
        "key_encoding": "hex", "message": "{timestamp}{body}", "timestamp": { "header": "close-sig-timestamp", "unit": "s" }
    })));
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &[0, 255, 0xa1]),
        b"1700000000a=1&b=2",
    );
    let signed = signed
        .header("X-Signature", &hex(tag.as_ref()))
        .header("Close-Sig-Timestamp", "1700000000");
    assert!(signed.check(&close).unwrap().identified, "its time is signed");
    for key in ["00FFa", "00FFag", "zz"] {
        let unreadable = signed.clone().secret("webhook_secret", key).check(&close);
        assert_eq!(unreadable, Err(Reason::Unconfigured), "{key}");
    }
}

#[test]
fn of_several_signatures_one_is_enough() {
    let vector = vectors()
        .into_iter()
        .find(|vector| vector.block == "rest")
        .unwrap()
        .signed;
    let right = &vector.headers["webhook-signature"];
    let wrong = right.replace("g0h", "h0g");
    for (value, holds) in [
        (format!("{wrong} {right}"), true),
        (format!("v1a,{wrong} {right} v2,x"), true),
        (format!("{wrong} {wrong}"), false),
        (right.replace("v1,", "v2,"), false),
        (right.replace("v1,", ""), false),
        (right.replace(' ', ",") + ",", false),
    ] {
        let answer = vector.clone().header("webhook-signature", &value).check(&block("rest"));
        assert_eq!(answer.is_ok(), holds, "{value}");
    }
}

#[test]
fn keys_that_are_being_changed_are_two_schemes() {
    let rotating = load(&json!({ "verify": [
        hmac_scheme(&json!({})), hmac_scheme(&json!({ "key": "{webhook_secret_previous}" }))
    ] }))
    .unwrap();
    let tag = |key: &[u8]| hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"x").as_ref());
    let signed = Signed::new("x").secret("webhook_secret", "new");
    assert_eq!(
        signed
            .clone()
            .header("X-Signature", &tag(b"new"))
            .check(&rotating)
            .unwrap()
            .position,
        0
    );
    let old = signed.header("X-Signature", &tag(b"old"));
    assert_eq!(old.check(&rotating), Err(Reason::Mismatch));
    assert_eq!(
        old.secret("webhook_secret_previous", "old")
            .check(&rotating)
            .unwrap()
            .position,
        1
    );
}

#[test]
fn a_secret_that_is_not_set_or_empty_verifies_nothing() {
    let empty_key = hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), b"x").as_ref());
    let signed = Signed::new("x").header("X-Signature", &empty_key);
    let scheme = only(hmac_scheme(&json!({})));
    assert_eq!(signed.check(&scheme), Err(Reason::Unconfigured));
    assert_eq!(
        signed.clone().secret("webhook_secret", "").check(&scheme),
        Err(Reason::Unconfigured)
    );
    let prefixed = only(hmac_scheme(
        &json!({ "key_prefix": "whsec_", "key_encoding": "base64" }),
    ));
    assert_eq!(
        signed.secret("webhook_secret", "whsec_").check(&prefixed),
        Err(Reason::Unconfigured)
    );
    let basic = Signed::new("{}").header("Authorization", "Basic Og==");
    assert_eq!(basic.check(&block("pipedrive")), Err(Reason::Unconfigured));
    let query = Signed::new("{}")
        .url("https://portal.example/?code=")
        .secret("webhook_secret", "");
    assert_eq!(query.check(&block("dynamics")), Err(Reason::Unconfigured));
}

#[test]
fn a_connection_may_have_many_subscriptions_each_with_its_key() {
    let espocrm = block("espocrm");
    let wrapped = |id: &str, key: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"[]");
        Signed::new("[]")
            .header("Signature", &STANDARD.encode(format!("{id}:{}", hex(tag.as_ref()))))
            .secret("webhook_secret:a1", "first")
            .secret("webhook_secret:a2", "second")
            .check(&espocrm)
            .map(|verified| verified.webhook_id)
    };
    assert_eq!(wrapped("a1", b"first"), Ok(Some("a1".to_owned())));
    assert_eq!(wrapped("a2", b"second"), Ok(Some("a2".to_owned())));
    assert_eq!(wrapped("a2", b"first"), Err(Reason::Mismatch));
    assert_eq!(wrapped("a3", b"first"), Err(Reason::Unconfigured));
}

#[test]
fn blocks_that_would_accept_anything_or_nothing_do_not_load() {
    let faults = [
        (json!([]), "at least one scheme"),
        (
            json!([{ "none": {} }, { "opaque_url": {} }]),
            "verify[0].none: it must stand alone",
        ),
        (
            json!([{ "opaque_url": {} }, { "body": { "path": ["a"], "value": "{s}" } }]),
            "must stand alone",
        ),
        (
            json!([hmac_scheme(&json!({ "message": "{timestamp}" }))]),
            "without {body}",
        ),
        (
            json!([hmac_scheme(&json!({ "message": "{timestamp}{body}" }))]),
            "a timestamp counts only if it is signed",
        ),
        (
            json!([hmac_scheme(&json!({ "timestamp": { "header": "t", "unit": "s" } }))]),
            "a timestamp counts only",
        ),
        (
            json!([hmac_scheme(&json!({ "id_header": "id" }))]),
            "an id counts only if it is signed",
        ),
        (
            json!([hmac_scheme(&json!({ "key": "secret" }))]),
            "key: name a secret in braces",
        ),
        (
            json!([hmac_scheme(&json!({ "key": "{Secret}" }))]),
            "after '{' comes a name",
        ),
        (
            json!([hmac_scheme(&json!({ "message": "{body" }))]),
            "after '{' comes a name",
        ),
        (
            json!([hmac_scheme(&json!({ "message": "{body}}" }))]),
            "without its '{'",
        ),
        (
            json!([hmac_scheme(&json!({ "encoding": "raw" }))]),
            "raw bytes fit only inside wrap",
        ),
        (json!([hmac_scheme(&json!({ "separator": "" }))]), "separator"),
        (
            json!([hmac_scheme(
                &json!({ "prefix": "x", "wrap": { "id": "webhook_id", "separator": ":" } })
            )]),
            "wrap",
        ),
        (
            json!([hmac_scheme(&json!({ "header": "X Signature" }))]),
            "a header's name",
        ),
        (json!([hmac_scheme(&json!({ "algorithm": "md5" }))]), "md5"),
        (json!([hmac_scheme(&json!({ "algorythm": "sha256" }))]), "algorythm"),
        (
            json!([{ "digest": { "algorithm": "sha1", "message": "{s}{body}", "header": "h", "encoding": "hex" } }]),
            "sha1",
        ),
        (
            json!([{ "digest": { "algorithm": "sha256", "message": "{body}", "header": "h", "encoding": "hex" } }]),
            "without a secret",
        ),
        (
            json!([{ "digest": { "algorithm": "sha256", "message": "{s}{url}", "header": "h", "encoding": "hex" } }]),
            "without {body}",
        ),
        (
            json!([{ "basic": { "user": "{u}", "password": "crm" } }]),
            "verify[0].basic: password",
        ),
        (json!([{ "header": { "name": "h", "value": "yes" } }]), "name a secret"),
        (
            json!([{ "query": { "name": "", "value": "{s}" } }]),
            "name the parameter",
        ),
        (json!([{ "body": { "path": [], "value": "{s}" } }]), "path"),
    ];
    for (verify, text) in faults {
        let error = load(&json!({ "verify": verify })).unwrap_err().to_string();
        assert!(error.contains(text), "{verify}: {error}");
    }
    let unknown = load(&json!({ "verify": [{ "none": {} }], "verfy": [] })).unwrap_err();
    assert!(unknown.to_string().contains("verfy"));
}

//! FAULTS A23, forged webhooks: missing, malformed, old, replayed, reordered, unicode. Nothing is told to who sent it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};
use tenant_crm_sync::crm::webhook::{Incoming, MAX_BODY, MAX_HEADER, Reason, Refusal, Secrets, verify};
use zeroize::Zeroizing;

use super::{Signed, block, vectors};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A message of Standard Webhooks, signed here.
pub(super) fn standard(body: &str) -> Signed {
    resign(Signed::new(body), "msg_1", 1_700_000_000)
}

fn resign(signed: Signed, id: &str, seconds: i64) -> Signed {
    let message = format!("{id}.{seconds}.{}", signed.body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    signed
        .secret("webhook_secret", &format!("whsec_{}", STANDARD.encode(KEY)))
        .header("webhook-id", id)
        .header("webhook-timestamp", &seconds.to_string())
        .header("webhook-signature", &format!("v1,{}", STANDARD.encode(tag)))
}

fn zoho(body: &str) -> Signed {
    Signed::new(body).secret("webhook_secret", "token-of-this-channel")
}

fn hubspot_v1(body: &[u8]) -> String {
    let mut message = b"client-secret".to_vec();
    message.extend_from_slice(body);
    let tag = digest::digest(&digest::SHA256, &message);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a23_missing() {
    let unsigned = Signed::new("[]")
        .secret("webhook_secret", "s")
        .secret("webhook_user", "u");
    for name in ["hubspot", "pipedrive", "dynamics", "espocrm", "rest"] {
        assert_eq!(unsigned.check(&block(name)), Err(Reason::Missing), "{name}");
    }
    assert_eq!(
        zoho(r#"{"module":"Leads","ids":["1"]}"#).check(&block("zoho")),
        Err(Reason::Missing)
    );
    for name in ["dolibarr", "salesforce", "suitecrm", "odoo"] {
        assert_eq!(unsigned.check(&block(name)), Err(Reason::Unverifiable), "{name}");
    }
}

#[test]
fn a23_malformed() {
    let signed = standard("{}");
    let rest = block("rest");
    assert!(signed.check(&rest).is_ok());
    for (name, value) in [
        ("webhook-signature", ""),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v2,AAAA"),
        ("webhook-signature", "v1,\u{0}\u{ff}"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "+1700000000"),
        ("webhook-timestamp", "1700000000.0"),
        ("webhook-timestamp", "99999999999999999999"),
        ("webhook-timestamp", "\u{0661}\u{0667}"),
        ("webhook-id", ""),
        ("webhook-id", "msg.1"),
        ("webhook-id", "msg\n1"),
    ] {
        let answer = signed.clone().header(name, value).check(&rest);
        assert_eq!(answer, Err(Reason::Malformed), "{name}: '{}'", value.escape_debug());
    }
    let many = format!("{} {}", "v1,x ".repeat(16), signed.headers["webhook-signature"]);
    assert_eq!(
        signed.header("webhook-signature", &many).check(&rest),
        Err(Reason::Malformed)
    );

    let espocrm = block("espocrm");
    let wrapped = |text: &[u8]| {
        let signed = Signed::new("[]")
            .secret("webhook_secret", "s")
            .secret("webhook_id", "7");
        signed.header("Signature", &STANDARD.encode(text)).check(&espocrm)
    };
    assert_eq!(wrapped(b"no separator"), Err(Reason::Malformed));
    assert_eq!(wrapped(b":00"), Err(Reason::Malformed));
    assert_eq!(wrapped(b"\xff:00"), Err(Reason::Malformed));
    assert_eq!(wrapped(b"7:00"), Err(Reason::Mismatch));
    assert_eq!(wrapped(b"8:00"), Err(Reason::Mismatch), "another subscription");
    let raw = Signed::new("[]").secret("webhook_secret", "s").header("Signature", "%");
    assert_eq!(raw.check(&espocrm), Err(Reason::Malformed));
}

#[test]
fn a23_old_and_from_the_future_are_known_to_be_the_crms_own() {
    let rest = block("rest");
    let signed = |seconds| resign(Signed::new("{}"), "msg_1", seconds);
    assert_eq!(signed(1_699_999_699).check(&rest), Err(Reason::Old));
    assert_eq!(signed(1_700_000_301).check(&rest), Err(Reason::Future));
    assert_eq!(signed(0).check(&rest), Err(Reason::Old));
    assert_eq!(signed(999_999_999_999_999).check(&rest), Err(Reason::Future));
    let forged = signed(1_699_999_699).secret("webhook_secret", "whsec_AAAA");
    assert_eq!(
        forged.check(&rest),
        Err(Reason::Mismatch),
        "a forged one is not old but forged"
    );
}

#[test]
fn a23_an_old_signature_does_not_get_in_by_a_weaker_scheme() {
    let vector = vectors().remove(3);
    let signature = {
        let message = format!("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy{}", vector.signed.body);
        let tag = digest::digest(&digest::SHA256, message.as_bytes());
        tag.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let hubspot = block("hubspot");
    let mut both = vector.signed.clone().header("X-HubSpot-Signature", &signature);
    both = both.header("X-HubSpot-Signature-Version", "v1");
    both.now_ms += 3_600_000;
    let with_legacy = both
        .clone()
        .secret("webhook_secret_legacy", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy");
    assert_eq!(with_legacy.check(&hubspot), Err(Reason::Old));
    // Without the newer signature only the older one is left, and that has to be allowed.
    both.headers.remove("X-HubSpot-Signature-v3");
    assert_eq!(both.check(&hubspot), Err(Reason::Unconfigured));
    both = both.secret("webhook_secret_legacy", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy");
    assert_eq!(both.check(&hubspot).unwrap().position, 1);
}

#[test]
fn a23_replayed_messages_have_the_same_key() {
    let rest = block("rest");
    let key = |signed: &Signed| signed.check(&rest).unwrap().replay_key;
    let first = standard(r#"{"type":"contact.updated","data":{"id":"1"}}"#);
    assert_eq!(
        key(&first),
        key(&first.clone().url("https://portal.example/webhook?x=1"))
    );
    // Delivered again: signed with a new time, but the same message.
    let again = resign(first.clone(), "msg_1", 1_700_000_060);
    assert_eq!(key(&first), key(&again));
    assert_ne!(key(&first), key(&resign(first.clone(), "msg_2", 1_700_000_000)));
    assert!(first.check(&rest).unwrap().identified);
}

#[test]
fn a23_replayed_messages_are_known_by_their_events() {
    let hubspot = block("hubspot");
    let key = |event: &str, at: &str, attempt: &str| {
        let body = format!(
            r#"[{{"eventId":{event},"portalId":7,"occurredAt":{at},"subscriptionType":"contact.creation","attemptNumber":{attempt},"objectId":123}}]"#
        );
        let signed = Signed::new(&body).secret("webhook_secret_legacy", "client-secret");
        let signed = signed.header("X-HubSpot-Signature-Version", "v1");
        let verified = signed
            .header("x-hubspot-signature", &hubspot_v1(body.as_bytes()))
            .check(&hubspot)
            .unwrap();
        assert!(verified.identified);
        verified.replay_key
    };
    let first = key("1", "1564113600000", "0");
    assert_eq!(first, key("1", "1564113600000", "3"), "delivered again");
    assert_ne!(first, key("2", "1564113600000", "0"));
    assert_ne!(first, key("1", "1564113600001", "0"), "HubSpot's ids are not unique");
}

#[test]
fn a23_reordered_json() {
    // Signed: every byte counts.
    let signed = standard(r#"{"type":"contact.updated","data":{"id":"1"}}"#);
    let reordered = signed.check_body(&block("rest"), br#"{"data":{"id":"1"},"type":"contact.updated"}"#);
    assert_eq!(reordered, Err(Reason::Mismatch));
    // Not signed: the same content is the same message, in whatever order and spelling.
    let zoho_block = block("zoho");
    let key = |body: &str| zoho(body).check(&zoho_block).unwrap();
    let first = key(r#"{"module":"Leads","ids":["1"],"operation":"update","token":"token-of-this-channel"}"#);
    let other = key(r#"{ "token":"token-of-this\u002dchannel", "ids":["1"],"operation":"update","module":"Leads" }"#);
    assert_eq!(first, other);
    assert!(!first.identified, "a later change of the same lead looks the same");
    let another = key(r#"{"module":"Leads","ids":["2"],"operation":"update","token":"token-of-this-channel"}"#);
    assert_ne!(first.replay_key, another.replay_key);
}

#[test]
fn a23_unicode() {
    let rest = block("rest");
    let precomposed = standard("{\"type\":\"contact.updated\",\"data\":{\"id\":\"Zo\u{eb} \u{1f600}\"}}");
    assert_eq!(precomposed.check(&rest).unwrap().events[0].ids, ["Zo\u{eb} \u{1f600}"]);
    for other in [
        "{\"type\":\"contact.updated\",\"data\":{\"id\":\"Zoe\u{308} \u{1f600}\"}}",
        r#"{"type":"contact.updated","data":{"id":"Zo\u00eb \ud83d\ude00"}}"#,
    ] {
        assert_eq!(precomposed.check_body(&rest, other.as_bytes()), Err(Reason::Mismatch));
    }
    // The CRM signed bytes that are no text: it is the CRM, but nothing can be read.
    let latin1 = b"{\"data\":{\"id\":\"Zo\xeb\"}}";
    let mut message = b"msg_1.1700000000.".to_vec();
    message.extend_from_slice(latin1);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), &message);
    let signed = standard("").header("webhook-signature", &format!("v1,{}", STANDARD.encode(tag)));
    assert_eq!(signed.check_body(&rest, latin1), Err(Reason::Unreadable));
    // A token is compared byte by byte: no case, no width, no accent is forgiven.
    for token in [
        "Token-of-this-channel",
        "token-of-this-channel ",
        "token\u{2010}of-this-channel",
    ] {
        let body = format!(r#"{{"module":"Leads","ids":["1"],"token":"{token}"}}"#);
        assert_eq!(zoho(&body).check(&block("zoho")), Err(Reason::Mismatch));
    }
}

#[test]
fn what_can_be_appended_to_a_plain_digest_is_refused() {
    // Who knows SHA-256(secret + body) can compute SHA-256(secret + body + padding + anything): that is a valid digest.
    let hubspot = block("hubspot");
    let body = br#"[{"eventId":1,"objectId":1}]"#;
    let mut extended = body.to_vec();
    let hashed = b"client-secret".len() + body.len();
    extended.push(0x80);
    while (b"client-secret".len() + extended.len()) % 64 != 56 {
        extended.push(0);
    }
    extended.extend_from_slice(&(hashed as u64 * 8).to_be_bytes());
    extended.extend_from_slice(br#"[{"eventId":2,"objectId":2}]"#);
    let signed = Signed::new("").secret("webhook_secret_legacy", "client-secret");
    let signed = signed.header("X-HubSpot-Signature-Version", "v1");
    let honest = signed.clone().header("X-HubSpot-Signature", &hubspot_v1(body));
    assert!(honest.check_body(&hubspot, body).is_ok());
    let forged = signed.header("X-HubSpot-Signature", &hubspot_v1(&extended));
    assert_eq!(forged.check_body(&hubspot, &extended), Err(Reason::Unreadable));
    let mut without_events = hubspot;
    without_events.events = None;
    assert_eq!(forged.check_body(&without_events, &extended), Err(Reason::Unreadable));
}

#[test]
fn two_headers_of_one_name_are_refused() {
    let rest = block("rest");
    let signed = standard("{}");
    for name in ["webhook-signature", "webhook-timestamp", "webhook-id"] {
        let twice = signed.clone().header(&name.to_uppercase(), &signed.headers[name]);
        assert_eq!(twice.check(&rest), Err(Reason::Malformed), "{name}");
    }
    assert!(
        signed
            .clone()
            .header("cookie", "a")
            .header("Cookie", "b")
            .check(&rest)
            .is_ok()
    );
    let upper = signed
        .headers
        .iter()
        .map(|(name, value)| (name.to_uppercase(), value.clone()))
        .collect();
    assert!(
        Signed {
            headers: upper,
            ..signed
        }
        .check(&rest)
        .is_ok()
    );
}

#[test]
fn sizes_are_bounded() {
    let rest = block("rest");
    let fits = format!("\"{}\"", "x".repeat(MAX_BODY - 2));
    assert_eq!(
        standard(&fits).check(&rest),
        Err(Reason::Unreadable),
        "no event, but it was read"
    );
    assert_eq!(standard(&format!("{fits} ")).check(&rest), Err(Reason::TooLarge));
    let long = "v1,x ".repeat(MAX_HEADER / 5 + 1);
    assert_eq!(
        standard("{}").header("webhook-signature", &long).check(&rest),
        Err(Reason::TooLarge)
    );
    assert_eq!(
        standard("{}").url(&"x".repeat(MAX_HEADER + 1)).check(&rest),
        Err(Reason::TooLarge)
    );
}

#[test]
fn all_refusals_look_the_same_and_no_secret_is_shown() {
    let texts: Vec<String> = [Reason::Missing, Reason::Mismatch, Reason::Old, Reason::TooLarge]
        .map(|reason| Refusal::from(reason).to_string())
        .to_vec();
    assert!(texts.iter().all(|text| *text == "the webhook is refused"), "{texts:?}");
    let mut secrets = Secrets::default();
    secrets.insert("webhook_secret", Zeroizing::new(b"hunter2".to_vec()));
    assert_eq!(format!("{secrets:?}"), r#"{"webhook_secret"}"#);
}

#[test]
fn hostile_requests_do_not_panic() {
    let headers = [
        "webhook-signature",
        "webhook-timestamp",
        "webhook-id",
        "Signature",
        "Authorization",
        "X-HubSpot-Signature-v3",
    ];
    let pieces = [
        "v1,",
        " ",
        ":",
        "=",
        "1700000000",
        "Basic ",
        "\u{0}",
        "\u{1f600}",
        "[",
        "{\"ids\":[",
        "\"token\":",
        "\\ud800",
        "}",
        "-",
        "9e999",
    ];
    let mut state = 1_u64;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let blocks = [
        "hubspot",
        "pipedrive",
        "zoho",
        "dynamics",
        "espocrm",
        "rest",
        "dolibarr",
    ]
    .map(block);
    let mut secrets = Secrets::default();
    for name in [
        "webhook_secret",
        "webhook_user",
        "webhook_password",
        "webhook_id",
        "webhook_secret_legacy",
    ] {
        secrets.insert(name, Zeroizing::new(b"whsec_AAAA".to_vec()));
    }
    for _ in 0..3000 {
        let mut text = || (0..next(6)).map(|_| pieces[next(pieces.len())]).collect::<String>();
        let url = format!("https://x/?code={}", text());
        let headers: Vec<(String, String)> = headers.map(|name| (name.to_owned(), text())).to_vec();
        let body = text();
        let incoming = Incoming {
            method: "POST",
            url: &url,
            headers: &headers,
            body: body.as_bytes(),
        };
        for block in &blocks {
            for now in [i64::MIN, 0, i64::MAX] {
                assert!(verify(block, &secrets, &incoming, now).is_err(), "{body}");
            }
        }
    }
}

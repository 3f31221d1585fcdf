//! What is kept out of messages, and that it takes no longer for hostile texts.

use std::time::Instant;

use tenant_crm_sync::secret::redact;

#[test]
fn redaction_hides_secrets() {
    let hide = |text: &str| redact(text, &[b"s3cr3t/+x", b"abab", b"\xc3"], 400);
    for (text, wanted) in [
        ("plain words, nothing to hide", "plain words, nothing to hide"),
        ("key s3cr3t/+x!", "key [redacted]!"),
        (r#"{"k":"s3cr3t\/+x"}"#, r#"{"k":"[redacted]"}"#),
        ("?k=s3cr3t%2F%2Bx&p=1 s3cr3t%2f%2bx", "?k=[redacted]&p=1 [redacted]"),
        ("ababab abab", "[redacted] [redacted]"),
        ("cut off at s3cr3t", "cut off at [redacted]"),
        ("é is half a secret", "[redacted] is half a secret"),
        (r#"{"api_key":"x","id":7}"#, r#"{"api_key":"[redacted]","id":7}"#),
        (
            r#"{"Refresh-Token" : "a\"b" , "n":1}"#,
            r#"{"Refresh-Token" : "[redacted]" , "n":1}"#,
        ),
        (
            r#"{"b":"{\"password\":\"hun\\\"ter\",\"n\":1}"}"#,
            r#"{"b":"{\"password\":\"[redacted]\",\"n\":1}"}"#,
        ),
        (r#"{"tokens":["a","b]"],"n":[1]}"#, r#"{"tokens":[redacted],"n":[1]}"#),
        (
            r#"{"client_secret":12345,"n":1}"#,
            r#"{"client_secret":[redacted],"n":1}"#,
        ),
        (r#"{"password":"never closed"#, r#"{"password":"[redacted]"#),
        (
            "Authorization: Basic dTpw, x\nAccept: a",
            "Authorization: [redacted]\\nAccept: a",
        ),
        ("sent Bearer abc.def to", "sent Bearer [redacted] to"),
        (
            "GET /x?access_token=abc&page=2",
            "GET /x?access_token=[redacted]&page=2",
        ),
        ("[api_key] => abc\n[id] => 3", "[api_key] => [redacted]\\n[id] => 3"),
        ("<password>abc</password>", "<password>[redacted]</password>"),
        ("the token expired; bad password", "the token expired; bad password"),
        ("id 9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.", "id [redacted]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln ok", "[redacted] ok"),
        ("AbC/dEf+0123/gHi4JkLm/nOpQ5rStU/vWxYz67890= ok", "[redacted] ok"),
        (
            "GET /api/v1/leads/12345/contacts/export failed at 2026-11-23T10:00:00+00:00",
            "GET /api/v1/leads/12345/contacts/export failed at 2026-11-23T10:00:00+00:00",
        ),
        (
            "a\tb\r\nc\u{1b}[0m\u{0}\u{202e}é",
            "a\\tb\\r\\nc\\u{1b}[0m\\u{0}\\u{202e}é",
        ),
    ] {
        let wanted = if text.ends_with('é') {
            wanted.replace('é', "[redacted]")
        } else {
            wanted.to_owned()
        };
        assert_eq!(hide(text), wanted, "for {text}");
    }
}

#[test]
fn redaction_is_bounded() {
    assert_eq!(redact("short", &[], 5), "short");
    assert_eq!(redact("longer", &[], 5), "lo…");
    for max in 0..40 {
        let text = redact("€uro 🎈 s3cr3t/+x \n and a long tail that is cut", &[b"s3cr3t/+x"], max);
        assert!(text.len() <= max && !text.contains("s3"), "{max}: {text}");
    }
    let tail = format!("{}{}", "x ".repeat(3000), "s3cr3t");
    for max in (0..6200).step_by(7) {
        assert!(!redact(&tail, &[b"s3cr3t"], max).contains("s3"));
    }
    // A secret across the place where reading stops.
    for blanks in 0..30 {
        let text = format!(
            "{}{}s3cr3t{}",
            "A1".repeat(445),
            " ".repeat(blanks),
            " tail".repeat(500)
        );
        let text = redact(&text, &[b"s3cr3t"], 100);
        assert!(
            text.starts_with("[redacted]") && !text.contains('s'),
            "{blanks}: {text}"
        );
    }
    // Texts that make searching expensive where it is not linear.
    let secret = "a".repeat(2000) + "b";
    let start = Instant::now();
    for text in [
        "a".repeat(1 << 20),
        "token ".repeat(1 << 18),
        "token:[\"".repeat(1 << 17),
        "Bearer ".repeat(1 << 17),
        "\\\"".repeat(1 << 19),
    ] {
        assert!(redact(&text, &[secret.as_bytes()], 1 << 20).len() <= 1 << 20);
        assert!(redact(&text, &[secret.as_bytes()], 100).len() <= 100);
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

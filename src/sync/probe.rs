//! What is wrong with a connection, in words for the person who set it up.

use crate::error::{Error, Kind, Reason};

/// A diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// One of settings, key, scope, path, dns, connect, tls, timeout, host_rules, limit, answer, crm.
    pub problem: &'static str,
    /// What to do.
    pub advice: String,
}

/// What a failure of the trial request means.
#[must_use]
pub fn diagnose(error: &Error, host: &str) -> Diagnosis {
    let text = error.message.to_lowercase();
    let (problem, advice) = match error.kind {
        Kind::Config | Kind::Encode => ("settings", "correct the setting that the message names".to_owned()),
        Kind::Credential => (
            "key",
            "enter the credential again, or connect the tenant again".to_owned(),
        ),
        Kind::Egress => (
            "host_rules",
            "ask the host's administrator, or correct the endpoint".to_owned(),
        ),
        Kind::Connect if is_dns(&text) => (
            "dns",
            format!("the name {host} is not known: check its spelling in the endpoint, and this host's DNS"),
        ),
        Kind::Connect => (
            "connect",
            format!("nothing answers at {host}: check the port, the firewall, and whether the CRM is up"),
        ),
        Kind::Tls => ("tls", tls(&text, host)),
        Kind::Timeout => (
            "timeout",
            format!("{host} did not answer in time: try again, or raise the timeout"),
        ),
        Kind::Transport => (
            "connect",
            format!("{host} broke the connection: try again; if it stays so, ask the CRM's administrator"),
        ),
        Kind::RateLimited => ("limit", "the CRM wants fewer requests: wait, then try again".to_owned()),
        Kind::TooLarge | Kind::Decode => (
            "answer",
            format!("{host} answers, but not as this CRM does: check the endpoint and the connector"),
        ),
        Kind::Cancelled => ("timeout", "the test was interrupted: try again".to_owned()),
        Kind::Http => by_reason(error, host),
    };
    Diagnosis { problem, advice }
}

fn by_reason(error: &Error, host: &str) -> (&'static str, String) {
    match error.reason {
        Some(Reason::Unauthorized | Reason::Expired) => (
            "key",
            "the CRM refuses the credential: enter it again, or make a new one in the CRM".to_owned(),
        ),
        Some(Reason::Forbidden) => (
            "scope",
            "the credential is good, but may not read this: give its user or app the rights for the object types that are synced".to_owned(),
        ),
        Some(Reason::Missing) => (
            "path",
            format!("{host} has nothing at that path: check the endpoint, the connector and the API version"),
        ),
        Some(Reason::RateLimited | Reason::Quota) => {
            ("limit", "the CRM wants fewer requests: wait, then try again".to_owned())
        }
        _ if error.status.is_some_and(|status| (300..400).contains(&status)) => (
            "path",
            "the CRM has moved: use the address that the message names as the endpoint".to_owned(),
        ),
        _ => (
            "crm",
            "the CRM answered with an error of its own: try again; if it stays so, ask the CRM's administrator".to_owned(),
        ),
    }
}

fn is_dns(text: &str) -> bool {
    ["dns", "lookup", "name or service", "resolve"]
        .iter()
        .any(|word| text.contains(word))
}

fn tls(text: &str, host: &str) -> String {
    let has = |word: &str| text.contains(word);
    if has("expired") {
        format!(
            "the certificate of {host} has expired: its administrator must renew it (or this host's clock is wrong)"
        )
    } else if has("notvalidyet") || has("not valid yet") {
        format!("the certificate of {host} is not valid yet: this host's clock may be wrong")
    } else if has("notvalidforname") || has("not valid for name") {
        format!("the certificate is not for {host}: check the name in the endpoint")
    } else if has("unknownissuer") || has("unknown issuer") {
        format!(
            "the authority of {host}'s certificate is not trusted here: install it on this host, or name it in tenant_crm_sync.ca_file"
        )
    } else {
        format!(
            "no encrypted connection to {host} could be agreed on: check the port, and that it speaks TLS 1.2 or newer"
        )
    }
}

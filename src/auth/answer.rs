//! What a token answer says: tokens, a reason to connect again, or a failure that may pass.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::bundle::Secret;
use super::grant::{By, Connection};
use crate::error::{Error, Kind, Result};
use crate::json::scalar;
use crate::net::send::Reply;
use crate::secret::redact;

/// How much of an error's own words is shown.
const EXCERPT: usize = 300;
/// No token lives longer, whatever is said; so sums do not run over.
const MAX_LIFE: f64 = 10.0 * 365.0 * 86_400.0;

/// Tokens, as the CRM gave them.
pub struct Answer {
    pub access_token: Secret,
    pub refresh_token: Option<Secret>,
    /// Seconds, where the answer or the connector tells.
    pub expires_in: Option<f64>,
    /// What the connector takes from it. Why it must not be used, where that leads elsewhere: the tokens are kept all the same.
    pub captured: std::result::Result<BTreeMap<String, String>, String>,
}

/// Why there are none.
#[derive(Debug)]
pub enum NoAnswer {
    /// A person must connect again; the CRM's own words.
    Reconnect(String),
    /// Everything else.
    Failed(Error),
}

/// Reads what came of a token request.
pub fn read(connection: &Connection<'_>, by: By<'_>, outcome: Result<Reply>) -> std::result::Result<Answer, NoAnswer> {
    let secrets = connection.secrets(by);
    let hide = |text: &str| {
        let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.as_bytes()).collect();
        redact(text, &secrets, EXCERPT)
    };
    let failed = |mut error: Error| {
        error.body = error.body.as_deref().map(hide);
        NoAnswer::Failed(error)
    };
    let (reply, error) = match outcome {
        Ok(reply) if reply.status.is_success() => (Some(reply), None),
        Ok(reply) => {
            let mut error = Error::new(Kind::Http, format!("HTTP {}", reply.status)).during(&reply.operation);
            error.status = Some(reply.status.as_u16());
            error.attempts = reply.attempts;
            error.body = Some(String::from_utf8_lossy(&reply.body).into_owned());
            (None, Some(error))
        }
        Err(error) => (None, Some(error)),
    };
    let text = Zeroizing::new(match (&reply, &error) {
        (Some(reply), _) => String::from_utf8_lossy(&reply.body).into_owned(),
        (None, error) => error.as_ref().and_then(|error| error.body.clone()).unwrap_or_default(),
    });
    let parsed: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let member = |name: &str| parsed.as_ref().and_then(|json| json.get(name));
    if parsed.is_some()
        && let Some(code) = connection.oauth.error_at.scalar(&text).filter(|code| !code.is_empty())
    {
        let words = member("error_description")
            .or_else(|| member("message"))
            .and_then(serde_json::Value::as_str)
            .map_or_else(|| hide(&code), |words| hide(&format!("{code}: {words}")));
        if connection.oauth.reconnect.contains(&code) {
            return Err(NoAnswer::Reconnect(words));
        }
        let mut refused = error.unwrap_or_else(|| Error::new(Kind::Credential, ""));
        // A CRM that has trouble of its own, or asks to wait, says nothing about the credential.
        if refused.kind == Kind::Http && refused.status.is_some_and(|status| status < 500) {
            refused.kind = Kind::Credential;
        }
        refused.message = if refused.kind == Kind::Credential {
            format!("the CRM gives no token ({words}): check the client's id, secret and rights")
        } else {
            format!("the CRM gives no token now ({words})")
        };
        return Err(failed(refused));
    }
    if let Some(mut error) = error {
        error.message = format!("no token could be got: {}", hide(&error.message));
        return Err(failed(error));
    }
    let wrong = |reason: String| {
        let mut error = Error::new(Kind::Decode, reason);
        if let Some(reply) = &reply {
            error.status = Some(reply.status.as_u16());
            error.attempts = reply.attempts;
            error.operation.clone_from(&reply.operation);
        }
        NoAnswer::Failed(error)
    };
    let token = |name: &str| {
        member(name)
            .and_then(serde_json::Value::as_str)
            .filter(|token| !token.is_empty())
    };
    let Some(access_token) = token("access_token") else {
        return Err(wrong(String::from(
            "the answer to the token request holds no access_token: check the token address",
        )));
    };
    if access_token.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
        return Err(wrong(String::from(
            "the CRM's access token has characters that no HTTP header can carry",
        )));
    }
    let expires_in = member("expires_in")
        .and_then(|value| scalar(&value.to_string())?.trim().parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let otherwise = connection.oauth.expires_in.map(|seconds| seconds as f64);
    Ok(Answer {
        access_token: Secret::new(access_token),
        refresh_token: token("refresh_token").map(Secret::new),
        expires_in: expires_in.or(otherwise).map(|seconds| seconds.min(MAX_LIFE)),
        captured: captured(connection, &text).map_err(|reason| hide(&reason)),
    })
}

fn captured(connection: &Connection<'_>, text: &str) -> std::result::Result<BTreeMap<String, String>, String> {
    let own: Vec<_> = connection
        .endpoint()
        .into_iter()
        .chain(connection.token_url().ok())
        .collect();
    let own: Vec<_> = own.iter().collect();
    let mut found = BTreeMap::new();
    for (name, capture) in &connection.oauth.capture {
        if let Some(value) = capture.path.scalar(text) {
            found.insert(name.clone(), capture.checked(name, &value, &own)?);
        }
    }
    Ok(found)
}

//! A signed statement (RFC 7515, RFC 7519), as the grant jwt_bearer wants it. Only signs; what it says is the connector's.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::template::{Json, Values};

/// The statement, signed with RS256. `values` know `now`, `expires` and `nonce`.
pub fn rs256(claims: &BTreeMap<String, Json>, values: &Values, field: &str, pem: &[u8]) -> Result<String> {
    let key = key(field, pem)?;
    let mut members = Vec::with_capacity(claims.len());
    for (name, claim) in claims {
        let json = claim.render(values).ok_or_else(|| {
            Error::new(
                Kind::Config,
                format!(
                    "the claim {name} of the token request has no value: fill in {}",
                    claim.names().join(", ")
                ),
            )
        })?;
        members.push(format!("{}:{json}", serde_json::Value::from(name.as_str())));
    }
    let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let signed = format!(
        "{}.{}",
        encode(br#"{"alg":"RS256","typ":"JWT"}"#),
        encode(format!("{{{}}}", members.join(",")).as_bytes())
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| unusable(field, "nothing can be signed with it"))?;
    Ok(format!("{signed}.{}", encode(&signature)))
}

/// The private key from PEM, in either of its usual forms.
fn key(field: &str, pem: &[u8]) -> Result<RsaKeyPair> {
    let text = std::str::from_utf8(pem).map_err(|_| unusable(field, "it is not text"))?;
    // A form or JSON may have turned line ends into two signs.
    let text = Zeroizing::new(text.replace("\\n", "\n"));
    for (label, is_pkcs8) in [("PRIVATE KEY", true), ("RSA PRIVATE KEY", false)] {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        let Some((body, _)) = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)) else {
            continue;
        };
        let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let der = STANDARD
            .decode(body.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| unusable(field, "it is damaged"))?;
        let key = if is_pkcs8 {
            RsaKeyPair::from_pkcs8(&der)
        } else {
            RsaKeyPair::from_der(&der)
        };
        return key.map_err(|error| unusable(field, &format!("it is no RSA key of 2048 bits or more ({error})")));
    }
    Err(unusable(
        field,
        "it holds no PEM block PRIVATE KEY or RSA PRIVATE KEY (one with a passphrase cannot be used)",
    ))
}

fn unusable(field: &str, why: &str) -> Error {
    Error::new(
        Kind::Credential,
        format!("the {field} cannot be used: {why}. Enter it again"),
    )
}

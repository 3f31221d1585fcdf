//! Assertions of the jwt-bearer grant: RS256 by the tenant's configured public key, and claims that fit.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Settings;

/// How far in the future an assertion may end.
const LONGEST_S: i64 = 300;
const LOGIN_HOSTS: [&str; 2] = ["https://login.salesforce.com", "https://test.salesforce.com"];

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
}

/// Whose assertion it says it is; nothing is verified.
pub fn issuer(assertion: &str) -> Option<String> {
    let claims: Claims = part(assertion.split('.').nth(1)?)?;
    Some(claims.iss)
}

pub fn check(assertion: &str, settings: &Settings, origin: &str, now: Timestamp) -> Result<(), String> {
    let pem = settings.public_key_pem.as_deref();
    let key = pem.ok_or("This client has no certificate for assertions.")?;
    let key = public_key(key).ok_or("The client's public key is not readable.")?;
    let (signed, signature) = assertion.rsplit_once('.').ok_or("The assertion has no signature.")?;
    let (header, claims) = signed.split_once('.').ok_or("The assertion has no claims.")?;
    let header: Header = part(header).ok_or("The assertion's header is not readable.")?;
    if header.alg != "RS256" {
        return Err(format!("The algorithm {:?} is not RS256.", header.alg));
    }
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature);
    let signature = signature.map_err(|_| "The signature is not base64url.")?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "invalid assertion: the signature is not this client's.")?;
    let claims: Claims = part(claims).ok_or("The assertion needs the claims iss, sub, aud and exp.")?;
    if claims.iss != settings.client_id {
        return Err("The issuer is not this client.".into());
    }
    if settings.subject.as_ref().is_some_and(|subject| *subject != claims.sub) || claims.sub.is_empty() {
        return Err("user hasn't approved this consumer".into());
    }
    let fits = match &settings.audience {
        Some(audience) => *audience == claims.aud,
        None => claims.aud == origin || LOGIN_HOSTS.contains(&claims.aud.as_str()),
    };
    if !fits {
        return Err("audience is invalid".into());
    }
    let left = claims.exp - now.as_second();
    match left {
        ..=0 => Err("expired authorization code: the assertion has ended.".into()),
        1..=LONGEST_S => Ok(()),
        _ => Err(format!("The assertion may end in {LONGEST_S} seconds at most.")),
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The PKCS #1 key that ring verifies with, out of `PUBLIC KEY` or `RSA PUBLIC KEY`.
fn public_key(pem: &str) -> Option<Vec<u8>> {
    let (label, rest) = pem.split_once("-----BEGIN ")?.1.split_once("-----")?;
    let text: String = rest.split_once("-----END")?.0.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    match label {
        "RSA PUBLIC KEY" => Some(der),
        "PUBLIC KEY" => {
            // SEQUENCE { SEQUENCE { algorithm }, BIT STRING { key } }
            let (whole, _) = element(0x30, &der)?;
            let (_, after) = element(0x30, whole)?;
            let (bits, _) = element(0x03, after)?;
            // The first byte counts the unused bits: none.
            bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
        }
        _ => None,
    }
}

/// A DER element's content, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ ..0x80 => (short, rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                length.checked_mul(256)?.checked_add(usize::from(*byte))
            })?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

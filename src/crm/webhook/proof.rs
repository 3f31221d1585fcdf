//! Carries out one scheme on one request. Compares in constant time, and never a decoded form of a signature, so that one
//! message has one valid signature only.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use ring::{digest, hmac};
use zeroize::Zeroizing;

use super::body::member;
use super::refusal::Reason;
use super::scheme::{
    Algorithm, Basic, BodySecret, Digest, DigestAlgorithm, Encoding, Hmac, KeyEncoding, Scheme, Timestamp, Unit, When,
    Wrap,
};
use super::secrets::Secrets;
use super::template::Template;
use super::{Incoming, header, hex, is_json, query};

/// The most signatures in one header.
const MAX_SIGNATURES: usize = 16;
/// The longest id of a message or subscription.
const MAX_ID: usize = 256;

/// Keys come with and without padding.
const KEYS: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a scheme has proven.
#[derive(Default)]
pub(super) struct Proof {
    /// The signature, which covers the message.
    pub tag: Option<Vec<u8>>,
    /// Whether it covers a time.
    pub is_stamped: bool,
    /// The message's id, where it is covered.
    pub message_id: Option<String>,
    /// The subscription.
    pub webhook_id: Option<String>,
}

/// Whether this scheme holds. `max_age` is in seconds.
pub(super) fn prove(
    scheme: &Scheme,
    secrets: &Secrets,
    incoming: &Incoming<'_>,
    now_ms: i64,
    max_age: u32,
) -> Result<Proof, Reason> {
    match scheme {
        Scheme::Hmac(scheme) => prove_hmac(scheme, secrets, incoming, now_ms, max_age),
        Scheme::Digest(scheme) => prove_digest(scheme, secrets, incoming),
        Scheme::Basic(scheme) => prove_basic(scheme, secrets, incoming),
        Scheme::Header(scheme) => {
            let value = header(incoming, &scheme.name)?.ok_or(Reason::Missing)?;
            prove_secret(&scheme.value, secrets, value.as_bytes())
        }
        Scheme::Query(scheme) => {
            let value = query(incoming.url, &scheme.name)?.ok_or(Reason::Missing)?;
            prove_secret(&scheme.value, secrets, &value)
        }
        Scheme::Body(scheme) => prove_body(scheme, secrets, incoming),
        Scheme::OpaqueUrl {} => Ok(Proof::default()),
        Scheme::None {} => Err(Reason::Unverifiable),
    }
}

fn prove_hmac(
    scheme: &Hmac,
    secrets: &Secrets,
    incoming: &Incoming<'_>,
    now_ms: i64,
    max_age: u32,
) -> Result<Proof, Reason> {
    applies(scheme.when.as_ref(), incoming)?;
    let value = header(incoming, &scheme.header)?.ok_or(Reason::Missing)?;
    let stamp = match &scheme.timestamp {
        Some(stamp) => Some((stamp, header(incoming, &stamp.header)?.ok_or(Reason::Missing)?)),
        None => None,
    };
    let message_id = match &scheme.id_header {
        Some(name) => Some(plain_id(header(incoming, name)?.ok_or(Reason::Missing)?)?),
        None => None,
    };
    let at = stamp.map(|(stamp, text)| milliseconds(stamp, text)).transpose()?;

    let wrapped = scheme.wrap.as_ref().map(|wrap| unwrap(wrap, value)).transpose()?;
    let webhook_id = wrapped.as_ref().map(|(id, _)| id.as_str());
    let key = hmac_key(scheme, secrets, webhook_id)?;

    let mut context = hmac::Context::with_key(&key);
    let lookup = |name: &str| match name {
        "timestamp" => stamp.map(|(_, text)| text.as_bytes()),
        "id" => message_id.map(str::as_bytes),
        name => message_part(name, incoming).or_else(|| secrets.get(name)),
    };
    scheme
        .message
        .parts(lookup, |part| context.update(part))
        .ok_or(Reason::Unconfigured)?;
    let tag = context.sign();
    let expected = encode(scheme.encoding, tag.as_ref());
    match &wrapped {
        Some((_, signature)) => compare(&expected, signature)?,
        None => one_of(&expected, value, &scheme.prefix, scheme.separator.as_deref())?,
    }
    // Only now: that an old message is the CRM's own is worth to know, a clock may be wrong.
    if let (Some((stamp, _)), Some(at)) = (stamp, at) {
        let window = i64::from(stamp.max_age_seconds.unwrap_or(max_age)) * 1000;
        if now_ms.saturating_sub(at) > window {
            return Err(Reason::Old);
        }
        if at.saturating_sub(now_ms) > window {
            return Err(Reason::Future);
        }
    }
    Ok(Proof {
        tag: Some(tag.as_ref().to_vec()),
        is_stamped: stamp.is_some(),
        message_id: message_id.map(str::to_owned),
        webhook_id: wrapped.map(|(id, _)| id),
    })
}

fn prove_digest(scheme: &Digest, secrets: &Secrets, incoming: &Incoming<'_>) -> Result<Proof, Reason> {
    applies(scheme.when.as_ref(), incoming)?;
    let value = header(incoming, &scheme.header)?.ok_or(Reason::Missing)?;
    let mut context = digest::Context::new(match scheme.algorithm {
        DigestAlgorithm::Sha256 => &digest::SHA256,
    });
    let lookup = |name: &str| message_part(name, incoming).or_else(|| secrets.get(name));
    scheme
        .message
        .parts(lookup, |part| context.update(part))
        .ok_or(Reason::Unconfigured)?;
    let tag = context.finish();
    one_of(&encode(scheme.encoding, tag.as_ref()), value, &scheme.prefix, None)?;
    // What can be appended to a known message starts with the padding of the digest, which is no JSON.
    if !incoming.body.is_empty() && !is_json(incoming.body) {
        return Err(Reason::Unreadable);
    }
    Ok(Proof {
        tag: Some(tag.as_ref().to_vec()),
        ..Proof::default()
    })
}

fn prove_basic(scheme: &Basic, secrets: &Secrets, incoming: &Incoming<'_>) -> Result<Proof, Reason> {
    let value = header(incoming, "authorization")?.ok_or(Reason::Missing)?;
    let (kind, given) = value.split_once(' ').ok_or(Reason::Malformed)?;
    if !kind.eq_ignore_ascii_case("basic") {
        return Err(Reason::Malformed);
    }
    let user = secrets.fill(&scheme.user, "").ok_or(Reason::Unconfigured)?;
    let password = secrets.fill(&scheme.password, "").ok_or(Reason::Unconfigured)?;
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
    pair.extend_from_slice(&user);
    pair.push(b':');
    pair.extend_from_slice(&password);
    let expected = Zeroizing::new(STANDARD.encode(&*pair));
    compare(expected.as_bytes(), given.as_bytes())?;
    Ok(Proof::default())
}

fn prove_body(scheme: &BodySecret, secrets: &Secrets, incoming: &Incoming<'_>) -> Result<Proof, Reason> {
    let value = member(incoming.body, &scheme.path)?.ok_or(Reason::Missing)?;
    prove_secret(&scheme.value, secrets, value.as_bytes())
}

fn prove_secret(value: &Template, secrets: &Secrets, given: &[u8]) -> Result<Proof, Reason> {
    let expected = secrets.fill(value, "").ok_or(Reason::Unconfigured)?;
    compare(&expected, given)?;
    Ok(Proof::default())
}

/// A scheme whose `when` does not hold was not used.
fn applies(when: Option<&When>, incoming: &Incoming<'_>) -> Result<(), Reason> {
    let Some(when) = when else {
        return Ok(());
    };
    match header(incoming, &when.header)? {
        Some(value) if value == when.equals => Ok(()),
        _ => Err(Reason::Missing),
    }
}

fn message_part<'a>(name: &str, incoming: &Incoming<'a>) -> Option<&'a [u8]> {
    match name {
        "method" => Some(incoming.method.as_bytes()),
        "url" => Some(incoming.url.as_bytes()),
        "body" => Some(incoming.body),
        _ => None,
    }
}

/// An id without any sign that a CRM puts between the parts of a message: else one part could borrow from the next.
fn plain_id(id: &str) -> Result<&str, Reason> {
    let is_plain = !id.is_empty()
        && id.len() <= MAX_ID
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_plain { Ok(id) } else { Err(Reason::Malformed) }
}

/// A header's time in milliseconds: digits only.
fn milliseconds(stamp: &Timestamp, text: &str) -> Result<i64, Reason> {
    if text.is_empty() || text.len() > 15 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Malformed);
    }
    let number: i64 = text.parse().map_err(|_| Reason::Malformed)?;
    Ok(match stamp.unit {
        Unit::Seconds => number.saturating_mul(1000),
        Unit::Milliseconds => number,
    })
}

/// The subscription's id and the signature inside a header.
fn unwrap(wrap: &Wrap, value: &str) -> Result<(String, Vec<u8>), Reason> {
    let bytes = STANDARD.decode(value).map_err(|_| Reason::Malformed)?;
    let separator = wrap.separator.as_bytes();
    let at = bytes
        .windows(separator.len())
        .position(|window| window == separator)
        .ok_or(Reason::Malformed)?;
    let id = bytes.get(..at).unwrap_or_default();
    let id = std::str::from_utf8(id).map_err(|_| Reason::Malformed)?;
    let signature = bytes.get(at + separator.len()..).unwrap_or_default();
    Ok((plain_id(id)?.to_owned(), signature.to_vec()))
}

fn hmac_key(scheme: &Hmac, secrets: &Secrets, webhook_id: Option<&str>) -> Result<hmac::Key, Reason> {
    let text = match (&scheme.wrap, webhook_id) {
        (Some(wrap), Some(id)) => match secrets.fill(&scheme.key, &format!(":{id}")) {
            Some(text) => Some(text),
            None => {
                let known = secrets.get(&wrap.id).ok_or(Reason::Unconfigured)?;
                compare(known, id.as_bytes())?;
                secrets.fill(&scheme.key, "")
            }
        },
        _ => secrets.fill(&scheme.key, ""),
    };
    let text = text.ok_or(Reason::Unconfigured)?;
    let written = text.strip_prefix(scheme.key_prefix.as_bytes()).unwrap_or(&text);
    let decoded = match scheme.key_encoding {
        KeyEncoding::Text => None,
        KeyEncoding::Hex => Some(unhex(written).ok_or(Reason::Unconfigured)?),
        KeyEncoding::Base64 => Some(Zeroizing::new(KEYS.decode(written).map_err(|_| Reason::Unconfigured)?)),
    };
    let key = decoded.as_ref().map_or(written, |decoded| decoded.as_slice());
    if key.is_empty() {
        return Err(Reason::Unconfigured);
    }
    let algorithm = match scheme.algorithm {
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    Ok(hmac::Key::new(algorithm, key))
}

fn unhex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push((digit(high)? << 4) | digit(low)?);
    }
    Some(bytes)
}

fn encode(encoding: Encoding, tag: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Hex => hex(tag).into_bytes(),
        Encoding::Base64 => STANDARD.encode(tag).into_bytes(),
        Encoding::Raw => tag.to_vec(),
    }
}

/// Whether one of the header's signatures is the expected one.
fn one_of(expected: &[u8], value: &str, prefix: &str, separator: Option<&str>) -> Result<(), Reason> {
    let mut worst = Reason::Malformed;
    let mut check = |signature: &str| -> bool {
        let Some(signature) = signature.strip_prefix(prefix) else {
            return false;
        };
        if signature.len() == expected.len() {
            worst = Reason::Mismatch;
        }
        is_same(expected, signature.as_bytes())
    };
    let found = match separator {
        None => check(value),
        Some(separator) if value.split(separator).count() > MAX_SIGNATURES => false,
        Some(separator) => value.split(separator).any(check),
    };
    if found { Ok(()) } else { Err(worst) }
}

fn compare(expected: &[u8], given: &[u8]) -> Result<(), Reason> {
    if is_same(expected, given) {
        Ok(())
    } else {
        Err(Reason::Mismatch)
    }
}

/// Compares in a time that tells nothing of where the two differ: both go through a MAC, whose comparison ring makes in
/// constant time (its plain comparison is not for others' use).
fn is_same(expected: &[u8], given: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"tenant_crm_sync webhook comparison");
    hmac::verify(&key, expected, hmac::sign(&key, given).as_ref()).is_ok()
}

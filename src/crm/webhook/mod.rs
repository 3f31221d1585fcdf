//! Webhooks: whether a request really comes from the CRM, as its connector describes it, and which records it is about.
//! Pure: the secrets, the time and the request are given. Storing, replay and fetching the records are others' business:
//! what stands in an event is a hint, the record is fetched again.

mod body;
mod events;
mod plan;
mod proof;
mod refusal;
mod scheme;
mod secrets;
mod subscribe;
mod template;

use ring::digest;
use serde::Deserialize;

use crate::crm::fingerprint::fingerprint;
use crate::json::Reader;

pub use events::{Action, Event, Events, Source, Word};
pub use refusal::{Reason, Refusal};
pub use scheme::{
    Algorithm, Basic, BodySecret, Digest, DigestAlgorithm, Encoding, HeaderSecret, Hmac, KeyEncoding, QuerySecret,
    Scheme, Timestamp, Unit, When, Wrap,
};
pub use secrets::Secrets;
pub use subscribe::Subscribe;
pub use template::Template;

use proof::Proof;

/// Larger bodies are refused unread.
pub const MAX_BODY: usize = 1024 * 1024;
/// The longest URL, and the longest value of a header that counts.
pub const MAX_HEADER: usize = 8 * 1024;
/// The most events, and the most records, in one request.
pub const MAX_EVENTS: usize = 1000;

/// How a CRM's webhooks are verified and read: the connector's block `webhooks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// The ways in which a request may prove its origin, in order: the first that holds is enough. A way whose secret the
    /// connection does not have is passed over.
    #[serde(deserialize_with = "scheme::checked")]
    pub verify: Vec<Scheme>,
    /// Where the events are in the body, which must be JSON then. Without it a request only says "something changed".
    pub events: Option<Events>,
    /// How the CRM is asked to send them; without it a person enters the address there.
    pub subscribe: Option<Subscribe>,
    /// How far a signed time may be from ours, in either direction, where the scheme does not say.
    #[serde(default = "five_minutes")]
    pub max_age_seconds: u32,
    /// What a person should know, shown beside the connection's fields.
    #[serde(default)]
    pub note: String,
}

const fn five_minutes() -> u32 {
    300
}

/// A request as it arrived. It has no `Debug`: its headers may hold secrets.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// `POST`
    pub method: &'a str,
    /// The public URL that the CRM called, with its query, undecoded.
    pub url: &'a str,
    /// Names in any case.
    pub headers: &'a [(String, String)],
    /// The raw bytes.
    pub body: &'a [u8],
}

/// A request that proved its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The kind of proof: `hmac`, `digest`, `basic`, `header`, `query`, `body` or `opaque_url`.
    pub scheme: &'static str,
    /// Its position among the connector's schemes, from 0.
    pub position: usize,
    /// The subscription that a wrapped signature names.
    pub webhook_id: Option<String>,
    /// What happened to which records; empty where the connector does not read events, or none is about a record.
    pub events: Vec<Event>,
    /// The same for the same message, 64 hexadecimal digits; made only of what the proof covers, so that nobody can
    /// change it. Unique within a connection.
    pub replay_key: String,
    /// Whether the key stands for one message, by a signed id or time or by its events' ids. Where not, a later message
    /// with the same content has the same key: then it only merges with one that is still waiting.
    pub identified: bool,
}

/// Verifies a request and reads its events. `now_ms` is our time in milliseconds since 1970.
pub fn verify(
    webhooks: &Webhooks,
    secrets: &Secrets,
    incoming: &Incoming<'_>,
    now_ms: i64,
) -> Result<Verified, Refusal> {
    if incoming.body.len() > MAX_BODY || incoming.url.len() > MAX_HEADER || incoming.method.len() > 32 {
        return Err(Reason::TooLarge.into());
    }
    // Whoever reads the first of two and whoever reads the last would verify different requests.
    for scheme in &webhooks.verify {
        scheme.headers().try_for_each(|name| header(incoming, name).map(drop))?;
    }
    let (position, scheme, proof) = prove(webhooks, secrets, incoming, now_ms)?;
    let events = match &webhooks.events {
        Some(events) => events.read(incoming)?,
        None => Vec::new(),
    };
    let (replay_key, identified) = replay_key(&proof, &events, incoming);
    Ok(Verified {
        scheme: scheme.name(),
        position,
        webhook_id: proof.webhook_id,
        events,
        replay_key,
        identified,
    })
}

/// The first scheme that holds.
fn prove<'a>(
    webhooks: &'a Webhooks,
    secrets: &Secrets,
    incoming: &Incoming<'_>,
    now_ms: i64,
) -> Result<(usize, &'a Scheme, Proof), Reason> {
    let mut reason = Reason::Missing;
    for (position, scheme) in webhooks.verify.iter().enumerate() {
        match proof::prove(scheme, secrets, incoming, now_ms, webhooks.max_age_seconds) {
            Ok(proof) => return Ok((position, scheme, proof)),
            // Signed by the CRM, but not now: a weaker scheme must not let it in again.
            Err(old @ (Reason::Old | Reason::Future)) => return Err(old),
            // What failed says more than what was not tried.
            Err(next) => {
                if next.weight() > reason.weight() {
                    reason = next;
                }
            }
        }
    }
    Err(reason)
}

/// A header's value; two of the same name are refused.
fn header<'a>(incoming: &Incoming<'a>, name: &str) -> Result<Option<&'a str>, Reason> {
    let mut found = incoming
        .headers
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Reason::Malformed),
        (Some((_, value)), None) if value.len() > MAX_HEADER => Err(Reason::TooLarge),
        (Some((_, value)), None) => Ok(Some(value)),
    }
}

/// A query parameter's value, decoded; two of the same name are refused.
fn query(url: &str, name: &str) -> Result<Option<Vec<u8>>, Reason> {
    let Some((_, query)) = url.split_once('?') else {
        return Ok(None);
    };
    let decode = |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    let mut found = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name.as_bytes()).then(|| decode(value))
    });
    match (found.next(), found.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Reason::Malformed),
    }
}

/// Whether a body is one JSON document.
fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| {
        let mut reader = Reader::new(text);
        reader.span().is_ok() && reader.end().is_ok()
    })
}

/// The key by which a message is known again, and whether it stands for one message only.
fn replay_key(proof: &Proof, events: &[Event], incoming: &Incoming<'_>) -> (String, bool) {
    let mut hash = Hash::new();
    let with_ids = !events.is_empty() && events.iter().all(|event| event.event_id.is_some());
    if let Some(id) = &proof.message_id {
        hash.add(b"id").add(id.as_bytes());
    } else if with_ids {
        // Not by the events' ids alone: HubSpot does not promise that they are unique. A second delivery differs in its
        // signed time and in its count of attempts, but not in these.
        hash.add(b"events");
        for event in events {
            event.hash(&mut hash);
        }
    } else if let Some(tag) = &proof.tag {
        hash.add(b"tag").add(tag);
        return (hash.hex(), proof.is_stamped);
    } else {
        match std::str::from_utf8(incoming.body) {
            // Nothing binds the body's spelling, so it must not make another message.
            Ok(text) if is_json(incoming.body) => hash.add(b"json").add(&fingerprint(text, &[("", &(0..text.len()))])),
            _ => hash.add(b"bytes").add(incoming.body),
        };
        return (hash.hex(), false);
    }
    (hash.hex(), true)
}

/// SHA-256 over parts, each with its length.
struct Hash(digest::Context);

impl Hash {
    fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    fn add(&mut self, part: &[u8]) -> &mut Self {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    fn hex(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

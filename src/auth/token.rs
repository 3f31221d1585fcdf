//! One tenant's token, kept good for all processes and hosts of a site.
//!
//! One process at a time asks the CRM: it holds the tenant's lease, which is fenced by the version that it read. What it got is
//! stored before it is used, so a refresh token that is good for one use only is not lost with a request. A holder that is
//! killed is in nobody's way for longer than its lease; then the next one sends the old refresh token again, which a CRM with a
//! grace period answers as before. Else that tenant has to be connected again. No other tenant waits for any of this.

use std::collections::BTreeMap;
use std::time::Duration;

use zeroize::Zeroizing;

use super::answer::{self, Answer, NoAnswer};
use super::bundle::{Bundle, Secret};
use super::grant::By;
use crate::error::{Error, Kind, Result};
use crate::net::send::{Call, Reply};
use crate::template::{Value, Values};

pub use super::bundle::Vault;
pub use super::grant::{Code, Connection};

/// How long a holder may take. Longer than a token request is waited for.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long somebody who has new tokens tries to store them.
const STUBBORN: Duration = Duration::from_secs(12);
/// Token requests of one call at most: others may spoil the first, not every one.
const ROUNDS: u32 = 3;

/// What is stored for a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Counts the commits, from 1.
    pub version: u64,
    /// The sealed bundle.
    pub envelope: String,
    /// Whether the CRM has refused this version's refresh token: a person must connect again.
    pub refused: bool,
}

/// Where one tenant's token is kept. Every verb takes effect at once, whatever becomes of the caller's transaction.
pub trait TokenStore {
    /// What is stored now.
    fn load(&mut self) -> Result<Option<Stored>>;
    /// A lease for this long, if the version is still this one (0: nothing is stored) and nobody holds one.
    fn lease(&mut self, version: u64, time: Duration) -> Result<Option<String>>;
    /// Stores the next version, not refused, and ends the lease. False where the lease is lost or the version another.
    fn commit(&mut self, lease: &str, version: u64, envelope: &str, expires_at: Option<i64>) -> Result<bool>;
    /// Ends the lease, if it is still this one.
    fn release(&mut self, lease: &str) -> Result<()>;
    /// Marks this version, if it is still that, as refused, and ends whatever lease there is.
    fn refuse(&mut self, version: u64, reason: &str) -> Result<()>;
}

/// Time, as far as tokens need it.
pub trait Clock {
    /// Seconds since 1970.
    fn unix(&self) -> f64;
    /// Time that only moves on.
    fn elapsed(&self) -> Duration;
    /// Waits; an error where the caller must not wait any more.
    fn sleep(&mut self, time: Duration) -> Result<()>;
}

/// What is needed to keep a token.
pub struct With<'a> {
    /// Where it is kept.
    pub store: &'a mut dyn TokenStore,
    /// How it is sealed.
    pub vault: &'a dyn Vault,
    /// Time.
    pub clock: &'a mut dyn Clock,
    /// Sends a token request.
    pub fetch: &'a mut dyn FnMut(Call) -> Result<Reply>,
}

/// A token that may be used.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Which one it is. If the CRM says that it has expired, ask for the next version.
    pub version: u64,
    /// The access token.
    pub access_token: Zeroizing<Vec<u8>>,
    /// What the connector takes from token answers, or its defaults.
    pub captured: BTreeMap<String, String>,
}

impl Granted {
    pub(super) fn new(connection: &Connection<'_>, version: u64, bundle: &Bundle) -> Option<Self> {
        let mut captured = connection.oauth.defaults(connection.values);
        captured.extend(bundle.captured.clone());
        Some(Self {
            version,
            access_token: Zeroizing::new(bundle.access_token.as_ref()?.as_str().as_bytes().to_vec()),
            captured,
        })
    }

    /// Sets `access_token` and what was captured.
    pub fn set(&self, values: &mut Values) {
        values.set("access_token", Value::text(self.access_token.as_slice()));
        for (name, value) in &self.captured {
            values.set(name, Value::text(value));
        }
    }
}

/// What is stored, as far as it is of use for this connection.
struct Known {
    version: u64,
    /// None where nothing is stored, or it was got with other settings.
    bundle: Option<Bundle>,
    refused: bool,
    /// Whether anything is stored at all.
    is_other: bool,
}

impl Known {
    fn load(source: &str, with: &mut With<'_>) -> Result<Self> {
        let Some(stored) = with.store.load()? else {
            return Ok(Self {
                version: 0,
                bundle: None,
                refused: false,
                is_other: false,
            });
        };
        // Nothing is in it where a first exchange was refused before anything was stored.
        let bundle = if stored.envelope.is_empty() {
            None
        } else {
            Some(Bundle::open(with.vault, &stored.envelope)?)
        };
        let is_other = bundle.as_ref().is_some_and(|bundle| bundle.source != source);
        Ok(Self {
            version: stored.version,
            bundle: bundle.filter(|_| !is_other),
            refused: stored.refused && !is_other,
            is_other,
        })
    }

    /// The stored token, if it is new enough.
    fn granted(&self, connection: &Connection<'_>, at_least: Option<u64>) -> Option<Granted> {
        if at_least.is_some_and(|version| self.version < version) {
            return None;
        }
        Granted::new(connection, self.version, self.bundle.as_ref()?)
    }

    fn is_fresh(&self, connection: &Connection<'_>, now: f64) -> bool {
        let end = self
            .bundle
            .as_ref()
            .and_then(|bundle| bundle.renew_at(connection.oauth.early_s));
        end.is_none_or(|end| now < end)
    }

    fn is_alive(&self, now: f64) -> bool {
        let end = self.bundle.as_ref().and_then(|bundle| bundle.expires_at);
        end.is_none_or(|end| now < end)
    }
}

/// A token of this version or a later one: the stored one if it is good, else a new one, got by us or by another process.
pub fn obtain(connection: &Connection<'_>, with: &mut With<'_>, at_least: Option<u64>) -> Result<Granted> {
    let deadline = with.clock.elapsed() + connection.config.timeout;
    let source = connection.source()?;
    let mut rounds = 0;
    let mut pause = Pause::new();
    loop {
        let known = Known::load(&source, with)?;
        let granted = known.granted(connection, at_least);
        if let Some(granted) = granted
            .clone()
            .filter(|_| known.is_fresh(connection, with.clock.unix()))
        {
            return Ok(granted);
        }
        if known.refused {
            return Err(reconnect(connection, None));
        }
        let spare = granted.filter(|_| known.is_alive(with.clock.unix()));
        let refresh_token = refresh_token(connection, &known)?;
        match with.store.lease(known.version, LEASE)? {
            Some(lease) => {
                rounds += 1;
                match renew(connection, with, &source, known, lease, refresh_token.as_ref()) {
                    Ok(Some(granted)) => return Ok(granted),
                    Ok(None) if rounds < ROUNDS => continue,
                    Ok(None) => return Err(busy(connection)),
                    // A token that still lives is used to its end, though the next one cannot be had yet.
                    Err(error) => return spare.filter(|_| error.kind != Kind::Cancelled).ok_or(error),
                }
            }
            // Somebody else renews it; meanwhile the old one is good.
            None => {
                if let Some(spare) = spare {
                    return Ok(spare);
                }
            }
        }
        if with.clock.elapsed() >= deadline {
            return Err(busy(connection));
        }
        with.clock.sleep(pause.next())?;
    }
}

/// Exchanges what a person's browser brought back for the first tokens, and stores them in place of what was there.
pub fn exchange(connection: &Connection<'_>, with: &mut With<'_>, code: &Code<'_>) -> Result<()> {
    if connection.oauth.pkce && code.verifier.is_none() {
        return Err(Error::new(Kind::Config, "this CRM wants PKCE: give the code verifier"));
    }
    // The code is good for one use: it is sent only when its tokens can be stored.
    let deadline = with.clock.elapsed() + LEASE;
    let source = connection.source()?;
    let mut pause = Pause::new();
    let (version, lease) = loop {
        let version = with.store.load()?.map_or(0, |stored| stored.version);
        if let Some(lease) = with.store.lease(version, LEASE)? {
            break (version, lease);
        }
        if with.clock.elapsed() >= deadline {
            return Err(busy(connection));
        }
        with.clock.sleep(pause.next())?;
    };
    let by = By::Code(code);
    let answer = prove(with, &source)
        .and_then(|()| connection.request(by))
        .and_then(|call| {
            answer::read(connection, by, (with.fetch)(call)).map_err(|reason| match reason {
                NoAnswer::Reconnect(words) => Error::new(
                    Kind::Credential,
                    format!("the CRM does not accept the consent ({words}): start again with \"Connect\""),
                ),
                NoAnswer::Failed(error) => error,
            })
        });
    match answer {
        Ok(answer) if answer.refresh_token.is_none() => {
            release(with, &lease);
            Err(Error::new(
                Kind::Credential,
                "the CRM gave no refresh token, so the connection would end within hours: the consent must be for offline access",
            ))
        }
        Ok(answer) => keep(
            connection,
            with,
            &source,
            Known {
                version,
                bundle: None,
                refused: false,
                is_other: false,
            },
            lease,
            answer,
        )
        .map(drop),
        Err(error) => {
            release(with, &lease);
            Err(error)
        }
    }
}

/// What a refresh sends; `None` for grants without refresh tokens.
fn refresh_token(connection: &Connection<'_>, known: &Known) -> Result<Option<Secret>> {
    if !connection.oauth.grant.uses_refresh_token() {
        return Ok(None);
    }
    let stored = known.bundle.as_ref().and_then(|bundle| bundle.refresh_token.clone());
    let token = stored.or_else(|| connection.first_refresh_token().map(|token| Secret::new(&token)));
    token.map(Some).ok_or_else(|| {
        let why = if known.is_other {
            "is connected with other settings than it has now"
        } else {
            "is not connected yet"
        };
        credential(connection, why)
    })
}

/// With the lease held: asks the CRM and stores what it gives. `None`: somebody else was faster, look again.
fn renew(
    connection: &Connection<'_>,
    with: &mut With<'_>,
    source: &str,
    known: Known,
    lease: String,
    refresh_token: Option<&Secret>,
) -> Result<Option<Granted>> {
    let by = match refresh_token {
        Some(token) => By::Refresh(token.as_str()),
        None => By::Itself { now: with.clock.unix() },
    };
    let call = prove(with, source).and_then(|()| connection.request(by));
    let call = match call {
        Ok(call) => call,
        Err(error) => {
            release(with, &lease);
            return Err(error);
        }
    };
    match answer::read(connection, by, (with.fetch)(call)) {
        Ok(answer) => keep(connection, with, source, known, lease, answer),
        Err(NoAnswer::Failed(error)) => {
            release(with, &lease);
            Err(error)
        }
        Err(NoAnswer::Reconnect(words)) => {
            let mut version = known.version;
            if let (None, Some(token)) = (&known.bundle, refresh_token) {
                // So that it is known which settings were refused: with others it is tried again.
                let unused = Bundle::unused(source, token.clone(), with.clock.unix()).seal(with.vault)?;
                if !with.store.commit(&lease, version, &unused, None)? {
                    return Ok(None);
                }
                version += 1;
            }
            with.store.refuse(version, &words)?;
            match with.store.load()? {
                // Whoever had the lease before us came back with the new token after all.
                Some(now) if now.version > version && !now.refused => Ok(None),
                _ => Err(reconnect(connection, Some(&words))),
            }
        }
    }
}

/// That tokens can be sealed is found out before old ones are spent.
fn prove(with: &With<'_>, source: &str) -> Result<()> {
    Bundle::unused(source, Secret::new(""), with.clock.unix())
        .seal(with.vault)
        .map(drop)
}

/// Stores new tokens, and only then lets them be used. `None`: somebody else's are stored, use those.
fn keep(
    connection: &Connection<'_>,
    with: &mut With<'_>,
    source: &str,
    known: Known,
    mut lease: String,
    answer: Answer,
) -> Result<Option<Granted>> {
    let (bundle, refused) = merged(source, known.bundle, answer, with.clock.unix());
    let envelope = bundle.seal(with.vault)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let expires_at = bundle.expires_at.map(|end| end as i64);
    let deadline = with.clock.elapsed() + STUBBORN;
    let mut pause = Pause::new();
    loop {
        let trouble = match with.store.commit(&lease, known.version, &envelope, expires_at) {
            Ok(true) => {
                return match refused {
                    Some(reason) => Err(Error::new(Kind::Egress, reason)),
                    None => Ok(Granted::new(connection, known.version + 1, &bundle)),
                };
            }
            // Our lease ran out. Unless somebody stored newer ones, what we hold is the only good copy.
            Ok(false) => match with.store.load() {
                Ok(now) if now.as_ref().map_or(0, |now| now.version) != known.version => return Ok(None),
                Ok(_) => match with.store.lease(known.version, LEASE) {
                    Ok(Some(again)) => {
                        lease = again;
                        continue;
                    }
                    Ok(None) => busy(connection),
                    Err(error) => error,
                },
                Err(error) => error,
            },
            Err(error) => error,
        };
        if trouble.kind == Kind::Cancelled || with.clock.elapsed() >= deadline {
            return Err(Error::new(
                trouble.kind,
                format!(
                    "new tokens came, but could not be stored, so they are not used: {}",
                    trouble.message
                ),
            ));
        }
        // Tokens that are not stored are lost: this is worth more than being stopped in time.
        let _ = with.clock.sleep(pause.next());
    }
}

/// What to store of an answer; with why its access token must not be used, where that is so.
pub(super) fn merged(source: &str, old: Option<Bundle>, answer: Answer, now: f64) -> (Bundle, Option<String>) {
    let old = old.unwrap_or_else(|| Bundle {
        refresh_token: None,
        ..Bundle::unused(source, Secret::new(""), now)
    });
    let (captured, refused) = match answer.captured {
        Ok(found) => (found, None),
        Err(reason) => (BTreeMap::new(), Some(reason)),
    };
    let bundle = Bundle {
        source: source.to_owned(),
        access_token: Some(answer.access_token).filter(|_| refused.is_none()),
        // Most answers to a refresh name none: then the old one stays good.
        refresh_token: answer.refresh_token.or(old.refresh_token),
        obtained_at: now,
        expires_at: answer.expires_in.map(|seconds| now + seconds),
        captured: old.captured.into_iter().chain(captured).collect(),
    };
    (bundle, refused)
}

/// Nothing depends on it: an abandoned lease ends by itself.
fn release(with: &mut With<'_>, lease: &str) {
    let _ = with.store.release(lease);
}

fn credential(connection: &Connection<'_>, why: &str) -> Error {
    let how = if connection.oauth.authorize_url.is_some() {
        "open the tenant in WordPress and choose \"Connect\""
    } else {
        "get a new refresh token from the CRM and enter it in the tenant's settings"
    };
    Error::new(
        Kind::Credential,
        format!("tenant \"{}\" {why}: {how}", connection.tenant),
    )
}

fn reconnect(connection: &Connection<'_>, words: Option<&str>) -> Error {
    let spent = if connection.oauth.rotates {
        "; it was good for one use, so somebody else may have used it"
    } else {
        ""
    };
    let words = words.map(|words| format!(" ({words})")).unwrap_or_default();
    credential(
        connection,
        &format!("must be connected again, the CRM refuses its refresh token{words}{spent}"),
    )
}

fn busy(connection: &Connection<'_>) -> Error {
    let mut error = Error::new(
        Kind::Timeout,
        format!(
            "another process is getting a new token for tenant \"{}\" and is not done yet: try again in a moment",
            connection.tenant
        ),
    );
    error.retry_after = Some(LEASE.as_secs_f64());
    error
}

/// Pauses that grow, each with its own share of chance.
struct Pause(u64);

impl Pause {
    const fn new() -> Self {
        Self(40)
    }

    fn next(&mut self) -> Duration {
        let most = self.0;
        self.0 = (most * 3 / 2).min(400);
        let mut byte = [0_u8; 1];
        // Without randomness the whole pause is taken.
        let share = getrandom::fill(&mut byte).map_or(u64::from(u8::MAX), |()| u64::from(byte[0]));
        Duration::from_millis(most / 2 + most * share / 510)
    }
}

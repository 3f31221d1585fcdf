//! One tenant's token, kept good for all processes and hosts of a site.
//!
//! One process at a time asks the CRM: it holds the tenant's lease, which is fenced by the version that it read. What it got is
//! stored before it is used, so a refresh token that is good for one use only is not lost with a request. A holder that is
//! killed is in nobody's way for longer than its lease; then the next one sends the old refresh token again, which a CRM with a
//! grace period answers as before. Else that tenant has to be connected again. No other tenant waits for any of this.

use std::collections::BTreeMap;
use std::time::Duration;

use zeroize::Zeroizing;

use super::bundle::Bundle;
use super::renew::{Known, refresh_token, renew};
use crate::error::{Error, Kind, Result};
use crate::net::send::{Call, Reply};
use crate::template::{Value, Values};

pub use super::bundle::Vault;
pub use super::grant::{Code, Connection};
pub use super::renew::exchange;

/// How long a holder may take. Longer than a token request is waited for.
pub const LEASE: Duration = Duration::from_secs(30);
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
        let spare = granted.filter(|_| known.is_alive(with.clock.unix()));
        if known.refused {
            return spare.ok_or_else(|| reconnect(connection, None));
        }
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

pub(super) fn credential(connection: &Connection<'_>, why: &str) -> Error {
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

pub(super) fn reconnect(connection: &Connection<'_>, words: Option<&str>) -> Error {
    let is_of_app = words.is_some_and(|words| words.starts_with("invalid_client"));
    if is_of_app || !connection.oauth.grant.uses_refresh_token() {
        let words = words.map(|words| format!(" ({words})")).unwrap_or_default();
        return Error::new(
            Kind::Credential,
            format!(
                "tenant \"{}\" must be connected again, the CRM refuses the app's own id, secret or key{words}: enter them again in the tenant's settings",
                connection.tenant
            ),
        );
    }
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

pub(super) fn busy(connection: &Connection<'_>) -> Error {
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
pub(super) struct Pause(u64);

impl Pause {
    pub(super) const fn new() -> Self {
        Self(40)
    }

    pub(super) fn next(&mut self) -> Duration {
        let most = self.0;
        self.0 = (most * 3 / 2).min(400);
        let mut byte = [0_u8; 1];
        // Without randomness the whole pause is taken.
        let share = getrandom::fill(&mut byte).map_or(u64::from(u8::MAX), |()| u64::from(byte[0]));
        Duration::from_millis(most / 2 + most * share / 510)
    }
}

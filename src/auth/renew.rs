//! Getting new tokens with the lease in hand: from a refresh token, from a person's consent or from nothing. They are stored
//! before they are used; who may try, and what the others do meanwhile, is the business of `token`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answer::{self, Answer, NoAnswer};
use super::bundle::{Bundle, Secret};
use super::grant::{By, Code, Connection};
use super::token::{Granted, LEASE, Pause, With, busy, credential, reconnect};
use crate::error::{Error, Kind, Result};

/// How long somebody who has new tokens tries to store them.
const STUBBORN: Duration = Duration::from_secs(12);

/// What is stored, as far as it is of use for this connection.
pub struct Known {
    pub version: u64,
    /// None where nothing is stored, or it was got with other settings.
    bundle: Option<Bundle>,
    pub refused: bool,
    /// Whether what is stored was got with other settings.
    is_other: bool,
}

impl Known {
    pub fn load(source: &str, with: &mut With<'_>) -> Result<Self> {
        let Some(stored) = with.store.load()? else {
            return Ok(Self {
                version: 0,
                bundle: None,
                refused: false,
                is_other: false,
            });
        };
        let bundle = Bundle::open(with.vault, &stored.envelope)?;
        let is_other = bundle.as_ref().is_none_or(|bundle| bundle.source != source);
        Ok(Self {
            version: stored.version,
            bundle: bundle.filter(|_| !is_other),
            refused: stored.refused && !is_other,
            is_other,
        })
    }

    /// The stored token, if it is new enough.
    pub fn granted(&self, connection: &Connection<'_>, at_least: Option<u64>) -> Option<Granted> {
        if at_least.is_some_and(|version| self.version < version) {
            return None;
        }
        Granted::new(connection, self.version, self.bundle.as_ref()?)
    }

    pub fn is_fresh(&self, connection: &Connection<'_>, now: f64) -> bool {
        let end = self
            .bundle
            .as_ref()
            .and_then(|bundle| bundle.renew_at(connection.oauth.early_s));
        end.is_none_or(|end| now < end)
    }

    pub fn is_alive(&self, now: f64) -> bool {
        let end = self.bundle.as_ref().and_then(|bundle| bundle.expires_at);
        end.is_none_or(|end| now < end)
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
pub fn refresh_token(connection: &Connection<'_>, known: &Known) -> Result<Option<Secret>> {
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
pub fn renew(
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
pub fn merged(source: &str, old: Option<Bundle>, answer: Answer, now: f64) -> (Bundle, Option<String>) {
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

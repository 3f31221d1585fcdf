//! Tokens that need no store, because their grant gives another at any time: kept by the process that got them.

use std::collections::HashMap;
use std::process;

use super::answer::{self, NoAnswer};
use super::bundle::Bundle;
use super::grant::{By, Connection};
use super::renew::merged;
use super::token::{Clock, Granted};
use crate::error::{Error, Kind, Result};
use crate::net::send::{Call, Reply};

/// Tokens that are kept at most.
const MOST: usize = 256;

/// This process's tokens. A child that inherits them gets its own.
#[derive(Debug, Default)]
pub struct LocalTokens {
    pid: u32,
    tokens: HashMap<(String, String, String), (u64, Bundle)>,
}

impl LocalTokens {
    /// The token of this version or a later one, if it is known and good.
    pub fn get(
        &mut self,
        site: &str,
        connection: &Connection<'_>,
        now: f64,
        at_least: Option<u64>,
    ) -> Result<Option<Granted>> {
        if self.pid != process::id() {
            self.tokens.clear();
            self.pid = process::id();
        }
        let Some((version, bundle)) = self.tokens.get(&key(site, connection)?) else {
            return Ok(None);
        };
        let is_good = at_least.is_none_or(|least| *version >= least)
            && bundle.renew_at(connection.oauth.early_s).is_none_or(|end| now < end);
        Ok(Granted::new(connection, *version, bundle).filter(|_| is_good))
    }

    fn set(&mut self, key: (String, String, String), bundle: Bundle) -> u64 {
        let version = self.tokens.get(&key).map_or(1, |(version, _)| version + 1);
        if self.tokens.len() >= MOST && !self.tokens.contains_key(&key) {
            self.tokens.clear();
        }
        self.tokens.insert(key, (version, bundle));
        version
    }

    /// A new token, from the CRM. `tokens` is borrowed only when the answer is there.
    pub fn renew(
        tokens: &std::cell::RefCell<Self>,
        site: &str,
        connection: &Connection<'_>,
        clock: &dyn Clock,
        fetch: &mut dyn FnMut(Call) -> Result<Reply>,
    ) -> Result<Granted> {
        if connection.oauth.grant.uses_refresh_token() {
            return Err(Error::new(
                Kind::Config,
                "this connection lives on a refresh token, which must be stored safely: activate the plugin tenant-crm-sync, or give TenantCRMSync::use_token_store() a store",
            ));
        }
        let key = key(site, connection)?;
        let by = By::Itself { now: clock.unix() };
        let outcome = fetch(connection.request(by)?);
        let answer = answer::read(connection, by, outcome).map_err(|reason| match reason {
            NoAnswer::Reconnect(words) => Error::new(
                Kind::Credential,
                format!("the CRM gives no token ({words}): check the client's id, secret and rights"),
            ),
            NoAnswer::Failed(error) => error,
        })?;
        let (bundle, refused) = merged(&key.2, None, answer, clock.unix());
        if let Some(reason) = refused {
            return Err(Error::new(Kind::Egress, reason));
        }
        let version = tokens.borrow_mut().set(key, bundle.clone());
        Granted::new(connection, version, &bundle)
            .ok_or_else(|| Error::new(Kind::Decode, "the answer to the token request holds no access_token"))
    }
}

fn key(site: &str, connection: &Connection<'_>) -> Result<(String, String, String)> {
    Ok((site.to_owned(), connection.tenant.to_owned(), connection.source()?))
}

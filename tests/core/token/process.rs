//! The processes of a played site: each with its store, its keys and its clock, and some of them with a death ahead.

use std::time::Duration;

use tenant_crm_sync::auth::oauth2::Oauth2;
use tenant_crm_sync::auth::token::{Clock, Connection, Granted, Stored, TokenStore, Vault, With, obtain};
use tenant_crm_sync::error::{Error, Kind, Result};
use tenant_crm_sync::net::send::Call;
use tenant_crm_sync::template::{Value, Values};
use zeroize::Zeroizing;

use super::world::{Row, State, World, config};

/// What becomes of a process that refreshes.
pub enum Fate {
    Lives,
    BeforeSending,
    Between,
    AfterCommit,
    /// It is stopped after the CRM has answered, and goes on after this.
    SleepsWhile(Box<dyn FnOnce(&World)>),
}

/// One process of the site.
pub struct Process {
    world: World,
    fate: Fate,
    pub is_interrupted: bool,
}

impl Process {
    pub fn of(world: &World) -> Self {
        Self::dying(world, Fate::Lives)
    }

    pub fn dying(world: &World, fate: Fate) -> Self {
        Self {
            world: world.clone(),
            fate,
            is_interrupted: false,
        }
    }

    pub fn ask(&mut self, tenant: &str, oauth: &Oauth2, values: &Values, at_least: Option<u64>) -> Result<Granted> {
        let first = format!("refresh-0-{tenant}");
        let values = match values.text("refresh_token") {
            Some(_) => values.clone(),
            None => values.clone().with("refresh_token", Value::text(first)),
        };
        self.run(tenant, oauth, &values, |connection, with| {
            obtain(connection, with, at_least)
        })
    }

    pub fn run<T>(
        &mut self,
        tenant: &str,
        oauth: &Oauth2,
        values: &Values,
        work: impl FnOnce(&Connection<'_>, &mut With<'_>) -> Result<T>,
    ) -> Result<T> {
        let config = config();
        let is_dead = std::cell::Cell::new(false);
        let dies_after_commit = matches!(self.fate, Fate::AfterCommit);
        let mut fate = std::mem::replace(&mut self.fate, Fate::Lives);
        let world = self.world.clone();
        let mut fetch = |call: Call| {
            match std::mem::replace(&mut fate, Fate::Lives) {
                Fate::BeforeSending => is_dead.set(true),
                Fate::Between => {
                    world.answer(&call).unwrap();
                    is_dead.set(true);
                }
                Fate::SleepsWhile(what) => {
                    let answer = world.answer(&call);
                    what(&world);
                    return answer;
                }
                Fate::Lives | Fate::AfterCommit => return world.answer(&call),
            }
            Err(dead())
        };
        let mut with = With {
            store: &mut Memory {
                world: &self.world,
                tenant,
                is_dead: &is_dead,
                dies_after_commit,
            },
            vault: &Keys(&self.world),
            clock: &mut Hands {
                world: &self.world,
                is_interrupted: self.is_interrupted,
            },
            fetch: &mut fetch,
        };
        let outcome = work(
            &Connection {
                tenant,
                oauth,
                values,
                config: &config,
                lane: None,
            },
            &mut with,
        );
        if is_dead.get() { Err(dead()) } else { outcome }
    }
}

/// What a killed process does from then on: nothing.
fn dead() -> Error {
    Error::new(Kind::Cancelled, "killed")
}

struct Memory<'a> {
    world: &'a World,
    tenant: &'a str,
    is_dead: &'a std::cell::Cell<bool>,
    dies_after_commit: bool,
}

impl Memory<'_> {
    fn alive<T>(&self, work: impl FnOnce(&mut State, f64) -> Result<T>) -> Result<T> {
        if self.is_dead.get() {
            return Err(dead());
        }
        let now = self.world.now();
        self.world.with(|state| work(state, now))
    }
}

impl TokenStore for Memory<'_> {
    fn load(&mut self) -> Result<Option<Stored>> {
        self.alive(|state, _| {
            let row = state.rows.get(self.tenant).filter(|row| row.version > 0);
            Ok(row.map(|row| Stored {
                version: row.version,
                envelope: row.envelope.clone(),
                refused: row.refused,
            }))
        })
    }

    fn lease(&mut self, version: u64, time: Duration) -> Result<Option<String>> {
        self.alive(|state, now| {
            state.leases += 1;
            let name = format!("lease-{}", state.leases);
            let row = state.rows.entry(self.tenant.to_owned()).or_default();
            if row.version != version || row.lease.as_ref().is_some_and(|(_, until)| *until > now) {
                return Ok(None);
            }
            row.lease = Some((name.clone(), now + time.as_secs_f64()));
            Ok(Some(name))
        })
    }

    fn commit(&mut self, lease: &str, version: u64, envelope: &str, _: Option<i64>) -> Result<bool> {
        let stored = self.alive(|state, _| {
            if state.failing_commits > 0 {
                state.failing_commits -= 1;
                return Err(Error::new(Kind::Credential, "the database has gone away"));
            }
            let row = state.rows.entry(self.tenant.to_owned()).or_default();
            if row.version != version || row.lease.as_ref().is_none_or(|(name, _)| name != lease) {
                return Ok(false);
            }
            *row = Row {
                version: version + 1,
                envelope: envelope.to_owned(),
                refused: false,
                lease: None,
            };
            Ok(true)
        });
        self.is_dead.set(self.is_dead.get() || self.dies_after_commit);
        stored
    }

    fn release(&mut self, lease: &str) -> Result<()> {
        self.alive(|state, _| {
            if let Some(row) = state.rows.get_mut(self.tenant)
                && row.lease.as_ref().is_some_and(|(name, _)| name == lease)
            {
                row.lease = None;
            }
            Ok(())
        })
    }

    fn refuse(&mut self, version: u64, _: &str) -> Result<()> {
        self.alive(|state, _| {
            if let Some(row) = state.rows.get_mut(self.tenant)
                && row.version == version
            {
                (row.refused, row.lease) = (true, None);
            }
            Ok(())
        })
    }
}

struct Keys<'a>(&'a World);

impl Vault for Keys<'_> {
    fn seal(&self, plain: &[u8]) -> Result<String> {
        if self.0.with(|state| state.no_keys) {
            return Err(Error::new(Kind::Credential, "no host key"));
        }
        Ok(format!("sealed:{}", std::str::from_utf8(plain).unwrap()))
    }

    fn open(&self, envelope: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        if self.0.with(|state| state.moved) {
            return Ok(None);
        }
        Ok(Some(Zeroizing::new(
            envelope.strip_prefix("sealed:").unwrap().as_bytes().to_vec(),
        )))
    }
}

struct Hands<'a> {
    world: &'a World,
    is_interrupted: bool,
}

impl Clock for Hands<'_> {
    fn unix(&self) -> f64 {
        self.world.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.world.now() - 1e9)
    }

    fn sleep(&mut self, time: Duration) -> Result<()> {
        if self.is_interrupted {
            return Err(Error::new(Kind::Cancelled, "interrupted"));
        }
        if self.world.with(|state| state.real.is_some()) {
            std::thread::sleep(time);
        } else {
            self.world.pass(time.as_secs_f64());
        }
        Ok(())
    }
}

//! Everything the process knows: tenants, the request log, counters. Each part locks for itself and briefly.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use parking_lot::RwLock;

use crate::dialects::{Credential, Scheme};
use crate::log::Log;
use crate::tenant::{Config, Tenant};

/// Access tokens beyond this number push out the ones that have ended.
const TOKENS: usize = 10_000;

pub struct App {
    pub tenants: Tenants,
    pub log: Log,
    pub stats: Stats,
}

impl App {
    pub fn new(log_limit: usize) -> Self {
        Self {
            tenants: Tenants::default(),
            log: Log::new(log_limit),
            stats: Stats::default(),
        }
    }

    pub fn reset(&self) {
        self.tenants.clear();
        self.log.clear();
        self.stats.reset();
    }
}

/// Tenants by id, and by the key that requests carry.
#[derive(Default)]
pub struct Tenants(RwLock<Index>);

#[derive(Default)]
struct Index {
    by_id: BTreeMap<String, Arc<Tenant>>,
    by_key: HashMap<String, Arc<Tenant>>,
    tokens: HashMap<String, Token>,
}

/// An access token that was issued.
struct Token {
    tenant: String,
    ends: Instant,
}

impl Tenants {
    pub fn by_id(&self, id: &str) -> Option<Arc<Tenant>> {
        self.0.read().by_id.get(id).cloned()
    }

    pub fn by_key(&self, key: &str) -> Option<Arc<Tenant>> {
        self.0.read().by_key.get(key).cloned()
    }

    /// The first credential that is somebody's. The tenants of `rest` take Bearer only.
    pub fn authenticate(&self, credentials: &[Credential]) -> Option<Known> {
        credentials.iter().find_map(|credential| {
            let (tenant, expired) = match self.by_key(&credential.text) {
                Some(tenant) => (tenant, false),
                None => self.by_token(&credential.text)?,
            };
            let spoken = tenant.config().dialect.dialect().is_some();
            let known = Known {
                tenant,
                credential: credential.clone(),
                expired,
            };
            (spoken || credential.scheme == Scheme::Bearer).then_some(known)
        })
    }

    /// Remembers an access token; past its end it still says whose it was.
    pub fn issue(&self, token: &str, tenant: &str, ends: Instant) {
        let mut index = self.0.write();
        if index.tokens.len() >= TOKENS {
            let now = Instant::now();
            index.tokens.retain(|_, token| token.ends > now);
        }
        let tenant = tenant.to_owned();
        index.tokens.insert(token.to_owned(), Token { tenant, ends });
    }

    fn by_token(&self, text: &str) -> Option<(Arc<Tenant>, bool)> {
        let index = self.0.read();
        let token = index.tokens.get(text)?;
        let tenant = index.by_id.get(&token.tenant)?.clone();
        Some((tenant, token.ends <= Instant::now()))
    }

    /// Ends all access tokens of a tenant; says how many were alive.
    pub fn expire(&self, tenant: &str) -> usize {
        let now = Instant::now();
        let mut index = self.0.write();
        let mut alive = 0;
        for token in index.tokens.values_mut().filter(|token| token.tenant == tenant) {
            alive += usize::from(token.ends > now);
            token.ends = token.ends.min(now);
        }
        alive
    }

    pub fn live_tokens(&self, tenant: &str) -> usize {
        let now = Instant::now();
        let index = self.0.read();
        let mine = index.tokens.values().filter(|token| token.tenant == tenant);
        mine.filter(|token| token.ends > now).count()
    }

    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.0.read().by_id.values().cloned().collect()
    }

    /// Makes or changes a tenant. Fails where another tenant has that key.
    pub fn put(&self, id: &str, config: Config) -> Result<(), String> {
        let mut known = self.0.write();
        if let Some(other) = known.by_key.get(&config.key)
            && other.id != id
        {
            return Err(format!(
                "tenant {:?} has this key already: give each tenant its own",
                other.id
            ));
        }
        known.by_key.retain(|_, other| other.id != id);
        let key = config.key.clone();
        let tenant = match known.by_id.get(id) {
            Some(tenant) => {
                tenant.configure(config);
                tenant.clone()
            }
            None => Arc::new(Tenant::new(id.to_owned(), config)),
        };
        known.by_key.insert(key, tenant.clone());
        known.by_id.insert(id.to_owned(), tenant);
        Ok(())
    }

    pub fn remove(&self, id: &str) -> bool {
        let mut known = self.0.write();
        known.by_key.retain(|_, other| other.id != id);
        known.tokens.retain(|_, token| token.tenant != id);
        known.by_id.remove(id).is_some()
    }

    fn clear(&self) {
        *self.0.write() = Index::default();
    }
}

/// A client that is somebody.
pub struct Known {
    pub tenant: Arc<Tenant>,
    pub credential: Credential,
    /// It was an access token, and its time is over.
    pub expired: bool,
}

/// Counters of the two API ports.
#[derive(Default)]
pub struct Stats {
    /// Never reset: a connection's number is its name for as long as the process lives.
    last_connection: AtomicU64,
    pub connections: AtomicU64,
    pub open: AtomicU64,
    pub requests: AtomicU64,
}

impl Stats {
    pub fn accepted(self: &Stats) -> Open<'_> {
        self.connections.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Open {
            number: self.last_connection.fetch_add(1, Relaxed) + 1,
            stats: self,
        }
    }

    fn reset(&self) {
        self.connections.store(0, Relaxed);
        self.requests.store(0, Relaxed);
    }
}

/// Counts a connection as open until it is dropped.
pub struct Open<'a> {
    pub number: u64,
    stats: &'a Stats,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.stats.open.fetch_sub(1, Relaxed);
    }
}

//! One tenant of the CRM: how its API behaves, its rows, its limit and the faults that are planned for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard, RwLock};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::dialects::Crm;
use crate::faults::Plan;
use crate::filter::TimeFormat;
use crate::limit::Limiter;
use crate::oauth;
use crate::paging::Paging;
use crate::store::{Id, IdKind, Object, Order, Table};

/// Keys of POST requests that are remembered, per tenant.
const REMEMBERED: usize = 100_000;
/// Queries that are being paged through at once, per tenant.
const CURSORS: usize = 50;

#[derive(Debug, Clone, Serialize)]
pub struct Config {
    pub key: String,
    pub paging: Paging,
    pub order: Order,
    pub ids: IdKind,
    pub timestamps: TimeFormat,
    /// By how much its clock is ahead.
    pub clock_ms: i64,
    pub max_per_page: usize,
    pub strict: bool,
    pub dialect: Crm,
    /// What signs requests where the CRM has a second secret (EspoCRM's HMAC).
    pub secret: Option<String>,
    /// Names of fields that this tenant's CRM has besides its usual ones; in rows they have the same names.
    pub custom_fields: Vec<String>,
    pub oauth: Option<oauth::Settings>,
    /// The dialect's own switches.
    pub options: Map<String, Value>,
}

impl Config {
    pub fn new(key: String) -> Self {
        Self {
            key,
            paging: Paging::default(),
            order: Order::default(),
            ids: IdKind::default(),
            timestamps: TimeFormat::default(),
            clock_ms: 0,
            max_per_page: 1000,
            strict: false,
            dialect: Crm::default(),
            secret: None,
            custom_fields: Vec::new(),
            oauth: None,
            options: Map::new(),
        }
    }

    /// The time of a change that the sandbox makes itself, by this CRM's clock and in the precision that is served: a filter compares what
    /// the client saw.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let skewed = now.checked_add(SignedDuration::from_millis(self.clock_ms));
        self.timestamps.truncate(skewed.unwrap_or(now))
    }

    /// A CRM's ids are its own, and not all its objects have the same kind.
    pub fn id_kind(&self, object: Object) -> IdKind {
        self.dialect.dialect().map_or(self.ids, |dialect| dialect.ids(object))
    }
}

/// How the network between the client and this tenant's CRM is made to look.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    pub latency: Duration,
    pub jitter: Duration,
    pub bytes_per_s: Option<u64>,
}

pub struct Tenant {
    pub id: String,
    config: RwLock<Config>,
    pub behaviour: RwLock<Behaviour>,
    pub limiter: Mutex<Limiter>,
    pub faults: Mutex<Plan>,
    pub oauth: Mutex<oauth::State>,
    pub cursors: Mutex<Cursors>,
    /// Webhooks that were made, as the dialect shows them.
    pub webhooks: Mutex<Vec<Value>>,
    made_webhooks: AtomicU64,
    tables: Tables,
    created: Mutex<Created>,
}

#[derive(Default)]
struct Tables {
    leads: RwLock<Table>,
    contacts: RwLock<Table>,
    companies: RwLock<Table>,
    deals: RwLock<Table>,
    tickets: RwLock<Table>,
}

impl Tenant {
    pub fn new(id: String, config: Config) -> Self {
        let mut oauth = oauth::State::default();
        oauth.configure(None, config.oauth.as_ref());
        Self {
            id,
            oauth: Mutex::new(oauth),
            config: RwLock::new(config),
            behaviour: RwLock::default(),
            limiter: Mutex::default(),
            faults: Mutex::default(),
            cursors: Mutex::default(),
            webhooks: Mutex::default(),
            made_webhooks: AtomicU64::new(0),
            tables: Tables::default(),
            created: Mutex::default(),
        }
    }

    /// The number of a new webhook.
    pub fn next_webhook(&self) -> u64 {
        self.made_webhooks.fetch_add(1, Relaxed) + 1
    }

    pub fn config(&self) -> Config {
        self.config.read().clone()
    }

    pub fn configure(&self, config: Config) {
        let mut old = self.config.write();
        self.oauth.lock().configure(old.oauth.as_ref(), config.oauth.as_ref());
        *old = config;
    }

    /// One of the dialect's own switches.
    pub fn option(&self, name: &str) -> Option<Value> {
        self.config.read().options.get(name).cloned()
    }

    pub fn table(&self, object: Object) -> &RwLock<Table> {
        match object {
            Object::Leads => &self.tables.leads,
            Object::Contacts => &self.tables.contacts,
            Object::Companies => &self.tables.companies,
            Object::Deals => &self.tables.deals,
            Object::Tickets => &self.tables.tickets,
        }
    }

    /// Held while a keyed row is created, so that two requests with one key make one row.
    pub fn created(&self) -> MutexGuard<'_, Created> {
        self.created.lock()
    }
}

/// Results of queries that are handed out page by page, as they were when the query ran.
#[derive(Default)]
pub struct Cursors {
    kept: VecDeque<(u64, Arc<Cursor>)>,
    last: u64,
}

pub struct Cursor {
    pub object: Object,
    /// The query in the dialect's own words.
    pub query: String,
    pub ids: Vec<Id>,
    /// What each row was, for dialects that tell what has changed since.
    pub marks: Vec<u64>,
}

impl Cursors {
    /// Its number. The oldest ones are forgotten.
    pub fn keep(&mut self, cursor: Cursor) -> u64 {
        if self.kept.len() >= CURSORS {
            self.kept.pop_front();
        }
        self.last += 1;
        self.kept.push_back((self.last, Arc::new(cursor)));
        self.last
    }

    pub fn find(&self, number: u64) -> Option<Arc<Cursor>> {
        let kept = self.kept.iter().find(|(known, _)| *known == number);
        kept.map(|(_, cursor)| cursor.clone())
    }
}

/// What was answered to POST requests that carried an Idempotency-Key.
#[derive(Default)]
pub struct Created {
    answers: HashMap<(Object, String), (Bytes, Bytes)>,
    order: VecDeque<(Object, String)>,
}

impl Created {
    /// The request's body and the row it was answered with.
    pub fn find(&self, object: Object, key: &str) -> Option<(Bytes, Bytes)> {
        self.answers.get(&(object, key.to_owned())).cloned()
    }

    pub fn remember(&mut self, object: Object, key: &str, request: Bytes, row: Bytes) {
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        let name = (object, key.to_owned());
        self.order.push_back(name.clone());
        self.answers.insert(name, (request, row));
    }
}

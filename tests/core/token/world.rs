//! A played site: what is stored, the time, and a CRM whose refresh tokens may be good for one use.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tenant_crm_sync::auth::oauth2::Oauth2;
use tenant_crm_sync::config::{Config, Transport};
use tenant_crm_sync::error::{Error, Result};
use tenant_crm_sync::net::send::{Call, Reply};
use tenant_crm_sync::template::{Value, Values};

/// What a connector says, with changes.
pub fn oauth(changes: &str) -> Oauth2 {
    let mut json = serde_json::json!({"grant": "refresh_token", "token_url": "https://{host}/oauth/token"});
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        json[name] = value.clone();
    }
    let oauth: Oauth2 = serde_json::from_value(json).unwrap();
    oauth.check().unwrap();
    oauth
}

/// A connection's fields, with changes. `{tenant}` is set when it is asked for.
pub fn values(changes: &[(&str, &str)]) -> Values {
    let mut values = Values::new();
    for (name, value) in [
        ("api_endpoint", "https://crm.example"),
        ("host", "login.example"),
        ("client_id", "client"),
        ("client_secret", "s3cret-of-client"),
    ] {
        values.set(name, Value::text(value));
    }
    for (name, value) in changes {
        values.set(name, Value::text(value));
    }
    values
}

pub fn config() -> Config {
    Config {
        transport: Transport {
            ca_file: PathBuf::new(),
            allow_private_networks: false,
            connect_timeout: Duration::from_secs(1),
            proxy: None,
        },
        allow_http: false,
        timeout: Duration::from_secs(10),
        max_response_bytes: 1 << 20,
        accessible_hosts: None,
    }
}

/// A whole answer.
pub fn reply(status: u16, body: &str) -> Reply {
    Reply {
        operation: String::from("POST https://login.example/oauth/token"),
        status: StatusCode::from_u16(status).unwrap(),
        no_rows: false,
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
        attempts: 1,
        elapsed: Duration::ZERO,
    }
}

#[derive(Default)]
pub struct Row {
    pub version: u64,
    pub envelope: String,
    pub refused: bool,
    pub lease: Option<(String, f64)>,
}

/// Tokens of one tenant in the CRM.
#[derive(Default)]
struct Account {
    refresh_token: String,
    /// The one before, and until when it gets the same answer.
    previous: Option<(String, f64)>,
    last_answer: String,
    issued: u32,
}

pub struct Crm {
    accounts: BTreeMap<String, Account>,
    pub rotates: bool,
    pub grace: f64,
    pub life: Option<f64>,
    pub latency: Duration,
    pub fault: Option<Error>,
    pub always: Option<(u16, String)>,
    pub extra: String,
    refreshes: usize,
    refused: usize,
    requests: usize,
}

pub struct State {
    now: f64,
    pub real: Option<Instant>,
    pub leases: u32,
    pub rows: BTreeMap<String, Row>,
    pub failing_commits: usize,
    pub no_keys: bool,
    /// What is stored was sealed for another endpoint.
    pub moved: bool,
    pub crm: Crm,
}

#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

impl World {
    /// With a clock that only moves when somebody waits.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            now: 1e9,
            real: None,
            leases: 0,
            rows: BTreeMap::new(),
            failing_commits: 0,
            no_keys: false,
            moved: false,
            crm: Crm {
                accounts: BTreeMap::new(),
                rotates: false,
                grace: 0.0,
                life: Some(1800.0),
                latency: Duration::ZERO,
                fault: None,
                always: None,
                extra: String::new(),
                refreshes: 0,
                refused: 0,
                requests: 0,
            },
        })))
    }

    /// With the real clock, for threads.
    pub fn real() -> Self {
        let world = Self::new();
        world.with(|state| state.real = Some(Instant::now()));
        world
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    pub fn now(&self) -> f64 {
        self.with(|state| state.now + state.real.map_or(0.0, |start| start.elapsed().as_secs_f64()))
    }

    pub fn pass(&self, seconds: f64) {
        self.with(|state| state.now += seconds);
    }

    pub fn refreshes(&self) -> usize {
        self.with(|state| state.crm.refreshes)
    }

    pub fn refused(&self) -> usize {
        self.with(|state| state.crm.refused)
    }

    pub fn requests(&self) -> usize {
        self.with(|state| state.crm.requests)
    }

    pub fn stored(&self, tenant: &str) -> String {
        self.with(|state| state.rows[tenant].envelope.clone())
    }

    pub fn version(&self, tenant: &str) -> u64 {
        self.with(|state| state.rows[tenant].version)
    }

    pub fn access_in(&self, tenant: &str) -> String {
        let json: serde_json::Value =
            serde_json::from_str(self.stored(tenant).strip_prefix("sealed:").unwrap()).unwrap();
        json["access_token"].as_str().unwrap().to_owned()
    }

    pub fn is_leased(&self, tenant: &str) -> bool {
        let now = self.now();
        self.with(|state| {
            let lease = state.rows.get(tenant).and_then(|row| row.lease.as_ref());
            lease.is_some_and(|(_, until)| *until > now)
        })
    }

    pub fn lease_for_another(&self, tenant: &str) {
        let until = self.now() + 30.0;
        self.with(|state| {
            state.rows.entry(tenant.to_owned()).or_default().lease = Some((String::from("another"), until));
        });
    }

    /// What a person gets who goes to the CRM.
    pub fn new_refresh_token(&self, tenant: &str) -> String {
        self.with(|state| {
            let account = state.crm.accounts.entry(tenant.to_owned()).or_default();
            account.refresh_token = format!("refresh-new-{tenant}");
            account.refresh_token.clone()
        })
    }

    /// The CRM's answer to a token request of a tenant, which is told by its refresh token.
    pub fn answer(&self, call: &Call) -> Result<Reply> {
        let now = self.now();
        std::thread::sleep(self.with(|state| state.crm.latency));
        let body = String::from_utf8(call.body.clone().unwrap().to_vec()).unwrap();
        self.with(|state| {
            let crm = &mut state.crm;
            crm.requests += 1;
            if let Some(fault) = &crm.fault {
                return Err(fault.clone());
            }
            if let Some((status, body)) = &crm.always {
                return Ok(reply(*status, body));
            }
            let sent = body
                .split('&')
                .find_map(|pair| pair.strip_prefix("refresh_token="))
                .unwrap_or_default();
            let tenant = sent.rsplit('-').next().unwrap_or_default().to_owned();
            let account = crm.accounts.entry(tenant.clone()).or_default();
            if account.refresh_token.is_empty() {
                account.refresh_token = format!("refresh-0-{tenant}");
            }
            if account
                .previous
                .as_ref()
                .is_some_and(|(token, until)| token == sent && now <= *until)
            {
                return Ok(reply(200, &account.last_answer));
            }
            if account.refresh_token != sent {
                crm.refused += 1;
                return Ok(reply(400, r#"{"error":"invalid_grant","error_description":"spent"}"#));
            }
            crm.refreshes += 1;
            account.issued += 1;
            let mut answer = format!(r#"{{"access_token":"access-{}"{}"#, account.issued, crm.extra);
            if let Some(life) = crm.life {
                answer.push_str(&format!(r#","expires_in":{life}"#));
            }
            if crm.rotates {
                let next = format!("refresh-{}-{tenant}", account.issued);
                account.previous = (crm.grace > 0.0).then(|| (sent.to_owned(), now + crm.grace));
                answer.push_str(&format!(r#","refresh_token":"{next}""#));
                account.refresh_token = next;
            }
            answer.push('}');
            account.last_answer.clone_from(&answer);
            Ok(reply(200, &answer))
        })
    }
}

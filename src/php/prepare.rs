//! What one request needs, made of a tenant's settings: the endpoint checked, the credentials opened, a token where one is
//! needed, the limits that it draws on. Making the request is the client's business.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use zeroize::Zeroizing;

use crate::auth::reference::manager_of;
use crate::config::Config;
use crate::crm::connector::ENDPOINT;
use crate::crm::mapping::Mapping;
use crate::crm::object::Object;
use crate::crm::request::{self as crm, Connection};
use crate::crm::shape::Shape;
use crate::error::{Error, Kind, Result};
use crate::json::Path;
use crate::limit::budget::{self, Window};
use crate::limit::{Key, Now, limiter};
use crate::net::egress;
use crate::net::lane::Lane;
use crate::php::settings::Settings;
use crate::php::{credential, ini, journal, references, tokens, zend};
use crate::runtime;
use crate::secret::redact;
use crate::template::{Value, Values};

/// How much of an answer a message shows.
const EXCERPT: usize = 500;

/// Everything that one request needs.
pub struct Prepared {
    /// The host's rules.
    pub config: Config,
    /// The connection, its credentials opened.
    pub connection: Connection,
    /// What must not be shown.
    pub secrets: Secrets,
    /// Version of the token in use, where there is one.
    pub token: Option<u64>,
    /// Bound on the call.
    pub timeout: Duration,
}

/// What must not be shown.
pub type Secrets = Vec<Zeroizing<Vec<u8>>>;

impl Settings {
    /// Checks the endpoint, opens the credentials and gets a token of this version or a later one where one is needed.
    pub fn prepare(&self, at_least: Option<u64>) -> Result<Prepared> {
        if zend::is_preloading() {
            return Err(Error::new(
                Kind::Config,
                "no call can be made while scripts are preloaded: threads and sockets do not survive the fork that follows",
            ));
        }
        let endpoint = crm::endpoint(&self.endpoint)?;
        let config = ini::config(endpoint.host_str());
        // Before a credential is opened, and again for every address and redirect.
        egress::check(&endpoint, &config)?;
        let (mut values, mut secrets) = self.values(&endpoint)?;
        let mut token = None;
        if let Some(oauth2) = &self.method.oauth2 {
            let lane = self.token_lane(&values, &secrets)?;
            let granted = tokens::authorise(
                self.id.as_deref().unwrap_or(&self.tenant),
                oauth2,
                &values,
                &config,
                &lane,
                at_least,
            )
            .map_err(|error| {
                // The client's secret may be another by now.
                if error.kind == Kind::Credential {
                    self.refused();
                }
                redacted(error, &secrets)
            })?;
            token = Some(granted.version);
            secrets.push(granted.access_token.clone());
            granted.set(&mut values);
        } else {
            // What a token would have told has its default.
            for oauth2 in self.connector.auth.iter().filter_map(|method| method.oauth2.as_ref()) {
                for (name, value) in oauth2.defaults(&values) {
                    values.set(&name, Value::text(value));
                }
            }
        }
        let mut connection = Connection {
            connector: self.connector,
            method: self.method,
            values,
            is_referenced: self.is_referenced(),
            lane: None,
        };
        // A base that a token brought along is another host.
        let base = crm::endpoint(&connection.base()?)?;
        let mut config = if base.host_str() == endpoint.host_str() {
            config
        } else {
            ini::config(base.host_str())
        };
        egress::check(&base, &config)?;
        let timeout = self
            .timeout
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map_or(config.timeout, |timeout| timeout.min(config.timeout));
        config.timeout = timeout;
        let lane = self.lane(&connection, secrets.clone())?;
        connection.lane = Some(Arc::new(lane));
        Ok(Prepared {
            config,
            connection,
            secrets,
            token,
            timeout,
        })
    }

    /// What the connection's requests draw on.
    fn lane(&self, connection: &Connection, secrets: Secrets) -> Result<Lane> {
        let tenant = self.account();
        let windows = budget::windows(connection, &tenant, &self.limits, Now::read().unix)?;
        self.lane_of(budget::gate(connection, &tenant), windows, secrets)
    }

    /// How tokens are asked for: no limit is known, but what is broken is left alone.
    pub fn token_lane(&self, values: &Values, secrets: &Secrets) -> Result<Arc<Lane>> {
        let connection = Connection {
            connector: self.connector,
            method: self.method,
            values: values.clone(),
            is_referenced: self.is_referenced(),
            lane: None,
        };
        // What gives tokens may work while the CRM does not, and the other way round.
        let Key(gate) = budget::gate(&connection, &self.account());
        self.lane_of(Key(!gate), Vec::new(), secrets.clone()).map(Arc::new)
    }

    /// Tells apart the tenants that agreed to one app.
    fn account(&self) -> String {
        format!("{}\0{}", credential::site(), self.tenant)
    }

    fn lane_of(&self, gate: Key, windows: Vec<Window>, secrets: Secrets) -> Result<Lane> {
        Ok(Lane {
            tenant: self.tenant.clone(),
            secrets,
            gate,
            windows,
            limiter: limiter::at(&ini::limits()),
            journal: journal::of(runtime::engine()?),
            trace: journal::current_trace(),
        })
    }

    /// The connection as far as it is known without a token: for what only asks for its fields.
    pub fn connection_without_token(&self) -> Result<Connection> {
        let (values, _) = self.values(&crm::endpoint(&self.endpoint)?)?;
        Ok(Connection {
            connector: self.connector,
            method: self.method,
            values,
            is_referenced: self.is_referenced(),
            lane: None,
        })
    }

    /// The connection's fields, the secret ones opened, and those that must not be shown.
    pub fn values(&self, endpoint: &Url) -> Result<(Values, Secrets)> {
        let mut values = Values::new();
        let mut secrets = Secrets::new();
        crm::set_endpoint(&mut values, endpoint);
        let fields = &self.connector.fields;
        for (name, field) in fields {
            if let Some(default) = field.default.as_ref().filter(|_| name != ENDPOINT) {
                values.set(name, Value::text(default));
            }
        }
        let is_secret = |name: &str| fields.get(name).map_or(name == "api_key", |field| field.secret);
        for (name, given) in self.fields.iter().filter(|(name, _)| !is_secret(name)) {
            values.set(name, Value::text(given.as_slice()));
        }
        for (name, given) in self.fields.iter().filter(|(name, _)| is_secret(name)) {
            let bound_to = fields.get(name).and_then(|field| field.bound_to.as_deref());
            let bound = match bound_to.filter(|field| *field != ENDPOINT) {
                Some(field) => crm::endpoint(&values.text(field).unwrap_or_default())?,
                None => endpoint.clone(),
            };
            let opened = credential::open(self.id.as_deref(), name, &crm::origin(&bound), given)?;
            values.set(name, Value::text(opened.as_slice()));
            secrets.push(opened);
        }
        Ok((values, secrets))
    }

    /// Whether a secret lies in a secrets manager.
    fn is_referenced(&self) -> bool {
        self.fields
            .values()
            .any(|given| manager_of(given.trim_ascii()).is_some())
    }

    /// The CRM refused the credential: what lies in a secrets manager is read anew.
    pub fn refused(&self) {
        self.fields.values().for_each(|given| references::refused(given));
    }

    /// How records of a type become neutral ones; `None` where they are passed on as they are.
    pub fn mapping(&self, name: &str, object: &Object) -> Option<Mapping> {
        let own = self.mappings.get(name);
        match (&object.map, own) {
            _ if self.as_crm => None,
            (Some(map), Some(own)) => Some(Mapping::merged(map, own)),
            (Some(map), None) => Some(map.clone()),
            (None, own) => own.cloned(),
        }
    }

    /// What is read of a type's rows.
    pub fn shape(&self, name: &str, object: &Object, rows: &Path, connection: &Connection) -> Result<Shape> {
        Ok(Shape::of(
            object,
            rows,
            self.mapping(name, object),
            connection.zone(object)?,
        ))
    }
}

/// Removes secrets from what a failure shows.
pub fn redacted(mut error: Error, secrets: &Secrets) -> Error {
    let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.as_slice()).collect();
    error.body = error.body.map(|body| redact(&body, &secrets, EXCERPT));
    error.message = redact(&error.message, &secrets, 4 * EXCERPT);
    error
}

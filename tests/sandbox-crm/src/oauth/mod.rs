//! The CRMs' OAuth endpoints: from a token request to tokens or a refusal. What a request holds is `ask`'s to read, what a
//! tenant remembers is in `state`, how each CRM words its answers is in `answer`.

mod answer;
mod ask;
mod jwt;
mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

use crate::answer::Answer;
use crate::app::Tenants;
use crate::dialects::Crm;
use crate::tenant::Tenant;

pub use ask::Ask;
pub use state::{Settings, State};

/// Which CRM's token endpoint a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `dated`: of `/oauth/2026-09/`, which knows fewer grants than v3.
    Hubspot {
        dated: bool,
    },
    Salesforce,
    Zoho,
    Dynamics,
    Suitecrm,
    /// `/oauth/token`: Pipedrive's, and the sandbox's own for all that have none.
    Plain,
}

impl Endpoint {
    pub fn of_path(path: &str) -> Option<Self> {
        Some(match path {
            "/oauth/v1/token" | "/oauth/v3/token" => Self::Hubspot { dated: false },
            "/oauth/2026-03/token" | "/oauth/2026-09/token" => Self::Hubspot { dated: true },
            "/services/oauth2/token" => Self::Salesforce,
            "/oauth/v2/token" => Self::Zoho,
            "/Api/access_token" | "/legacy/Api/access_token" => Self::Suitecrm,
            "/oauth/token" => Self::Plain,
            path => {
                let directory = path.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token")?;
                return (!directory.is_empty() && !directory.contains('/')).then_some(Self::Dynamics);
            }
        })
    }

    fn serves(self, crm: Crm) -> bool {
        match self {
            Self::Hubspot { .. } => crm == Crm::Hubspot,
            Self::Salesforce => crm == Crm::Salesforce,
            Self::Zoho => crm == Crm::Zoho,
            Self::Dynamics => crm == Crm::Dynamics,
            Self::Suitecrm => crm == Crm::Suitecrm,
            Self::Plain => matches!(
                crm,
                Crm::Rest | Crm::Pipedrive | Crm::Espocrm | Crm::Odoo | Crm::Dolibarr
            ),
        }
    }

    fn grants(self, crm: Crm) -> &'static [&'static str] {
        match (self, crm) {
            (Self::Salesforce, _) => &[CODE, REFRESH, CLIENT, JWT],
            (Self::Hubspot { dated: true } | Self::Zoho, _) | (Self::Plain, Crm::Pipedrive) => &[CODE, REFRESH],
            _ => &[CODE, REFRESH, CLIENT],
        }
    }
}

const CODE: &str = "authorization_code";
const REFRESH: &str = "refresh_token";
const CLIENT: &str = "client_credentials";
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Why there is no token, in OAuth's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: &'static str,
    pub description: String,
}

impl Refusal {
    pub fn new(error: &'static str, description: impl Into<String>) -> Self {
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            error,
            description: description.into(),
        }
    }
}

/// Whose the request is: of the tenants with that client id the one that knows the refresh token or code, else the
/// first. One app may serve many tenants.
pub fn tenant(tenants: &Tenants, ask: &Ask) -> Option<Arc<Tenant>> {
    let client = ask.client_id()?;
    let mut of_client: Vec<_> = tenants
        .all()
        .into_iter()
        .filter(|tenant| {
            let config = tenant.config();
            ask.endpoint.serves(config.dialect) && config.oauth.is_some_and(|oauth| oauth.client_id == client)
        })
        .collect();
    let presented = ask.field(REFRESH).or_else(|| ask.field("code"));
    let position = presented
        .and_then(|text| of_client.iter().position(|tenant| tenant.oauth.lock().knows(text)))
        .unwrap_or(0);
    (position < of_client.len()).then(|| of_client.swap_remove(position))
}

/// What a client that is nobody's is told.
pub fn stranger(ask: &Ask) -> Answer {
    let refusal = match ask.wrong() {
        Some(refusal) => refusal,
        None => Refusal::new("invalid_client", "There is no such client."),
    };
    answer::refused(ask.endpoint, &refusal)
}

pub fn serve(tenants: &Tenants, tenant: &Tenant, ask: &Ask, origin: &str) -> Answer {
    let mut state = tenant.oauth.lock();
    match grant(tenant, &mut state, ask, origin, Timestamp::now()) {
        Ok(granted) => {
            if !granted.again {
                let config = tenant.config();
                let life = config.oauth.map_or(0, |oauth| oauth.access_ttl_s);
                tenants.issue(
                    &granted.access_token,
                    &tenant.id,
                    Instant::now() + Duration::from_secs(life),
                );
            }
            answer::granted(ask.endpoint, &granted)
        }
        Err(refusal) => {
            state.refused += 1;
            answer::refused(ask.endpoint, &refusal)
        }
    }
}

/// What a token answer is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub access_token: String,
    /// Where the CRM tells one.
    pub refresh_token: Option<String>,
    pub expires_in: Option<u64>,
    pub api_origin: String,
    pub crm: Crm,
    pub at: Timestamp,
    /// The same answer once more, to a client that did not get the first.
    pub again: bool,
}

fn grant(tenant: &Tenant, state: &mut State, ask: &Ask, origin: &str, now: Timestamp) -> Result<Granted, Refusal> {
    let config = tenant.config();
    let Some(settings) = &config.oauth else {
        return Err(Refusal::new("invalid_client", "This tenant has no OAuth client."));
    };
    if let Some(refusal) = ask.wrong() {
        return Err(refusal);
    }
    let grant = ask.field("grant_type").unwrap_or_default();
    let Some(grant) = ask
        .endpoint
        .grants(config.dialect)
        .iter()
        .find(|known| **known == grant)
    else {
        let description = format!("The grant type {grant:?} is not supported here.");
        return Err(Refusal::new("unsupported_grant_type", description));
    };
    if *grant == JWT {
        let assertion = ask.needed("assertion")?;
        jwt::check(assertion, settings, origin, now).map_err(|reason| Refusal::new("invalid_grant", reason))?;
    } else {
        ask.authenticate(settings, config.dialect)?;
    }
    let mut granted = Granted {
        access_token: random()?,
        refresh_token: None,
        expires_in: settings.tells_expiry(config.dialect).then_some(settings.access_ttl_s),
        api_origin: settings.api_origin.clone().unwrap_or_else(|| origin.to_owned()),
        crm: config.dialect,
        at: now,
        again: false,
    };
    match *grant {
        REFRESH => state.refresh(settings, ask.needed(REFRESH)?, &mut granted, Instant::now(), random)?,
        CODE => {
            if let Some(expected) = &settings.redirect_uri
                && ask.field("redirect_uri") != Some(expected)
            {
                return Err(Refusal::new("invalid_grant", "The redirect_uri is not the code's."));
            }
            state.redeem(settings, ask.needed("code")?, &mut granted, random)?;
        }
        CLIENT if ask.endpoint == Endpoint::Dynamics => {
            let scope = ask.needed("scope")?;
            if !scope.ends_with("/.default") {
                let description = format!("AADSTS1002012: The scope {scope:?} must end in /.default.");
                return Err(Refusal::new("invalid_scope", description));
            }
        }
        _ => {}
    }
    state.issued += u64::from(!granted.again);
    Ok(granted)
}

/// With the signs that a form and a query have to encode.
fn random() -> Result<String, Refusal> {
    let mut bytes = [0; 32];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(format!("+{}", BASE64_STANDARD.encode(bytes))),
        Err(_) => Err(Refusal {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "server_error",
            description: "The system gives no random bytes.".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, endpoint) in [
            ("/oauth/v3/token", Some(Endpoint::Hubspot { dated: false })),
            ("/oauth/2026-09/token", Some(Endpoint::Hubspot { dated: true })),
            ("/contoso.example/oauth2/v2.0/token", Some(Endpoint::Dynamics)),
            ("/a/b/oauth2/v2.0/token", None),
            ("//oauth2/v2.0/token", None),
            ("/legacy/Api/access_token", Some(Endpoint::Suitecrm)),
            ("/oauth/token/", None),
            ("/api/v1/leads", None),
        ] {
            assert_eq!(Endpoint::of_path(path), endpoint, "{path}");
        }
    }

    #[test]
    fn each_dialect_has_one_endpoint() {
        for crm in [
            Crm::Rest,
            Crm::Hubspot,
            Crm::Salesforce,
            Crm::Pipedrive,
            Crm::Zoho,
            Crm::Dynamics,
            Crm::Espocrm,
            Crm::Suitecrm,
            Crm::Odoo,
            Crm::Dolibarr,
        ] {
            let serving = [
                Endpoint::Hubspot { dated: true },
                Endpoint::Salesforce,
                Endpoint::Zoho,
                Endpoint::Dynamics,
                Endpoint::Suitecrm,
                Endpoint::Plain,
            ];
            assert_eq!(serving.iter().filter(|one| one.serves(crm)).count(), 1, "{crm:?}");
        }
    }
}

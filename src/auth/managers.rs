//! The credential that a reference points at: whether the tenant may use it, what is known of it, and from whom it is read.
//! It is kept in this process alone, and not longer than the host says. Each manager's own protocol is in `vault` and `aws`.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::{Method, Url};
use zeroize::Zeroizing;

use super::aws;
use super::bundle::Secret;
use super::document::Document;
use super::judge::TokenAnswers;
use super::reference::{Manager, Owner, Reference, Template};
use super::sigv4::Keys;
use super::vault;
use crate::config::Config;
use crate::crm::limit::Costs;
use crate::crm::request as crm;
use crate::error::{Error, Kind, Result};
use crate::net::retry::Repeat;
use crate::net::send::{Call, Reply};

/// How long nobody asks again where a manager did not help: a secret that is missing is asked for with each request.
const SILENCE: Duration = Duration::from_secs(5);
/// A secret that was read so short a time ago is not read again because a CRM refused it.
const JUST_NOW: Duration = Duration::from_secs(1);
/// Secrets in a process at most.
const MOST: usize = 1024;
/// The value that says to which address a secret may be sent.
const BOUND_TO: &str = "api_endpoint";

/// What the host's configuration says.
#[derive(Debug, Clone)]
pub struct Managers {
    /// Vault or OpenBao.
    pub vault: vault::Place,
    /// AWS Secrets Manager.
    pub aws: aws::Place,
    /// How they are asked; their addresses are the host's own, and may be private ones.
    pub config: Config,
    /// How long a secret is kept.
    pub keep: Duration,
}

/// Something that is good for a while.
pub(super) struct Kept<T> {
    pub(super) value: T,
    /// By the clock of [`With`].
    pub(super) until: Duration,
}

struct Known {
    document: Result<Document>,
    read_at: Duration,
    until: Duration,
}

/// One secret of one manager, as one identity of this host sees it.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    Vault(vault::Place, Vec<String>),
    Aws(aws::Place, Vec<String>),
}

/// What this process knows.
#[derive(Default)]
pub struct Cache {
    known: HashMap<Place, Known>,
    pub(super) logins: HashMap<vault::Place, Kept<Secret>>,
    pub(super) roles: HashMap<aws::Place, Kept<Keys>>,
}

/// What it takes to look a reference up.
pub struct With<'a> {
    pub managers: &'a Managers,
    pub cache: &'a mut Cache,
    /// A clock that nobody sets.
    pub now: Duration,
    /// Seconds since 1970.
    pub unix: f64,
    /// Sends a request.
    pub fetch: &'a mut dyn FnMut(Call) -> Result<Reply>,
}

/// What a stored text points at, if this tenant may use it. Nothing is asked.
pub fn permitted(managers: &Managers, manager: Manager, owner: Owner<'_>, stored: &[u8]) -> Result<Reference> {
    let refuse = |message: String| Error::new(Kind::Credential, message);
    let template = match manager {
        Manager::Vault => &managers.vault.path,
        Manager::Aws => &managers.aws.path,
    };
    let text = std::str::from_utf8(stored.trim_ascii()).unwrap_or_default();
    let reference = Reference::parse(manager, text).map_err(refuse)?;
    let (is_there, needed) = match manager {
        Manager::Vault => (!managers.vault.address.is_empty(), "tenant_crm_sync.vault_addr"),
        Manager::Aws => (!managers.aws.region.is_empty(), "tenant_crm_sync.aws_region"),
    };
    if !is_there || template.is_empty() {
        return Err(unusable(&format!(
            "{reference} cannot be looked up: this host has no {needed} and {}; set them in php.ini, or enter the credential itself",
            manager.setting()
        )));
    }
    let template = Template::parse(template).map_err(|why| unusable(&format!("{} {why}", manager.setting())))?;
    template.check(&reference, owner).map_err(refuse)?;
    Ok(reference)
}

/// The credential itself, for use at `origin`.
pub fn resolve(
    manager: Manager,
    owner: Owner<'_>,
    origin: &str,
    stored: &[u8],
    with: &mut With<'_>,
) -> Result<Zeroizing<Vec<u8>>> {
    let reference = permitted(with.managers, manager, owner, stored)?;
    let place = place(with.managers, &reference);
    let is_known = with.cache.known.get(&place).is_some_and(|known| with.now < known.until);
    if !is_known {
        let document = match manager {
            Manager::Vault => {
                let at = with.managers.vault.clone();
                vault::read(&at, &reference, with)
            }
            Manager::Aws => {
                let at = with.managers.aws.clone();
                aws::read(&at, &reference, with)
            }
        };
        // What the manager answered is not what the CRM did.
        let document = document.map_err(|mut error| {
            (error.status, error.reason, error.body) = (None, None, None);
            error
        });
        let keep = if document.is_ok() {
            with.managers.keep
        } else {
            SILENCE.min(with.managers.keep)
        };
        // Whoever interrupts a call says nothing of the secret.
        if let Err(error) = &document
            && error.kind == Kind::Cancelled
        {
            return Err(error.clone());
        }
        with.cache.make_room(with.now);
        with.cache.known.insert(
            place.clone(),
            Known {
                document,
                read_at: with.now,
                until: with.now.saturating_add(keep),
            },
        );
    }
    let Some(known) = with.cache.known.get(&place) else {
        return Err(unusable("the secret was not kept"));
    };
    let document = known.document.as_ref().map_err(Error::clone)?;
    let refuse = |why: String| Error::new(Kind::Credential, format!("{reference} {why}"));
    if let Ok(endpoint) = document.get(Some(BOUND_TO)) {
        let bound = crm::endpoint(endpoint).map(|url| crm::origin(&url)).unwrap_or_default();
        if bound != origin {
            return Err(refuse(format!(
                "is for another address than {origin}: its {BOUND_TO} in the secrets manager says which, so it is not sent"
            )));
        }
    }
    let value = document.get(reference.field.as_deref()).map_err(refuse)?;
    Ok(Zeroizing::new(value.as_bytes().to_vec()))
}

/// The CRM refused what this reference points at: the next one who asks gets it anew.
pub fn refused(managers: &Managers, cache: &mut Cache, manager: Manager, stored: &[u8], now: Duration) {
    let text = std::str::from_utf8(stored.trim_ascii()).unwrap_or_default();
    let Ok(reference) = Reference::parse(manager, text) else {
        return;
    };
    let place = place(managers, &reference);
    if cache
        .known
        .get(&place)
        .is_some_and(|known| now >= known.read_at.saturating_add(JUST_NOW))
    {
        cache.known.remove(&place);
    }
}

fn place(managers: &Managers, reference: &Reference) -> Place {
    match reference.manager {
        Manager::Vault => Place::Vault(managers.vault.clone(), reference.segments.clone()),
        Manager::Aws => Place::Aws(managers.aws.clone(), reference.segments.clone()),
    }
}

impl Cache {
    /// A site with more secrets than there is room for reads some of them again.
    fn make_room(&mut self, now: Duration) {
        self.known.retain(|_, known| now < known.until);
        if self.known.len() >= MOST {
            self.known.clear();
        }
    }
}

/// The host's configuration, or what it names, is not usable.
pub(super) fn unusable(why: &str) -> Error {
    Error::new(Kind::Credential, why)
}

/// A request without headers or body. It has no lane: a CRM's limits and logs are not a manager's.
pub(super) fn request(managers: &Managers, method: Method, url: Url) -> Call {
    Call {
        judge: &TokenAnswers,
        method,
        url,
        headers: reqwest::header::HeaderMap::new(),
        body: None,
        repeat: Repeat::AfterAnyTransientFailure,
        config: managers.config.clone(),
        timeout: managers.config.timeout,
        costs: Costs::default(),
        lane: None,
    }
}

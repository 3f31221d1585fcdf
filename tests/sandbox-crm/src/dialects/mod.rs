//! The CRMs that a tenant can be: which there are, what each has to say, and which one a request without a known
//! credential seems to mean. How each speaks is in its own file; what they share is in `common`.

pub mod columns;
pub mod common;
mod dolibarr;
mod dynamics;
mod espocrm;
mod hubspot;
mod odoo;
mod pipedrive;
mod request;
mod salesforce;
mod suitecrm;
#[cfg(test)]
mod testing;
mod zoho;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub use request::{Credential, Request, Scheme};

/// One CRM's way of speaking. All answers are its own, errors too: nothing of the sandbox's `rest` shines through.
pub trait Dialect: Sync {
    /// A request whose credential is good and came by one of `schemes`.
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer;

    /// The ways in which this CRM takes a credential; by any other it is unauthorized.
    fn schemes(&self) -> &'static [Scheme];

    /// No credential, an unknown one, or one of another scheme (`request.credential` says which).
    fn unauthorized(&self, request: &Request<'_>) -> Answer;

    /// An access token that was good once.
    fn expired(&self, request: &Request<'_>) -> Answer;

    /// The tenant's limit is reached. `refused.header()` is the Retry-After that the tenant's limit asks for, for CRMs that send one.
    fn limited(&self, request: &Request<'_>, refused: &Refused) -> Answer;

    /// The ids that seeded and created rows get.
    fn ids(&self, object: Object) -> IdKind;

    /// How precise its times are: rows are stored in this format (`TimeFormat::truncate`), served in the CRM's own.
    fn timestamps(&self) -> TimeFormat;

    /// Whether a request without a known credential is meant for this CRM, by its path or headers.
    fn suggested_by(&self, request: &Request<'_>) -> bool;

    /// Names that the tenant's `options` may hold (`tenant.option(name)`).
    fn options(&self) -> &'static [&'static str] {
        &[]
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crm {
    /// The sandbox's own: see `api`.
    #[default]
    Rest,
    Hubspot,
    Salesforce,
    Pipedrive,
    Zoho,
    Dynamics,
    Espocrm,
    Suitecrm,
    Odoo,
    Dolibarr,
}

impl Crm {
    /// In the order in which `guess` asks them: the ones that know themselves by a header come before `/api/v1`.
    const SPOKEN: [Self; 9] = [
        Self::Hubspot,
        Self::Salesforce,
        Self::Dynamics,
        Self::Zoho,
        Self::Dolibarr,
        Self::Odoo,
        Self::Suitecrm,
        Self::Espocrm,
        Self::Pipedrive,
    ];

    /// `None` for `rest`.
    pub fn dialect(self) -> Option<&'static dyn Dialect> {
        Some(match self {
            Self::Rest => return None,
            Self::Hubspot => &hubspot::Hubspot,
            Self::Salesforce => &salesforce::Salesforce,
            Self::Pipedrive => &pipedrive::Pipedrive,
            Self::Zoho => &zoho::Zoho,
            Self::Dynamics => &dynamics::Dynamics,
            Self::Espocrm => &espocrm::Espocrm,
            Self::Suitecrm => &suitecrm::Suitecrm,
            Self::Odoo => &odoo::Odoo,
            Self::Dolibarr => &dolibarr::Dolibarr,
        })
    }

    /// The CRM that a stranger's request looks like, for the form of its refusal.
    pub fn guess(request: &Request<'_>) -> Option<&'static dyn Dialect> {
        Self::SPOKEN
            .into_iter()
            .filter_map(Self::dialect)
            .find(|dialect| dialect.suggested_by(request))
    }
}

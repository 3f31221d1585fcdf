//! Zoho CRM v8.

use super::common::not_implemented;
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Zoho;

impl Dialect for Zoho {
    fn serve(&self, _tenant: &Tenant, _request: &Request<'_>) -> Answer {
        not_implemented()
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::ZohoOauthtoken]
    }

    fn unauthorized(&self, _request: &Request<'_>) -> Answer {
        not_implemented()
    }

    fn expired(&self, _request: &Request<'_>) -> Answer {
        not_implemented()
    }

    fn limited(&self, _request: &Request<'_>, _refused: &Refused) -> Answer {
        not_implemented()
    }

    fn ids(&self, _object: Object) -> IdKind {
        IdKind::BigInt
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/crm/v8/") || request.path.starts_with("/crm/bulk/")
    }
}

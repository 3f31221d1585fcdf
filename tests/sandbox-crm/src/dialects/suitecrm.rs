//! SuiteCRM's V8 JSON API.

use super::common::not_implemented;
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Suitecrm;

impl Dialect for Suitecrm {
    fn serve(&self, _tenant: &Tenant, _request: &Request<'_>) -> Answer {
        not_implemented()
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer]
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
        IdKind::Uuid
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/Api/") || request.path.starts_with("/legacy/Api/")
    }
}

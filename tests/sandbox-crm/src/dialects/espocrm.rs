//! EspoCRM's REST API.

use super::common::not_implemented;
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Espocrm;

impl Dialect for Espocrm {
    fn serve(&self, _tenant: &Tenant, _request: &Request<'_>) -> Answer {
        not_implemented()
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::ApiKey, Scheme::Hmac, Scheme::EspoAuthorization, Scheme::Basic]
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
        IdKind::Hex17
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        ["x-api-key", "x-hmac-authorization", "espo-authorization"]
            .iter()
            .any(|name| request.headers.contains_key(*name))
    }
}

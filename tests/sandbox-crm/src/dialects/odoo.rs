//! Odoo's external API: JSON-2 and JSON-RPC.

use super::common::not_implemented;
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Odoo;

impl Dialect for Odoo {
    fn serve(&self, _tenant: &Tenant, _request: &Request<'_>) -> Answer {
        not_implemented()
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer, Scheme::JsonRpc]
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
        IdKind::Int
    }

    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339S
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/json/2/") || request.path == "/jsonrpc"
    }
}

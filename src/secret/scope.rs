//! What a credential belongs to, the bounds of what callers may give, and the refusals that follow from them alone.

use super::SecretError;
use super::envelope::{self, MAX_ORIGIN};

const MAX_NAME: usize = 1024;
const MAX_FIELD: usize = 128;

/// What a credential belongs to. All three are part of what an envelope authenticates, compared byte by byte.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The site: two sites may have the same tenant ids.
    pub site: &'a str,
    /// The tenant's id as the site writes it: `7`, `07` and ` 7` are three tenants.
    pub tenant: &'a str,
    /// The name of the setting, for example `api_key`.
    pub field: &'a str,
}

impl Scope<'_> {
    /// Bounds what ends up in files and messages.
    pub(super) fn check(&self) -> Result<(), SecretError> {
        let bounds = [
            ("the site's id", self.site, MAX_NAME),
            ("the tenant's id", self.tenant, MAX_NAME),
            ("the field's name", self.field, MAX_FIELD),
        ];
        for (what, text, most) in bounds {
            if text.len() > most {
                let problem = format!("has {} bytes, more than {most}", text.len());
                return Err(self.invalid(what, problem));
            }
        }
        if self.field.is_empty() || self.field.bytes().any(|byte| byte.is_ascii_control()) {
            let problem = "is empty or has control characters".into();
            return Err(self.invalid("the field's name", problem));
        }
        Ok(())
    }

    pub(super) fn check_origin(&self, origin: &str) -> Result<(), SecretError> {
        if envelope::is_origin(origin) {
            return Ok(());
        }
        let problem = format!("must be 1 to {MAX_ORIGIN} printable ASCII characters, like https://crm.example.com");
        Err(self.invalid("the origin", problem))
    }

    /// Refuses an endpoint that the credential is not for.
    pub(super) fn same_origin(&self, bound: &str, asked: &str) -> Result<(), SecretError> {
        if bound == asked {
            return Ok(());
        }
        Err(SecretError::OtherOrigin {
            tenant: self.tenant.into(),
            field: self.field.into(),
            bound: bound.into(),
            asked: asked.into(),
        })
    }

    pub(super) fn invalid(&self, what: &'static str, problem: String) -> SecretError {
        let tenant = self.tenant.chars().take(MAX_FIELD).collect();
        SecretError::InvalidInput { tenant, what, problem }
    }

    pub(super) fn too_many(&self) -> SecretError {
        let problem = "was done for too many fields: give the endpoint".into();
        self.invalid("sealing without an endpoint", problem)
    }

    pub(super) fn expired(&self) -> SecretError {
        SecretError::BindingExpired {
            tenant: self.tenant.into(),
            field: self.field.into(),
        }
    }
}

//! References to credentials that lie in a secrets manager: `vault://mount/path#field` and `aws-sm://name#field`. Which of them
//! a tenant may use, the host's template says. Reading them is the business of `managers`.

use std::fmt;

/// The longest reference, and the longest path that a template makes.
const MAX: usize = 1024;

/// Where a secret lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manager {
    /// HashiCorp Vault or OpenBao, KV version 2.
    Vault,
    /// AWS Secrets Manager.
    Aws,
}

impl Manager {
    const ALL: [Self; 2] = [Self::Vault, Self::Aws];

    /// How references to it begin.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Vault => "vault://",
            Self::Aws => "aws-sm://",
        }
    }

    /// The INI setting that says which paths a tenant may use.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Vault => "tenant_crm_sync.vault_path",
            Self::Aws => "tenant_crm_sync.aws_sm_path",
        }
    }
}

/// What a stored text points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Where the secret lies.
    pub manager: Manager,
    /// Its path, without the slashes; two segments at least in Vault, the first one being the mount.
    pub segments: Vec<String>,
    /// Which part of it; without one the whole.
    pub field: Option<String>,
}

impl fmt::Display for Reference {
    /// Without its field: the secret as a whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.manager.scheme(), self.segments.join("/"))
    }
}

/// The manager whose scheme a stored text begins with. Such a text is never sent as if it were a credential.
#[must_use]
pub fn manager_of(stored: &[u8]) -> Option<Manager> {
    Manager::ALL
        .into_iter()
        .find(|manager| stored.starts_with(manager.scheme().as_bytes()))
}

impl Reference {
    /// Reads what [`manager_of`] says is one. Nothing in it is encoded, so that it has one way to be written.
    pub fn parse(manager: Manager, text: &str) -> Result<Self, String> {
        let form = match manager {
            Manager::Vault => "vault://mount/path#field",
            Manager::Aws => "aws-sm://name#field",
        };
        let wrong =
            |why: &str| format!("the reference {why}: write it like {form}, in letters, digits and _ . @ = + -");
        let rest = text.strip_prefix(manager.scheme()).unwrap_or_default();
        let (path, field) = match rest.split_once('#') {
            Some((path, field)) => (path, Some(field)),
            None => (rest, None),
        };
        if text.len() > MAX {
            return Err(wrong("is too long"));
        }
        if !path.split('/').all(is_segment) {
            return Err(wrong("has no usable path"));
        }
        if field.is_some_and(|field| !is_segment(field)) {
            return Err(wrong("has no usable field behind the #"));
        }
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        if manager == Manager::Vault && (segments.len() < 2 || field.is_none()) {
            return Err(wrong("needs a mount, a path and a field"));
        }
        Ok(Self {
            manager,
            segments,
            field: field.map(str::to_owned),
        })
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.@=+-".contains(&byte)
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(is_plain)
}

/// Whose secret is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The site's id; empty where there is one site.
    pub site: &'a str,
    /// The tenant's.
    pub tenant: &'a str,
}

/// The host's rule: `secret/crm/{tenant}`, or `secret/crm/{tenant}/*` for all that is below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    segments: Vec<String>,
    has_more: bool,
}

impl Template {
    /// Reads it; without `{tenant}` it would let every tenant use every secret.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, has_more) = match text.strip_suffix("/*") {
            Some(path) => (path, true),
            None => (text, false),
        };
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        let mut tenants = 0;
        for segment in &segments {
            let names = segment.matches("{tenant}").count() + segment.matches("{site}").count();
            // Two names in one segment: a-b and c would meet a and b-c.
            if names > 1 {
                return Err("has more than one name between two slashes");
            }
            tenants += segment.matches("{tenant}").count();
            if !is_segment(&segment.replace("{tenant}", "t").replace("{site}", "s")) {
                return Err("has characters that a reference cannot have");
            }
        }
        if tenants != 1 {
            return Err("must contain {tenant} once, so that each tenant has its own secrets");
        }
        Ok(Self { segments, has_more })
    }

    fn names_site(&self) -> bool {
        self.segments.iter().any(|segment| segment.contains("{site}"))
    }

    /// The path of a tenant's secrets.
    fn of(&self, owner: Owner<'_>) -> Vec<String> {
        let (tenant, site) = (escaped(owner.tenant), escaped(owner.site));
        self.segments
            .iter()
            .map(|segment| match segment.contains("{tenant}") {
                true => segment.replace("{tenant}", &tenant),
                false => segment.replace("{site}", &site),
            })
            .collect()
    }

    /// Whether a tenant may use a secret; else in plain words which it may.
    pub fn check(&self, reference: &Reference, owner: Owner<'_>) -> Result<(), String> {
        let own = self.of(owner);
        let fits = match self.has_more {
            true => reference.segments.len() > own.len() && reference.segments.starts_with(&own),
            false => reference.segments == own,
        };
        // Without a name the place would be the same for all that have none.
        let is_named = !(owner.tenant.is_empty() || owner.site.is_empty() && self.names_site());
        if fits && is_named {
            return Ok(());
        }
        Err(format!(
            "{reference} is not a secret of tenant \"{}\": on this host its references begin with {}{}{} ({})",
            owner.tenant,
            reference.manager.scheme(),
            own.join("/"),
            if self.has_more { "/" } else { "#" },
            reference.manager.setting(),
        ))
    }
}

/// An id as a part of a path: what has a meaning there is written as `=2F`, so that no two ids are written alike.
fn escaped(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"_-@".contains(&byte) || (byte == b'.' && at > 0);
        if is_plain {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("={byte:02X}"));
        }
    }
    text
}

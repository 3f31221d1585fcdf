//! The secrets of one connection while a webhook is verified. Where they are kept is the business of `secret/`.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use super::template::Template;

/// Secrets, and other values of the connection that signatures refer to, by name.
#[derive(Default)]
pub struct Secrets(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl Secrets {
    /// Adds one. An empty value counts as none: anybody could sign with it.
    pub fn insert(&mut self, name: impl Into<String>, value: Zeroizing<Vec<u8>>) {
        if !value.is_empty() {
            self.0.insert(name.into(), value);
        }
    }

    /// The secret of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|value| value.as_slice())
    }

    /// A template with its secrets; `None` where one of them is missing. `suffix` follows each name.
    pub(super) fn fill(&self, template: &Template, suffix: &str) -> Option<Zeroizing<Vec<u8>>> {
        let lookup = |name: &str| self.get(&format!("{name}{suffix}"));
        let mut length = 0;
        template.parts(lookup, |part| length += part.len())?;
        // Grown while it is filled, it would leave copies behind.
        let mut filled = Zeroizing::new(Vec::with_capacity(length));
        template.parts(lookup, |part| filled.extend_from_slice(part))?;
        Some(filled)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

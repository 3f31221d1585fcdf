//! Credentials at rest: sealing, opening, rotating and destroying them, and keeping secrets out of messages.
//!
//! Pure Rust: no PHP, no runtime, no network. What a tenant is, where the INI settings come from and when a credential
//! is used is decided by the callers; how an error reaches PHP too.
//!
//! Who can do what: an envelope lies in the site's database. Whoever reads or changes the database can neither read the
//! credential nor move it to another site, tenant, field or endpoint. Whoever can read the host key file and the key
//! directory as the worker's user can read everything: the worker itself must.

mod cipher;
mod envelope;
mod error;
mod files;
mod hostkeys;
mod keyring;
mod redact;
mod scope;
mod store;
mod tenant;

pub use envelope::is_envelope;
pub use error::SecretError;
pub use files::private_file;
pub use keyring::Keyring;
pub use redact::{hide, redact};
pub use scope::Scope;

/// The longest credential that can be sealed, in bytes.
pub const MAX_PLAINTEXT: usize = 64 * 1024;

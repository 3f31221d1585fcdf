//! Why a credential could not be sealed or opened, in words that name the tenant, the place and the remedy.
//! How these reach PHP is decided by the callers. No variant can hold a key or a credential.

use std::io;
use std::path::PathBuf;

/// Every refusal. Names and paths are quoted and escaped in the messages: they may come from anyone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// No host key file is configured.
    #[error(
        "No host key: set tenant_crm_sync.key_file, or the environment variable TENANT_CRM_SYNC_KEY_FILE, to a file that holds one; \
         to make one: (umask 077; head -c32 /dev/urandom | base64 > FILE), owned by the user of the PHP workers. Credentials are never stored as plain text."
    )]
    NoHostKey,

    /// No key directory is configured.
    #[error(
        "No directory for the tenants' keys: set tenant_crm_sync.key_dir to one outside the web root; \
         to make one: install -d -m 0700 -o USER DIR, where USER is the user of the PHP workers."
    )]
    NoKeyDir,

    /// A setting holds a relative path, which would depend on PHP's current directory.
    #[error("{setting} is {path:?}: give an absolute path.")]
    NotAbsolute { setting: &'static str, path: PathBuf },

    /// A file or directory is missing, or may not be read.
    #[error("The {what} {file:?} cannot be read by user {user}: {source}. {remedy}")]
    Unreadable {
        what: &'static str,
        file: PathBuf,
        user: u32,
        source: io::Error,
        remedy: String,
    },

    /// A file or directory could be read or changed by others, so it is not used.
    #[error("The {what} {file:?} is not used: it {problem}. {remedy}")]
    Unsafe {
        what: &'static str,
        file: PathBuf,
        problem: String,
        remedy: String,
    },

    /// The host key file holds something else than keys.
    #[error(
        "The host key file {file:?} {problem}. Each line is the base64 of 32 bytes, or a comment with #; to make one: head -c32 /dev/urandom | base64"
    )]
    HostKeyInvalid { file: PathBuf, problem: String },

    /// The id of the installation is lost or damaged while keys exist.
    #[error(
        "{file:?} {problem}, so the tenants' keys in that directory cannot be used. Restore it from the backup of the directory; \
         only if there is none, empty the directory and enter all credentials again."
    )]
    Installation { file: PathBuf, problem: &'static str },

    /// Another process held the lock too long.
    #[error(
        "The lock {file:?} was held by another process for {seconds} s. Try again; if it stays so, look for a stopped PHP process (fuser -v {file:?})."
    )]
    Busy { file: PathBuf, seconds: u64 },

    /// A file could not be written.
    #[error(
        "User {user} could not {action} {file:?}: {source}. Check the owner, the free space and whether the file system is read-only."
    )]
    Storage {
        action: &'static str,
        file: PathBuf,
        user: u32,
        source: io::Error,
    },

    /// A tenant's key file does not hold what was written to it.
    #[error(
        "The key file {file:?} of tenant {tenant:?} is damaged, or was copied from another tenant or installation. \
         Restore it from the backup of tenant_crm_sync.key_dir, or delete it and enter the tenant's credentials again."
    )]
    KeyFileDamaged { tenant: String, file: PathBuf },

    /// An argument is too long or empty.
    #[error("Tenant {tenant:?}: {what} {problem}.")]
    InvalidInput {
        tenant: String,
        what: &'static str,
        problem: String,
    },

    /// The text is not an envelope, or was cut.
    #[error(
        "The stored credential of tenant {tenant:?}, field {field:?}, is damaged: it is not a whole envelope (tcs1...). Enter the credential again."
    )]
    Malformed { tenant: String, field: String },

    /// The data key was wrapped by a host key that is not loaded.
    #[error(
        "Wrong host key: the key of tenant {tenant:?} is protected by host key {host_key}, which is not in {file:?}. Add that key to the file again (after the newest one) \
         and reload PHP, or enter the tenant's credentials again."
    )]
    WrongHostKey {
        tenant: String,
        host_key: String,
        file: PathBuf,
    },

    /// The tenant has no data keys.
    #[error(
        "No data key for tenant {tenant:?} ({file:?} does not exist): the tenant was deleted, or tenant_crm_sync.key_dir is not the one that field {field:?} was sealed with, \
         or the site's id changed. Correct the setting or enter the credential again."
    )]
    TenantKeyMissing {
        tenant: String,
        field: String,
        file: PathBuf,
    },

    /// The tenant has data keys, but not the one that the envelope names.
    #[error(
        "The stored credential of field {field:?} was not sealed with a key of tenant {tenant:?} (data key {key_id}): it belongs to another tenant or site, or is older than \
         the tenant's last deletion. Enter the credential again."
    )]
    OtherTenant {
        tenant: String,
        field: String,
        key_id: String,
    },

    /// The envelope fails authentication under the tenant's own key.
    #[error(
        "The stored credential of tenant {tenant:?}, field {field:?}, was changed, or was sealed for another field. Enter the credential again."
    )]
    NotAuthentic { tenant: String, field: String },

    /// The credential is bound to another origin.
    #[error(
        "The credential of tenant {tenant:?}, field {field:?}, is for {bound}, but the endpoint is now {asked}. It is not sent there: enter the credential again for the new endpoint."
    )]
    OtherOrigin {
        tenant: String,
        field: String,
        bound: String,
        asked: String,
    },

    /// The record of the origin of the first use was dropped, so no origin can be trusted any more.
    #[error(
        "The credential of tenant {tenant:?}, field {field:?}, was sealed without an endpoint, and many newer ones have been used since. Enter the credential again, with its endpoint."
    )]
    BindingExpired { tenant: String, field: String },

    /// The operating system gave no random bytes.
    #[error(
        "The operating system gave no random bytes, so nothing was sealed. Check that getrandom(2) is allowed in this container."
    )]
    Random,
}

//! Which host this is among those that share a Redis: what counts in one file has one name.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ring::digest;

/// A name that all processes with this file of counters on this machine (or in this container) have in common, and no others.
/// It tells nothing about either.
#[must_use]
pub fn name(file: &Path) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let machine = nix::unistd::gethostname().unwrap_or_default();
    // Containers of one machine can have one host name, but not one folder, unless they count together.
    let folder = file.parent().and_then(|folder| std::fs::metadata(folder).ok());
    let text = format!(
        "{}\n{}\n{}\n{}\n{}",
        boot.trim(),
        machine.display(),
        folder.map_or(0, |meta| meta.dev()),
        file.display(),
        nix::unistd::geteuid()
    );
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .take(8)
        .fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

//! Which key files and directories are accepted, and what is said of the others.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tenant_crm_sync::secret::{Keyring, SecretError};

use super::{ACME, ORIGIN, Place, SECRET, child, is_root, parents_place};

impl Place {
    /// Loads the keys and opens a credential, whichever is refused first.
    fn open_anew(&self, text: &str) -> Result<(), SecretError> {
        self.load()?.open(&ACME, ORIGIN, text).map(drop)
    }
}

#[test]
fn without_a_key_nothing_is_sealed() {
    let place = Place::new();
    let load = |file: &str, dir: &str| Keyring::load(Path::new(file), Path::new(dir));
    refused!(
        load("", "/x"),
        SecretError::NoHostKey,
        "No host key: set tenant_crm_sync.key_file",
        "TENANT_CRM_SYNC_KEY_FILE"
    );
    refused!(
        load("/x", ""),
        SecretError::NoKeyDir,
        "tenant_crm_sync.key_dir",
        "install -d -m 0700"
    );
    refused!(
        load("host.key", "/x"),
        SecretError::NotAbsolute { .. },
        "absolute",
        "tenant_crm_sync.key_file"
    );
    refused!(
        load("/x", "keys"),
        SecretError::NotAbsolute { .. },
        "absolute",
        "tenant_crm_sync.key_dir"
    );
    let good = STANDARD.encode([1; 32]);
    for (text, word) in [
        ("", "holds no key"),
        ("# only a comment\n", "holds no key"),
        (&good[1..], "line 1"),
        (&format!("{good}\nAAAA\n"), "line 2"),
        (&format!("{good} {good}"), "line 1"),
        (&STANDARD.encode([1; 33]), "line 1"),
        (&STANDARD.encode([1; 31]), "line 1"),
        ("\u{0}\u{1}", "line 1"),
        (
            &(0..17).map(|key| STANDARD.encode([key; 32]) + "\n").collect::<String>(),
            "more than 16",
        ),
    ] {
        place.key_file(text);
        refused!(place.load(), SecretError::HostKeyInvalid { .. }, word, "host.key");
    }
    place.key_file(&"#\n".repeat(10_000));
    refused!(place.load(), SecretError::Unsafe { .. }, "20000 bytes");
    fs::remove_file(place.at("host.key")).unwrap();
    refused!(place.load(), SecretError::Unreadable { .. }, "host.key", "To make it");
}

#[test]
fn files_of_others_are_refused() {
    let place = Place::new();
    for mode in [0o600, 0o640, 0o400, 0o440] {
        place.mode("host.key", mode);
        place.ring();
    }
    for mode in [0o644, 0o660, 0o604, 0o700, 0o620, 0o4600] {
        place.mode("host.key", mode);
        refused!(
            place.load(),
            SecretError::Unsafe { .. },
            "chmod 06",
            "host.key",
            &format!("{mode:04o}")
        );
    }
    place.keys(&[1]);
    for mode in [0o770, 0o707, 0o777, 0o1777] {
        place.mode("keys", mode);
        refused!(place.load(), SecretError::Unsafe { .. }, "chmod 0700", "keys");
    }
    place.mode("keys", 0o700);
    let ring = place.ring();
    let text = ring.seal(&ACME, Some(ORIGIN), SECRET).unwrap();
    for path in fs::read_dir(place.at("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600, "{path:?}");
    }
    let file = place.tenant_files().remove(0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    refused!(
        place.ring().open(&ACME, ORIGIN, &text),
        SecretError::Unsafe { .. },
        "chmod 0600"
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "{\"version\":2,\"keys\":[]}").unwrap();
    refused!(
        ring.open(&ACME, ORIGIN, &text),
        SecretError::KeyFileDamaged { .. },
        "backup",
        file.to_str().unwrap()
    );
    refused!(
        ring.seal(&ACME, Some(ORIGIN), SECRET),
        SecretError::KeyFileDamaged { .. }
    );
    // Links and pipes in place of files: refused at once, not followed, not waited for.
    for name in ["host.key", file.to_str().unwrap()] {
        let path = place.at(name);
        let kept = place.at("kept");
        fs::rename(&path, &kept).unwrap();
        symlink(&kept, &path).unwrap();
        refused!(place.open_anew(&text), SecretError::Unsafe { .. }, "symbolic link");
        fs::remove_file(&path).unwrap();
        assert!(
            Command::new("mkfifo")
                .args(["-m", "600"])
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        refused!(place.open_anew(&text), SecretError::Unsafe { .. }, "regular file");
        fs::remove_file(&path).unwrap();
        fs::rename(&kept, &path).unwrap();
    }
    fs::remove_file(place.at("keys/installation.id")).unwrap();
    assert!(!ring.is_current());
    refused!(place.load(), SecretError::Installation { .. }, "missing", "backup");
    fs::write(place.at("keys/installation.id"), "x").unwrap();
    place.mode("keys/installation.id", 0o600);
    refused!(place.load(), SecretError::Installation { .. }, "damaged");
    refused!(
        Keyring::load(&place.at("host.key"), &place.at("host.key")),
        SecretError::Unsafe { .. },
        "not a directory"
    );
    refused!(
        Keyring::load(&place.at("host.key"), &place.at("none")),
        SecretError::Unreadable { .. },
        "install -d -m 0700"
    );
}

/// Root gives the work to another user; anybody else can only take rights from itself.
#[test]
fn other_users_are_refused() {
    const TEST: &str = concat!(module_path!(), "::other_users_are_refused");
    const NOBODY: u32 = 65_534;
    if let Some(place) = parents_place() {
        let step = fs::read_to_string(place.at("step")).unwrap();
        let user = nix::unistd::geteuid().as_raw().to_string();
        match step.as_str() {
            "unreadable" => refused!(
                place.load(),
                SecretError::Unreadable { .. },
                "host.key",
                &format!("user {user}"),
                "chown"
            ),
            "foreign" => refused!(
                place.load(),
                SecretError::Unsafe { .. },
                "belongs to user",
                &format!("user {user}")
            ),
            _ => assert_eq!(
                *place
                    .ring()
                    .open(&ACME, ORIGIN, &fs::read_to_string(place.at("text")).unwrap())
                    .unwrap(),
                SECRET
            ),
        }
        return;
    }
    let place = Place::new();
    let root = is_root();
    let run = |step: &str| {
        fs::write(place.at("step"), step).unwrap();
        assert!(
            child(TEST, &place, root.then_some(NOBODY)).wait().unwrap().success(),
            "{step}"
        );
    };
    if root {
        std::os::unix::fs::chown(place.at("keys"), Some(NOBODY - 1), None).unwrap();
        run("foreign");
        std::os::unix::fs::chown(place.at("keys"), Some(NOBODY), None).unwrap();
        run("unreadable");
        std::os::unix::fs::chown(place.at("host.key"), Some(NOBODY - 1), Some(NOBODY)).unwrap();
        place.mode("host.key", 0o640);
        run("foreign");
        // What root seals in the workers' directory can be opened by the workers.
        place.give_to(NOBODY);
    } else {
        place.mode("host.key", 0);
        run("unreadable");
        place.mode("host.key", 0o600);
    }
    fs::write(place.at("text"), place.ring().seal(&ACME, None, SECRET).unwrap()).unwrap();
    run("open");
}

#[test]
fn a_lock_that_is_held_and_what_a_killed_worker_left() {
    let place = Place::new();
    let ring = place.ring();
    let lock = fs::File::open(place.at("keys/lock")).unwrap();
    lock.lock().unwrap();
    refused!(
        ring.seal(&ACME, None, SECRET),
        SecretError::Busy { .. },
        "lock",
        "Try again"
    );
    drop(lock);
    fs::write(place.at("keys/passing.tmp"), "half a file").unwrap();
    let text = ring.seal(&ACME, Some(ORIGIN), SECRET).unwrap();
    assert!(!place.at("keys/passing.tmp").exists());
    // A link there must not lead to another file's end.
    fs::write(place.at("precious"), "precious").unwrap();
    for link in [fs::hard_link::<std::path::PathBuf, std::path::PathBuf>, symlink] {
        link(place.at("precious"), place.at("keys/passing.tmp")).unwrap();
        ring.seal(&ACME, None, SECRET).unwrap();
        assert_eq!(fs::read_to_string(place.at("precious")).unwrap(), "precious");
    }
    assert_eq!(*ring.open(&ACME, ORIGIN, &text).unwrap(), SECRET);
}

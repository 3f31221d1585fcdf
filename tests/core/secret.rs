//! Credentials at rest: every refusal of an envelope, rotation, deletion, many workers at once.
//! access.rs: which files are accepted. redaction.rs: what is kept out of messages. What PHP makes of the errors is tested in tests/phpt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tenant_crm_sync::secret::{Keyring, MAX_PLAINTEXT, Scope, SecretError, is_envelope};

/// The result is this error, and its message contains these words.
macro_rules! refused {
    ($result:expr, $pattern:pat $(, $word:expr)*) => {{
        let error = $crate::secret::error($result);
        assert!(matches!(error, $pattern), "{error:?}");
        let (text, words): (String, &[&str]) = (error.to_string(), &[$($word),*]);
        for word in words {
            assert!(text.contains(word), "{word:?} is not in: {text}");
        }
    }};
}

mod access;
mod lifetime;
mod origin;
mod redaction;

const ORIGIN: &str = "https://crm.example.com";
const EVIL: &str = "https://evil.example.net";
const SECRET: &[u8] = b"sk_live_9fQ2";
const ACME: Scope<'_> = Scope {
    site: "1",
    tenant: "Acme",
    field: "api_key",
};
/// Tells a copy of this program that it is the child of a test.
const CHILD: &str = "TCS_SECRET_CHILD";

/// A folder with a host key and a key directory, removed at the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("tcs-secret-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("keys")).unwrap();
        let place = Place(root);
        place.mode("", 0o755);
        place.mode("keys", 0o700);
        place.keys(&[1]);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        if name.is_empty() {
            self.0.clone()
        } else {
            self.0.join(name)
        }
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes the host key file with these keys, in this order.
    fn keys(&self, keys: &[u8]) {
        let lines = keys
            .iter()
            .map(|key| format!("# key {key}\n\n  {}\r\n", STANDARD.encode([*key; 32])));
        self.key_file(&lines.collect::<String>());
    }

    fn key_file(&self, text: &str) {
        let _ = fs::remove_file(self.at("host.key"));
        fs::write(self.at("host.key"), text).unwrap();
        self.mode("host.key", 0o600);
    }

    fn load(&self) -> Result<Keyring, SecretError> {
        Keyring::load(&self.at("host.key"), &self.at("keys"))
    }

    fn ring(&self) -> Keyring {
        self.load().unwrap()
    }

    fn tenant_files(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.at("keys"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|end| end == "key"))
            .collect()
    }

    fn give_to(&self, user: u32) {
        for name in ["", "keys", "host.key"] {
            std::os::unix::fs::chown(self.at(name), Some(user), Some(user)).unwrap();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs one test of this program, given with its module's path, in a new process, with the place as its work.
fn child(test: &str, place: &Place, user: Option<u32>) -> Child {
    let program = place.at("tests");
    if !program.exists() {
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    }
    let mut command = Command::new(program);
    command
        .args(["--exact", test.split_once("::").unwrap().1, "--nocapture"])
        .env(CHILD, place.at(""));
    command.current_dir("/").stdout(Stdio::null());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command.spawn().unwrap()
}

/// In a child: its parent's place, which is not the child's to remove.
fn parents_place() -> Option<std::mem::ManuallyDrop<Place>> {
    std::env::var_os(CHILD).map(|path| std::mem::ManuallyDrop::new(Place(path.into())))
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn error<T>(result: Result<T, SecretError>) -> SecretError {
    match result {
        Ok(_) => panic!("should have been refused"),
        Err(error) => {
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("sk_live") && !text.contains("AQEBAQ") && !text.contains("1, 1, 1"),
                "a secret in {text}"
            );
            error
        }
    }
}

#[test]
fn seals_and_opens() {
    let place = Place::new();
    let ring = place.ring();
    for plain in [Vec::new(), b"a".to_vec(), SECRET.to_vec(), vec![0xff; MAX_PLAINTEXT]] {
        let text = ring.seal(&ACME, Some(ORIGIN), &plain).unwrap();
        assert!(is_envelope(&text) && text.is_ascii() && !text.contains("sk_live"));
        assert_eq!(*ring.open(&ACME, ORIGIN, &text).unwrap(), plain);
        assert_eq!(
            *place.ring().open(&ACME, ORIGIN, &text).unwrap(),
            plain,
            "another process"
        );
    }
    assert!(!is_envelope("sk_live_9fQ2") && !is_envelope("") && !is_envelope("TCS1.x"));
    let long = vec![0; MAX_PLAINTEXT + 1];
    refused!(
        ring.seal(&ACME, None, &long),
        SecretError::InvalidInput { .. },
        "Acme",
        "65536"
    );
    refused!(
        ring.seal(&ACME, Some(""), SECRET),
        SecretError::InvalidInput { .. },
        "origin"
    );
    refused!(
        ring.seal(&ACME, Some("https://a\nb"), SECRET),
        SecretError::InvalidInput { .. },
        "origin"
    );
    refused!(
        ring.seal(&Scope { field: "", ..ACME }, None, SECRET),
        SecretError::InvalidInput { .. },
        "field"
    );
    let endless = "x".repeat(5000);
    let endless = error(ring.seal(
        &Scope {
            tenant: &endless,
            ..ACME
        },
        None,
        SECRET,
    ))
    .to_string();
    assert!(endless.len() < 400 && endless.contains("1024"), "{endless}");
}

#[test]
fn an_envelope_belongs_to_one_site_tenant_and_field() {
    let place = Place::new();
    let ring = place.ring();
    let tenants = [
        "Acme",
        "acme",
        "7",
        "07",
        " 7",
        "7 ",
        "+7",
        "",
        "ｱｃｍｅ",
        "Acme\0",
        "../x",
    ];
    let texts: Vec<_> = tenants
        .map(|tenant| {
            ring.seal(&Scope { tenant, ..ACME }, Some(ORIGIN), tenant.as_bytes())
                .unwrap()
        })
        .into();
    assert_eq!(place.tenant_files().len(), tenants.len());
    for (a, tenant) in tenants.iter().enumerate() {
        for (b, text) in texts.iter().enumerate() {
            let opened = ring.open(&Scope { tenant, ..ACME }, ORIGIN, text);
            if a == b {
                assert_eq!(*opened.unwrap(), tenant.as_bytes());
            } else {
                refused!(
                    opened,
                    SecretError::OtherTenant { .. },
                    "another tenant",
                    "Enter the credential again"
                );
            }
        }
    }
    refused!(
        ring.open(
            &Scope {
                field: "api_keY",
                ..ACME
            },
            ORIGIN,
            &texts[0]
        ),
        SecretError::NotAuthentic { .. },
        "\"Acme\"",
        "api_keY"
    );
    refused!(
        ring.rotate(
            &Scope {
                field: "secret",
                ..ACME
            },
            &texts[0]
        ),
        SecretError::NotAuthentic { .. },
        "another field"
    );
    refused!(
        ring.open(&Scope { site: "2", ..ACME }, ORIGIN, &texts[0]),
        SecretError::TenantKeyMissing { .. },
        "site",
        "key_dir"
    );
    // A boundary that moves between site and tenant, and a key file that is copied to another tenant.
    ring.seal(
        &Scope {
            site: "1A",
            tenant: "cme",
            ..ACME
        },
        Some(ORIGIN),
        SECRET,
    )
    .unwrap();
    refused!(
        ring.open(
            &Scope {
                site: "1A",
                tenant: "cme",
                ..ACME
            },
            ORIGIN,
            &texts[0]
        ),
        SecretError::OtherTenant { .. }
    );
    let lone = Place::new();
    let ring = lone.ring();
    let text = ring.seal(&ACME, Some(ORIGIN), SECRET).unwrap();
    let first = lone.tenant_files().remove(0);
    let other = Scope {
        tenant: "Other",
        ..ACME
    };
    ring.seal(&other, Some(ORIGIN), SECRET).unwrap();
    let second = lone.tenant_files().into_iter().find(|path| *path != first).unwrap();
    fs::copy(&first, &second).unwrap();
    refused!(
        ring.open(&other, ORIGIN, &text),
        SecretError::KeyFileDamaged { .. },
        "\"Other\"",
        "copied",
        second.to_str().unwrap()
    );
}

#[test]
fn every_changed_bit_is_refused() {
    let place = Place::new();
    let ring = place.ring();
    for origin in [Some(ORIGIN), None] {
        let text = ring.seal(&ACME, origin, SECRET).unwrap();
        for at in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            // A byte above 127 alone is no text, so it cannot get here.
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            error(ring.open(&ACME, ORIGIN, &changed));
            error(ring.rotate(&ACME, &changed));
        }
        for at in 0..text.len() {
            error(ring.open(&ACME, ORIGIN, &text[..at]));
            error(ring.open(&ACME, ORIGIN, &text[at + 1..]));
        }
        for added in [
            format!("{text}."),
            format!("{text}="),
            format!(" {text}"),
            format!("{text}\n"),
            format!("{text}AAAA"),
        ] {
            error(ring.open(&ACME, ORIGIN, &added));
        }
        assert_eq!(*ring.open(&ACME, ORIGIN, &text).unwrap(), SECRET);
    }
    for garbage in [
        "",
        "tcs1.",
        "tcs1....",
        "tcs1.0123456789abcdef.o.AA",
        "tcs1.é.ü.ö",
        &"tcs1.".repeat(50_000),
        "sk_live_9fQ2",
    ] {
        refused!(
            ring.open(&ACME, ORIGIN, garbage),
            SecretError::Malformed { .. },
            "\"Acme\"",
            "api_key",
            "again"
        );
    }
}

#[test]
fn nonces_never_repeat() {
    let place = Place::new();
    let ring = place.ring();
    let texts = (0..10_000).map(|_| ring.seal(&ACME, Some(ORIGIN), SECRET).unwrap());
    let nonces: HashSet<_> = texts
        .map(|text| text.rsplit('.').next().unwrap()[..16].to_owned())
        .collect();
    assert_eq!(nonces.len(), 10_000);
}

//! What must stay closed: nothing that is forged is believed, and nothing that lies in a shared file harms who reads it.

use std::cell::OnceCell;
use std::fs;

use tenant_crm_sync::crm::webhook::{Incoming, Secrets, verify};
use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Count, Draw, Key, Now, Rule};
use tenant_crm_sync::secret::{Keyring, Scope, is_envelope};
use zeroize::Zeroizing;

use super::Target;
use super::text::of_connector;

pub const ALL: &[Target] = &[
    Target {
        name: "envelope",
        run: envelope,
        words: &["tcs1.", "tcs2.", ".", "AAAA", "=="],
    },
    Target {
        name: "webhook",
        run: webhook,
        words: &[
            "\0",
            "X-HubSpot-Signature-v3: ",
            "Authorization: Basic ",
            "\"objectId\":",
            "\"token\":",
            "\"ids\":[",
            "[{",
        ],
    },
    Target {
        name: "memory",
        run: memory,
        words: &["\u{1}\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0"],
    },
];

thread_local! {
    static KEYS: OnceCell<(Keys, String)> = const { OnceCell::new() };
}

/// An envelope of this run's key.
pub fn good_envelope() -> Vec<u8> {
    KEYS.with(|keys| sealed(keys).1.clone().into_bytes())
}

/// A file of counters of this boot.
pub fn good_memory() -> Vec<u8> {
    let file = KEYS.with(|keys| sealed(keys).0.path.join("limits"));
    let local = Local::shared(&file, 64).unwrap();
    use_all(&local);
    fs::read(&file).unwrap()
}

struct Keys {
    path: std::path::PathBuf,
    keyring: Keyring,
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

const SCOPE: Scope<'_> = Scope {
    site: "1",
    tenant: "acme",
    field: "api_key",
};
const ORIGIN: &str = "https://crm.example";

fn sealed(keys: &OnceCell<(Keys, String)>) -> &(Keys, String) {
    use std::os::unix::fs::PermissionsExt;
    keys.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("tcs-fuzz-{}", std::process::id()));
        let folder = path.join("tenants");
        fs::create_dir_all(&folder).unwrap();
        for private in [&path, &folder] {
            fs::set_permissions(private, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let file = path.join("host.key");
        fs::write(&file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let keyring = Keyring::load(&file, &folder).unwrap();
        let envelope = keyring.seal(&SCOPE, Some(ORIGIN), b"k3y-of-acme").unwrap();
        (Keys { path, keyring }, envelope)
    })
}

fn envelope(data: &[u8]) {
    KEYS.with(|keys| {
        let (Keys { keyring, .. }, good) = sealed(keys);
        let Ok(text) = std::str::from_utf8(data) else { return };
        let opened = keyring.open(&SCOPE, ORIGIN, text);
        assert_eq!(opened.is_ok(), text == good, "{text}");
        assert!(opened.is_err() || is_envelope(text));
        let _ = keyring.rotate(&SCOPE, text).map(|anew| assert_ne!(anew, text));
    });
}

/// Signed by nobody: `url\0header: value\nheader: value\0body`.
fn webhook(data: &[u8]) {
    of_connector(data, |connector, rest| {
        let Some(webhooks) = &connector.webhooks else { return };
        let mut parts = rest.splitn(3, |byte| *byte == 0);
        let mut next = || parts.next().unwrap_or_default();
        let (url, headers, body) = (next(), next(), next());
        let headers: Vec<(String, String)> = String::from_utf8_lossy(headers)
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        let url = format!("https://portal.example/hook{}", String::from_utf8_lossy(url));
        let mut secrets = Secrets::default();
        for name in connector
            .fields
            .keys()
            .map(String::as_str)
            .chain(["webhook_secret", "api_key"])
        {
            secrets.insert(
                name,
                Zeroizing::new(b"no input holds these bytes: \x01\x9f\x02".to_vec()),
            );
        }
        let incoming = Incoming {
            method: "POST",
            url: &url,
            headers: &headers,
            body,
        };
        for now in [0, 1_760_000_000_000, i64::MAX] {
            if let Ok(found) = verify(webhooks, &secrets, &incoming, now) {
                panic!("{} believes what nobody signed, by {}", connector.name, found.scheme);
            }
        }
    });
}

fn use_all(local: &Local) {
    let now = Now::read();
    let draw = |key, count| Draw {
        key: Key(key),
        rule: Rule {
            amount: 100,
            period: std::time::Duration::from_secs(60),
            burst: 10,
            count,
        },
        cost: 1,
    };
    let draws = [draw(1, Count::Paced), draw(2, Count::Rolling), draw(3, Count::Daily(0))];
    let _ = local.take(Key(9), &draws, now);
    let _ = local.restore(&local.checkpoint(now), now);
}

/// What lies in the file of counters, whoever wrote it.
fn memory(data: &[u8]) {
    KEYS.with(|keys| {
        use std::os::unix::fs::OpenOptionsExt;
        let file = sealed(keys).0.path.join("fuzzed");
        let _ = fs::remove_file(&file);
        let mut options = fs::OpenOptions::new();
        let mut written = options.write(true).create_new(true).mode(0o600).open(&file).unwrap();
        std::io::Write::write_all(&mut written, data).unwrap();
        if let Ok(local) = Local::shared(&file, 64) {
            use_all(&local);
            use_all(&local);
        }
    });
}

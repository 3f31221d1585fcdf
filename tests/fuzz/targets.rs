//! What is fed, and what must hold of it: nothing panics, what is accepted is what it says, and nothing that is forged is believed.

use std::cell::OnceCell;
use std::fs;

use jiff::tz::TimeZone;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde::de::IgnoredAny;
use tenant_crm_sync::clock;
use tenant_crm_sync::crm::catalog::{Folder, names};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::mapping::Mapping;
use tenant_crm_sync::crm::page::scan;
use tenant_crm_sync::crm::shape::Shape;
use tenant_crm_sync::crm::timestamp::Moment;
use tenant_crm_sync::crm::webhook::{Incoming, Secrets, verify};
use tenant_crm_sync::json::{Refusal, Sink, read};
use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::redis::address::Address;
use tenant_crm_sync::limit::told::{self, Of};
use tenant_crm_sync::limit::{Count, Draw, Key, Now, Rule};
use tenant_crm_sync::net::retry::retry_after;
use tenant_crm_sync::net::send::Judge;
use tenant_crm_sync::secret::{Keyring, Scope, is_envelope, redact};
use tenant_crm_sync::sync::watermark::Watermark;
use tenant_crm_sync::template::Template;
use zeroize::Zeroizing;

use super::Target;
use crate::support::built_in;

const JSON_WORDS: &[&str] = &[
    "{\"id\":1}",
    "\"data\":",
    "[]",
    "{}",
    "null",
    "\"updated_at\":\"2026-01-01T00:00:00Z\"",
    "1e308",
    "\\u00e9",
    "\\ud83d\\ude00",
];

pub const ALL: &[Target] = &[
    Target {
        name: "json",
        run: json,
        words: JSON_WORDS,
    },
    Target {
        name: "page",
        run: page,
        words: JSON_WORDS,
    },
    Target {
        name: "reply",
        run: reply,
        words: &[
            "\"errors\":",
            "\"message\":",
            "\"code\":",
            "\"success\":false",
            "\"category\":",
            "\"errorCode\":",
            "INVALID_SESSION_ID",
            "QUOTA",
        ],
    },
    Target {
        name: "connector",
        run: connector,
        words: &[
            "{api_key}",
            "{api_endpoint}",
            "\"at\":",
            "\"is\":",
            "\"map\":",
            "\"read\":",
            "\"limits\":",
            "\"regex\":",
            "{id}",
            "[0,\"a\"]",
        ],
    },
    Target {
        name: "mapping",
        run: mapping,
        words: &[
            "\"at\":",
            "\"map\":",
            "\"join\":",
            "\"split\":",
            "\"Budget__c\"",
            "\"time\":",
            "\"values\":",
        ],
    },
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
        name: "dates",
        run: dates,
        words: &[
            "GMT",
            "+0000",
            "-00:00",
            "Z",
            "T",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "1e18",
            "Europe/Berlin",
            ";q=",
            ";w=60",
            "t=",
        ],
    },
    Target {
        name: "memory",
        run: memory,
        words: &["\u{1}\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0"],
    },
];

/// Inputs that are made and not kept: the catalog's own files, an envelope of this run's key, a file of counters of this boot.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "connector" => fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/crm/catalog"))
            .unwrap()
            .filter_map(|entry| fs::read(entry.unwrap().path()).ok())
            .filter(|text| text.starts_with(b"{"))
            .collect(),
        "envelope" => KEYS.with(|keys| vec![sealed(keys).1.clone().into_bytes()]),
        "memory" => {
            let file = KEYS.with(|keys| sealed(keys).0.path.join("limits"));
            let local = Local::shared(&file, 64).unwrap();
            use_all(&local);
            vec![fs::read(&file).unwrap()]
        }
        _ => Vec::new(),
    }
}

/// Counts what it is given.
struct Counted;

impl Sink for Counted {
    type Value = usize;
    type List = usize;
    type Map = usize;
    type Key = ();
    fn null(&mut self) -> usize {
        1
    }
    fn boolean(&mut self, _: bool) -> usize {
        1
    }
    fn integer(&mut self, _: i64) -> usize {
        1
    }
    fn float(&mut self, _: f64) -> usize {
        1
    }
    fn text(&mut self, _: &str) -> usize {
        1
    }
    fn list(&mut self) -> usize {
        1
    }
    fn push(&mut self, list: &mut usize, value: usize) {
        *list += value;
    }
    fn end_list(&mut self, list: Option<usize>) -> usize {
        list.unwrap_or(1)
    }
    fn map(&mut self) -> usize {
        1
    }
    fn key(&mut self, _: &str) {}
    fn insert(&mut self, map: &mut usize, (): (), value: usize) {
        *map += value;
    }
    fn end_map(&mut self, map: Option<usize>) -> usize {
        map.unwrap_or(1)
    }
}

/// Against serde's reader, which is another's work; against PHP's own in tests/fuzz/json.
fn json(data: &[u8]) {
    let ours = read(data, &mut Counted);
    let theirs = serde_json::from_slice::<IgnoredAny>(data);
    match (ours, theirs) {
        (Ok(values), theirs) => {
            assert!(values <= data.len());
            // serde stops at 128 levels, PHP at 512.
            let is_deep = theirs
                .as_ref()
                .err()
                .is_some_and(|error| error.to_string().contains("recursion"));
            assert!(theirs.is_ok() || is_deep, "only we take it: {theirs:?}");
        }
        // It does not look into the texts that it leaves out, and reads no deeper than we do.
        (Err(Refusal::Utf16 | Refusal::Utf8 | Refusal::Depth), _) | (Err(_), Err(_)) => {}
        (Err(refusal), Ok(_)) => panic!("only we refuse it: {refusal}"),
    }
}

fn connectors() -> Vec<&'static Connector> {
    names(&Folder::default())
        .unwrap()
        .iter()
        .map(|name| built_in(name))
        .collect()
}

thread_local! {
    static CATALOG: OnceCell<Vec<&'static Connector>> = const { OnceCell::new() };
    static KEYS: OnceCell<(Keys, String)> = const { OnceCell::new() };
}

/// The first byte says whose it is.
fn of_connector(data: &[u8], work: impl FnOnce(&'static Connector, &[u8])) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    CATALOG.with(|catalog| {
        let all = catalog.get_or_init(connectors);
        work(all[usize::from(*first) % all.len()], rest);
    });
}

fn page(data: &[u8]) {
    of_connector(data, |connector, body| {
        for object in connector.objects.values() {
            let Some(listing) = object.read.full.as_ref().or(object.read.since.as_ref()) else {
                continue;
            };
            let shape = Shape::of(object, &listing.rows, object.map.clone(), TimeZone::UTC).of_listing(listing);
            if let Ok(page) = scan(body, &shape) {
                for (position, row) in page.rows.iter().enumerate() {
                    assert!(!row.id.is_empty());
                    assert!(page.row_text(position).is_some());
                    let _ = (page.snapshot(position, &shape), page.record(position));
                }
            }
        }
    });
}

fn reply(data: &[u8]) {
    of_connector(data, |connector, rest| {
        let Some((status, body)) = rest.split_at_checked(2) else {
            return;
        };
        let status = 100 + (u16::from(status[0]) * 256 + u16::from(status[1])) % 500;
        let Ok(status) = StatusCode::from_u16(status) else {
            return;
        };
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(body.get(..24).unwrap_or(body)) {
            headers.insert(RETRY_AFTER, value);
        }
        let _ = connector.errors.judge(status, &headers, body);
        let _ = redact(&String::from_utf8_lossy(body), &[b"k3y-of-acme"], 500);
    });
}

fn connector(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = Connector::parse("fuzz.json", text) {
        assert!(error.message.contains("fuzz.json"), "{}", error.message);
    }
    let _ = (
        Template::parse(text),
        Watermark::parse(Some(text)),
        Address::parse(text),
    );
}

fn mapping(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Fields behind the mapping, where there are some.
    let (mapping, fields) = text
        .split_once('\0')
        .unwrap_or((text, r#"{"a":"x","b":{"c":[1,2]},"Budget__c":7}"#));
    if let Ok(mapping) = Mapping::parse(mapping) {
        for (name, value) in mapping.read(fields, Some(&TimeZone::UTC)) {
            assert!(serde_json::from_str::<IgnoredAny>(&value).is_ok(), "{name}: {value}");
        }
        if let Ok(written) = mapping.write(fields) {
            assert!(serde_json::from_str::<IgnoredAny>(&written).is_ok(), "{written}");
        }
    }
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

fn dates(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = clock::unix_of_http_date(&text);
    if let Some(seconds) = clock::seconds_until_http_date(&text) {
        assert!(seconds >= 0.0 && seconds.is_finite());
    }
    if let Some(time) = Moment::parse(&text) {
        let _ = (time.instant(&TimeZone::UTC), time.earlier(86_400), time.is_after(&time));
        assert!(!time.unix().is_nan());
    }
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.clone());
        if let Some(seconds) = retry_after(&headers) {
            assert!(seconds >= 0.0 && seconds.is_finite(), "{text}: {seconds}");
        }
        headers.insert("ratelimit", value.clone());
        headers.insert("ratelimit-policy", value);
        let _ = told::read(
            Of {
                tells: None,
                unit: "requests",
                seconds: 60,
            },
            &headers,
            1_760_000_000_000,
        );
    }
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

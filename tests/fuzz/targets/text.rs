//! What is read as text: whatever is in it, nothing panics, and what is accepted is what it says.

use std::cell::OnceCell;

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
use tenant_crm_sync::json::{Refusal, Sink, read};
use tenant_crm_sync::limit::redis::address::Address;
use tenant_crm_sync::limit::told::{self, Of};
use tenant_crm_sync::net::retry::retry_after;
use tenant_crm_sync::net::send::Judge;
use tenant_crm_sync::secret::redact;
use tenant_crm_sync::sync::watermark::Watermark;
use tenant_crm_sync::template::Template;

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
];

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
}

/// The first byte says whose it is.
pub fn of_connector(data: &[u8], work: impl FnOnce(&'static Connector, &[u8])) {
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

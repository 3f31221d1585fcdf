//! The last requests, bounded in number and size, for GET /requests. Entries are made cheap: text is built when asked for.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode, Uri, Version};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Bodies are cut to this.
pub const BODY_LIMIT: usize = 64 * 1024;

pub struct Entry {
    pub tenant: Option<String>,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub connection: u64,
    pub version: Version,
    pub at: Timestamp,
    pub body: Bytes,
    /// None where nothing was answered, or not yet.
    pub status: Option<StatusCode>,
    /// When the answer began to leave.
    pub answered: Option<Timestamp>,
}

pub struct Log {
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Entry>,
    /// Number of the first entry that is kept, less one.
    forgotten: u64,
}

impl Kept {
    fn find(&mut self, number: u64) -> Option<&mut Entry> {
        let position = number.checked_sub(self.forgotten + 1)?;
        self.entries.get_mut(usize::try_from(position).ok()?)
    }
}

impl Log {
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            kept: Mutex::default(),
        }
    }

    /// Logged when it arrives, so that a request that is never answered is seen. Returns its number.
    pub fn begin(&self, entry: Entry) -> u64 {
        let mut kept = self.kept.lock();
        if kept.entries.len() >= self.limit {
            kept.entries.pop_front();
            kept.forgotten += 1;
        }
        kept.entries.push_back(entry);
        kept.forgotten + kept.entries.len() as u64
    }

    pub fn body(&self, number: u64, body: &Bytes) {
        if body.is_empty() {
            return;
        }
        // A slice would keep the whole of a large body in memory.
        let cut = match body.get(..BODY_LIMIT) {
            Some(start) => Bytes::copy_from_slice(start),
            None => body.clone(),
        };
        if let Some(entry) = self.kept.lock().find(number) {
            entry.body = cut;
        }
    }

    /// For a request whose body said whose it is.
    pub fn tenant(&self, number: u64, id: &str) {
        if let Some(entry) = self.kept.lock().find(number) {
            entry.tenant = Some(id.to_owned());
        }
    }

    pub fn answered(&self, number: u64, status: StatusCode) {
        if let Some(entry) = self.kept.lock().find(number) {
            entry.status = Some(status);
            entry.answered = Some(Timestamp::now());
        }
    }

    pub fn clear(&self) {
        let mut kept = self.kept.lock();
        kept.forgotten += kept.entries.len() as u64;
        kept.entries.clear();
    }

    /// Entries of one tenant, or of all, after number `since`.
    pub fn list(&self, tenant: Option<&str>, since: u64) -> Vec<Value> {
        let kept = self.kept.lock();
        let skip = since.saturating_sub(kept.forgotten);
        (kept.forgotten + 1..)
            .zip(&kept.entries)
            .skip(usize::try_from(skip).unwrap_or(usize::MAX))
            .filter(|(_, entry)| tenant.is_none() || entry.tenant.as_deref() == tenant)
            .map(|(number, entry)| show(number, entry))
            .collect()
    }
}

fn show(number: u64, entry: &Entry) -> Value {
    let mut headers = BTreeMap::<&str, String>::new();
    for (name, value) in &entry.headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str())
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(&text);
            })
            .or_insert_with(|| text.clone().into_owned());
    }
    json!({
        "n": number,
        "tenant": entry.tenant,
        "method": entry.method.as_str(),
        "path": entry.uri.path(),
        "query": entry.uri.query().unwrap_or_default(),
        "headers": headers,
        "body_base64": BASE64_STANDARD.encode(&entry.body),
        "status": entry.status.map(|status| status.as_u16()),
        "connection": entry.connection,
        "protocol": if entry.version == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" },
        "at": entry.at.to_string(),
        "answered_at": entry.answered.map(|at| at.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tenant: &str) -> Entry {
        Entry {
            tenant: Some(tenant.into()),
            method: Method::GET,
            uri: Uri::from_static("/api/v1/leads?page=2"),
            headers: HeaderMap::new(),
            connection: 1,
            version: Version::HTTP_2,
            at: Timestamp::UNIX_EPOCH,
            body: Bytes::new(),
            status: None,
            answered: None,
        }
    }

    fn numbers(log: &Log, tenant: Option<&str>, since: u64) -> Vec<u64> {
        log.list(tenant, since)
            .iter()
            .map(|entry| entry["n"].as_u64().unwrap())
            .collect()
    }

    #[test]
    fn the_oldest_are_forgotten_and_numbers_go_on() {
        let log = Log::new(3);
        let given: Vec<_> = (0..5)
            .map(|n| log.begin(entry(if n % 2 == 0 { "a" } else { "b" })))
            .collect();
        assert_eq!(given, [1, 2, 3, 4, 5]);
        assert_eq!(numbers(&log, None, 0), [3, 4, 5]);
        assert_eq!(numbers(&log, None, 4), [5]);
        assert_eq!(numbers(&log, None, 5), [0; 0]);
        assert_eq!(numbers(&log, Some("a"), 0), [3, 5]);
        log.answered(1, StatusCode::OK); // forgotten: no other entry may get it
        assert!(log.list(None, 0).iter().all(|entry| entry["status"].is_null()));
        log.clear();
        assert_eq!(log.begin(entry("a")), 6);
        assert_eq!(numbers(&log, None, 0), [6]);
    }

    #[test]
    fn bodies_are_cut_and_answers_noted() {
        let log = Log::new(3);
        let number = log.begin(entry("a"));
        log.body(number, &Bytes::from(vec![b'x'; BODY_LIMIT + 1]));
        log.answered(number, StatusCode::CREATED);
        let shown = log.list(None, 0).remove(0);
        let body = BASE64_STANDARD.decode(shown["body_base64"].as_str().unwrap()).unwrap();
        assert_eq!(body.len(), BODY_LIMIT);
        assert_eq!(shown["status"], 201);
        assert!(shown["answered_at"].is_string());
        assert_eq!(shown["query"], "page=2");
        assert_eq!(shown["protocol"], "HTTP/2");
    }
}

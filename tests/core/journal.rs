//! The journal: what an attempt tells, how many are kept, whose they are, and that no secret is in them.
//! lines.rs: the file for log shippers. trace.rs: trace context.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use tenant_crm_sync::error::{Error, Kind, Reason};
use tenant_crm_sync::net::journal::{Attempt, Book, Journal, Pending, RING, Start, outcome};
use tenant_crm_sync::net::trace::Trace;
use zeroize::Zeroizing;

mod lines;
mod trace;

const CANARY: &str = "canary-k3y+of/acme";

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("tcs-journal-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    fn file(&self) -> PathBuf {
        self.0.join("crm.log")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn secrets() -> Vec<Zeroizing<Vec<u8>>> {
    vec![Zeroizing::new(CANARY.as_bytes().to_vec())]
}

fn journal(book: &Book, site: &str) -> Arc<Journal> {
    book.journal(site, Path::new(""))
}

/// An attempt that has begun.
fn begun(journal: &Journal, tenant: &str, operation: &str, trace: Option<Trace>) -> Pending {
    journal.begin(Start {
        tenant,
        secrets: &secrets(),
        method: &Method::GET,
        operation,
        attempt: 1,
        sent: 12,
        trace,
    })
}

fn good(journal: &Journal, tenant: &str) {
    begun(journal, tenant, "GET https://crm.example/leads", None).succeeded(200, 34);
}

fn only(journal: &Journal) -> Attempt {
    let (mut attempts, dropped) = journal.drain(RING);
    assert_eq!((attempts.len(), dropped), (1, 0));
    attempts.remove(0)
}

#[test]
fn an_attempt_tells_what_happened() {
    let book = Book::default();
    let journal = journal(&book, "site");
    let before = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let pending = begun(&journal, "acme", "GET https://crm.example/leads", None);
    assert_eq!(pending.traceparent(), None, "nobody traces it");
    std::thread::sleep(std::time::Duration::from_millis(20));
    pending.succeeded(200, 34);
    let attempt = only(&journal);
    assert!(
        (before..before + 20).contains(&attempt.at),
        "it began then: {}",
        attempt.at
    );
    assert!((20..2000).contains(&attempt.took.as_millis()), "{:?}", attempt.took);
    assert_eq!(
        (
            attempt.tenant.as_str(),
            attempt.method.as_str(),
            attempt.operation.as_str()
        ),
        ("acme", "GET", "GET https://crm.example/leads")
    );
    assert_eq!(
        (
            attempt.status,
            attempt.attempt,
            attempt.sent,
            attempt.received,
            attempt.outcome
        ),
        (Some(200), 1, 12, 34, "ok")
    );
    assert!(attempt.excerpt.is_none() && attempt.trace.is_none());
    assert!(journal.drain(RING).0.is_empty(), "what was taken is not there any more");
}

#[test]
fn a_failure_tells_why() {
    let book = Book::default();
    let journal = journal(&book, "site");
    let mut refused = Error::new(Kind::Http, "HTTP 422 Unprocessable Entity");
    (refused.status, refused.reason) = (Some(422), Some(Reason::Invalid));
    refused.body = Some(format!(
        "{{\"errors\":{{\"email\":[\"is no address\"]}},\"token\":\"abc\",\"you sent\":\"{CANARY}\"}}\n<b>"
    ));
    begun(&journal, "acme", "POST https://crm.example/leads", None).failed(&refused, 99, &secrets());
    let attempt = only(&journal);
    assert_eq!(
        (attempt.status, attempt.received, attempt.outcome),
        (Some(422), 99, "invalid")
    );
    let excerpt = attempt.excerpt.unwrap();
    assert!(
        excerpt.contains("is no address")
            && !excerpt.contains(CANARY)
            && !excerpt.contains("abc")
            && !excerpt.contains('\n'),
        "{excerpt}"
    );

    // Without an answer the message says it, which may quote the secret, too.
    let broken = Error::new(Kind::Transport, format!("the connection broke after {CANARY}"));
    let mut pending = begun(&journal, "acme", "GET https://crm.example/leads", None);
    pending.status(200);
    pending.failed(&broken, 0, &secrets());
    let attempt = only(&journal);
    assert_eq!((attempt.status, attempt.outcome), (Some(200), "transport"));
    assert_eq!(
        attempt.excerpt.as_deref(),
        Some("the connection broke after [redacted]")
    );

    refused.body = Some("long ".repeat(100_000));
    begun(&journal, "acme", "GET https://crm.example/leads", None).failed(&refused, 0, &secrets());
    assert!(only(&journal).excerpt.is_some_and(|excerpt| excerpt.len() <= 300));
}

#[test]
fn outcomes_are_reasons_and_else_kinds() {
    let mut error = Error::new(Kind::RateLimited, "");
    assert_eq!(outcome(&error), "rate_limited");
    error.reason = Some(Reason::Quota);
    assert_eq!(outcome(&error), "quota");
    let mut error = Error::new(Kind::Http, "");
    error.reason = Some(Reason::Failed);
    assert_eq!(outcome(&error), "http", "\"failed\" says less than the kind");
}

#[test]
fn an_attempt_that_nobody_waits_for_is_written_down() {
    let book = Book::default();
    let journal = journal(&book, "site");
    let mut pending = begun(&journal, "acme", "GET https://crm.example/leads", None);
    pending.status(200);
    drop(pending);
    let attempt = only(&journal);
    assert_eq!((attempt.status, attempt.outcome), (Some(200), "cancelled"));
}

#[test]
fn addresses_show_no_secret() {
    let book = Book::default();
    let journal = journal(&book, "site");
    for address in [
        format!("GET https://crm.example/rest/{CANARY}/leads"),
        String::from("GET https://crm.example/rest/canary-k3y%2Bof%2Facme/leads"),
    ] {
        begun(&journal, "acme", &address, None).succeeded(200, 0);
    }
    // The ids of records are not guessed to be secrets.
    let id = "GET https://crm.example/leads/3f2504e0-4f89-11d3-9a0c-0305e82c3301";
    begun(&journal, "acme", id, None).succeeded(200, 0);
    let shown: Vec<String> = journal
        .drain(RING)
        .0
        .into_iter()
        .map(|attempt| attempt.operation)
        .collect();
    assert_eq!(
        shown,
        [
            "GET https://crm.example/rest/[redacted]/leads",
            "GET https://crm.example/rest/[redacted]/leads",
            id
        ]
    );
}

#[test]
fn the_ring_is_bounded_and_what_is_lost_is_counted() {
    let book = Book::default();
    let journal = journal(&book, "site");
    for number in 0..RING + 5 {
        good(&journal, &number.to_string());
    }
    let (attempts, dropped) = journal.drain(10);
    assert_eq!(dropped, 5);
    let tenants: Vec<&str> = attempts.iter().map(|attempt| attempt.tenant.as_str()).collect();
    assert_eq!(
        tenants,
        ["5", "6", "7", "8", "9", "10", "11", "12", "13", "14"],
        "the oldest are lost, the rest comes in order"
    );
    let (rest, dropped) = journal.drain(RING);
    assert_eq!(
        (rest.len(), rest[0].tenant.as_str(), dropped),
        (RING - 10, "15", 0),
        "a loss is told once"
    );
}

#[test]
fn sites_of_one_process_do_not_read_one_another() {
    let book = Book::default();
    let (one, two) = (journal(&book, "one"), journal(&book, "two"));
    good(&one, "acme");
    good(&two, "other");
    good(&one, "acme");
    assert_eq!(two.drain(RING).0.len(), 1);
    assert!(one.drain(RING).0.iter().all(|attempt| attempt.tenant == "acme"));
    good(&one, "acme");
    good(&two, "other");
    // The end of a request.
    book.forget();
    assert!(one.drain(RING).0.is_empty() && two.drain(RING).0.is_empty());
}

#[test]
fn threads_write_and_read_at_once() {
    let book = Book::default();
    let journal = journal(&book, "site");
    let taken = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..400).for_each(|_| good(&journal, "acme")));
        }
        scope.spawn(|| {
            while taken.load(Ordering::Relaxed) < 1600 {
                let (some, dropped) = journal.drain(7);
                assert_eq!(dropped, 0);
                taken.fetch_add(u32::try_from(some.len()).unwrap(), Ordering::Relaxed);
            }
        });
    });
    assert_eq!(taken.load(Ordering::Relaxed), 1600);
}

//! W3C trace context: what is taken for one, and what is passed on.

use std::collections::HashSet;

use tenant_crm_sync::net::journal::{Book, RING};
use tenant_crm_sync::net::trace::Trace;

use super::{begun, journal};

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn what_the_standard_says_is_read_and_written() {
    let trace = Trace::parse(GIVEN).unwrap();
    assert_eq!(trace.to_string(), GIVEN);
    assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(trace.span_id(), "b7ad6b7169203331");
    // Flags that are not known are not passed on; a later version is read as far as it is known.
    for (given, flags) in [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "00"),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", "01"),
        ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01"),
        (
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future",
            "01",
        ),
    ] {
        let read = Trace::parse(given).unwrap().to_string();
        assert_eq!(
            read,
            format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}")
        );
    }
}

#[test]
fn anything_else_is_no_trace() {
    for hostile in [
        "",
        "new",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx: y",
        "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-001",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333é1",
    ] {
        assert_eq!(Trace::parse(hostile), None, "{hostile:?}");
    }
    assert_eq!(Trace::parse(&"0".repeat(1 << 20)), None);
}

#[test]
fn every_attempt_has_a_span_of_its_own_in_the_same_trace() {
    let book = Book::default();
    let journal = journal(&book, "site");
    let trace = Trace::parse(GIVEN).unwrap();
    let mut sent = Vec::new();
    for _ in 0..100 {
        let pending = begun(&journal, "acme", "GET https://crm.example/leads", Some(trace));
        sent.push(pending.traceparent().unwrap());
        pending.succeeded(200, 0);
    }
    let told: Vec<String> = journal
        .drain(RING)
        .0
        .iter()
        .map(|attempt| attempt.trace.unwrap().to_string())
        .collect();
    assert_eq!(sent, told, "what is told is what was sent");
    assert_eq!(sent.iter().collect::<HashSet<_>>().len(), 100);
    for header in &sent {
        assert!(
            header.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && header != GIVEN,
            "{header}"
        );
        assert!(Trace::parse(header).is_some(), "{header}");
    }
}

#[test]
fn a_trace_of_its_own_is_a_whole_one() {
    let begun: HashSet<String> = (0..100).map(|_| Trace::begin().unwrap().trace_id()).collect();
    assert_eq!(begun.len(), 100);
    let trace = Trace::begin().unwrap();
    assert_eq!(Trace::parse(&trace.to_string()), Some(trace));
}

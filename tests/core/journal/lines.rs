//! The file for log shippers: whole lines of JSON, bounded, by many writers at once; turned over, in the way, full.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tenant_crm_sync::error::{Error, Kind};
use tenant_crm_sync::net::journal::{Book, Journal, RING};
use tenant_crm_sync::net::logfile::LogFile;
use tenant_crm_sync::net::trace::Trace;

use super::{CANARY, Folder, begun, good, secrets};

/// Longer than a process trusts that the file is still the one of its name.
const LOOK: Duration = Duration::from_millis(1050);

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_attempt_is_a_line() {
    let folder = Folder::new();
    let book = Book::default();
    let journal = book.journal("s1", &folder.file());
    good(&journal, "acme");
    let trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let failure = Error::new(Kind::Timeout, format!("no answer to {CANARY}"));
    begun(
        &journal,
        "Zoë \"\u{1}\n",
        &format!("GET https://crm.example/{CANARY}"),
        trace,
    )
    .failed(&failure, 0, &secrets());
    let text = fs::read_to_string(folder.file()).unwrap();
    assert!(!text.contains(CANARY), "{text}");
    let lines = lines(&folder.file());
    assert_eq!(lines.len(), 2);
    let time = lines[0]["time"].as_str().unwrap();
    assert_eq!(time.len(), "2026-11-24T05:10:00.123Z".len(), "{time}");
    assert_eq!((&time[10..11], &time[23..]), ("T", "Z"));
    for (name, value) in [
        ("site", Value::from("s1")),
        ("tenant", Value::from("acme")),
        ("operation", Value::from("GET https://crm.example/leads")),
        ("method", Value::from("GET")),
        ("status", Value::from(200)),
        ("attempt", Value::from(1)),
        ("sent", Value::from(12)),
        ("received", Value::from(34)),
        ("outcome", Value::from("ok")),
        ("pid", Value::from(std::process::id())),
    ] {
        assert_eq!(lines[0][name], value, "{name}");
    }
    assert!(lines[0]["ms"].as_f64().is_some_and(|ms| (0.0..5000.0).contains(&ms)));
    assert!(lines[0].get("excerpt").is_none() && lines[0].get("trace_id").is_none());
    assert_eq!(lines[1]["tenant"], "Zoë \"\u{1}\n");
    assert_eq!(lines[1]["outcome"], "timeout");
    assert_eq!(lines[1]["excerpt"], "no answer to [redacted]");
    assert_eq!(lines[1]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    let span = lines[1]["span_id"].as_str().unwrap();
    assert!(
        span.len() == 16 && span != "b7ad6b7169203331",
        "a span of its own: {span}"
    );
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777 & !0o640, 0, "nobody else may read it: {mode:o}");
    // PHP gets them, too.
    assert_eq!(journal.drain(RING).0.len(), 2);
    assert_eq!(book.problem(&folder.file()), None);
}

#[test]
fn no_line_is_longer_than_what_is_written_in_one_piece() {
    let folder = Folder::new();
    let book = Book::default();
    let journal = book.journal(&"\u{1}".repeat(5000), &folder.file());
    let mut failure = Error::new(Kind::Http, "");
    failure.body = Some("\"\\\u{7}".repeat(5000));
    for tenant in ["\u{1}".repeat(5000), "\u{1F600}".repeat(5000), "\"".repeat(5000)] {
        let operation = format!("GET https://crm.example/{}", "\\\"".repeat(5000));
        begun(&journal, &tenant, &operation, None).failed(&failure, 0, &secrets());
    }
    let text = fs::read_to_string(folder.file()).unwrap();
    for line in text.lines() {
        assert!(line.len() < 4096, "{}", line.len());
    }
    assert_eq!(lines(&folder.file()).len(), 3);
}

#[test]
fn many_writers_tear_no_line() {
    let folder = Folder::new();
    let path = folder.file();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // A process of its own, as far as the file can tell.
            scope.spawn(|| {
                let book = Book::default();
                let journal = book.journal("s1", &path);
                (0..500).for_each(|_| good(&journal, &"acme ".repeat(30)));
            });
        }
    });
    assert_eq!(lines(&path).len(), 2000);
}

#[test]
fn a_file_that_was_turned_over_is_opened_anew() {
    let folder = Folder::new();
    let book = Book::default();
    let journal = book.journal("s1", &folder.file());
    good(&journal, "first");
    let turned = folder.0.join("crm.log.1");
    fs::rename(folder.file(), &turned).unwrap();
    good(&journal, "still the old one");
    std::thread::sleep(LOOK);
    good(&journal, "new");
    assert_eq!(lines(&turned).len(), 2, "nothing is lost meanwhile");
    assert_eq!(lines(&folder.file())[0]["tenant"], "new");
    fs::remove_file(folder.file()).unwrap();
    std::thread::sleep(LOOK);
    good(&journal, "again");
    assert_eq!(lines(&folder.file()).len(), 1);
}

/// A line cannot be written there: the call does not fail, and status() says why, until it can.
fn told(path: &Path, words: &str) -> (Book, std::sync::Arc<Journal>) {
    let book = Book::default();
    let journal = book.journal("s1", path);
    good(&journal, "acme");
    let problem = book.problem(path).unwrap_or_default();
    assert!(
        problem.contains(words) && problem.contains("log_file") && problem.contains(&path.display().to_string()),
        "{problem}"
    );
    assert_eq!(journal.drain(RING).0.len(), 1, "PHP still gets it");
    (book, journal)
}

#[test]
fn what_is_in_the_way_is_told_and_written_around() {
    let folder = Folder::new();
    let (elsewhere, link) = (folder.0.join("elsewhere"), folder.0.join("link"));
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    told(&link, "symbolic links");
    assert!(!elsewhere.exists(), "the link is not followed");
    let pipe = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    told(&pipe, "No such device");
    told(Path::new("/dev/full"), "no ordinary file");
    told(&folder.0, "directory");
    told(Path::new("crm.log"), "no absolute path");
    let missing = folder.0.join("missing/crm.log");
    let (book, journal) = told(&missing, "No such file");
    fs::create_dir(folder.0.join("missing")).unwrap();
    std::thread::sleep(LOOK);
    good(&journal, "acme");
    assert_eq!(book.problem(&missing), None, "it is tried again");
    assert_eq!(lines(&missing).len(), 1);
}

#[test]
fn nobody_waits_for_the_disk() {
    let folder = Folder::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let file = LogFile::new(&folder.file());
    runtime.block_on(async {
        for number in 0..1500 {
            file.append(format!("{{\"n\":{number}}}\n"));
        }
    });
    // What was handed over is written before the process ends.
    runtime.shutdown_timeout(Duration::from_secs(5));
    let numbers: Vec<i64> = lines(&folder.file())
        .iter()
        .map(|line| line["n"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (0..1500).collect::<Vec<i64>>(), "in order");
}

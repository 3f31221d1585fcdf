//! Answers, honest and not; and servers that are no Redis.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use tenant_crm_sync::limit::redis::script::{Taken, usage};
use tenant_crm_sync::limit::{Cause, Decision};

use super::super::{GATE, paced};
use super::{remote, runtime};

#[test]
fn answers_are_read() {
    let taken = |answer: &[i64], draws| Taken::read(answer, draws).map(|taken| taken.decision);
    assert_eq!(taken(&[0, 0, 0, 2, 7], 1), Some(Decision::Go));
    assert_eq!(
        taken(&[5, 1, 2, 2, 0, 0], 2),
        Some(Decision::Wait(5000, Cause::Window(1)))
    );
    assert_eq!(taken(&[5, 2, 0, 2], 0), Some(Decision::Wait(5000, Cause::Told)));
    assert_eq!(taken(&[0, 3, 0, 2], 0), Some(Decision::Wait(1000, Cause::Away)));
    assert_eq!(
        taken(&[i64::MAX, 2, 0, 2], 0),
        Some(Decision::Wait(u64::MAX, Cause::Told))
    );
    assert_eq!(Taken::read(&[0, 0, 0, 2, 7, -1], 2).unwrap().used, [7, 0]);
    let state = usage(&[3, 7, 5, 0, 2_000_000], 10).unwrap();
    assert_eq!((state.used, state.left, state.factor), (3, 7, 0.5));
    assert_eq!((state.free_in, state.held_for), (None, Some(Duration::from_secs(2))));
}

#[test]
fn what_is_no_answer_is_none() {
    for (answer, draws) in [
        (&[][..], 0),
        (&[0, 0, 0], 0),
        (&[0, 0, 0, 1], 1),
        (&[0, 0, 0, 1, 5], 0),
        (&[-1, 0, 0, 1], 0),
        (&[0, 4, 0, 1], 0),
        (&[0, -1, 0, 1], 0),
        (&[5, 1, 0, 1, 0], 1),
        (&[5, 1, 2, 1, 0], 1),
        (&[5, 1, i64::MIN, 1, 0], 1),
        (&[0, 0, 0, -1], 0),
    ] {
        assert_eq!(Taken::read(answer, draws), None, "{answer:?}");
    }
    for answer in [&[][..], &[0; 4], &[0; 6], &[-1, 0, 0, 0, 0], &[0, 0, 0, -1, 0]] {
        assert_eq!(usage(answer, 10), None, "{answer:?}");
    }
}

/// Whatever listens there: an error within a second and a half, in plain words, and none of the password in it.
#[test]
fn a_server_that_is_no_redis_is_said_to_be_none() {
    for (answer, words) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "Redis's language"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "Redis's language"),
        (b"$-5\r\n", "half a second"),
        (b"*1000000000\r\n", "half a second"),
        (b"$1000000000\r\n", "half a second"),
        (
            b"-ERR wrong s3cret-pass given\r\n-ERR s3cret-pass\r\n-ERR s3cret-pass\r\n-ERR s3cret-pass\r\n",
            "refuses the user or the password",
        ),
        (b"", "half a second"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            while stream.read(&mut asked).is_ok_and(|length| length > 0) {
                // It may have gone.
                let _ = stream.write_all(answer);
            }
        });
        let host = remote(&format!("redis://:s3cret-pass@127.0.0.1:{port}"), "/one/limits");
        let started = Instant::now();
        let error = runtime()
            .block_on(host.take(GATE, &[paced(1, 10, 1, 1)], &[], 1))
            .unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(4), "{answer:?}");
        assert!(error.message.contains(words), "{answer:?}: {}", error.message);
        assert!(!error.message.contains("s3cret"), "{}", error.message);
        assert_eq!(host.problem(), Some(error.message));
    }
}

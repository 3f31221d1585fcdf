//! The counts of several hosts: a real redis-server, what others may have written there, and what is said where it cannot be used.

mod address;
mod answers;
mod hostile;
mod windows;

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Cmd, FromRedisValue};
use tenant_crm_sync::limit::redis::Remote;
use tenant_crm_sync::limit::{Cause, Decision, Draw, Key};
use tokio::runtime::Runtime;

use super::{Folder, GATE};

/// A redis-server of one test, and two hosts that count in it. It ends with the test.
pub struct Server {
    folder: Folder,
    process: Child,
    runtime: Runtime,
    pub one: Remote,
    pub two: Remote,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--unixsocket", "redis.sock", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("there is no redis-server: apt-get install redis-server")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn remote(url: &str, host: &str) -> Remote {
    Remote::connect(url, "test", Path::new(""), &PathBuf::from(host)).unwrap()
}

impl Server {
    /// One that both hosts know for long.
    pub fn settled() -> Self {
        let folder = Folder::new();
        let url = format!("unix://{}", folder.0.join("redis.sock").display());
        let server = Self {
            process: spawn(&folder.0),
            runtime: runtime(),
            one: remote(&url, "/one/limits"),
            two: remote(&url, "/two/limits"),
            folder,
        };
        server.wait();
        for host in [&server.one, &server.two] {
            server.take(host, &[super::paced(99, 1000, 1, 100)]);
        }
        let born = "{test}:born";
        // As if it had come up three days ago: what counts as lost then has left every window.
        server.ask::<()>(
            redis::cmd("HINCRBYFLOAT")
                .arg(born)
                .arg("at")
                .arg(-3.0 * 86_400.0 * 1e6),
        );
        server
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        while UnixStream::connect(self.folder.0.join("redis.sock")).is_err() {
            assert!(Instant::now() < end, "redis-server does not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Killed, and started again with nothing.
    pub fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::fs::remove_file(self.folder.0.join("redis.sock")).unwrap();
        self.process = spawn(&self.folder.0);
        self.wait();
    }

    /// As anybody may who has the password.
    pub fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let client =
            redis::Client::open(format!("redis+unix://{}", self.folder.0.join("redis.sock").display())).unwrap();
        command.query(&mut client.get_connection().unwrap()).unwrap()
    }

    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Where this host remembers so much, and reckons with two.
    pub fn take_knowing(&self, host: &Remote, draws: &[Draw], known: u64) -> Decision {
        let known = vec![known; draws.len()];
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match self.run(host.take(GATE, draws, &known, 2)) {
                Ok(taken) => return taken.decision,
                // A busy machine can be slower than we wait for an answer.
                Err(error) => assert!(Instant::now() < end, "{}", error.message),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn take(&self, host: &Remote, draws: &[Draw]) -> Decision {
        self.take_knowing(host, draws, 0)
    }

    /// How many go at once, of so many.
    pub fn burst(&self, host: &Remote, draw: Draw, of: u64) -> u64 {
        (0..of).filter(|_| self.take(host, &[draw]) == Decision::Go).count() as u64
    }
}

/// Where a window is kept.
pub fn name(key: Key) -> String {
    format!("{{test}}:window:{:032x}", key.0)
}

/// For how long it may not go, and why.
pub fn wait(decision: Decision) -> (f64, Cause) {
    match decision {
        Decision::Go => panic!("it goes"),
        Decision::Wait(nanoseconds, cause) => (Duration::from_nanos(nanoseconds).as_secs_f64(), cause),
    }
}

//! The counts of several hosts, in a Redis that they share: each decision is one script, so that it is taken as a whole. And the bell
//! that wakes workers on all of them.
//!
//! `address` says where it is, `stream` and `link` keep the connection, `script` calls what the `.lua` files hold. What is done while
//! Redis is away is the business of `limiter`. Nothing here opens a socket before the first question, which is asked on the I/O thread.

pub mod address;
mod host;
mod link;
pub mod script;
pub mod stream;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Script, Value};

use self::address::Address;
use self::link::Link;
use self::script::{Call, Scripts, Taken, microseconds};
use self::stream::{Dialer, Way};
use crate::error::{Error, Kind, Result};
use crate::limit::local::{NO_GATE, Usage};
use crate::limit::{Draw, Key};

/// What the names in Redis begin with where nothing is said.
const PREFIX: &str = "tenant_crm_sync";

/// A Redis server.
pub struct Remote {
    link: Link,
    scripts: Scripts,
    prefix: String,
    host: String,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// A ring of a bell.
#[derive(Debug)]
pub struct Ring {
    /// Which.
    pub id: String,
    /// Whether it was heard for the first time.
    pub is_new: bool,
}

impl Remote {
    /// The server at this address, for the host that counts in `file` while it is away.
    ///
    /// # Errors
    /// `Kind::Config`: the address or the file of authorities cannot be used.
    pub fn connect(url: &str, prefix: &str, ca_file: &Path, file: &Path) -> Result<Self> {
        let address = Address::parse(url)?;
        let dialer = Dialer::new(&address.place, ca_file)?;
        // Braces say to a cluster what of a name decides where it is kept.
        let prefix = prefix.replace(['{', '}'], "");
        let prefix = if prefix.is_empty() { PREFIX } else { &prefix };
        Ok(Self::new(address, dialer, prefix, host::name(file)))
    }

    /// A server that is played in this process, for a host of this name.
    ///
    /// # Errors
    /// None: there is an address that can be read.
    pub fn by(way: Way, host: &str) -> Result<Self> {
        let address = Address::parse("unix:///played")?;
        Ok(Self::new(address, Dialer::Way(way), PREFIX, host.to_owned()))
    }

    fn new(address: Address, dialer: Dialer, prefix: &str, host: String) -> Self {
        Self {
            link: Link::new(address, dialer),
            scripts: Scripts::new(),
            prefix: prefix.to_owned(),
            host,
        }
    }

    /// What went wrong last, if nothing has gone right since.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.link.problem()
    }

    /// Takes what a request costs of all windows, or nothing. `known`: what this host remembers to be used of each.
    ///
    /// # Errors
    /// `Kind::Transport`: Redis did not answer, in time or at all.
    pub async fn take(&self, gate: Key, draws: &[Draw], known: &[u64], hosts: u64) -> Result<Taken> {
        let call = Call {
            hosts,
            known,
            ..self.call(gate, draws, [0; 3])
        };
        let answer = self.run(&self.scripts.take, &call).await?;
        Taken::read(&answer, draws.len()).ok_or_else(strange)
    }

    /// Gives back what a request took so long ago that never left.
    ///
    /// # Errors
    /// As above.
    pub async fn refund(&self, draws: &[Draw], ago: Duration) -> Result<()> {
        let call = self.call(NO_GATE, draws, [microseconds(ago), 0, 0]);
        self.run(&self.scripts.refund, &call).await.map(drop)
    }

    /// Counts what this host has let through while it was on its own.
    ///
    /// # Errors
    /// As above.
    pub async fn was_away(&self, draws: &[Draw]) -> Result<()> {
        let call = self.call(NO_GATE, draws, [0; 3]);
        self.run(&self.scripts.away, &call).await.map(drop)
    }

    /// The CRM has refused a request that was sent so long ago.
    ///
    /// # Errors
    /// As above.
    pub async fn limited(&self, gate: Key, draws: &[Draw], ago: Duration, wait: Duration, quota: bool) -> Result<()> {
        let values = [microseconds(ago), microseconds(wait), i64::from(quota)];
        let call = self.call(gate, draws, values);
        self.run(&self.scripts.limited, &call).await.map(drop)
    }

    /// The CRM has said how much is left of a window.
    ///
    /// # Errors
    /// As above.
    pub async fn told(&self, draw: &Draw, remaining: u64, limit: Option<u64>) -> Result<()> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let values = [number(remaining), limit.map_or(-1, number), 0];
        let call = self.call(NO_GATE, std::slice::from_ref(draw), values);
        self.run(&self.scripts.told, &call).await.map(drop)
    }

    /// How much is used of a window.
    ///
    /// # Errors
    /// As above.
    pub async fn usage(&self, draw: &Draw, known: u64, hosts: u64) -> Result<Usage> {
        let call = Call {
            hosts,
            known: &[known],
            ..self.call(NO_GATE, std::slice::from_ref(draw), [0; 3])
        };
        let answer = self.run(&self.scripts.usage, &call).await?;
        script::usage(&answer, draw.rule.amount).ok_or_else(strange)
    }

    /// Rings a bell on all hosts.
    ///
    /// # Errors
    /// As above.
    pub async fn wake(&self, channel: &str) -> Result<()> {
        let bell = self.bell(channel);
        let ring = |mut connection, _| {
            let mut call = self.scripts.wake.prepare_invoke();
            call.key(&bell).arg(&self.host);
            async move { call.invoke_async::<Value>(&mut connection).await }
        };
        self.link.command(ring).await.map(drop)
    }

    /// Waits until a bell rings again after `last`. Without one any ring counts: whoever has just come may have missed it.
    ///
    /// # Errors
    /// As above.
    pub async fn wait_for_wake(&self, channel: &str, last: Option<&str>, wait: Duration) -> Result<Option<Ring>> {
        let bell = self.bell(channel);
        let last = last.unwrap_or("0-0").to_owned();
        // To wait for 0 would be to wait for ever.
        let longest = wait.as_millis().clamp(1, 3_600_000);
        let mut read = ::redis::cmd("XREAD");
        read.arg("BLOCK")
            .arg(u64::try_from(longest).unwrap_or(1))
            .arg("STREAMS")
            .arg(&bell)
            .arg(&last);
        let answer: Value = self
            .link
            .wait(
                wait,
                |mut connection| async move { read.query_async(&mut connection).await },
            )
            .await?;
        Ok(newest(&answer).map(|id| Ring { id, is_new: true }))
    }

    fn bell(&self, channel: &str) -> String {
        format!("{{{}}}:wake:{channel}", self.prefix)
    }

    fn call<'a>(&'a self, gate: Key, draws: &'a [Draw], values: [i64; 3]) -> Call<'a> {
        Call {
            prefix: &self.prefix,
            host: &self.host,
            hosts: 1,
            gate,
            draws,
            known: &[],
            values,
        }
    }

    async fn run(&self, script: &Script, call: &Call<'_>) -> Result<Vec<i64>> {
        let speak =
            |mut connection, history: Arc<str>| async move { call.run(script, &mut connection, &history).await };
        self.link.command(speak).await
    }
}

/// The last entry of what `XREAD` answers of one stream; `None`: there is none, or it is no such answer.
fn newest(answer: &Value) -> Option<String> {
    let Value::Array(streams) = answer else { return None };
    let Value::Array(stream) = streams.first()? else {
        return None;
    };
    let Value::Array(entries) = stream.get(1)? else {
        return None;
    };
    let Value::Array(entry) = entries.last()? else {
        return None;
    };
    let Value::BulkString(id) = entry.first()? else {
        return None;
    };
    let is_id = id.len() <= 41 && id.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    String::from_utf8(id.clone()).ok().filter(|_| is_id)
}

fn strange() -> Error {
    Error::new(
        Kind::Transport,
        "Redis cannot be used: it answers what none of our scripts would; is something between us that changes answers?",
    )
}

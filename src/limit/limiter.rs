//! Where the counts of this process are kept: in Redis where one is configured, else in this host's shared memory; and what is
//! done while either is away. Nothing here waits or refuses: that is the business of `net::lane`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;

use crate::limit::local::{GateState, Local, NO_GATE, Usage};
use crate::limit::redis::Remote;
use crate::limit::{Cause, Count, Decision, Draw, Key, Now};

/// Of a host whose shared file cannot be used, each process takes this part: how many there are it cannot know.
const LONE_SHARE: u64 = 16;
/// Slots of a process that is on its own.
const LONE_SLOTS: usize = 1024;

/// Where the host wants the counts to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file that all processes of this user share.
    pub file: PathBuf,
    /// How many counters it holds.
    pub slots: usize,
    /// What several hosts share; empty: there is one host.
    pub redis_url: String,
    /// What all names in Redis begin with.
    pub redis_prefix: String,
    /// Authorities that a `rediss:` server's certificate is checked against; empty: the system's.
    pub ca_file: PathBuf,
    /// How many hosts there are; 0: as many as were seen.
    pub hosts: u64,
}

/// The counts.
#[derive(Debug)]
pub struct Limiter {
    local: Local,
    /// Each request counts so many times in `local`.
    share: u64,
    problem: Option<String>,
    remote: Option<Remote>,
    /// How many hosts INI says there are.
    hosts: u64,
    /// Whether Redis did not answer when it was asked last.
    is_away: AtomicBool,
}

/// The limiters of one process; a forked child opens its own.
struct Opened {
    pid: u32,
    limiters: HashMap<Place, Arc<Limiter>>,
}

static OPENED: Mutex<Option<Opened>> = Mutex::new(None);

/// This process's limiter for a place. Only PHP's thread asks, so that no fork finds the lock taken.
#[must_use]
pub fn at(place: &Place) -> Arc<Limiter> {
    let mut slot = OPENED.lock();
    let pid = std::process::id();
    if slot.as_ref().is_none_or(|opened| opened.pid != pid) {
        // What the parent opened is not closed here: its sockets are still the parent's.
        std::mem::forget(slot.take());
    }
    let opened = slot.get_or_insert_with(|| Opened {
        pid,
        limiters: HashMap::new(),
    });
    if let Some(limiter) = opened.limiters.get(place) {
        return Arc::clone(limiter);
    }
    let limiter = Arc::new(Limiter::open(place));
    opened.limiters.insert(place.clone(), Arc::clone(&limiter));
    limiter
}

impl Limiter {
    /// Opens what is configured. What cannot be opened is told by [`Limiter::problem`], and this process goes on with a
    /// small share of its own.
    #[must_use]
    pub fn open(place: &Place) -> Self {
        let mut problem = None;
        let (local, share) = match Local::shared(&place.file, place.slots) {
            Ok(local) => (local, 1),
            Err(error) => {
                problem = Some(error.message);
                (Local::private(LONE_SLOTS), LONE_SHARE)
            }
        };
        let remote = if place.redis_url.is_empty() {
            None
        } else {
            match Remote::connect(&place.redis_url, &place.redis_prefix, &place.ca_file) {
                Ok(remote) => Some(remote),
                Err(error) => {
                    problem = Some(error.message);
                    None
                }
            }
        };
        Self {
            local,
            share,
            problem,
            remote,
            hosts: place.hosts,
            is_away: AtomicBool::new(false),
        }
    }

    /// Why the counts are not kept where they should be; `None`: they are.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Used and all slots of this host's table.
    #[must_use]
    pub fn slots(&self) -> (usize, usize) {
        self.local.used()
    }

    /// Redis, where one is configured.
    #[must_use]
    pub const fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// Whether all of this can be decided without a word to another host.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.remote.is_none()
    }

    /// As [`Limiter::take`], where nobody else has to be asked.
    #[must_use]
    pub fn take_here(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
        if self.share == 1 {
            return self.local.take(gate, draws, now);
        }
        self.local.take(gate, &times(draws, self.share), now)
    }

    /// Takes what a request costs of all windows, or nothing.
    pub async fn take(&self, gate: Key, draws: &[Draw]) -> Decision {
        let now = Now::read();
        let Some(remote) = &self.remote else {
            return self.take_here(gate, draws, now);
        };
        // The breaker, and what this host was told itself.
        let here = self.local.take(gate, &[], now);
        if here != Decision::Go {
            return here;
        }
        match remote.take(gate, draws).await {
            Ok(decision) => {
                self.is_away.store(false, Relaxed);
                self.note_hosts(remote);
                if decision == Decision::Go {
                    self.count_days(draws, now);
                }
                decision
            }
            Err(_) => self.take_share(gate, draws, now),
        }
    }

    /// Gives back what a request took that never left.
    pub async fn refund(&self, draws: &[Draw], taken: Now) {
        match &self.remote {
            Some(remote) if remote.refund(draws).await.is_ok() => {}
            _ => {
                let now = Now::read();
                self.local.refund(&times(draws, self.weight()), taken, now);
            }
        }
    }

    /// The CRM has said that it was too much.
    pub async fn limited(&self, gate: Key, draws: &[Draw], started: Now, wait: Duration, quota: bool) {
        let now = Now::read();
        self.local.limited(gate, draws, started, now, wait, quota);
        if let Some(remote) = &self.remote {
            let ago = Duration::from_nanos(now.mono.saturating_sub(started.mono));
            // Redis is away: this host knows, and the others are told by the CRM themselves.
            let _ = remote.limited(gate, draws, ago, wait, quota).await;
        }
    }

    /// The CRM has said how much is left of a window.
    pub async fn told(&self, draw: &Draw, remaining: u64, limit: Option<u64>) {
        self.local.told(draw, remaining, limit, Now::read());
        if let Some(remote) = &self.remote {
            // As above.
            let _ = remote.told(draw, remaining, limit).await;
        }
    }

    /// A call has come to its end: an answer, or none.
    pub fn ended(&self, gate: Key, answered: bool) {
        let now = Now::read();
        if answered {
            self.local.succeeded(gate, now);
        } else {
            self.local.failed(gate, now);
        }
    }

    /// How much is used of a window.
    pub async fn usage(&self, draw: &Draw) -> Usage {
        if let Some(remote) = &self.remote
            && let Ok(usage) = remote.usage(draw).await
        {
            return usage;
        }
        self.usage_here(draw)
    }

    /// As [`Limiter::usage`], as far as it is known here.
    #[must_use]
    pub fn usage_here(&self, draw: &Draw) -> Usage {
        self.local.usage(draw, Now::read())
    }

    /// What holds all of a connection's requests back.
    #[must_use]
    pub fn gate(&self, gate: Key) -> GateState {
        self.local.gate(gate, Now::read())
    }

    /// The counts of hours and days, to be kept where a restart does not lose them.
    #[must_use]
    pub fn checkpoint(&self) -> Vec<u8> {
        self.local.checkpoint(Now::read())
    }

    /// Takes up a checkpoint; gives how many counts it held.
    #[must_use]
    pub fn restore(&self, checkpoint: &[u8]) -> usize {
        self.local.restore(checkpoint, Now::read())
    }

    /// Each host's part, while Redis is away: as if every host asked whenever this one does.
    fn weight(&self) -> u64 {
        let hosts = if self.hosts > 0 { self.hosts } else { self.local.hosts() };
        if self.remote.is_some() {
            self.share.saturating_mul(hosts.max(1))
        } else {
            self.share
        }
    }

    fn take_share(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
        if !self.is_away.swap(true, Relaxed) {
            // What Redis admitted last is not known here.
            self.local.begin_empty(now);
        }
        self.local.take(gate, &times(draws, self.weight()), now)
    }

    /// What Redis knows of days would be lost with it: this host keeps an estimate, in which the others ask as it does.
    fn count_days(&self, draws: &[Draw], now: Now) {
        let days: Vec<Draw> = draws
            .iter()
            .filter(|draw| draw.rule.count != Count::Paced)
            .copied()
            .collect();
        if !days.is_empty() {
            // At the limit nothing more is counted, which is right.
            let _ = self.local.take(NO_GATE, &times(&days, self.weight()), now);
        }
    }

    fn note_hosts(&self, remote: &Remote) {
        let hosts = remote.hosts();
        if hosts > 0 && hosts != self.local.hosts() {
            self.local.set_hosts(hosts);
        }
    }
}

fn times(draws: &[Draw], factor: u64) -> Vec<Draw> {
    draws
        .iter()
        .map(|draw| Draw {
            cost: draw.cost.saturating_mul(factor),
            ..*draw
        })
        .collect()
}

/// Whether a wait is for a window of hours or days.
#[must_use]
pub fn is_of_days(cause: Cause, draws: &[Draw]) -> bool {
    match cause {
        Cause::Window(position) => draws.get(position).is_some_and(|draw| draw.rule.count != Count::Paced),
        _ => false,
    }
}

//! Where the counts of this process are kept: in Redis where one is configured, else in this host's shared memory; and what is
//! done while either is away. Nothing here waits or refuses: that is the business of `net::lane`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock;
use crate::error::{Error, Kind, Result};
use crate::limit::local::{GateState, Local, NO_GATE, Usage};
use crate::limit::redis::{Remote, Ring};
use crate::limit::share::{self, Owed};
use crate::limit::{Cause, Count, Decision, Draw, Ground, Key, Now};

/// Of a host whose shared file cannot be used, each process takes this part: how many there are it cannot know.
const LONE_SHARE: u64 = 16;
/// Slots of a process that is on its own.
const LONE_SLOTS: usize = 1024;
/// A host that has never heard how many there are reckons with so many, while Redis is away.
const UNKNOWN_HOSTS: u64 = 16;
/// Redis is away when it has answered no process of this host for so long; until then nothing goes. What is only slow goes on
/// admitting for others.
const GRACE: Duration = Duration::from_millis(1500);
/// While Redis is away it is asked again after so long at the latest.
const RETRY: u64 = 30_000_000_000;
/// A damaged file is spoken of for so long: then no window remembers it.
const DAMAGE_TOLD: Duration = Duration::from_secs(86_400);

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
    /// What is named in messages.
    file: PathBuf,
    remote: Option<Remote>,
    /// Whether other hosts draw from the same budgets, be there a Redis that can be used or not.
    is_one_of_several: bool,
    /// How many hosts INI says there are.
    hosts: u64,
    /// What went out while Redis was away, and Redis does not know of yet.
    owed: Owed,
    ground: Ground,
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
            match Remote::connect(&place.redis_url, &place.redis_prefix, &place.ca_file, &place.file) {
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
            file: place.file.clone(),
            remote,
            is_one_of_several: !place.redis_url.is_empty(),
            hosts: place.hosts,
            owed: Owed::default(),
            ground: Ground::REAL,
        }
    }

    /// Of counts that are kept where it is said, on a ground where time and chance are played.
    #[must_use]
    pub fn played(local: Local, remote: Option<Remote>, ground: Ground) -> Self {
        Self {
            local,
            share: 1,
            problem: None,
            file: PathBuf::new(),
            is_one_of_several: remote.is_some(),
            remote,
            hosts: 0,
            owed: Owed::default(),
            ground,
        }
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Now {
        (self.ground.now)()
    }

    /// A random share, from 0 to 1.
    #[must_use]
    pub fn chance(&self) -> f64 {
        (self.ground.chance)()
    }

    /// Why the counts are not kept where they should be, or not whole; `None`: they are.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let damage = || {
            let since = self.local.damage(self.now()).filter(|since| *since < DAMAGE_TOLD)?;
            let at = clock::utc(clock::unix_now() - since.as_secs_f64());
            let file = &self.file;
            Some(format!(
                "The file of limits {file:?} was damaged or removed, and made anew at {at}: nobody knows what had been used of \
                 hours and days, so they count as used evenly until then, unless a checkpoint of them is restored."
            ))
        };
        self.problem.clone().or_else(damage)
    }

    /// Used and all slots of this host's table.
    #[must_use]
    pub fn slots(&self) -> (usize, usize) {
        self.local.used()
    }

    /// Where Redis is configured: why it is away, or that it is not.
    #[must_use]
    pub fn redis(&self) -> Option<std::result::Result<(), String>> {
        let remote = self.remote.as_ref()?;
        Some(match self.local.silence(self.now()) {
            None => Ok(()),
            Some(silence) => Err(remote.problem().unwrap_or_else(|| {
                let seconds = silence.as_secs();
                format!("Redis cannot be used: it has answered no process of this host for {seconds} s")
            })),
        })
    }

    /// Rings a bell on all hosts.
    ///
    /// # Errors
    /// There is no Redis, or it is away.
    pub async fn wake(&self, channel: &str) -> Result<()> {
        let remote = self.remote.as_ref().ok_or_else(no_redis)?;
        self.noted(remote.wake(channel).await)
    }

    /// Waits until a bell rings.
    ///
    /// # Errors
    /// As above.
    pub async fn wait_for_wake(&self, channel: &str, last: Option<&str>, wait: Duration) -> Result<Option<Ring>> {
        let remote = self.remote.as_ref().ok_or_else(no_redis)?;
        self.noted(remote.wait_for_wake(channel, last, wait).await)
    }

    /// Whether all of this can be decided without a word to another host.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.remote.is_none()
    }

    /// As [`Limiter::take`], where nobody else has to be asked.
    #[inline]
    #[must_use]
    pub fn take_here(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
        if self.share == 1 && !self.is_one_of_several {
            return self.local.take(gate, draws, now);
        }
        self.take_part(gate, draws, now)
    }

    fn take_part(&self, gate: Key, draws: &[Draw], now: Now) -> Decision {
        match self.shared_out(draws) {
            Some(share) => self.local.take(gate, &share, now),
            None => Decision::Wait(RETRY, Cause::Away),
        }
    }

    /// Takes what a request costs of all windows, or nothing.
    pub async fn take(&self, gate: Key, draws: &[Draw]) -> Decision {
        let Some(remote) = &self.remote else {
            return self.take_here(gate, draws, self.now());
        };
        // The breaker, and what this host was told itself.
        if let Some(wait) = self.held_here(gate) {
            return wait;
        }
        match self.noted(self.ask(remote, gate, draws).await) {
            Ok(Decision::Go) => {
                let here = self.local.take(gate, &[], self.now());
                if here != Decision::Go {
                    self.refund(draws, self.now()).await;
                }
                here
            }
            Ok(wait) => wait,
            Err(_) => self.take_share(gate, draws),
        }
    }

    /// Gives back what a request took that never left.
    pub async fn refund(&self, draws: &[Draw], taken: Now) {
        if let Some(remote) = &self.remote {
            let ago = Duration::from_nanos(self.now().mono.saturating_sub(taken.mono));
            if self.noted(remote.refund(draws, ago).await).is_ok() {
                return;
            }
        }
        if let Some(draws) = self.shared_out(draws) {
            self.local.refund(&draws, taken, self.now());
        }
    }

    /// The CRM has said that it was too much.
    pub async fn limited(&self, gate: Key, draws: &[Draw], started: Now, wait: Duration, quota: bool) {
        let now = self.now();
        self.local.limited(gate, draws, started, now, wait, quota);
        if let Some(remote) = &self.remote {
            let ago = Duration::from_nanos(now.mono.saturating_sub(started.mono));
            // Redis is away: this host knows, and the others are told by the CRM themselves.
            let _ = self.noted(remote.limited(gate, draws, ago, wait, quota).await);
        }
    }

    /// The CRM has said how much is left of a window.
    pub async fn told(&self, draw: &Draw, remaining: u64, limit: Option<u64>) {
        self.local.told(draw, remaining, limit, self.now());
        if let Some(remote) = &self.remote {
            // As above.
            let _ = self.noted(remote.told(draw, remaining, limit).await);
        }
    }

    /// A call has come to its end: an answer, or none.
    pub fn ended(&self, gate: Key, answered: bool) {
        let now = self.now();
        if answered {
            self.local.succeeded(gate, now);
        } else {
            self.local.failed(gate, now);
        }
    }

    /// How much is used of a window.
    pub async fn usage(&self, draw: &Draw) -> Usage {
        let here = self.usage_here(draw);
        let Some(remote) = &self.remote else {
            return here;
        };
        self.noted(remote.usage(draw, here.used, self.hosts()).await)
            .unwrap_or(here)
    }

    /// As [`Limiter::usage`], as far as it is known here.
    #[must_use]
    pub fn usage_here(&self, draw: &Draw) -> Usage {
        self.local.usage(draw, self.now())
    }

    /// What holds all of a connection's requests back.
    #[must_use]
    pub fn gate(&self, gate: Key) -> GateState {
        self.local.gate(gate, self.now())
    }

    /// The counts of hours and days, to be kept where a restart does not lose them.
    #[must_use]
    pub fn checkpoint(&self) -> Vec<u8> {
        self.local.checkpoint(self.now())
    }

    /// Takes up a checkpoint; gives how many counts it held.
    #[must_use]
    pub fn restore(&self, checkpoint: &[u8]) -> usize {
        self.local.restore(checkpoint, self.now())
    }

    /// What holds a connection's requests back on this host, be there room or not.
    fn held_here(&self, gate: Key) -> Option<Decision> {
        if gate == NO_GATE {
            return None;
        }
        let gate = self.local.gate(gate, self.now());
        let wait = |wait: Duration, cause| Decision::Wait(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX), cause);
        let broken = gate.open_for.filter(|open| !open.is_zero());
        gate.held_for
            .map(|held| wait(held, Cause::Told))
            .or_else(|| broken.map(|open| wait(open, Cause::Broken)))
    }

    async fn ask(&self, remote: &Remote, gate: Key, draws: &[Draw]) -> Result<Decision> {
        self.pay(remote).await?;
        let now = self.now();
        let is_counted = |draw: &&Draw| draw.rule.count != Count::Paced;
        let known: Vec<u64> = draws
            .iter()
            .map(|draw| {
                if is_counted(&draw) {
                    self.local.usage(draw, now).used
                } else {
                    0
                }
            })
            .collect();
        let taken = remote.take(gate, draws, &known, self.hosts()).await?;
        if taken.hosts > 0 && taken.hosts != self.local.hosts() {
            self.local.set_hosts(taken.hosts);
        }
        // A Redis that loses its data is told of it again, and the plugin's database keeps it.
        for (draw, used) in draws.iter().zip(&taken.used).filter(|(draw, _)| is_counted(draw)) {
            let left = draw.rule.amount.saturating_sub(*used);
            self.local.told(draw, left, None, now);
        }
        Ok(taken.decision)
    }

    /// Tells Redis what went out while it was away.
    async fn pay(&self, remote: &Remote) -> Result<()> {
        while let Some(draws) = self.owed.next() {
            if let Err(error) = remote.was_away(&draws).await {
                self.owed.add(&draws);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes from this host's part of the windows.
    fn take_share(&self, gate: Key, draws: &[Draw]) -> Decision {
        let now = self.now();
        let silence = self.local.silence(now).unwrap_or_default();
        if let Some(rest) = GRACE.checked_sub(silence).filter(|rest| !rest.is_zero()) {
            return Decision::Wait(u64::try_from(rest.as_nanos()).unwrap_or(RETRY), Cause::Away);
        }
        match self.take_here(gate, draws, now) {
            Decision::Go => {
                self.owed.add(draws);
                Decision::Go
            }
            Decision::Wait(wait, cause @ Cause::Window(_)) => Decision::Wait(wait.min(RETRY), cause),
            wait => wait,
        }
    }

    /// How many hosts to reckon with; 0: nobody has said.
    fn known_hosts(&self) -> u64 {
        if self.hosts > 0 { self.hosts } else { self.local.hosts() }
    }

    /// How many must have said what they remember before Redis knows all.
    fn hosts(&self) -> u64 {
        self.known_hosts().max(1)
    }

    /// What draws take of this host's part of the windows; `None`: they cost more than it is.
    fn shared_out(&self, draws: &[Draw]) -> Option<Vec<Draw>> {
        if !self.is_one_of_several {
            return Some(share::times(draws, self.share));
        }
        let hosts = match self.known_hosts() {
            0 => UNKNOWN_HOSTS,
            hosts => hosts,
        };
        let parts = self.share.saturating_mul(hosts);
        draws.iter().map(|draw| share::part(draw, parts)).collect()
    }

    /// Every answer of Redis counts for all processes of this host, and so does every failure.
    fn noted<T>(&self, answer: Result<T>) -> Result<T> {
        match &answer {
            Ok(_) => self.local.answered(self.now()),
            Err(_) => self.local.unanswered(self.now()),
        }
        answer
    }
}

fn no_redis() -> Error {
    Error::new(Kind::Config, "tenant_crm_sync.redis_url names no Redis")
}

/// Whether a wait is for a window of hours or days.
#[must_use]
pub fn is_of_days(cause: Cause, draws: &[Draw]) -> bool {
    match cause {
        Cause::Window(position) => draws.get(position).is_some_and(|draw| draw.rule.count != Count::Paced),
        _ => false,
    }
}

//! Hosts and their workers, with the numbers of wp-plugin/includes/Worker.php and CommandLine.php (`work --watch`): slices of 30 s, eight pulls
//! at once and two more for clicks, a job that gives way, one thread that stores page after page in the turns that `Fair` gives.
//! A page's way (its turn in the real lane, the attempt, what the answer teaches, the pause before the next attempt) is that of
//! src/net/send.rs, and its travel beside the storing that of src/sync/walk.rs and many.rs, without HTTP.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use tenant_crm_sync::error::{Error, Kind, Reason};
use tenant_crm_sync::limit::limiter::Limiter;
use tenant_crm_sync::net::journal::Journal;
use tenant_crm_sync::net::lane::Lane;
use tenant_crm_sync::net::retry::{Repeat, pause};
use tenant_crm_sync::sync::fair::Fair;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::crm::Crm;
use super::played::{self, sleep};
use super::queue::{CLICK, Job, Queue};
use super::world::Tenant;

const PLACES: usize = 8;
const CLICKS: usize = 2;
const TURN: u64 = 5_000;
const SLICE: u64 = 30_000;
const GRACE: u64 = 12_000;
const LOOK: u64 = 1_000;
const BEAT: u64 = 20_000;
const WAIT: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(5);
/// `Pulling::WEIGHT_CLICK`
const WEIGHT_CLICK: f64 = 4.0;
/// INI `timeout_ms` and `connect_timeout_ms`.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: u64 = 5_000;
/// What of it is not waited away.
const FOR_THE_ANSWER: u32 = 10;

/// What all hosts share.
pub struct World {
    pub crm: Mutex<Crm>,
    pub queue: Mutex<Queue>,
    pub tenants: Vec<Tenant>,
    pub bell: Notify,
    pub journal: Arc<Journal>,
}

/// A host's processes; dropped, they die in the middle of what they do.
pub struct Host {
    processes: Vec<Running>,
    /// How many pulls they have under way.
    pulls: Arc<AtomicUsize>,
}

/// A task that ends with its owner.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Host {
    pub fn start(world: &Arc<World>, limiter: &Arc<Limiter>, processes: usize) -> Self {
        let pulls = Arc::new(AtomicUsize::new(0));
        let start = |_| {
            let (world, limiter, pulls) = (Arc::clone(world), Arc::clone(limiter), Arc::clone(&pulls));
            Running(tokio::spawn(async move {
                sleep(played::between(0, 5_000)).await;
                loop {
                    Process::new(&world, &limiter, &pulls).slice().await;
                }
            }))
        };
        let processes = (0..processes).map(start).collect();
        Self { processes, pulls }
    }

    /// Whether it would leave something behind.
    pub fn is_busy(&self) -> bool {
        self.pulls.load(Relaxed) > 0
    }

    /// Whether none of its processes has failed.
    pub fn is_well(&self) -> bool {
        self.processes.iter().all(|process| !process.0.is_finished())
    }
}

type Page = Result<(), Error>;

struct Pull {
    job: Job,
    room: Arc<Semaphore>,
    _flight: Running,
    come: VecDeque<Page>,
    began: u64,
    batches: u64,
}

/// `Worker` with its pulls (`Many`).
struct Process {
    world: Arc<World>,
    limiter: Arc<Limiter>,
    pulls: BTreeMap<u64, Pull>,
    of_host: Arc<AtomicUsize>,
    turns: Fair<u64>,
    outlet: mpsc::UnboundedSender<(u64, Page)>,
    mailbox: mpsc::UnboundedReceiver<(u64, Page)>,
    until: u64,
    looked: Option<u64>,
    beaten: u64,
    slices: u64,
}

impl Process {
    fn new(world: &Arc<World>, limiter: &Arc<Limiter>, of_host: &Arc<AtomicUsize>) -> Self {
        let (outlet, mailbox) = mpsc::unbounded_channel();
        Self {
            world: Arc::clone(world),
            limiter: Arc::clone(limiter),
            pulls: BTreeMap::new(),
            of_host: Arc::clone(of_host),
            turns: Fair::default(),
            outlet,
            mailbox,
            until: played::millis() + SLICE,
            looked: None,
            beaten: played::millis(),
            slices: 0,
        }
    }

    /// One round of `CommandLine::work`.
    async fn slice(mut self) {
        let world = Arc::clone(&self.world);
        world.queue.lock().enqueue_due(
            |tenant| world.tenants[tenant].interval,
            |tenant| world.tenants[tenant].pages(),
        );
        self.work().await;
        if self.slices == 0 {
            // Nobody rings but clicks.
            let _ = timeout(PATIENCE, self.world.bell.notified()).await;
        } else {
            // The statements between two slices.
            sleep(1).await;
        }
    }

    /// `Worker::work`
    async fn work(&mut self) {
        self.fill(true);
        while !self.pulls.is_empty() {
            while let Ok(page) = self.mailbox.try_recv() {
                self.file(page);
            }
            if let Some(tag) = self.turns.pick() {
                self.take(tag).await;
            } else if let Ok(Some(page)) = timeout(WAIT, self.mailbox.recv()).await {
                self.file(page);
                continue;
            }
            self.look_around();
            self.fill(self.pulls.is_empty());
        }
    }

    fn file(&mut self, (tag, page): (u64, Page)) {
        if let Some(pull) = self.pulls.get_mut(&tag) {
            pull.come.push_back(page);
            self.turns.ready(&tag);
        }
    }

    /// A page is stored, or its failure settled.
    async fn take(&mut self, tag: u64) {
        let Some((page, pull)) = self
            .pulls
            .get_mut(&tag)
            .and_then(|pull| Some((pull.come.pop_front()?, pull)))
        else {
            return;
        };
        if let Err(error) = page {
            let progressed = pull.batches > 0;
            let is_limit = error.kind == Kind::RateLimited;
            self.world
                .queue
                .lock()
                .postpone(&pull.job, error.retry_after, is_limit, progressed);
            self.drop_pull(tag);
            return;
        }
        pull.room.add_permits(1);
        if !pull.come.is_empty() {
            self.turns.ready(&tag);
        }
        let began = Instant::now();
        sleep(played::heavy(4, 120, 1.5)).await;
        self.turns.charge(&tag, began.elapsed());
        let Some(pull) = self.pulls.get_mut(&tag) else { return };
        pull.batches += 1;
        let mut queue = self.world.queue.lock();
        if !queue.store(&pull.job) {
            drop(queue);
            self.drop_pull(tag);
        } else if pull.job.stored + pull.batches >= pull.job.pages {
            queue.finish(&pull.job);
            drop(queue);
            self.drop_pull(tag);
        } else if played::millis() - pull.began >= TURN && queue.any_due(&pull.job) {
            queue.release(&pull.job);
            drop(queue);
            self.drop_pull(tag);
        }
    }

    fn drop_pull(&mut self, tag: u64) {
        self.pulls.remove(&tag);
        self.of_host.fetch_sub(1, Relaxed);
        self.turns.leave(&tag);
        self.looked = self
            .looked
            .map(|looked| looked.min(played::millis().saturating_sub(LOOK)));
    }

    fn look_around(&mut self) {
        let now = played::millis();
        if now - self.beaten >= BEAT {
            self.beaten = now;
            self.world.queue.lock().beat(self.pulls.values().map(|pull| &pull.job));
        }
        if now >= self.until {
            let is_patient = now < self.until + GRACE;
            let ends = |pull: &Pull| !is_patient || pull.batches > 0;
            let tags: Vec<u64> = self
                .pulls
                .iter()
                .filter(|(_, pull)| ends(pull))
                .map(|(tag, _)| *tag)
                .collect();
            for tag in tags {
                self.world.queue.lock().release(&self.pulls[&tag].job);
                self.drop_pull(tag);
            }
        }
    }

    /// `Worker::fill`
    fn fill(&mut self, mut at_once: bool) {
        loop {
            let now = played::millis();
            if self
                .looked
                .is_some_and(|looked| now >= self.until || !at_once && now - looked < LOOK)
            {
                return;
            }
            let mut free = PLACES.saturating_sub(self.pulls.len());
            let mut least = u8::MAX;
            if free == 0 {
                free = (PLACES + CLICKS).saturating_sub(self.pulls.len());
                least = CLICK;
            }
            if free == 0 {
                return;
            }
            self.looked = Some(now);
            let jobs = self.world.queue.lock().claim(free, least);
            at_once = jobs.len() == free;
            for job in jobs {
                self.slices += 1;
                self.start(job);
            }
            if !at_once {
                return;
            }
        }
    }

    fn start(&mut self, job: Job) {
        let tag = job.id;
        self.turns
            .join(tag, if job.priority <= CLICK { WEIGHT_CLICK } else { 1.0 });
        let room = Arc::new(Semaphore::new(1));
        let account = self.world.tenants[job.tenant].account;
        let flight = Flight {
            lane: self.lane(&job, account),
            world: Arc::clone(&self.world),
            account,
            pages: job.pages - job.stored,
            room: Arc::clone(&room),
            outlet: self.outlet.clone(),
            tag,
        };
        let pull = Pull {
            job,
            room,
            _flight: Running(tokio::spawn(flight.run())),
            come: VecDeque::new(),
            began: played::millis(),
            batches: 0,
        };
        self.pulls.insert(tag, pull);
        self.of_host.fetch_add(1, Relaxed);
    }

    fn lane(&self, job: &Job, account: usize) -> Lane {
        let crm = self.world.crm.lock();
        let account = &crm.accounts[account];
        Lane {
            tenant: self.world.tenants[job.tenant].name.clone(),
            secrets: Vec::new(),
            gate: account.gate,
            windows: account.windows.clone(),
            limiter: Arc::clone(&self.limiter),
            journal: Arc::clone(&self.world.journal),
            trace: None,
        }
    }
}

/// A pull's pages travel, one ahead of what is stored.
struct Flight {
    world: Arc<World>,
    lane: Lane,
    account: usize,
    pages: u64,
    room: Arc<Semaphore>,
    outlet: mpsc::UnboundedSender<(u64, Page)>,
    tag: u64,
}

impl Flight {
    async fn run(self) {
        let costs = self.world.crm.lock().accounts[self.account].costs.clone();
        for _ in 0..self.pages {
            if let Ok(permit) = self.room.acquire().await {
                permit.forget();
            }
            let page = self.attempts(&costs).await;
            self.lane.ended(page.as_ref().err());
            let is_over = page.is_err();
            // The process has dropped the pull: then nobody listens.
            let _ = self.outlet.send((self.tag, page));
            if is_over {
                return;
            }
        }
    }

    async fn attempts(&self, costs: &tenant_crm_sync::crm::limit::Costs) -> Page {
        let deadline = Instant::now() + TIMEOUT;
        let latest = deadline - TIMEOUT / FOR_THE_ANSWER;
        let mut attempt = 1;
        let mut earlier = None;
        loop {
            let turn = match self.lane.turn(costs, latest).await {
                Ok(turn) => turn,
                Err(refusal) => return Err(earlier.unwrap_or(refusal)),
            };
            let mut answer = timeout_at(deadline, self.once())
                .await
                .unwrap_or_else(|_| Err(Error::new(Kind::Timeout, "no complete answer")));
            if let Err(error) = &mut answer {
                error.attempts = attempt;
            }
            let headers = answer.as_ref().ok().cloned();
            self.lane.learn(turn, headers.as_ref(), answer.as_mut().err()).await;
            let error = match answer {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match pause(Repeat::AfterAnyTransientFailure, &error, attempt, played::chance()) {
                Some(pause) if pause < left => {
                    earlier = Some(error);
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
            attempt += 1;
        }
    }

    /// To the CRM and back.
    async fn once(&self) -> Result<HeaderMap, Error> {
        if self.world.crm.lock().is_away(self.account) {
            self.world.crm.lock().lost += 1;
            if played::chance() < 0.5 {
                sleep(CONNECT_TIMEOUT).await;
                return Err(Error::new(Kind::Connect, "no connection"));
            }
            sleep(played::between(10, 60)).await;
            let mut error = Error::new(Kind::Http, "503");
            (error.status, error.reason) = (Some(503), Some(Reason::Transient));
            return Err(error);
        }
        // Requests that leave evenly do not arrive evenly.
        sleep(played::between(5, 140)).await;
        let (answer, thinks) = {
            let mut crm = self.world.crm.lock();
            let account = &crm.accounts[self.account];
            let thinks = played::heavy(*account.thinks.start(), *account.thinks.end(), 1.2);
            (crm.arrive(self.account), thinks)
        };
        sleep(if answer.is_ok() { thinks } else { 5 } + played::between(5, 60)).await;
        answer
    }
}

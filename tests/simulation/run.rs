//! One run: hosts come and go, Redis and a CRM go away, the clock jumps from event to event, and at the end there is an outcome.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tenant_crm_sync::limit::limiter::Limiter;
use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::net::journal::Book;
use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::crm::Crm;
use super::outcome::Outcome;
use super::played::{self, GROUND, sleep};
use super::queue::Queue;
use super::redis::{Mood, Server, remote};
use super::worker::{Host, World};
use super::world::people;

/// Counters of a host.
const SLOTS: usize = 8_192;
/// Worker processes of a host.
const PROCESSES: usize = 2;
/// Somebody clicks every so many seconds. All other events are at such times, too.
const CLICK: u64 = 20;

/// Seconds at which a host dies, and another one comes.
const DEATH: u64 = 1_500;
const BIRTH: u64 = 2_500;
/// From when to when one CRM cannot be reached.
const AWAY: (u64, u64) = (2_000, 3_200);
/// When Redis answers nobody, when it is not there, and when it is again.
pub const FROZEN: u64 = 5_000;
const GONE: u64 = 5_020;
pub const BACK: u64 = 5_120;

/// Who counts what may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// All hosts together, in Redis.
    Together,
    /// Each host by itself, as if there were no other.
    Alone,
    /// Nobody.
    Nobody,
}

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub tenants: usize,
    pub hosts: usize,
    pub seconds: u64,
    pub seed: u64,
    pub counting: Counting,
    /// Whether a host dies, a CRM and Redis are away.
    pub incidents: bool,
    /// Whether Redis then comes back without what it knew.
    pub forgets: bool,
    /// How many times as many pages there are.
    pub load: u64,
}

impl Scenario {
    /// With all incidents, and so long that each tenant is due twice.
    pub const fn whole(tenants: usize, hosts: usize, seed: u64) -> Self {
        Self {
            tenants,
            hosts,
            seconds: 7_500,
            seed,
            counting: Counting::Together,
            incidents: true,
            forgets: false,
            load: 1,
        }
    }

    /// So many seconds without any.
    pub const fn calm(tenants: usize, hosts: usize, seconds: u64, seed: u64) -> Self {
        Self {
            seconds,
            incidents: false,
            ..Self::whole(tenants, hosts, seed)
        }
    }

    /// Runs it.
    pub fn run(self) -> Outcome {
        let began = Instant::now();
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let mut outcome = runtime.block_on(self.play());
        outcome.took = began.elapsed();
        outcome
    }

    async fn play(self) -> Outcome {
        played::begin(self.seed);
        let (tenants, mut accounts) = people(self.tenants, self.load, self.incidents.then_some(AWAY));
        if self.counting == Counting::Nobody {
            accounts.iter_mut().for_each(|account| account.windows.clear());
        }
        let mut queue = Queue::default();
        for (number, tenant) in tenants.iter().enumerate() {
            // Those with thousands of pages begin early, to end within the run.
            let latest = if tenant.is_huge() { 600_000 } else { tenant.interval };
            queue.expect(number, played::between(1, latest));
        }
        let world = Arc::new(World {
            crm: Mutex::new(Crm {
                accounts,
                ..Crm::default()
            }),
            queue: Mutex::new(queue),
            tenants,
            bell: Notify::new(),
            journal: Book::default().journal("simulated", Path::new("")),
        });
        let server = Server::start();
        let start = |number: usize| Host::start(&world, &self.limiter(&server, number), PROCESSES);
        let mut hosts: Vec<Host> = (0..self.hosts).map(start).collect();
        for second in (0..self.seconds).step_by(CLICK as usize) {
            match second {
                DEATH if self.incidents => {
                    let busy = hosts.iter().position(Host::is_busy).unwrap_or(0);
                    drop(hosts.remove(busy));
                }
                BIRTH if self.incidents => hosts.push(start(self.hosts)),
                FROZEN if self.incidents => server.lock().set(Mood::Frozen),
                GONE if self.incidents => server.lock().set(Mood::Gone),
                BACK if self.incidents && self.forgets => server.lock().lose_and_come_back(),
                BACK if self.incidents => server.lock().set(Mood::Well),
                _ => {}
            }
            sleep(CLICK * 1000).await;
            let tenant = played::between(0, world.tenants.len() as u64 - 1) as usize;
            world.queue.lock().click(tenant, || 1);
            world.bell.notify_waiters();
        }
        assert!(
            hosts.iter().all(Host::is_well),
            "a worker has failed; seed {}",
            self.seed
        );
        drop(hosts);
        let scripts = server.lock().scripts;
        Outcome::of(self, &world, scripts)
    }

    fn limiter(self, server: &Arc<Mutex<Server>>, host: usize) -> Arc<Limiter> {
        let remote = (self.counting == Counting::Together).then(|| remote(server, &format!("host{host}")));
        Arc::new(Limiter::played(Local::private(SLOTS), remote, GROUND))
    }
}

//! The job queue, as wp-plugin/includes/Jobs.php, Leases.php, Retries.php and Tenants.php have it in the database. In PHP and SQL, what is
//! simulated here would need a real database and real time; so this is a model of it, statement by statement: which rows are taken
//! in which order (`ORDER BY priority, available_at, id`, those of others passed by), leases and their end, waits after failures, one
//! job per tenant, and the times at which tenants are due. Everything else of the simulation is the code that is shipped.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::played;

/// `Leases::SECONDS`
const LEASE: u64 = 120_000;
/// `Jobs::PRIORITY_CLICK`
pub const CLICK: u8 = 10;
/// What `Jobs::enqueue` takes where nothing is said.
const SCHEDULED: u8 = 50;
/// `Retries::FIRST` and `LAST`, in seconds.
const BACKOFF: (u64, u64) = (15, 900);

/// A tenant's pull that is asked for, and how far it has come.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: u64,
    pub tenant: usize,
    pub priority: u8,
    /// Whose lease it is under; 0: it waits.
    pub lease: u64,
    available_at: u64,
    lease_until: u64,
    attempts: u32,
    /// The CRM, or the limiter, has said until when.
    is_held: bool,
    /// Pages there are, and pages stored: the cursor.
    pub pages: u64,
    pub stored: u64,
    /// When it should have begun: when the tenant was due, or somebody clicked.
    due: u64,
    clicked: Option<u64>,
    started: Option<u64>,
}

/// A pull that has been done.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub tenant: usize,
    pub due: u64,
    pub started: u64,
    pub finished: u64,
    /// When somebody clicked for it.
    pub clicked: Option<u64>,
}

#[derive(Debug, Default)]
pub struct Queue {
    jobs: BTreeMap<u64, Job>,
    waiting: BTreeSet<(u8, u64, u64)>,
    running: BTreeSet<(u64, u64)>,
    of_tenant: HashMap<usize, u64>,
    /// `next_due_at`, with the interval.
    due: BTreeSet<(u64, usize)>,
    last: u64,
    pub done: Vec<Run>,
    /// Jobs whose worker has died.
    pub expired: u64,
}

impl Queue {
    /// A tenant that is first due then.
    pub fn expect(&mut self, tenant: usize, at: u64) {
        self.due.insert((at, tenant));
    }

    /// `Cron::enqueue_due`: `Tenants::take_due` with its LIMIT 500, then a job for each.
    pub fn enqueue_due(&mut self, interval: impl Fn(usize) -> u64, pages: impl Fn(usize) -> u64) {
        let now = played::millis();
        for _ in 0..500 {
            let Some(&(at, tenant)) = self.due.first().filter(|(at, _)| *at <= now) else {
                return;
            };
            self.due.remove(&(at, tenant));
            self.due.insert((now + interval(tenant), tenant));
            self.enqueue(tenant, SCHEDULED, at, || pages(tenant));
        }
    }

    /// `Jobs::enqueue`: what is queued or running already is not doubled.
    fn enqueue(&mut self, tenant: usize, priority: u8, due: u64, pages: impl Fn() -> u64) {
        let now = played::millis();
        let clicked = (priority <= CLICK).then_some(now);
        if let Some(id) = self.of_tenant.get(&tenant).copied() {
            self.change(id, |job| {
                job.priority = job.priority.min(priority);
                if clicked.is_some() && !job.is_held {
                    job.available_at = job.available_at.min(now);
                }
            });
            return;
        }
        self.last += 1;
        let job = Job {
            id: self.last,
            tenant,
            priority,
            lease: 0,
            available_at: now,
            lease_until: 0,
            attempts: 0,
            is_held: false,
            pages: pages(),
            stored: 0,
            due,
            clicked,
            started: None,
        };
        self.of_tenant.insert(tenant, job.id);
        self.waiting.insert((priority, now, job.id));
        self.jobs.insert(job.id, job);
    }

    /// Somebody presses "Sync now".
    pub fn click(&mut self, tenant: usize, pages: impl Fn() -> u64) {
        self.enqueue(tenant, CLICK, played::millis(), pages);
    }

    /// Changes a row, and its place in the indexes.
    fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Job) -> T) -> Option<T> {
        let job = self.jobs.get_mut(&id)?;
        if job.lease == 0 {
            self.waiting.remove(&(job.priority, job.available_at, id));
        } else {
            self.running.remove(&(job.lease_until, id));
        }
        let result = change(job);
        if job.lease == 0 {
            self.waiting.insert((job.priority, job.available_at, id));
        } else {
            self.running.insert((job.lease_until, id));
        }
        Some(result)
    }

    /// The same, where the lease is still this one.
    fn change_own(&mut self, own: &Job, change: impl FnOnce(&mut Job)) -> bool {
        let is_own = self.jobs.get(&own.id).is_some_and(|job| job.lease == own.lease);
        is_own && self.change(own.id, change).is_some()
    }

    /// `Jobs::claim_some`: the most urgent that are due, after those of dead workers have been put back.
    pub fn claim(&mut self, limit: usize, least: u8) -> Vec<Job> {
        let now = played::millis();
        while let Some(&(_, id)) = self.running.first().filter(|(until, _)| *until < now) {
            self.expired += 1;
            self.change(id, |job| {
                (job.lease, job.available_at) = (0, now);
                job.attempts += 1;
            });
        }
        let ids: Vec<u64> = self.due_now(least).take(limit).collect();
        self.last += 1;
        let lease = self.last;
        ids.iter()
            .filter_map(|id| {
                self.change(*id, |job| {
                    (job.lease, job.lease_until, job.is_held) = (lease, now + LEASE, false);
                    job.started.get_or_insert(now);
                    job.clone()
                })
            })
            .collect()
    }

    /// `Leases::beat`
    pub fn beat<'j>(&mut self, jobs: impl Iterator<Item = &'j Job>) {
        let until = played::millis() + LEASE;
        for job in jobs {
            self.change_own(job, |job| job.lease_until = until);
        }
    }

    /// `Store::batch` with `Leases::lock` and `Progress::write`: false if another worker has the job.
    pub fn store(&mut self, own: &Job) -> bool {
        let until = played::millis() + LEASE;
        self.change_own(own, |job| {
            job.stored += 1;
            (job.lease_until, job.attempts) = (until, 0);
        })
    }

    /// `Jobs::finish`
    pub fn finish(&mut self, own: &Job) {
        if !self.change_own(own, |_| ()) {
            return;
        }
        if let Some(job) = self.jobs.remove(&own.id) {
            self.running.remove(&(job.lease_until, job.id));
            self.of_tenant.remove(&job.tenant);
            self.done.push(Run {
                tenant: job.tenant,
                due: job.due,
                started: job.started.unwrap_or(job.due),
                finished: played::millis(),
                clicked: job.clicked,
            });
        }
    }

    /// `Jobs::any_due`
    pub fn any_due(&self, job: &Job) -> bool {
        self.due_now(job.priority).next().is_some()
    }

    /// Rows that may be taken, in order.
    fn due_now(&self, least: u8) -> impl Iterator<Item = u64> + '_ {
        let now = played::millis();
        let urgent = [CLICK, SCHEDULED]
            .into_iter()
            .filter(move |priority| *priority <= least);
        let rows = urgent.flat_map(move |priority| self.waiting.range((priority, 0, 0)..=(priority, now, u64::MAX)));
        rows.map(|(_, _, id)| *id)
    }

    /// `Jobs::release`
    pub fn release(&mut self, own: &Job) {
        let now = played::millis();
        self.change_own(own, |job| (job.lease, job.available_at) = (0, now));
    }

    /// `Failure::postpone`, `Jobs::postpone` and `Retries`: the CRM's own time, or up to a bound that doubles.
    pub fn postpone(&mut self, own: &Job, told: Option<f64>, is_limit: bool, progressed: bool) {
        let now = played::millis();
        let seconds = match told {
            Some(seconds) => {
                let seconds = seconds.clamp(1.0, 90_000.0);
                seconds + (seconds / 10.0).min(5.0) * played::chance()
            }
            None => {
                let attempts = if progressed { 0 } else { own.attempts };
                let bound = BACKOFF.1.min(BACKOFF.0 << attempts.min(16));
                (bound as f64 * played::chance()).max(1.0)
            }
        };
        self.change_own(own, |job| {
            job.attempts += u32::from(!(told.is_some() && is_limit));
            job.is_held = told.is_some();
            (job.lease, job.available_at) = (0, now + seconds.ceil() as u64 * 1000);
        });
    }

    /// Jobs that are not done.
    pub fn open(&self) -> impl Iterator<Item = (usize, u64, Option<u64>)> + '_ {
        self.jobs.values().map(|job| (job.tenant, job.due, job.started))
    }
}

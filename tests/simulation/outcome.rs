//! What came of a run: who was late, how much went, and a line of the curve.

use std::collections::BTreeMap;
use std::time::Duration;

use super::queue::Run;
use super::run::{BACK, FROZEN, Scenario};
use super::worker::World;

/// Seconds until a pull that is due has begun: a worker looks for such between two slices, of 30 s each, and two hosts have to make up
/// for what one did not do while it was dead.
const BOUND: u64 = 60;
/// Seconds after a CRM's return until all of its tenants have been pulled: the longest wait between two attempts (`Retries::LAST`), and
/// the time that is needed for what has piled up.
const CATCH_UP: u64 = 1_200;
/// Seconds after Redis's return: meanwhile an account whose limit is too small to be divided among the hosts was not asked at all.
const REFILL: u64 = 600;
/// Findings that are kept.
const MOST_WORDS: usize = 10;

pub struct Outcome {
    pub scenario: Scenario,
    /// Pulls that came to their end.
    pub runs: usize,
    /// From due to begun, in milliseconds, in order; clicks by themselves.
    pub late: Vec<u64>,
    pub clicks: Vec<u64>,
    /// From due to stored, in thousandths of the interval, of tenants whose CRM was always there, in order.
    pub parts: Vec<u64>,
    /// What was out of bounds.
    pub out_of_bounds: usize,
    pub words: Vec<String>,
    /// Requests, those that were too many, and those that found nobody.
    pub requests: u64,
    pub refused: u64,
    pub lost: u64,
    /// How much of what may be let through was used of the busiest limit, and of what the CRM allows in the fullest window.
    pub utilisation: f64,
    pub fullest: f64,
    /// Jobs that were taken from dead workers.
    pub expired: u64,
    pub scripts: u64,
    pub digest: u64,
    pub took: Duration,
}

/// What one tenant is measured by, in milliseconds.
struct Measure {
    interval: u64,
    /// When its CRM was away or Redis, and when that should have been made up for.
    away: Vec<(u64, u64)>,
    /// Whether its CRM was always there.
    was_served: bool,
}

impl Measure {
    /// Whether a time that begins and ends so has to do with an outage.
    fn excuses(&self, from: u64, to: u64) -> bool {
        let mut away = self.away.iter();
        away.any(|(begin, end)| from <= *end && begin <= &to && to <= *end)
    }
}

impl Outcome {
    pub fn of(scenario: Scenario, world: &World, scripts: u64) -> Self {
        let (crm, queue) = (world.crm.lock(), world.queue.lock());
        let seconds = scenario.seconds as f64;
        let mut outcome = Self {
            scenario,
            runs: queue.done.len(),
            late: Vec::new(),
            clicks: Vec::new(),
            parts: Vec::new(),
            out_of_bounds: 0,
            words: crm.words.clone(),
            requests: crm.requests,
            refused: crm.refused,
            lost: crm.lost,
            utilisation: crm
                .accounts
                .iter()
                .map(|account| account.utilisation(seconds))
                .fold(0.0, f64::max),
            fullest: crm.accounts.iter().map(|account| account.fullest()).fold(0.0, f64::max),
            expired: queue.expired,
            scripts,
            digest: crm.digest,
            took: Duration::ZERO,
        };
        let mut runs: BTreeMap<usize, Vec<Run>> = BTreeMap::new();
        for run in &queue.done {
            runs.entry(run.tenant).or_default().push(*run);
        }
        // What is still under way counts as if it ended now.
        for (tenant, due, started) in queue.open() {
            let now = scenario.seconds * 1000;
            let run = Run {
                tenant,
                due,
                started: started.unwrap_or(now),
                finished: now,
                clicked: None,
            };
            runs.entry(tenant).or_default().push(run);
        }
        for (number, tenant) in world.tenants.iter().enumerate() {
            let away = crm.accounts[tenant.account].away.as_ref();
            let crm_away = away.map(|away| (*away.start(), *away.end() + CATCH_UP * 1000));
            let redis_away = scenario.incidents.then_some((FROZEN * 1000, (BACK + REFILL) * 1000));
            let measure = Measure {
                interval: tenant.interval,
                away: [crm_away, redis_away].into_iter().flatten().collect(),
                was_served: crm_away.is_none(),
            };
            outcome.measure(&tenant.name, &measure, runs.get(&number).map_or(&[], Vec::as_slice));
        }
        for list in [&mut outcome.late, &mut outcome.clicks, &mut outcome.parts] {
            list.sort_unstable();
        }
        outcome
    }

    fn measure(&mut self, name: &str, measure: &Measure, runs: &[Run]) {
        let bound = BOUND * 1000;
        for run in runs {
            let late = run.started - run.due;
            match run.clicked {
                Some(clicked) => self.clicks.push(run.started - clicked),
                None => self.late.push(late),
            }
            if late > bound {
                self.find(format!("{name}: due at {} ms, begun {late} ms later", run.due));
            }
            let took = run.finished - run.due;
            if measure.was_served {
                self.parts.push(took * 1000 / measure.interval);
            }
            if took > measure.interval && !measure.excuses(run.due, run.finished) {
                self.find(format!("{name}: due at {} ms, stored {took} ms later", run.due));
            }
        }
        for pair in runs.windows(2) {
            let [first, next] = [pair[0], pair[1]];
            // What is due while a pull is still under way is no other one.
            let is_excused = measure.excuses(first.due, first.finished);
            let from = if is_excused { first.finished } else { first.started };
            if next.started > from + measure.interval + bound {
                self.find(format!(
                    "{name}: begun at {} ms, and then not before {} ms",
                    first.started, next.started
                ));
            }
        }
        // The beginning and the end of the run are bounds, too.
        let (first, last) = (runs.first(), runs.last().map_or(0, |run| run.finished));
        let most = measure.interval + bound;
        if first.is_some_and(|run| run.started > most) || self.scenario.seconds * 1000 > last + most {
            let first = first.map(|run| run.started);
            self.find(format!("{name}: first begun at {first:?} ms, last stored at {last} ms"));
        }
    }

    fn find(&mut self, words: String) {
        self.out_of_bounds += 1;
        if self.words.len() < MOST_WORDS {
            self.words.push(words);
        }
    }

    /// The titles of [`Outcome::line`].
    pub const TITLES: &str = "tenants hosts   begun late: median   p99    max s   stored by: of the interval   click max s   \
busiest limit   fullest window   requests/s   Redis/s   refused   out of bounds   virtual s   real s";

    /// A line of the curve.
    pub fn line(&self) -> String {
        let seconds = |list: &[u64], share: f64| at(list, share) as f64 / 1000.0;
        format!(
            "{:7} {:5} {:20.2} {:5.2} {:8.2} {:27.0} % {:13.2} {:13.0} % {:14.0} % {:12.1} {:9.1} {:9} {:15} {:11} {:8.1}",
            self.scenario.tenants,
            self.scenario.hosts,
            seconds(&self.late, 0.5),
            seconds(&self.late, 0.99),
            seconds(&self.late, 1.0),
            at(&self.parts, 1.0) as f64 / 10.0,
            seconds(&self.clicks, 1.0),
            self.utilisation * 100.0,
            self.fullest * 100.0,
            self.requests as f64 / self.scenario.seconds as f64,
            self.scripts as f64 / self.scenario.seconds as f64,
            self.refused,
            self.out_of_bounds,
            self.scenario.seconds,
            self.took.as_secs_f64(),
        )
    }
}

/// Of a list in order, the one that so many are before.
fn at(list: &[u64], share: f64) -> u64 {
    let place = (list.len().saturating_sub(1) as f64 * share) as usize;
    list.get(place).copied().unwrap_or(0)
}

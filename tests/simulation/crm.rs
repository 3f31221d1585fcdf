//! The CRMs, and the judge of all limits: each request that arrives is counted in exact sliding windows and days, by account, of which
//! the limiter knows nothing. What is too much is refused with a 429 and noted down.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::limit::{Costs, Form, Tells};
use tenant_crm_sync::error::{Error, Kind, Reason};
use tenant_crm_sync::limit::budget::Window;
use tenant_crm_sync::limit::{Count, Key};

use super::played;

/// Messages that are kept.
const MOST_WORDS: usize = 5;

/// An account at a CRM, and what one page of it is like.
pub struct Account {
    pub name: String,
    pub windows: Vec<Window>,
    pub gate: Key,
    pub costs: Costs,
    /// How long it thinks, in milliseconds: mostly the first, seldom up to the second.
    pub thinks: RangeInclusive<u64>,
    /// When it cannot be reached, in milliseconds of the run.
    pub away: Option<RangeInclusive<u64>>,
    judges: Vec<Judge>,
}

/// One limit as the CRM itself counts it.
struct Judge {
    name: String,
    cost: u64,
    amount: u64,
    period: u64,
    /// Of a daily one: milliseconds after midnight UTC at which it begins anew.
    midnight: Option<u64>,
    /// When what arrived that still counts.
    seen: VecDeque<u64>,
    /// All that ever arrived, and what of it the limiter may let through in a second.
    total: u64,
    capacity: f64,
    told: Option<Told>,
    most: u64,
}

/// Headers that say what is left.
struct Told {
    tells: Tells,
    names: [Option<HeaderName>; 4],
}

impl Account {
    pub fn new(name: String, connector: &Connector, windows: Vec<Window>, gate: Key, costs: Costs) -> Self {
        // HubSpot's searches tell nothing of limits.
        let is_silent = costs.of("searches").is_some();
        let limits = &connector.limits;
        let judges = windows.iter().map(|window| {
            let is_of = |tells: &&Tells| !is_silent && tells.form != Form::Structured;
            let same = limits
                .iter()
                .filter(|limit| limit.amount == window.amount && limit.seconds == window.seconds);
            let tells = same.filter_map(|limit| limit.told.as_ref()).find(is_of);
            Judge::new(window, window.draw(&costs).unwrap().map_or(0, |draw| draw.cost), tells)
        });
        Self {
            judges: judges.collect(),
            name,
            windows,
            gate,
            costs,
            thinks: 40..=2_000,
            away: None,
        }
    }

    /// The largest part of what may be let through that was used.
    pub fn utilisation(&self, seconds: f64) -> f64 {
        let parts = self
            .judges
            .iter()
            .map(|judge| judge.total as f64 / (judge.capacity * seconds));
        parts.fold(0.0, f64::max)
    }

    /// The most that lay in a window, of what the CRM allows.
    pub fn fullest(&self) -> f64 {
        let parts = self.judges.iter().map(|judge| judge.most as f64 / judge.amount as f64);
        parts.fold(0.0, f64::max)
    }
}

impl Judge {
    fn new(window: &Window, cost: u64, tells: Option<&Tells>) -> Self {
        let rule = window.rule;
        let (midnight, even) = match rule.count {
            Count::Daily(offset) => (Some(u64::from(offset) * 1000), rule.amount),
            Count::Rolling => (None, rule.amount),
            Count::Paced => (None, rule.amount - rule.burst),
        };
        Self {
            name: window.name.clone(),
            cost,
            amount: window.amount,
            period: window.seconds * 1000,
            midnight,
            seen: VecDeque::new(),
            total: 0,
            capacity: even as f64 / rule.period.as_secs_f64(),
            told: tells.map(|tells| Told {
                tells: tells.clone(),
                names: [&tells.remaining, &tells.limit, &tells.used, &tells.interval_ms].map(|name| {
                    name.as_ref()
                        .and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok())
                }),
            }),
            most: 0,
        }
    }

    /// What counts at this moment: of sliding windows both ends.
    fn used(&mut self, unix: u64) -> u64 {
        let from = match self.midnight {
            Some(midnight) => (unix - midnight) / self.period * self.period + midnight,
            None => unix - self.period,
        };
        while self.seen.front().is_some_and(|at| *at < from) {
            self.seen.pop_front();
        }
        self.seen.len() as u64 * self.cost
    }

    fn tell(&mut self, unix: u64, headers: &mut HeaderMap) {
        let used = self.used(unix);
        let Some(Told {
            tells,
            names: [remaining, limit, all, interval],
        }) = &self.told
        else {
            return;
        };
        if tells.form == Form::Usage {
            let name = tells.name.as_deref().unwrap_or("api-usage");
            let value = HeaderValue::try_from(format!("{name}={used}/{}", self.amount)).unwrap();
            headers.extend(all.clone().map(|all| (all, value)));
            return;
        }
        let numbers = [
            (remaining, self.amount - used),
            (limit, self.amount),
            (all, used),
            (interval, self.period),
        ];
        for (name, number) in numbers {
            headers.extend(name.clone().map(|name| (name, HeaderValue::from(number))));
        }
    }
}

#[derive(Default)]
pub struct Crm {
    pub accounts: Vec<Account>,
    /// Requests that arrived.
    pub requests: u64,
    /// Those of them that were too much.
    pub refused: u64,
    /// Those that found nobody.
    pub lost: u64,
    /// Where and when it was too much.
    pub words: Vec<String>,
    /// What arrived where and when: the same for the same seed.
    pub digest: u64,
}

impl Crm {
    pub fn is_away(&self, account: usize) -> bool {
        self.accounts[account]
            .away
            .as_ref()
            .is_some_and(|away| away.contains(&played::millis()))
    }

    /// A request arrives.
    pub fn arrive(&mut self, number: usize) -> Result<HeaderMap, Error> {
        let unix = played::now().unix;
        let account = &mut self.accounts[number];
        self.requests += 1;
        self.digest = (self.digest ^ unix ^ (number as u64) << 48).wrapping_mul(0x0100_0000_01b3);
        let mut judges = account.judges.iter_mut().filter(|judge| judge.cost > 0);
        let over = judges.find_map(|judge| (judge.used(unix) + judge.cost > judge.amount).then_some(judge));
        if let Some(judge) = over {
            self.refused += 1;
            if self.words.len() < MOST_WORDS {
                let second = played::elapsed().as_secs_f64();
                self.words.push(format!(
                    "{}: more than {} at second {second:.3}",
                    account.name, judge.name
                ));
            }
            let mut error = Error::new(Kind::RateLimited, "429");
            (error.status, error.reason, error.retry_after) = (Some(429), Some(Reason::RateLimited), Some(1.0));
            return Err(error);
        }
        let mut headers = HeaderMap::new();
        for judge in account.judges.iter_mut().filter(|judge| judge.cost > 0) {
            judge.seen.push_back(unix);
            judge.total += judge.cost;
            judge.most = judge.most.max(judge.seen.len() as u64 * judge.cost);
            judge.tell(unix, &mut headers);
        }
        Ok(headers)
    }
}

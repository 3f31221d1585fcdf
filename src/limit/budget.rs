//! What one connection may draw on: the windows that follow from its connector, its settings and its credential, and what a
//! request takes of each. Pure; where windows are counted is the business of `local` and `redis`.

use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;

use super::identity::Who;
use super::own::{OwnLimit, TenantLimits, wrong};
use super::told::{self, Of, Told};
use super::{Count, Draw, Key, Rule};
use crate::crm::limit::{Costs, DAY, LONG, Limit, REQUESTS, RESERVE, Scope, Tells};
use crate::crm::request::Connection;
use crate::error::{Error, Kind, Result};

/// Requests that are sent evenly do not arrive evenly: a paced window is taken as that much longer.
const PAD: Duration = Duration::from_millis(150);

/// One limit as it holds for one connection.
#[derive(Debug, Clone)]
pub struct Window {
    /// What people read: `100 requests in 10 s`.
    pub name: String,
    /// What is counted.
    pub unit: String,
    /// What shares it.
    pub scope: Scope,
    /// How much the CRM takes.
    pub amount: u64,
    /// In so many seconds.
    pub seconds: u64,
    /// Whether it is counted from midnight to midnight.
    pub daily: bool,
    /// What of it may be used, and how it is counted.
    pub rule: Rule,
    /// Which counter it is.
    pub key: Key,
    /// The share that is left to others.
    pub reserve: f64,
    /// What a request costs whose operation does not name the unit.
    each: u64,
    /// Where answers speak of it.
    tells: Option<&'static Tells>,
}

/// What a request takes, each of the window at the same place.
#[derive(Debug, Default)]
pub struct Draws<'w> {
    /// What is taken.
    pub draws: Vec<Draw>,
    /// Of what.
    pub windows: Vec<&'w Window>,
}

impl Window {
    /// What a request of these costs takes; `None`: nothing.
    pub fn draw(&self, costs: &Costs) -> Result<Option<Draw>> {
        let cost = costs.of(&self.unit).unwrap_or(self.each);
        if cost > self.rule.amount {
            return Err(Error::new(
                Kind::Config,
                format!(
                    "one request costs {cost} {}, and {} of {} may be used: raise the setting limits, or lower reserve",
                    self.unit, self.rule.amount, self.name
                ),
            ));
        }
        Ok((cost > 0).then_some(self.taking(cost)))
    }

    /// The smallest draw on it, to ask for its state.
    #[must_use]
    pub const fn least(&self) -> Draw {
        self.taking(1)
    }

    const fn taking(&self, cost: u64) -> Draw {
        Draw {
            key: self.key,
            rule: self.rule,
            cost,
        }
    }

    /// What an answer says of it, less what is left to others: what remains of the rule's amount, and that amount, where the
    /// CRM's is smaller. `unix` is in milliseconds.
    #[must_use]
    pub fn told(&self, headers: &HeaderMap, unix: u64) -> Option<Told> {
        let of = Of {
            tells: self.tells,
            unit: &self.unit,
            seconds: self.seconds,
        };
        let told = told::read(of, headers, unix)?;
        let whole = told.limit.unwrap_or(self.amount);
        let ours = usable(whole, self.reserve);
        let remaining = told.remaining.saturating_sub(whole.saturating_sub(ours));
        Some(Told {
            remaining: remaining.min(ours).min(self.rule.amount),
            // What others used of a larger amount than we reckon with is no use of ours.
            limit: told.limit.map(|_| ours.min(self.rule.amount)),
            reset: told.reset,
        })
    }
}

/// What one request of these costs takes of all windows.
pub fn draws<'w>(windows: &'w [Window], costs: &Costs) -> Result<Draws<'w>> {
    let mut all = Draws::default();
    for window in windows {
        if let Some(draw) = window.draw(costs)? {
            all.draws.push(draw);
            all.windows.push(window);
        }
    }
    Ok(all)
}

/// The windows of a connection. `tenant` tells apart those that have consented to one app, whose refresh tokens are not among
/// their settings; `unix` (milliseconds) tells how far a zone is from UTC now.
pub fn windows(connection: &Connection, tenant: &str, own: &TenantLimits, unix: u64) -> Result<Vec<Window>> {
    let who = Who { connection, tenant };
    let chosen = chosen(connection, own.plan.as_deref())?;
    let Some(limits) = &own.limits else {
        return chosen
            .into_iter()
            .map(|limit| who.connectors(limit, own.reserve, unix))
            .collect();
    };
    let units = connection.connector.units();
    limits
        .iter()
        .enumerate()
        .map(|(position, limit)| {
            if !units.contains(&limit.unit.as_str()) {
                let reason = format!(
                    "[{position}].unit: {} counts {}",
                    connection.connector.name,
                    units.join(", ")
                );
                return Err(wrong("limits", &reason));
            }
            who.own(limit, &chosen, own.reserve, unix)
        })
        .collect()
}

/// The key of the connection itself: of its breaker, and of what the CRM has told to wait.
#[must_use]
pub fn gate(connection: &Connection, tenant: &str) -> Key {
    let who = Who { connection, tenant };
    who.key(Scope::User, &[b"gate"])
}

/// The connector's limits that hold for this authorisation and plan.
fn chosen(connection: &Connection, plan: Option<&str>) -> Result<Vec<&'static Limit>> {
    let connector = connection.connector;
    let plans = connector.plans();
    if let Some(plan) = plan
        && !plans.contains(&plan)
    {
        let known = if plans.is_empty() {
            format!("{} has none: leave it empty", connector.name)
        } else {
            format!("{} has {}", connector.name, plans.join(", "))
        };
        return Err(wrong(
            "plan",
            &format!("there is no \"{}\"; {known}", plan.escape_default()),
        ));
    }
    let method = &connection.method.name;
    let holds = |limit: &&'static Limit| limit.auth.is_empty() || limit.auth.contains(method);
    let mut chosen: Vec<&'static Limit> = Vec::new();
    for limit in connector.limits.iter().filter(holds) {
        match chosen.iter_mut().find(|other| other.is_beside(limit)) {
            None => chosen.push(limit),
            Some(first) if plan.is_some() && limit.plan.as_deref() == plan => *first = limit,
            Some(_) => {}
        }
    }
    Ok(chosen)
}

/// What a window is made of.
struct Parts<'p> {
    scope: Scope,
    unit: &'p str,
    amount: u64,
    seconds: u64,
    /// Seconds after midnight UTC at which it begins anew, where it is counted by days.
    midnight: Option<u32>,
    reserve: f64,
    burst: Option<u64>,
    exact: bool,
    each: u64,
    tells: Option<&'static Tells>,
}

impl Who<'_> {
    fn connectors(self, limit: &'static Limit, reserve: Option<f64>, unix: u64) -> Result<Window> {
        let is_long = limit.seconds >= LONG;
        Ok(self.window(Parts {
            scope: limit.scope,
            unit: &limit.unit,
            amount: limit.amount,
            seconds: limit.seconds,
            midnight: limit.daily.then(|| self.midnight(limit, unix)).transpose()?.flatten(),
            reserve: reserve.filter(|_| is_long).unwrap_or_else(|| limit.reserve()),
            burst: None,
            exact: false,
            each: limit.each(),
            tells: limit.told.as_ref(),
        }))
    }

    /// A limit of the tenant's own: what it does not say is as with the connector's of the same unit and time.
    fn own(self, limit: &OwnLimit, chosen: &[&'static Limit], reserve: Option<f64>, unix: u64) -> Result<Window> {
        let of_unit = || chosen.iter().filter(|known| known.unit == limit.unit);
        let known = of_unit().find(|known| known.seconds == limit.seconds()).copied();
        let midnight = match (&limit.zone, known) {
            _ if !limit.daily => None,
            (Some(zone), _) => Some(after_utc(zone, unix).map_err(|reason| wrong("limits", &reason))?),
            (None, Some(known)) if known.zone.is_some() => self.midnight(known, unix)?,
            (None, _) => Some(0),
        };
        let is_long = limit.seconds() >= LONG;
        let otherwise = match known {
            _ if limit.exact => 0.0,
            Some(known) => known.reserve(),
            None if is_long => RESERVE,
            None => 0.0,
        };
        let each = of_unit().map(|known| known.each()).max();
        Ok(self.window(Parts {
            scope: known.map_or(Scope::User, |known| known.scope),
            unit: &limit.unit,
            amount: limit.amount,
            seconds: limit.seconds(),
            midnight,
            reserve: reserve.filter(|_| is_long).unwrap_or(otherwise),
            burst: limit.burst,
            exact: limit.exact,
            each: each.unwrap_or(u64::from(limit.unit == REQUESTS)),
            tells: known.and_then(|known| known.told.as_ref()),
        }))
    }

    /// When a daily limit begins anew; `None` where nobody has said whose midnight it is.
    fn midnight(self, limit: &Limit, unix: u64) -> Result<Option<u32>> {
        let Some(zone) = &limit.zone else {
            return Ok(Some(0));
        };
        let zone = zone.text(&self.connection.values).filter(|zone| !zone.is_empty());
        let after = zone.map(|zone| after_utc(&zone, unix)).transpose();
        after.map_err(|reason| Error::new(Kind::Config, reason))
    }

    fn window(self, parts: Parts<'_>) -> Window {
        let Parts {
            scope,
            unit,
            amount,
            seconds,
            midnight,
            reserve,
            ..
        } = parts;
        let usable = usable(amount, reserve);
        let whole = Duration::from_secs(seconds);
        let (count, kind, period) = match midnight {
            Some(midnight) => (Count::Daily(midnight), "daily", whole),
            None if seconds >= LONG => (Count::Rolling, "rolling", whole),
            None if parts.exact => (Count::Paced, "paced", whole),
            None => (Count::Paced, "paced", whole + PAD.max(whole * 3 / 100)),
        };
        let words: [&[u8]; 3] = [unit.as_bytes(), &seconds.to_le_bytes(), kind.as_bytes()];
        Window {
            name: name(amount, unit, seconds, midnight.is_some()),
            unit: unit.to_owned(),
            scope,
            amount,
            seconds,
            daily: midnight.is_some(),
            rule: Rule {
                amount: usable,
                period,
                burst: parts
                    .burst
                    .unwrap_or(usable / 10)
                    .clamp(1, usable.saturating_sub(1).max(1)),
                count,
            },
            key: self.key(scope, &words),
            reserve,
            each: parts.each,
            tells: parts.tells,
        }
    }
}

/// What is left of an amount, less a share; never nothing.
fn usable(amount: u64, reserve: f64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "amounts are below 2^53")]
    let kept = amount as f64 * reserve;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the amount"
    )]
    let kept = kept.ceil() as u64;
    amount.saturating_sub(kept).max(1)
}

/// Seconds after midnight UTC at which it is midnight in a zone.
fn after_utc(zone: &str, unix: u64) -> std::result::Result<u32, String> {
    let unknown = || {
        format!(
            "'{}' is not a time zone: write it like Europe/Berlin",
            zone.escape_default()
        )
    };
    let zone = TimeZone::get(zone).map_err(|_| unknown())?;
    let now = i64::try_from(unix)
        .ok()
        .and_then(|unix| jiff::Timestamp::from_millisecond(unix).ok());
    let ahead = now.map_or(0, |now| zone.to_offset(now).seconds());
    let day = i32::try_from(DAY).unwrap_or(i32::MAX);
    Ok(u32::try_from((-ahead).rem_euclid(day)).unwrap_or_default())
}

/// `250,000 requests a day`
fn name(amount: u64, unit: &str, seconds: u64, daily: bool) -> String {
    let digits = amount.to_string();
    let mut written = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    let time = match seconds {
        _ if daily => String::from("a day"),
        seconds if seconds.is_multiple_of(LONG) => format!("in {} h", seconds / LONG),
        seconds if seconds.is_multiple_of(60) && seconds > 60 => format!("in {} min", seconds / 60),
        seconds => format!("in {seconds} s"),
    };
    format!("{written} {unit} {time}")
}

//! What a connector says of a CRM's limits: how much it takes in which time, what a request costs, and where its answers tell
//! what is left. What follows from it for one connection is the business of `limit::budget`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::crm::connector::Connector;
use crate::crm::object::Operation;
use crate::json;
use crate::template::{Template, Value, Values};

/// The unit where nothing is said: each request is one.
pub const REQUESTS: &str = "requests";
/// What is kept of a window is forgotten after a day.
pub const DAY: u64 = 86_400;
/// Windows from here on are looked back upon, and leave something to the customer's other tools.
pub const LONG: u64 = 3_600;
/// The share that is left of those where nothing is said.
pub const RESERVE: f64 = 0.2;
/// No more may be left: what remains would be no budget.
pub const MOST_RESERVE: f64 = 0.9;
/// No CRM takes more, and sums of it do not run over.
pub const MOST: u64 = 1_000_000_000_000;
/// No request costs more.
const MOST_COST: u64 = 1_000_000;

/// How much the CRM takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What shares it: account, user or app.
    pub scope: Scope,
    /// Requests, or units where requests cost different amounts.
    pub amount: u64,
    /// In any so many seconds.
    pub seconds: u64,
    /// What is counted.
    #[serde(default = "requests")]
    pub unit: String,
    /// The edition that it is of; of several the tenant's setting `plan` chooses, else the first counts.
    #[serde(default)]
    pub plan: Option<String>,
    /// The methods of authorisation that it is of; none: all.
    #[serde(default)]
    pub auth: Vec<String>,
    /// Counted from midnight to midnight.
    #[serde(default)]
    pub daily: bool,
    /// Whose midnight; UTC where nothing is said. Where it has no value, the amount holds for any 24 hours.
    #[serde(default)]
    pub zone: Option<Template>,
    /// What an operation costs that does not name the unit.
    #[serde(default)]
    pub each: Option<u64>,
    /// Where answers tell what is left.
    #[serde(default)]
    pub told: Option<Tells>,
    /// The share that is left to the customer's other tools.
    #[serde(default)]
    pub reserve: Option<f64>,
    /// What people should know about it.
    #[serde(default)]
    pub note: Option<String>,
}

fn requests() -> String {
    String::from(REQUESTS)
}

/// What shares a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The CRM's account.
    Account,
    /// The user whose credential it is.
    User,
    /// The app that is registered at the CRM.
    App,
}

impl Scope {
    /// The name that connectors use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
            Self::App => "app",
        }
    }
}

/// Where answers tell what is left of a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tells {
    /// How it is written.
    #[serde(default)]
    pub form: Form,
    /// The header that says what is left.
    #[serde(default)]
    pub remaining: Option<String>,
    /// The header that says what is used.
    #[serde(default)]
    pub used: Option<String>,
    /// The header that says how much the CRM takes.
    #[serde(default)]
    pub limit: Option<String>,
    /// Which of several in one header it is.
    #[serde(default)]
    pub name: Option<String>,
    /// A header with the milliseconds of the window that the numbers are of: where it is another one, they say nothing here.
    #[serde(default)]
    pub interval_ms: Option<String>,
    /// Where it says when the window begins anew.
    #[serde(default)]
    pub reset: Option<Reset>,
}

/// How an answer writes what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A header for each number.
    #[default]
    Number,
    /// `api-usage=18/5000`
    Usage,
    /// `"day";r=50;t=30`, and `"day";q=100;w=86400` in `limit`: the IETF's `RateLimit` and `RateLimit-Policy`.
    Structured,
}

/// When a window begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Which header.
    pub header: String,
    /// How it is written.
    pub form: ResetForm,
}

/// How the time is written when a window begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetForm {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Ms,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
    /// An HTTP date, or RFC 3339.
    Date,
}

/// What a request costs of one unit: a number, or `{"one_for": 10}` where each ten records in it, or what is left of ten, cost one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum Cost {
    /// The same for each request.
    Flat(u64),
    /// One for so many records.
    OneFor(u64),
}

impl TryFrom<serde_json::Value> for Cost {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let wrong = || format!("{value} is no cost: write a whole number up to {MOST_COST}, or {{\"one_for\": 10}}");
        let number = |value: &serde_json::Value| value.as_u64().filter(|number| *number <= MOST_COST);
        if let Some(object) = value.as_object() {
            let only = object.get("one_for").filter(|_| object.len() == 1);
            let records = only.and_then(number).filter(|records| *records > 0);
            return records.map(Self::OneFor).ok_or_else(wrong);
        }
        number(&value).map(Self::Flat).ok_or_else(wrong)
    }
}

impl Cost {
    /// What a request with so many records costs.
    #[must_use]
    pub const fn of(self, records: u64) -> u64 {
        match self {
            Self::Flat(cost) => cost,
            Self::OneFor(some) if records > some => records.div_ceil(some),
            Self::OneFor(_) => 1,
        }
    }
}

/// What one request costs, by unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs(BTreeMap<String, u64>);

impl Costs {
    /// What it costs of this unit, if its operation says so.
    #[must_use]
    pub fn of(&self, unit: &str) -> Option<u64> {
        self.0.get(unit).copied()
    }
}

impl FromIterator<(String, u64)> for Costs {
    fn from_iter<T: IntoIterator<Item = (String, u64)>>(costs: T) -> Self {
        Self(costs.into_iter().collect())
    }
}

impl Operation {
    /// What a request of it with these values costs.
    #[must_use]
    pub fn cost(&self, values: &Values) -> Costs {
        let records = || records(values);
        let costs = self.costs.iter();
        costs
            .map(|(unit, cost)| {
                let records = match cost {
                    Cost::Flat(_) => 1,
                    Cost::OneFor(_) => records(),
                };
                (unit.clone(), cost.of(records))
            })
            .collect()
    }
}

/// How many records a request is about.
fn records(values: &Values) -> u64 {
    let ids = match values.get("ids") {
        Some(Value::List(ids)) => ids.len() as u64,
        _ => 0,
    };
    let mut items = 0;
    if let Some(Value::Json(list)) = values.get("items") {
        // What cannot be counted is refused where it is sent.
        let _ = json::Reader::new(list).each_element(|reader| {
            items += 1;
            reader.span().map(|_| ())
        });
    }
    ids.max(items).max(1)
}

impl Connector {
    /// The names that the setting `plan` may have.
    #[must_use]
    pub fn plans(&self) -> Vec<&str> {
        let mut plans: Vec<&str> = Vec::new();
        for plan in self.limits.iter().filter_map(|limit| limit.plan.as_deref()) {
            if !plans.contains(&plan) {
                plans.push(plan);
            }
        }
        plans
    }

    /// The units that requests to it can be counted in.
    #[must_use]
    pub fn units(&self) -> Vec<&str> {
        let mut units = vec![REQUESTS];
        for limit in &self.limits {
            if !units.contains(&limit.unit.as_str()) {
                units.push(&limit.unit);
            }
        }
        units
    }

    /// What the types cannot say of limits.
    pub(super) fn check_limits(&self) -> Result<(), String> {
        for (position, limit) in self.limits.iter().enumerate() {
            let wrong = |reason: &str| format!("limits[{position}].{reason}");
            limit.check().map_err(|reason| wrong(&reason))?;
            for name in &limit.auth {
                if !self.auth.iter().any(|method| method.name == *name) {
                    return Err(wrong(&format!("auth: \"{name}\" is not the name of a method in auth")));
                }
            }
            let before = self.limits.iter().take(position);
            if before.clone().any(|other| other.is_of_the_same(limit)) {
                return Err(wrong(
                    "plan: another limit is of the same scope, unit, time, plan and authorisation: name another plan",
                ));
            }
        }
        let units = self.units();
        let strange = |operation: &Operation| {
            let mut named = operation.costs.keys();
            named.find(|unit| !units.contains(&unit.as_str())).cloned()
        };
        let strange_probe = self.probe.as_ref().and_then(strange).map(|unit| ("probe", unit));
        let mut strange_objects = self.objects.iter().flat_map(|(name, object)| {
            let found = object.operations().find_map(strange);
            found.map(|unit| (name.as_str(), unit))
        });
        let subscribe = self.webhooks.as_ref().and_then(|webhooks| webhooks.subscribe.as_ref());
        let strange_subscribe = subscribe
            .and_then(|subscribe| strange(&subscribe.create).or_else(|| strange(&subscribe.delete)))
            .map(|unit| ("webhooks.subscribe", unit));
        match strange_probe.or(strange_subscribe).or_else(|| strange_objects.next()) {
            Some((place, unit)) => Err(format!(
                "{place}: costs: no limit counts \"{unit}\"; limits count {}",
                units.join(", ")
            )),
            None => Ok(()),
        }
    }
}

impl Limit {
    /// What an operation costs that does not name the unit.
    #[must_use]
    pub fn each(&self) -> u64 {
        self.each.unwrap_or(u64::from(self.unit == REQUESTS))
    }

    /// The share that is left to the customer's other tools, if the tenant says nothing else.
    #[must_use]
    pub fn reserve(&self) -> f64 {
        self.reserve.unwrap_or(if self.seconds >= LONG { RESERVE } else { 0.0 })
    }

    /// Whether two limits are of one thing, so that one of them counts.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        (self.scope, self.seconds, &self.unit) == (other.scope, other.seconds, &other.unit)
    }

    fn is_of_the_same(&self, other: &Self) -> bool {
        let share_auth =
            self.auth.is_empty() || other.auth.is_empty() || self.auth.iter().any(|name| other.auth.contains(name));
        self.is_beside(other) && self.plan == other.plan && share_auth
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |reason: &str| Err(reason.to_owned());
        if self.amount == 0 || self.amount > MOST {
            return Err(format!("amount: from 1 to {MOST}"));
        }
        if self.seconds == 0 || self.seconds > DAY {
            return Err(format!("seconds: from 1 to {DAY}"));
        }
        if self.daily && self.seconds != DAY {
            return Err(format!("daily: a day has {DAY} seconds"));
        }
        if self.zone.is_some() && !self.daily {
            return wrong("zone: only a daily limit has a midnight");
        }
        if self.unit.is_empty() {
            return wrong("unit: say what is counted, like \"tokens\"");
        }
        if self.plan.as_deref() == Some("") {
            return wrong("plan: say the edition's name, or nothing");
        }
        if self.each.is_some_and(|each| each > self.amount.min(MOST_COST)) {
            return wrong("each: a request would cost more than there is");
        }
        if let Some(reserve) = self.reserve
            && !(0.0..=MOST_RESERVE).contains(&reserve)
        {
            return Err(format!("reserve: a share from 0 to {MOST_RESERVE}"));
        }
        self.told.as_ref().map_or(Ok(()), Tells::check)
    }
}

impl Tells {
    fn check(&self) -> Result<(), String> {
        let wants = match self.form {
            Form::Number if self.remaining.is_none() && (self.used.is_none() || self.limit.is_none()) => {
                "remaining, or used and limit"
            }
            Form::Usage if self.used.is_none() => "used: the header that has both numbers",
            Form::Structured if self.remaining.is_none() => "remaining: the header that has it",
            _ => return Ok(()),
        };
        Err(format!("told: name {wants}"))
    }
}

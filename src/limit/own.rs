//! What a tenant's settings say of limits: which edition the CRM is of, limits of its own in place of the connector's, and how
//! much is left to the customer's other tools. What follows from it is the business of `budget`.

use serde::Deserialize;

use crate::crm::limit::{DAY, MOST, MOST_RESERVE, REQUESTS};
use crate::crm::tree::typed;
use crate::error::{Error, Kind, Result};

/// Each request asks every window.
const MOST_LIMITS: usize = 8;
/// Longer settings are none.
const MOST_BYTES: usize = 16 * 1024;

/// The settings `plan`, `limits` and `reserve`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TenantLimits {
    /// Which of the connector's plans it is; without it the first, smallest one.
    pub plan: Option<String>,
    /// In place of the connector's limits; an empty list: none.
    pub limits: Option<Vec<OwnLimit>>,
    /// The share of windows of hours and days that is left to other tools.
    pub reserve: Option<f64>,
}

/// A limit that a tenant's settings name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLimit {
    /// How much.
    pub amount: u64,
    /// In any so many seconds; of a daily one a day.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// Counted from midnight to midnight.
    #[serde(default)]
    pub daily: bool,
    /// Whose midnight: a name of the tz database; UTC without it, or what the connector knows.
    #[serde(default)]
    pub zone: Option<String>,
    /// What is counted.
    #[serde(default = "requests")]
    pub unit: String,
    /// What may be spent at once; a tenth without it.
    #[serde(default)]
    pub burst: Option<u64>,
    /// Whether the numbers are taken as they are: the time is not lengthened, and nothing is left to others unless `reserve` says so.
    #[serde(default)]
    pub exact: bool,
}

fn requests() -> String {
    String::from(REQUESTS)
}

impl OwnLimit {
    /// In any so many seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.seconds.unwrap_or(DAY)
    }
}

impl TenantLimits {
    /// Reads the three settings as text, `limits` as JSON; empty ones are none.
    pub fn parse(plan: Option<&str>, limits: Option<&str>, reserve: Option<&str>) -> Result<Self> {
        let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let limits = given(limits).map(|text| own(&text)).transpose();
        Ok(Self {
            plan: given(plan),
            limits: limits.map_err(|reason| wrong("limits", &reason))?,
            reserve: given(reserve).map(|text| share(&text)).transpose()?,
        })
    }
}

/// A setting that cannot be used, and why.
pub(super) fn wrong(setting: &str, reason: &str) -> Error {
    Error::new(Kind::Config, format!("the setting {setting}: {reason}"))
}

fn share(text: &str) -> Result<f64> {
    let share: Option<f64> = text.parse().ok();
    share
        .filter(|share| (0.0..=MOST_RESERVE).contains(share))
        .ok_or_else(|| wrong("reserve", &format!("it is a share from 0 to {MOST_RESERVE}, like 0.2")))
}

fn own(text: &str) -> std::result::Result<Vec<OwnLimit>, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("it is longer than {MOST_BYTES} bytes"));
    }
    let wrong = |reason: &str| format!("{reason}; write it like [{{\"amount\": 100, \"seconds\": 10}}]");
    let tree: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let limits: Vec<OwnLimit> = typed(&tree).map_err(|misfit| match misfit.place().as_str() {
        "." => wrong(misfit.reason()),
        _ => wrong(&misfit.to_string()),
    })?;
    if limits.len() > MOST_LIMITS {
        return Err(format!("{MOST_LIMITS} limits at most"));
    }
    for (position, limit) in limits.iter().enumerate() {
        limit.check().map_err(|reason| format!("[{position}].{reason}"))?;
        let mut before = limits.iter().take(position);
        if before.any(|other| (other.seconds(), &other.unit) == (limit.seconds(), &limit.unit)) {
            return Err(format!(
                "[{position}]: there is another one of the same unit and seconds"
            ));
        }
    }
    Ok(limits)
}

impl OwnLimit {
    fn check(&self) -> std::result::Result<(), String> {
        if self.amount == 0 || self.amount > MOST {
            return Err(format!("amount: a whole number from 1 to {MOST}"));
        }
        match self.seconds {
            None if !self.daily => return Err(String::from("seconds: say how long, or \"daily\": true")),
            Some(seconds) if seconds == 0 || seconds > DAY => return Err(format!("seconds: from 1 to {DAY}")),
            Some(seconds) if self.daily && seconds != DAY => {
                return Err(format!("seconds: a day has {DAY}; leave it out"));
            }
            _ => {}
        }
        if self.zone.is_some() && !self.daily {
            return Err(String::from("zone: only a daily limit has a midnight"));
        }
        if self.burst.is_some_and(|burst| burst == 0 || burst > self.amount) {
            return Err(String::from("burst: from 1 to the amount"));
        }
        Ok(())
    }
}

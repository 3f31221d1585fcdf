//! What a limit says, as the control API takes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Limit {
    /// Requests, or the units that they cost.
    #[serde(flatten)]
    pub amount: Amount,
    pub per_ms: u64,
    pub kind: Kind,
    pub retry_after: RetryAfter,
    pub headers: Headers,
    /// A refused request uses up the limit as well.
    pub count_refused: bool,
    /// Only requests whose path and query contain this.
    pub path_contains: Option<String>,
    /// What a request costs, where it is counted in units: the first that fits, else 1.
    pub costs: Vec<Cost>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    Requests(u64),
    Units(u64),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No window of that length, wherever it begins, sees more.
    #[default]
    Sliding,
    /// Windows that follow one another; they begin at multiples of their length since 1970.
    Fixed,
    /// The same, and called a daily quota: a day may be of any length, or a test would never see its end.
    Daily,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    #[default]
    Seconds,
    Date,
    None,
}

/// In whose words each answer tells what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Headers {
    /// As the tenant's dialect has it; `rest` tells nothing.
    #[default]
    None,
    Hubspot,
    Pipedrive,
    Salesforce,
    Dynamics,
    /// `X-RateLimit-…`, as many have it.
    XRatelimit,
    /// `RateLimit` and `RateLimit-Policy` of the IETF's draft.
    Structured,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub path_contains: Option<String>,
    pub cost: u64,
}

/// As it comes over the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    requests: Option<u64>,
    units: Option<u64>,
    per_ms: Option<u64>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    retry_after: RetryAfter,
    #[serde(default)]
    headers: Headers,
    #[serde(default)]
    count_refused: bool,
    path_contains: Option<String>,
    #[serde(default)]
    costs: Vec<Cost>,
}

impl TryFrom<Written> for Limit {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let amount = match (written.requests, written.units) {
            (Some(requests), None) => Amount::Requests(requests),
            (None, Some(units)) => Amount::Units(units),
            _ => return Err("a limit has either \"requests\" or \"units\""),
        };
        if matches!(amount, Amount::Requests(_)) && !written.costs.is_empty() {
            return Err("\"costs\" are units: give \"units\" in place of \"requests\"");
        }
        let per_ms = match (written.per_ms, written.kind) {
            (Some(0), _) => return Err("\"per_ms\" must be 1 or more"),
            (Some(per_ms), _) => per_ms,
            (None, Kind::Daily) => DAY_MS,
            (None, _) => return Err("a limit needs \"per_ms\""),
        };
        Ok(Self {
            amount,
            per_ms,
            kind: written.kind,
            retry_after: written.retry_after,
            headers: written.headers,
            count_refused: written.count_refused,
            path_contains: written.path_contains,
            costs: written.costs,
        })
    }
}

impl Limit {
    pub fn amount(&self) -> u64 {
        match self.amount {
            Amount::Requests(amount) | Amount::Units(amount) => amount,
        }
    }

    pub fn window(&self) -> Duration {
        Duration::from_millis(self.per_ms)
    }

    pub fn is_daily(&self) -> bool {
        self.kind == Kind::Daily || self.per_ms >= DAY_MS
    }

    /// What a request to `target` (path and query) costs; `None` where it is none of this limit's.
    pub fn cost(&self, method: &str, target: &str) -> Option<u64> {
        let within = |part: &Option<String>| part.as_ref().is_none_or(|part| target.contains(part.as_str()));
        if !within(&self.path_contains) {
            return None;
        }
        let fits = |cost: &&Cost| {
            cost.method
                .as_ref()
                .is_none_or(|known| known.eq_ignore_ascii_case(method))
                && within(&cost.path_contains)
        };
        Some(self.costs.iter().find(fits).map_or(1, |cost| cost.cost))
    }

    /// Whether what was used of the other counts for this one too: the same window, whatever its amount.
    pub fn counts_like(&self, other: &Self) -> bool {
        let unit = |limit: &Self| matches!(limit.amount, Amount::Units(_));
        (self.per_ms, self.kind, unit(self), &self.path_contains)
            == (other.per_ms, other.kind, unit(other), &other.path_contains)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Limit, String> {
        serde_json::from_value(value).map_err(|reason| reason.to_string())
    }

    #[test]
    fn what_is_left_out_and_what_is_wrong() {
        let limit = read(json!({ "requests": 5, "kind": "daily" })).unwrap();
        assert_eq!((limit.amount(), limit.per_ms), (5, DAY_MS));
        let shown = serde_json::to_value(&limit).unwrap();
        assert_eq!((&shown["requests"], &shown["kind"]), (&json!(5), &json!("daily")));
        for wrong in [
            json!({ "per_ms": 1 }),
            json!({ "requests": 1, "units": 1, "per_ms": 1 }),
            json!({ "requests": 1 }),
            json!({ "requests": 1, "per_ms": 0 }),
            json!({ "requests": 1, "per_ms": 1, "costs": [{ "cost": 2 }] }),
            json!({ "requests": 1, "per_ms": 1, "per": 2 }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn costs_are_by_method_and_path() {
        let limit = read(
            json!({ "units": 100, "per_ms": 1000, "path_contains": "/api/", "costs": [
            { "path_contains": "/search", "cost": 5 }, { "method": "post", "cost": 3 },
        ] }),
        )
        .unwrap();
        assert_eq!(limit.cost("GET", "/api/v1/leads?page=2"), Some(1));
        assert_eq!(limit.cost("POST", "/api/v1/leads"), Some(3));
        assert_eq!(limit.cost("POST", "/api/v1/leads/search"), Some(5));
        assert_eq!(limit.cost("GET", "/search"), None);
    }
}

//! What a CRM's answers tell of its limits, each in the CRM's own words.

use hyper::header::{HeaderName, HeaderValue};

use super::Usage;
use super::spec::Headers;

pub type Header = (HeaderName, HeaderValue);

fn number(name: &'static str, value: u64) -> Header {
    (HeaderName::from_static(name), HeaderValue::from(value))
}

fn text(name: &'static str, value: &str) -> Option<Header> {
    Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
}

/// The headers of all limits that want some.
pub fn all(usages: &[Usage]) -> Vec<Header> {
    let mut headers: Vec<Header> = usages.iter().flat_map(one).collect();
    // One header for all limits.
    let structured: Vec<&Usage> = usages
        .iter()
        .filter(|usage| usage.limit.headers == Headers::Structured)
        .collect();
    if !structured.is_empty() {
        let list = |item: fn(&Usage) -> String| {
            structured
                .iter()
                .map(|usage| item(usage))
                .collect::<Vec<_>>()
                .join(", ")
        };
        headers.extend(text("ratelimit-policy", &list(policy)));
        headers.extend(text("ratelimit", &list(state)));
    }
    headers
}

fn one(usage: &Usage) -> Vec<Header> {
    let (amount, left) = (usage.limit.amount(), usage.left());
    match usage.limit.headers {
        Headers::None | Headers::Structured => Vec::new(),
        Headers::Hubspot => hubspot(usage),
        Headers::Pipedrive => pipedrive(amount, left, usage.reset_s()),
        Headers::Salesforce => salesforce(usage.used, amount),
        Headers::Dynamics => vec![number("x-ms-ratelimit-burst-remaining-xrm-requests", left)],
        Headers::XRatelimit => vec![
            number("x-ratelimit-limit", amount),
            number("x-ratelimit-remaining", left),
            number("x-ratelimit-reset", usage.reset_s()),
        ],
    }
}

pub fn hubspot(usage: &Usage) -> Vec<Header> {
    let (amount, left) = (usage.limit.amount(), usage.left());
    if usage.limit.is_daily() {
        return vec![
            number("x-hubspot-ratelimit-daily", amount),
            number("x-hubspot-ratelimit-daily-remaining", left),
        ];
    }
    vec![
        number("x-hubspot-ratelimit-max", amount),
        number("x-hubspot-ratelimit-remaining", left),
        number("x-hubspot-ratelimit-interval-milliseconds", usage.limit.per_ms),
    ]
}

pub fn pipedrive(limit: u64, remaining: u64, reset: u64) -> Vec<Header> {
    vec![
        number("x-ratelimit-limit", limit),
        number("x-ratelimit-remaining", remaining),
        number("x-ratelimit-reset", reset),
    ]
}

fn salesforce(used: u64, most: u64) -> Vec<Header> {
    text("sforce-limit-info", &format!("api-usage={used}/{most}"))
        .into_iter()
        .collect()
}

fn name(usage: &Usage) -> String {
    match usage.limit.is_daily() {
        true => "daily".into(),
        false => format!("{}ms", usage.limit.per_ms),
    }
}

fn policy(usage: &Usage) -> String {
    let seconds = usage.limit.per_ms.div_ceil(1000);
    format!("\"{}\";q={};w={seconds}", name(usage), usage.limit.amount())
}

fn state(usage: &Usage) -> String {
    format!("\"{}\";r={};t={}", name(usage), usage.left(), usage.reset_s())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn told(limits: &[(Value, u64)]) -> Vec<String> {
        let usage = |(limit, used): &(Value, u64)| Usage {
            limit: serde_json::from_value(limit.clone()).unwrap(),
            used: *used,
            reset: Duration::from_millis(2500),
        };
        let usages: Vec<Usage> = limits.iter().map(usage).collect();
        let line = |(name, value): Header| format!("{name}: {}", value.to_str().unwrap());
        all(&usages).into_iter().map(line).collect()
    }

    fn limit(headers: &str) -> Value {
        json!({ "requests": 100, "per_ms": 10_000, "headers": headers })
    }

    #[test]
    fn each_in_its_own_words() {
        let of = |headers: &str| told(&[(limit(headers), 30)]);
        assert!(of("none").is_empty());
        assert_eq!(
            of("hubspot"),
            [
                "x-hubspot-ratelimit-max: 100",
                "x-hubspot-ratelimit-remaining: 70",
                "x-hubspot-ratelimit-interval-milliseconds: 10000"
            ]
        );
        assert_eq!(
            of("pipedrive")[1..],
            ["x-ratelimit-remaining: 70", "x-ratelimit-reset: 3"]
        );
        assert_eq!(of("x_ratelimit")[0], "x-ratelimit-limit: 100");
        assert_eq!(of("salesforce"), ["sforce-limit-info: api-usage=30/100"]);
        assert_eq!(of("dynamics"), ["x-ms-ratelimit-burst-remaining-xrm-requests: 70"]);
    }

    #[test]
    fn several_limits_are_told_side_by_side() {
        let daily = |headers: &str| json!({ "requests": 500, "kind": "daily", "headers": headers });
        assert_eq!(
            told(&[(limit("hubspot"), 0), (daily("hubspot"), 501)])[3..],
            [
                "x-hubspot-ratelimit-daily: 500",
                "x-hubspot-ratelimit-daily-remaining: 0"
            ]
        );
        assert_eq!(
            told(&[(limit("structured"), 1), (daily("structured"), 2)]),
            [
                "ratelimit-policy: \"10000ms\";q=100;w=10, \"daily\";q=500;w=86400",
                "ratelimit: \"10000ms\";r=99;t=3, \"daily\";r=498;t=3"
            ]
        );
    }
}

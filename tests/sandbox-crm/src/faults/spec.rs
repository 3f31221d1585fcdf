//! A fault as the control API is told it, and the check that it makes sense. Counting and effect are in `faults`.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, LOCATION};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Fault, Kind};
use crate::answer::Answer;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub kind: String,
    /// Null: for ever.
    #[serde(default = "once")]
    times: Option<u64>,
    #[serde(default)]
    after: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_contains: Option<String>,
    #[serde(default)]
    process: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    headers: Option<Map<String, Value>>,
    /// A string as it is; anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Without a Content-Length, for huge_body.
    #[serde(default)]
    chunked: bool,
}

fn once() -> Option<u64> {
    Some(1)
}

impl Spec {
    pub fn counted(mut self, times: Option<u64>, after: u64) -> Self {
        self.times = times;
        self.after = after;
        self
    }

    pub fn check(self) -> Result<Fault, String> {
        let kind = match self.kind.as_str() {
            "cut_before_read" => Kind::CutBeforeRead,
            "cut_after_read" => Kind::CutAfterRead,
            "cut_mid_body" => Kind::CutMidBody,
            "truncated_json" => Kind::TruncatedJson,
            "slow_body" => Kind::SlowBody(self.time()?),
            "stall" => Kind::Stall(self.time()?),
            "huge_body" => Kind::HugeBody {
                bytes: self.bytes.ok_or("huge_body needs \"bytes\"")?,
                announced: !self.chunked,
            },
            "endless_body" => Kind::EndlessBody,
            "status" | "redirect" | "canned" => self.instead()?,
            other => {
                return Err(format!(
                    "unknown kind {other:?}: it is one of status, cut_before_read, cut_after_read, cut_mid_body, truncated_json, \
                     slow_body, stall, huge_body, endless_body, redirect, canned"
                ));
            }
        };
        if self.process && kind == Kind::CutBeforeRead {
            return Err("cut_before_read cannot process what it does not read".into());
        }
        Ok(Fault {
            times: self.times,
            after: self.after,
            method: self.method.clone(),
            path_contains: self.path_contains.clone(),
            process: self.process || kind.needs_answer(),
            kind,
            spec: self,
        })
    }

    fn time(&self) -> Result<Duration, String> {
        let ms = self.ms.ok_or_else(|| format!("{} needs \"ms\"", self.kind))?;
        Ok(Duration::from_millis(ms))
    }

    fn instead(&self) -> Result<Kind, String> {
        if let Some(raw) = &self.raw_base64 {
            if self.kind != "canned" {
                return Err("only canned takes \"raw_base64\"".into());
            }
            return Ok(Kind::Raw(decode("raw_base64", raw)?));
        }
        let usual = match self.kind.as_str() {
            "status" => 503,
            "redirect" => 302,
            _ => 200,
        };
        let status = StatusCode::from_u16(self.status.unwrap_or(usual))
            .ok()
            // A 1xx would not be the answer yet.
            .filter(|status| !status.is_informational())
            .ok_or("\"status\" must be from 200 to 999")?;
        let body = match (&self.body, &self.body_base64) {
            (Some(_), Some(_)) => return Err("give \"body\" or \"body_base64\", not both".into()),
            (Some(Value::String(text)), None) => Some(Bytes::from(text.clone())),
            (Some(value), None) => Some(Bytes::from(value.to_string())),
            (None, Some(text)) => Some(decode("body_base64", text)?),
            (None, None) => None,
        };
        // canned is exact: no header is added. The others look like the CRM's own.
        let mut answer = match body {
            None if self.kind == "status" => Answer::error(status, "A planned fault."),
            None => Answer::empty(status),
            Some(body) if self.kind == "canned" => Answer {
                body,
                ..Answer::empty(status)
            },
            Some(body) => Answer::json(status, body),
        };
        for (name, value) in self.headers.iter().flatten() {
            let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header name"))?;
            answer.headers.retain(|(known, _)| *known != name);
            let values = match value {
                Value::Array(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                answer.headers.push((name.clone(), header_value(value)?));
            }
        }
        if self.kind == "redirect" {
            let location = self.location.as_deref().ok_or("redirect needs \"location\"")?;
            let value = HeaderValue::from_str(location).map_err(|_| "\"location\" holds what no header can")?;
            answer = answer.with(LOCATION, value);
        }
        Ok(Kind::Instead(answer))
    }
}

fn header_value(value: &Value) -> Result<HeaderValue, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| format!("{text:?} is no header value"))
}

fn decode(field: &str, text: &str) -> Result<Bytes, String> {
    BASE64_STANDARD
        .decode(text)
        .map(Bytes::from)
        .map_err(|reason| format!("\"{field}\" is not base64: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(spec: Value) -> Result<Kind, String> {
        serde_json::from_value::<Spec>(spec)
            .map_err(|reason| reason.to_string())?
            .check()
            .map(|fault| fault.kind)
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for spec in [
            json!({}),
            json!({"kind": "nonsense"}),
            json!({"kind": "stall"}),
            json!({"kind": "huge_body"}),
            json!({"kind": "redirect"}),
            json!({"kind": "status", "status": 99}),
            json!({"kind": "status", "status": 100}),
            json!({"kind": "status", "statsu": 500}),
            json!({"kind": "status", "raw_base64": "AA=="}),
            json!({"kind": "canned", "body_base64": "*"}),
            json!({"kind": "canned", "body": "a", "body_base64": "AA=="}),
            json!({"kind": "canned", "headers": {"a b": "c"}}),
            json!({"kind": "canned", "headers": {"a": "b\nc"}}),
            json!({"kind": "cut_before_read", "process": true}),
        ] {
            assert!(check(spec.clone()).is_err(), "{spec}");
        }
    }

    #[test]
    fn canned_is_exact_and_status_looks_like_the_crm() {
        let Ok(Kind::Instead(canned)) = check(json!({
            "kind": "canned", "status": 207, "headers": {"X-A": ["1", "2"]}, "body_base64": "AP8=",
        })) else {
            panic!("no answer")
        };
        assert_eq!(canned.status.as_u16(), 207);
        assert_eq!(canned.body, Bytes::from_static(b"\x00\xff"));
        assert_eq!(canned.headers.len(), 2);
        let Ok(Kind::Instead(status)) =
            check(json!({"kind": "status", "headers": {"Content-Type": "text/html"}, "body": "<p>"}))
        else {
            panic!("no answer")
        };
        assert_eq!(status.status.as_u16(), 503);
        assert_eq!(status.headers.len(), 1);
        assert_eq!(status.headers[0].1, "text/html");
    }
}

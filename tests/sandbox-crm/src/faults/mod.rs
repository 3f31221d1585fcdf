//! Planned faults: which request gets which, and what each does to the answer. Reading requests and making the
//! undisturbed answer is `api`'s work.

mod spec;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;

use crate::answer::Answer;
use crate::body::Body;
use crate::listen::Conn;

pub use spec::Spec;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    CutBeforeRead,
    CutAfterRead,
    CutMidBody,
    TruncatedJson,
    SlowBody(Duration),
    Stall(Duration),
    HugeBody {
        bytes: u64,
        announced: bool,
    },
    EndlessBody,
    /// status, redirect and canned: this answer instead.
    Instead(Answer),
    /// These bytes on the wire, whatever they are, and then the end of the connection.
    Raw(Bytes),
}

#[derive(Debug, Clone)]
pub struct Fault {
    /// None: for ever.
    times: Option<u64>,
    after: u64,
    method: Option<String>,
    path_contains: Option<String>,
    pub kind: Kind,
    /// Whether the request has its effect although the answer does not say so.
    pub process: bool,
    /// As it was given, for GET /faults.
    spec: Spec,
}

/// One tenant's faults, the first that fits a request is used.
#[derive(Default)]
pub struct Plan(Vec<Fault>);

impl Plan {
    pub fn set(&mut self, faults: Vec<Fault>) {
        self.0 = faults;
    }

    pub fn add(&mut self, faults: Vec<Fault>) {
        self.0.extend(faults);
    }

    pub fn left(&self) -> Vec<Spec> {
        self.0
            .iter()
            .map(|fault| fault.spec.clone().counted(fault.times, fault.after))
            .collect()
    }

    /// The fault for this request, if any. `target` is the path with the raw query.
    pub fn take(&mut self, method: &str, target: &str) -> Option<Fault> {
        let position = self.0.iter_mut().position(|fault| {
            let fits = fault
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && fault.path_contains.as_deref().is_none_or(|part| target.contains(part));
            if fits && fault.after > 0 {
                fault.after -= 1;
                return false;
            }
            fits && fault.times != Some(0)
        })?;
        let fault = self.0.get_mut(position)?;
        fault.times = fault.times.map(|times| times - 1);
        let taken = fault.clone();
        self.0.retain(|fault| fault.times != Some(0));
        Some(taken)
    }
}

impl Kind {
    /// Whether the answer that is disturbed has to be made first.
    pub fn needs_answer(&self) -> bool {
        matches!(
            self,
            Self::CutMidBody | Self::TruncatedJson | Self::SlowBody(_) | Self::Stall(_)
        )
    }

    /// What becomes of the answer that was made, or of one that did not have to be made.
    pub async fn apply(self, answer: Answer, conn: &Arc<Conn>) -> Outcome {
        match self {
            Self::CutBeforeRead | Self::CutAfterRead => Outcome::Cut(None),
            Self::Raw(bytes) => Outcome::Cut(Some(bytes)),
            Self::CutMidBody => {
                let body = Body::cut_in_the_middle(answer.body.clone(), conn.clone());
                Outcome::Answer(answer.respond(body))
            }
            Self::TruncatedJson => {
                let half = answer.body.slice(..answer.body.len() / 2);
                Outcome::Answer(answer.respond(Body::whole(half)))
            }
            Self::SlowBody(time) => {
                let body = Body::spread(answer.body.clone(), time);
                Outcome::Answer(answer.respond(body))
            }
            Self::Stall(time) => {
                tokio::time::sleep(time).await;
                Outcome::Answer(answer.into_response())
            }
            Self::HugeBody { bytes, announced } => {
                let body = Body::filler(Some(bytes), announced);
                Outcome::Answer(ok().respond(body))
            }
            Self::EndlessBody => Outcome::Answer(ok().respond(Body::filler(None, false))),
            Self::Instead(answer) => Outcome::Answer(answer.into_response()),
        }
    }
}

pub enum Outcome {
    Answer(Response<Body>),
    /// No answer but these bytes, where there are any.
    Cut(Option<Bytes>),
}

fn ok() -> Answer {
    Answer::json(hyper::StatusCode::OK, Bytes::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn plan(faults: Value) -> Plan {
        let specs: Vec<Spec> = serde_json::from_value(faults).unwrap();
        let mut plan = Plan::default();
        plan.set(specs.into_iter().map(|spec| spec.check().unwrap()).collect());
        plan
    }

    fn statuses(plan: &mut Plan, requests: &[(&str, &str)]) -> Vec<u16> {
        requests
            .iter()
            .map(
                |(method, target)| match plan.take(method, target).map(|fault| fault.kind) {
                    Some(Kind::Instead(answer)) => answer.status.as_u16(),
                    _ => 0,
                },
            )
            .collect()
    }

    #[test]
    fn after_and_times() {
        let mut plan = plan(json!([{ "kind": "status", "status": 503, "after": 2, "times": 2 }]));
        let requests = [("GET", "/api/v1/leads"); 6];
        assert_eq!(statuses(&mut plan, &requests), [0, 0, 503, 503, 0, 0]);
        assert!(plan.left().is_empty());
    }

    #[test]
    fn method_and_path() {
        let mut plan = plan(json!([
            { "kind": "status", "status": 500, "method": "post" },
            { "kind": "status", "status": 502, "path_contains": "page=3", "times": null },
            { "kind": "status", "status": 504, "times": 1 },
        ]));
        let requests = [
            ("GET", "/api/v1/leads?page=3"),
            ("GET", "/api/v1/leads?page=2"),
            ("GET", "/api/v1/leads?page=2"),
            ("POST", "/api/v1/leads"),
            ("POST", "/api/v1/leads"),
            ("GET", "/api/v1/leads?page=3"),
        ];
        assert_eq!(statuses(&mut plan, &requests), [502, 504, 0, 500, 0, 502]);
        assert_eq!(plan.left().len(), 1);
    }
}

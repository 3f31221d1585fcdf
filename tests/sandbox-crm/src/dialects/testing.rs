//! For the dialects' own tests: a tenant and its CRM, called without a network between.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName};
use serde_json::Value;

use super::{Credential, Dialect, Request};
use crate::answer::Answer;
use crate::store::{Id, Object, Row};
use crate::tenant::{Config, Tenant};

pub struct Crm {
    pub tenant: Tenant,
    dialect: &'static dyn Dialect,
}

impl Crm {
    pub fn new(crm: super::Crm) -> Self {
        let dialect = crm.dialect().unwrap();
        let mut config = Config::new("k".into());
        config.timestamps = dialect.timestamps();
        config.dialect = crm;
        let tenant = Tenant::new("t".into(), config);
        Self { tenant, dialect }
    }

    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        let mut config = self.tenant.config();
        change(&mut config);
        self.tenant.configure(config);
    }

    /// Rows as the control API takes them; `updated_at` is RFC 3339.
    pub fn rows(&self, object: Object, rows: Value) {
        let format = self.dialect.timestamps();
        let rows = rows.as_array().unwrap().iter().map(|row| {
            let fields = row.as_object().unwrap().clone();
            let time = format.read(fields.get("updated_at"));
            Row::new(Id::from_value(&fields["id"]).unwrap(), time, fields)
        });
        self.tenant.table(object).write().put(rows.collect());
    }

    pub fn answer(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.asked(method, target, headers, body, |request| {
            self.dialect.serve(&self.tenant, request)
        })
    }

    /// Status and JSON; null where there is no body.
    pub fn send(&self, method: &str, target: &str, content_type: &str, body: &str) -> (u16, Value) {
        read(&self.answer(method, target, &[(CONTENT_TYPE.as_str(), content_type)], body))
    }

    pub fn get(&self, target: &str) -> (u16, Value) {
        read(&self.answer("GET", target, &[], ""))
    }

    /// The answer to a key that nobody has.
    pub fn unauthorized(&self, target: &str) -> (u16, Value) {
        read(
            &self.asked("GET", target, &[("authorization", "Bearer x")], "", |request| {
                self.dialect.unauthorized(request)
            }),
        )
    }

    fn asked(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
        ask: impl FnOnce(&Request<'_>) -> Answer,
    ) -> Answer {
        // As a URL is typed: what must be encoded is, for the one who types.
        let encode = |mut target: String, letter: char| {
            target = target.replace(letter, &format!("%{:02X}", u32::from(letter)));
            target
        };
        let target = " []<>\"".chars().fold(target.to_owned(), encode);
        let mut request = hyper::Request::builder().method(method).uri(target);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name.parse::<HeaderName>().unwrap(), *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let credential = Credential::all(&parts.headers, "").into_iter().next();
        ask(&Request::new(&parts, &body, "https://crm.test".into(), credential).unwrap())
    }
}

/// Status and JSON; text that is none as a string.
pub fn read(answer: &Answer) -> (u16, Value) {
    let body = match serde_json::from_slice(&answer.body) {
        Ok(value) => value,
        Err(_) if answer.body.is_empty() => Value::Null,
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned().into(),
    };
    (answer.status.as_u16(), body)
}

//! What a request is answered with, and the shapes of the CRM's errors. How it travels is `body`'s and `faults`' matter.

use bytes::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::body::Body;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

impl Answer {
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        Self {
            status,
            headers: vec![(CONTENT_TYPE, json)],
            body: body.into(),
        }
    }

    pub fn value(status: StatusCode, value: &Value) -> Self {
        Self::json(status, value.to_string())
    }

    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub fn error(status: StatusCode, message: impl AsRef<str>) -> Self {
        let name = status
            .canonical_reason()
            .unwrap_or("Error")
            .to_lowercase()
            .replace(' ', "_");
        Self::value(status, &json!({ "error": name, "message": message.as_ref() }))
    }

    pub fn method_not_allowed(allowed: &'static str) -> Self {
        Self::error(StatusCode::METHOD_NOT_ALLOWED, format!("Allowed here: {allowed}."))
            .with(ALLOW, HeaderValue::from_static(allowed))
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn into_response(self) -> Response<Body> {
        let body = Body::whole(self.body.clone());
        self.respond(body)
    }

    /// Status and headers of this answer with another body.
    pub fn respond(self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// What is wrong with which field: the 422 answer.
#[derive(Debug, Default)]
pub struct Errors(Map<String, Value>);

impl Errors {
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, message);
        errors
    }

    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        let messages = self.0.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(messages) = messages {
            messages.push(Value::String(message.into()));
        }
    }

    /// `Ok` where nothing was added.
    pub fn finish(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Errors> for Answer {
    fn from(errors: Errors) -> Self {
        Self::value(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({ "message": "The given data is invalid.", "errors": errors.0 }),
        )
    }
}

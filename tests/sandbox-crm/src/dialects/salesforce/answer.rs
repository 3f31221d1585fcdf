//! Salesforce's errors: always a list, even of one.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub fields: Vec<String>,
}

impl Fault {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn nowhere() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "The requested resource does not exist",
        )
    }

    pub fn of(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    /// As the result of one record in a collection.
    pub fn result(&self) -> Value {
        let error = json!({ "statusCode": self.code, "message": self.message, "fields": self.fields });
        json!({ "success": false, "errors": [error] })
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Self {
        let mut error = json!({ "message": fault.message, "errorCode": fault.code });
        if let (false, Value::Object(error)) = (fault.fields.is_empty(), &mut error) {
            error.insert("fields".into(), fault.fields.into());
        }
        Self::value(fault.status, &json!([error]))
    }
}

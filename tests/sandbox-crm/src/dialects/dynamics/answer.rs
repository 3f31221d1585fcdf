//! Dataverse's errors: an object with a hexadecimal code.

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderValue};
use serde_json::json;

use crate::answer::Answer;

pub type Reply = Result<Answer, Answer>;

pub fn fault(status: StatusCode, code: &str, message: impl Into<String>) -> Answer {
    let error = json!({ "code": code, "message": message.into() });
    Answer::value(status, &json!({ "error": error }))
}

pub fn bad(message: impl Into<String>) -> Answer {
    fault(StatusCode::BAD_REQUEST, "0x80060888", message)
}

pub fn syntax() -> Answer {
    bad("Bad Request - Error in query syntax.")
}

pub fn no_resource() -> Answer {
    let message = "Resource not found for the segment.";
    fault(StatusCode::NOT_FOUND, "0x8006088a", message)
}

pub fn no_such(name: &str, id: &str) -> Answer {
    let message = format!("{name} With Id = {id} Does Not Exist");
    fault(StatusCode::NOT_FOUND, "0x80040217", message)
}

pub fn precondition(code: &str, message: &str) -> Answer {
    fault(StatusCode::PRECONDITION_FAILED, code, message)
}

pub fn method_not_allowed(allowed: &'static str) -> Answer {
    let message = "The requested resource does not support this http method.";
    fault(StatusCode::METHOD_NOT_ALLOWED, "0x0", message).with(ALLOW, HeaderValue::from_static(allowed))
}

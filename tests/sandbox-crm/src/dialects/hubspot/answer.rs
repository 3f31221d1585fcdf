//! HubSpot's errors: JSON with a category, but a page of HTML for what is not there.

use hyper::StatusCode;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::limit::{Moment, headers};
use crate::store::{Id, IdKind, Object};
use crate::tenant::Tenant;

/// Another one at every answer.
pub fn correlation() -> String {
    let now = Timestamp::now().as_nanosecond().rem_euclid(1 << 60);
    match IdKind::Uuid.make(Object::Leads, u64::try_from(now).unwrap_or(0)) {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    }
}

pub fn error(status: StatusCode, message: impl Into<String>, category: &str) -> Answer {
    let body = json!({
        "status": "error",
        "message": message.into(),
        "correlationId": correlation(),
        "category": category,
    });
    Answer::value(status, &body)
}

pub fn invalid(message: impl Into<String>) -> Answer {
    error(StatusCode::BAD_REQUEST, message, "VALIDATION_ERROR")
}

/// What is wrong with one property.
#[derive(Debug, Clone)]
pub struct Problem {
    pub code: &'static str,
    pub property: String,
    pub message: String,
}

pub fn invalid_properties(problems: &[Problem]) -> Answer {
    let errors: Vec<Value> = problems
        .iter()
        .map(|problem| {
            json!({
                "message": problem.message,
                "code": problem.code,
                "context": { "propertyName": [problem.property] },
            })
        })
        .collect();
    let body = json!({
        "status": "error",
        "message": format!("Property values were not valid: {}", Value::from(errors.clone())),
        "correlationId": correlation(),
        "errors": errors,
        "category": "VALIDATION_ERROR",
    });
    Answer::value(StatusCode::BAD_REQUEST, &body)
}

pub fn no_such_record(id: &str) -> Answer {
    let message = format!("Object not found. objectId are usually numeric: {id}");
    error(StatusCode::NOT_FOUND, message, "OBJECT_NOT_FOUND")
}

pub fn not_found_page() -> Answer {
    page(StatusCode::NOT_FOUND, "Resource not found")
}

pub fn method_not_allowed(allowed: &'static str) -> Answer {
    page(StatusCode::METHOD_NOT_ALLOWED, "HTTP method not allowed").with(ALLOW, HeaderValue::from_static(allowed))
}

pub fn unsupported_type() -> Answer {
    Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

fn page(status: StatusCode, title: &str) -> Answer {
    let body = format!(
        "<html>\n<head>\n<title>Error {0} {title}</title>\n</head>\n<body><h2>HTTP ERROR {0}</h2>\n</body>\n</html>\n",
        status.as_u16()
    );
    Answer {
        status,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=iso-8859-1"))],
        body: body.into(),
    }
}

/// How much of its limits is left, where the tenant has some.
pub fn with_usage(answer: Answer, tenant: &Tenant) -> Answer {
    let usages = tenant.limiter.lock().usages(Moment::now());
    usages
        .iter()
        .flat_map(headers::hubspot)
        .fold(answer, |answer, (name, value)| answer.with(name, value))
}

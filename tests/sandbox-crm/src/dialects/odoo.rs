//! Odoo's JSON-2 API: every call is a POST of named arguments to a model's method, and one transaction. Models and fields are in
//! `model`, domains in `domain`, reading in `read`, what changes records in `write`.

mod domain;
mod model;
mod read;
#[cfg(test)]
mod tests;
mod write;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use self::model::Model;
use super::{Dialect, Request, Scheme};
use crate::answer::Answer;
use crate::filter::TimeFormat;
use crate::limit::Refused;
use crate::store::{IdKind, Object};
use crate::tenant::Tenant;

pub struct Odoo;

impl Dialect for Odoo {
    fn serve(&self, tenant: &Tenant, request: &Request<'_>) -> Answer {
        let segments = request.segments().unwrap_or_default();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method, parts.as_slice()) {
            (&Method::GET, ["web", "version"]) => {
                let version = json!({ "version": "19.0", "version_info": [19, 0, 0, "final", 0, ""] });
                Answer::value(StatusCode::OK, &version)
            }
            (&Method::POST, ["json", "2", model, method]) => match call(tenant, request, model, method) {
                Ok(value) => Answer::value(StatusCode::OK, &value),
                Err(raised) => raised.into(),
            },
            (_, ["json", "2", ..]) => Raised::not_found("Did you mean POST /json/2/<model>/<method>?").into(),
            _ => html(StatusCode::NOT_FOUND, "404: Page not found"),
        }
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Bearer]
    }

    fn unauthorized(&self, request: &Request<'_>) -> Answer {
        let message = match request.credential {
            Some(_) => "Invalid apikey",
            None => "User not authenticated, use the \"Authorization\" header",
        };
        Raised::http(StatusCode::UNAUTHORIZED, "Unauthorized", message).into()
    }

    fn expired(&self, request: &Request<'_>) -> Answer {
        self.unauthorized(request)
    }

    /// As a hosted one's proxy has it.
    fn limited(&self, _request: &Request<'_>, refused: &Refused) -> Answer {
        let answer = html(StatusCode::TOO_MANY_REQUESTS, "429 Too Many Requests");
        match refused.header() {
            Some(value) => answer.with(hyper::header::RETRY_AFTER, value),
            None => answer,
        }
    }

    /// Leads and deals are one model, and so are contacts and companies.
    fn ids(&self, _object: Object) -> IdKind {
        IdKind::Shared
    }

    /// Stored to the microsecond; it prints seconds.
    fn timestamps(&self) -> TimeFormat {
        TimeFormat::Rfc3339
    }

    fn suggested_by(&self, request: &Request<'_>) -> bool {
        request.path.starts_with("/json/2/") || request.path == "/jsonrpc"
    }
}

/// What Python raised: the answer's status, the exception's name and its message.
#[derive(Debug)]
pub struct Raised {
    status: StatusCode,
    name: String,
    message: String,
}

impl Raised {
    fn http(status: StatusCode, name: &str, message: &str) -> Self {
        Self {
            status,
            name: format!("werkzeug.exceptions.{name}"),
            message: message.to_owned(),
        }
    }

    fn not_found(message: &str) -> Self {
        Self::http(StatusCode::NOT_FOUND, "NotFound", message)
    }

    fn unprocessable(message: &str) -> Self {
        Self::http(StatusCode::UNPROCESSABLE_ENTITY, "UnprocessableEntity", message)
    }

    /// What Odoo did not expect is a 500.
    fn value_error(message: &str) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            name: "builtins.ValueError".into(),
            message: message.to_owned(),
        }
    }

    fn odoo(status: StatusCode, name: &str, message: &str) -> Self {
        Self {
            status,
            name: format!("odoo.exceptions.{name}"),
            message: message.to_owned(),
        }
    }

    fn missing(model: &Model, id: &Value) -> Self {
        let message = format!(
            "Record does not exist or has been deleted.\n(Record: {}({id},), User: 2)",
            model.name
        );
        Self::odoo(StatusCode::NOT_FOUND, "MissingError", &message)
    }

    fn validation(message: &str) -> Self {
        Self::odoo(StatusCode::UNPROCESSABLE_ENTITY, "ValidationError", message)
    }
}

impl From<Raised> for Answer {
    /// With the traceback, paths and all.
    fn from(raised: Raised) -> Self {
        let arguments = match raised.name.starts_with("werkzeug") {
            true => json!([raised.message, raised.status.as_u16()]),
            false => json!([raised.message]),
        };
        let debug = format!(
            "Traceback (most recent call last):\n  File \"/opt/odoo/odoo/http.py\", line 2212, in _transactioning\n    return service_model.retrying(func, env=self.env)\n{}: {}\n",
            raised.name, raised.message
        );
        let body = json!({ "name": raised.name, "message": raised.message, "arguments": arguments, "context": {}, "debug": debug });
        Self::value(raised.status, &body)
    }
}

/// The named arguments of a call, taken one by one; what is left over is one too many.
pub struct Arguments(Map<String, Value>);

impl Arguments {
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    pub fn required(&mut self, name: &str) -> Result<Value, Raised> {
        let absent = || Raised::unprocessable(&format!("missing a required argument: '{name}'"));
        self.take(name).ok_or_else(absent)
    }

    /// A whole number from 0; None for null, false and absent.
    pub fn count(&mut self, name: &str) -> Result<Option<usize>, Raised> {
        match self.take(name) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(None),
            Some(Value::Number(number)) if number.is_u64() => Ok(number
                .as_u64()
                .map(|number| usize::try_from(number).unwrap_or(usize::MAX))),
            Some(value) => Err(Raised::value_error(&format!("invalid literal for int(): {value}"))),
        }
    }

    /// Names of fields; None for null and absent.
    pub fn names(&mut self, name: &str) -> Result<Option<Vec<String>>, Raised> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let names = serde_json::from_value(value.clone());
                names
                    .map(Some)
                    .map_err(|_| Raised::value_error(&format!("Invalid field {value} on model")))
            }
        }
    }

    pub fn end(self) -> Result<(), Raised> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Raised::unprocessable(&format!(
                "got an unexpected keyword argument '{name}'"
            ))),
        }
    }
}

/// `default_type` and the like, and whether archived records are hidden.
#[derive(Debug, Default)]
pub struct Context(Map<String, Value>);

impl Context {
    pub fn active_test(&self) -> bool {
        !matches!(self.0.get("active_test"), Some(Value::Bool(false)))
    }

    pub fn default_of(&self, field: &str) -> Option<&Value> {
        self.0.get(&format!("default_{field}"))
    }
}

fn call(tenant: &Tenant, request: &Request<'_>, name: &str, method: &str) -> Result<Value, Raised> {
    if !request.sends_json() {
        let message =
            "Request inferred type is compatible with ['http'] but '/json/2/<__model__>/<__method__>' is type='json2'.";
        return Err(Raised::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            message,
        ));
    }
    let bad = |message: &str| Raised::http(StatusCode::BAD_REQUEST, "BadRequest", message);
    let body = request
        .json()
        .map_err(|reason| bad(&format!("could not parse the body as json: {reason}")))?;
    let Value::Object(body) = body else {
        return Err(bad("could not parse the body, expecting a json object"));
    };
    let mut arguments = Arguments(body);
    let context = match arguments.take("context") {
        None | Some(Value::Null) => Context::default(),
        Some(Value::Object(context)) => Context(context),
        Some(_) => return Err(bad("the context is not a mapping")),
    };
    let ids = match arguments.take("ids") {
        None => Vec::new(),
        Some(Value::Array(ids)) => ids,
        Some(_) => return Err(bad("ids is not a list")),
    };
    let model =
        Model::from_name(name).ok_or_else(|| Raised::not_found(&format!("the model '{name}' does not exist")))?;
    let on_model = matches!(
        method,
        "search" | "search_read" | "search_count" | "create" | "fields_get"
    );
    if on_model && !ids.is_empty() {
        return Err(Raised::unprocessable(&format!("cannot call {name}.{method} with ids")));
    }
    match method {
        "search_read" => read::search_read(tenant, model, arguments, &context),
        "search" => read::search(tenant, model, arguments, &context),
        "search_count" => read::search_count(tenant, model, arguments, &context),
        "read" => read::read(tenant, model, &ids, arguments),
        "fields_get" => model.fields_get(&tenant.config(), arguments),
        "create" => write::create(tenant, model, arguments, &context),
        "write" => write::write(tenant, model, &ids, arguments),
        "unlink" => write::unlink(tenant, model, &ids, arguments),
        _ => Err(Raised::not_found(&format!(
            "The method '{name}.{method}' does not exist"
        ))),
    }
}

fn html(status: StatusCode, title: &str) -> Answer {
    Answer {
        status,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))],
        body: format!("<!DOCTYPE html><html><body><h1>{title}</h1></body></html>").into(),
    }
}

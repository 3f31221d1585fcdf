//! Tokens and refusals in each CRM's own form.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};

use super::{Endpoint, Granted, Refusal};
use crate::answer::Answer;
use crate::dialects::Crm;

pub fn granted(endpoint: Endpoint, granted: &Granted) -> Answer {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("access_token", granted.access_token.as_str().into());
    let kind = match endpoint {
        Endpoint::Hubspot { .. } => "bearer",
        _ => "Bearer",
    };
    put("token_type", kind.into());
    if let Some(token) = &granted.refresh_token {
        put("refresh_token", token.as_str().into());
    }
    if let Some(seconds) = granted.expires_in {
        put("expires_in", seconds.into());
    }
    match (endpoint, granted.crm) {
        (Endpoint::Salesforce, _) => {
            put("instance_url", granted.api_origin.as_str().into());
            let id = format!("{}/id/00D5g000000sandEAA/0055g000000usrAAAA", granted.api_origin);
            put("id", id.into());
            // A number in a string, and milliseconds.
            put("issued_at", granted.at.as_millisecond().to_string().into());
            put("scope", "api refresh_token".into());
        }
        (Endpoint::Zoho, _) | (_, Crm::Pipedrive) => {
            put("api_domain", granted.api_origin.as_str().into());
            put("scope", "crm".into());
        }
        (Endpoint::Dynamics, _) => {
            if let Some(seconds) = granted.expires_in {
                put("ext_expires_in", seconds.into());
            }
        }
        _ => {}
    }
    Answer::value(StatusCode::OK, &Value::Object(body)).with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

pub fn refused(endpoint: Endpoint, refusal: &Refusal) -> Answer {
    let (error, description) = (refusal.error, refusal.description.as_str());
    let body = match endpoint {
        // With 200, and its own words for two of them.
        Endpoint::Zoho => {
            let error = match error {
                "invalid_grant" => "invalid_code",
                other => other,
            };
            return Answer::value(StatusCode::OK, &json!({ "error": error }));
        }
        Endpoint::Hubspot { .. } => json!({
            "status": if error == "invalid_grant" { "BAD_REFRESH_TOKEN" } else { "BAD_REQUEST" },
            "message": description,
            "correlationId": "9d2f0f6e-0000-4000-8000-000000000000",
            "error": error,
            "error_description": description,
        }),
        Endpoint::Dynamics => json!({
            "error": error,
            "error_description": description,
            "error_codes": [aadsts(error)],
            "correlation_id": "9d2f0f6e-0000-4000-8000-000000000000",
        }),
        Endpoint::Suitecrm => json!({ "error": error, "error_description": description, "message": description }),
        Endpoint::Salesforce | Endpoint::Plain => json!({ "error": error, "error_description": description }),
    };
    let answer = Answer::value(refusal.status, &body);
    match refusal.status {
        StatusCode::UNAUTHORIZED => answer.with(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"OAuth\"")),
        _ => answer,
    }
}

fn aadsts(error: &str) -> u32 {
    match error {
        "invalid_client" => 7_000_215,
        "invalid_grant" => 70_000,
        "invalid_scope" => 1_002_012,
        "unsupported_grant_type" => 70_003,
        _ => 900_144,
    }
}

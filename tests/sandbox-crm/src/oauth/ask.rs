//! A token request as it came: its fields, from where each CRM takes them, and what is wrong with its form.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, StatusCode};
use serde_json::Value;

use super::{Endpoint, Refusal, Settings};
use crate::dialects::Crm;
use crate::query;

type Pairs = Vec<(String, String)>;

#[derive(Debug)]
pub struct Ask {
    pub endpoint: Endpoint,
    fields: Pairs,
    /// Client id and secret of HTTP Basic.
    basic: Option<(String, String)>,
    wrong: Option<Refusal>,
}

impl Ask {
    pub fn read(endpoint: Endpoint, method: &Method, raw_query: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let basic = headers.get(AUTHORIZATION).and_then(|value| basic(value.to_str().ok()?));
        let read = fields(endpoint, method, raw_query, headers, body);
        let (fields, wrong) = match read {
            Ok(fields) => (fields, None),
            Err(refusal) => (Pairs::new(), Some(refusal)),
        };
        let doubled = fields
            .iter()
            .enumerate()
            .find(|(position, (name, _))| fields.iter().take(*position).any(|(known, _)| known == name))
            .map(|(_, (name, _))| Refusal::new("invalid_request", format!("The parameter {name:?} is given twice.")));
        let wrong = wrong.or(doubled);
        let lacks = wrong.is_none() && !fields.iter().any(|(name, _)| name == "grant_type");
        let wrong = wrong.or(lacks.then(|| Refusal::new("invalid_request", "The parameter grant_type is missing.")));
        Self {
            endpoint,
            fields,
            basic,
            wrong,
        }
    }

    /// What is wrong with the request whoever sent it.
    pub fn wrong(&self) -> Option<Refusal> {
        self.wrong.clone()
    }

    /// Empty ones count as absent, as OAuth says.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub fn needed(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::new("invalid_request", format!("The parameter {name} is missing."));
        self.field(name).ok_or_else(missing)
    }

    /// By HTTP Basic, by field, or as the issuer of an assertion (which is checked later).
    pub fn client_id(&self) -> Option<String> {
        if let Some((id, _)) = &self.basic {
            return Some(id.clone());
        }
        if let Some(id) = self.field("client_id") {
            return Some(id.to_owned());
        }
        super::jwt::issuer(self.field("assertion")?)
    }

    pub fn authenticate(&self, settings: &Settings, crm: Crm) -> Result<(), Refusal> {
        let in_body = self.field("client_id").zip(self.field("client_secret"));
        let by_basic = self.basic.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let (way, given) = match (self.endpoint, crm) {
            (Endpoint::Plain, Crm::Pipedrive) => ("HTTP Basic", by_basic),
            (Endpoint::Plain, _) => ("HTTP Basic or client_id and client_secret", by_basic.or(in_body)),
            _ => ("client_id and client_secret", in_body),
        };
        let Some((id, secret)) = given else {
            return Err(Refusal::new("invalid_client", format!("The client is known by {way}.")));
        };
        if id != settings.client_id || secret != settings.client_secret {
            return Err(Refusal::new(
                "invalid_client",
                "The client's id and secret do not match.",
            ));
        }
        Ok(())
    }
}

fn fields(
    endpoint: Endpoint,
    method: &Method,
    raw_query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Pairs, Refusal> {
    let invalid = |description: String| Refusal::new("invalid_request", description);
    if method != Method::POST {
        return Err(Refusal {
            status: StatusCode::METHOD_NOT_ALLOWED,
            ..invalid("Tokens are asked for with POST.".into())
        });
    }
    if endpoint == Endpoint::Zoho {
        if !body.is_empty() {
            return Err(invalid("The parameters belong in the query, not in the body.".into()));
        }
        return query::pairs(raw_query).map_err(invalid);
    }
    if !raw_query.is_empty() {
        // A secret in a URL is in every log on its way.
        return Err(invalid("The parameters belong in the body, not in the query.".into()));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let text = std::str::from_utf8(body).map_err(|_| invalid("The body is not UTF-8.".into()))?;
        return query::pairs(text).map_err(invalid);
    }
    if endpoint == Endpoint::Suitecrm && kind.eq_ignore_ascii_case("application/json") {
        let value: Value = serde_json::from_slice(body).map_err(|reason| invalid(reason.to_string()))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let fields = value
            .as_object()
            .ok_or_else(|| invalid("The body is no JSON object.".into()))?;
        return fields
            .iter()
            .map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect::<Option<_>>()
            .ok_or_else(|| invalid("The parameters must be strings.".into()));
    }
    Err(Refusal {
        status: match endpoint {
            Endpoint::Hubspot { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        },
        ..invalid("The body must be application/x-www-form-urlencoded.".into())
    })
}

/// Both parts are form-encoded before they are base64: a colon in an id is no separator.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((query::segment(id)?, query::segment(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(endpoint: Endpoint, query: &str, kind: &'static str, body: &str) -> Ask {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        Ask::read(endpoint, &Method::POST, query, &headers, body.as_bytes())
    }

    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
    const HUBSPOT: Endpoint = Endpoint::Hubspot { dated: false };

    #[test]
    fn fields_come_from_where_the_crm_takes_them() {
        let body = "grant_type=refresh_token&refresh_token=a%2Bb+c&client_id=";
        let good = ask(HUBSPOT, "", FORM, body);
        assert_eq!(good.wrong(), None);
        assert_eq!(
            (good.field("refresh_token"), good.field("client_id")),
            (Some("a+b c"), None)
        );
        for (endpoint, query, kind, body) in [
            (HUBSPOT, body, FORM, ""),
            (HUBSPOT, "", "application/json", r#"{"grant_type":"refresh_token"}"#),
            (HUBSPOT, "", FORM, "refresh_token=a"),
            (HUBSPOT, "", FORM, "grant_type=a&grant_type=b"),
            (Endpoint::Zoho, "", FORM, body),
            (Endpoint::Suitecrm, "", "application/json", r#"{"grant_type":1}"#),
        ] {
            let refusal = ask(endpoint, query, kind, body).wrong().unwrap();
            assert_eq!(refusal.error, "invalid_request", "{endpoint:?} {query} {body}");
        }
        assert_eq!(ask(Endpoint::Zoho, body, FORM, "").wrong(), None);
        let json = ask(Endpoint::Suitecrm, "", "application/json", r#"{"grant_type":"x"}"#);
        assert_eq!((json.wrong(), json.field("grant_type")), (None, Some("x")));
    }

    #[test]
    fn basic_is_decoded_twice() {
        let header = format!("Basic {}", BASE64_STANDARD.encode("a%3Ab:s%25"));
        assert_eq!(basic(&header), Some(("a:b".into(), "s%".into())));
        assert_eq!(basic("Bearer x"), None);
        assert_eq!(basic("Basic ???"), None);
    }
}

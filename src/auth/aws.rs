//! Secrets in AWS Secrets Manager, and whose keys sign for them: those of a profile in a file, or of the instance's role.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::bundle::Secret;
use super::document::{Document, Scalar};
use super::managers::{Kept, With, request, unusable};
use super::reference::Reference;
use super::sigv4::{self, Keys};
use crate::error::{Error, Kind, Result};
use crate::secret;

const SERVICE: &str = "secretsmanager";
const TARGET: &str = "secretsmanager.GetSecretValue";
const JSON: &str = "application/x-amz-json-1.1";
/// How long before their end the keys of a role are got anew.
const EARLY: f64 = 300.0;
/// Bound on one request to the metadata service, which is on the same host.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where it is and who we are there, by the host's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// `eu-central-1`; empty: there is none.
    pub region: String,
    /// Which secrets a tenant may use.
    pub path: String,
    /// Empty: AWS's own.
    pub endpoint: String,
    /// File of profiles, as the AWS command line writes it; empty: the instance's role.
    pub credentials_file: PathBuf,
    /// Which of them.
    pub profile: String,
    /// Where an instance asks for its role's keys.
    pub metadata: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    secret_string: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    access_key_id: String,
    secret_access_key: Secret,
    token: Secret,
    expiration: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    name: String,
}

/// Reads one secret. A role's keys that have ended are got anew once.
pub fn read(place: &Place, reference: &Reference, with: &mut With<'_>) -> Result<Document> {
    let is_known = with.cache.roles.get(place).is_some_and(|kept| with.now < kept.until);
    let keys = keys(place, with)?;
    let value = match read_with(place, reference, &keys, with) {
        Err(error) if is_known && why(&error) == Why::Host => {
            with.cache.roles.remove(place);
            let keys = self::keys(place, with)?;
            read_with(place, reference, &keys, with)
        }
        value => value,
    };
    let value = value.map_err(|error| explained(error, reference))?;
    let text = value.secret_string.ok_or_else(|| {
        Error::new(
            Kind::Credential,
            format!("{reference} is binary: store it as text or as JSON"),
        )
    })?;
    let values: Option<BTreeMap<String, Scalar>> = serde_json::from_str(text.as_str()).ok();
    Ok(Document {
        values: values.unwrap_or_default(),
        whole: Some(zeroize::Zeroizing::new(text.as_str().to_owned())),
    })
}

fn keys(place: &Place, with: &mut With<'_>) -> Result<Keys> {
    if !place.credentials_file.as_os_str().is_empty() {
        let file = &place.credentials_file;
        let bytes =
            secret::private_file("file of AWS credentials", file).map_err(|error| unusable(&error.to_string()))?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        return of_profile(text, &place.profile).ok_or_else(|| {
            unusable(&format!(
                "{} has no profile [{}] with aws_access_key_id and aws_secret_access_key",
                file.display(),
                place.profile
            ))
        });
    }
    if let Some(kept) = with.cache.roles.get(place).filter(|kept| with.now < kept.until) {
        return Ok(kept.value.clone());
    }
    let (keys, life) = of_role(place, with).map_err(|mut error| {
        error.body = None;
        error.message = format!(
            "this host's instance role gives no keys for AWS ({}): attach one, or set tenant_crm_sync.aws_credentials_file",
            error.message
        );
        error
    })?;
    with.cache.roles.insert(
        place.clone(),
        Kept {
            value: keys.clone(),
            until: with.now.saturating_add(life),
        },
    );
    Ok(keys)
}

/// One profile of a file like `~/.aws/credentials`.
fn of_profile(text: &str, profile: &str) -> Option<Keys> {
    let mut is_it = false;
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim();
            is_it = name.strip_prefix("profile ").unwrap_or(name).trim() == profile;
        } else if is_it
            && !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once('=')
        {
            found.insert(name.trim(), value.trim());
        }
    }
    let get = |name: &str| found.get(name).copied().filter(|value| !value.is_empty());
    Some(Keys {
        id: get("aws_access_key_id")?.to_owned(),
        secret: get("aws_secret_access_key").map(str::to_owned)?.into(),
        session: get("aws_session_token").map(|token| token.to_owned().into()),
    })
}

/// The instance's metadata service, version 2: a request that only a process on this host can make.
fn of_role(place: &Place, with: &mut With<'_>) -> Result<(Keys, Duration)> {
    let url = |path: &str| {
        Url::parse(&place.metadata)
            .and_then(|base| base.join(path))
            .map_err(|_| unusable("tenant_crm_sync.aws_metadata_endpoint is no address"))
    };
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    let base = "/latest/meta-data/iam/security-credentials/";
    let mut ask = |method: Method, path: &str, name: &'static str, value: &str| {
        let mut call = request(with.managers, method, url(path)?);
        // It speaks no TLS.
        call.config.allow_http = true;
        // Elsewhere than on such an instance nobody answers.
        call.timeout = call.timeout.min(PATIENCE);
        let mut value = HeaderValue::from_str(value).map_err(|_| unusable("its token is unusable"))?;
        value.set_sensitive(true);
        call.headers.insert(name, value);
        (with.fetch)(call).map(|reply| reply.body)
    };
    let session = ask(
        Method::PUT,
        "/latest/api/token",
        "x-aws-ec2-metadata-token-ttl-seconds",
        "300",
    )?;
    let session = text(&session);
    let mut get = |path: &str| ask(Method::GET, path, "x-aws-ec2-metadata-token", &session);
    let name = text(&get(base)?);
    let name = name.lines().next().unwrap_or_default().trim();
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
    {
        return Err(unusable("no role is attached"));
    }
    let wrong = || Error::new(Kind::Decode, "its answer cannot be read");
    let role: Role = serde_json::from_slice(&get(&format!("{base}{name}"))?).map_err(|_| wrong())?;
    let end: jiff::Timestamp = role.expiration.parse().map_err(|_| wrong())?;
    #[expect(clippy::cast_precision_loss, reason = "whole seconds of our time")]
    let left = (end.as_second() as f64 - with.unix - EARLY).clamp(0.0, 86_400.0);
    Ok((
        Keys {
            id: role.access_key_id,
            secret: role.secret_access_key.as_str().to_owned().into(),
            session: Some(role.token.as_str().to_owned().into()),
        },
        Duration::from_secs_f64(left),
    ))
}

fn read_with(place: &Place, reference: &Reference, keys: &Keys, with: &mut With<'_>) -> Result<Value> {
    let is_region = !place.region.is_empty()
        && place
            .region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_region {
        return Err(unusable(
            "tenant_crm_sync.aws_region is no region: write it like eu-central-1",
        ));
    }
    let address = match place.endpoint.as_str() {
        "" => {
            let top = if place.region.starts_with("cn-") {
                "amazonaws.com.cn"
            } else {
                "amazonaws.com"
            };
            format!("https://{SERVICE}.{}.{top}/", place.region)
        }
        endpoint => endpoint.to_owned(),
    };
    let url = Url::parse(&address)
        .ok()
        .filter(|url| url.has_host() && url.path() == "/" && url.query().is_none())
        .ok_or_else(|| unusable("tenant_crm_sync.aws_endpoint is no address of a host alone"))?;
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let body = serde_json::json!({ "SecretId": reference.segments.join("/") }).to_string();
    let date = sigv4::date(with.unix)?;
    let mut signed = vec![
        ("content-type", JSON),
        ("host", host.as_str()),
        ("x-amz-date", date.as_str()),
    ];
    if let Some(session) = &keys.session {
        signed.push(("x-amz-security-token", session.as_str()));
    }
    signed.push(("x-amz-target", TARGET));
    let authorization = sigv4::authorization(
        keys,
        &place.region,
        SERVICE,
        &date,
        sigv4::Request {
            method: "POST",
            path: "/",
            headers: &signed,
            body: body.as_bytes(),
        },
    );
    let value = |text: &str| {
        HeaderValue::from_str(text)
            .map(|mut value| {
                value.set_sensitive(true);
                value
            })
            .map_err(|_| unusable("the keys for AWS have characters that no HTTP header can carry"))
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert("x-amz-target", HeaderValue::from_static(TARGET));
    headers.insert("x-amz-date", value(&date)?);
    headers.insert(AUTHORIZATION, value(&authorization)?);
    if let Some(session) = &keys.session {
        headers.insert("x-amz-security-token", value(session)?);
    }
    let mut call = request(with.managers, Method::POST, url);
    call.headers = headers;
    call.body = Some(body.into());
    let reply = (with.fetch)(call)?;
    serde_json::from_slice(&reply.body).map_err(|_| {
        Error::new(
            Kind::Decode,
            "what answers at tenant_crm_sync.aws_endpoint is no Secrets Manager",
        )
    })
}

/// Who is to blame for a refusal.
#[derive(Debug, PartialEq, Eq)]
enum Why {
    /// There is no such secret.
    Missing,
    /// The keys of this host.
    Host,
    /// Its rights.
    Rights,
    /// Too many requests.
    Pace,
    Other,
}

fn name_of(error: &Error) -> String {
    let body = error.body.as_deref().unwrap_or_default();
    let refusal: Option<Refusal> = serde_json::from_str(body).ok();
    // What stands before the service refuses in XML.
    let of_xml = || {
        let (_, rest) = body.split_once("<Code>")?;
        rest.split_once("</Code>").map(|(name, _)| name.to_owned())
    };
    let name = refusal.map(|refusal| refusal.name).or_else(of_xml).unwrap_or_default();
    // Some services put their own name before it.
    let name = name.rsplit('#').next().unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).take(80).collect()
}

fn why(error: &Error) -> Why {
    match name_of(error).as_str() {
        "ResourceNotFoundException" | "InvalidRequestException" => Why::Missing,
        "AccessDenied" | "AccessDeniedException" => Why::Rights,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException" => Why::Host,
        "ThrottlingException" | "TooManyRequestsException" => Why::Pace,
        _ => Why::Other,
    }
}

/// What an answer means; what it says itself is not shown.
fn explained(mut error: Error, reference: &Reference) -> Error {
    let (why, name) = (why(&error), name_of(&error));
    error.body = None;
    let (kind, message) = match why {
        Why::Missing => (
            Kind::Credential,
            format!("there is no secret {reference} in AWS Secrets Manager, or it is marked for deletion"),
        ),
        Why::Rights => (
            Kind::Credential,
            format!(
                "AWS does not let this host read {reference}: its identity needs secretsmanager:GetSecretValue, and kms:Decrypt where the key is your own"
            ),
        ),
        Why::Host => (
            Kind::Credential,
            format!("AWS refuses this host's own keys ({name}): check the profile or role, and this host's clock"),
        ),
        Why::Pace => (Kind::RateLimited, String::from("AWS Secrets Manager asks to wait")),
        Why::Other => match error.status {
            Some(status) => (
                error.kind,
                format!("{reference}: AWS Secrets Manager answers HTTP {status} {name}"),
            ),
            None => (error.kind, format!("{reference}: {}", error.message)),
        },
    };
    error.kind = kind;
    error.message = message;
    error
}

//! Secrets in HashiCorp Vault or OpenBao: KV version 2, read with a token or as an AppRole, in a namespace where there is one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::bundle::Secret;
use super::document::{Document, Scalar};
use super::managers::{Kept, With, request, unusable};
use super::reference::Reference;
use crate::error::{Error, Kind, Result};
use crate::secret;

/// Where it is and who we are there, by the host's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// `https://vault.example:8200`; empty: there is none.
    pub address: String,
    /// Which secrets a tenant may use.
    pub path: String,
    /// Empty: the root.
    pub namespace: String,
    /// File of a token.
    pub token_file: PathBuf,
    /// Where there is no such file: the AppRole's id,
    pub role_id: String,
    /// and the file of its secret.
    pub secret_id_file: PathBuf,
}

#[derive(Deserialize)]
struct Login {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Secret,
    lease_duration: u64,
}

#[derive(Deserialize)]
struct Read {
    data: Version,
}

#[derive(Deserialize)]
struct Version {
    data: Option<BTreeMap<String, Scalar>>,
}

/// Reads one secret. A token that has ended is got anew once.
pub fn read(place: &Place, reference: &Reference, with: &mut With<'_>) -> Result<Document> {
    let kept = with.cache.logins.get(place).filter(|kept| with.now < kept.until);
    let known = kept.map(|kept| kept.value.clone());
    let is_known = known.is_some();
    let token = match known {
        Some(token) => token,
        None => token(place, with)?,
    };
    match read_with(place, reference, &token, with) {
        Err(error) if is_known && error.status == Some(403) => {
            with.cache.logins.remove(place);
            let token = self::token(place, with)?;
            read_with(place, reference, &token, with)
        }
        read => read,
    }
    .map_err(|error| explained(error, place, reference))
}

fn token(place: &Place, with: &mut With<'_>) -> Result<Secret> {
    if !place.token_file.as_os_str().is_empty() {
        return of_file("file of the token for Vault", &place.token_file);
    }
    if place.role_id.is_empty() || place.secret_id_file.as_os_str().is_empty() {
        return Err(unusable(
            "this host has no identity for Vault: set tenant_crm_sync.vault_token_file, or tenant_crm_sync.vault_role_id and vault_secret_id_file",
        ));
    }
    let secret = of_file("file of the AppRole's secret id for Vault", &place.secret_id_file)?;
    let body = serde_json::json!({ "role_id": place.role_id, "secret_id": secret.as_str() });
    let mut call = request(with.managers, Method::POST, url(place, &["auth", "approle", "login"])?);
    call.headers = headers(place)?;
    call.body = Some(body.to_string().into());
    let reply = (with.fetch)(call).map_err(|mut error| {
        error.body = None;
        if matches!(error.status, Some(400..=403)) {
            error.kind = Kind::Credential;
            error.message = String::from(
                "Vault refuses this host's AppRole: check tenant_crm_sync.vault_role_id, the file of its secret id and whether that has ended",
            );
        }
        error
    })?;
    let login: Login = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
    let life = std::time::Duration::from_secs(login.auth.lease_duration.saturating_mul(9) / 10);
    // A token without an end is kept as long as a secret is.
    let life = if life.is_zero() { with.managers.keep } else { life };
    with.cache.logins.insert(
        place.clone(),
        Kept {
            value: login.auth.client_token.clone(),
            until: with.now.saturating_add(life),
        },
    );
    Ok(login.auth.client_token)
}

fn read_with(place: &Place, reference: &Reference, token: &Secret, with: &mut With<'_>) -> Result<Document> {
    let mut path: Vec<&str> = reference.segments.iter().map(String::as_str).collect();
    path.insert(1.min(path.len()), "data");
    let mut call = request(with.managers, Method::GET, url(place, &path)?);
    call.headers = headers(place)?;
    let mut value = HeaderValue::from_str(token.as_str())
        .map_err(|_| unusable("the token for Vault has characters that no HTTP header can carry"))?;
    value.set_sensitive(true);
    call.headers.insert("x-vault-token", value);
    let reply = (with.fetch)(call)?;
    let read: Read = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
    Ok(Document {
        values: read.data.data.unwrap_or_default(),
        whole: None,
    })
}

fn headers(place: &Place) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    // Vault asks for it, so that no page of a browser can be made to ask.
    headers.insert("x-vault-request", HeaderValue::from_static("true"));
    if !place.namespace.is_empty() {
        let namespace = HeaderValue::from_str(&place.namespace)
            .map_err(|_| unusable("tenant_crm_sync.vault_namespace has characters that no HTTP header can carry"))?;
        headers.insert("x-vault-namespace", namespace);
    }
    Ok(headers)
}

fn url(place: &Place, path: &[&str]) -> Result<Url> {
    let wrong = || unusable("tenant_crm_sync.vault_addr is no address: write it like https://vault.example:8200");
    let mut url = Url::parse(&place.address).map_err(|_| wrong())?;
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .push("v1")
        .extend(path);
    Ok(url)
}

fn of_file(what: &'static str, file: &Path) -> Result<Secret> {
    let bytes = secret::private_file(what, file).map_err(|error| unusable(&error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Err(unusable(&format!("the {what} holds no text: {}", file.display())));
    }
    let text = Zeroizing::new(text.to_owned());
    Ok(Secret::new(&text))
}

fn unreadable() -> Error {
    Error::new(
        Kind::Decode,
        "what answers at tenant_crm_sync.vault_addr is no Vault, or the mount is not of KV version 2",
    )
}

/// What an answer means; what it says itself is not shown.
fn explained(mut error: Error, place: &Place, reference: &Reference) -> Error {
    error.body = None;
    let (kind, message) = match error.status {
        Some(404) => (
            Kind::Credential,
            format!("there is no secret {reference} in Vault, or its newest version was deleted"),
        ),
        Some(403) => {
            let mount = reference.segments.first().map_or("", String::as_str);
            let rest = reference.segments.get(1..).unwrap_or_default().join("/");
            (
                Kind::Credential,
                format!(
                    "Vault does not let this host read {reference}: its policy needs the capability read on {mount}/data/{rest}{}",
                    within(place)
                ),
            )
        }
        Some(503) => (error.kind, String::from("Vault is sealed, or on standby: unseal it")),
        Some(status) => (error.kind, format!("Vault answers HTTP {status}")),
        None => (error.kind, format!("{reference}: {}", error.message)),
    };
    error.kind = kind;
    error.message = message;
    error
}

fn within(place: &Place) -> String {
    match place.namespace.as_str() {
        "" => String::new(),
        namespace => format!(" in the namespace {namespace}"),
    }
}

//! Whose counter it is: the key that a connection shares with those that draw on the same quota, and with nobody else.

use ring::hmac;
use zeroize::Zeroizing;

use super::Key;
use crate::crm::connector::ENDPOINT;
use crate::crm::limit::Scope;
use crate::crm::request::Connection;

/// One tenant's connection.
#[derive(Clone, Copy)]
pub(super) struct Who<'c> {
    pub connection: &'c Connection,
    /// Tells apart those that have consented to one app, whose refresh tokens are not among their settings.
    pub tenant: &'c str,
}

impl Who<'_> {
    /// 128 bits of an HMAC: they tell nobody who does not have the credential anything.
    pub fn key(self, scope: Scope, words: &[&[u8]]) -> Key {
        let account = match scope {
            Scope::Account => self.account(),
            Scope::User | Scope::App => None,
        };
        let credential = account.unwrap_or_else(|| self.credential(scope));
        let origin = self.connection.values.text("origin").unwrap_or_default();
        let mut message = Vec::new();
        part(&mut message, self.connection.connector.name.as_bytes());
        part(&mut message, origin.as_bytes());
        part(&mut message, scope.name().as_bytes());
        for word in words {
            part(&mut message, word);
        }
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &credential), &message);
        let bytes = tag.as_ref().iter().take(16);
        Key(bytes.fold(0, |key, byte| key << 8 | u128::from(*byte)))
    }

    /// What names the CRM's account, where a token of this very connection has told it. What settings say of it does not
    /// count: anybody could write there whose share he would like to spend.
    fn account(self) -> Option<Zeroizing<Vec<u8>>> {
        let template = self.connection.connector.account.as_ref()?;
        let captured = &self.connection.method.oauth2.as_ref()?.capture;
        let is_told = template.names().any(|name| captured.contains_key(name));
        let account = is_told.then(|| template.bytes(&self.connection.values)).flatten()?;
        let mut named = Zeroizing::new(Vec::new());
        part(&mut named, b"account");
        part(&mut named, &account);
        Some(named)
    }

    /// What proves who asks: the fields that the authorisation needs, of an app only its own.
    fn credential(self, scope: Scope) -> Zeroizing<Vec<u8>> {
        let Connection { method, values, .. } = self.connection;
        let is_app = scope == Scope::App && method.oauth2.is_some();
        let of_app = |name: &str| matches!(name, "client_id" | "client_secret");
        let names = method.fields.iter().map(String::as_str);
        let names = names.filter(|name| *name != ENDPOINT && (!is_app || of_app(name)));
        let mut all = Zeroizing::new(Vec::new());
        for name in names {
            if let Some(value) = values.bytes(name) {
                part(&mut all, name.as_bytes());
                part(&mut all, &value);
            }
        }
        let consent = method
            .oauth2
            .as_ref()
            .filter(|oauth2| oauth2.grant.uses_refresh_token());
        if consent.is_some() && !is_app {
            match values.bytes("refresh_token") {
                Some(token) => part(&mut all, &token),
                None => part(&mut all, self.tenant.as_bytes()),
            }
        }
        all
    }
}

/// One of several parts, with its length, so that no two lists of parts are the same bytes.
fn part(all: &mut Vec<u8>, part: &[u8]) {
    all.extend_from_slice(&(part.len() as u64).to_le_bytes());
    all.extend_from_slice(part);
}

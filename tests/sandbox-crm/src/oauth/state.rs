//! What a tenant's OAuth server remembers: its refresh token, the ones before it, and how often it was asked.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Granted, Refusal};
use crate::dialects::Crm;

/// How the control API shapes a tenant's OAuth server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub client_id: String,
    pub client_secret: String,
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// An authorization code; good once.
    #[serde(default)]
    pub code: Option<String>,
    /// What the code's redirect_uri has to be; null: anything.
    #[serde(default)]
    pub redirect_uri: Option<String>,
    #[serde(default = "half_an_hour")]
    pub access_ttl_s: u64,
    #[serde(default)]
    pub rotation: Rotation,
    /// For `grace`: how long the refresh token before still works.
    #[serde(default)]
    pub grace_ms: u64,
    /// Whether answers tell it; null: as the CRM does (Salesforce does not).
    #[serde(default)]
    pub expires_in: Option<bool>,
    /// Of a jwt-bearer assertion: the key that verifies it (PEM), whose it must be and for whom; null: anybody's, and for
    /// one of Salesforce's login hosts or this server.
    #[serde(default)]
    pub public_key_pem: Option<String>,
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    pub audience: Option<String>,
    /// Salesforce's instance_url, Pipedrive's and Zoho's api_domain; null: the origin that the request came to.
    #[serde(default)]
    pub api_origin: Option<String>,
}

fn half_an_hour() -> u64 {
    1800
}

impl Settings {
    pub fn tells_expiry(&self, crm: Crm) -> bool {
        self.expires_in.unwrap_or(crm != Crm::Salesforce)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// The refresh token stays.
    #[default]
    None,
    /// Each refresh gives a new one, and the old one is dead at once.
    SingleUse,
    /// The same, but for `grace_ms` the old one gives the same answer again.
    Grace,
}

#[derive(Default)]
pub struct State {
    pub refresh_token: Option<String>,
    pub refreshes: u64,
    pub refused: u64,
    pub issued: u64,
    code: Option<String>,
    /// The refresh token before, when it was used, and what it was answered with.
    before: Option<(String, Instant, Granted)>,
    /// Refresh tokens and codes that are spent: they still say whose they were.
    spent: Vec<String>,
}

impl State {
    /// For new settings: another token or code takes the place of what was there.
    pub fn configure(&mut self, old: Option<&Settings>, new: Option<&Settings>) {
        let token = |settings: Option<&Settings>| settings.and_then(|settings| settings.refresh_token.clone());
        let code = |settings: Option<&Settings>| settings.and_then(|settings| settings.code.clone());
        if old.is_none() || token(old) != token(new) {
            self.refresh_token = token(new);
            self.before = None;
        }
        if old.is_none() || code(old) != code(new) {
            self.code = code(new);
        }
    }

    /// Whether this is, or was, this tenant's refresh token or code.
    pub fn knows(&self, text: &str) -> bool {
        self.refresh_token.as_deref() == Some(text)
            || self.code.as_deref() == Some(text)
            || self.spent.iter().any(|spent| spent == text)
    }

    pub fn refresh(
        &mut self,
        settings: &Settings,
        presented: &str,
        granted: &mut Granted,
        now: Instant,
        make: impl FnOnce() -> Result<String, Refusal>,
    ) -> Result<(), Refusal> {
        if self.refresh_token.as_deref() != Some(presented) {
            let grace = Duration::from_millis(settings.grace_ms);
            if settings.rotation == Rotation::Grace
                && let Some((before, used, answer)) = &self.before
                && before == presented
                && now.saturating_duration_since(*used) < grace
            {
                *granted = answer.clone();
                granted.again = true;
                return Ok(());
            }
            let spent = self.spent.iter().any(|spent| spent == presented);
            let description = match spent {
                true => "The refresh token was used before.",
                false => "The refresh token is unknown.",
            };
            return Err(Refusal::new("invalid_grant", description));
        }
        self.refreshes += 1;
        match settings.rotation {
            // Salesforce and Zoho do not tell it again; the others do.
            Rotation::None => {
                let told = !matches!(granted.crm, Crm::Salesforce | Crm::Zoho);
                granted.refresh_token = told.then(|| presented.to_owned());
            }
            Rotation::SingleUse | Rotation::Grace => {
                let next = make()?;
                granted.refresh_token = Some(next.clone());
                self.refresh_token = Some(next);
                self.spent.push(presented.to_owned());
                self.before = Some((presented.to_owned(), now, granted.clone()));
            }
        }
        Ok(())
    }

    pub fn redeem(
        &mut self,
        settings: &Settings,
        presented: &str,
        granted: &mut Granted,
        make: impl FnOnce() -> Result<String, Refusal>,
    ) -> Result<(), Refusal> {
        if self.code.as_deref() != Some(presented) {
            return Err(Refusal::new("invalid_grant", "The code is unknown or was used before."));
        }
        self.code = None;
        self.spent.push(presented.to_owned());
        let token = match self.refresh_token.clone().or(settings.refresh_token.clone()) {
            Some(token) => token,
            None => make()?,
        };
        self.refresh_token = Some(token.clone());
        granted.refresh_token = Some(token);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    fn settings(extra: Value) -> Settings {
        let mut all = json!({ "client_id": "c", "client_secret": "s", "refresh_token": "r0", "code": "code" });
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn state(settings: &Settings) -> State {
        let mut state = State::default();
        state.configure(None, Some(settings));
        state
    }

    fn granted(crm: Crm) -> Granted {
        Granted {
            access_token: "a".into(),
            refresh_token: None,
            expires_in: None,
            api_origin: String::new(),
            crm,
            at: Timestamp::UNIX_EPOCH,
            again: false,
        }
    }

    fn use_token(
        state: &mut State,
        settings: &Settings,
        token: &str,
        now: Instant,
    ) -> Result<(Option<String>, bool), &'static str> {
        let mut answer = granted(Crm::Hubspot);
        let next = format!("{token}+");
        state
            .refresh(settings, token, &mut answer, now, || Ok(next))
            .map(|()| (answer.refresh_token, answer.again))
            .map_err(|refusal| refusal.error)
    }

    #[test]
    fn without_rotation_the_token_stays() {
        let settings = settings(json!({}));
        let mut state = state(&settings);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(
                use_token(&mut state, &settings, "r0", now),
                Ok((Some("r0".into()), false))
            );
        }
        assert_eq!(use_token(&mut state, &settings, "other", now), Err("invalid_grant"));
        let mut silent = granted(Crm::Zoho);
        state
            .refresh(&settings, "r0", &mut silent, now, || Ok("x".into()))
            .unwrap();
        assert_eq!((silent.refresh_token, state.refreshes), (None, 4));
    }

    #[test]
    fn a_single_use_token_is_dead_at_once() {
        let settings = settings(json!({ "rotation": "single_use", "grace_ms": 60_000 }));
        let mut state = state(&settings);
        let now = Instant::now();
        assert_eq!(
            use_token(&mut state, &settings, "r0", now),
            Ok((Some("r0+".into()), false))
        );
        assert_eq!(use_token(&mut state, &settings, "r0", now), Err("invalid_grant"));
        assert!(state.knows("r0") && state.knows("r0+") && !state.knows("r1"));
        assert_eq!(
            use_token(&mut state, &settings, "r0+", now),
            Ok((Some("r0++".into()), false))
        );
    }

    #[test]
    fn grace_gives_the_same_answer_until_it_ends() {
        let settings = settings(json!({ "rotation": "grace", "grace_ms": 1000 }));
        let mut state = state(&settings);
        let now = Instant::now();
        use_token(&mut state, &settings, "r0", now).unwrap();
        let soon = now + Duration::from_millis(999);
        assert_eq!(
            use_token(&mut state, &settings, "r0", soon),
            Ok((Some("r0+".into()), true))
        );
        let late = now + Duration::from_millis(1000);
        assert_eq!(use_token(&mut state, &settings, "r0", late), Err("invalid_grant"));
        assert_eq!(state.refreshes, 1);
    }

    #[test]
    fn a_code_is_good_once_and_new_settings_give_another() {
        let first = settings(json!({}));
        let mut state = state(&first);
        let mut answer = granted(Crm::Zoho);
        state.redeem(&first, "code", &mut answer, || Ok("x".into())).unwrap();
        assert_eq!(answer.refresh_token.as_deref(), Some("r0"));
        assert!(state.redeem(&first, "code", &mut answer, || Ok("x".into())).is_err());
        state.configure(Some(&first), Some(&first));
        assert!(state.redeem(&first, "code", &mut answer, || Ok("x".into())).is_err());
        let second = settings(json!({ "code": "code 2" }));
        state.configure(Some(&first), Some(&second));
        assert!(state.redeem(&second, "code 2", &mut answer, || Ok("x".into())).is_ok());
    }
}

//! What tokens' servers and secrets managers answer, and references to them.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use tenant_crm_sync::auth::LocalTokens;
use tenant_crm_sync::auth::managers::{Cache, Managers, With, resolve};
use tenant_crm_sync::auth::oauth2::Oauth2;
use tenant_crm_sync::auth::reference::{Manager, Owner, Reference, Template, manager_of};
use tenant_crm_sync::auth::token::{Clock, Connection};
use tenant_crm_sync::auth::{aws, vault};
use tenant_crm_sync::config::{Config, Transport};
use tenant_crm_sync::error::Result;
use tenant_crm_sync::template::{Value, Values};

use super::Target;
use crate::support::reply;

pub const ALL: &[Target] = &[
    Target {
        name: "tokens",
        run: tokens,
        words: &[
            "\"access_token\":",
            "\"refresh_token\":",
            "\"expires_in\":",
            "\"error\":",
            "\"invalid_grant\"",
            "\"instance_url\":\"https://evil.example\"",
        ],
    },
    Target {
        name: "secrets",
        run: secrets,
        words: &[
            "\"data\":",
            "\"auth\":",
            "\"client_token\":",
            "\"lease_duration\":",
            "\"SecretString\":",
            "\"__type\":",
            "\"api_endpoint\":",
            "<Code>",
            "</Code>",
            "{\"api_key\":\"x\"}",
        ],
    },
    Target {
        name: "reference",
        run: reference,
        words: &[
            "vault://",
            "aws-sm://",
            "secret/crm/",
            "acme",
            "#",
            "{tenant}",
            "{site}",
            "/*",
            "=2F",
            "..",
        ],
    },
];

fn config() -> Config {
    Config {
        transport: Transport {
            ca_file: PathBuf::new(),
            allow_private_networks: false,
            connect_timeout: Duration::from_secs(1),
            proxy: None,
        },
        allow_http: false,
        timeout: Duration::from_secs(1),
        max_response_bytes: 1 << 20,
        accessible_hosts: None,
    }
}

struct Still;

impl Clock for Still {
    fn unix(&self) -> f64 {
        1_760_000_000.0
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
}

fn tokens(data: &[u8]) {
    let body = String::from_utf8_lossy(data);
    let oauth: Oauth2 = serde_json::from_str(
        r#"{"grant":"client_credentials","token_url":"https://{host}/oauth/token","capture":{"base":{"path":"instance_url","hosts":["*.crm.example"]}}}"#,
    )
    .or_else(|_| serde_json::from_str(r#"{"grant":"client_credentials","token_url":"https://{host}/oauth/token"}"#))
    .unwrap();
    let values = Values::new()
        .with("host", Value::text("login.example"))
        .with("client_id", Value::text("id"))
        .with("client_secret", Value::text("s3cret-of-client"));
    let config = config();
    let connection = Connection {
        tenant: "acme",
        oauth: &oauth,
        values: &values,
        config: &config,
        lane: None,
    };
    for status in [200, 400, 500] {
        let cache = RefCell::new(LocalTokens::default());
        let granted = LocalTokens::renew(&cache, "", &connection, &Still, &mut |_| Ok(reply(status, &[], &body)));
        match granted {
            Ok(granted) => assert!(status == 200 && !granted.access_token.is_empty()),
            Err(error) => assert!(!error.to_string().contains("s3cret-of-client")),
        }
    }
}

/// A file that only this user can read, as identities are kept in.
fn private(name: &str, text: &str) -> PathBuf {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::env::temp_dir().join(format!("tcs-fuzz-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&file);
    let mut options = std::fs::OpenOptions::new();
    let mut written = options.write(true).create_new(true).mode(0o600).open(&file).unwrap();
    written.write_all(text.as_bytes()).unwrap();
    file
}

/// Both managers, with each way to say who this host is: a token and an AppRole, keys of a file and of a role.
fn managers(name: &str) -> [Managers; 2] {
    let vault = vault::Place {
        address: String::from("https://vault.example"),
        path: String::from("secret/crm/{tenant}"),
        ..vault::Place::default()
    };
    let aws = aws::Place {
        region: String::from("eu-central-1"),
        path: String::from("crm/{tenant}"),
        profile: String::from("default"),
        metadata: String::from("http://169.254.169.254"),
        ..aws::Place::default()
    };
    let keep = Duration::from_secs(60);
    let keys = "[default]\naws_access_key_id=A\naws_secret_access_key=s\n";
    [
        Managers {
            vault: vault::Place {
                token_file: private(&format!("{name}-token"), "token"),
                ..vault.clone()
            },
            aws: aws::Place {
                credentials_file: private(&format!("{name}-keys"), keys),
                ..aws.clone()
            },
            config: config(),
            keep,
        },
        Managers {
            vault: vault::Place {
                role_id: String::from("role"),
                secret_id_file: private(&format!("{name}-secret-id"), "secret"),
                ..vault
            },
            aws,
            config: config(),
            keep,
        },
    ]
}

/// The managers of a thread; their files end with it.
struct Fed([Managers; 2]);

impl Drop for Fed {
    fn drop(&mut self) {
        for managers in &self.0 {
            for file in [
                &managers.vault.token_file,
                &managers.vault.secret_id_file,
                &managers.aws.credentials_file,
            ] {
                let _ = std::fs::remove_file(file);
            }
        }
    }
}

thread_local! {
    static MANAGERS: Fed = Fed(managers("fed"));
}

/// What a reference gives where every answer is this one, but for what leads to a role's keys.
fn looked_up(managers: &Managers, manager: Manager, status: u16, body: &str) -> Result<String> {
    let stored = match manager {
        Manager::Vault => "vault://secret/crm/acme#api_key",
        Manager::Aws => "aws-sm://crm/acme#api_key",
    };
    let found = resolve(
        manager,
        Owner {
            site: "",
            tenant: "acme",
        },
        "https://crm.example",
        stored.as_bytes(),
        &mut With {
            managers,
            cache: &mut Cache::default(),
            now: Duration::ZERO,
            unix: 1_760_000_000.0,
            fetch: &mut |call| {
                Ok(match call.url.path() {
                    "/latest/api/token" => reply(200, &[], "session"),
                    "/latest/meta-data/iam/security-credentials/" => reply(200, &[], "portal"),
                    _ => reply(status, &[], body),
                })
            },
        },
    );
    found.map(|secret| String::from_utf8_lossy(&secret).into_owned())
}

fn secrets(data: &[u8]) {
    let body = String::from_utf8_lossy(data);
    MANAGERS.with(|all| {
        for managers in &all.0 {
            for manager in [Manager::Vault, Manager::Aws] {
                match looked_up(managers, manager, 200, &body) {
                    Ok(secret) => assert!(!secret.is_empty()),
                    Err(error) => assert!(error.body.is_none() && error.status.is_none()),
                }
            }
        }
    });
}

/// What is fed to `secrets` gets as far as to a secret, or nothing would be shown.
#[test]
fn answers_are_read_to_their_end() {
    let fed = Fed(managers("read"));
    let plain = &fed.0[0];
    let kv = r#"{"data":{"data":{"api_key":"k3y"}}}"#;
    assert_eq!(looked_up(plain, Manager::Vault, 200, kv).unwrap(), "k3y");
    let text = r#"{"SecretString":"{\"api_key\":\"k3y\"}"}"#;
    assert_eq!(looked_up(plain, Manager::Aws, 200, text).unwrap(), "k3y");
    let bound = r#"{"data":{"data":{"api_key":"k3y","api_endpoint":"https://evil.example"}}}"#;
    assert!(looked_up(plain, Manager::Vault, 200, bound).is_err());
}

/// `template\0tenant\0reference`
fn reference(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let (template, tenant, stored) = (next(), next(), next());
    let (Ok(template), Some(manager)) = (Template::parse(template), manager_of(stored.as_bytes())) else {
        return;
    };
    let Ok(reference) = Reference::parse(manager, stored) else {
        return;
    };
    let owner = |tenant| Owner { site: "1", tenant };
    if template.check(&reference, owner(tenant)).is_ok() {
        // Nobody else's, whoever it is.
        for other in ["", "a", "acme", "..", "a/b", "A"] {
            assert!(
                other == tenant || template.check(&reference, owner(other)).is_err(),
                "{tenant:?} and {other:?} share {reference}"
            );
        }
    }
}

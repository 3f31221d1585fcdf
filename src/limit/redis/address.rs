//! Where Redis is and as whom we speak to it, out of INI `redis_url`. Nothing here connects; no text made here holds a password.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

/// The port where none is named.
const PORT: u16 = 6379;

/// A server and a login.
#[derive(Clone)]
pub struct Address {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) database: u32,
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// By TCP.
    Net { host: String, port: u16, tls: bool },
    /// By a socket of this machine.
    Socket(PathBuf),
}

impl Address {
    /// Reads `redis://`, `rediss://`, `redis+unix://` and `unix://`.
    ///
    /// # Errors
    /// `Kind::Config`: in words that hold nothing of the URL.
    pub fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text.trim()).map_err(|_| unusable("it is no URL"))?;
        if url.fragment().is_some() {
            return Err(unusable("it has a part after #"));
        }
        let mut address = match url.scheme() {
            "redis" => Self::net(&url, false)?,
            "rediss" => Self::net(&url, true)?,
            "unix" | "redis+unix" => Self::socket(&url)?,
            _ => return Err(unusable("its scheme is none of redis, rediss, redis+unix and unix")),
        };
        for (name, value) in url.query_pairs() {
            match &*name {
                "db" => address.database = number(&value)?,
                "user" => address.user = Some(value.into_owned()),
                "pass" | "password" => address.password = Some(Zeroizing::new(value.into_owned())),
                _ => return Err(unusable("of parameters only db, user and pass are known")),
            }
        }
        if address.user.is_some() && address.password.is_none() {
            return Err(unusable("it has a user and no password"));
        }
        Ok(address)
    }

    fn net(url: &Url, tls: bool) -> Result<Self> {
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_prefix('[').map_or(host, |rest| rest.trim_end_matches(']'));
        if host.is_empty() {
            return Err(unusable("it names no host"));
        }
        let database = url.path().trim_matches('/');
        Ok(Self {
            place: Place::Net {
                host: host.to_owned(),
                port: url.port().unwrap_or(PORT),
                tls,
            },
            user: some(decoded(url.username())?),
            password: url
                .password()
                .map(decoded)
                .transpose()?
                .and_then(some)
                .map(Zeroizing::new),
            database: if database.is_empty() { 0 } else { number(database)? },
        })
    }

    fn socket(url: &Url) -> Result<Self> {
        if url.host_str().is_some_and(|host| !host.is_empty()) {
            return Err(unusable("the path of a socket begins after three slashes"));
        }
        let path = decoded(url.path())?;
        if path.len() < 2 {
            return Err(unusable("it names no socket"));
        }
        Ok(Self {
            place: Place::Socket(PathBuf::from(path)),
            user: None,
            password: None,
            database: 0,
        })
    }
}

/// What messages call the server: without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Net { host, port, tls } => {
                let scheme = if *tls { "rediss" } else { "redis" };
                if host.contains(':') {
                    write!(f, "{scheme}://[{host}]:{port}/{}", self.database)
                } else {
                    write!(f, "{scheme}://{host}:{port}/{}", self.database)
                }
            }
            Place::Socket(path) => write!(f, "unix://{}?db={}", path.display(), self.database),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn decoded(text: &str) -> Result<String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| unusable("what is written with % in it is no UTF-8"))
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn number(text: &str) -> Result<u32> {
    text.parse()
        .map_err(|_| unusable("the database behind the host is no number"))
}

/// The URL itself is not shown: it may hold a password in any place.
fn unusable(reason: &str) -> Error {
    Error::new(
        Kind::Config,
        format!(
            "tenant_crm_sync.redis_url cannot be used: {reason}; write it as redis://user:password@host:6379/0, \
             rediss://… for TLS, or unix:///run/redis/redis.sock?db=0"
        ),
    )
}

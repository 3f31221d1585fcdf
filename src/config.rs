//! The host's effective configuration, read by the face once per call: INI can differ between pools and virtual hosts.

use std::path::PathBuf;
use std::time::Duration;

/// What shapes a connection. Calls with equal transports share a pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transport {
    /// PEM file of the trusted authorities; empty: the system's.
    pub ca_file: PathBuf,
    /// Whether addresses of private and local networks may be called.
    pub allow_private_networks: bool,
    /// Bound on connecting, TLS included.
    pub connect_timeout: Duration,
    /// The proxy that the site is configured to use.
    pub proxy: Option<Proxy>,
}

/// A site's HTTP proxy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// `http://host:port`
    pub url: String,
    /// User and password.
    pub login: Option<(String, String)>,
}

/// The rules and bounds of one call.
#[derive(Debug, Clone)]
pub struct Config {
    /// How to connect.
    pub transport: Transport,
    /// Whether `http:` endpoints may be called.
    pub allow_http: bool,
    /// Bound on one call, retries included.
    pub timeout: Duration,
    /// Bound on one answer, after decompression.
    pub max_response_bytes: usize,
    /// The site's list of hosts that may be called; `None`: any.
    pub accessible_hosts: Option<Vec<String>>,
}

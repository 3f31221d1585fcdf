//! Whom we may call. Names are checked before a call, addresses when they are resolved, so that the address that is
//! checked is the one that is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// The resolver's refusal; found again in the error chain of the failed connection.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

/// Checks scheme, host name and literal address of an endpoint.
pub fn check(url: &Url, config: &Config) -> Result<()> {
    let refuse = |message: String| Err(Error::new(Kind::Egress, message));
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if config.allow_http => {}
        "http" => {
            return refuse(format!(
                "http://{host} is not encrypted: use https, or set tenant_crm_sync.allow_http=1 on this host"
            ));
        }
        scheme => return refuse(format!("{scheme}: is not a scheme for a CRM; use https")),
    }
    if let Some(hosts) = &config.accessible_hosts
        && !hosts.iter().any(|pattern| matches_host(pattern, host))
    {
        return refuse(format!(
            "WordPress blocks calls to {host}: add it to WP_ACCESSIBLE_HOSTS"
        ));
    }
    if !config.transport.allow_private_networks
        && let Some(address) = literal(url)
        && !is_public(address)
    {
        return refuse(private(&address.to_string()));
    }
    Ok(())
}

/// `crm.example`, or `*.example` for every name below it, as WordPress reads WP_ACCESSIBLE_HOSTS.
fn matches_host(pattern: &str, host: &str) -> bool {
    let pattern = pattern.trim();
    match pattern.strip_prefix('*') {
        Some(suffix) => {
            let (host, suffix) = (host.to_ascii_lowercase(), suffix.to_ascii_lowercase());
            host.ends_with(&suffix)
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn private(what: &str) -> String {
    format!(
        "{what} is an address of a private or local network: set tenant_crm_sync.allow_private_networks=1 on this host if it is meant"
    )
}

/// Resolves names and drops the addresses that may not be called.
#[derive(Debug)]
pub struct Resolver {
    /// Whether all addresses may be called.
    pub allow_private_networks: bool,
    /// The proxy's host, which the host's configuration names and which may be anywhere.
    pub proxy_host: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let any = self.allow_private_networks
            || self
                .proxy_host
                .as_deref()
                .is_some_and(|proxy| proxy.eq_ignore_ascii_case(name.as_str()));
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let addresses = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = addresses.filter(|address| any || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(Refused(private(&host))) as Box<_>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet (IANA's special-purpose registries).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // IPv4-mapped and -compatible, unspecified and loopback
        (0, 0) if c == 0 && d == 0 && e == 0 && (f == 0 || f == 0xFFFF) => embedded(g, h),
        // NAT64; a network's own prefix for it leads anywhere
        (0x64, 0xFF9B) if c == 0 && d == 0 && e == 0 && f == 0 => embedded(g, h),
        // 6to4
        (0x2002, high) => embedded(high, c),
        // Teredo, benchmarking and documentation
        (0x2001, 0 | 2 | 0xDB8) | (0x3FFF, 0..0x1000) => false,
        // The rest of global unicast is public; everything outside of it is not.
        _ => a & 0xE000 == 0x2000,
    }
}

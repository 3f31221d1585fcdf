//! The pool of connections for one transport configuration: TLS by rustls and ring, HTTP/1.1 and 2.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Transport;
use crate::error::{Error, Kind, Result};
use crate::net::door::{Doors, Watch};
use crate::net::egress::Resolver;

/// Shorter than the keep-alive of usual servers, which cut at 60 s and more.
pub(super) const IDLE: Duration = Duration::from_secs(50);
const IDLE_PER_HOST: usize = 16;
/// Enough for a page of 2 MiB in one round trip; the protocol's default is 64 KiB.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// A pool.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) pool: reqwest::Client,
    pub(super) doors: Arc<Doors>,
}

/// Builds a pool. Cookies are off; redirects are followed, or not, by `send`.
pub fn build(transport: &Transport) -> Result<Client> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(transport)?)
        .dns_resolver(Arc::new(Resolver {
            allow_private_networks: transport.allow_private_networks,
            proxy_host: transport.proxy.as_ref().and_then(|proxy| {
                let url = reqwest::Url::parse(&proxy.url).ok()?;
                url.host_str().map(str::to_owned)
            }),
        }))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tenant_crm_sync/", env!("CARGO_PKG_VERSION")))
        .connector_layer(Watch)
        .connect_timeout(transport.connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .tcp_nodelay(true)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        // The environment's proxies are not the site's: only WordPress's own setting counts.
        .no_proxy();
    if let Some(proxy) = &transport.proxy {
        let mut through = reqwest::Proxy::all(&proxy.url).map_err(|_| {
            Error::new(
                Kind::Config,
                "the proxy is not usable: check WP_PROXY_HOST and WP_PROXY_PORT",
            )
        })?;
        if let Some((user, password)) = &proxy.login {
            through = through.basic_auth(user, password);
        }
        builder = builder.proxy(through);
    }
    let pool = builder.build().map_err(|error| {
        Error::new(
            Kind::Config,
            format!("cannot prepare connections: {}", super::failure::chain(&error)),
        )
    })?;
    Ok(Client {
        pool,
        doors: Arc::default(),
    })
}

fn tls(transport: &Transport) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Config, format!("cannot prepare TLS: {error}")))?
        .with_root_certificates(roots(&transport.ca_file)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(ca_file: &Path) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if ca_file.as_os_str().is_empty() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let unusable = |reason: String| {
            Error::new(
                Kind::Config,
                format!(
                    "tenant_crm_sync.ca_file {}: {reason}; name a readable PEM file",
                    ca_file.display()
                ),
            )
        };
        let certificates = CertificateDer::pem_file_iter(ca_file)
            .map_err(|error| unusable(error.to_string()))?
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| unusable(error.to_string()))?;
        store.add_parsable_certificates(certificates);
    }
    if store.is_empty() {
        return Err(Error::new(
            Kind::Config,
            "no certificate authorities: install the package ca-certificates or set tenant_crm_sync.ca_file",
        ));
    }
    Ok(store)
}

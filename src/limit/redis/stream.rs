//! The bytes between us and Redis: TCP, TLS or a socket of this machine. Who logs in, and when, is the business of `link`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::error::{Error, Kind, Result};

use super::address::Place;

/// Any of them.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// Another way to a server than these: one that is played in this process.
pub type Way = Arc<dyn Fn() -> io::Result<Box<dyn Stream>> + Send + Sync>;

/// How a place is reached; what takes long to prepare is prepared once.
pub(super) enum Dialer {
    Place(Place, Option<(TlsConnector, ServerName<'static>)>),
    Way(Way),
}

impl Dialer {
    /// Reads the authorities where the place wants TLS; an empty `ca_file` means the system's.
    pub(super) fn new(place: &Place, ca_file: &Path) -> Result<Self> {
        let tls = match place {
            Place::Net { host, tls: true, .. } => {
                let name = ServerName::try_from(host.clone()).map_err(|_| {
                    Error::new(
                        Kind::Config,
                        "tenant_crm_sync.redis_url: the host is neither a name nor an address",
                    )
                })?;
                Some((TlsConnector::from(Arc::new(config(ca_file)?)), name))
            }
            _ => None,
        };
        Ok(Self::Place(place.clone(), tls))
    }

    /// Connects.
    pub(super) async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Way(way) => way(),
            Self::Place(Place::Socket(path), _) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Place(Place::Net { host, port, .. }, tls) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                match tls {
                    Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), stream).await?)),
                    None => Ok(Box::new(stream)),
                }
            }
        }
    }
}

fn config(ca_file: &Path) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Config, format!("cannot prepare TLS: {error}")))?
        .with_root_certificates(roots(ca_file)?)
        .with_no_client_auth())
}

fn roots(ca_file: &Path) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if ca_file.as_os_str().is_empty() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let certificates = CertificateDer::pem_file_iter(ca_file)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|error| {
                Error::new(
                    Kind::Config,
                    format!(
                        "tenant_crm_sync.ca_file {}: {error}; name a readable PEM file",
                        ca_file.display()
                    ),
                )
            })?;
        store.add_parsable_certificates(certificates);
    }
    if store.is_empty() {
        return Err(Error::new(
            Kind::Config,
            "no certificate authorities for Redis: install the package ca-certificates or set tenant_crm_sync.ca_file",
        ));
    }
    Ok(store)
}

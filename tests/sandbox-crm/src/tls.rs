//! The sandbox's own CA and server certificate, made once in its folder. Knows nothing of HTTP but the ALPN names.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::Failure;

const CA: &str = "ca.pem";
const CERTIFICATE: &str = "server.pem";
const KEY: &str = "server.key";

/// Takes the folder's certificate, or makes one: clients that were given `ca.pem` survive a restart.
pub fn acceptor(dir: &Path) -> Result<TlsAcceptor, Failure> {
    if [CA, CERTIFICATE, KEY].iter().any(|name| !dir.join(name).exists()) {
        make(dir)?;
    }
    let chain = CertificateDer::pem_file_iter(dir.join(CERTIFICATE))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(dir.join(KEY))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn make(dir: &Path) -> Result<(), Failure> {
    let ca_key = KeyPair::generate()?;
    let mut ca = params("sandbox-crm test CA", Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?;

    let key = KeyPair::generate()?;
    let mut server = params("localhost", vec!["localhost".into(), "127.0.0.1".into()])?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &Issuer::from_params(&ca, &ca_key))?;

    // The CA's own key is dropped here: nobody can sign another certificate with it.
    write(dir, KEY, &key.serialize_pem(), 0o600)?;
    write(dir, CERTIFICATE, &certificate.pem(), 0o644)?;
    write(dir, CA, &ca_certificate.pem(), 0o644)
}

fn params(name: &str, hosts: Vec<String>) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    Ok(params)
}

fn write(dir: &Path, name: &str, text: &str, mode: u32) -> Result<(), Failure> {
    let path = dir.join(name);
    // The mode holds only for a new file, so an old one goes first.
    match std::fs::remove_file(&path) {
        Err(reason) if reason.kind() != std::io::ErrorKind::NotFound => return Err(reason.into()),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|reason| format!("cannot write {}: {reason}", path.display()).into())
}

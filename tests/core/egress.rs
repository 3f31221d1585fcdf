//! Whom we may call.

use std::time::Duration;

use reqwest::Url;
use tenant_crm_sync::config::{Config, Transport};
use tenant_crm_sync::error::Kind;
use tenant_crm_sync::net::egress::{check, is_public};

fn config() -> Config {
    Config {
        transport: Transport {
            ca_file: "".into(),
            allow_private_networks: false,
            connect_timeout: Duration::from_secs(1),
            proxy: None,
        },
        allow_http: false,
        timeout: Duration::from_secs(1),
        max_response_bytes: 1,
        accessible_hosts: None,
    }
}

fn refusal(url: &str, config: &Config) -> Option<String> {
    match check(&Url::parse(url).unwrap(), config) {
        Ok(()) => None,
        Err(error) => {
            assert_eq!(error.kind, Kind::Egress);
            Some(error.message)
        }
    }
}

#[test]
fn special_addresses_are_not_public() {
    for address in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1:a00:0:100:808:808",
        "3fff::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "ff02::1",
        "fec0::1",
        "100::1",
        "::127.0.0.1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn literal_addresses_in_every_spelling_are_refused() {
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
    ] {
        let message = refusal(url, &config()).expect(url);
        assert!(message.contains("allow_private_networks"), "{message}");
    }
    let mut allowed = config();
    allowed.transport.allow_private_networks = true;
    assert_eq!(refusal("https://127.0.0.1/", &allowed), None);
}

#[test]
fn only_https_unless_the_host_allows_more() {
    assert!(
        refusal("http://crm.example/", &config())
            .unwrap()
            .contains("allow_http")
    );
    assert!(refusal("ftp://crm.example/", &config()).is_some());
    assert!(refusal("file:///etc/passwd", &config()).is_some());
    let mut allowed = config();
    allowed.allow_http = true;
    assert_eq!(refusal("http://crm.example/", &allowed), None);
    assert!(refusal("ftp://crm.example/", &allowed).is_some());
}

#[test]
fn wordpress_list_of_hosts_is_heeded() {
    let mut listed = config();
    listed.accessible_hosts = Some(vec!["crm.example".into(), " *.hub.example".into()]);
    assert_eq!(refusal("https://CRM.example/", &listed), None);
    assert_eq!(refusal("https://api.hub.example/", &listed), None);
    for url in [
        "https://hub.example/",
        "https://evil.example/",
        "https://crm.example.evil.example/",
        "https://xhub.example/",
    ] {
        assert!(refusal(url, &listed).unwrap().contains("WP_ACCESSIBLE_HOSTS"), "{url}");
    }
}

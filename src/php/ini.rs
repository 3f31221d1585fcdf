//! The host's configuration as this request sees it: INI, and WordPress's constants for outgoing HTTP, which WordPress
//! cannot impose on a client of its own.

use std::path::PathBuf;
use std::time::Duration;

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs, output_write};

use crate::auth::managers::Managers;
use crate::auth::reference::Manager;
use crate::auth::{aws, vault};
use crate::config::{Config, Proxy, Transport};
use crate::crm::catalog::Folder;
use crate::error::{Error, Kind, Result};
use crate::limit::limiter::Place;
use crate::limit::redis::address::Address;
use crate::php::zend::{constant, ini_number, ini_text, is_true, to_text};

const fn system(name: &'static std::ffi::CStr, default: &'static std::ffi::CStr) -> IniEntryDef {
    IniEntryDef::new(name, default, IniEntryPermission::System)
}

/// Of an address phpinfo() shows where it is, not the password in it.
const fn address(name: &'static std::ffi::CStr) -> IniEntryDef {
    extern "C" fn show(_entry: *mut ext_php_rs::ffi::_zend_ini_entry, _kind: std::ffi::c_int) {
        let url = ini_text(c"tenant_crm_sync.redis_url");
        let shown = match Address::parse(&url) {
            _ if url.is_empty() => String::from("no value"),
            // Where phpinfo() writes HTML.
            Ok(address) => address.to_string().replace(['<', '>', '&'], "?"),
            Err(_) => String::from("(set, and cannot be used)"),
        };
        // Whoever reads the page has gone.
        let _ = output_write(shown.as_bytes());
    }
    let mut entry = system(name, c"");
    entry.displayer = Some(show);
    entry
}

/// All of the extension's INI entries.
pub static ENTRIES: IniEntryDefs<33> = IniEntryDefs::new([
    system(c"tenant_crm_sync.register_class", c"1"),
    system(c"tenant_crm_sync.key_file", c""),
    system(c"tenant_crm_sync.key_dir", c""),
    system(c"tenant_crm_sync.ca_file", c""),
    system(c"tenant_crm_sync.allow_http", c"0"),
    system(c"tenant_crm_sync.allow_private_networks", c"0"),
    system(c"tenant_crm_sync.timeout_ms", c"10000"),
    system(c"tenant_crm_sync.connect_timeout_ms", c"5000"),
    system(c"tenant_crm_sync.max_response_bytes", c"67108864"),
    system(c"tenant_crm_sync.max_parallel", c"8"),
    system(c"tenant_crm_sync.connector_dir", c""),
    system(c"tenant_crm_sync.connector_owner", c""),
    system(c"tenant_crm_sync.limit_file", c""),
    system(c"tenant_crm_sync.limit_slots", c"16384"),
    address(c"tenant_crm_sync.redis_url"),
    system(c"tenant_crm_sync.redis_prefix", c"tenant_crm_sync"),
    system(c"tenant_crm_sync.hosts", c"0"),
    system(c"tenant_crm_sync.log_file", c""),
    system(c"tenant_crm_sync.vault_addr", c""),
    system(c"tenant_crm_sync.vault_path", c""),
    system(c"tenant_crm_sync.vault_namespace", c""),
    system(c"tenant_crm_sync.vault_token_file", c""),
    system(c"tenant_crm_sync.vault_role_id", c""),
    system(c"tenant_crm_sync.vault_secret_id_file", c""),
    system(c"tenant_crm_sync.vault_ca_file", c""),
    system(c"tenant_crm_sync.aws_region", c""),
    system(c"tenant_crm_sync.aws_sm_path", c""),
    system(c"tenant_crm_sync.aws_endpoint", c""),
    system(c"tenant_crm_sync.aws_credentials_file", c""),
    system(c"tenant_crm_sync.aws_profile", c"default"),
    system(c"tenant_crm_sync.aws_metadata_endpoint", c"http://169.254.169.254"),
    system(c"tenant_crm_sync.secret_seconds", c"300"),
    IniEntryDef::end(),
]);

/// Bound on what a secrets manager answers.
const MAX_SECRET: usize = 1 << 20;
/// Seconds that a secret of a secrets manager is kept at most.
const MAX_KEEP: u64 = 3600;

/// Names the key file where INI does not.
const KEY_FILE_VARIABLE: &str = "TENANT_CRM_SYNC_KEY_FILE";

/// Whether the class is offered to this request.
pub fn register_class() -> bool {
    ini_number(c"tenant_crm_sync.register_class") != 0
}

/// Pages side by side at most.
pub fn max_parallel() -> usize {
    usize::try_from(ini_number(c"tenant_crm_sync.max_parallel"))
        .unwrap_or(1)
        .clamp(1, 128)
}

/// The file of host keys; empty if none is named.
pub fn key_file() -> PathBuf {
    let file = ini_text(c"tenant_crm_sync.key_file");
    if file.is_empty() {
        std::env::var_os(KEY_FILE_VARIABLE).map_or_else(PathBuf::new, PathBuf::from)
    } else {
        PathBuf::from(file)
    }
}

/// The folder of the tenants' data keys; by default beside the key file.
pub fn key_dir() -> PathBuf {
    let folder = ini_text(c"tenant_crm_sync.key_dir");
    if !folder.is_empty() {
        return PathBuf::from(folder);
    }
    let mut beside = key_file().into_os_string();
    if !beside.is_empty() {
        beside.push(".d");
    }
    PathBuf::from(beside)
}

/// The file that every attempt is appended to as a line of JSON; empty: none.
pub fn log_file() -> PathBuf {
    PathBuf::from(ini_text(c"tenant_crm_sync.log_file"))
}

/// Where the site's own connectors are, and who may own them.
pub fn connector_folder() -> Result<Folder> {
    let owner = ini_text(c"tenant_crm_sync.connector_owner");
    let owner = match owner.parse::<u32>() {
        _ if owner.is_empty() => None,
        Ok(id) => Some(id),
        Err(_) => match nix::unistd::User::from_name(&owner) {
            Ok(Some(user)) => Some(user.uid.as_raw()),
            _ => {
                return Err(Error::new(
                    Kind::Config,
                    "tenant_crm_sync.connector_owner names no user of this host",
                ));
            }
        },
    };
    Ok(Folder {
        path: PathBuf::from(ini_text(c"tenant_crm_sync.connector_dir")),
        owner,
    })
}

/// Where limits are counted.
pub fn limits() -> Place {
    let file = ini_text(c"tenant_crm_sync.limit_file");
    let count = |name, default| usize::try_from(ini_number(name)).unwrap_or(default);
    Place {
        file: if file.is_empty() {
            PathBuf::from(format!("/dev/shm/tenant_crm_sync.{}.limits", nix::unistd::geteuid()))
        } else {
            PathBuf::from(file)
        },
        slots: count(c"tenant_crm_sync.limit_slots", 0).clamp(64, 1 << 20),
        redis_url: ini_text(c"tenant_crm_sync.redis_url"),
        redis_prefix: ini_text(c"tenant_crm_sync.redis_prefix"),
        ca_file: PathBuf::from(ini_text(c"tenant_crm_sync.ca_file")),
        hosts: u64::try_from(ini_number(c"tenant_crm_sync.hosts")).unwrap_or(0),
    }
}

/// The secrets managers, which the host's configuration alone names. WordPress's proxy and blocks are a site's, and not theirs.
pub fn managers(manager: Manager) -> Managers {
    let vault = vault::Place {
        address: ini_text(c"tenant_crm_sync.vault_addr"),
        path: ini_text(c"tenant_crm_sync.vault_path"),
        namespace: ini_text(c"tenant_crm_sync.vault_namespace"),
        token_file: PathBuf::from(ini_text(c"tenant_crm_sync.vault_token_file")),
        role_id: ini_text(c"tenant_crm_sync.vault_role_id"),
        secret_id_file: PathBuf::from(ini_text(c"tenant_crm_sync.vault_secret_id_file")),
    };
    let aws = aws::Place {
        region: ini_text(c"tenant_crm_sync.aws_region"),
        path: ini_text(c"tenant_crm_sync.aws_sm_path"),
        endpoint: ini_text(c"tenant_crm_sync.aws_endpoint"),
        credentials_file: PathBuf::from(ini_text(c"tenant_crm_sync.aws_credentials_file")),
        profile: ini_text(c"tenant_crm_sync.aws_profile"),
        metadata: ini_text(c"tenant_crm_sync.aws_metadata_endpoint"),
    };
    let own_ca = ini_text(c"tenant_crm_sync.vault_ca_file");
    let ca_file = match manager {
        Manager::Vault if !own_ca.is_empty() => own_ca,
        _ => ini_text(c"tenant_crm_sync.ca_file"),
    };
    Managers {
        vault,
        aws,
        config: Config {
            transport: Transport {
                ca_file: PathBuf::from(ca_file),
                allow_private_networks: true,
                connect_timeout: milliseconds(c"tenant_crm_sync.connect_timeout_ms"),
                proxy: None,
            },
            allow_http: ini_number(c"tenant_crm_sync.allow_http") != 0,
            timeout: milliseconds(c"tenant_crm_sync.timeout_ms"),
            max_response_bytes: MAX_SECRET,
            accessible_hosts: None,
        },
        keep: Duration::from_secs(
            u64::try_from(ini_number(c"tenant_crm_sync.secret_seconds"))
                .unwrap_or(0)
                .min(MAX_KEEP),
        ),
    }
}

/// The rules for calls.
pub fn config(host: Option<&str>) -> Config {
    Config {
        transport: Transport {
            ca_file: PathBuf::from(ini_text(c"tenant_crm_sync.ca_file")),
            allow_private_networks: ini_number(c"tenant_crm_sync.allow_private_networks") != 0,
            connect_timeout: milliseconds(c"tenant_crm_sync.connect_timeout_ms"),
            proxy: proxy(host.unwrap_or_default()),
        },
        allow_http: ini_number(c"tenant_crm_sync.allow_http") != 0,
        timeout: milliseconds(c"tenant_crm_sync.timeout_ms"),
        max_response_bytes: quantity(&ini_text(c"tenant_crm_sync.max_response_bytes")).max(1),
        accessible_hosts: accessible_hosts(),
    }
}

fn milliseconds(name: &std::ffi::CStr) -> Duration {
    Duration::from_millis(u64::try_from(ini_number(name)).unwrap_or(1).max(1))
}

/// A number of bytes as PHP's administrators write it: `64M`.
fn quantity(text: &str) -> usize {
    let text = text.trim();
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (text.get(..text.len() - 1), 1 << 10),
        Some(b'm' | b'M') => (text.get(..text.len() - 1), 1 << 20),
        Some(b'g' | b'G') => (text.get(..text.len() - 1), 1 << 30),
        _ => (Some(text), 1_usize),
    };
    let number: usize = digits.and_then(|digits| digits.trim().parse().ok()).unwrap_or(0);
    number.saturating_mul(factor)
}

fn text(name: &str) -> Option<String> {
    let value = constant(name)?;
    to_text(&value).ok().filter(|text| !text.is_empty())
}

/// `WP_HTTP_BLOCK_EXTERNAL` and `WP_ACCESSIBLE_HOSTS`.
fn accessible_hosts() -> Option<Vec<String>> {
    if !constant("WP_HTTP_BLOCK_EXTERNAL").as_ref().is_some_and(is_true) {
        return None;
    }
    let listed = text("WP_ACCESSIBLE_HOSTS").unwrap_or_default();
    Some(listed.split(',').map(|host| host.trim().to_owned()).collect())
}

/// `WP_PROXY_HOST`, `_PORT`, `_USERNAME`, `_PASSWORD` and `_BYPASS_HOSTS`.
fn proxy(host: &str) -> Option<Proxy> {
    let (address, port) = (text("WP_PROXY_HOST")?, text("WP_PROXY_PORT")?);
    let bypass = text("WP_PROXY_BYPASS_HOSTS").unwrap_or_default();
    let direct = bypass.split(',').map(str::trim).any(|pattern| {
        pattern
            .strip_prefix('*')
            .map_or(pattern == host, |suffix| host.ends_with(suffix))
    });
    if direct || host == "localhost" {
        return None;
    }
    Some(Proxy {
        url: format!("http://{address}:{port}"),
        login: text("WP_PROXY_USERNAME").map(|user| (user, text("WP_PROXY_PASSWORD").unwrap_or_default())),
    })
}

/// The setting of this name as text, if there is one.
pub fn setting_text(settings: &ext_php_rs::types::ZendHashTable, name: &str) -> Option<String> {
    settings
        .get(name)
        .filter(|value: &&Zval| value.is_string() || value.is_long() || value.is_double() || value.is_object())
        .and_then(|value| to_text(value).ok())
}

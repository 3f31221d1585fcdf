//! Where connectors come from: compiled in, or files in a folder that the host trusts. A site's file cannot take the name
//! of a built-in one.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use parking_lot::Mutex;

use crate::crm::connector::Connector;
use crate::error::{Error, Kind, Result};

/// A connector that is compiled in; parsed when it is first asked for, because most processes want one of them.
struct BuiltIn {
    name: &'static str,
    text: &'static str,
    parsed: OnceLock<Result<Connector>>,
}

const fn built_in(name: &'static str, text: &'static str) -> BuiltIn {
    BuiltIn {
        name,
        text,
        parsed: OnceLock::new(),
    }
}

static BUILT_IN: [BuiltIn; 10] = [
    built_in("dolibarr", include_str!("catalog/dolibarr.json")),
    built_in("dynamics", include_str!("catalog/dynamics.json")),
    built_in("espocrm", include_str!("catalog/espocrm.json")),
    built_in("hubspot", include_str!("catalog/hubspot.json")),
    built_in("odoo", include_str!("catalog/odoo.json")),
    built_in("pipedrive", include_str!("catalog/pipedrive.json")),
    built_in("rest", include_str!("catalog/rest.json")),
    built_in("salesforce", include_str!("catalog/salesforce.json")),
    built_in("suitecrm", include_str!("catalog/suitecrm.json")),
    built_in("zoho", include_str!("catalog/zoho.json")),
];

/// Larger files are no connectors.
const MAX_FILE: u64 = 1 << 20;

/// Where a site's own connectors are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// The folder; empty: none.
    pub path: PathBuf,
    /// The user who may own files and folders, besides root.
    pub owner: Option<u32>,
}

/// The connector of this name.
pub fn find(name: &str, folder: &Folder) -> Result<&'static Connector> {
    match BUILT_IN.iter().find(|built_in| built_in.name == name) {
        Some(BuiltIn { name, text, parsed }) => {
            let parsed = parsed.get_or_init(|| Connector::parse(name, text));
            parsed.as_ref().map_err(Clone::clone)
        }
        None if is_name(name) && !folder.path.as_os_str().is_empty() => own(name, folder),
        None => Err(unknown(name)),
    }
}

/// Names of all connectors, the site's own included.
pub fn names(folder: &Folder) -> Result<Vec<String>> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|built_in| built_in.name.to_owned()).collect();
    if !folder.path.as_os_str().is_empty() {
        let unreadable = |error: std::io::Error| unusable(&folder.path, &format!("it cannot be read ({error})"));
        for entry in fs::read_dir(&folder.path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".json"));
            names.extend(
                name.filter(|name| is_name(name) && !is_built_in(name))
                    .map(str::to_owned),
            );
        }
    }
    names.sort();
    Ok(names)
}

fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|built_in| built_in.name == name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
}

fn unknown(name: &str) -> Error {
    let known: Vec<_> = BUILT_IN.iter().map(|built_in| built_in.name).collect();
    Error::new(
        Kind::Config,
        format!(
            "there is no connector '{}'; known: {}; one of your own is a file in tenant_crm_sync.connector_dir",
            name.escape_default(),
            known.join(", ")
        ),
    )
}

/// What tells versions of a file apart.
type Stamp = (u64, u64, i64, i64);

/// A site's own connector. One that was read stays as long as the process does: requests may still use it.
fn own(name: &str, folder: &Folder) -> Result<&'static Connector> {
    static OWN: LazyLock<Mutex<HashMap<PathBuf, (Stamp, &'static Connector)>>> = LazyLock::new(Mutex::default);
    let file = folder.path.join(format!("{name}.json"));
    let Ok(metadata) = fs::symlink_metadata(&file) else {
        return Err(unknown(name));
    };
    trusted(&file, folder.owner)?;
    if !metadata.is_file() || metadata.len() > MAX_FILE {
        return Err(unusable(&file, "it is no file of at most 1 MiB"));
    }
    let stamp = (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    if let Some((known, connector)) = OWN.lock().get(&file)
        && *known == stamp
    {
        return Ok(connector);
    }
    let text = fs::read_to_string(&file).map_err(|error| unusable(&file, &format!("it cannot be read ({error})")))?;
    let connector = Connector::parse(&file.display().to_string(), &text)?;
    if connector.name != name {
        return Err(unusable(
            &file,
            &format!("its name is \"{}\": call the file so", connector.name),
        ));
    }
    let connector: &'static Connector = Box::leak(Box::new(connector));
    OWN.lock().insert(file, (stamp, connector));
    Ok(connector)
}

/// Whoever could change the file could read every credential that goes through it.
fn trusted(file: &Path, owner: Option<u32>) -> Result<()> {
    if !file.is_absolute() {
        return Err(unusable(file, "name an absolute path"));
    }
    for part in file.ancestors() {
        let metadata = fs::symlink_metadata(part).map_err(|error| unusable(part, &error.to_string()))?;
        if metadata.is_symlink() {
            return Err(unusable(part, "it is a symbolic link; name the real path"));
        }
        if metadata.uid() != 0 && Some(metadata.uid()) != owner {
            return Err(unusable(
                part,
                "it belongs neither to root nor to the user in tenant_crm_sync.connector_owner",
            ));
        }
        // In a sticky folder nobody can replace what is root's.
        let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if metadata.mode() & 0o022 != 0 && !sticky {
            return Err(unusable(part, "others may write to it; chmod go-w"));
        }
    }
    Ok(())
}

fn unusable(path: &Path, reason: &str) -> Error {
    Error::new(
        Kind::Config,
        format!("tenant_crm_sync.connector_dir: {}: {reason}", path.display()),
    )
}

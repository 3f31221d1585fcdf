//! A site's own connectors: which files are trusted, and that none takes a built-in one's place.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tenant_crm_sync::crm::catalog::{Folder, find, names};
use tenant_crm_sync::error::Kind;

/// A folder for connectors, removed at the end.
struct Place {
    root: PathBuf,
    owner: u32,
}

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("tcs-catalog-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("crm")).unwrap();
        let place = Self {
            root,
            owner: nix::unistd::geteuid().as_raw(),
        };
        place.mode("", 0o755);
        place.mode("crm", 0o755);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.mode(name, 0o644);
    }

    fn folder(&self) -> Folder {
        Folder {
            path: self.path("crm"),
            owner: Some(self.owner),
        }
    }

    /// Why the connector `acme` cannot be used; the message names the setting.
    fn refused(&self) -> String {
        refusal("acme", &self.folder())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.root));
    }
}

fn refusal(name: &str, folder: &Folder) -> String {
    let error = find(name, folder).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    error.message
}

/// A connector of this name and title.
fn file(name: &str, title: &str) -> String {
    format!(
        r#"{{"schema":1,"name":"{name}","title":"{title}","base":"{{api_endpoint}}",
            "auth":[{{"name":"key","title":"Key","fields":["api_key"]}}],"objects":{{"*":{{}}}}}}"#
    )
}

fn acme() -> Place {
    let place = Place::new();
    place.write("crm/acme.json", &file("acme", "Acme"));
    place
}

#[test]
fn a_file_in_the_folder_is_a_connector() {
    let place = acme();
    let found = find("acme", &place.folder()).unwrap();
    assert_eq!(found.title, "Acme");
    assert!(
        std::ptr::eq(found, find("acme", &place.folder()).unwrap()),
        "it is read once"
    );
    assert!(
        refusal("acme", &Folder::default()).contains("no connector 'acme'"),
        "without the folder there is none"
    );
    assert!(refusal("other", &place.folder()).contains("tenant_crm_sync.connector_dir"));
}

#[test]
fn all_names_are_listed_once_and_in_order() {
    let place = acme();
    place.write("crm/rest.json", &file("rest", "Shadow"));
    for other in ["crm/notes.txt", "crm/.hidden.json", "crm/Upper.json", "crm/.json"] {
        place.write(other, "");
    }
    let listed = names(&place.folder()).unwrap();
    assert!(listed.is_sorted() && listed.contains(&"acme".to_owned()));
    assert_eq!(listed.iter().filter(|name| *name == "rest").count(), 1);
    assert_eq!(listed.len(), names(&Folder::default()).unwrap().len() + 1);
    let missing = Folder {
        path: place.path("nothing"),
        owner: None,
    };
    let message = names(&missing).unwrap_err().message;
    assert!(
        message.contains("tenant_crm_sync.connector_dir") && message.contains("nothing"),
        "{message}"
    );
}

#[test]
fn a_built_in_one_cannot_be_replaced() {
    let place = Place::new();
    for name in names(&Folder::default()).unwrap() {
        place.write(&format!("crm/{name}.json"), &file(&name, "Shadow"));
        assert_ne!(find(&name, &place.folder()).unwrap().title, "Shadow", "{name}");
    }
}

#[test]
fn names_cannot_leave_the_folder() {
    let place = Place::new();
    place.write("outside.json", &file("outside", "Outside"));
    fs::create_dir(place.path("crm/sub")).unwrap();
    place.write("crm/sub/inner.json", &file("inner", "Inner"));
    let long = "a".repeat(65);
    for name in [
        "../outside",
        "sub/inner",
        "",
        ".",
        "..",
        "Acme",
        "a.b",
        "a\0b",
        "é",
        long.as_str(),
    ] {
        let message = refusal(name, &place.folder());
        assert!(message.contains("there is no connector"), "{name}: {message}");
    }
}

#[test]
fn the_file_is_called_as_its_connector() {
    let place = Place::new();
    place.write("crm/acme.json", &file("other", "Other"));
    let message = place.refused();
    assert!(
        message.contains("\"other\"") && message.contains("acme.json"),
        "{message}"
    );
    assert!(find("other", &place.folder()).is_err());
}

#[test]
fn mistakes_in_the_file_name_it() {
    let place = Place::new();
    place.write("crm/acme.json", &file("acme", "Acme").replace("\"title\"", "\"tilte\""));
    let message = place.refused();
    assert!(
        message.contains("crm/acme.json") && message.contains("tilte"),
        "{message}"
    );
    place.write("crm/acme.json", "");
    assert!(place.refused().contains("crm/acme.json"));
    fs::write(place.path("crm/acme.json"), b"\"\xff\"").unwrap();
    assert!(place.refused().contains("crm/acme.json"));
    // What was wrong is read again once it is right.
    place.write("crm/acme.json", &file("acme", "Right"));
    assert_eq!(find("acme", &place.folder()).unwrap().title, "Right");
}

#[test]
fn a_changed_file_is_read_anew_and_the_old_one_stays_usable() {
    let place = acme();
    let before = find("acme", &place.folder()).unwrap();
    place.write("crm/acme.json", &file("acme", "Acme, changed"));
    assert_eq!(find("acme", &place.folder()).unwrap().title, "Acme, changed");
    assert_eq!(before.title, "Acme");
    // Another file of the same size in its place, as editors and deployments put it there.
    place.write("crm/new", &file("acme", "Acme, replaced"[..13].trim()));
    fs::rename(place.path("crm/new"), place.path("crm/acme.json")).unwrap();
    assert_eq!(find("acme", &place.folder()).unwrap().title, "Acme, replace");
    fs::remove_file(place.path("crm/acme.json")).unwrap();
    assert!(
        place.refused().contains("no connector 'acme'"),
        "what was removed is gone"
    );
}

#[test]
fn what_others_can_write_is_not_trusted() {
    for (name, mode) in [
        ("crm/acme.json", 0o664),
        ("crm/acme.json", 0o646),
        ("crm", 0o775),
        ("crm", 0o757),
        ("", 0o777),
    ] {
        let place = acme();
        place.mode(name, mode);
        let message = place.refused();
        assert!(message.contains("chmod go-w"), "{name}: {message}");
        let shown = place.path(name).display().to_string();
        assert!(message.contains(shown.trim_end_matches('/')), "{name}: {message}");
    }
    // In a sticky folder, as /tmp is one, nobody replaces another's files.
    let place = acme();
    place.mode("", 0o1777);
    assert_eq!(find("acme", &place.folder()).unwrap().title, "Acme");
    // A file has no such protection.
    place.mode("crm/acme.json", 0o1666);
    assert!(place.refused().contains("chmod go-w"));
}

#[test]
fn trust_is_looked_at_each_time() {
    let place = acme();
    find("acme", &place.folder()).unwrap();
    place.mode("crm/acme.json", 0o666);
    assert!(
        place.refused().contains("chmod go-w"),
        "one that was read before is no exception"
    );
    place.mode("crm/acme.json", 0o644);
    assert!(find("acme", &place.folder()).is_ok());
}

#[test]
fn only_roots_and_the_named_users_files_are_trusted() {
    let mut place = acme();
    if place.owner == 0 {
        for name in ["crm/acme.json", "crm"] {
            chown(place.path(name), Some(4321), None).unwrap();
        }
        place.owner = 4321;
    }
    assert!(find("acme", &place.folder()).is_ok());
    for owner in [None, Some(0), Some(4322)] {
        let folder = Folder {
            owner,
            ..place.folder()
        };
        let message = refusal("acme", &folder);
        assert!(
            message.contains("tenant_crm_sync.connector_owner"),
            "{owner:?}: {message}"
        );
    }
}

#[test]
fn links_are_not_followed() {
    let place = acme();
    fs::rename(place.path("crm/acme.json"), place.path("real.json")).unwrap();
    symlink(place.path("real.json"), place.path("crm/acme.json")).unwrap();
    assert!(place.refused().contains("symbolic link"));
    fs::remove_file(place.path("crm/acme.json")).unwrap();
    symlink(place.path("nothing"), place.path("crm/acme.json")).unwrap();
    assert!(
        place.refused().contains("symbolic link"),
        "nor where they lead to nothing"
    );
    // A folder that is a link can be turned to another one.
    let place = acme();
    symlink(place.path("crm"), place.path("link")).unwrap();
    let folder = Folder {
        path: place.path("link"),
        ..place.folder()
    };
    assert!(refusal("acme", &folder).contains("symbolic link"));
}

#[test]
fn a_relative_path_is_refused() {
    let place = acme();
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(place.path("crm").strip_prefix("/").unwrap());
    assert!(relative.join("acme.json").exists(), "{}", relative.display());
    let folder = Folder {
        path: relative,
        ..place.folder()
    };
    assert!(refusal("acme", &folder).contains("absolute path"));
}

#[test]
fn what_is_no_file_or_too_large_is_refused() {
    let place = Place::new();
    let at_most = 1 << 20;
    let padded = |size: usize| {
        let text = file("acme", "Large");
        format!("{text}{}", " ".repeat(size - text.len()))
    };
    place.write("crm/acme.json", &padded(at_most + 1));
    assert!(place.refused().contains("1 MiB"));
    place.write("crm/acme.json", &padded(at_most));
    assert_eq!(find("acme", &place.folder()).unwrap().title, "Large");
    fs::remove_file(place.path("crm/acme.json")).unwrap();
    fs::create_dir(place.path("crm/acme.json")).unwrap();
    assert!(place.refused().contains("no file"));
}

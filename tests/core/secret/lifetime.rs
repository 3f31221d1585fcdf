//! Data keys over time: rotation of the host key, deletion of a tenant, many workers at once.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tenant_crm_sync::secret::SecretError;

use super::{ACME, EVIL, ORIGIN, Place, SECRET, child, parents_place};

#[test]
fn host_keys_rotate() {
    let place = Place::new();
    let old = place.ring().seal(&ACME, Some(ORIGIN), SECRET).unwrap();
    place.keys(&[2, 1]);
    let ring = place.ring();
    assert_eq!(ring.key_count(), 2);
    assert_eq!(*ring.open(&ACME, ORIGIN, &old).unwrap(), SECRET);
    let new = ring.rotate(&ACME, &old).unwrap();
    assert_ne!(old.split('.').nth(1), new.split('.').nth(1), "a fresh data key");
    let again = ring.rotate(&ACME, &new).unwrap();
    assert_eq!(
        new.split('.').nth(1),
        again.split('.').nth(1),
        "the data key is new already"
    );
    assert!(ring.is_current());
    place.keys(&[2]);
    assert!(!ring.is_current());
    let ring = place.ring();
    assert_eq!(*ring.open(&ACME, ORIGIN, &new).unwrap(), SECRET);
    refused!(ring.open(&ACME, EVIL, &again), SecretError::OtherOrigin { .. });
    refused!(
        ring.open(&ACME, ORIGIN, &old),
        SecretError::WrongHostKey { .. },
        "Wrong host key",
        "\"Acme\"",
        "host.key"
    );
    place.keys(&[3]);
    refused!(place.ring().rotate(&ACME, &new), SecretError::WrongHostKey { .. });
    // Sealing goes on, and the old keys are still there for when the host key is put back.
    let newest = place.ring().seal(&ACME, Some(ORIGIN), SECRET).unwrap();
    place.keys(&[3, 2, 1, 1]);
    assert_eq!(place.ring().key_count(), 3, "a key that is given twice counts once");
    for text in [&old, &new, &newest] {
        assert_eq!(*place.ring().open(&ACME, ORIGIN, text).unwrap(), SECRET);
    }
}

#[test]
fn a_forgotten_tenant_stays_forgotten() {
    let place = Place::new();
    let (one, two) = (place.ring(), place.ring());
    for _ in 0..50 {
        let bound = one.seal(&ACME, Some(ORIGIN), SECRET).unwrap();
        let free = one.seal(&ACME, None, SECRET).unwrap();
        two.open(&ACME, ORIGIN, &bound).unwrap();
        assert!(one.forget("1", "Acme").unwrap());
        assert!(!two.forget("1", "Acme").unwrap());
        refused!(
            two.open(&ACME, ORIGIN, &bound),
            SecretError::TenantKeyMissing { .. },
            "was deleted",
            "key_dir is not the one"
        );
        refused!(two.open(&ACME, ORIGIN, &free), SecretError::TenantKeyMissing { .. });
        assert!(
            place.tenant_files().is_empty(),
            "using a credential does not bring the tenant back"
        );
        // Same size, often the same inode and clock tick: another worker must still see that it is another file.
        one.seal(&ACME, None, SECRET).unwrap();
        refused!(
            two.open(&ACME, ORIGIN, &bound),
            SecretError::OtherTenant { .. },
            "deletion"
        );
        assert!(one.forget("1", "Acme").unwrap());
    }
    let left: Vec<_> = fs::read_dir(place.at("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "installation.id and the lock: {left:?}");
}

#[test]
fn workers_share_one_data_key() {
    let work = |place: &Place| {
        let texts = std::thread::scope(|scope| {
            let seal = |_| {
                scope.spawn(|| {
                    (0..5)
                        .map(|_| place.ring().seal(&ACME, None, SECRET).unwrap())
                        .collect::<Vec<_>>()
                })
            };
            let threads: Vec<_> = (0..8).map(seal).collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        fs::write(place.at(&format!("texts-{}", std::process::id())), texts.join("\n")).unwrap();
    };
    if let Some(place) = parents_place() {
        return work(&place);
    }
    let place = Place::new();
    let children = [(); 2].map(|()| child(concat!(module_path!(), "::workers_share_one_data_key"), &place, None));
    let files: Vec<_> = children.map(|mut child| (child.wait().unwrap(), child.id())).into();
    let mut texts = Vec::new();
    for (status, id) in files {
        assert!(status.success());
        texts.extend(
            fs::read_to_string(place.at(&format!("texts-{id}")))
                .unwrap()
                .lines()
                .map(str::to_owned),
        );
    }
    assert_eq!(texts.len(), 80);
    let part = |number: usize| {
        texts
            .iter()
            .map(|text| text.split('.').nth(number).unwrap())
            .collect::<HashSet<_>>()
            .len()
    };
    assert_eq!((part(1), part(2)), (1, 80), "one data key, and each has its own number");
    assert_eq!(place.tenant_files().len(), 1);
    // Of many first uses at once, at different origins, one wins.
    let won = std::thread::scope(|scope| {
        let (place, text) = (&place, &texts[0]);
        let open = |number| {
            scope.spawn(move || {
                place
                    .ring()
                    .open(&ACME, &format!("https://{number}.example"), text)
                    .is_ok()
            })
        };
        let threads: Vec<_> = (0..8).map(open).collect();
        threads
            .into_iter()
            .map(|thread| usize::from(thread.join().unwrap()))
            .sum::<usize>()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_first_use_does_not_bring_a_tenant_back() {
    let place = Place::new();
    let ring = place.ring();
    let text = ring.seal(&ACME, None, SECRET).unwrap();
    let file = place.tenant_files().remove(0);
    let lock = fs::File::open(place.at("keys/lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let open = scope.spawn(|| ring.open(&ACME, ORIGIN, &text));
        // It has the data key by now and waits to record its origin. If not, it must fail all the same.
        std::thread::sleep(Duration::from_millis(300));
        fs::remove_file(&file).unwrap();
        lock.unlock().unwrap();
        refused!(open.join().unwrap(), SecretError::TenantKeyMissing { .. });
    });
    assert!(place.tenant_files().is_empty());
}

/// Inodes are used again at once and clocks tick slowly: a version of a file must differ in its time all the same.
#[test]
fn each_version_of_a_file_has_its_own_time() {
    let place = Place::new();
    let ring = place.ring();
    let times = (0..20).map(|_| {
        ring.seal(&ACME, None, SECRET).unwrap();
        let meta = place.tenant_files().remove(0).metadata().unwrap();
        assert_ne!(meta.mtime_nsec(), meta.ctime_nsec());
        meta.mtime_nsec()
    });
    assert_eq!(times.collect::<HashSet<_>>().len(), 20);
}

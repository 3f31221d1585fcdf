//! The file that a host's processes share: what is refused and in which words, and what is made anew.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Barrier;

use tenant_crm_sync::error::Kind;
use tenant_crm_sync::limit::Now;
use tenant_crm_sync::limit::local::Local;

use super::crowd::Child;
use super::{Folder, HOUR, SECOND, burst_at, daily, paced, rolling, take};

const UNIT: u64 = 256;

/// What is said of a file that cannot be used.
fn refusal(path: &Path) -> String {
    let error = Local::shared(path, 64).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    assert!(error.message.contains(path.to_str().unwrap()), "{}", error.message);
    error.message
}

fn later(now: Now, seconds: u64) -> Now {
    Now {
        mono: now.mono + seconds * SECOND,
        unix: now.unix + seconds * 1000,
    }
}

#[test]
fn it_is_this_users_alone_and_has_its_room() {
    let folder = Folder::new();
    let local = Local::shared(&folder.file(), 64).unwrap();
    let meta = fs::metadata(folder.file()).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o600);
    assert_eq!(meta.size(), 65 * UNIT);
    assert!(meta.blocks() * 512 >= 65 * UNIT, "reserved");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left over");
    assert!(local.is_shared());
    // Whoever comes later counts in the same file, and with its slots.
    let rule = paced(1, 100, 3600, 10);
    let other = Local::shared(&folder.file(), 999).unwrap();
    let now = Now::read();
    assert_eq!(burst_at(&local, rule, now), 10);
    assert_eq!(burst_at(&other, rule, now), 0);
    assert_eq!(other.used(), (1, 64));
    local.set_hosts(7);
    assert_eq!(other.hosts(), 7);
}

#[test]
fn what_is_not_a_file_of_ours_is_refused_in_plain_words() {
    let folder = Folder::new();
    let path = folder.file();
    fs::create_dir(&path).unwrap();
    assert!(refusal(&path).contains("is a directory"));
    fs::remove_dir(&path).unwrap();

    Local::shared(&folder.0.join("good"), 64).unwrap();
    symlink(folder.0.join("good"), &path).unwrap();
    assert!(refusal(&path).contains("is a symbolic link"));
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    assert!(refusal(&path).contains("is not a regular file"));
    fs::remove_file(&path).unwrap();

    Local::shared(&path, 64).unwrap();
    for mode in [0o640, 0o606, 0o4600, 0o700] {
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let message = refusal(&path);
        assert!(
            message.contains(&format!("{mode:04o}")) && message.contains("chmod 0600"),
            "{message}"
        );
    }
    assert!(refusal(&folder.0.join("none/limits")).contains("does not exist"));
    assert!(refusal(Path::new("limits")).contains("absolute"));
}

#[test]
fn another_users_file_is_refused() {
    let folder = Folder::new();
    let path = folder.file();
    if nix::unistd::geteuid().is_root() {
        Local::shared(&path, 64).unwrap();
        std::os::unix::fs::chown(&path, Some(54321), None).unwrap();
        let message = refusal(&path);
        assert!(message.contains("belongs to user 54321"), "{message}");
        assert_eq!(fs::metadata(&path).unwrap().uid(), 54321, "it is left alone");
        // The name under which it would be made is as dangerous.
        fs::rename(&path, folder.0.join("limits.new")).unwrap();
        let error = Local::shared(&path, 64).unwrap_err();
        assert!(error.message.contains("belongs to user 54321"), "{}", error.message);
    } else {
        assert!(refusal(Path::new("/etc/passwd")).contains("cannot be opened by user"));
    }
}

#[test]
fn a_link_in_the_place_of_the_new_file_is_not_followed() {
    let folder = Folder::new();
    let victim = folder.0.join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, folder.0.join("limits.new")).unwrap();
    assert!(
        Local::shared(&folder.file(), 64)
            .unwrap_err()
            .message
            .contains("is a symbolic link")
    );
    fs::remove_file(folder.0.join("limits.new")).unwrap();
    fs::hard_link(&victim, folder.0.join("limits.new")).unwrap();
    fs::set_permissions(&victim, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(
        Local::shared(&folder.file(), 64)
            .unwrap_err()
            .message
            .contains("more than one name")
    );
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

/// A change of the file that opening it finds.
type Damage = fn(&File);

/// Broken, it is made anew, and knows that something was lost: no burst. Of another boot, it is simply new.
#[test]
fn a_broken_file_is_made_anew_and_begins_empty() {
    let rule = paced(1, 100, 10, 10);
    let damages: [(&str, Damage, u64); 10] = [
        ("empty", |file| file.set_len(0).unwrap(), 0),
        ("cut short", |file| file.set_len(100).unwrap(), 0),
        ("without its end", |file| file.set_len(64 * UNIT).unwrap(), 0),
        ("too long", |file| file.set_len(66 * UNIT).unwrap(), 0),
        ("no magic", |file| file.write_all_at(b"nonsense", 0).unwrap(), 0),
        (
            "an earlier version",
            |file| file.write_all_at(&0_u64.to_ne_bytes(), 8).unwrap(),
            0,
        ),
        (
            "no version at all",
            |file| file.write_all_at(&u64::MAX.to_ne_bytes(), 8).unwrap(),
            0,
        ),
        (
            "wrong count",
            |file| file.write_all_at(&u64::MAX.to_ne_bytes(), 24).unwrap(),
            0,
        ),
        (
            "another boot",
            |file| file.write_all_at(&1_u64.to_ne_bytes(), 16).unwrap(),
            10,
        ),
        (
            "made in time to come",
            |file| file.write_all_at(&u64::MAX.to_ne_bytes(), 32).unwrap(),
            10,
        ),
    ];
    for (name, damage, burst) in damages {
        let folder = Folder::new();
        let local = Local::shared(&folder.file(), 64).unwrap();
        assert_eq!(burst_at(&local, rule, Now::read()), 10);
        drop(local);
        damage(&File::options().write(true).open(folder.file()).unwrap());
        let local = Local::shared(&folder.file(), 64).unwrap();
        let now = Now::read();
        assert_eq!(burst_at(&local, rule, now), burst, "{name}");
        assert_eq!(burst_at(&local, rule, later(now, 60)), 10, "{name}: saved up since");
        assert_eq!(fs::metadata(folder.file()).unwrap().size(), 65 * UNIT);
        assert_eq!(local.used(), (1, 64));
    }
}

/// The update of a host: processes of the version before leave the file of the new ones alone, and say what to do.
#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let folder = Folder::new();
    let rule = paced(1, 100, 10, 10);
    let before = Local::shared(&folder.file(), 64).unwrap();
    let now = Now::read();
    assert_eq!(burst_at(&before, rule, now), 10);
    // The new version makes it anew, under the same name.
    let mut later_file = fs::read(folder.file()).unwrap();
    later_file[8..16].copy_from_slice(&2_u64.to_ne_bytes());
    fs::remove_file(folder.file()).unwrap();
    fs::write(folder.file(), &later_file).unwrap();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o600)).unwrap();
    let words = refusal(&folder.file());
    assert!(
        words.contains("is of a later version of the extension (layout 2; this one knows 1)"),
        "{words}"
    );
    assert!(words.contains("Restart all of PHP"), "{words}");
    // Who counted before goes on, and gives nothing away.
    assert_eq!(burst_at(&before, rule, later(now, 2)), 10);
    assert_eq!(burst_at(&before, rule, later(now, 2)), 0);
    assert!(before.is_shared());
    assert_eq!(fs::read(folder.file()).unwrap(), later_file);
}

/// Of hours and days nobody knows what had been used: they count as used evenly until then, or as a checkpoint says.
#[test]
fn after_damage_hours_and_days_are_no_gift() {
    let (hours, days) = (rolling(1, 100, 36_000), daily(2, 2400, 0));
    let folder = Folder::new();
    let local = Local::shared(&folder.file(), 64).unwrap();
    for _ in 0..30 {
        take(&local, &[hours, days], Now::read()).unwrap();
    }
    let checkpoint = local.checkpoint(Now::read());
    drop(local);
    fs::write(folder.file(), "nonsense").unwrap();
    let local = Local::shared(&folder.file(), 64).unwrap();
    let now = Now::read();
    assert!(local.damage(now).unwrap().as_secs() < 60);
    assert_eq!(
        local.usage(&hours, now).left,
        0,
        "ten hours, all of them before the damage"
    );
    assert!(take(&local, &[hours], now).is_err());
    let hour = now.unix % 86_400_000 / 3_600_000;
    let left = local.usage(&days, now).left;
    assert!(
        (2300 - 100 * hour..=2400 - 100 * hour).contains(&left),
        "{left} in hour {hour}"
    );
    // Five hours later half of the window is known, and of the day what has passed since.
    let then = later(now, 18_000);
    assert_eq!(local.usage(&hours, then).left, 50);
    assert!(local.usage(&days, then).left >= left, "nothing was used since");

    assert_eq!(local.restore(&checkpoint, now), 2);
    assert_eq!(local.damage(now), None);
    assert_eq!(local.usage(&hours, now).left, 70);
    assert_eq!(local.usage(&days, now).left, 2370);
}

/// Somebody removes it: whoever goes on and whoever comes meet in one file again, which begins empty.
#[test]
fn a_file_that_is_removed_is_followed() {
    let folder = Folder::new();
    let rule = paced(1, 46, 3600, 10);
    let old = Local::shared(&folder.file(), 64).unwrap();
    let now = Now::read();
    assert_eq!(burst_at(&old, rule, now), 10);
    fs::remove_file(folder.file()).unwrap();
    assert_eq!(burst_at(&old, rule, later(now, 2)), 0, "no second burst");
    let new = Local::shared(&folder.file(), 64).unwrap();
    let after = later(Now::read(), 5000);
    assert_eq!(burst_at(&new, rule, after) + burst_at(&old, rule, after), 10);
}

/// Cut short while it is mapped, nobody touches what is gone.
#[test]
fn a_file_that_is_cut_short_kills_nobody() {
    let folder = Folder::new();
    let rule = paced(1, 46, 3600, 10);
    let local = Local::shared(&folder.file(), 4096).unwrap();
    let now = Now::read();
    assert_eq!(burst_at(&local, rule, now), 10);
    File::options()
        .write(true)
        .open(folder.file())
        .unwrap()
        .set_len(0)
        .unwrap();
    assert_eq!(burst_at(&local, rule, later(now, 2)), 0);
    assert!(local.is_shared());
    // And where no other can be made: alone, and as after a loss.
    File::options()
        .write(true)
        .open(folder.file())
        .unwrap()
        .set_len(0)
        .unwrap();
    fs::create_dir(folder.0.join("limits.new")).unwrap();
    assert_eq!(burst_at(&local, rule, later(now, 4)), 0);
    assert!(!local.is_shared());
    assert_eq!(burst_at(&local, rule, later(now, 5000)), 10);
    fs::remove_dir(folder.0.join("limits.new")).unwrap();
    let _ = take(&local, &[rule], later(now, 5002));
    assert!(local.is_shared(), "as soon as it can be made again");
}

/// Two dozen make it at once, of nothing or of a broken one: one file, one budget.
#[test]
fn racing_makers_end_with_one_file() {
    let rule = paced(1, 1_000_000, 3600, 100);
    for round in 0..20 {
        let folder = Folder::new();
        if round % 2 == 0 {
            fs::write(folder.file(), "broken").unwrap();
            fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o600)).unwrap();
        }
        let barrier = Barrier::new(24);
        let inodes: Vec<(u64, u64)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..24)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let local = Local::shared(&folder.file(), 64).unwrap();
                        let inode = fs::metadata(folder.file()).unwrap().ino();
                        (inode, burst_at(&local, rule, Now { mono: HOUR, unix: 1 }))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(inodes.iter().all(|(inode, _)| *inode == inodes[0].0));
        if round % 2 == 1 {
            assert_eq!(inodes.iter().map(|(_, burst)| burst).sum::<u64>(), 100);
        }
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }
}

/// A process killed while it made the file leaves a name that the next one uses.
#[test]
fn what_a_killed_maker_leaves_is_used_again() {
    let folder = Folder::new();
    fs::write(folder.0.join("limits.new"), vec![0; 5000]).unwrap();
    fs::set_permissions(folder.0.join("limits.new"), PermissionsExt::from_mode(0o600)).unwrap();
    Local::shared(&folder.file(), 64).unwrap();
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

/// No room: an error with its remedy at once, never a file whose pages are missing.
#[test]
fn a_full_disk_is_an_error_at_once() {
    let folder = Folder::new();
    let out = Child::new(&folder, "open").under("trap '' XFSZ; ulimit -f 16").run();
    let said = out.join(" ");
    assert!(said.contains("there is no room for its 1048832 bytes"), "{said}");
    assert!(said.contains("Make room"), "{said}");
    assert_eq!(
        fs::read_dir(&folder.0).unwrap().count(),
        0,
        "what it took is given back"
    );
    // The same call with room.
    assert_eq!(Child::new(&folder, "open").run(), ["opened"]);
}

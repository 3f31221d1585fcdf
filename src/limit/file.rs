//! The file that a host's processes share: who may own it, when it is made anew, and plain words where it cannot be used.
//!
//! Whoever makes it does so under a second name, locked, and renames it whole: two that race end with one file, and a killed one
//! leaves a name that the next uses again. What is in it is the business of `table`.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::shared::{Memory, UNIT};
use super::table::Header;
use crate::clock;
use crate::error::{Error, Kind, Result};

/// The layout of the file. While a host is updated processes of two versions run: the later one makes an older file anew, the earlier
/// one leaves a newer file alone, so that they do not replace each other's for ever.
pub const VERSION: u64 = 1;
/// Layouts to come. What is far above is damage.
const LATER: std::ops::RangeInclusive<u64> = VERSION + 1..=VERSION + 99;
/// "tcslimit".
const MAGIC: u64 = u64::from_be_bytes(*b"tcslimit");
/// The words of the header that are read before it is mapped: magic, version, boot, slots, made.
const WORDS: usize = 5;
/// How many slots there may be.
const SLOTS: std::ops::RangeInclusive<usize> = 16..=1 << 20;
/// How often and how long somebody waits for another who is making it: a second in all.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// Tells one file from another of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
        }
    }
}

/// A file that is mapped.
#[derive(Debug)]
pub(super) struct Mapped {
    file: File,
    stamp: Stamp,
}

impl Mapped {
    /// Whether it is still what has this name.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|meta| Stamp::of(&meta) == self.stamp)
    }

    /// Whether pages of it are gone: whoever touched one would be killed.
    pub(super) fn is_cut_short(&self) -> bool {
        self.file.metadata().map_or(true, |meta| meta.size() < self.stamp.size)
    }
}

/// What was found.
enum State {
    /// A file of ours, with so many slots.
    Good(Mapped, usize),
    /// None, or one of another boot: whatever it said has passed.
    Fresh,
    /// One of ours that is broken: nobody knows what has been used.
    Broken,
}

/// The file's memory, made if need be. `is_lost`: this process has seen another one there, so that a new one knows of no past.
pub(super) fn open(path: &Path, slots: usize, is_lost: bool) -> Result<(Memory, Mapped)> {
    if path.is_relative() {
        return Err(refuse(path, "is not an absolute path", "Write it from the root on."));
    }
    for _ in 0..ATTEMPTS {
        let is_made = match judge(path)? {
            State::Good(mapped, slots) => {
                let memory = Memory::of_file(&mapped.file, slots)
                    .map_err(|error| refuse(path, &format!("cannot be mapped into memory ({error})"), FEWER))?;
                return Ok((memory, mapped));
            }
            State::Fresh => make(path, slots, is_lost)?,
            State::Broken => make(path, slots, true)?,
        };
        if !is_made {
            std::thread::sleep(PAUSE);
        }
    }
    Err(refuse(
        path,
        "is being made by another process that does not come to an end",
        "See whether a process of this user is stopped.",
    ))
}

const FEWER: &str = "Set tenant_crm_sync.limit_slots lower, or give this process more memory.";

/// Looks at what has this name.
fn judge(path: &Path) -> Result<State> {
    let file = match OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Fresh),
        Err(error) => return Err(unusable(path, &error)),
    };
    let meta = file.metadata().map_err(|error| unusable(path, &error))?;
    check(path, &meta)?;
    let mut bytes = [0; WORDS * 8];
    if file.read_exact_at(&mut bytes, 0).is_err() {
        return Ok(State::Broken);
    }
    let (words, _) = bytes.as_chunks::<8>();
    let mut words = words.iter().map(|word| u64::from_ne_bytes(*word));
    let mut next = || words.next().unwrap_or(0);
    let (magic, version, boot, slots, made) = (next(), next(), next(), next(), next());
    let slots = usize::try_from(slots).unwrap_or(0);
    if magic == MAGIC && LATER.contains(&version) {
        return Err(refuse(
            path,
            &format!("is of a later version of the extension (layout {version}; this one knows {VERSION})"),
            "Restart all of PHP, so that one version runs. To stay with the earlier one, stop PHP, remove the file and start PHP again.",
        ));
    }
    if magic != MAGIC || version != VERSION || !SLOTS.contains(&slots) || meta.size() != size(slots) {
        return Ok(State::Broken);
    }
    let here = clock::boot();
    // Where the system does not tell (a chroot without /proc), a time to come tells of another boot.
    let is_other = here != 0 && boot != 0 && here != boot || made > clock::monotonic();
    if is_other {
        return Ok(State::Fresh);
    }
    let stamp = Stamp::of(&meta);
    Ok(State::Good(Mapped { file, stamp }, slots))
}

/// As many slots as there may be.
pub(super) fn clamp(slots: usize) -> usize {
    slots.clamp(*SLOTS.start(), *SLOTS.end())
}

fn size(slots: usize) -> u64 {
    (slots as u64).saturating_add(1).saturating_mul(UNIT as u64)
}

/// Nobody else may have a hand in it.
fn check(path: &Path, meta: &Metadata) -> Result<()> {
    let user = nix::unistd::geteuid().as_raw();
    if meta.is_dir() {
        return Err(refuse(path, "is a directory", "Name a file in it."));
    }
    if !meta.is_file() {
        return Err(refuse(path, "is not a regular file", "Name another one."));
    }
    if meta.uid() != user {
        let problem = format!("belongs to user {}, and this process runs as user {user}", meta.uid());
        return Err(refuse(
            path,
            &problem,
            "Each user needs a file of their own: name another one, or remove it.",
        ));
    }
    if meta.mode() & 0o7177 != 0 {
        let problem = format!("has mode {:04o}, so others could change it", meta.mode() & 0o7777);
        return Err(refuse(
            path,
            &problem,
            &format!("Run: chmod 0600 {path:?}, or remove it."),
        ));
    }
    Ok(())
}

/// Makes the file. False: somebody else is about it, or has done it.
fn make(path: &Path, slots: usize, is_lost: bool) -> Result<bool> {
    let name = second_name(path);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(&name)
        .map_err(|error| unusable(&name, &error))?;
    // Let go by the system where a process ends, however it does.
    if file.try_lock().is_err() {
        return Ok(false);
    }
    let meta = file.metadata().map_err(|error| unusable(&name, &error))?;
    let stamp = Stamp::of(&meta);
    let new = Mapped { file, stamp };
    if !new.is_at(&name) {
        // It was renamed while we waited for it.
        return Ok(false);
    }
    check(&name, &meta)?;
    if meta.nlink() != 1 {
        // It is emptied below, and may be something else of this user's.
        return Err(refuse(&name, "has more than one name", "Remove it."));
    }
    let made = match judge(path)? {
        State::Good(..) => Ok(false),
        State::Fresh | State::Broken => fill(&new.file, &name, slots, is_lost)
            .and_then(|()| std::fs::rename(&name, path).map_err(|error| unusable(path, &error)))
            .map(|()| true),
    };
    if !matches!(made, Ok(true)) {
        // Nobody needs it, and the room that it took is given back. Where it stays, the next one uses it.
        let _ = std::fs::remove_file(&name);
    }
    made
}

fn second_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn fill(file: &File, name: &Path, slots: usize, is_lost: bool) -> Result<()> {
    let slots = clamp(slots);
    let size = size(slots);
    file.set_len(0).map_err(|error| unusable(name, &error))?;
    file.set_permissions(PermissionsExt::from_mode(0o600))
        .map_err(|error| unusable(name, &error))?;
    // All of it now: a page for which there is no room later would kill the process that touches it.
    let length = libc::off_t::try_from(size).unwrap_or(libc::off_t::MAX);
    nix::fcntl::posix_fallocate(file, 0, length).map_err(|errno| {
        let problem = format!(
            "cannot be made: there is no room for its {size} bytes ({})",
            errno.desc()
        );
        refuse(
            name,
            &problem,
            "Make room, name a file elsewhere in tenant_crm_sync.limit_file, or set tenant_crm_sync.limit_slots lower.",
        )
    })?;
    let now = clock::monotonic();
    let header = Header::default();
    header.magic.store(MAGIC, Relaxed);
    header.version.store(VERSION, Relaxed);
    header.boot.store(clock::boot(), Relaxed);
    header.slots.store(slots as u64, Relaxed);
    header.made.store(now, Relaxed);
    let lost = if is_lost { now.max(1) } else { 0 };
    header.lost.store(lost, Relaxed);
    header.broken.store(lost, Relaxed);
    let bytes: Vec<u8> = header.words().into_iter().flat_map(u64::to_ne_bytes).collect();
    file.write_all_at(&bytes, 0).map_err(|error| unusable(name, &error))
}

fn refuse(path: &Path, problem: &str, remedy: &str) -> Error {
    Error::new(
        Kind::Config,
        format!("The file of limits {path:?} {problem}. {remedy} (INI tenant_crm_sync.limit_file)"),
    )
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    let user = nix::unistd::geteuid().as_raw();
    match error.raw_os_error() {
        Some(libc::ELOOP) => refuse(path, "is a symbolic link", "Name the file itself."),
        Some(libc::EISDIR) => refuse(path, "is a directory", "Name a file in it."),
        Some(libc::ENXIO) => refuse(path, "is not a regular file", "Name another one."),
        Some(libc::EACCES | libc::EPERM) => refuse(
            path,
            &format!("cannot be opened by user {user} ({error})"),
            "Each user needs a file of their own, in a directory where this user may write: name another one.",
        ),
        Some(libc::ENOENT) => refuse(
            path,
            "lies in a directory that does not exist",
            "Make it, or name another file.",
        ),
        _ => refuse(
            path,
            &format!("cannot be used ({error})"),
            "See that its directory can be written to, or name another file.",
        ),
    }
}

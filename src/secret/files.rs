//! Opening files that must be nobody else's: no symlinks, no pipes, owner and mode checked on what is really open.
//! What the files mean is the business of hostkeys.rs and store.rs.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::SecretError;

/// The user that this process acts as. /proc would not do: a chrooted FPM pool has none.
pub(super) fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Tells versions of a file apart without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub(super) fn of(meta: &Metadata) -> Stamp {
        Stamp {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        }
    }

    /// The stamp of what is at `path` now; `None` if nothing is.
    pub(super) fn at(path: &Path) -> io::Result<Option<Stamp>> {
        match path.symlink_metadata() {
            Ok(meta) => Ok(Some(Stamp::of(&meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What was in a file, in memory that is wiped, and which version it was.
pub(super) type Content = (Zeroizing<Vec<u8>>, Stamp);

/// What a private file must be like.
pub(super) struct Rules<'a> {
    /// The file's kind, for messages.
    pub(super) what: &'static str,
    /// Permission bits that it may have.
    pub(super) mode: u32,
    /// Its owner: one of these, or root.
    pub(super) owners: &'a [u32],
    /// Its size at most.
    pub(super) limit: u64,
}

impl Rules<'_> {
    /// Reads a whole private file. `None` if there is no file.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Content>, SecretError> {
        let file = match open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
                return Err(self.refuse(path, "is a symbolic link", "Name the file itself."));
            }
            Err(error) => return Err(self.unreadable(path, error)),
        };
        let meta = file.metadata().map_err(|error| self.unreadable(path, error))?;
        self.check(path, &meta)?;
        // Room for all at once: growing would leave copies behind that nobody wipes.
        let room = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(
            room.min(usize::try_from(meta.len()).unwrap_or(room).saturating_add(64)),
        ));
        let room = bytes.capacity() as u64;
        file.take(room)
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreadable(path, error))?;
        if bytes.len() as u64 != meta.len() {
            return Err(self.refuse(path, "changed while it was read", "Try again."));
        }
        Ok(Some((bytes, Stamp::of(&meta))))
    }

    fn check(&self, path: &Path, meta: &Metadata) -> Result<(), SecretError> {
        if !meta.is_file() {
            return Err(self.refuse(path, "is not a regular file", "Name a regular file."));
        }
        let mode = meta.mode() & 0o7777;
        if mode & !self.mode != 0 {
            let problem = format!("has mode {mode:04o}, so others could read or change it");
            return Err(self.refuse(
                path,
                &problem,
                &format!("Run: chmod {:04o} {path:?}", mode & self.mode | 0o400),
            ));
        }
        if meta.uid() != 0 && !self.owners.contains(&meta.uid()) {
            let problem = format!(
                "belongs to user {}, and this process runs as user {}",
                meta.uid(),
                user()
            );
            let owner = self.owners.first().copied().unwrap_or(0);
            return Err(self.refuse(
                path,
                &problem,
                &format!("Run: chown {owner} {path:?}, or run PHP as the file's owner."),
            ));
        }
        if meta.len() > self.limit {
            let problem = format!("has {} bytes, more than {}", meta.len(), self.limit);
            return Err(self.refuse(path, &problem, "Check that it is the right file."));
        }
        Ok(())
    }

    fn refuse(&self, path: &Path, problem: &str, remedy: &str) -> SecretError {
        SecretError::Unsafe {
            what: self.what,
            file: path.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn unreadable(&self, path: &Path, source: io::Error) -> SecretError {
        let user = user();
        let remedy = format!("Run: chown {user} {path:?}, and see that user {user} may enter each directory above it.");
        SecretError::Unreadable {
            what: self.what,
            file: path.into(),
            user,
            source,
            remedy,
        }
    }
}

/// What is in a file that the host's configuration names: nobody's but root's or this process's user's, and not for others to read.
pub fn private_file(what: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let rules = Rules {
        what,
        mode: 0o640,
        owners: &[user()],
        limit: 64 * 1024,
    };
    match rules.read(path)? {
        Some((bytes, _)) => Ok(bytes),
        None => Err(rules.unreadable(path, io::ErrorKind::NotFound.into())),
    }
}

/// Never follows a link in the last place, and never waits for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
}

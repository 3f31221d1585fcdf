//! JSON lines for log shippers: each line is appended by one write, by a thread that nobody waits for. What a line says is the
//! business of `journal`; turning the file over is logrotate's, and noticed here.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lines that wait for the disk at most.
const QUEUE: usize = 2000;
/// How often it is looked whether the file is still the one of this name, and how often one that failed is tried again.
const LOOK: Duration = Duration::from_secs(1);
/// The owner writes; the group, which the shipper is in, reads.
const MODE: u32 = 0o640;

/// A file of lines that this process appends to, as others may.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    queue: Mutex<Queue>,
    /// Only the writing thread waits for this.
    target: Mutex<Target>,
    problem: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    is_being_written: bool,
}

#[derive(Debug, Default)]
struct Target {
    file: Option<File>,
    looked_at: Option<Instant>,
    /// The last line was cut off by the disk.
    is_torn: bool,
}

impl LogFile {
    /// Nothing is opened before there is a line.
    #[must_use]
    pub fn new(path: &Path) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            queue: Mutex::default(),
            target: Mutex::default(),
            problem: Mutex::new(None),
        })
    }

    /// Why the last line was not written; `None`: it was, or there was none.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().clone()
    }

    /// Appends a line, which ends with a line break, as soon as the disk takes it. Outside of the runtime: at once.
    pub fn append(self: &Arc<Self>, line: String) {
        {
            let mut queue = self.queue.lock();
            if queue.lines.len() >= QUEUE {
                self.problem.lock().replace(format!(
                    "tenant_crm_sync.log_file {}: the disk is too slow, so that lines are left out",
                    self.path.display()
                ));
                return;
            }
            queue.lines.push_back(line);
            if queue.is_being_written {
                return;
            }
            queue.is_being_written = true;
        }
        let this = Arc::clone(self);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || this.write_all())),
            Err(_) => this.write_all(),
        }
    }

    fn write_all(&self) {
        loop {
            let line = {
                let mut queue = self.queue.lock();
                let line = queue.lines.pop_front();
                queue.is_being_written = line.is_some();
                line
            };
            let Some(line) = line else { return };
            let written = self.target.lock().write(&self.path, line);
            match written {
                Ok(true) => *self.problem.lock() = None,
                // It failed a moment ago, which has been told.
                Ok(false) => {}
                Err(error) => {
                    self.problem.lock().replace(format!(
                        "tenant_crm_sync.log_file {}: {error}; name a file in a folder that PHP's user may write to",
                        self.path.display()
                    ));
                }
            }
        }
    }
}

impl Target {
    /// Whether the line was written.
    fn write(&mut self, path: &Path, mut line: String) -> io::Result<bool> {
        if !self.open(path)? {
            return Ok(false);
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        if self.is_torn {
            line.insert(0, '\n');
        }
        // Not `write_all`: a second write could end up behind another process's line.
        let result = file.write(line.as_bytes());
        self.is_torn = matches!(result, Ok(length) if length < line.len());
        match result {
            Ok(_) if self.is_torn => Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full")),
            Ok(_) => Ok(true),
            Err(error) => {
                self.file = None;
                Err(error)
            }
        }
    }

    /// Whether there is a file to write to: the one of this name.
    fn open(&mut self, path: &Path) -> io::Result<bool> {
        let now = Instant::now();
        let is_time = self.looked_at.is_none_or(|at| now.duration_since(at) >= LOOK);
        if !is_time {
            return Ok(self.file.is_some());
        }
        self.looked_at = Some(now);
        if let Some(file) = &self.file {
            let ours = file.metadata()?;
            let named = std::fs::symlink_metadata(path);
            if named.is_ok_and(|named| named.ino() == ours.ino() && named.dev() == ours.dev()) {
                return Ok(true);
            }
            self.file = None;
        }
        if !path.is_absolute() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no absolute path"));
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(MODE)
            // A link could lead anywhere, and a pipe without a reader would never open.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file"));
        }
        self.is_torn = false;
        self.file = Some(file);
        Ok(true)
    }
}

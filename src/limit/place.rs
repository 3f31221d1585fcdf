//! Where the counters are: in the file that a host's processes share, followed when it is replaced, or in this process.
//!
//! Somebody may remove the file under our feet (a cleaner, the end of a login): whoever goes on counting in the old one would
//! draw from a budget of their own. Which file may be used is the business of `file`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Key;
use super::file::{self, Mapped};
use super::shared::Memory;
use super::slot::{SECOND, Slot};
use super::table::Table;
use crate::clock;
use crate::error::Result;

/// How often it is looked whether the file is still there.
const LOOK: u64 = SECOND;
/// How often one process goes over to another file, at most: each one before stays mapped.
const MOST_FILES: usize = 64;
/// Slots of this process for keys that find no room. They are shared by whoever comes to lie there.
const SPARE_SLOTS: usize = 1024;

/// The table, and those that came after it.
#[derive(Debug)]
pub struct Place {
    first: Stay,
    /// The shared file, and how many slots a new one gets.
    file: Option<(PathBuf, usize)>,
    /// When it was last looked at.
    looked: AtomicU64,
}

/// One table, and where the counters went from there.
#[derive(Debug)]
struct Stay {
    table: Table,
    /// `None`: memory of this process.
    file: Option<Mapped>,
    next: OnceLock<Box<Stay>>,
}

impl Stay {
    fn new(memory: Memory, file: Option<Mapped>) -> Self {
        Self {
            table: Table::new(memory),
            file,
            next: OnceLock::new(),
        }
    }
}

impl Place {
    /// In a file, made if need be.
    pub(super) fn shared(path: &Path, slots: usize) -> Result<Self> {
        let (memory, mapped) = file::open(path, slots, false)?;
        Ok(Self {
            first: Stay::new(memory, Some(mapped)),
            file: Some((path.to_owned(), slots)),
            looked: AtomicU64::new(0),
        })
    }

    /// In this process.
    pub(super) fn private(slots: usize) -> Self {
        Self {
            first: Stay::new(Memory::own(file::clamp(slots)), None),
            file: None,
            looked: AtomicU64::new(0),
        }
    }

    /// Where the counters are now, and how many files there were before.
    #[inline]
    fn last(&self) -> (&Stay, usize) {
        let mut stay = &self.first;
        let mut files = 0;
        while let Some(next) = stay.next.get() {
            stay = next;
            files += 1;
        }
        (stay, files)
    }

    /// The table that was used last.
    #[inline]
    pub(super) fn current(&self) -> &Table {
        &self.last().0.table
    }

    /// Whether other processes see it.
    pub(super) fn is_shared(&self) -> bool {
        self.last().0.file.is_some()
    }

    /// The table that counts now.
    #[inline]
    pub(super) fn table(&self, now: u64) -> &Table {
        let looked = self.looked.load(Relaxed);
        if now.abs_diff(looked) >= LOOK {
            self.look(looked, now);
        }
        self.current()
    }

    /// One of all threads sees whether the counters have gone elsewhere.
    #[cold]
    fn look(&self, looked: u64, now: u64) {
        let (stay, files) = self.last();
        if self.looked.compare_exchange(looked, now, Relaxed, Relaxed).is_ok()
            && let Some((path, slots)) = &self.file
            && files < MOST_FILES
        {
            stay.follow(path, *slots);
        }
    }
}

impl Stay {
    /// Sees whether the file is still the one that is mapped, and goes over to the new one if not.
    fn follow(&self, path: &Path, slots: usize) {
        if self.file.as_ref().is_some_and(|mapped| mapped.is_at(path)) {
            return;
        }
        let next = match file::open(path, slots, true) {
            Ok((memory, mapped)) => Self::new(memory, Some(mapped)),
            // There is no other, but its pages are gone: alone, and as after a loss.
            Err(_) if self.file.as_ref().is_some_and(Mapped::is_cut_short) => {
                let next = Self::new(Memory::own(file::clamp(slots)), None);
                next.table.break_off(clock::monotonic());
                next
            }
            // Those who have it mapped go on with it, and try again.
            Err(_) => return,
        };
        // `Err` where another thread was faster: its place is as good.
        let _ = self.next.set(Box::new(next));
    }
}

/// Slots for keys that find no room in the table.
#[derive(Debug)]
pub struct Spare {
    first: Slot,
    others: Box<[Slot]>,
}

impl Default for Spare {
    fn default() -> Self {
        Self {
            first: Slot::default(),
            others: (1..SPARE_SLOTS).map(|_| Slot::default()).collect(),
        }
    }
}

impl Spare {
    /// A key's slot, maybe with others.
    pub(super) fn of(&self, key: Key) -> &Slot {
        usize::try_from(key.0 % SPARE_SLOTS as u128)
            .ok()
            .and_then(|place| self.others.get(place))
            .unwrap_or(&self.first)
    }
}

//! The memory of a table: a mapped file that all processes of a host see, or this process's own.
//!
//! The only unsafe code of the limiter. Which file may be mapped is the business of `file`, what the words mean of `slot`.

use std::fs::File;
use std::io;

use memmap2::{MmapOptions, MmapRaw};

use super::slot::Slot;
use super::table::Header;

/// Bytes of the header and of each slot: they are as large, so that no slot lies across the edge of a page.
pub const UNIT: usize = 256;

const _: () = {
    assert!(size_of::<Slot>() == UNIT && UNIT.is_multiple_of(align_of::<Slot>()));
    assert!(size_of::<Header>() == UNIT && UNIT.is_multiple_of(align_of::<Header>()));
};

/// A header and slots.
#[derive(Debug)]
pub enum Memory {
    /// Of a file.
    Mapped(MmapRaw),
    /// Of this process.
    Own(Box<Header>, Box<[Slot]>),
}

impl Memory {
    /// Of this process, empty.
    #[must_use]
    pub fn own(slots: usize) -> Self {
        Self::Own(Box::default(), (0..slots).map(|_| Slot::default()).collect())
    }

    /// Of a file that is at least so large, and stays so.
    ///
    /// # Errors
    /// The system does not map it.
    pub fn of_file(file: &File, slots: usize) -> io::Result<Self> {
        let length = slots.saturating_add(1).saturating_mul(UNIT);
        MmapOptions::new().len(length).map_raw(file).map(Self::Mapped)
    }

    /// What is said of the whole table.
    #[inline]
    #[must_use]
    pub fn header(&self) -> &Header {
        match self {
            // SAFETY: the mapping begins at a page, is at least one unit long (`of_file`) and lives as long as `self`. `Header`
            // is `repr(C)`, consists of `AtomicU64` alone and is one unit large (asserted above): any bits are valid, and
            // other threads and processes change them by atomic operations alone.
            Self::Mapped(map) => unsafe { &*map.as_ptr().cast::<Header>() },
            Self::Own(header, _) => header,
        }
    }

    /// All slots.
    #[inline]
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        match self {
            Self::Mapped(map) => {
                let count = (map.len() / UNIT).saturating_sub(1);
                // SAFETY: as for the header: page-aligned plus one unit, `count` whole units lie within the mapping, which lives
                // as long as `self`; `Slot` is `repr(C)` and `AtomicU64` alone, so any bits are valid and shared changes are atomic.
                unsafe { std::slice::from_raw_parts(map.as_ptr().add(UNIT).cast::<Slot>(), count) }
            }
            Self::Own(_, slots) => slots,
        }
    }
}

//! What was counted, as bytes that outlive the machine: for windows of hours and days, kept in the site's database.
//!
//! Reading trusts nothing: what does not count at this moment is left out, and nothing that is known is lowered.

use super::local::Local;
use super::table;
use super::tally::{self, BUCKETS};
use super::{Key, Now};

/// What it begins with: a name and the layout.
const MAGIC: &[u8] = b"tcsl1";
/// Bytes of a count.
const COUNT: usize = 5;

impl Local {
    /// All that is counted in windows that look back and in days.
    #[must_use]
    pub fn checkpoint(&self, now: Now) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (key, kind, slot, span) in self.table(now).counted(now) {
            let counts: Vec<_> = tally::counts(&slot.ring, &span).collect();
            if counts.is_empty() {
                continue;
            }
            bytes.extend_from_slice(&key.0.to_le_bytes());
            bytes.extend(kind.to_le_bytes().into_iter().take(4));
            bytes.extend_from_slice(&span.index.to_le_bytes());
            bytes.extend(counts.len().to_le_bytes().into_iter().take(1));
            for (before, count) in counts {
                bytes.extend(before.to_le_bytes().into_iter().take(1));
                bytes.extend(count.to_le_bytes().into_iter().take(COUNT));
            }
        }
        bytes
    }

    /// Takes over what still counts of a checkpoint, where it says more than is known; returns of how many windows.
    ///
    /// What is broken ends it, and at most three quarters of the slots are filled by it.
    pub fn restore(&self, checkpoint: &[u8], now: Now) -> usize {
        let Some(mut rest) = checkpoint.strip_prefix(MAGIC) else {
            return 0;
        };
        let table = self.table(now);
        let (used, slots) = table.used();
        let mut room = (slots - slots / 4).saturating_sub(used);
        let mut restored = 0;
        while let Some(window) = Window::read(&mut rest) {
            let Some(span) = table::span_of_kind(window.kind, now) else {
                continue;
            };
            let is_known = table.look(window.key).is_some();
            if !window.buckets.iter().any(|(index, _)| span.counts(*index)) || !is_known && room == 0 {
                continue;
            }
            let Some(slot) = table.slot_of_kind(window.key, window.kind, now) else {
                continue;
            };
            room -= usize::from(!is_known);
            for (index, count) in window.buckets {
                tally::merge(&slot.ring, &span, index, count);
            }
            restored += 1;
        }
        table.vouch();
        restored
    }
}

/// One window of a checkpoint.
struct Window {
    key: Key,
    kind: u64,
    /// Number and count.
    buckets: Vec<(u64, u64)>,
}

impl Window {
    /// The next one; `None` at the end, and where it is broken.
    fn read(rest: &mut &[u8]) -> Option<Self> {
        let mut key = [0; 16];
        key.copy_from_slice(rest.split_off(..16)?);
        let kind = number(rest.split_off(..4)?);
        let newest = number(rest.split_off(..8)?);
        let length = usize::from(*rest.split_off_first()?);
        if length > BUCKETS {
            return None;
        }
        let buckets = (0..length).map(|_| {
            let before = u64::from(*rest.split_off_first()?);
            Some((newest.checked_sub(before)?, number(rest.split_off(..COUNT)?)))
        });
        Some(Self {
            buckets: buckets.collect::<Option<_>>()?,
            kind,
            key: Key(u128::from_le_bytes(key)),
        })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

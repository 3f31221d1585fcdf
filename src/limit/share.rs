//! What one host may take alone of windows that several draw from, and what it has to tell the others afterwards.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::{Count, Draw, Key, Rule};

/// How many windows are told of at once.
const AT_ONCE: usize = 32;
/// How many windows are remembered.
const MOST: usize = 4096;

/// What a draw takes where each of so many has the same part of the window; `None`: it costs more than that.
///
/// Evenly paced windows are divided; of what is counted each request counts for all, as if they asked whenever this one does.
pub(super) fn part(draw: &Draw, parts: u64) -> Option<Draw> {
    let all = draw.cost.saturating_mul(parts);
    if all > draw.rule.amount {
        return None;
    }
    if draw.rule.count != Count::Paced {
        return Some(Draw { cost: all, ..*draw });
    }
    let rule = Rule {
        amount: (draw.rule.amount / parts.max(1)).max(1),
        burst: (draw.rule.burst / parts.max(1)).max(1),
        ..draw.rule
    };
    Some(Draw { rule, ..*draw })
}

/// Each draw so many times.
pub(super) fn times(draws: &[Draw], factor: u64) -> Vec<Draw> {
    draws
        .iter()
        .map(|draw| Draw {
            cost: draw.cost.saturating_mul(factor),
            ..*draw
        })
        .collect()
}

/// What went out, and has not been told of yet.
#[derive(Debug, Default)]
pub(super) struct Owed(Mutex<BTreeMap<Key, Draw>>);

impl Owed {
    pub(super) fn add(&self, draws: &[Draw]) {
        let mut owed = self.0.lock();
        for draw in draws {
            if let Some(known) = owed.get_mut(&draw.key) {
                known.cost = known.cost.saturating_add(draw.cost);
            } else if owed.len() < MOST {
                owed.insert(draw.key, *draw);
            }
        }
    }

    /// The next of them, which are not remembered any more.
    pub(super) fn next(&self) -> Option<Vec<Draw>> {
        let mut owed = self.0.lock();
        let keys: Vec<Key> = owed.keys().take(AT_ONCE).copied().collect();
        let draws: Vec<Draw> = keys.iter().filter_map(|key| owed.remove(key)).collect();
        (!draws.is_empty()).then_some(draws)
    }
}

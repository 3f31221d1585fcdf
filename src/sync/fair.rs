//! Whose turn it is: start-time fair queueing over what turns really cost.
//!
//! Each one that takes turns has a virtual time, which goes on by cost / weight with every turn. Who is ready and furthest
//! behind comes next; of equals, who was ready first. Costs are told after the turn, for nobody knows them before. Who is
//! new, or had nothing to do for a while, begins at the present, so nobody saves turns up. Whatever the costs are, two that are both
//! ready all the while differ by no more than one turn of each. What a turn is, and how costs are measured, is left to others.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// Weights outside of this are taken as its ends.
pub const WEIGHTS: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
/// What a turn costs at least, so that turns that cost nothing do not go on for ever.
const LEAST_NS: f64 = 1_000.0;

/// Those that take turns, known by a key.
#[derive(Debug)]
pub struct Fair<K> {
    flows: HashMap<K, Flow>,
    /// Those that are ready, by virtual time and then in the order in which they became so.
    ready: BTreeMap<Place, K>,
    /// The virtual time of the turn that began last: the smallest of all that are present.
    now: u64,
    arrivals: u64,
}

/// Virtual time in nanoseconds, order of arrival.
type Place = (u64, u64);

#[derive(Debug)]
struct Flow {
    weight: f64,
    /// Where its next turn begins.
    at: u64,
    /// Its place among those that are ready.
    place: Option<Place>,
}

impl<K> Default for Fair<K> {
    fn default() -> Self {
        Self {
            flows: HashMap::new(),
            ready: BTreeMap::new(),
            now: 0,
            arrivals: 0,
        }
    }
}

impl<K: Clone + Eq + Hash> Fair<K> {
    /// One more; it has nothing to do yet. One that is there already gets the weight.
    pub fn join(&mut self, key: K, weight: f64) {
        let weight = if weight.is_nan() {
            1.0
        } else {
            weight.clamp(*WEIGHTS.start(), *WEIGHTS.end())
        };
        let now = self.now;
        self.flows
            .entry(key)
            .and_modify(|flow| flow.weight = weight)
            .or_insert(Flow {
                weight,
                at: now,
                place: None,
            });
    }

    /// One less, whatever it had to do.
    pub fn leave(&mut self, key: &K) {
        if let Some(place) = self.flows.remove(key).and_then(|flow| flow.place) {
            self.ready.remove(&place);
        }
    }

    /// It has something to do.
    pub fn ready(&mut self, key: &K) {
        let Some(flow) = self.flows.get_mut(key).filter(|flow| flow.place.is_none()) else {
            return;
        };
        flow.at = flow.at.max(self.now);
        self.arrivals += 1;
        let place = (flow.at, self.arrivals);
        flow.place = Some(place);
        self.ready.insert(place, key.clone());
    }

    /// Gives the next its turn: it is no longer ready.
    pub fn pick(&mut self) -> Option<K> {
        let ((at, _), key) = self.ready.pop_first()?;
        // Turns begin in the order of virtual times.
        self.now = self.now.max(at);
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.place = None;
        }
        Some(key)
    }

    /// What a turn has cost; also one that it took without being picked.
    pub fn charge(&mut self, key: &K, cost: Duration) {
        let Some(flow) = self.flows.get_mut(key) else {
            return;
        };
        #[expect(clippy::cast_precision_loss, reason = "53 bits of nanoseconds are 104 days")]
        let cost = (cost.as_nanos() as f64).max(LEAST_NS) / flow.weight;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float cast saturates"
        )]
        let cost = cost as u64;
        flow.at = flow.at.saturating_add(cost);
        // It may have become ready again while its turn lasted.
        if let Some((_, arrival)) = flow.place {
            let place = (flow.at, arrival);
            if let Some(key) = flow.place.replace(place).and_then(|old| self.ready.remove(&old)) {
                self.ready.insert(place, key);
            }
        }
    }

    /// How many there are, ready or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }
}

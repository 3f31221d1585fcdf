//! Fields that are sets, such as tags: what each side added and took away counts, order and repetitions do not.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::sync::merge::Side;
use crate::sync::merge::same::Same;
use crate::sync::merge::value::Value;

/// Where an element of a merged set stands: on which side, and at which position of its list; without one the value is no
/// list, but the one element itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// The side that has it.
    pub side: Side,
    /// Its position in the list.
    pub position: Option<usize>,
}

/// The elements of one side in their normal forms, none of them nothing and none twice.
pub struct Set<'v> {
    list: Vec<(Cow<'v, Value<'v>>, Option<usize>)>,
    known: HashSet<Cow<'v, Value<'v>>>,
}

impl<'v> Set<'v> {
    /// The elements of a list; another value is the one element of its set.
    pub fn of(value: Option<&'v Value<'_>>, same: Same) -> Self {
        let mut set = Self {
            list: Vec::new(),
            known: HashSet::new(),
        };
        match value {
            None | Some(Value::Null) => {}
            Some(Value::List(elements)) => {
                for (position, element) in elements.iter().enumerate() {
                    set.add(same.normal(element), Some(position));
                }
            }
            Some(element) => set.add(same.normal(element), None),
        }
        set
    }

    fn add(&mut self, element: Cow<'v, Value<'v>>, position: Option<usize>) {
        if !element.is_null() && self.known.insert(element.clone()) {
            self.list.push((element, position));
        }
    }

    /// Whether both have the same elements.
    pub fn equals(&self, other: &Self) -> bool {
        self.list.len() == other.list.len() && self.list.iter().all(|(element, _)| other.has(element))
    }

    fn has(&self, element: &Value<'v>) -> bool {
        self.known.contains(element)
    }
}

/// What a set had become once `sent` was written over `base`, if anyone can tell from what the CRM has now: of the elements that the write
/// was to add or to take away those that are there.
pub fn reached<'v>(base: Option<&'v Value<'v>>, sent: &'v Value<'v>, crm: &'v Value<'v>, same: Same) -> Value<'v> {
    let [old, new, now] = [base, Some(sent), Some(crm)].map(|value| Set::of(value, same));
    let kept = old
        .list
        .iter()
        .filter(|(element, _)| new.has(element) || now.has(element));
    let added = new
        .list
        .iter()
        .filter(|(element, _)| !old.has(element) && now.has(element));
    let kept = kept.filter_map(|(_, position)| given(base?, *position));
    let added = added.filter_map(|(_, position)| given(sent, *position));
    Value::list(kept.chain(added).cloned().collect())
}

/// An element as it was given.
fn given<'v>(value: &'v Value<'v>, position: Option<usize>) -> Option<&'v Value<'v>> {
    match (value, position) {
        (Value::List(list), Some(position)) => list.get(position),
        (value, _) => Some(value),
    }
}

/// A merged set, and which sides do not have it yet.
pub struct Merged {
    pub elements: Vec<Element>,
    pub to_crm: bool,
    pub to_portal: bool,
}

/// The CRM's elements in its order, then what is the portal's alone. What only one side has was added there or, if the
/// base has it, taken away on the other. Taking away goes before leaving in place, also if an element was put back
/// meanwhile where it still is: nobody can see that.
pub fn merge<'v>(base: &Set<'v>, crm: &Set<'v>, portal: &Set<'v>) -> Merged {
    let mut merged = Merged {
        elements: Vec::with_capacity(crm.list.len() + portal.list.len()),
        to_crm: false,
        to_portal: false,
    };
    for (element, position) in &crm.list {
        let is_shared = portal.has(element);
        if is_shared || !base.has(element) {
            merged.to_portal |= !is_shared;
            merged.add(Side::Crm, *position);
        } else {
            merged.to_crm = true;
        }
    }
    for (element, position) in portal.list.iter().filter(|(element, _)| !crm.has(element)) {
        if base.has(element) {
            merged.to_portal = true;
        } else {
            merged.to_crm = true;
            merged.add(Side::Portal, *position);
        }
    }
    merged
}

impl Merged {
    fn add(&mut self, side: Side, position: Option<usize>) {
        self.elements.push(Element { side, position });
    }
}

//! All paths of a mapping at once, so that a record is passed over once however many fields are wanted of it.

use std::collections::BTreeMap;

use crate::json::{Path, Reader, Refusal, Step};

/// Which members lead to which slots.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    root: Node,
    slots: usize,
}

/// What is wanted at and below one place.
#[derive(Debug, Clone, Default)]
struct Node {
    slot: Option<usize>,
    members: BTreeMap<String, Self>,
    elements: BTreeMap<usize, Self>,
}

/// The JSON texts that were found, by slot.
pub struct Texts<'d>(Vec<Option<&'d str>>);

impl<'d> Texts<'d> {
    /// The JSON text in a slot.
    pub fn get(&self, slot: usize) -> Option<&'d str> {
        self.0.get(slot).copied().flatten()
    }
}

impl Plan {
    /// The slot of a path.
    pub fn add(&mut self, path: &Path) -> usize {
        let mut node = &mut self.root;
        for step in path.steps() {
            node = match step {
                Step::Member(name) => node.members.entry(name.clone()).or_default(),
                Step::Index(index) => node.elements.entry(*index).or_default(),
            };
        }
        let slot = *node.slot.get_or_insert(self.slots);
        self.slots = self.slots.max(slot + 1);
        slot
    }

    /// What a record has at the paths; nothing if it is not an object of valid JSON.
    pub fn find<'d>(&self, record: &'d str) -> Texts<'d> {
        let mut texts = vec![None; self.slots];
        if self.root.visit(record, &mut texts).is_err() {
            texts.fill(None);
        }
        Texts(texts)
    }
}

impl Node {
    fn keep<'d>(&self, text: &'d str, texts: &mut [Option<&'d str>]) {
        if let Some(slot) = self.slot.and_then(|slot| texts.get_mut(slot)) {
            *slot = Some(text);
        }
    }

    fn is_parent(&self) -> bool {
        !self.members.is_empty() || !self.elements.is_empty()
    }

    fn visit<'d>(&self, json: &'d str, texts: &mut [Option<&'d str>]) -> Result<(), Refusal> {
        // What is inside is looked at when all is read: of members with one name only the last counts.
        let mut inside: Vec<(&Self, &'d str)> = Vec::new();
        let mut reader = Reader::new(json);
        match reader.peek_token() {
            Some(b'{') => reader.each_member(|reader, name| {
                let span = reader.span()?;
                if let Some(node) = self.members.get(name.as_ref()) {
                    let text = json.get(span).unwrap_or_default();
                    node.keep(text, texts);
                    if node.is_parent() {
                        inside.retain(|(known, _)| !std::ptr::eq(*known, node));
                        inside.push((node, text));
                    }
                }
                Ok(())
            })?,
            Some(b'[') => {
                let mut position = 0;
                reader.each_element(|reader| {
                    let span = reader.span()?;
                    if let Some(node) = self.elements.get(&position) {
                        let text = json.get(span).unwrap_or_default();
                        node.keep(text, texts);
                        if node.is_parent() {
                            inside.push((node, text));
                        }
                    }
                    position += 1;
                    Ok(())
                })?;
            }
            _ => return Ok(()),
        }
        reader.end()?;
        inside.into_iter().try_for_each(|(node, text)| node.visit(text, texts))
    }
}

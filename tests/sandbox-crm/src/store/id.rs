//! Ids: how they compare (numbers as numbers, text by its bytes) and how each kind of CRM makes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Object;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    Number(u64),
    Text(String),
}

impl Id {
    /// What a row's "id" says. Numbers that are no whole ones count by their text.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) => Some(match number.as_u64() {
                Some(number) => Self::Number(number),
                None => Self::Text(number.to_string()),
            }),
            _ => None,
        }
    }

    pub fn to_value(&self) -> Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    #[default]
    Int,
    String,
    Uuid,
    /// As Salesforce's: two that follow each other differ in nothing but case.
    MixedCase,
    /// The same with the three letters that say which are upper case: 18 characters.
    Salesforce,
    /// Numbers beyond what JavaScript counts (Zoho).
    BigInt,
    /// Numbers of 31 bits that no other object of the tenant has, for CRMs that keep two objects in one table (Odoo, Dolibarr).
    Shared,
    /// 17 characters (EspoCRM).
    Hex17,
}

impl IdKind {
    /// The id of the `n`th row, from 1. Different for different `n`; the same at every run.
    pub fn make(self, object: Object, n: u64) -> Id {
        match self {
            Self::Int => Id::Number(n),
            Self::String => Id::Text(format!("{}-{n:06}", object.name())),
            Self::Uuid => Id::Text(uuid(object, n)),
            Self::MixedCase => Id::Text(mixed_case(object, n)),
            Self::Salesforce => Id::Text(with_case_suffix(mixed_case(object, n))),
            Self::BigInt => Id::Number(5_725_767_000_000_000_000 + object as u64 * 100_000_000_000 + n),
            Self::Shared => {
                // Tables count on from the largest id they have met, which has the object's share in it already.
                let share = object as u64 * 100_000_000;
                Id::Number(if n > share { n } else { share + n })
            }
            Self::Hex17 => Id::Text(format!("{:x}{:016x}", object as u64 + 6, scramble(n))),
        }
    }
}

fn uuid(object: Object, n: u64) -> String {
    let high = scramble(n ^ (object as u64) << 56);
    let low = scramble(high ^ n);
    // Version 4, variant 1.
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// The finaliser of splitmix64: a permutation, so nothing collides.
fn scramble(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn mixed_case(object: Object, n: u64) -> String {
    let prefix = match object {
        Object::Leads => "00Q",
        Object::Contacts => "003",
        Object::Companies => "001",
        Object::Deals => "006",
        Object::Tickets => "500",
    };
    let upper_first = n % 2 == 1;
    let mut pair = n.wrapping_add(1) / 2;
    // Base 26 in letters, cases alternating: the pair's other half has each the other way.
    let mut letters = ['a'; 7];
    for (position, letter) in letters.iter_mut().enumerate().rev() {
        let lower = char::from(b'a' + (pair % 26) as u8);
        pair /= 26;
        *letter = if (position % 2 == 0) == upper_first {
            lower.to_ascii_uppercase()
        } else {
            lower
        };
    }
    format!("{prefix}5g000{}", String::from_iter(letters))
}

/// Salesforce's: each five characters make one letter that says which of them are upper case.
fn with_case_suffix(mut id: String) -> String {
    const ALPHABET: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let bits: Vec<bool> = id.chars().map(|c| c.is_ascii_uppercase()).collect();
    for five in bits.chunks(5) {
        let number = five.iter().rev().fold(0, |number, bit| number * 2 + usize::from(*bit));
        id.extend(ALPHABET.get(number).copied().map(char::from));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn all_kinds_make_different_ids() {
        for kind in [
            IdKind::Int,
            IdKind::String,
            IdKind::Uuid,
            IdKind::MixedCase,
            IdKind::Salesforce,
            IdKind::BigInt,
            IdKind::Hex17,
            IdKind::Shared,
        ] {
            let ids: HashSet<Id> = (1..=50_000).map(|n| kind.make(Object::Leads, n)).collect();
            assert_eq!(ids.len(), 50_000, "{kind:?}");
        }
    }

    #[test]
    fn mixed_case_comes_in_pairs() {
        let text = |n| match IdKind::MixedCase.make(Object::Leads, n) {
            Id::Text(text) => text,
            Id::Number(_) => String::new(),
        };
        for n in (1..2_000).step_by(2) {
            assert_ne!(text(n), text(n + 1));
            assert_eq!(text(n).to_lowercase(), text(n + 1).to_lowercase());
            assert_ne!(text(n).to_lowercase(), text(n + 2).to_lowercase());
            assert_eq!(text(n).len(), 15);
        }
    }

    #[test]
    fn the_suffix_is_salesforces_own() {
        // Bits from the right: 001D0 is 01000, 00000 is 00000, GuwRj is 01001.
        assert_eq!(with_case_suffix("001D000000GuwRj".into()), "001D000000GuwRjIAJ");
        for n in 1..50 {
            let Id::Text(text) = IdKind::Salesforce.make(Object::Leads, n) else {
                panic!("no text")
            };
            assert_eq!(text.len(), 18);
        }
    }

    #[test]
    fn long_ids_are_long() {
        assert!(IdKind::BigInt.make(Object::Tickets, 1) > Id::Number(1 << 53));
        let Id::Text(hex) = IdKind::Hex17.make(Object::Deals, 3) else {
            panic!("no text")
        };
        assert_eq!(hex.len(), 17);
    }

    #[test]
    fn uuids_look_like_version_4() {
        let Id::Text(text) = IdKind::Uuid.make(Object::Deals, 7) else {
            panic!("no text")
        };
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!(
            parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']));
    }

    #[test]
    fn order_and_reading() {
        let id = |value: Value| Id::from_value(&value).unwrap();
        assert!(id(9.into()) < id(10.into()));
        assert!(id("10".into()) < id("9".into()));
        assert!(id(u64::MAX.into()) < id("".into()));
        assert_ne!(id("12".into()), id(12.into()));
        assert_eq!(id((-5).into()), Id::Text("-5".into()));
        assert_eq!(Id::from_value(&Value::Null), None);
    }
}

//! Records and their values as merging compares them: what means the same is the same here. Values are only compared; what
//! is written anywhere is the value that was given, found again by its position.

use std::borrow::Cow;

/// A value in its one form. Make it with the functions below, which see to that: nothing is nothing, whether it is null,
/// an empty text, an empty list or an object without members that are something; a number without a fraction is an
/// integer; members are sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// The bits of any other number.
    Real(u64),
    /// Text that is not empty.
    Text(Cow<'a, str>),
    /// A list that is not empty.
    List(Vec<Value<'a>>),
    /// Members by name.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// A number.
    #[must_use]
    pub fn real(number: f64) -> Self {
        const PAST: f64 = 9_223_372_036_854_775_808.0;
        if number.fract() == 0.0 && (-PAST..PAST).contains(&number) {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and in the range")]
            return Self::Integer(number as i64);
        }
        Self::Real(number.to_bits())
    }

    /// Text.
    #[must_use]
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    /// A list.
    #[must_use]
    pub fn list(list: Vec<Self>) -> Self {
        if list.is_empty() { Self::Null } else { Self::List(list) }
    }

    /// An object; of several members with one name the last counts.
    #[must_use]
    pub fn map(mut members: Vec<(Cow<'a, str>, Self)>) -> Self {
        keep_last(&mut members, |member| &member.0);
        members.retain(|(_, value)| !value.is_null());
        if members.is_empty() {
            Self::Null
        } else {
            Self::Map(members)
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// One field of a record.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The field.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: Value<'a>,
    /// Where it stood in what was given.
    pub position: usize,
}

/// The fields of one side, by name. A field that is not there is one of which that side says nothing, which is not the
/// same as one that has nothing: a CRM leaves out what its user may not see.
#[derive(Debug, Clone, Default)]
pub struct Record<'a>(Vec<Member<'a>>);

impl<'a> Record<'a> {
    /// A record; of several fields with one name the last counts.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (Cow<'a, str>, Value<'a>)>) -> Self {
        let member = |(position, (name, value))| Member { name, value, position };
        let mut members: Vec<_> = fields.into_iter().enumerate().map(member).collect();
        keep_last(&mut members, |member| &member.name);
        Self(members)
    }

    /// Its fields, by name.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        &self.0
    }
}

/// Sorts by name and keeps of equal names the one that came last.
fn keep_last<T>(members: &mut Vec<T>, name: impl Fn(&T) -> &str) {
    if members.is_sorted_by(|a, b| name(a) < name(b)) {
        return;
    }
    members.sort_by(|a, b| name(a).cmp(name(b)));
    // `dedup_by` keeps the first of equals and gives the later one first.
    members.dedup_by(|later, kept| {
        let is_same = name(later) == name(kept);
        if is_same {
            std::mem::swap(later, kept);
        }
        is_same
    });
}

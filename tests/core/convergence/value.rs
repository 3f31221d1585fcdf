//! The fields of a model's record. Each value is made by one edit and carries its number, so that the judge sees where it comes from;
//! people and CRMs write the same value differently.

use std::borrow::Cow;
use std::sync::OnceLock;

use tenant_crm_sync::sync::merge::{Record, Value};

/// In the order of their names. The person's e-mail address is never edited.
pub const FIELDS: [&str; 6] = ["city", "email", "name", "note", "phone", "tags"];
pub const EMAIL: usize = 1;
pub const TAGS: usize = 5;

/// The number of an edit, or of a person in the e-mail field.
pub type Edit = u16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum V {
    /// By which edit (nothing by none), and whether it is written as people do, not as the CRM does.
    Text(Edit, bool),
    /// The edits that added the elements.
    Set(Vec<Edit>),
}

/// What a side has that says nothing.
pub const NOTHING: V = V::Text(0, false);

impl V {
    /// The edit that made it.
    pub fn edit(&self) -> Edit {
        match self {
            Self::Text(edit, _) => *edit,
            Self::Set(_) => 0,
        }
    }

    pub fn elements(&self) -> &[Edit] {
        match self {
            Self::Text(..) => &[],
            Self::Set(list) => list,
        }
    }

    /// As the CRM writes it.
    pub fn rewritten(&self) -> Self {
        match self {
            Self::Text(edit, _) => Self::Text(*edit, false),
            Self::Set(list) => {
                let mut list = list.clone();
                list.sort_unstable();
                Self::Set(list)
            }
        }
    }

    /// Whether it is the same but for the way it is written.
    pub fn means(&self, other: &Self) -> bool {
        self.rewritten() == other.rewritten()
    }

    fn value(&self, field: usize) -> Value<'static> {
        match self {
            Self::Text(0, _) => Value::Null,
            Self::Text(edit, by_people) => Value::text(Cow::Borrowed(text(field, *edit, *by_people))),
            Self::Set(list) => Value::list(list.iter().map(|edit| Value::text(text(TAGS, *edit, false))).collect()),
        }
    }
}

/// All fields of a record.
pub type Whole = [V; 6];
/// Some fields.
pub type Part = [Option<V>; 6];

/// As the merge sees it.
pub fn record(part: &Part) -> Record<'static> {
    Record::new(
        part.iter()
            .enumerate()
            .filter_map(|(field, value)| Some((Cow::Borrowed(FIELDS[field]), value.as_ref()?.value(field)))),
    )
}

pub fn part(whole: &Whole) -> Part {
    whole.clone().map(Some)
}

/// Name, phone and e-mail are rewritten as the rules declare, the note in a way that nobody declared.
fn text(field: usize, edit: Edit, by_people: bool) -> &'static str {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    const EDITS: usize = 1024;
    let texts = TEXTS.get_or_init(|| {
        let write = |field, edit: usize, by_people| match (field, by_people) {
            (EMAIL, false) => format!("p{edit}@example.org"),
            (EMAIL, true) => format!("P{edit}@Example.org"),
            (2, true) => format!(" name {edit}"),
            (2, false) => format!("name {edit}"),
            (3, true) => format!("note {edit}"),
            (3, false) => format!("Note {edit}."),
            (4, true) => format!("0171/1{edit:06}"),
            (4, false) => format!("+491711{edit:06}"),
            (field, _) => format!("{} {edit}", FIELDS[field]),
        };
        let of = |field| (0..EDITS).flat_map(move |edit| [write(field, edit, false), write(field, edit, true)]);
        (0..FIELDS.len()).flat_map(of).collect()
    });
    &texts[(field * EDITS + usize::from(edit)) * 2 + usize::from(by_people)]
}

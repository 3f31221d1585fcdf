//! Everything that there is: both sides, the ledger, what is under way, and what the judge has to know.

use std::cell::RefCell;
use std::rc::Rc;

use tenant_crm_sync::sync::merge::{Policy, Rules, Side};

use super::crm::{Crm, Version, Write};
use super::dice::Dice;
use super::history::History;
use super::value::{EMAIL, Edit, FIELDS, Part, V, Whole};

/// A rule of the protocol that can be taken away, to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// An own write is taken for an echo for a while, whatever it says.
    EchoByValue,
    /// The base moves on behind a write.
    BaseAfterWrite,
    /// What was sent is told to the merge.
    Sent,
    /// An unknown outcome is looked at, not repeated.
    Looking,
    /// A look waits until nothing can come late.
    SettleTime,
    /// A look that something overtook is not believed.
    Fence,
    /// Rows of a list are believed only if they are newer.
    Newer,
    /// The mark stays until both sides are seen to be equal; nothing sweeps, and no process of the portal dies.
    DirtyUntilSettled,
    /// The mark is set behind the write, too; nothing sweeps, and no process of the portal dies.
    SecondMark,
    /// What processes that died left without a mark is found.
    Sweep,
    /// What is gone is remembered.
    Tombstones,
    /// What came while an intent was open is looked at later.
    Hints,
    /// A question stays one until a person answers it.
    Waiting,
    /// A decision that was made by policy moves the base.
    Rebase,
}

/// What becomes of a request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Done,
    /// 429, refused, never connected.
    NotDone,
    /// Cut, timeout or 5xx: before it was done, behind that, or so long before that.
    CutBefore,
    CutBehind,
    Late(u32),
}

pub struct Post {
    pub fields: Whole,
    pub is_binned: bool,
}

/// A write to the CRM that is not settled.
pub struct Intent {
    pub token: u32,
    pub until: u32,
    pub sent: Option<Write>,
}

/// One row of the ledger.
#[derive(Default)]
pub struct Row {
    pub crm_id: Option<usize>,
    pub post: Option<usize>,
    pub base: Option<Part>,
    /// Its fingerprint and revision.
    pub seen: Option<Rc<Version>>,
    pub dirty: bool,
    pub hint: bool,
    pub intent: Option<Intent>,
    pub version: u32,
    /// When the portal changed each field, where a hook saw it; until then its mark.
    pub times: [Time; 6],
    /// What waits for a person: fields, and the whole record.
    pub waits: [bool; 6],
    pub waits_whole: bool,
    /// The row is no more.
    pub is_gone: bool,
    /// When the last own write was settled; only a broken protocol asks.
    pub written_at: u32,
}

impl Row {
    /// Whether a person has to decide anything.
    pub fn is_asked(&self) -> bool {
        self.waits_whole || self.waits.contains(&true)
    }
}

/// When the portal changed a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    #[default]
    Unknown,
    At(u32),
    /// The first mark of this hook.
    Marked(u32),
}

pub struct World {
    pub dice: Dice,
    pub now: u32,
    pub without: Option<Without>,
    pub crm: Crm,
    pub posts: Vec<Post>,
    pub ledger: Vec<Row>,
    pub rules: Rules<'static>,
    /// How far the CRM's clock is ahead.
    pub skew: i32,
    pub watermarks: [u32; 2],
    pub tokens: u32,
    /// Requests that arrive though nobody waits for them any more.
    pub late: Vec<(u32, Write)>,
    /// Ids that webhooks will speak of.
    pub webhooks: Vec<usize>,
    pub is_quiet: bool,
    /// Only the next write fails, and as told.
    pub never_fails: bool,
    pub fate: Option<Fate>,
    /// Reads of single records, and writes on both sides.
    pub reads: u32,
    pub crm_writes: u32,
    pub portal_writes: u32,
    pub history: History,
    pub trace: Option<Vec<String>>,
}

pub type Shared = Rc<RefCell<World>>;

impl World {
    pub fn new(seed: u64, without: Option<Without>) -> Self {
        let mut dice = Dice::new(seed);
        let policies = [Policy::Crm, Policy::Portal, Policy::Newest, Policy::Ask];
        let mut rules = Rules {
            delete: dice.one(&[Policy::Crm, Policy::Portal, Policy::Ask]),
            skew: 4.0,
            ..Rules::default()
        };
        for (field, name) in FIELDS.into_iter().enumerate() {
            let policy = dice.one(&policies);
            let own = rules.field(name);
            own.policy = Some(policy);
            match field {
                EMAIL => own.same.add("email").unwrap(),
                2 => own.same.add("trim").unwrap(),
                4 => own.same.add("phone:49").unwrap(),
                5 => own.is_set = true,
                _ => {}
            }
        }
        let crm = Crm::new(&mut dice);
        let skew = i32::try_from(dice.below(7)).unwrap() - 3;
        Self {
            now: 100,
            without,
            crm,
            posts: Vec::new(),
            ledger: Vec::new(),
            rules,
            skew,
            watermarks: [0; 2],
            tokens: 0,
            late: Vec::new(),
            webhooks: Vec::new(),
            is_quiet: false,
            never_fails: false,
            fate: None,
            reads: 0,
            crm_writes: 0,
            portal_writes: 0,
            history: History::default(),
            trace: std::env::var("TRACE").is_ok().then(Vec::new),
            dice,
        }
    }

    pub fn shared(seed: u64, without: Option<Without>) -> Shared {
        Rc::new(RefCell::new(Self::new(seed, without)))
    }

    /// What a side has in a field of its first record.
    pub fn value(&self, side: Side, field: usize) -> V {
        match side {
            Side::Crm => self.crm.records[0].last().unwrap().fields[field].clone(),
            Side::Portal => self.posts[0].fields[field].clone(),
        }
    }

    /// Whether anything finds what has no mark.
    pub fn sweeps(&self) -> bool {
        !matches!(
            self.without,
            Some(Without::SecondMark | Without::DirtyUntilSettled | Without::Sweep)
        )
    }

    pub fn kills_portal(&self) -> bool {
        self.sweeps() || self.lacks(Without::Sweep)
    }

    pub fn lacks(&self, rule: Without) -> bool {
        self.without == Some(rule)
    }

    pub fn trace(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{:4} {}", self.now, line(self));
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }

    /// What the sync sees of a state of the CRM.
    pub fn shown(&self, version: &Version) -> Part {
        let mut shown = version.fields.clone().map(Some);
        if let Some(hidden) = self.crm.hidden {
            shown[hidden] = None;
        }
        shown
    }

    /// The row of a CRM's id.
    pub fn row_of(&self, id: usize) -> Option<usize> {
        self.ledger
            .iter()
            .position(|row| !row.is_gone && row.crm_id == Some(id))
    }

    pub fn row_of_post(&self, post: usize) -> Option<usize> {
        self.ledger
            .iter()
            .position(|row| !row.is_gone && row.post == Some(post))
    }

    /// The row's post, unless it is in the bin.
    pub fn portal(&self, row: usize) -> Option<&Whole> {
        let post = &self.posts[self.ledger[row].post?];
        (!post.is_binned).then_some(&post.fields)
    }

    pub fn new_row(&mut self, row: Row) -> usize {
        self.ledger.push(row);
        self.ledger.len() - 1
    }

    /// The rows for which this holds.
    pub fn rows(&self, which: impl Fn(&Row) -> bool) -> Vec<usize> {
        let rows = self.ledger.iter().enumerate();
        rows.filter(|(_, row)| !row.is_gone && which(row))
            .map(|(at, _)| at)
            .collect()
    }

    /// The post that a CRM's record of this person may be linked to, and whether its create is under way.
    pub fn unlinked(&self, email: Edit) -> Option<(Option<usize>, usize, bool)> {
        (0..self.posts.len())
            .filter(|post| self.posts[*post].fields[EMAIL].edit() == email)
            .find_map(|post| {
                let row = self.row_of_post(post);
                let is_linked = row.is_some_and(|row| self.ledger[row].crm_id.is_some());
                let is_open = row.is_some_and(|row| self.ledger[row].intent.is_some());
                (!is_linked && (is_open || !self.posts[post].is_binned)).then_some((row, post, is_open))
            })
    }
}

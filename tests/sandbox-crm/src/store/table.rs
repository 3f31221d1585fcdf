//! One object's rows in two sorted lists, by id and by time: every page is a slice, every search is binary. A single
//! change moves pointers within the lists; many at once are sorted in together.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{Id, IdKind, Object, Order, Row};

/// From here on sorting anew is cheaper than one insertion each.
const MANY: usize = 64;
/// Filtered lists in id order that are kept: one for each of so many clients that page at once.
const VIEWS: usize = 16;
/// What every JSON reader can count to.
const COUNTABLE: u64 = 1 << 53;

/// A filtered list, shared with the requests that are being answered from it.
type Kept = Arc<Vec<Arc<Row>>>;

#[derive(Default)]
pub struct Table {
    by_id: Vec<Arc<Row>>,
    by_time: Vec<Arc<Row>>,
    last: u64,
    /// In the order in which they went.
    removed: Vec<Tombstone>,
    views: Mutex<Vec<(Timestamp, Kept)>>,
}

/// A row that was removed, for CRMs that tell of it.
#[derive(Debug, Clone)]
pub struct Tombstone {
    pub row: Arc<Row>,
    pub at: Timestamp,
}

/// Rows in the order asked for.
pub enum View<'a> {
    Slice(&'a [Arc<Row>]),
    Kept(Kept),
}

impl Deref for View<'_> {
    type Target = [Arc<Row>];

    fn deref(&self) -> &[Arc<Row>] {
        match self {
            Self::Slice(rows) => rows,
            Self::Kept(rows) => rows,
        }
    }
}

type TimeKey<'a> = (Option<Timestamp>, &'a Id);

fn time_key(row: &Row) -> TimeKey<'_> {
    (row.time, &row.id)
}

impl Table {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn get(&self, id: &Id) -> Option<&Arc<Row>> {
        let position = self.position(id).ok()?;
        self.by_id.get(position)
    }

    /// By the text in a URL, which does not say whether it is a number.
    pub fn find(&self, text: &str) -> Option<&Arc<Row>> {
        let number = text
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == text)
            .and_then(|number| self.get(&Id::Number(number)));
        number.or_else(|| self.get(&Id::Text(text.to_owned())))
    }

    /// An id that no row has or had.
    pub fn make_id(&mut self, kind: IdKind, object: Object) -> Id {
        loop {
            self.last += 1;
            let id = kind.make(object, self.last);
            let had = self.removed.iter().any(|gone| gone.row.id == id);
            if !had && self.get(&id).is_none() {
                return id;
            }
        }
    }

    /// How many ids were made or met.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Inserts or replaces by id; of two with one id the later wins.
    pub fn put(&mut self, rows: Vec<Row>) {
        self.views.lock().clear();
        if !self.removed.is_empty() {
            let back: HashSet<&Id> = rows.iter().map(|row| &row.id).collect();
            self.removed.retain(|gone| !back.contains(&gone.row.id));
        }
        for row in &rows {
            // A given id that is beyond counting leaves the made ones where they are.
            if let Id::Number(number @ ..=COUNTABLE) = row.id {
                self.last = self.last.max(number);
            }
        }
        if rows.len() < MANY {
            for row in rows {
                self.take(&row.id);
                self.insert(Arc::new(row));
            }
        } else {
            let fresh: HashMap<Id, Arc<Row>> = rows.into_iter().map(|row| (row.id.clone(), Arc::new(row))).collect();
            self.by_id.retain(|row| !fresh.contains_key(&row.id));
            self.by_id.extend(fresh.into_values());
            self.by_id.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            self.by_time.clone_from(&self.by_id);
            self.by_time.sort_unstable_by(|a, b| time_key(a).cmp(&time_key(b)));
        }
    }

    /// How many there were. They are remembered until a row of that id comes back.
    pub fn remove(&mut self, ids: &[Id], at: Timestamp) -> usize {
        self.views.lock().clear();
        let before = self.by_id.len();
        if ids.len() < MANY {
            let gone = ids.iter().filter_map(|id| self.take(id)).collect::<Vec<_>>();
            self.removed.extend(gone.into_iter().map(|row| Tombstone { row, at }));
            return before - self.by_id.len();
        }
        let gone: HashSet<&Id> = ids.iter().collect();
        let found = self.by_id.iter().filter(|row| gone.contains(&row.id)).cloned();
        self.removed.extend(found.map(|row| Tombstone { row, at }));
        self.by_id.retain(|row| !gone.contains(&row.id));
        self.by_time.retain(|row| !gone.contains(&row.id));
        before - self.by_id.len()
    }

    /// As if these had never been.
    pub fn forget(&mut self, ids: &[Id]) {
        self.removed.retain(|gone| !ids.contains(&gone.row.id));
    }

    /// What was removed and did not come back, the oldest first.
    pub fn tombstones(&self) -> &[Tombstone] {
        &self.removed
    }

    /// All rows that changed after `since`.
    pub fn view(&self, order: Order, since: Option<Timestamp>) -> View<'_> {
        let Some(since) = since else {
            return View::Slice(match order {
                Order::Id => &self.by_id,
                Order::UpdatedAt => &self.by_time,
            });
        };
        // Rows without a time are before every time.
        let start = self.by_time.partition_point(|row| row.time <= Some(since));
        let later = self.by_time.get(start..).unwrap_or_default();
        if order == Order::UpdatedAt {
            return View::Slice(later);
        }
        let mut views = self.views.lock();
        if let Some((_, rows)) = views.iter().find(|(kept, _)| *kept == since) {
            return View::Kept(rows.clone());
        }
        // Few are sorted; of many it is cheaper to look at every row.
        let rows = if later.len() < self.by_id.len() / 16 {
            let mut rows = later.to_vec();
            rows.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            rows
        } else {
            let passes = |row: &&Arc<Row>| row.time > Some(since);
            self.by_id.iter().filter(passes).cloned().collect()
        };
        let rows = Arc::new(rows);
        if views.len() >= VIEWS {
            views.remove(0);
        }
        views.push((since, rows.clone()));
        View::Kept(rows)
    }

    fn position(&self, id: &Id) -> Result<usize, usize> {
        self.by_id.binary_search_by(|row| row.id.cmp(id))
    }

    fn time_position(&self, key: &TimeKey<'_>) -> Result<usize, usize> {
        self.by_time.binary_search_by(|row| time_key(row).cmp(key))
    }

    fn take(&mut self, id: &Id) -> Option<Arc<Row>> {
        let row = self.by_id.remove(self.position(id).ok()?);
        if let Ok(position) = self.time_position(&time_key(&row)) {
            self.by_time.remove(position);
        }
        Some(row)
    }

    fn insert(&mut self, row: Arc<Row>) {
        let (Ok(by_id) | Err(by_id)) = self.position(&row.id);
        let (Ok(by_time) | Err(by_time)) = self.time_position(&time_key(&row));
        self.by_id.insert(by_id, row.clone());
        self.by_time.insert(by_time, row);
    }
}

/// The rows after a key, in a view of that order.
pub fn after_id<'a>(rows: &'a [Arc<Row>], id: &Id) -> &'a [Arc<Row>] {
    let start = rows.partition_point(|row| row.id <= *id);
    rows.get(start..).unwrap_or_default()
}

pub fn after_time<'a>(rows: &'a [Arc<Row>], time: Option<Timestamp>, id: &Id) -> &'a [Arc<Row>] {
    let start = rows.partition_point(|row| time_key(row) <= (time, id));
    rows.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    fn row(id: u64, time: Option<Timestamp>) -> Row {
        Row::new(Id::Number(id), time, Map::new())
    }

    fn ids(rows: &[Arc<Row>]) -> Vec<u64> {
        rows.iter()
            .map(|row| match row.id {
                Id::Number(number) => number,
                Id::Text(_) => 0,
            })
            .collect()
    }

    #[test]
    fn single_changes_and_many_at_once_give_the_same() {
        let rows: Vec<Row> = (1..=500).map(|n| row(n * 7 % 503, at((n * 13 % 11) as i64))).collect();
        let mut at_once = Table::default();
        at_once.put(rows.clone());
        at_once.put(
            rows.iter()
                .take(100)
                .map(|old| {
                    row(
                        match old.id {
                            Id::Number(n) => n,
                            Id::Text(_) => 0,
                        },
                        at(99),
                    )
                })
                .collect(),
        );
        let mut singly = Table::default();
        for row in rows.clone() {
            singly.put(vec![row]);
        }
        for old in rows.iter().take(100) {
            singly.put(vec![Row {
                time: at(99),
                ..old.clone()
            }]);
        }
        for order in [Order::Id, Order::UpdatedAt] {
            for since in [None, at(0), at(5), at(10), at(99)] {
                let one = ids(&singly.view(order, since));
                assert_eq!(one, ids(&at_once.view(order, since)), "{order:?} {since:?}");
                assert!(order == Order::UpdatedAt || one.is_sorted());
            }
        }
        assert_eq!(singly.len(), 500);
        let gone: Vec<Id> = (0..=502).step_by(3).map(Id::Number).collect();
        let now = Timestamp::UNIX_EPOCH;
        let counted = at_once.remove(&gone, now);
        assert_eq!(
            counted,
            gone.iter()
                .filter(|id| singly.remove(&[(*id).clone()], now) == 1)
                .count()
        );
        assert_eq!(
            ids(&singly.view(Order::UpdatedAt, None)),
            ids(&at_once.view(Order::UpdatedAt, None))
        );
    }

    #[test]
    fn rows_without_a_time_come_first_and_pass_no_filter() {
        let mut table = Table::default();
        table.put(vec![row(1, at(5)), row(2, None), row(3, at(-5))]);
        assert_eq!(ids(&table.view(Order::UpdatedAt, None)), [2, 3, 1]);
        for order in [Order::Id, Order::UpdatedAt] {
            let mut passed = ids(&table.view(order, at(-100)));
            passed.sort_unstable();
            assert_eq!(passed, [1, 3]);
        }
        // Strictly greater.
        assert_eq!(ids(&table.view(Order::Id, at(-5))), [1]);
    }

    #[test]
    fn a_kept_view_does_not_outlive_a_change() {
        let mut table = Table::default();
        table.put(vec![row(1, at(5)), row(2, at(6))]);
        assert_eq!(ids(&table.view(Order::Id, at(5))), [2]);
        table.put(vec![row(1, at(7))]);
        assert_eq!(ids(&table.view(Order::Id, at(5))), [1, 2]);
        table.remove(&[Id::Number(2)], Timestamp::UNIX_EPOCH);
        assert_eq!(ids(&table.view(Order::Id, at(5))), [1]);
    }

    #[test]
    fn the_removed_are_remembered_until_they_come_back() {
        let mut table = Table::default();
        table.put((1..=200).map(|n| row(n, at(1))).collect());
        let ids = |table: &Table| -> Vec<Id> { table.tombstones().iter().map(|gone| gone.row.id.clone()).collect() };
        table.remove(&[Id::Number(9), Id::Number(7), Id::Number(999)], Timestamp::UNIX_EPOCH);
        assert_eq!(ids(&table), [Id::Number(9), Id::Number(7)]);
        let many: Vec<Id> = (101..=300).map(Id::Number).collect();
        assert_eq!(table.remove(&many, Timestamp::MAX), 100);
        assert_eq!(ids(&table).len(), 102);
        assert_eq!(table.tombstones()[2].at, Timestamp::MAX);
        table.put(vec![row(9, at(2))]);
        assert_eq!(ids(&table).len(), 101);
        assert_eq!(ids(&table)[0], Id::Number(7));
    }

    #[test]
    fn keys_go_on_where_a_row_was_removed() {
        let mut table = Table::default();
        table.put((1..=5).map(|n| row(n, at(1))).collect());
        table.remove(&[Id::Number(3)], Timestamp::UNIX_EPOCH);
        assert_eq!(ids(after_id(&table.view(Order::Id, None), &Id::Number(3))), [4, 5]);
        let by_time = table.view(Order::UpdatedAt, None);
        assert_eq!(ids(after_time(&by_time, at(1), &Id::Number(3))), [4, 5]);
        assert_eq!(ids(after_time(&by_time, None, &Id::Number(9))), [1, 2, 4, 5]);
    }

    #[test]
    fn made_ids_are_new() {
        let mut table = Table::default();
        table.put(vec![row(41, None)]);
        assert_eq!(table.make_id(IdKind::Int, Object::Leads), Id::Number(42));
        table.put(vec![Row::new(Id::Text("leads-000043".into()), None, Map::new())]);
        table.put(vec![Row::new(Id::Text("leads-000044".into()), None, Map::new())]);
        table.remove(&[Id::Text("leads-000044".into())], Timestamp::UNIX_EPOCH);
        assert_eq!(
            table.make_id(IdKind::String, Object::Leads),
            Id::Text("leads-000045".into())
        );
    }

    #[test]
    fn url_text_finds_numbers_and_text() {
        let mut table = Table::default();
        table.put(vec![row(7, None), Row::new(Id::Text("8".into()), None, Map::new())]);
        assert!(table.find("7").is_some() && table.find("8").is_some());
        assert!(table.find("07").is_none() && table.find("+7").is_none());
    }
}

//! Tests of paging: every way of paging over every order gives each row once, also while rows change.

use super::*;
use crate::store::Object;
use crate::tenant::Config;
use serde_json::Map;

fn table(rows: u64, same_time: bool) -> Table {
    let mut table = Table::default();
    let rows = (1..=rows)
        .map(|n| row(n, if same_time { 50 } else { (n * 37 % 101) as i64 }))
        .collect();
    table.put(rows);
    table
}

fn row(n: u64, second: i64) -> Row {
    let fields = Map::from_iter([("id".to_owned(), json!(n))]);
    Row::new(Id::Number(n), Timestamp::from_second(second).ok(), fields)
}

fn config(paging: Paging, order: Order) -> Config {
    Config {
        paging,
        order,
        max_per_page: 50,
        ..Config::new("k".into())
    }
}

fn ask(table: &Table, config: &Config, query: &str) -> Value {
    let asked = Asked::read(crate::query::parse(query).unwrap(), config).unwrap();
    let body = page(Object::Leads, &asked, config, table, "https://localhost:1");
    serde_json::from_slice(&body).unwrap()
}

fn ids(answer: &Value) -> Vec<u64> {
    answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect()
}

/// The query of the following page, however the answer says it.
fn next(answer: &Value, config: &Config, base: &str) -> Option<String> {
    match config.paging {
        Paging::None => None,
        Paging::Page => {
            let meta = &answer["meta"];
            let (current, last) = (meta["current_page"].as_u64()?, meta["last_page"].as_u64()?);
            (current < last).then(|| format!("{base}&page={}", current + 1))
        }
        Paging::Cursor => Some(format!("{base}&cursor={}", answer["meta"]["next_cursor"].as_str()?)),
        Paging::Link | Paging::RelativeLink => {
            let link = answer["links"]["next"].as_str()?;
            let origin = if config.paging == Paging::Link {
                "https://localhost:1"
            } else {
                ""
            };
            let query = link.strip_prefix(&format!("{origin}/api/v1/leads?")).unwrap();
            Some(query.to_owned())
        }
    }
}

#[test]
fn every_row_once() {
    for paging in [
        Paging::None,
        Paging::Page,
        Paging::Cursor,
        Paging::Link,
        Paging::RelativeLink,
    ] {
        for order in [Order::Id, Order::UpdatedAt] {
            for same_time in [true, false] {
                for (per_page, filter) in [
                    (1, ""),
                    (7, ""),
                    (7, "&filter[updated_at_gt]=30"),
                    (100, "&filter[updated_at_gt]=0"),
                ] {
                    let (table, config) = (table(120, same_time), config(paging, order));
                    let base = format!("per_page={per_page}{filter}");
                    let (mut seen, mut query, mut pages) = (Vec::new(), Some(base.clone()), 0);
                    while let Some(asked) = query {
                        let answer = ask(&table, &config, &asked);
                        seen.extend(ids(&answer));
                        query = next(&answer, &config, &base);
                        pages += 1;
                        assert!(pages <= 120, "it never ends: {asked}");
                    }
                    let since = config.timestamps.parse(filter.rsplit('=').next().unwrap());
                    let expected: Vec<u64> = table
                        .view(order, since)
                        .iter()
                        .map(|row| row.id.to_value().as_u64().unwrap())
                        .collect();
                    assert!(expected.len() > 60);
                    assert_eq!(seen, expected, "{config:?} {base}");
                    let size = if paging == Paging::None { 120 } else { per_page.min(50) };
                    assert_eq!(pages, expected.len().div_ceil(size));
                }
            }
        }
    }
}

#[test]
fn offsets_lose_a_row_that_keysets_do_not() {
    for (paging, lost) in [(Paging::Page, true), (Paging::Cursor, false)] {
        let (mut table, config) = (table(20, true), config(paging, Order::UpdatedAt));
        let first = ask(&table, &config, "per_page=10");
        // A row of the first page changes while that page is read: it moves to the end.
        table.put(vec![row(1, 99)]);
        let second = ask(&table, &config, &next(&first, &config, "per_page=10").unwrap());
        assert_eq!(!ids(&second).contains(&11), lost);
    }
}

#[test]
fn shapes() {
    let table = table(3, true);
    let answer = ask(&table, &config(Paging::None, Order::Id), "page=9&per_page=1");
    assert_eq!(answer, json!({ "data": [{"id": 1}, {"id": 2}, {"id": 3}] }));
    let answer = ask(&table, &config(Paging::Page, Order::Id), "page=2&per_page=99999");
    let meta = json!({ "current_page": 2, "last_page": 1, "per_page": 50, "total": 3 });
    assert_eq!(answer, json!({ "data": [], "meta": meta }));
    let answer = ask(&table, &config(Paging::Page, Order::Id), "filter[updated_at_gt]=50");
    assert_eq!(answer["meta"]["last_page"], 1);
    assert_eq!(answer["meta"]["total"], 0);
    let answer = ask(&table, &config(Paging::Link, Order::Id), "");
    assert_eq!(answer["links"], json!({ "next": null }));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let config = config(Paging::Cursor, Order::UpdatedAt);
    let read = |query: &str| Asked::read(crate::query::parse(query).unwrap(), &config);
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=%2B1",
        "per_page=0",
        "per_page=1.5",
        "per_page=99999999999999999999999",
        "cursor=x",
        "cursor=",
        "cursor=WzVd",
        "filter[updated_at_gt]=",
        "filter[updated_at_gt]=yesterday",
    ] {
        assert!(matches!(read(query), Err(Refused::Invalid(_))), "{query}");
    }
    for query in ["limit=5", "filter[updated_at_gte]=5", "filter=5", "Page=1", "sort=id"] {
        assert!(matches!(read(query), Err(Refused::Unknown(_))), "{query}");
    }
}

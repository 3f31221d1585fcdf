//! The limiter's scripts, run by the Lua that is in Redis (5.1), over the few data types and commands that they use. Their time is the
//! played one.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use mlua::{Function, MultiValue, Result, StdLib, Table, Value, Variadic};
use ring::digest;

use super::played;

type Bytes = Vec<u8>;

/// What a key holds.
enum Held {
    /// Few fields: looked through one by one.
    Hash(Vec<(Bytes, Bytes)>),
    Sorted(BTreeMap<Bytes, f64>),
}

/// All keys, and until when, in microseconds.
#[derive(Default)]
struct Store(HashMap<Bytes, (Held, u64)>);

/// What a Redis knows, and what runs there.
pub struct Lua {
    lua: mlua::Lua,
    scripts: HashMap<String, Function>,
}

impl Lua {
    pub fn new() -> Self {
        let lua = mlua::Lua::new_with(
            StdLib::STRING | StdLib::MATH | StdLib::TABLE,
            mlua::LuaOptions::default(),
        )
        .unwrap();
        let store = Rc::new(RefCell::new(Store::default()));
        let redis = lua.create_table().unwrap();
        for (name, raises) in [("call", true), ("pcall", false)] {
            let store = Rc::clone(&store);
            let call = lua.create_function(move |lua, words: Variadic<Value>| {
                let words: Vec<Bytes> = words.iter().map(bytes).collect();
                match store.borrow_mut().run(lua, &words) {
                    Err(mlua::Error::RuntimeError(error)) if !raises => {
                        let table = lua.create_table()?;
                        table.raw_set("err", error)?;
                        Ok(Value::Table(table))
                    }
                    answer => answer,
                }
            });
            redis.raw_set(name, call.unwrap()).unwrap();
        }
        lua.globals().raw_set("redis", redis).unwrap();
        Self {
            lua,
            scripts: HashMap::new(),
        }
    }

    /// The name by which a script is called.
    pub fn load(&mut self, script: &[u8]) -> String {
        let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, script);
        let name: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.scripts
            .insert(name.clone(), self.lua.load(script).into_function().unwrap());
        name
    }

    /// Runs a script; what it answers, as Redis writes it. `None`: it is not known.
    pub fn run(&mut self, name: &str, keys: &[&[u8]], arguments: &[&[u8]]) -> Option<Result<String>> {
        let script = self.scripts.get(name)?;
        Some(
            self.set("KEYS", keys)
                .and_then(|()| self.set("ARGV", arguments))
                .and_then(|()| {
                    let answer: Value = script.call(MultiValue::new())?;
                    Ok(written(&answer))
                }),
        )
    }

    fn set(&self, name: &str, words: &[&[u8]]) -> Result<()> {
        let table = self.lua.create_table_with_capacity(words.len(), 0)?;
        for word in words {
            table.raw_push(self.lua.create_string(word)?)?;
        }
        self.lua.globals().raw_set(name, table)
    }
}

/// As Redis turns what a script returns into an answer: numbers lose what is behind the point.
fn written(value: &Value) -> String {
    match value {
        Value::Integer(number) => format!(":{number}\r\n"),
        Value::Number(number) => format!(":{}\r\n", *number as i64),
        Value::Table(table) => {
            let items: Vec<Value> = table.sequence_values().map(|item| item.unwrap()).collect();
            items
                .iter()
                .fold(format!("*{}\r\n", items.len()), |all, item| all + &written(item))
        }
        other => panic!("no script of the limiter answers {other:?}"),
    }
}

/// As Redis turns what a script gives a command into words.
fn bytes(value: &Value) -> Bytes {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Number(number) => number.to_string().into_bytes(),
        other => panic!("no command takes {other:?}"),
    }
}

fn number<T: std::str::FromStr>(word: &[u8]) -> Result<T> {
    let number = std::str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| mlua::Error::runtime(format!("ERR {} is not a number", word.escape_ascii())))
}

fn wrong_type() -> mlua::Error {
    mlua::Error::runtime("WRONGTYPE Operation against a key holding the wrong kind of value")
}

impl Store {
    fn hash(&mut self, key: &[u8]) -> Result<&mut Vec<(Bytes, Bytes)>> {
        let held = self
            .0
            .entry(key.to_vec())
            .or_insert_with(|| (Held::Hash(Vec::new()), u64::MAX));
        match &mut held.0 {
            Held::Hash(hash) => Ok(hash),
            Held::Sorted(_) => Err(wrong_type()),
        }
    }

    fn sorted(&mut self, key: &[u8]) -> Result<&mut BTreeMap<Bytes, f64>> {
        let held = self
            .0
            .entry(key.to_vec())
            .or_insert_with(|| (Held::Sorted(BTreeMap::new()), u64::MAX));
        match &mut held.0 {
            Held::Sorted(sorted) => Ok(sorted),
            Held::Hash(_) => Err(wrong_type()),
        }
    }

    fn forget(&mut self, key: &[u8]) {
        if self
            .0
            .get(key)
            .is_some_and(|(_, until)| *until <= played::unix_micros())
        {
            self.0.remove(key);
        }
    }

    fn run(&mut self, lua: &mlua::Lua, words: &[Bytes]) -> Result<Value> {
        let (name, words) = words.split_first().unwrap();
        if let Some(key) = words.first() {
            self.forget(key);
        }
        let whole = |number: usize| Ok(Value::Number(number as f64));
        match (name.as_slice(), words) {
            (b"TIME", []) => {
                let now = played::unix_micros();
                let parts = [now / 1_000_000, now % 1_000_000].map(|part| part.to_string());
                lua.create_sequence_from(parts).map(Value::Table)
            }
            (b"HMGET", [key, fields @ ..]) => {
                let answer: Table = lua.create_table_with_capacity(fields.len(), 0)?;
                let hash = if self.0.contains_key(key) {
                    Some(self.hash(key)?)
                } else {
                    None
                };
                for field in fields {
                    match hash
                        .as_ref()
                        .and_then(|hash| hash.iter().find(|(name, _)| name == field))
                    {
                        Some((_, value)) => answer.raw_push(lua.create_string(value)?)?,
                        None => answer.raw_push(false)?,
                    }
                }
                Ok(Value::Table(answer))
            }
            (b"HSET", [key, pairs @ ..]) if pairs.len().is_multiple_of(2) => {
                let hash = self.hash(key)?;
                let before = hash.len();
                for pair in pairs.chunks(2) {
                    match hash.iter_mut().find(|(name, _)| *name == pair[0]) {
                        Some((_, value)) => value.clone_from(&pair[1]),
                        None => hash.push((pair[0].clone(), pair[1].clone())),
                    }
                }
                whole(hash.len() - before)
            }
            (b"DEL", [key]) => whole(usize::from(self.0.remove(key).is_some())),
            (b"EXPIRE" | b"PEXPIRE", [key, time]) => {
                let unit = if name == b"EXPIRE" { 1_000_000 } else { 1_000 };
                let until = played::unix_micros() + number::<u64>(time)? * unit;
                whole(usize::from(self.0.get_mut(key).map(|held| held.1 = until).is_some()))
            }
            (b"ZSCORE", [key, member]) => match self.sorted(key)?.get(member) {
                Some(score) => lua.create_string(score.to_string()).map(Value::String),
                None => Ok(Value::Boolean(false)),
            },
            (b"ZADD", [key, score, member]) => {
                let score = number(score)?;
                whole(usize::from(self.sorted(key)?.insert(member.clone(), score).is_none()))
            }
            (b"ZREMRANGEBYSCORE", [key, least, most]) if least == b"-inf" && most.starts_with(b"(") => {
                let most: f64 = number(&most[1..])?;
                let sorted = self.sorted(key)?;
                let before = sorted.len();
                sorted.retain(|_, score| *score >= most);
                whole(before - sorted.len())
            }
            (b"ZCARD", [key]) => whole(self.sorted(key)?.len()),
            _ => panic!("the played Redis has no {}", name.escape_ascii()),
        }
    }
}

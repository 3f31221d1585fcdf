//! A Redis that is played: the protocol over a pipe in this process, the few commands that the limiter's connection sends, and how it
//! goes away and comes back, with or without what it knew. What scripts do is the business of `lua`.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tenant_crm_sync::limit::redis::Remote;
use tenant_crm_sync::limit::redis::stream::{Stream, Way};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use super::lua::Lua;
use super::played::sleep;

/// Bytes in a pipe.
const PIPE: usize = 1 << 16;
/// Milliseconds from a command to its answer.
const WAY: u64 = 1;

thread_local! {
    /// Lua stays on its thread, which is the only one of a run.
    static LUA: RefCell<Option<Lua>> = const { RefCell::new(None) };
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// It takes commands and answers nothing.
    Frozen,
    /// It is not there.
    Gone,
}

/// The server, as all hosts see it.
pub struct Server {
    mood: Mood,
    /// Scripts that were run.
    pub scripts: u64,
    /// Times that it came up without what it knew: each has a history of its own.
    births: u64,
    connections: Vec<JoinHandle<()>>,
}

impl Server {
    /// An empty one.
    pub fn start() -> Arc<Mutex<Self>> {
        LUA.set(Some(Lua::new()));
        Arc::new(Mutex::new(Self {
            mood: Mood::Well,
            scripts: 0,
            births: 1,
            connections: Vec::new(),
        }))
    }

    /// From now on it is like that. Its connections break when it goes.
    pub fn set(&mut self, mood: Mood) {
        if mood == Mood::Gone {
            self.connections.drain(..).for_each(|connection| connection.abort());
        }
        self.mood = mood;
    }

    /// It comes up again without what it knew.
    pub fn lose_and_come_back(&mut self) {
        LUA.set(Some(Lua::new()));
        self.births += 1;
        self.mood = Mood::Well;
    }
}

/// A host's way to it.
pub fn remote(server: &Arc<Mutex<Server>>, host: &str) -> Remote {
    let server = Arc::clone(server);
    let way: Way = Arc::new(move || {
        let (near, far) = tokio::io::duplex(PIPE);
        let mut here = server.lock();
        if here.mood == Mood::Gone {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        here.connections.retain(|connection| !connection.is_finished());
        here.connections.push(tokio::spawn(serve(Arc::clone(&server), far)));
        Ok(Box::new(near) as Box<dyn Stream>)
    });
    Remote::by(way, host).unwrap()
}

async fn serve(server: Arc<Mutex<Server>>, mut pipe: DuplexStream) {
    let mut bytes = Vec::new();
    loop {
        // The other end has gone.
        if !matches!(pipe.read_buf(&mut bytes).await, Ok(1..)) {
            return;
        }
        sleep(WAY).await;
        let (mood, births) = {
            let server = server.lock();
            (server.mood, server.births)
        };
        if mood != Mood::Well {
            continue;
        }
        let mut answers = Vec::new();
        let mut from = 0;
        while let Some((words, length)) = command(&bytes[from..]) {
            from += length;
            server.lock().scripts += 1;
            answer(&words, births, &mut answers);
        }
        bytes.drain(..from);
        if pipe.write_all(&answers).await.is_err() {
            return;
        }
    }
}

/// The first command in these bytes, and its length; `None`: it is not whole yet.
fn command(bytes: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let mut at = 0;
    let mut words = Vec::new();
    let count = number(bytes, &mut at, b'*')?;
    for _ in 0..count {
        let length = number(bytes, &mut at, b'$')?;
        words.push(bytes.get(at..at + length)?);
        at += length + 2;
    }
    (at <= bytes.len()).then_some((words, at))
}

fn number(bytes: &[u8], at: &mut usize, kind: u8) -> Option<usize> {
    let line = bytes.get(*at..)?;
    let end = line.windows(2).position(|two| two == b"\r\n")?;
    assert_eq!(line[0], kind, "{}", line.escape_ascii());
    *at += end + 2;
    Some(std::str::from_utf8(&line[1..end]).unwrap().parse().unwrap())
}

fn answer(words: &[&[u8]], births: u64, answers: &mut Vec<u8>) {
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let name = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    match name.as_slice() {
        b"CLIENT" | b"SELECT" => answers.extend_from_slice(b"+OK\r\n"),
        b"INFO" => bulk(
            format!("# Replication\r\nmaster_replid:{births:040}\r\n").as_bytes(),
            answers,
        ),
        b"SCRIPT" => bulk(lua(|lua| lua.load(words[2])).as_bytes(), answers),
        b"EVALSHA" => {
            let keys = text(words[2]).parse::<usize>().unwrap();
            let (keys, arguments) = words[3..].split_at(keys);
            match lua(|lua| lua.run(&text(words[1]), keys, arguments)) {
                Some(Ok(numbers)) => answers.extend_from_slice(numbers.as_bytes()),
                Some(Err(error)) => panic!("a script has failed: {error}"),
                None => answers.extend_from_slice(b"-NOSCRIPT No matching script.\r\n"),
            }
        }
        _ => panic!("the played Redis knows no {}", text(words[0])),
    }
}

fn lua<T>(ask: impl FnOnce(&mut Lua) -> T) -> T {
    LUA.with_borrow_mut(|lua| ask(lua.as_mut().unwrap()))
}

fn bulk(bytes: &[u8], answers: &mut Vec<u8>) {
    answers.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
    answers.extend_from_slice(bytes);
    answers.extend_from_slice(b"\r\n");
}

//! What a command does.

use std::time::Duration;

use redis::{Value, parse_redis_value};
use store::streams::FIELD;
use tokio::time::Instant;

use crate::redis::server::{EntryId, State, Stream};

/// The words of a command.
pub(super) type Words = Vec<Vec<u8>>;

/// A reading that waits until there is something.
pub(super) struct Reading {
    pub count: usize,
    pub block: Option<Duration>,
    pub streams: Vec<(Vec<u8>, EntryId)>,
}

/// Entries that are younger than this may not be seen by a stale read.
const STALE: Duration = Duration::from_millis(700);

fn text(words: &Words, place: usize) -> String {
    words.get(place).map(|word| String::from_utf8_lossy(word).into_owned()).unwrap_or_default()
}

fn number(words: &Words, place: usize) -> u64 {
    text(words, place).parse().unwrap_or(0)
}

fn id(text: &str) -> EntryId {
    let (first, second) = text.split_once('-').unwrap_or((text, "0"));
    (first.parse().unwrap_or(0), second.parse().unwrap_or(0))
}

fn shown(id: EntryId) -> Value {
    Value::BulkString(format!("{}-{}", id.0, id.1).into_bytes())
}

fn error(why: &str) -> Value {
    parse_redis_value(format!("-ERR {why}\r\n").as_bytes()).unwrap_or(Value::Nil)
}

/// The reading, if the command is one.
pub(super) fn reading(words: &Words) -> Option<Reading> {
    if text(words, 0) != "XREAD" {
        return None;
    }
    let at = |name: &str| words.iter().position(|word| word == name.as_bytes());
    let streams = at("STREAMS")? + 1;
    let count = (words.len() - streams) / 2;
    let ids = (0..count).map(|place| id(&text(words, streams + count + place)));
    Some(Reading {
        count: at("COUNT").map_or(usize::MAX, |place| number(words, place + 1) as usize),
        block: at("BLOCK").map(|place| Duration::from_millis(number(words, place + 1))),
        streams: words[streams..streams + count].iter().cloned().zip(ids).collect(),
    })
}

impl Reading {
    /// The answer, if there is something.
    pub fn answer(&self, state: &mut State, is_stale: bool) -> Option<Value> {
        let now = Instant::now();
        let mut found = Vec::new();
        for (key, after) in &self.streams {
            let Some(kept) = state.get(key) else { continue };
            let after = (std::ops::Bound::Excluded(*after), std::ops::Bound::Unbounded);
            let new = kept.stream.entries.range(after);
            let new = new.filter(|(_, (added, _))| !is_stale || now.duration_since(*added) > STALE);
            let entries: Vec<Value> =
                new.take(self.count).map(|(id, (_, value))| entry(*id, value)).collect();
            if !entries.is_empty() {
                found.push(Value::Array(vec![Value::BulkString(key.clone()), Value::Array(entries)]));
            }
        }
        (!found.is_empty()).then_some(Value::Array(found))
    }
}

fn entry(id: EntryId, value: &[u8]) -> Value {
    let fields = vec![Value::BulkString(FIELD.as_bytes().to_vec()), Value::BulkString(value.to_vec())];
    Value::Array(vec![shown(id), Value::Array(fields)])
}

/// Executes a command that does not wait.
pub(super) fn execute(state: &mut State, words: &Words) -> Value {
    let key = words.get(1).cloned().unwrap_or_default();
    match text(words, 0).as_str() {
        "PING" => Value::SimpleString("PONG".to_owned()),
        "DEL" => Value::Int(i64::from(state.delete(&key))),
        "TYPE" => Value::SimpleString(if state.get(&key).is_some() { "stream" } else { "none" }.to_owned()),
        "PEXPIRE" => {
            let expires = Instant::now() + Duration::from_millis(number(words, 2));
            Value::Int(i64::from(state.get(&key).map(|kept| kept.expires = Some(expires)).is_some()))
        }
        "XDEL" => {
            let Some(kept) = state.get(&key) else { return Value::Int(0) };
            let ids = (2..words.len()).map(|place| id(&text(words, place)));
            Value::Int(ids.filter(|id| kept.stream.entries.remove(id).is_some()).count() as i64)
        }
        "XTRIM" => {
            let Some(kept) = state.get(&key) else { return Value::Int(0) };
            let first = id(&text(words, 3));
            kept.stream.entries.retain(|id, _| *id >= first);
            Value::Int(0)
        }
        "XINFO" => match words.get(2).and_then(|key| state.get(key)) {
            None => error("no such key"),
            Some(kept) => {
                let name = Value::BulkString(b"last-generated-id".to_vec());
                Value::Array(vec![name, shown(kept.stream.last)])
            }
        },
        "XADD" => add(&mut state.make(&key).stream, words),
        other => error(&format!("unknown command {other}")),
    }
}

fn add(stream: &mut Stream, words: &Words) -> Value {
    let place = if text(words, 2) == "MAXLEN" { 5 } else { 2 };
    let wanted = text(words, place);
    let next = (stream.last.0, stream.last.1 + 1);
    let id = if wanted == "*" { next } else { id(&wanted) };
    if id <= stream.last {
        return error("The ID specified in XADD is equal or smaller than the target stream top item");
    }
    stream.last = id;
    stream.entries.insert(id, (Instant::now(), words.get(place + 2).cloned().unwrap_or_default()));
    shown(id)
}

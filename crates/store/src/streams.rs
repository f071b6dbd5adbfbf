//! The answer to a read of Redis streams. The client's own types fail the whole read for one entry that is not text,
//! and the reader would find that entry again for ever.

use std::collections::HashMap;

use redis::{FromRedisValue, Value};

/// An entry of a stream; values that are not text are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    fields: HashMap<String, String>,
}

impl Entry {
    fn of(entry: Value) -> Option<Self> {
        let (id, fields): (String, Vec<Value>) = redis::from_redis_value(entry).ok()?;
        let texts: Vec<_> = fields.into_iter().map(|text| String::from_redis_value(text).ok()).collect();
        let pairs = texts.chunks_exact(2).filter_map(|pair| Some((pair[0].clone()?, pair[1].clone()?)));
        Some(Self { id, fields: pairs.collect() })
    }

    /// The value of a field.
    pub fn text(&self, field: &str) -> Option<String> {
        self.fields.get(field).cloned()
    }
}

/// Parses the answer to an `XREAD`: the streams with new entries, by key, and their entries in order.
pub fn read(found: Value) -> Vec<(String, Vec<Entry>)> {
    let Value::Array(streams) = found else { return Vec::new() };
    let stream = |stream: Value| {
        let (key, entries): (String, Vec<Value>) = redis::from_redis_value(stream).ok()?;
        Some((key, entries.into_iter().filter_map(Entry::of).collect()))
    };
    streams.into_iter().filter_map(stream).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &[u8]) -> Value {
        Value::BulkString(text.to_vec())
    }

    #[test]
    fn an_entry_that_is_no_text_hides_no_other() {
        let entry = |id: &[u8], fields: &[&[u8]]| {
            Value::Array(vec![text(id), Value::Array(fields.iter().map(|field| text(field)).collect())])
        };
        let entries = vec![
            entry(b"1-0", &[b"id", b"a"]),
            entry(b"2-0", &[b"\xff", b"x", b"id", b"\xfe", b"name", b"b", b"odd"]),
            Value::Int(3),
            entry(b"4-0", &[]),
        ];
        let answer = Value::Array(vec![Value::Nil, Value::Array(vec![text(b"key"), Value::Array(entries)])]);
        let [(key, found)] = &read(answer)[..] else { panic!("one stream") };
        let ids: Vec<&str> = found.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!((key.as_str(), ids), ("key", vec!["1-0", "2-0", "4-0"]));
        assert_eq!((found[0].text("id"), found[1].text("id")), (Some("a".into()), None));
        assert_eq!(found[1].text("name").as_deref(), Some("b"));
        for nothing in [Value::Nil, Value::Int(1), Value::Array(vec![Value::Nil, Value::Array(vec![])])] {
            assert_eq!(read(nothing), []);
        }
    }
}

//! The answer to a read of Redis streams. The client's own types fail the whole read for one entry of another form, and
//! the reader would find that entry again for ever.

use redis::{FromRedisValue, Value};

/// The one field of an entry. Its value is sealed.
pub const FIELD: &str = "sealed";

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    /// The value of its field; empty, which does not open, if the entry has other fields.
    pub sealed: Vec<u8>,
}

impl Entry {
    fn of(entry: Value) -> Option<Self> {
        let (id, fields): (String, Vec<Value>) = redis::from_redis_value(entry).ok()?;
        let bytes: Vec<Vec<u8>> =
            fields.into_iter().map(|field| Vec::from_redis_value(field).unwrap_or_default()).collect();
        let sealed = match <[Vec<u8>; 2]>::try_from(bytes) {
            Ok([name, value]) if name == FIELD.as_bytes() => value,
            _ => Vec::new(),
        };
        Some(Self { id, sealed })
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
    fn an_entry_of_another_form_hides_no_other() {
        let entry = |id: &[u8], fields: &[&[u8]]| {
            Value::Array(vec![text(id), Value::Array(fields.iter().map(|field| text(field)).collect())])
        };
        let entries = vec![
            entry(b"1-0", &[b"sealed", b"\x01\xff"]),
            entry(b"2-0", &[b"\xff", b"x", b"sealed", b"a"]),
            Value::Int(3),
            entry(b"4-0", &[]),
            entry(b"5-0", &[b"sealed"]),
            entry(b"6-0", &[b"opened", b"x"]),
        ];
        let answer = Value::Array(vec![Value::Nil, Value::Array(vec![text(b"key"), Value::Array(entries)])]);
        let [(key, found)] = &read(answer)[..] else { panic!("one stream") };
        let found: Vec<(&str, &[u8])> =
            found.iter().map(|entry| (entry.id.as_str(), &*entry.sealed)).collect();
        let nothing: &[u8] = b"";
        let expected = [("1-0", b"\x01\xff".as_slice()), ("2-0", nothing), ("4-0", nothing)];
        assert_eq!((key.as_str(), &found[..3]), ("key", &expected[..]));
        assert_eq!(found[3..], [("5-0", nothing), ("6-0", nothing)]);
        for nothing in [Value::Nil, Value::Int(1), Value::Array(vec![Value::Nil, Value::Array(vec![])])] {
            assert_eq!(read(nothing), []);
        }
    }
}

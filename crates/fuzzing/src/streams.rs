//! What comes through Redis. Somebody else may write there; and a node of another version may have sealed what is there.

use std::sync::LazyLock;

use kernel::ids::Id;
use runtime::remote::calls::{Message, Reply, Request, pack};
use store::seal::{OVERHEAD_BYTES, Purpose, Seal};
use store::streams;

static SEAL: LazyLock<Seal> = LazyLock::new(|| Seal::new(&[vec![7; 32]], Id::of_bits(1)));

/// The answer of Redis to a read of streams, byte for byte. Nothing in it opens, because nobody has sealed it.
pub fn entry(input: &[u8]) {
    if let Ok(answer) = redis::parse_redis_value(input) {
        for (key, entries) in streams::read(answer) {
            for entry in entries {
                let opened = SEAL.open(Purpose::Events, &key, 1, &entry.sealed);
                assert_eq!(opened, None, "nobody has sealed {:?}", entry.sealed);
            }
        }
    }
    let sealed = SEAL.seal(Purpose::Calls, "calls", 3, input);
    assert_eq!(sealed.len(), input.len() + OVERHEAD_BYTES);
    assert_eq!(SEAL.open(Purpose::Calls, "calls", 3, &sealed).as_deref(), Some(input));
    assert_eq!(SEAL.open(Purpose::Events, "calls", 3, &sealed), None, "another purpose opens it");
}

/// A sealed text: a call, a reply, an event or none. What was read is written and read as the same.
pub fn call(input: &[u8]) {
    let Some(message) = Message::unpack(input) else { return };
    if let Some(request) = Request::read(|name| message.text(name)) {
        let again = Message::unpack(&pack(&request.fields())).expect("what was packed");
        assert_eq!(Request::read(|name| again.text(name)), Some(request));
    }
    if let Some(reply) = Reply::read(|name| message.text(name)) {
        let again = Message::unpack(&pack(&reply.fields())).expect("what was packed");
        assert_eq!(Reply::read(|name| again.text(name)), Some(reply));
    }
}

//! A client's cursor in the live feed: a number of the log as short opaque text. Pure.
//!
//! A cursor is valid on every node and after every restart, because the numbers are those of the log. It belongs to its log: a
//! restored database gives the numbers after its last event again, to other events, and has another [`LogId`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::ids::Id;
use sha2::{Digest, Sha256};

/// The first byte: the version of the format. 1 was a number per partition, which does not say in which order events of
/// different partitions were committed; 2 did not say of which log it was.
const VERSION: u8 = 3;
/// Bytes of a hash at the end, by which a damaged cursor and one of another log are recognised.
const CHECK: usize = 8;
/// The version, a number of at most nine bytes (63 bits), the check.
const LENGTH_MAX: usize = 1 + 9 + CHECK;
/// The longest text of a cursor.
pub const TEXT_MAX: usize = LENGTH_MAX.div_ceil(3) * 4;

/// Tells the log of a database from that of the backup it was restored from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogId(u128);

impl From<Id> for LogId {
    fn from(id: Id) -> Self {
        Self(id.bits())
    }
}

/// Writes the number of the last event as text: unsigned LEB128 with a check, in base64url.
pub fn encode(log: LogId, number: i64) -> String {
    let mut bytes = vec![VERSION];
    let mut rest = number as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes.extend_from_slice(&check(log, &bytes));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The number in a text that [`encode`] made for this log; `None` for any other text.
pub fn decode(log: LogId, text: &str) -> Option<i64> {
    let bytes = (text.len() <= TEXT_MAX).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    if sum != check(log, body) {
        return None;
    }
    let (version, mut rest) = body.split_first()?;
    let number = read(&mut rest)?;
    (*version == VERSION && rest.is_empty()).then_some(number)
}

fn read(bytes: &mut &[u8]) -> Option<i64> {
    let mut number = 0;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= i64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn check(log: LogId, bytes: &[u8]) -> [u8; CHECK] {
    let hash = Sha256::new().chain_update(log.0.to_be_bytes()).chain_update(bytes).finalize();
    std::array::from_fn(|place| hash[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: LogId = LogId(7);

    proptest! {
        #[test]
        fn what_was_encoded_is_read_again(number in 0..=i64::MAX) {
            let text = encode(LOG, number);
            prop_assert!(text.len() <= TEXT_MAX);
            prop_assert_eq!(decode(LOG, &text), Some(number));
        }

        #[test]
        fn any_other_text_is_unknown(text in "[A-Za-z0-9_-]{0,60}") {
            prop_assume!(decode(LOG, &text).is_none_or(|number| encode(LOG, number) != text));
            prop_assert_eq!(decode(LOG, &text), None);
        }

        #[test]
        fn a_cursor_of_another_log_is_unknown(number in 0..=i64::MAX, other in any::<u128>()) {
            prop_assume!(LogId(other) != LOG);
            prop_assert_eq!(decode(LOG, &encode(LogId(other), number)), None);
        }
    }

    #[test]
    fn a_cursor_is_short() {
        assert_eq!((encode(LOG, 9).len(), encode(LOG, 1_000_000).len()), (14, 16));
    }

    #[test]
    fn a_cursor_of_a_format_before_is_unknown() {
        for bytes in [vec![1; 17], vec![2, 9]] {
            let check: [u8; 4] = std::array::from_fn(|place| Sha256::digest(&bytes)[place]);
            assert_eq!(decode(LOG, &URL_SAFE_NO_PAD.encode([&bytes[..], &check].concat())), None);
        }
    }
}

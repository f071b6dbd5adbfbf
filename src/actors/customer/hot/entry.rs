//! What stands under a key of Redis: a token, or a value with the time of its token. Pure.

use std::time::Duration;

use domain::customer::record::Customer;
use kernel::clock::Timestamp;
use runtime::cluster::clock::ClusterTime;

/// The lifetime of a token and of the value that replaces it.
pub const ENTRY_TTL: Duration = Duration::from_secs(1);
/// The clocks of Redis and of a node differ by less over a second.
pub const MARGIN: Duration = Duration::from_millis(200);
/// How much two nodes' readings of the cluster's clock may differ, for an entry to be used.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(1);
/// An entry whose time is further off than this was put there by somebody else. A node whose clock was read badly is not
/// so far off.
const PUT_BACK: Duration = Duration::from_secs(30);
/// How soon after the decision a change is committed, and how much the clocks of two nodes differ: together.
const COMMITTED_WITHIN: Duration = Duration::from_millis(300);
/// The bytes of the time at the beginning of a token and of a value.
pub const TIME_BYTES: usize = 8;

/// The token of a reader, and its time.
pub struct Token {
    pub made: ClusterTime,
    pub sealed: Vec<u8>,
}

/// Whether the time of an entry allows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Usable,
    /// Too old, or from the future; the clocks may differ by so much.
    Off,
    /// No node has just written this.
    Impossible,
}

/// Judges an entry of this time that was found by a command, which was sent at `asked` and answered at `answered`.
pub fn age(made: ClusterTime, asked: ClusterTime, answered: ClusterTime) -> Age {
    let old = made.plus(ENTRY_TTL + MARGIN + CLOCKS_DIFFER).until(asked);
    let early = answered.plus(CLOCKS_DIFFER).until(made);
    match old.max(early) {
        Duration::ZERO => Age::Usable,
        off if off < PUT_BACK => Age::Off,
        _ => Age::Impossible,
    }
}

/// The text of a token (without a customer) or a value, before it is sealed.
pub fn text(made: ClusterTime, customer: Option<&Customer>) -> Vec<u8> {
    let mut text = made.0.to_be_bytes().to_vec();
    if let Some(customer) = customer {
        serde_json::to_writer(&mut text, customer).expect("states are plain structs");
    }
    text
}

/// How long a value that is older than this version may still be found, if nobody deletes it.
pub fn older_values_live(version: i64, updated_at: Timestamp, now: Timestamp) -> Duration {
    if version == 1 {
        return Duration::ZERO;
    }
    (ENTRY_TTL + MARGIN + COMMITTED_WITHIN).saturating_sub(now.since(updated_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_used_for_as_long_as_an_honest_redis_keeps_it_and_alarms_when_it_was_put_back() {
        let at = |millis: i64| ClusterTime(1_764_068_400_000_000 + millis * 1_000);
        for (made, expected) in [
            (0, Age::Usable),
            (-1_000, Age::Usable),
            (-2_200, Age::Usable),
            (-2_201, Age::Off),
            (-32_199, Age::Off),
            (-32_200, Age::Impossible),
            (1_050, Age::Usable),
            (1_051, Age::Off),
            (31_050, Age::Impossible),
        ] {
            assert_eq!(age(at(made), at(0), at(50)), expected, "{made} ms");
        }
        // A node that hung between question and answer accuses nobody.
        assert_eq!(age(at(0), at(1_000), at(100_000)), Age::Usable);
        assert_eq!(age(ClusterTime(i64::MIN), at(0), at(0)), Age::Impossible);
        assert_eq!(age(ClusterTime(i64::MAX), at(0), at(0)), Age::Impossible);
    }

    #[test]
    fn older_values_are_waited_for_where_there_may_be_some() {
        let changed = Timestamp::from_micros(1_764_068_400_000_000);
        let after = |millis| changed.plus(Duration::from_millis(millis));
        let waits = |version, now| older_values_live(version, changed, now).as_millis();
        assert_eq!(waits(1, changed), 0, "nothing is older than version 1");
        assert_eq!(waits(2, changed), 1_500);
        assert_eq!(waits(2, after(1_400)), 100);
        assert_eq!(waits(2, after(1_500)), 0);
        assert_eq!(waits(2, after(100_000)), 0);
        assert_eq!(waits(2, changed.minus(Duration::from_secs(9))), 1_500, "by a clock that is behind");
    }
}

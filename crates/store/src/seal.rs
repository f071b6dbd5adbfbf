//! Seals what the nodes of a cluster exchange through Redis. Whoever can write to Redis can then only make entries that
//! no node opens, and whoever can read it learns keys, times and sizes.
//!
//! A sealed entry is a format byte, a random nonce of 12 bytes, and the text, encrypted by AES-256-GCM-SIV, with its tag
//! of 16 bytes. Each purpose has a key of its own, derived by HKDF-SHA256 from the cluster's secret and id. The name of
//! the entry's key in Redis and its position there are associated data, so that a copy opens nowhere else. A nonce that
//! is drawn twice shows whether two texts are equal, and nothing more.
//!
//! While a secret is replaced, several are in force: the first one seals, and each of them opens.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use kernel::alarm::Alarm;
use kernel::ids::Id;

/// The first byte of an entry.
const FORMAT: u8 = 1;
/// The bytes before the encrypted text.
const HEADER_BYTES: usize = 1 + NONCE_LEN;
/// By how many bytes an entry is longer than its text.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + MAX_TAG_LEN;
/// The bytes of a key.
const KEY_BYTES: usize = 32;

/// What an entry is for. Each purpose has its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Events,
    Calls,
    Replies,
    Hot,
}

impl Purpose {
    pub const ALL: [Self; 4] = [Self::Events, Self::Calls, Self::Replies, Self::Hot];

    /// Its name in keys and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Calls => "calls",
            Self::Replies => "replies",
            Self::Hot => "hot",
        }
    }
}

/// Seals and opens entries; clones share the keys.
#[derive(Clone)]
pub struct Seal(Arc<[Keys]>);

/// The keys that are derived from one secret, in the order of [`Purpose::ALL`].
struct Keys([RandomizedNonceKey; 4]);

impl Seal {
    /// The keys of the cluster `cluster`. The first of the `secrets` seals, and each opens.
    ///
    /// # Panics
    /// Without a secret.
    pub fn new(secrets: &[Vec<u8>], cluster: Id) -> Self {
        assert!(!secrets.is_empty(), "a seal needs a secret");
        Self(secrets.iter().map(|secret| Keys::derive(secret, cluster)).collect())
    }

    /// Seals a text for its place: the key `name` in Redis, and the position there (0 where a key has no positions).
    pub fn seal(&self, purpose: Purpose, name: &str, position: i64, text: &[u8]) -> Vec<u8> {
        let mut entry = Vec::with_capacity(text.len() + OVERHEAD_BYTES);
        entry.push(FORMAT);
        entry.resize(HEADER_BYTES, 0);
        entry.extend_from_slice(text);
        let place = Aad::from(place(name, position));
        let sealed = self.0[0].of(purpose).seal_in_place_separate_tag(place, &mut entry[HEADER_BYTES..]);
        let (nonce, tag) = sealed.expect("the system has random numbers, and texts are shorter than 64 GiB");
        entry[1..HEADER_BYTES].copy_from_slice(nonce.as_ref());
        entry.extend_from_slice(tag.as_ref());
        entry
    }

    /// The text of an entry; `None` if no secret in force has sealed it for this place.
    pub fn open(&self, purpose: Purpose, name: &str, position: i64, entry: &[u8]) -> Option<Vec<u8>> {
        let (header, sealed) = entry.split_at_checked(HEADER_BYTES)?;
        if header[0] != FORMAT {
            return None;
        }
        let place = place(name, position);
        self.0.iter().find_map(|keys| {
            let mut text = sealed.to_vec();
            let nonce = Nonce::try_assume_unique_for_key(&header[1..]).ok()?;
            let length = keys.of(purpose).open_in_place(nonce, Aad::from(&place), &mut text).ok()?.len();
            text.truncate(length);
            Some(text)
        })
    }
}

impl Keys {
    fn derive(secret: &[u8], cluster: Id) -> Self {
        let root = Salt::new(HKDF_SHA256, &cluster.bits().to_be_bytes()).extract(secret);
        Self(Purpose::ALL.map(|purpose| {
            let info = [b"kizuna redis 2 ".as_slice(), purpose.as_str().as_bytes()];
            let mut key = [0; KEY_BYTES];
            root.expand(&info, HKDF_SHA256)
                .and_then(|made| made.fill(&mut key))
                .expect("one block of output");
            RandomizedNonceKey::new(&AES_256_GCM_SIV, &key).expect("a key of 32 bytes")
        }))
    }

    fn of(&self, purpose: Purpose) -> &RandomizedNonceKey {
        &self.0[purpose as usize]
    }
}

/// The associated data of an entry.
fn place(name: &str, position: i64) -> Vec<u8> {
    // The position has a fixed length, so that no two places have the same data.
    [&[FORMAT], name.as_bytes(), &position.to_be_bytes()].concat()
}

/// Counts what was refused, and reports it: a line at once, then at most one in ten seconds for each purpose.
#[derive(Debug, Default)]
pub struct Refusals([Mutex<Alarm>; 4]);

impl Refusals {
    /// Shows the counters, so that their first increase is seen as one.
    pub fn register() {
        Purpose::ALL.into_iter().for_each(|purpose| increase(purpose, 0));
    }

    /// Counts an entry of this key in Redis that was refused.
    pub fn count(&self, purpose: Purpose, name: &str) {
        increase(purpose, 1);
        let due = self.0[purpose as usize].lock().expect("no panic under this lock").due(Instant::now());
        if let Some(refused) = due {
            let purpose = purpose.as_str();
            tracing::error!(
                purpose,
                key = name,
                refused,
                "refused what this cluster's secret has not sealed for this place in Redis; \
                 somebody else writes there, or a node has another secret"
            );
        }
    }
}

fn increase(purpose: Purpose, by: u64) {
    metrics::counter!("kizuna_redis_refused_total", "purpose" => purpose.as_str()).increment(by);
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn secrets(names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| name.repeat(32).into_bytes()).collect()
    }

    #[test]
    fn an_entry_opens_at_its_place_and_nowhere_else() {
        let cluster = new_id();
        let seal = Seal::new(&secrets(&["a"]), cluster);
        let entry = seal.seal(Purpose::Events, "events:3", 7, "絆".as_bytes());
        assert_eq!(entry.len(), "絆".len() + OVERHEAD_BYTES);
        let open = |purpose, name, position| seal.open(purpose, name, position, &entry);
        assert_eq!(open(Purpose::Events, "events:3", 7).as_deref(), Some("絆".as_bytes()));
        assert_eq!(open(Purpose::Events, "events:3", 8), None, "another position");
        assert_eq!(open(Purpose::Events, "events:4", 7), None, "another key");
        assert_eq!(open(Purpose::Calls, "events:3", 7), None, "another purpose");
        for other in [Seal::new(&secrets(&["a"]), new_id()), Seal::new(&secrets(&["b"]), cluster)] {
            assert_eq!(other.open(Purpose::Events, "events:3", 7, &entry), None, "another cluster or secret");
        }
        let again = seal.seal(Purpose::Events, "events:3", 7, "絆".as_bytes());
        assert_ne!(again, entry, "equal texts do not look equal");
    }

    #[test]
    fn whatever_was_changed_or_cut_does_not_open() {
        let seal = Seal::new(&secrets(&["a"]), new_id());
        let entry = seal.seal(Purpose::Hot, "k", 0, b"");
        assert_eq!(seal.open(Purpose::Hot, "k", 0, &entry).as_deref(), Some(b"".as_slice()));
        for length in 0..entry.len() {
            assert_eq!(seal.open(Purpose::Hot, "k", 0, &entry[..length]), None, "{length} bytes");
        }
        for place in 0..entry.len() {
            let mut changed = entry.clone();
            changed[place] ^= 1;
            assert_eq!(seal.open(Purpose::Hot, "k", 0, &changed), None, "byte {place}");
        }
        let longer = [entry.as_slice(), b"\0"].concat();
        assert_eq!(seal.open(Purpose::Hot, "k", 0, &longer), None);
    }

    #[test]
    fn while_a_secret_is_replaced_each_node_opens_what_the_others_seal() {
        let cluster = new_id();
        let seal = |names: &[&str]| Seal::new(&secrets(names), cluster);
        let roll = [seal(&["old"]), seal(&["old", "new"]), seal(&["new", "old"]), seal(&["new"])];
        for neighbours in roll.windows(2) {
            for (from, to) in [(&neighbours[0], &neighbours[1]), (&neighbours[1], &neighbours[0])] {
                // Only a node that knows one secret must not meet one that seals with the other.
                let entry = from.seal(Purpose::Calls, "calls", 0, b"text");
                assert_eq!(to.open(Purpose::Calls, "calls", 0, &entry).as_deref(), Some(b"text".as_slice()));
            }
        }
        let entry = roll[3].seal(Purpose::Calls, "calls", 0, b"text");
        assert_eq!(roll[0].open(Purpose::Calls, "calls", 0, &entry), None);
    }
}

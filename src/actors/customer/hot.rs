//! Hot customers in Redis, for all nodes. Redis may be killed, paused, emptied or full at any time; an answer from it
//! is never older than an acknowledged change.
//!
//! Reading: a value under the customer's key is the answer. If the key is absent, the reader sets a token of its own
//! for [`ENTRY_TTL`], then reads the database, then replaces the token by what it read, if the token is still there,
//! for the time that the token has left. Changing: the key is deleted after the commit and before the answer.
//!
//! Why no answer is out of date: suppose that a value read before the commit is found after the change was answered.
//! Its token was set before it was read, so before the commit.
//! - The deletion was confirmed: it removed the token or the value. Tokens are never used twice, so nothing can put the
//!   value back.
//! - It was not confirmed (lost, late, Redis away): the change is answered [`ENTRY_TTL`] and [`MARGIN`] after the
//!   commit. By then the value has expired, because its time counts from its token. A paused Redis checks the time when
//!   it is asked.
//!
//! This needs a single Redis server: no replicas to fail over to, a clock that is not set back by more than the margin
//! within a second, and no snapshot that is loaded within a second of its making (`save ""`). While Redis is away, each
//! change or deletion of a customer takes a second longer. Creations do not: no reader can have looked for the id
//! before.
//!
//! Somebody else may write to Redis. Tokens and values are sealed for their customer's key, and carry the time of the
//! token. What does not open is refused. What opens was once made by a node; put back later, it is too old, so that a
//! hostile Redis can show a customer as it was [`ENTRY_TTL`], [`MARGIN`] and [`CLOCKS_DIFFER`] ago, and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::RedisResult;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};

use domain::customer::record::Customer;
use kernel::ids::Id;
use runtime::cluster::clock::{ClusterClock, ClusterTime};
use runtime::hot_state::{Hot, Stored};
use store::redis::{Redis, RedisKey};
use store::seal::OVERHEAD_BYTES;

/// The lifetime of a token and of the value that replaces it.
pub const ENTRY_TTL: Duration = Duration::from_secs(1);
/// The clocks of Redis and of a node differ by less over a second.
pub const MARGIN: Duration = Duration::from_millis(200);
/// How much two nodes' readings of the cluster's clock may differ, for an entry to be used.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(1);
/// An entry whose time is further off than this was put there by somebody else. A node whose clock was read badly is not
/// so far off.
const PUT_BACK: Duration = Duration::from_secs(30);
/// A Redis that takes longer counts as away: the database answers in a few milliseconds.
const REDIS_TIMEOUT: Duration = Duration::from_millis(50);
/// How long Redis is left alone after that.
const REDIS_COOLDOWN: Duration = Duration::from_millis(500);
/// The pause before a deletion is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// The longest value that is shared: few customers with long notes are hot.
const VALUE_BYTES_MAX: usize = 16 * 1024;
/// The bytes of the time at the beginning of a token and of a value.
const TIME_BYTES: usize = 8;
/// The kind in the keys of Redis.
const KIND: &str = "customer";

/// The customers that all nodes share in Redis.
pub struct HotCustomers {
    redis: Redis,
    /// Outlives the caller, so that a command that has begun is not cut off.
    runtime: Handle,
    clock: ClusterClock,
    began: Instant,
    /// Milliseconds after `began` until which Redis is left alone.
    away_until: AtomicU64,
}

/// What stands under a key.
enum Found {
    /// Redis is away, or the time is unknown.
    Away,
    Nothing,
    /// A token, or what is not used.
    Unusable,
    Value(Box<Customer>),
}

/// The token of a reader, and its time.
struct Token {
    made: ClusterTime,
    sealed: Vec<u8>,
}

/// Whether the time of an entry allows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Usable,
    /// Too old, or from the future; the clocks may differ by so much.
    Off,
    /// No node has just written this.
    Impossible,
}

/// Judges an entry of this time that was found by a command, which was sent at `asked` and answered at `answered`.
fn age(made: ClusterTime, asked: ClusterTime, answered: ClusterTime) -> Age {
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

impl HotCustomers {
    pub fn new(redis: Redis, runtime: Handle, clock: ClusterClock) -> Self {
        Self { redis, runtime, clock, began: Instant::now(), away_until: AtomicU64::new(0) }
    }

    async fn find(&self, id: Id, stored: BoxFuture<'_, Stored<Customer>>) -> Stored<Customer> {
        let key = self.redis.hot(KIND, id);
        let found = self.look(&key).await;
        count(match &found {
            Found::Value(_) => "hit",
            Found::Away => "away",
            Found::Nothing | Found::Unusable => "miss",
        });
        // Only the reader who set a token replaces it.
        let token = match found {
            Found::Value(customer) => return Ok(Some((*customer).into())),
            Found::Nothing => self.claim(&key).await,
            Found::Away | Found::Unusable => None,
        };
        let customer = stored.await?;
        if let (Some(token), Some(customer)) = (token, &customer) {
            self.fill(key, token, customer);
        }
        Ok(customer)
    }

    async fn look(&self, key: &RedisKey) -> Found {
        let Some(asked) = self.clock.now().filter(|_| !self.is_left_alone()) else { return Found::Away };
        let longest = TIME_BYTES + VALUE_BYTES_MAX + OVERHEAD_BYTES;
        let (redis, of) = (self.redis.clone(), key.clone());
        match self.ask(async move { redis.look(&of, longest).await }).await {
            None => Found::Away,
            Some(None) => Found::Nothing,
            Some(Some(entry)) => self.open(key, &entry, asked),
        }
    }

    /// Opens what stands under a key; deletes what no node has just written there.
    fn open(&self, key: &RedisKey, entry: &[u8], asked: ClusterTime) -> Found {
        let text = self.redis.open(key, 0, entry);
        let Some((made, customer)) = text.as_ref().and_then(|text| text.split_first_chunk::<TIME_BYTES>())
        else {
            self.delete(key);
            return Found::Unusable;
        };
        let made = ClusterTime(i64::from_be_bytes(*made));
        match age(made, asked, self.clock.now().unwrap_or(asked)) {
            Age::Usable => match serde_json::from_slice(customer) {
                Ok(customer) => Found::Value(customer),
                // A token, or the value of a newer version.
                Err(_) => Found::Unusable,
            },
            age => {
                if age == Age::Impossible {
                    self.redis.refuse(key);
                }
                self.delete(key);
                Found::Unusable
            }
        }
    }

    /// Deletes a key in the background: the answer does not depend on it.
    fn delete(&self, key: &RedisKey) {
        let (redis, key) = (self.redis.clone(), key.clone());
        self.runtime.spawn(async move {
            let _ = redis.delete(&key).await;
        });
    }

    async fn claim(&self, key: &RedisKey) -> Option<Token> {
        let made = self.clock.now()?;
        let token = Token { made, sealed: self.redis.seal(key, 0, &text(made, None)) };
        let (redis, key) = (self.redis.clone(), key.clone());
        let claim = self.ask(async move {
            let done = redis.claim(&key, &token.sealed, ENTRY_TTL).await?;
            Ok(done.then_some(token))
        });
        claim.await.flatten()
    }

    /// Replaces the token in the background: the answer does not depend on it.
    fn fill(&self, key: RedisKey, token: Token, customer: &Customer) {
        let value = text(token.made, Some(customer));
        if value.len() <= TIME_BYTES + VALUE_BYTES_MAX {
            let redis = self.redis.clone();
            self.runtime.spawn(async move {
                // A token that was not replaced expires.
                let _ = redis.fill(&key, &token.sealed, &redis.seal(&key, 0, &value)).await;
            });
        }
    }

    async fn clear(&self, id: Id) {
        let (begun, key) = (Instant::now(), self.redis.hot(KIND, id));
        let over = begun + ENTRY_TTL + MARGIN;
        loop {
            let again = Instant::now() + AGAIN;
            let (redis, key) = (self.redis.clone(), key.clone());
            if self.ask(async move { redis.delete(&key).await }).await.is_some() {
                return;
            }
            if again >= over {
                return sleep_until(over).await;
            }
            sleep_until(again).await;
        }
    }

    /// The answer of Redis, if it comes in time.
    async fn ask<T: Send + 'static>(
        &self,
        command: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Option<T> {
        let answer = timeout(REDIS_TIMEOUT, self.runtime.spawn(command)).await;
        let (answer, until) = match answer {
            Ok(Ok(Ok(answer))) => (Some(answer), 0),
            _ => (None, (self.began.elapsed() + REDIS_COOLDOWN).as_millis() as u64),
        };
        self.away_until.store(until, Ordering::Relaxed);
        answer
    }

    fn is_left_alone(&self) -> bool {
        (self.began.elapsed().as_millis() as u64) < self.away_until.load(Ordering::Relaxed)
    }
}

fn count(result: &'static str) {
    metrics::counter!("kizuna_hot_customers_total", "result" => result).increment(1);
}

impl Hot<Customer> for HotCustomers {
    fn read<'a>(
        &'a self,
        id: Id,
        stored: BoxFuture<'a, Stored<Customer>>,
    ) -> BoxFuture<'a, Stored<Customer>> {
        self.find(id, stored).boxed()
    }

    fn changed(&self, id: Id) -> BoxFuture<'_, ()> {
        self.clear(id).boxed()
    }
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
}

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
//! A change is also known when its node has died before it deleted the key: to whoever is refused because of it, is
//! answered from the first answer under an idempotency key, or reads the new state from the database.
//! - A refusal and a first answer delete the key, as the change itself does.
//! - A reader whose token is still there replaces it before it answers; any other reader looks once more, and deletes
//!   a token or an older value. If Redis is away, the answer waits until every older value has expired: a moment, and
//!   only for a customer that has just been changed (`older_values_live`).
//!
//! So what is read of a customer never goes back. A deleted customer is a state like others here.
//!
//! This needs a single Redis server: no replicas to fail over to, a clock that is not set back by more than the margin
//! within a second, and no snapshot that is loaded within a second of its making (`save ""`). While Redis is away, each
//! change or deletion of a customer takes a second longer, also one that is refused. Creations do not: no reader can
//! have looked for the id before.
//!
//! Somebody else may write to Redis. Tokens and values are sealed for their customer's key, and carry the time of the
//! token. What does not open is refused. What opens was once made by a node; put back later, it is too old, so that a
//! hostile Redis can show a customer as it was [`ENTRY_TTL`], [`MARGIN`] and [`CLOCKS_DIFFER`] ago, and nothing else.

mod entry;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use entry::{CLOCKS_DIFFER, ENTRY_TTL, MARGIN, text};

use entry::{Age, TIME_BYTES, Token, age, older_values_live};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::RedisResult;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};

use domain::customer::record::Customer;
use kernel::clock::Clock;
use kernel::ids::Id;
use runtime::cluster::clock::{ClusterClock, ClusterTime};
use runtime::hot_state::{Hot, Stored};
use store::redis::{Redis, RedisKey, is_full};
use store::seal::OVERHEAD_BYTES;

/// A Redis that takes longer counts as away: the database answers in a few milliseconds.
const REDIS_TIMEOUT: Duration = Duration::from_millis(50);
/// How long Redis is left alone after that.
const REDIS_COOLDOWN: Duration = Duration::from_millis(500);
/// The pause before a deletion is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// The longest value that is shared: few customers with long notes are hot.
const VALUE_BYTES_MAX: usize = 16 * 1024;
/// The kind in the keys of Redis.
const KIND: &str = "customer";

/// The customers that all nodes share in Redis.
pub struct HotCustomers {
    redis: Redis,
    /// Outlives the caller, so that a command that has begun is not cut off.
    runtime: Handle,
    clock: ClusterClock,
    /// The clock by which customers are changed.
    node_clock: Clock,
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

impl HotCustomers {
    pub fn new(redis: Redis, runtime: Handle, clock: ClusterClock, node_clock: Clock) -> Self {
        Self { redis, runtime, clock, node_clock, began: Instant::now(), away_until: AtomicU64::new(0) }
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
        let is_settled = self.settle(&key, token, customer.as_deref()).await;
        if let Some(read) = customer.as_deref().filter(|_| !is_settled) {
            let now = self.node_clock.now();
            tokio::time::sleep(older_values_live(read.version, read.updated_at, now)).await;
        }
        Ok(customer)
    }

    /// Makes sure that nobody finds an older state than this one from now on; returns whether that is certain.
    async fn settle(&self, key: &RedisKey, token: Option<Token>, read: Option<&Customer>) -> bool {
        if let (Some(token), Some(read)) = (token, read)
            && self.fill(key, token, read).await
        {
            return true;
        }
        match self.look(key).await {
            Found::Away => false,
            Found::Nothing => true,
            Found::Value(held) if read.is_some_and(|read| read.version <= held.version) => true,
            Found::Value(_) | Found::Unusable => self.delete(key).await,
        }
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
            self.delete_beside(key);
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
                self.delete_beside(key);
                Found::Unusable
            }
        }
    }

    /// Deletes a key in the background: the answer does not depend on it.
    fn delete_beside(&self, key: &RedisKey) {
        let (redis, key) = (self.redis.clone(), key.clone());
        self.runtime.spawn(async move {
            let _ = redis.delete(&key).await;
        });
    }

    /// Deletes a key; returns whether Redis has confirmed it.
    async fn delete(&self, key: &RedisKey) -> bool {
        let (redis, key) = (self.redis.clone(), key.clone());
        self.ask(async move { redis.delete(&key).await }).await.is_some()
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

    /// Replaces the token by the customer that was read under it; returns whether it was still there.
    async fn fill(&self, key: &RedisKey, token: Token, customer: &Customer) -> bool {
        let value = text(token.made, Some(customer));
        if value.len() > TIME_BYTES + VALUE_BYTES_MAX {
            return false;
        }
        let (redis, key) = (self.redis.clone(), key.clone());
        let fill = async move { redis.fill(&key, &token.sealed, &redis.seal(&key, 0, &value)).await };
        self.ask(fill).await == Some(true)
    }

    async fn clear(&self, id: Id) {
        let (begun, key) = (Instant::now(), self.redis.hot(KIND, id));
        let over = begun + ENTRY_TTL + MARGIN;
        loop {
            let again = Instant::now() + AGAIN;
            if self.delete(&key).await {
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
            // A full Redis refuses tokens and values; it still deletes and shows.
            Ok(Ok(Err(error))) if is_full(&error) => (None, 0),
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

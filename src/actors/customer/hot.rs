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

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::RedisResult;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};

use domain::customer::record::Customer;
use kernel::ids::{Id, new_id};
use runtime::hot_state::{Hot, Stored};
use store::redis::Redis;

/// The lifetime of a token and of the value that replaces it.
pub const ENTRY_TTL: Duration = Duration::from_secs(1);
/// The clocks of Redis and of a node differ by less over a second.
pub const MARGIN: Duration = Duration::from_millis(200);
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
/// The first character of tokens; JSON never begins with it.
const TOKEN: char = '?';

/// The customers that all nodes share in Redis.
pub struct HotCustomers {
    redis: Redis,
    /// Outlives the caller, so that a command that has begun is not cut off.
    runtime: Handle,
    began: Instant,
    /// Milliseconds after `began` until which Redis is left alone.
    away_until: AtomicU64,
}

impl HotCustomers {
    pub fn new(redis: Redis, runtime: Handle) -> Self {
        Self { redis, runtime, began: Instant::now(), away_until: AtomicU64::new(0) }
    }

    async fn find(&self, id: Id, stored: BoxFuture<'_, Stored<Customer>>) -> Stored<Customer> {
        let key = self.redis.hot(KIND, id);
        let found = if self.is_left_alone() { None } else { self.look(&key).await };
        let held = found.as_ref().and_then(Option::as_deref);
        if let Some(customer) = held.and_then(|value| serde_json::from_str(value).ok()) {
            count("hit");
            return Ok(Some(customer));
        }
        count(if found.is_some() { "miss" } else { "away" });
        // Only the reader who set a token replaces it.
        let token = if found == Some(None) { self.claim(&key).await } else { None };
        let customer = stored.await?;
        if let (Some(token), Some(customer)) = (token, &customer) {
            self.fill(key, token, customer);
        }
        Ok(customer)
    }

    async fn look(&self, key: &str) -> Option<Option<String>> {
        let (redis, key) = (self.redis.clone(), key.to_owned());
        self.ask(async move { redis.look(&key).await }).await
    }

    async fn claim(&self, key: &str) -> Option<String> {
        let (redis, key, token) = (self.redis.clone(), key.to_owned(), format!("{TOKEN}{}", new_id()));
        let claim = self
            .ask(async move { redis.claim(&key, &token, ENTRY_TTL).await.map(|done| done.then_some(token)) });
        claim.await.flatten()
    }

    /// Replaces the token in the background: the answer does not depend on it.
    fn fill(&self, key: String, token: String, customer: &Customer) {
        let value = serde_json::to_string(customer).expect("states are plain structs");
        if value.len() <= VALUE_BYTES_MAX {
            let redis = self.redis.clone();
            self.runtime.spawn(async move {
                // A token that was not replaced expires.
                let _ = redis.fill(&key, &token, &value).await;
            });
        }
    }

    async fn clear(&self, id: Id) {
        let (begun, key) = (Instant::now(), self.redis.hot(KIND, id));
        let over = begun + ENTRY_TTL + MARGIN;
        loop {
            let again = Instant::now() + AGAIN;
            let (redis, key) = (self.redis.clone(), key.clone());
            if self.ask(async move { redis.clear(&key).await }).await.is_some() {
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

//! Hot customers in Redis, for all nodes. Redis may be killed, paused, emptied or full at any time; what is answered
//! from it is never what an acknowledged change has replaced.
//!
//! Reading: a value under the customer's key is the answer. Where there is none, the reader puts a token of its own
//! there for [`ENTRY_TTL`], then reads the database, then puts what it read in the token's place if it is still there, for
//! the time that the token has left. Changing: after the commit and before the answer the key is deleted.
//!
//! Why no answer is old: suppose that a value read before the commit is found after the change was answered. Its token
//! was set before it was read, so before the commit.
//! - The deletion was confirmed: it took the token or the value away. Tokens are never used twice, so nothing can
//!   put the value back.
//! - It was not confirmed (lost, late, Redis away): the change is answered [`ENTRY_TTL`] and [`MARGIN`] after the commit.
//!   By then the value has run out, for it counts from its token. A paused Redis counts on, and looks at the time when
//!   it is asked.
//!
//! This asks of Redis what one server is: no replicas to fail over to, a clock that isn't set back by more than the
//! margin within a second, and no snapshot that is loaded within a second of its making (`save ""`). The price while
//! Redis is away is a second for each change or deletion of a customer; creations pay nothing, for nobody can have
//! looked for the id, and what doesn't exist is not kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::RedisResult;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::domain::customer::record::Customer;
use kernel::ids::{Id, new_id};
use runtime::hot_state::{Hot, Stored};
use store::redis::Redis;

/// How long a token, and the value in its place, is there.
pub const ENTRY_TTL: Duration = Duration::from_secs(1);
/// Two clocks' ways of counting a second differ by less.
pub const MARGIN: Duration = Duration::from_millis(200);
/// A Redis that takes longer is away: the database answers in a few milliseconds.
const REDIS_TIMEOUT: Duration = Duration::from_millis(50);
/// How long nobody reads from it then.
const REDIS_COOLDOWN: Duration = Duration::from_millis(500);
/// How often a deletion is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// Bytes of the longest value: notes may be long, and few of those are hot.
const VALUE_BYTES_MAX: usize = 16 * 1024;
/// What its keys begin with.
const KIND: &str = "customer";
/// What tokens begin with, and no JSON does.
const TOKEN: char = '?';

/// The customers that all nodes keep in Redis.
pub struct HotCustomers {
    redis: Redis,
    /// Outlives who asks: a command that was begun is not torn off.
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
        // A token of somebody else's is theirs to replace.
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

    /// Without waiting: the answer doesn't depend on it.
    fn fill(&self, key: String, token: String, customer: &Customer) {
        let value = serde_json::to_string(customer).expect("states are plain structs");
        if value.len() <= VALUE_BYTES_MAX {
            let redis = self.redis.clone();
            self.runtime.spawn(async move {
                // A key that was not filled runs out.
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

    /// What Redis answers, if it does in time.
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

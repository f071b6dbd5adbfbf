//! Recent answers of auth on another node. Every request needs its user, and SPEC §8.6 allows an answer to be a
//! second old. After a command of this node to auth, its earlier answers are not used.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use moka::sync::Cache;

use crate::actors::auth::service::AuthService;
use kernel::error::Error;
use runtime::entity::RECENT;
use runtime::service::Service;

/// Answers kept: about as many as users at the same time.
const KEPT: u64 = 10_000;

/// An answer, and how long it is valid.
struct Answer<V> {
    value: Arc<V>,
    /// When auth was asked: from then on the answer may be out of date.
    asked_at: Instant,
    /// The number of commands that this node had sent to auth by then.
    commands: u64,
}

impl<V> Clone for Answer<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), ..*self }
    }
}

/// Recent answers; clones share them.
#[derive(Clone)]
pub struct Recent<K, V>(Cache<K, Answer<V>>);

impl<K: Hash + Eq + Send + Sync + 'static, V: Send + Sync + 'static> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEPT).time_to_live(RECENT).build())
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Send + Sync + 'static> Recent<K, V> {
    /// The recent answer, or a new one. Errors are not kept.
    ///
    /// # Errors
    /// Those of `ask`.
    pub async fn get<F>(
        &self,
        key: K,
        auth: &Service<AuthService>,
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<V>, Error>
    where
        F: Future<Output = Result<V, Error>>,
    {
        let commands = auth.commands();
        let kept = self.0.get(&key);
        if let Some(kept) = kept.filter(|kept| kept.is_good(commands)) {
            return Ok(kept.value);
        }
        let asked_at = Instant::now();
        let value = Arc::new(ask().await?);
        self.0.insert(key, Answer { value: value.clone(), asked_at, commands });
        Ok(value)
    }
}

impl<V> Answer<V> {
    fn is_good(&self, commands: u64) -> bool {
        self.commands == commands && self.asked_at.elapsed() < RECENT
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_is_good_until_it_is_old_or_this_node_has_sent_a_command() {
        let answer = |age: Duration| Answer {
            value: Arc::new(()),
            asked_at: Instant::now().checked_sub(age).expect("the machine runs for some seconds"),
            commands: 7,
        };
        assert!(answer(Duration::ZERO).is_good(7));
        assert!(!answer(Duration::ZERO).is_good(8), "a command has ended since");
        assert!(!answer(RECENT).is_good(7));
    }
}

//! Keys that hold a value for a second: the commands; `actors/customer/hot.rs` has the rule they serve.
//!
//! A key is absent, or holds a token (who is about to fill it), or a value. Either runs out by itself.

use std::time::Duration;

use redis::RedisResult;

use crate::redis::Redis;

/// Puts a value in the place of the token that it was read under, for the time that the token has left: a value is
/// never older than its token. One script, so that nothing happens in between.
const FILL: &str =
    "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')";

impl Redis {
    /// What a key holds.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn look(&self, key: &str) -> RedisResult<Option<String>> {
        redis::cmd("GET").arg(key).query_async(&mut self.shared()).await
    }

    /// Puts a token behind a key that holds nothing; whether it did.
    ///
    /// # Errors
    /// When Redis is away or full.
    pub async fn claim(&self, key: &str, token: &str, lives: Duration) -> RedisResult<bool> {
        let lives = u64::try_from(lives.as_millis()).unwrap_or(u64::MAX);
        let mut set = redis::cmd("SET");
        set.arg(key).arg(token).arg("NX").arg("PX").arg(lives);
        let done: Option<String> = set.query_async(&mut self.shared()).await?;
        Ok(done.is_some())
    }

    /// Puts a value in the place of a token, if that is still there.
    ///
    /// # Errors
    /// When Redis is away or full.
    pub async fn fill(&self, key: &str, token: &str, value: &str) -> RedisResult<()> {
        redis::cmd("EVAL")
            .arg(FILL)
            .arg(1)
            .arg(key)
            .arg(token)
            .arg(value)
            .query_async(&mut self.shared())
            .await
    }

    /// Empties a key, tokens too.
    ///
    /// # Errors
    /// When Redis is away: it may be empty or not.
    pub async fn clear(&self, key: &str) -> RedisResult<()> {
        redis::cmd("DEL").arg(key).query_async(&mut self.shared()).await
    }
}

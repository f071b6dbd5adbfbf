//! The login throttle: each failed sign-in takes from the buckets of its account and of its address. An empty bucket
//! means 429 until it has refilled. The buckets are in the database, so that all nodes share them.
//!
//! This is own code because only failures count: an attempt is charged before its password is checked, so that parallel
//! attempts can't slip through, and refunded if the password was right. `governor` can't do that.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::persistence::login_buckets as queries;
use crate::persistence::login_buckets::Charge;
use kernel::clock::Timestamp;
use store::{Db, StoreError};

/// A number of attempts per time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

impl Rate {
    /// `times` as many attempts in the same time.
    pub fn times(self, times: u32) -> Self {
        Self { count: self.count.saturating_mul(times), ..self }
    }

    fn interval(self) -> i64 {
        (self.per.as_micros() as i64 / i64::from(self.count.max(1))).max(1)
    }

    fn micros(self) -> i64 {
        self.per.as_micros() as i64
    }

    /// GCRA: `full_at` (microseconds since 1970) is when a bucket is full again; returns that moment after one more
    /// attempt.
    ///
    /// # Errors
    /// If the bucket is empty: how long until the next attempt.
    fn taken(self, full_at: i64, now: i64) -> Result<i64, Duration> {
        let full_at = full_at.max(now) + self.interval();
        let excess = full_at - now - self.micros();
        if excess > 0 { Err(Duration::from_micros(excess as u64)) } else { Ok(full_at) }
    }
}

/// Counts failed sign-ins by account and by address.
pub struct LoginThrottle {
    db: Db,
    accounts: Rate,
    addresses: Rate,
}

impl LoginThrottle {
    /// `rate` per account, ten times as much per address (SPEC §9).
    pub fn new(db: &Db, rate: Rate) -> Self {
        Self { db: db.clone(), accounts: rate, addresses: rate.times(10) }
    }

    /// Charges an attempt before its password is checked; or returns how long until the next attempt.
    ///
    /// # Errors
    /// The database's.
    pub async fn charge(
        &self,
        account: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, StoreError> {
        let refused = queries::charge(&self.db, self.charges(account, address), now).await?;
        Ok(match refused {
            None => Ok(()),
            Some((place, full_at)) => {
                let wait = self.rates()[place].taken(full_at, now.micros()).err();
                Err(wait.unwrap_or(Duration::from_millis(1)))
            }
        })
    }

    /// Refunds an attempt whose password was right.
    ///
    /// # Errors
    /// The database's.
    pub async fn refund(&self, account: &str, address: &str, now: Timestamp) -> Result<(), StoreError> {
        queries::refund(&self.db, self.charges(account, address), now).await
    }

    fn rates(&self) -> [Rate; 2] {
        [self.addresses, self.accounts]
    }

    fn charges(&self, account: &str, address: &str) -> Vec<Charge> {
        // Hashed, so that keys are short and the table is no list of the users who sign in.
        let keys = [("address", address), ("account", account)];
        let charge = |((kind, key), rate): ((&str, &str), Rate)| Charge {
            id: format!("{kind}/{}", URL_SAFE_NO_PAD.encode(Sha256::digest(key))),
            interval: rate.interval(),
            per: rate.micros(),
        };
        keys.into_iter().zip(self.rates()).map(charge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { count: 10, per: Duration::from_secs(60) };

    fn at(seconds: i64) -> i64 {
        1_000_000_000_000_000 + seconds * 1_000_000
    }

    #[test]
    fn ten_failures_a_minute_and_then_one_every_six_seconds() {
        let mut bucket = 0;
        for _ in 0..10 {
            bucket = TEN.taken(bucket, at(0)).unwrap();
        }
        assert_eq!(TEN.taken(bucket, at(0)), Err(Duration::from_secs(6)));
        bucket = TEN.taken(bucket, at(6)).unwrap();
        assert!(TEN.taken(bucket, at(6)).is_err());
        for _ in 0..10 {
            bucket = TEN.taken(bucket, at(66)).expect("never a lock");
        }
    }
}

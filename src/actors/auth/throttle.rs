//! Slowing down guesses: each failed sign-in costs its account and its address; a bucket that is empty
//! answers 429 until it has refilled, which it always does. Pure but for the map of buckets.
//!
//! Own code because only failures count: an attempt is charged before its password is checked (so that
//! parallel guesses can't slip through) and refunded when it was right, which `governor` can't do.

use std::time::Duration;

use crate::clock::Timestamp;

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

impl Rate {
    /// `times` as many in the same time.
    pub fn times(self, times: u32) -> Self {
        Self { count: self.count.saturating_mul(times), ..self }
    }

    fn interval(self) -> i64 {
        (self.per.as_micros() as i64 / i64::from(self.count.max(1))).max(1)
    }
}

/// One bucket, as GCRA keeps it: when it will be full again, in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket(i64);

impl Bucket {
    fn charge(self, rate: Rate, now: i64) -> Result<Self, Duration> {
        let full_at = self.0.max(now) + rate.interval();
        let excess = full_at - now - rate.per.as_micros() as i64;
        if excess > 0 { Err(Duration::from_micros(excess as u64)) } else { Ok(Self(full_at)) }
    }

    fn refund(self, rate: Rate) -> Self {
        Self(self.0 - rate.interval())
    }
}

/// Buckets by key; the longest untouched are forgotten, which only ever lets more through.
pub struct Throttle {
    rate: Rate,
    buckets: moka::sync::Cache<String, Bucket>,
}

/// Keys remembered at most.
const KEYS: u64 = 100_000;

impl Throttle {
    pub fn new(rate: Rate) -> Self {
        let buckets = moka::sync::Cache::builder().max_capacity(KEYS).time_to_idle(rate.per).build();
        Self { rate, buckets }
    }

    /// Takes one from `key`'s bucket.
    ///
    /// # Errors
    /// How long until there is one to take.
    pub fn charge(&self, key: &str, now: Timestamp) -> Result<(), Duration> {
        let mut refused = None;
        self.buckets.entry_by_ref(key).and_upsert_with(|kept| {
            let bucket = kept.map(|entry| entry.into_value()).unwrap_or_default();
            bucket.charge(self.rate, now.micros()).unwrap_or_else(|wait| {
                refused = Some(wait);
                bucket
            })
        });
        refused.map_or(Ok(()), Err)
    }

    /// Puts one back: the attempt was right.
    pub fn refund(&self, key: &str) {
        self.buckets.entry_by_ref(key).and_upsert_with(|kept| {
            kept.map(|entry| entry.into_value()).unwrap_or_default().refund(self.rate)
        });
    }
}

/// Guesses at passwords, charged to the account and to the address they come from.
pub struct Guesses {
    accounts: Throttle,
    addresses: Throttle,
}

impl Guesses {
    /// `rate` an account, ten times that an address (SPEC §9).
    pub fn new(rate: Rate) -> Self {
        Self { accounts: Throttle::new(rate), addresses: Throttle::new(rate.times(10)) }
    }

    /// Charges an attempt before it is checked.
    ///
    /// # Errors
    /// How long until the next attempt.
    pub fn charge(&self, account: &str, address: &str, now: Timestamp) -> Result<(), Duration> {
        self.addresses.charge(address, now)?;
        self.accounts.charge(account, now).inspect_err(|_| self.addresses.refund(address))
    }

    /// The attempt was no wrong guess.
    pub fn refund(&self, account: &str, address: &str) {
        self.addresses.refund(address);
        self.accounts.refund(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { count: 10, per: Duration::from_secs(60) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000_000_000 + seconds * 1_000_000)
    }

    #[test]
    fn ten_failures_a_minute_and_then_one_every_six_seconds() {
        let throttle = Throttle::new(TEN);
        for _ in 0..10 {
            assert!(throttle.charge("ann", at(0)).is_ok());
        }
        assert_eq!(throttle.charge("ann", at(0)), Err(Duration::from_secs(6)));
        assert!(throttle.charge("bob", at(0)).is_ok(), "another account");
        assert!(throttle.charge("ann", at(6)).is_ok());
        assert!(throttle.charge("ann", at(6)).is_err());
        assert!((0..10).all(|_| throttle.charge("ann", at(66)).is_ok()), "never a lock");
    }

    #[test]
    fn right_passwords_cost_nothing() {
        let throttle = Throttle::new(TEN);
        for _ in 0..100 {
            throttle.charge("ann", at(0)).unwrap();
            throttle.refund("ann");
        }
    }
}

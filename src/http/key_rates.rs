//! How often an API key may ask. Each node counts by itself, in memory: counting together would cost every request a round
//! to the database. The answers say how much is left in `RateLimit` and `RateLimit-Policy`, the structured fields of the
//! IETF's draft (draft-ietf-httpapi-ratelimit-headers-10).

use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use dashmap::DashMap;
use kernel::clock::Clock;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

use crate::actors::auth::rate::Rate;

/// Keys whose requests are counted; beyond that, those that have all of their quota are forgotten.
const KEPT: usize = 10_000;
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The quotas of this node's keys.
pub struct KeyRates {
    rate: Rate,
    clock: Clock,
    /// When each bucket is full again, in microseconds since 1970.
    full_at: DashMap<Id, i64>,
    sweeping: Mutex<()>,
}

/// What a key has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    rate: Rate,
    left: i64,
    /// Until all of it is there again.
    full_in: Duration,
    /// Until the next request, for a key that has nothing left.
    pub wait: Option<Duration>,
}

impl KeyRates {
    pub fn new(rate: Rate, clock: Clock) -> Self {
        Self { rate, clock, full_at: DashMap::new(), sweeping: Mutex::default() }
    }

    /// Takes one request from the quota of a key.
    pub fn take(&self, key: Id) -> Quota {
        let now = self.clock.now().micros();
        if self.full_at.len() >= KEPT
            && let Ok(_sweeping) = self.sweeping.try_lock()
        {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        let mut entry = self.full_at.entry(key).or_insert(now);
        let taken = self.rate.taken(*entry, now);
        if let Ok(full_at) = taken {
            *entry = full_at;
        }
        let used = (*entry - now).max(0);
        let left = (self.rate.micros() - used).max(0) / self.rate.interval();
        Quota { rate: self.rate, left, full_in: Duration::from_micros(used as u64), wait: taken.err() }
    }
}

impl Quota {
    /// # Errors
    /// `key_rate_exceeded` for a key that has nothing left.
    pub fn check(&self) -> Result<(), Error> {
        self.wait.map_or(Ok(()), |wait| Err(Error::after(ErrorCode::KeyRateExceeded, wait)))
    }

    /// Says in an answer what is left.
    pub fn write(&self, headers: &mut HeaderMap) {
        let (quota, window) = (self.rate.count, self.rate.per.as_secs());
        let full_in = self.full_in.as_secs() + u64::from(self.full_in.subsec_nanos() > 0);
        for (name, text) in [
            (RATE_LIMIT_POLICY, format!("\"key\";q={quota};w={window}")),
            (RATE_LIMIT, format!("\"key\";r={};t={full_in}", self.left)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::clock::Timestamp;
    use kernel::ids::new_id;

    fn rates() -> (KeyRates, Clock) {
        let clock = Clock::manual(Timestamp::from_micros(1_000_000_000_000_000));
        (KeyRates::new(Rate { count: 3, per: Duration::from_secs(60) }, clock.clone()), clock)
    }

    fn text(quota: Quota) -> (String, String) {
        let mut headers = HeaderMap::new();
        quota.write(&mut headers);
        let of = |name| headers.get(name).and_then(|value| value.to_str().ok()).expect("a header").to_owned();
        (of(RATE_LIMIT_POLICY), of(RATE_LIMIT))
    }

    #[test]
    fn a_key_has_its_quota_and_regains_it() {
        let (rates, clock) = rates();
        let key = new_id();
        let policy = "\"key\";q=3;w=60".to_owned();
        assert_eq!(text(rates.take(key)), (policy.clone(), "\"key\";r=2;t=20".into()));
        assert_eq!(text(rates.take(key)), (policy.clone(), "\"key\";r=1;t=40".into()));
        assert_eq!(text(rates.take(key)), (policy.clone(), "\"key\";r=0;t=60".into()));
        let none = rates.take(key);
        assert_eq!(text(none), (policy, "\"key\";r=0;t=60".into()));
        assert_eq!(none.check().map_err(|error| error.wait_seconds()), Err(Some(20)));
        assert_eq!(rates.take(new_id()).check(), Ok(()), "another key");
        clock.advance(Duration::from_secs(20));
        assert_eq!(rates.take(key).check(), Ok(()));
        assert!(rates.take(key).check().is_err());
    }

    #[test]
    fn only_keys_that_lack_something_are_remembered() {
        let (rates, clock) = rates();
        for _ in 0..KEPT {
            rates.take(new_id());
        }
        clock.advance(Duration::from_secs(60));
        rates.take(new_id());
        assert_eq!(rates.full_at.len(), 1);
    }
}

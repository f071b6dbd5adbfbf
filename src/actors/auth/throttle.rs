//! The login throttle: how often passwords may be guessed, by account and address together, by address, and for strangers
//! by account alone. The counts are in the database, so that all nodes share them.
//!
//! Nobody can lock a person out: who has signed in before, from this address or with the token of this device, does not
//! wait for what strangers do to the account ([decision 10](../../../docs/decisions/0010-login-throttle.md)).
//!
//! This is own code because only failures count: an attempt is charged before its password is checked, so that parallel
//! attempts can't slip through, and refunded if the password was right. `governor` can't do that.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::actors::auth::rate::Rate;
use crate::actors::auth::turns::{Turn, Turns};
use crate::persistence::login_buckets as buckets;
use crate::persistence::login_buckets::Charge;
use crate::persistence::login_failures as failures;
use crate::persistence::login_failures::SignIn;
use kernel::address::client_network;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use store::{Db, StoreError};

/// How long failures of strangers are remembered after the last one.
pub const FAILURES_KEPT: Duration = Duration::from_hours(1);
/// How long an address is remembered after the last sign-in from it.
pub const ADDRESSES_KEPT: Duration = Duration::from_hours(90 * 24);
/// How old a remembered sign-in may be before the next one is written down.
const ADDRESS_FRESH: Duration = Duration::from_hours(24);

/// Why an account may know whoever attempts to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// The token of a device on which the user has signed in.
    Device(Id),
    /// The address, from which the user has signed in.
    Address,
    /// Nothing: a stranger.
    Nothing,
}

/// What an attempt is counted by.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Charged in this order.
    charges: Vec<(Charge, Rate)>,
    /// The account whose strangers wait.
    stranger_at: Option<String>,
    /// Remembered if the password was right.
    address: Option<String>,
}

/// An attempt that was charged, and whose turn it is.
pub struct Charged {
    attempt: Attempt,
    _turn: Turn,
}

/// Counts failed sign-ins.
pub struct LoginThrottle {
    db: Db,
    rate: Rate,
    turns: Turns,
}

impl LoginThrottle {
    /// `rate` per account and address, ten times as much per address (SPEC §9). `threads`: how many passwords this node
    /// hashes at the same time.
    pub fn new(db: &Db, rate: Rate, threads: usize) -> Self {
        Self { db: db.clone(), rate, turns: Turns::new(threads) }
    }

    /// Whether this user has signed in from this address before. Takes as long for an unknown user.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_known(&self, user: Option<Id>, address: Option<IpAddr>) -> Result<bool, StoreError> {
        failures::is_known(&self.db, &known_address(user.unwrap_or(Id::nil()), address)).await
    }

    /// An attempt to sign in to an account: `email` as it is stored, whether anybody has it or not.
    pub fn sign_in(&self, email: &str, user: Option<Id>, address: Option<IpAddr>, known: KnownBy) -> Attempt {
        let network = network(address);
        let charges = match known {
            // Its own bucket: what others do from the same address is not counted against it.
            KnownBy::Device(device) => vec![charge("device", &[&device.to_string()], self.rate)],
            _ => vec![
                charge("address", &[&network], self.rate.times(10)),
                charge("account", &[email, &network], self.rate),
            ],
        };
        let stranger_at = (known == KnownBy::Nothing).then(|| key("stranger", &[email]));
        let address = user.map(|user| known_address(user, address));
        Attempt { charges, stranger_at, address }
    }

    /// An attempt of a signed-in user to prove the password once more: counted by the session, so that nobody else can
    /// be in its way.
    pub fn in_session(&self, session: Id) -> Attempt {
        let charges = vec![charge("session", &[&session.to_string()], self.rate)];
        Attempt { charges, stranger_at: None, address: None }
    }

    /// Waits for the attempt's turn, and charges it.
    ///
    /// # Errors
    /// `too_many_attempts` with the time to wait, `overloaded`, `unavailable`.
    pub async fn charge(&self, attempt: Attempt, now: Timestamp) -> Result<Charged, Error> {
        // The last bucket is the narrowest.
        let kind = attempt.charges.last().map_or("", |(charge, _)| charge.id.as_str());
        let turn = self.turns.take(kind).await?;
        if let Some(account) = &attempt.stranger_at {
            let known = failures::failures(&self.db, account).await?;
            let until = known.last_at.saturating_add(self.rate.delay(known.count).as_micros() as i64);
            let wait = until.saturating_sub(now.micros());
            if known.last_at >= forgotten(now, FAILURES_KEPT) && wait > 0 {
                return Err(too_many(Duration::from_micros(wait as u64)));
            }
        }
        let charges = attempt.charges.iter().map(|(charge, _)| charge.clone()).collect();
        match buckets::charge(&self.db, charges, now).await? {
            None => Ok(Charged { attempt, _turn: turn }),
            Some((place, full_at)) => {
                let wait = attempt.charges[place].1.taken(full_at, now.micros()).err();
                Err(too_many(wait.unwrap_or(Duration::from_millis(1))))
            }
        }
    }

    /// Refunds an attempt whose password was not checked.
    ///
    /// # Errors
    /// The database's.
    pub async fn refund(&self, charged: Charged, now: Timestamp) -> Result<(), StoreError> {
        self.settle(&charged, None, now).await
    }

    /// Refunds an attempt whose password was right, and remembers the address.
    ///
    /// # Errors
    /// The database's.
    pub async fn right(&self, charged: Charged, now: Timestamp) -> Result<(), StoreError> {
        let since = forgotten(now, ADDRESS_FRESH);
        let signed_in = charged.attempt.address.clone().map(|id| SignIn { id, since });
        self.settle(&charged, signed_in, now).await
    }

    async fn settle(
        &self,
        charged: &Charged,
        signed_in: Option<SignIn>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let charges = charged.attempt.charges.iter().map(|(charge, _)| charge.clone()).collect();
        buckets::refund(&self.db, charges, signed_in, now).await
    }

    /// Keeps the charge of an attempt whose password was wrong; a stranger's makes the next ones wait longer.
    ///
    /// # Errors
    /// The database's.
    pub async fn wrong(&self, charged: Charged, now: Timestamp) -> Result<(), StoreError> {
        match &charged.attempt.stranger_at {
            Some(account) => {
                failures::add_failure(&self.db, account, now, forgotten(now, FAILURES_KEPT)).await
            }
            None => Ok(()),
        }
    }
}

/// Deletes what is no longer remembered, at most `limit` of each kind; returns how much.
///
/// # Errors
/// The database's.
pub async fn purge(db: &Db, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let (failed, seen) = (forgotten(now, FAILURES_KEPT), forgotten(now, ADDRESSES_KEPT));
    failures::purge(db, failed, seen, limit).await
}

/// The moment (microseconds since 1970) before which all is forgotten.
fn forgotten(now: Timestamp, kept: Duration) -> i64 {
    now.minus(kept).micros()
}

fn too_many(wait: Duration) -> Error {
    Error::after(ErrorCode::TooManyAttempts, wait)
}

fn charge(kind: &str, of: &[&str], rate: Rate) -> (Charge, Rate) {
    (Charge { id: key(kind, of), interval: rate.interval(), per: rate.micros() }, rate)
}

fn known_address(user: Id, address: Option<IpAddr>) -> String {
    key("known", &[&user.to_string(), &network(address)])
}

/// Hashed, so that keys are short and the tables are no lists of users and addresses.
fn key(kind: &str, of: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in of {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("{kind}/{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// What counts as one client, as text; empty if its address is unknown.
pub(super) fn network(address: Option<IpAddr>) -> String {
    address.map(|address| client_network(address).to_string()).unwrap_or_default()
}

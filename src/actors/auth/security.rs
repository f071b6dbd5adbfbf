//! The security log: who signed in, what was refused, and what ended sessions; in the database for administrators, and as
//! lines of the log.
//!
//! It is bounded, whatever strangers do: refusals of one kind, account and address within an hour are one entry, entries
//! are deleted after 90 days, and the oldest of more than a fixed number before that.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::actors::auth::throttle::network;
use crate::persistence::login_buckets::{self, Charge};
use crate::persistence::security_log as queries;
use domain::security::messages::ReadSecurityLog;
use domain::security::record::{SecurityEntry, SecurityKind};
use domain::session::record::ClientInfo;
use domain::session::rules::LoginFailed;
use kernel::caller::Role;
use kernel::clock::{Clock, Timestamp};
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::Event;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use runtime::journal::Journal;
use runtime::prepared::Prepared;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// How long entries are kept.
const KEPT: Duration = Duration::from_hours(90 * 24);
/// The most entries of refusals, and the most others.
const REFUSALS_MAX: i64 = 50_000;
const OTHERS_MAX: i64 = 200_000;
/// How long refusals are counted in one entry.
const AGGREGATED: Duration = Duration::from_hours(1);
/// How often a node writes down that an account and address are throttled: that is cheap to cause.
const THROTTLED_EVERY: Duration = Duration::from_mins(10);
/// How many of these a node remembers.
const THROTTLED_MAX: u64 = 10_000;
/// The most `user.login_failed` in an hour: the event log is kept for ever.
const EVENTS_PER_HOUR: i64 = 60;

/// Writes and reads the security log.
pub struct SecurityLog {
    db: Db,
    journal: Journal,
    clock: Clock,
    throttled: Cache<String, ()>,
}

/// Whom an entry concerns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Concerned {
    pub user: Option<Id>,
    pub session: Option<Id>,
    pub actor: Option<Id>,
}

impl SecurityLog {
    pub fn new(db: &Db, journal: &Journal, clock: &Clock) -> Self {
        let throttled = Cache::builder().max_capacity(THROTTLED_MAX).time_to_live(THROTTLED_EVERY).build();
        Self { db: db.clone(), journal: journal.clone(), clock: clock.clone(), throttled }
    }

    fn entry(&self, kind: SecurityKind, of: Concerned, client: &ClientInfo) -> SecurityEntry {
        let now = self.clock.now();
        let show = |id: Option<Id>| id.map(tracing::field::display);
        let (address, agent) = (client.address.map(tracing::field::display), client.agent.as_deref());
        let (user, session, actor) = (show(of.user), show(of.session), show(of.actor));
        tracing::info!(kind = kind.as_str(), user, session, actor, address, agent, "a security event");
        SecurityEntry {
            id: new_id(),
            kind,
            at: now,
            last_at: now,
            count: 1,
            user_id: of.user,
            session_id: of.session,
            actor_id: of.actor,
            address: client.address,
            agent: client.agent.clone(),
        }
    }

    /// A command with an entry that is committed with it.
    pub fn beside(
        &self,
        context: Context,
        kind: SecurityKind,
        of: Concerned,
        client: &ClientInfo,
    ) -> Prepared {
        let writes = vec![queries::entry_write(&self.entry(kind, of, client))];
        Prepared::new(context, UnitOfWork { writes, ..UnitOfWork::default() })
    }

    /// Adds an entry about what is committed already.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn add(&self, kind: SecurityKind, of: Concerned, client: &ClientInfo) -> Result<(), Error> {
        let writes = vec![queries::entry_write(&self.entry(kind, of, client))];
        self.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await?;
        Ok(())
    }

    /// Counts a refusal; returns whether it is the first of its hour. `account` names what was attempted.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn refused(
        &self,
        kind: SecurityKind,
        account: &str,
        of: Concerned,
        client: &ClientInfo,
    ) -> Result<bool, Error> {
        let entry = self.entry(kind, of, client);
        let aggregate = aggregate(kind, account, client, entry.at);
        Ok(queries::add_refusal(&self.db, &entry, &aggregate).await? == 1)
    }

    /// Counts a failed sign-in. The first of its hour is an event, too, whether anybody has the address or not.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn sign_in_refused(
        &self,
        email: &str,
        user: Option<Id>,
        client: &ClientInfo,
        context: &Context,
    ) -> Result<(), Error> {
        let of = Concerned { user, ..Concerned::default() };
        if !self.refused(SecurityKind::SignInRefused, email, of, client).await? {
            return Ok(());
        }
        let now = self.clock.now();
        let per = AGGREGATED.as_micros() as i64;
        let charge = Charge { id: "events/login_failed".into(), interval: per / EVENTS_PER_HOUR, per };
        if login_buckets::charge(&self.db, vec![charge], now).await?.is_some() {
            return Ok(());
        }
        let event = Event::new(&LoginFailed(user), new_id(), 1, now, context);
        self.journal.commit(UnitOfWork { events: vec![event], ..UnitOfWork::default() }).await?;
        Ok(())
    }

    /// Writes down, now and then, that sign-ins are throttled.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn throttled(&self, email: &str, user: Option<Id>, client: &ClientInfo) -> Result<(), Error> {
        let kind = SecurityKind::SignInThrottled;
        let key = aggregate(kind, email, client, self.clock.now());
        if self.throttled.contains_key(&key) {
            return Ok(());
        }
        self.throttled.insert(key, ());
        self.refused(kind, email, Concerned { user, ..Concerned::default() }, client).await.map(drop)
    }

    /// The entries asked for.
    ///
    /// # Errors
    /// `forbidden`, `unavailable`.
    pub async fn read(&self, read: ReadSecurityLog) -> Result<Page<SecurityEntry>, Error> {
        read.caller.require(&[Role::Admin])?;
        Ok(queries::list(&self.db, &read.filter, &read.page).await?)
    }
}

/// Deletes what is too old or too much, `limit` at a time; returns how much.
///
/// # Errors
/// The database's.
pub async fn purge(db: &Db, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let kept = [(queries::REFUSALS, REFUSALS_MAX), (queries::OTHERS, OTHERS_MAX)];
    queries::purge(db, now.minus(KEPT), kept, limit).await
}

/// What refusals have in common that are counted in one entry. A hash, because an address that nobody has may be a
/// password that was typed into the wrong field.
fn aggregate(kind: SecurityKind, account: &str, client: &ClientInfo, at: Timestamp) -> String {
    let hour = at.micros().div_euclid(AGGREGATED.as_micros() as i64);
    let mut hash = Sha256::new();
    for part in [kind.as_str(), account, &network(client.address), &hour.to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

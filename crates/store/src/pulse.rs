//! Whether PostgreSQL answers: a connection of its own asks it twice a second.
//!
//! A server that was stopped, or whose packets are dropped, closes nothing: TCP lets a statement wait for a quarter of an
//! hour, and nobody can tell it from one that takes long. The pulse can. Once the server has missed it, what waits for it is
//! cut off, and what comes is refused at once, until it answers again. So no request waits for a database that is not
//! there longer than [`EVERY`] and [`WITHIN`] together, however many statements it would need; and a statement that
//! takes long on a server that answers is left alone.

use std::sync::Mutex;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::error::StoreError;

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How long it may take to answer, a new connection included if the old one broke.
const WITHIN: Duration = Duration::from_millis(1_500);
/// The pause before another probe after a connection was refused.
const PROBE_RETRY: Duration = Duration::from_millis(100);

/// The server as it was found last.
#[derive(Clone, Copy, Debug)]
struct Presence {
    is_away: bool,
    /// How often it has been away.
    outages: u64,
    /// Connections from before this moment may be dead.
    since: Instant,
}

/// Keeps asking until it is dropped.
pub(crate) struct Pulse {
    presence: watch::Sender<Presence>,
    asking: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if let Some(asking) = self.take() {
            asking.abort();
        }
    }
}

impl Pulse {
    /// Asks by this connection, which has just been made, and when it breaks by others.
    pub fn start(connection: PgConnection, options: PgConnectOptions) -> Self {
        let presence = Presence { is_away: false, outages: 0, since: Instant::now() };
        let presence = watch::Sender::new(presence);
        let asking = tokio::spawn(ask_on(Some(connection), options, presence.clone()));
        Self { presence, asking: Mutex::new(Some(asking)) }
    }

    /// Asks no more; its connection is closed then.
    pub async fn stop(&self) {
        if let Some(asking) = self.take() {
            asking.abort();
            let _ = asking.await;
        }
    }

    fn take(&self) -> Option<JoinHandle<()>> {
        self.asking.lock().expect("no panic under this lock").take()
    }

    /// Connections that were made before this are not to be used.
    pub fn since(&self) -> Instant {
        self.presence.borrow().since
    }

    /// Works for as long as the server answers.
    ///
    /// # Errors
    /// `Unavailable` at once while it is away, and when it is found to be. What it was asked it may do later all the same.
    pub async fn during<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut presence = self.presence.subscribe();
        let begun = *presence.borrow_and_update();
        if begun.is_away {
            return Err(away());
        }
        tokio::select! {
            biased;
            answer = work => answer,
            _ = presence.wait_for(|now| now.outages != begun.outages) => Err(away()),
        }
    }
}

fn away() -> StoreError {
    StoreError::Unavailable("PostgreSQL does not answer".into())
}

async fn ask_on(
    mut connection: Option<PgConnection>,
    options: PgConnectOptions,
    presence: watch::Sender<Presence>,
) {
    loop {
        match timeout(WITHIN, ask(&options, &mut connection)).await {
            Ok(connected) => {
                presence.send_if_modified(|now| is_here(now, connected));
                sleep(EVERY).await;
            }
            Err(_) => {
                // Without a goodbye, which might wait as long.
                connection = None;
                presence.send_if_modified(is_gone);
            }
        }
    }
}

/// Asks until there is an answer; when the connection was made, if that was just now.
async fn ask(options: &PgConnectOptions, connection: &mut Option<PgConnection>) -> Option<Instant> {
    loop {
        if let Some(open) = connection {
            match open.ping().await {
                Ok(()) => return None,
                Err(error) => {
                    tracing::info!(%error, "the connection that asks PostgreSQL for its pulse broke")
                }
            }
            *connection = None;
        }
        let begun = Instant::now();
        match options.connect().await {
            Ok(made) => {
                *connection = Some(made);
                return Some(begun);
            }
            // It is there, and has no connection to spare.
            Err(error) if is_an_answer(&error) => return None,
            Err(_) => sleep(PROBE_RETRY).await,
        }
    }
}

/// Whether a server that refuses a connection does its work: all but one that starts or stops (class 57).
fn is_an_answer(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| !code.starts_with("57"))
}

fn is_here(now: &mut Presence, connected: Option<Instant>) -> bool {
    let was_away = std::mem::take(&mut now.is_away);
    if was_away {
        tracing::info!("PostgreSQL answers again");
        metrics::gauge!("kizuna_database_away").set(0.0);
    }
    // If one connection broke or had to be made anew, the others will not have fared better.
    now.since = connected.unwrap_or(now.since);
    was_away || connected.is_some()
}

fn is_gone(now: &mut Presence) -> bool {
    let was_here = !now.is_away;
    if was_here {
        tracing::warn!("PostgreSQL does not answer: what waits for it is cut off");
        metrics::gauge!("kizuna_database_away").set(1.0);
        *now = Presence { is_away: true, outages: now.outages + 1, since: Instant::now() };
    }
    was_here
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Presence {
        Presence { is_away: false, outages: 0, since: Instant::now() }
    }

    fn pulse(presence: Presence) -> Pulse {
        Pulse { presence: watch::Sender::new(presence), asking: Mutex::new(None) }
    }

    #[tokio::test]
    async fn what_waits_is_cut_off_when_the_server_is_gone_and_what_comes_is_refused_until_it_is_back() {
        let pulse = pulse(here());
        let cut = pulse.during(std::future::pending::<Result<(), _>>());
        let gone = async { pulse.presence.send_if_modified(is_gone) };
        let (cut, _) = tokio::join!(cut, gone);
        assert!(matches!(cut, Err(StoreError::Unavailable(_))));
        let began = async { panic!("nothing is begun") };
        assert!(matches!(pulse.during::<()>(began).await, Err(StoreError::Unavailable(_))));
        pulse.presence.send_if_modified(|now| is_here(now, Some(Instant::now())));
        assert!(matches!(pulse.during(async { Ok(5) }).await, Ok(5)));
    }

    #[tokio::test]
    async fn an_outage_that_nobody_looked_at_cuts_off_all_the_same() {
        let pulse = pulse(here());
        let work = pulse.during(std::future::pending::<Result<(), _>>());
        let outage = async {
            pulse.presence.send_if_modified(is_gone);
            pulse.presence.send_if_modified(|now| is_here(now, Some(Instant::now())));
        };
        assert!(matches!(tokio::join!(work, outage).0, Err(StoreError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_new_connection_of_the_pulse_makes_the_others_old_but_cuts_nobody_off() {
        let pulse = pulse(here());
        let made = Instant::now() + Duration::from_secs(1);
        let work = pulse.during(async {
            pulse.presence.send_if_modified(|now| is_here(now, Some(made)));
            tokio::task::yield_now().await;
            Ok(())
        });
        assert!(work.await.is_ok());
        assert_eq!(pulse.since(), made);
    }
}

//! Checks whether PostgreSQL answers, twice a second, by a connection of its own.
//!
//! A server that was stopped, or whose packets are dropped, closes no connection: TCP lets a statement wait for a
//! quarter of an hour, and that looks like a slow statement. The pulse tells them apart. When the server does not
//! answer it, waiting statements are cancelled, and new ones are refused at once, until the server answers again. So a
//! request waits for a database that is away for at most [`EVERY`] and [`WITHIN`] together, however many statements it
//! needs, and slow statements on a server that answers are not cancelled.

use std::sync::Mutex;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::error::StoreError;

/// How often the server is probed.
const EVERY: Duration = Duration::from_millis(500);
/// How long an answer may take, including a new connection if the old one broke.
const WITHIN: Duration = Duration::from_millis(1_500);
/// How often at most all connections are replaced because the server takes no writes.
const DISTRUST_EVERY: Duration = Duration::from_secs(1);
/// The pause before another probe after a connection was refused.
const PROBE_RETRY: Duration = Duration::from_millis(100);

/// The result of the last probe.
#[derive(Clone, Copy, Debug)]
struct Presence {
    is_away: bool,
    /// How often the server has been away.
    outages: u64,
    /// Connections that were opened before this time may be dead.
    since: Instant,
    /// The next probe is to be made by a new connection.
    is_doubted: bool,
}

/// Probes the server until it is dropped.
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
    /// Probes by this new connection, and by others after it breaks.
    pub fn start(connection: PgConnection, options: PgConnectOptions) -> Self {
        let presence = Presence { is_away: false, outages: 0, since: Instant::now(), is_doubted: false };
        let presence = watch::Sender::new(presence);
        let asking = tokio::spawn(ask_on(Some(connection), options, presence.clone()));
        Self { presence, asking: Mutex::new(Some(asking)) }
    }

    /// Stops probing and closes the connection.
    pub async fn stop(&self) {
        if let Some(asking) = self.take() {
            asking.abort();
            let _ = asking.await;
        }
    }

    fn take(&self) -> Option<JoinHandle<()>> {
        self.asking.lock().expect("no panic under this lock").take()
    }

    /// Connections that were opened before this time must not be used.
    pub fn since(&self) -> Instant {
        self.presence.borrow().since
    }

    /// Makes the next probe open a new connection: open ones may work while new ones hang.
    pub fn doubt(&self) {
        self.presence.send_if_modified(|now| {
            now.is_doubted = true;
            false
        });
    }

    /// Makes the connections that were opened before now old: new ones may lead to another server.
    pub fn distrust(&self) {
        self.presence.send_if_modified(|now| {
            if now.since.elapsed() >= DISTRUST_EVERY {
                now.since = Instant::now();
            }
            false
        });
    }

    /// Runs `work` while the server answers.
    ///
    /// # Errors
    /// `Unavailable` at once while the server is away, and when it is found to be away. It may execute the statements
    /// later.
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
        let mut is_doubted = false;
        presence.send_if_modified(|now| {
            is_doubted = std::mem::take(&mut now.is_doubted);
            false
        });
        if is_doubted {
            connection = None;
        }
        match timeout(WITHIN, ask(&options, &mut connection)).await {
            Ok(connected) => {
                presence.send_if_modified(|now| is_here(now, connected));
                sleep(EVERY).await;
            }
            Err(_) => {
                // Without a farewell message, which might wait as long.
                connection = None;
                presence.send_if_modified(is_gone);
            }
        }
    }
}

/// Probes until the server answers; returns when the connection was opened, if it is a new one.
async fn ask(options: &PgConnectOptions, connection: &mut Option<PgConnection>) -> Option<Instant> {
    loop {
        if let Some(open) = connection {
            match open.ping().await {
                Ok(()) => return None,
                Err(error) => {
                    tracing::info!(%error, "the connection that probes PostgreSQL broke")
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
            // The server is there, but has no free connection.
            Err(error) if is_an_answer(&error) => return None,
            Err(_) => sleep(PROBE_RETRY).await,
        }
    }
}

/// Whether a server that refuses a connection works: any, except one that starts or stops (class 57).
fn is_an_answer(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| !code.starts_with("57"))
}

fn is_here(now: &mut Presence, connected: Option<Instant>) -> bool {
    let was_away = std::mem::take(&mut now.is_away);
    if was_away {
        tracing::info!("PostgreSQL answers again");
        metrics::gauge!("kizuna_database_away").set(0.0);
    }
    // If this connection broke or had to be opened again, the others are probably dead, too.
    now.since = connected.unwrap_or(now.since);
    was_away || connected.is_some()
}

fn is_gone(now: &mut Presence) -> bool {
    let was_here = !now.is_away;
    if was_here {
        tracing::warn!("PostgreSQL does not answer; waiting statements are cancelled");
        metrics::gauge!("kizuna_database_away").set(1.0);
        *now = Presence { is_away: true, outages: now.outages + 1, since: Instant::now(), is_doubted: false };
    }
    was_here
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Presence {
        Presence { is_away: false, outages: 0, since: Instant::now(), is_doubted: false }
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

//! Finds out whether a statement that takes long is executed at all.
//!
//! The pulse tells whether the server answers. But a single connection may be dead while others work, as when a proxy or
//! firewall has forgotten it: its bytes vanish, neither side notices, and the statement would wait until TCP gives up. So
//! when a statement takes long, another connection asks the server what the session of the statement does. If it executes
//! nothing, the statement or its answer is lost.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// A statement that takes longer is looked at, and again at this interval.
const SLOW: Duration = Duration::from_millis(1_500);
/// The time between two looks that must agree: the answer may be on its way.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a look may take; without an answer nothing is known.
const WITHIN: Duration = Duration::from_secs(1);

/// Since when the session of a process has executed nothing, as text; empty while it executes something.
const IDLE_SINCE: &str = "SELECT coalesce( \
    (SELECT CASE WHEN state = 'active' THEN '' ELSE CAST(state_change AS TEXT) END \
     FROM pg_stat_activity WHERE pid = $1), 'gone')";

/// Looks at sessions, by a connection of its own that is opened when it is first needed.
pub(crate) struct SessionWatch {
    options: PgConnectOptions,
    asking: Mutex<Option<PgConnection>>,
}

impl SessionWatch {
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, asking: Mutex::default() }
    }

    /// Waits until it is certain that the session of this process does not execute the statement that was sent just before
    /// this call.
    pub async fn until_lost(&self, process: i32) {
        sleep(SLOW).await;
        loop {
            if let Some(since) = self.idle_since(process).await {
                sleep(AGAIN).await;
                if self.idle_since(process).await == Some(since) {
                    return;
                }
            }
            sleep(SLOW).await;
        }
    }

    /// `None` while the session executes something, or nothing could be found out.
    async fn idle_since(&self, process: i32) -> Option<String> {
        let asked = timeout(WITHIN, async {
            let mut asking = self.asking.lock().await;
            let mut connection = match asking.take() {
                Some(open) => open,
                None => self.options.connect().await.ok()?,
            };
            let query = sqlx::query_scalar::<_, String>(IDLE_SINCE).bind(process);
            let since = query.fetch_one(&mut connection).await.ok()?;
            *asking = Some(connection);
            Some(since).filter(|since| !since.is_empty())
        });
        asked.await.ok().flatten()
    }

    /// Closes the connection.
    pub async fn stop(&self) {
        if let Some(connection) = self.asking.lock().await.take() {
            let _ = timeout(WITHIN, connection.close()).await;
        }
    }
}

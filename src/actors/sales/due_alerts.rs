//! Flow 5: the scan for tasks that are due soon. The rules of tasks decide whether an alert goes out; the scan only
//! finds the tasks, so a scan that is repeated or interrupted does no harm.

use futures_util::{StreamExt, stream};

use crate::actors::sales::client::SalesClient;
use crate::actors::sales::service::SalesService;
use crate::persistence::tasks as queries;
use domain::task::messages::{AlertDueTasks, DueTask};
use domain::task::rules::{TaskCommand, alert_horizon};
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// Tasks per message, so that it ends well within the service's deadline.
const BATCH: usize = 256;
/// Tasks alerted at the same time: they share commits and leave room for users' requests.
const AT_ONCE: usize = 32;

impl SalesService {
    /// Sends the alerts of the next batch of due tasks.
    pub(in crate::actors::sales) async fn alert_due(
        &self,
        scan: AlertDueTasks,
    ) -> Result<Option<DueTask>, Error> {
        let horizon = alert_horizon(self.clock.now());
        let mut due = queries::unalerted(&self.db, horizon, scan.after.as_ref(), BATCH as i64).await?;
        let asked = due.iter().map(|task| self.alert(task.id, &scan.context));
        stream::iter(asked).buffer_unordered(AT_ONCE).collect::<()>().await;
        let is_full = due.len() == BATCH;
        Ok(due.pop().filter(|_| is_full))
    }

    /// A failure does not stop the others: the next scan finds the task again.
    async fn alert(&self, id: Id, context: &Context) {
        match self.tasks.execute(id, TaskCommand::AlertDue, context.clone()).await {
            Ok(_) => {}
            Err(error) if error.code == ErrorCode::NotFound => {} // deleted since it was found
            Err(error) => tracing::warn!(task = %id, %error, "an alert failed; the next scan tries again"),
        }
    }
}

impl SalesClient {
    /// Sends the alerts of all tasks that are due soon and have had none for their due time, batch by batch.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`: the next scan sends the rest.
    pub async fn alert_due(&self) -> Result<(), Error> {
        let context = Context::system();
        let mut after = None;
        loop {
            after = self.service.ask(AlertDueTasks { after, context: context.clone() }).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

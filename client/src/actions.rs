//! What is done to records besides making, changing and deleting them.

use kernel::ids::Id;
use serde::Serialize;

use crate::call::{Answer, Call};
use crate::client::Client;
use crate::problem::Error;
use crate::records::{Approval, ApproverChange, Comment, Notification, ReadAll};

impl Client {
    /// Approves a pending request.
    ///
    /// # Errors
    /// `approval_not_pending`, `forbidden`, `own_request`.
    pub async fn approve(&self, id: Id, comment: Option<&str>) -> Result<Answer<Approval>, Error> {
        self.decide(id, "approve", &Comment { comment }).await
    }

    /// Rejects a pending request, and says why.
    ///
    /// # Errors
    /// As [`Client::approve`].
    pub async fn reject(&self, id: Id, comment: &str) -> Result<Answer<Approval>, Error> {
        self.decide(id, "reject", &Comment { comment: Some(comment) }).await
    }

    /// Withdraws a pending request.
    ///
    /// # Errors
    /// As [`Client::approve`].
    pub async fn cancel(&self, id: Id, comment: Option<&str>) -> Result<Answer<Approval>, Error> {
        self.decide(id, "cancel", &Comment { comment }).await
    }

    /// Has a pending request wait for another.
    ///
    /// # Errors
    /// As [`Client::approve`].
    pub async fn reassign(&self, id: Id, approver_id: Id) -> Result<Answer<Approval>, Error> {
        self.decide(id, "reassign", &ApproverChange { approver_id }).await
    }

    async fn decide(&self, id: Id, action: &str, body: &impl Serialize) -> Result<Answer<Approval>, Error> {
        let call = Call::patch(format!("/api/approvals/{id}/{action}")).json(body)?.once_by_itself();
        self.send(&call).await?.answer()
    }

    /// Marks one of one's notifications as read.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn mark_read(&self, id: Id) -> Result<Answer<Notification>, Error> {
        let call = Call::patch(format!("/api/notifications/{id}/read")).once_by_itself();
        self.send(&call).await?.answer()
    }

    /// Puts one of one's notifications away.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn archive(&self, id: Id) -> Result<Answer<Notification>, Error> {
        let call = Call::patch(format!("/api/notifications/{id}/archive")).once_by_itself();
        self.send(&call).await?.answer()
    }

    /// Marks all of one's notifications as read; how many that were.
    ///
    /// # Errors
    /// As any call's.
    pub async fn read_all(&self) -> Result<u64, Error> {
        let call = Call::post("/api/notifications/read-all").once_by_itself();
        let done: ReadAll = self.send(&call).await?.json()?;
        Ok(done.count)
    }
}

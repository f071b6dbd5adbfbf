//! An approval as an aggregate: which rules, which table.

use super::domain::{self, Approval, ApprovalCommand, ApprovalEvent};
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Aggregate;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::approvals::APPROVALS;
use crate::persistence::table::Table;

/// An approval.
pub struct ApprovalAggregate;

impl Aggregate for ApprovalAggregate {
    const KIND: &'static str = "opportunity.approval";
    type State = Approval;
    type Command = ApprovalCommand;
    type Event = ApprovalEvent;

    fn table() -> &'static Table {
        &APPROVALS
    }

    fn version(state: &Approval) -> i64 {
        state.version
    }

    fn decide(
        state: Option<&Approval>,
        command: &ApprovalCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<ApprovalEvent>, Refusal> {
        domain::decide(state, command, caller, id, now)
    }

    fn apply(_: Option<Approval>, event: &ApprovalEvent) -> Approval {
        event.after().clone()
    }
}

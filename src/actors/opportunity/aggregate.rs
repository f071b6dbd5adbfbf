//! An approval as an aggregate: which rules, which table.

use crate::domain::approval::record::Approval;
use crate::domain::approval::rules as domain;
use crate::domain::approval::rules::{ApprovalCommand, ApprovalEvent};
use crate::persistence::approvals::APPROVALS;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use runtime::entity::Aggregate;
use store::table::Table;

/// An approval.
pub struct ApprovalAggregate;

impl Aggregate for ApprovalAggregate {
    const KIND: &'static str = "opportunity.approval";
    type State = Approval;
    type Command = ApprovalCommand;
    type Event = ApprovalEvent;

    const TABLE: &'static Table = &APPROVALS;

    fn decide(
        state: Option<&Approval>,
        command: &ApprovalCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<ApprovalEvent>, Error> {
        domain::decide(state, command, caller, id, now)
    }
}

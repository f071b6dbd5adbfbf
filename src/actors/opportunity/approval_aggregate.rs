//! An approval as an aggregate: which rules, which table.

use serde::Serialize;

use crate::actors::comments::Annotated;
use crate::actors::undo::{Revert, Undo};
use crate::persistence::approvals::APPROVALS;
use crate::persistence::attachments::APPROVALS_ATTACHMENTS;
use crate::persistence::comments::APPROVALS_COMMENTS;
use domain::approval::record::{Approval, ApprovalPayload};
use domain::approval::rules;
use domain::approval::rules::{ApprovalCommand, ApprovalEvent};
use domain::comment::record::AboutRecord;
use domain::saga::record::Counted;
use domain::search::keys::RecordKeys;
use domain::search::record::RecordType;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::EffectError;
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
        rules::decide(state, command, caller, id, now)
    }

    fn row(state: &Approval) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Approval,
            #[serde(flatten)]
            keys: RecordKeys,
        }
        let Approval { version, title, reason, comment, .. } = state;
        let keys = RecordKeys::of_approval(*version, title, reason.as_deref(), comment.as_deref());
        serde_json::to_string(&Row { state, keys }).expect("states are plain structs")
    }
}

impl Annotated for ApprovalAggregate {
    const COMMENT_KIND: &'static str = "opportunity.comment";
    const COMMENTS: &'static Table = &APPROVALS_COMMENTS;
    const ATTACHMENT_KIND: &'static str = "opportunity.attachment";
    const ATTACHMENTS: &'static Table = &APPROVALS_ATTACHMENTS;

    fn visible<'a>(state: Option<&'a Approval>, caller: &Caller) -> Result<&'a Approval, Error> {
        rules::visible(state, caller)
    }

    fn about(approval: &Approval) -> AboutRecord {
        AboutRecord {
            r#type: RecordType::Approval,
            id: approval.id,
            title: approval.title.clone(),
            owner_id: approval.requester_id,
            customer_id: Some(approval.customer_id),
            merged: Vec::new(),
        }
    }
}

impl Revert for ApprovalAggregate {
    const COUNTED: Counted = Counted::Approvals;

    fn of_event(event: &LoggedEvent) -> Result<Approval, EffectError> {
        Ok(event.payload::<ApprovalPayload>()?.approval)
    }

    fn revert(to: Option<Approval>, _: Undo) -> ApprovalCommand {
        ApprovalCommand::Revert { to: to.map(Box::new) }
    }
}

//! A deal as an aggregate: which rules, which table.

use serde::Serialize;

use crate::actors::comments::{Annotated, back_with, kept_with};
use crate::actors::undo::{Revert, Undo};
use crate::persistence::attachments::DEALS_ATTACHMENTS;
use crate::persistence::comments::DEALS_COMMENTS;
use crate::persistence::deals::{DEALS, expected_day};
use domain::comment::record::AboutRecord;
use domain::deal::record::{Deal, DealPayload};
use domain::deal::rules;
use domain::deal::rules::{DealCommand, DealEvent};
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
use store::unit_of_work::Write;

/// A deal.
pub struct DealAggregate;

impl Aggregate for DealAggregate {
    const KIND: &'static str = "opportunity.deal";
    type State = Deal;
    type Command = DealCommand;
    type Event = DealEvent;

    const TABLE: &'static Table = &DEALS;

    fn decide(
        state: Option<&Deal>,
        command: &DealCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<DealEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    fn row(state: &Deal) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Deal,
            expected_day: i64,
            #[serde(flatten)]
            keys: RecordKeys,
        }
        let keys = RecordKeys::of_deal(state.version, &state.title, state.lost_reason.as_deref());
        let row = Row { state, expected_day: expected_day(state), keys };
        serde_json::to_string(&row).expect("states are plain structs")
    }

    fn beside(event: &DealEvent, id: Id) -> Vec<Write> {
        match event {
            DealEvent::Deleted(after) => kept_with::<Self>(id, after.updated_at),
            DealEvent::Restored(_) => back_with(id),
            _ => Vec::new(),
        }
    }
}

impl Annotated for DealAggregate {
    const COMMENT_KIND: &'static str = "opportunity.deal_comment";
    const COMMENTS: &'static Table = &DEALS_COMMENTS;
    const ATTACHMENT_KIND: &'static str = "opportunity.deal_attachment";
    const ATTACHMENTS: &'static Table = &DEALS_ATTACHMENTS;

    fn visible<'a>(state: Option<&'a Deal>, caller: &Caller) -> Result<&'a Deal, Error> {
        rules::visible(state, caller)
    }

    fn about(deal: &Deal) -> AboutRecord {
        AboutRecord {
            r#type: RecordType::Deal,
            id: deal.id,
            title: deal.title.clone(),
            owner_id: deal.owner_id,
            customer_id: Some(deal.customer_id),
            merged: Vec::new(),
        }
    }
}

impl Revert for DealAggregate {
    const COUNTED: Counted = Counted::Deals;

    fn of_event(event: &LoggedEvent) -> Result<Deal, EffectError> {
        Ok(event.payload::<DealPayload>()?.deal)
    }

    fn revert(to: Option<Deal>, _: Undo) -> DealCommand {
        DealCommand::Revert { to: to.map(Box::new) }
    }
}

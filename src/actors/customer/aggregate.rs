//! A customer as an aggregate: which rules, which table.

use serde::Serialize;

use crate::actors::comments::{Annotated, back_with, kept_with};
use crate::actors::undo::{Revert, Undo};
use crate::persistence::attachments::CUSTOMERS_ATTACHMENTS;
use crate::persistence::comments::CUSTOMERS_COMMENTS;
use crate::persistence::customers::CUSTOMERS;
use domain::comment::record::AboutRecord;
use domain::customer::keys::{CustomerKeys, CustomerTexts};
use domain::customer::record::{Customer, CustomerPayload};
use domain::customer::rules;
use domain::customer::rules::{CustomerCommand, CustomerEvent};
use domain::saga::record::Counted;
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

/// A customer.
pub struct CustomerAggregate;

impl Aggregate for CustomerAggregate {
    const KIND: &'static str = "customer.customer";
    type State = Customer;
    type Command = CustomerCommand;
    type Event = CustomerEvent;

    const TABLE: &'static Table = &CUSTOMERS;

    fn decide(
        state: Option<&Customer>,
        command: &CustomerCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<CustomerEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    fn row(state: &Customer) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Customer,
            #[serde(flatten)]
            keys: CustomerKeys,
        }
        let texts = CustomerTexts {
            name: &state.name,
            kana: state.kana.as_deref(),
            company: state.company.as_deref(),
            email: state.email.as_deref(),
            phone: state.phone.as_deref(),
        };
        let keys = CustomerKeys::of(state.version, texts);
        serde_json::to_string(&Row { state, keys }).expect("states are plain structs")
    }

    fn beside(event: &CustomerEvent, id: Id) -> Vec<Write> {
        match event {
            CustomerEvent::Deleted { after, .. } => kept_with::<Self>(id, after.updated_at),
            CustomerEvent::Restored { .. } => back_with(id),
            _ => Vec::new(),
        }
    }
}

impl Annotated for CustomerAggregate {
    const COMMENT_KIND: &'static str = "customer.comment";
    const COMMENTS: &'static Table = &CUSTOMERS_COMMENTS;
    const ATTACHMENT_KIND: &'static str = "customer.attachment";
    const ATTACHMENTS: &'static Table = &CUSTOMERS_ATTACHMENTS;

    fn visible<'a>(state: Option<&'a Customer>, caller: &Caller) -> Result<&'a Customer, Error> {
        rules::visible(state, caller)
    }

    fn about(customer: &Customer) -> AboutRecord {
        AboutRecord {
            r#type: RecordType::Customer,
            id: customer.id,
            title: customer.name.clone(),
            owner_id: customer.owner_id,
            customer_id: Some(customer.id),
            merged: Vec::new(),
        }
    }
}

impl Revert for CustomerAggregate {
    const COUNTED: Counted = Counted::Customers;

    fn of_event(event: &LoggedEvent) -> Result<Customer, EffectError> {
        Ok(event.payload::<CustomerPayload>()?.customer)
    }

    fn revert(to: Option<Customer>, undo: Undo) -> CustomerCommand {
        CustomerCommand::Revert { to: to.map(Box::new), saga_id: undo.saga_id, undoes: undo.undoes }
    }
}

//! A customer as an aggregate: which rules, which table.

use serde::Serialize;

use crate::actors::comments::{Annotated, deleted_with};
use crate::persistence::attachments::CUSTOMERS_ATTACHMENTS;
use crate::persistence::comments::CUSTOMERS_COMMENTS;
use crate::persistence::customers::CUSTOMERS;
use domain::comment::record::AboutRecord;
use domain::customer::keys::CustomerKeys;
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::{CustomerCommand, CustomerEvent};
use domain::search::record::RecordType;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
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
        let Customer { name, kana, company, email, .. } = state;
        let keys = CustomerKeys::of(name, kana.as_deref(), company.as_deref(), email.as_deref());
        serde_json::to_string(&Row { state, keys }).expect("states are plain structs")
    }

    fn beside(event: &CustomerEvent, id: Id) -> Vec<Write> {
        match event {
            CustomerEvent::Deleted { .. } => deleted_with::<Self>(id),
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
        }
    }
}

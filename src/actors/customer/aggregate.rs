//! A customer as an aggregate: which rules, which table.

use serde::Serialize;

use super::domain::{self, Customer, CustomerCommand, CustomerEvent};
use crate::actors::context::Caller;
use crate::actors::fields::search_text;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Aggregate;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::customers::CUSTOMERS;
use crate::persistence::table::Table;

/// A customer.
pub struct CustomerAggregate;

impl Aggregate for CustomerAggregate {
    const KIND: &'static str = "customer.customer";
    type State = Customer;
    type Command = CustomerCommand;
    type Event = CustomerEvent;

    fn table() -> &'static Table {
        &CUSTOMERS
    }

    fn version(state: &Customer) -> i64 {
        state.version
    }

    fn decide(
        state: Option<&Customer>,
        command: &CustomerCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<CustomerEvent>, Refusal> {
        domain::decide(state, command, caller, id, now)
    }

    fn apply(_: Option<Customer>, event: &CustomerEvent) -> Customer {
        match event {
            CustomerEvent::Created(after)
            | CustomerEvent::Updated { after, .. }
            | CustomerEvent::Deleted { after, .. } => after.clone(),
        }
    }

    fn row(state: &Customer) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Customer,
            search: String,
        }
        let search = search_text(&[Some(&state.name), state.company.as_deref(), state.email.as_deref()]);
        serde_json::to_string(&Row { state, search }).expect("states are plain structs")
    }
}

//! A customer as an aggregate: which rules, which table.

use serde::Serialize;

use crate::persistence::customers::CUSTOMERS;
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::{CustomerCommand, CustomerEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::validation::search_text;
use runtime::entity::Aggregate;
use store::table::Table;

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
            search: String,
        }
        let search = search_text(&[Some(&state.name), state.company.as_deref(), state.email.as_deref()]);
        serde_json::to_string(&Row { state, search }).expect("states are plain structs")
    }
}

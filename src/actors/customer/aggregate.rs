//! A customer as an aggregate: which rules, which table.

use serde::Serialize;

use crate::persistence::customers::CUSTOMERS;
use domain::customer::keys::CustomerKeys;
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::{CustomerCommand, CustomerEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
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
            #[serde(flatten)]
            keys: CustomerKeys,
        }
        let Customer { name, kana, company, email, .. } = state;
        let keys = CustomerKeys::of(name, kana.as_deref(), company.as_deref(), email.as_deref());
        serde_json::to_string(&Row { state, keys }).expect("states are plain structs")
    }
}

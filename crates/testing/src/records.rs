//! Records as the rules make them, for tests that store them without their service.

use domain::customer::record::{Customer, NewCustomer};
use domain::customer::rules::{CustomerCommand, check_new, decide};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::event::StateAfter;
use kernel::ids::new_id;

/// A customer that was created at this time.
#[track_caller]
pub fn customer(new: NewCustomer, at: Timestamp) -> Customer {
    let command = CustomerCommand::Create(check_new(new).expect("a right customer"));
    let events = decide(None, &command, &Caller::system(), new_id(), at).expect("allowed");
    events[0].after().clone()
}

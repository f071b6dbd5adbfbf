//! The messages about changes of many records.

use serde::{Deserialize, Serialize};

use crate::bulk::change::{CustomersChange, DealsChange, MeetingsChange, Selection, TasksChange};
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;

macro_rules! messages {
    ($($change:ident: $start:ident, $preview:ident;)*) => {
        $(
            /// Starts the saga that changes the records. The answer is its id.
            #[derive(Clone, Serialize, Deserialize)]
            pub struct $start {
                pub selection: Selection,
                pub change: $change,
                pub context: Context,
            }

            /// Asks what the change would do.
            #[derive(Clone, Serialize, Deserialize)]
            pub struct $preview {
                pub selection: Selection,
                pub change: $change,
                pub caller: Caller,
            }
        )*
    };
}

messages! {
    CustomersChange: ChangeCustomers, PreviewCustomers;
    MeetingsChange: ChangeMeetings, PreviewMeetings;
    TasksChange: ChangeTasks, PreviewTasks;
    DealsChange: ChangeDeals, PreviewDeals;
}

/// The most customers that one [`CountOfCustomers`] may name.
pub const COUNTED_MAX: usize = 500;

/// Asks a service how many of its records that the caller may see go with these customers when they are deleted, by kind.
#[derive(Clone, Serialize, Deserialize)]
pub struct CountOfCustomers {
    pub ids: Vec<Id>,
    pub caller: Caller,
}

//! The messages about what a saga did and how it is taken back.

use serde::{Deserialize, Serialize};

use crate::saga::record::Saga;
use crate::undo::record::LeftRecord;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;

/// The most customers that one [`FindInUse`] may name.
pub const IN_USE_MAX: usize = 500;

/// Takes back what a saga did. The answer is the id of the saga that does so.
pub struct UndoSaga {
    pub id: Id,
    pub context: Context,
}

/// Asks what [`UndoSaga`] would do.
pub struct PreviewUndo {
    pub id: Id,
    pub caller: Caller,
}

/// Asks a service which of its records would become what they were before a saga.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindChanges {
    pub saga: Saga,
    pub caller: Caller,
}

/// Brings back the customer that a saga deleted or merged, deletes or merges the one that it brought back, or takes back the
/// change of the one into which another went. The answer is the new saga's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct RevertCustomer {
    pub saga: Saga,
    pub context: Context,
}

/// Brings back the user that a saga deleted. The answer is the new saga's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct RestoreUser {
    pub saga: Saga,
    pub context: Context,
}

/// Starts the saga that takes back a change of many records. The answer is its id.
#[derive(Clone, Serialize, Deserialize)]
pub struct RevertMany {
    pub saga: Saga,
    /// Records that stay as they are: others have come to depend on them.
    pub except: Vec<LeftRecord>,
    pub context: Context,
}

/// Asks which customers a saga created.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindCreated {
    pub saga: Id,
}

/// Asks which of these customers, at most [`IN_USE_MAX`], have records that live.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindInUse {
    pub ids: Vec<Id>,
}

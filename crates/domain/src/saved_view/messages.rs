//! The messages of the auth service about saved views.

use serde::{Deserialize, Serialize};

use crate::lists::ListName;
use crate::saved_view::record::{NewView, ViewChanges};
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;

/// The caller's views, in the order of their creation; with `list`, of that list.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListViews {
    pub caller: Caller,
    pub list: Option<ListName>,
}

/// Saves a view of the caller's.
#[derive(Clone, Serialize, Deserialize)]
pub struct SaveView {
    pub view: NewView,
    pub context: Context,
}

/// Changes a view of the caller's.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeView {
    pub id: Id,
    pub changes: ViewChanges,
    pub context: Context,
}

/// Removes a view of the caller's.
#[derive(Clone, Serialize, Deserialize)]
pub struct RemoveView {
    pub id: Id,
    pub context: Context,
}

//! A saved view, and all those of a user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lists::ListName;
use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::patch::{Change, present, some};
use kernel::text_schemas::Name;
use kernel::whole_number::{present_whole, whole};

/// The filters of a list, as its parameters have them.
pub type Filter = BTreeMap<String, String>;

/// A view of a list that a user has saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedView {
    pub id: Id,
    /// Grows with each change, by one or more.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub list: ListName,
    pub name: String,
    /// The list's parameters that narrow it.
    pub filter: Filter,
    /// As the list's `sort`; null: the list's own order.
    #[schema(required)]
    pub sort: Option<String>,
    /// The columns that the console shows; none: the usual ones.
    pub columns: Vec<String>,
    /// Rows of a page; null: as many as usual.
    #[schema(required, minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Whether the console opens the list with it.
    #[serde(rename = "default")]
    pub is_default: bool,
}

/// A view to save.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    pub list: ListName,
    /// Unlike the names of the list's other views.
    #[schema(value_type = Name)]
    pub name: String,
    /// The list's parameters that narrow it.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, required = false)]
    pub filter: Filter,
    #[serde(default)]
    pub sort: Option<String>,
    /// Columns of the list, each once.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false, max_items = 20)]
    pub columns: Vec<String>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// The default of the list: the one that was it before is not any more.
    #[serde(default, rename = "default")]
    #[schema(value_type = bool, required = false)]
    pub is_default: bool,
}

/// Changes of a view.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewChanges {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = Option<Name>, nullable = false)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(nullable = false)]
    pub filter: Option<Filter>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub sort: Change<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(nullable = false)]
    pub columns: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present_whole")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub limit: Change<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some", rename = "default")]
    #[schema(nullable = false)]
    pub is_default: Option<bool>,
}

/// All views of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserViews {
    /// The user's.
    pub id: Id,
    pub version: i64,
    /// In the order of their creation.
    pub views: Vec<SavedView>,
}

impl Versioned for UserViews {
    fn version(&self) -> i64 {
        self.version
    }
}

//! The views of lists that users have saved.

use store::table::{Kind, OnConflict, Table};

/// All views of a user in a row, whose id is the user's.
pub static USER_VIEWS: Table = Table {
    name: "user_views",
    columns: &[("id", Kind::Id), ("version", Kind::Int), ("views", Kind::Json)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

//! States that all nodes share outside the database, for faster reads. Linearizable: a read that begins after a change
//! was acknowledged sees that change or a later one.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use store::StoreError;

/// Reads the state from the database, if there is one.
pub type Stored<S> = Result<Option<Arc<S>>, StoreError>;

/// The hot states of one kind.
pub trait Hot<S>: Send + Sync {
    /// The shared state, or the one that `stored` reads from the database.
    fn read<'a>(&'a self, id: Id, stored: BoxFuture<'a, Stored<S>>) -> BoxFuture<'a, Stored<S>>;

    /// Returns when no node can read the state from before a finished commit any more. Await it before a client learns
    /// of that commit.
    fn changed(&self, id: Id) -> BoxFuture<'_, ()>;
}

/// Whether an answer tells its client something of the state: not if the command was not decided, or its outcome is
/// unknown.
pub(super) fn tells_of_the_state<T>(answer: &Result<T, Error>) -> bool {
    !matches!(answer, Err(error) if matches!(error.code, ErrorCode::Unavailable | ErrorCode::Overloaded))
}

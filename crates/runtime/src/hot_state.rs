//! States that all nodes share outside the database, for faster reads. Linearizable: a read that begins after a change
//! was acknowledged sees that change or a later one.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use kernel::ids::Id;
use store::StoreError;

/// Reads the state from the database, if there is one.
pub type Stored<S> = Result<Option<Arc<S>>, StoreError>;

/// The hot states of one kind.
pub trait Hot<S>: Send + Sync {
    /// The shared state, or the one that `stored` reads from the database.
    fn read<'a>(&'a self, id: Id, stored: BoxFuture<'a, Stored<S>>) -> BoxFuture<'a, Stored<S>>;

    /// Returns when no node can still read the state from before the commit that has just ended.
    fn changed(&self, id: Id) -> BoxFuture<'_, ()>;
}

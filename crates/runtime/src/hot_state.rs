//! What all nodes keep together in a faster place than the database. Strict: whoever reads it after a change was
//! answered sees that change or a later one.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use kernel::ids::Id;
use store::StoreError;

/// A state as the database has it, if it has one.
pub type Stored<S> = Result<Option<Arc<S>>, StoreError>;

/// The hot states of one kind.
pub trait Hot<S>: Send + Sync {
    /// The state: one that is kept, or what `stored` reads from the database.
    fn read<'a>(&'a self, id: Id, stored: BoxFuture<'a, Stored<S>>) -> BoxFuture<'a, Stored<S>>;

    /// Comes back when no node will be answered with what was there before the commit that has just ended.
    fn changed(&self, id: Id) -> BoxFuture<'_, ()>;
}

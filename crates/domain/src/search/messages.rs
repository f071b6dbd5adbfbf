//! The message by which each service searches its own records.

use serde::{Deserialize, Serialize};

use kernel::caller::Caller;

/// The most records that a search answers.
pub const HITS_MAX: i64 = 50;
/// How many it answers unless the caller says.
pub const HITS_DEFAULT: i64 = 20;

/// Finds the records of a service that have all words of `q` and that the caller may see, the best first (see
/// [`ranked`](super::rules::ranked)).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindRecords {
    pub caller: Caller,
    pub q: String,
    /// 1 to [`HITS_MAX`].
    pub limit: i64,
}

//! Writes that say what a command did: which version it found, and which one it left.

use std::fmt;
use std::sync::Arc;

use crate::unit_of_work::Write;

/// The versions of an aggregate before and after a command; 0 is that of one that did not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub before: i64,
    pub after: i64,
}

/// Makes the write that says from which version to which a command led: only the aggregate knows.
#[derive(Clone)]
pub struct Noting(Arc<dyn Fn(Step) -> Write + Send + Sync>);

impl Noting {
    pub fn new(write: impl Fn(Step) -> Write + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// The write for this step.
    pub fn write(&self, step: Step) -> Write {
        (self.0)(step)
    }
}

impl fmt::Debug for Noting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noting")
    }
}

//! Rows that transactions only append, and that are added up later, in batches.

/// What a batch found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// The rows that waited before it, up to a bound.
    pub waiting: i64,
    /// The rows that it took; zero if so few wait that they stay where they are, or another node is at it.
    pub folded: i64,
}

impl Folded {
    /// Whether another batch should follow at once.
    pub fn is_behind(self) -> bool {
        self.folded > 0 && self.waiting >= 2 * self.folded
    }
}

//! What goes with a command: its context, and what is committed together with its outcome.

use kernel::context::Context;
use store::noting::Noting;
use store::unit_of_work::UnitOfWork;

/// The context of a command, and the writes and checks that are committed with its outcome.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub context: Context,
    pub with: UnitOfWork,
    /// Writes that say what the command did, if it did anything.
    pub noting: Vec<Noting>,
}

impl From<Context> for Prepared {
    fn from(context: Context) -> Self {
        Self::new(context, UnitOfWork::default())
    }
}

impl Prepared {
    /// A command in this context, together with this unit.
    pub fn new(context: Context, with: UnitOfWork) -> Self {
        Self { context, with, noting: Vec::new() }
    }

    /// With a write that says what the command did.
    pub fn noting(mut self, noting: Noting) -> Self {
        self.noting.push(noting);
        self
    }
}

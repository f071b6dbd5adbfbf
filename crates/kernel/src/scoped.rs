//! Which scopes a message needs of its caller. A service checks them before it handles a message, so that no message is
//! without a row in a table of [`needs!`](crate::needs): it would not compile.

use crate::caller::Caller;
use crate::error::Error;
use crate::scopes::Scopes;

/// A message to a service: on whose behalf it is sent, and which scopes that takes.
pub trait Scoped {
    /// The caller; `None` for what only services ask each other.
    fn caller(&self) -> Option<&Caller>;

    fn caller_mut(&mut self) -> Option<&mut Caller>;

    /// The scopes that the caller must have.
    fn needs(&self) -> Scopes;

    /// Checks that the caller has the scopes.
    ///
    /// # Errors
    /// `missing_scope`, `session_required`.
    fn check_scopes(&self) -> Result<(), Error> {
        self.caller().map_or(Ok(()), |caller| caller.scopes.check(self.needs()))
    }

    /// The message as a service sends it to another one for an operation whose scopes it has checked.
    #[must_use]
    fn by_peer(mut self) -> Self
    where
        Self: Sized,
    {
        if let Some(caller) = self.caller_mut() {
            caller.scopes = caller.scopes.of_peer();
        }
        self
    }
}

/// The table of messages and the scopes that they need: where the caller is (`caller` or `context`), and either scopes or an
/// expression of the message. `nobody` stands for what only services ask each other.
#[macro_export]
macro_rules! needs {
    ($($message:ty: $by:ident $([$($scope:ident),* $(,)?])? $(|$asked:ident| $needs:expr)?;)*) => {
        $(impl $crate::scoped::Scoped for $message {
            fn caller(&self) -> Option<&$crate::caller::Caller> {
                $crate::needs!(@caller $by self)
            }

            fn caller_mut(&mut self) -> Option<&mut $crate::caller::Caller> {
                $crate::needs!(@caller_mut $by self)
            }

            fn needs(&self) -> $crate::scopes::Scopes {
                $(
                    const NEEDED: $crate::scopes::Scopes =
                        $crate::scopes::Scopes::of(&[$($crate::scopes::Scope::$scope),*]);
                    NEEDED
                )?
                $(
                    let $asked = self;
                    $needs
                )?
            }
        })*
    };
    (@caller caller $message:ident) => { Some(&$message.caller) };
    (@caller context $message:ident) => { Some(&$message.context.caller) };
    (@caller nobody $message:ident) => { None };
    (@caller_mut caller $message:ident) => { Some(&mut $message.caller) };
    (@caller_mut context $message:ident) => { Some(&mut $message.context.caller) };
    (@caller_mut nobody $message:ident) => { None };
}

//! What the rules of all records share when one becomes again what it was. Pure.

use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// Sets these fields to what they were, and adds the names of those that differ.
macro_rules! take_back {
    ($after:ident, $to:ident, $changed:ident, [$($field:ident),*]) => {
        $(kernel::validation::set(
            &mut $after.$field,
            Some($to.$field.clone()),
            stringify!($field),
            &mut $changed,
        );)*
    };
}
pub(crate) use take_back;

/// Checks that the caller may see the record as it is or as it was, and may give it the owner that it had.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn check_revert(caller: &Caller, owner: Id, owner_before: Option<Id>) -> Result<(), Error> {
    if !caller.sees(owner) && !owner_before.is_some_and(|before| caller.sees(before)) {
        return Err(Error::new(ErrorCode::NotFound));
    }
    caller.may_set_owner(owner_before.filter(|before| *before != owner))
}

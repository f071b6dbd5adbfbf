//! What a subscription may be. Pure.

use crate::events::CATALOGUE;
use crate::subscription::record::{Beginning, NewSubscription, Subscription};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::EventType;
use kernel::ids::Id;

/// The most subscriptions.
pub const SUBSCRIPTIONS_MAX: i64 = 100;
/// The longest name.
pub const NAME_MAX: usize = 63;
/// The most types that a body may name.
const TYPES_MAX: usize = 200;

/// Whether the caller may read the events of everybody: ADMIN.
///
/// # Errors
/// `forbidden`.
pub fn may_read(caller: &Caller) -> Result<(), Error> {
    caller.require(&[Role::Admin])
}

/// Whether this is a name: `[a-z0-9][a-z0-9._-]{0,62}`.
pub fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() <= NAME_MAX
        && bytes.first().is_some_and(|first| is_letter(*first))
        && bytes.iter().all(|byte| is_letter(*byte) || b"._-".contains(byte))
}

/// The faults of a body.
pub(super) fn faults(new: &NewSubscription) -> Vec<FieldError> {
    if new.types.len() > TYPES_MAX {
        return vec![FieldError::limit("types", "too_many", TYPES_MAX as i64)];
    }
    let unknown = |(place, name): (usize, &String)| {
        let is_known = CATALOGUE.find(name).is_some();
        (!is_known).then(|| FieldError::new(format!("types[{place}]"), "invalid_choice"))
    };
    new.types.iter().enumerate().filter_map(unknown).collect()
}

/// The types of these names, each once; none stands for every type.
///
/// # Errors
/// `invalid_parameter` for a name that the catalogue does not know.
pub fn types_named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<EventType>, Error> {
    let mut types = Vec::new();
    for name in names {
        let found = CATALOGUE.find(name).ok_or_else(|| Error::parameter("types", "invalid_choice"))?;
        if !types.contains(&found) {
            types.push(found);
        }
    }
    Ok(types)
}

impl Subscription {
    /// A new subscription.
    pub fn new(name: String, new: NewSubscription, key: Id, now: Timestamp) -> Self {
        let from = new.from.unwrap_or(Beginning::Now);
        let types = each_once(new.types);
        Self { name, version: 1, created_at: now, updated_at: now, key, types, from }
    }

    /// The types that its readers get; none stands for every type. A type that this program does not know is left out:
    /// a newer one has subscribed to it.
    pub fn event_types(&self) -> Vec<EventType> {
        self.types.iter().filter_map(|name| CATALOGUE.find(name)).collect()
    }

    /// What a PUT makes of it.
    pub fn replaced(&self, new: NewSubscription, now: Timestamp) -> Replaced {
        let types = each_once(new.types);
        let moves = new.from.filter(|from| *from != self.from);
        if moves.is_none() && types == self.types {
            return Replaced::Same;
        }
        let from = moves.unwrap_or(self.from);
        let after = Self { version: self.version + 1, updated_at: now, types, from, ..self.clone() };
        if moves.is_some() { Replaced::Moved(after) } else { Replaced::Retyped(after) }
    }
}

/// What a PUT makes of a subscription that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// Nothing.
    Same,
    /// It has other types. Its positions stay, and its leases end, because their batches were chosen by the types before.
    Retyped(Subscription),
    /// It begins elsewhere: its positions move there, and its leases end.
    Moved(Subscription),
}

/// Checks a body.
///
/// # Errors
/// `invalid_fields` with every fault.
pub fn check_new(new: &NewSubscription) -> Result<(), Error> {
    let faults = faults(new);
    if faults.is_empty() { Ok(()) } else { Err(Error::fields(faults)) }
}

/// Checks a beginning: what is to come can't be told from what is past.
///
/// # Errors
/// `invalid_fields` for a time in the future.
pub fn check_beginning(from: Option<Beginning>, now: Timestamp) -> Result<(), Error> {
    match from {
        Some(Beginning::At(time)) if time > now => Err(Error::field("from", "in_future")),
        _ => Ok(()),
    }
}

/// Checks that there is room for another subscription.
///
/// # Errors
/// `too_many_subscriptions`.
pub fn check_room(count: i64) -> Result<(), Error> {
    if count < SUBSCRIPTIONS_MAX { Ok(()) } else { Err(Error::new(ErrorCode::TooManySubscriptions)) }
}

fn each_once(names: Vec<String>) -> Vec<String> {
    let mut types: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !types.contains(&name) {
            types.push(name);
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn body(types: &[&str], from: Option<Beginning>) -> NewSubscription {
        NewSubscription { types: types.iter().map(|name| (*name).to_owned()).collect(), from }
    }

    #[test]
    fn names_are_short_and_plain() {
        let longest = "a".repeat(NAME_MAX);
        for name in ["a", "0", "warehouse", "crm.sync_2-b", &longest] {
            assert!(is_name(name), "{name}");
        }
        let longer = "a".repeat(NAME_MAX + 1);
        for name in ["", ".a", "-a", "_a", "A", "a b", "a/b", "顧客", "a\0", &longer] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn every_unknown_type_is_a_fault() {
        let faults = faults(&body(&["customer.created", "customer.invented", "", "x"], None));
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["types[1]", "types[2]", "types[3]"]);
        assert_eq!(
            super::faults(&NewSubscription { types: vec![String::new(); 201], from: None })[0].code,
            "too_many"
        );
    }

    #[test]
    fn what_is_put_again_stays_where_it_is() {
        let new = body(&["customer.created", "customer.created"], None);
        let first = Subscription::new("a".into(), new.clone(), new_id(), at(1));
        assert_eq!((first.from, first.types.len()), (Beginning::Now, 1));
        assert_eq!(first.replaced(new.clone(), at(2)), Replaced::Same);
        let again = NewSubscription { from: Some(Beginning::Now), ..new };
        assert_eq!(first.replaced(again, at(2)), Replaced::Same);
    }

    #[test]
    fn another_beginning_moves_it_and_other_types_do_not() {
        let first = Subscription::new("a".into(), body(&[], Some(Beginning::Start)), new_id(), at(1));
        let Replaced::Retyped(other) = first.replaced(body(&["user.created"], None), at(2)) else {
            panic!("it has other types")
        };
        assert_eq!((other.version, other.updated_at, other.from), (2, at(2), Beginning::Start));
        let Replaced::Moved(moved) = other.replaced(body(&[], Some(Beginning::At(at(0)))), at(3)) else {
            panic!("it begins elsewhere")
        };
        assert_eq!((moved.version, moved.from, moved.types.len()), (3, Beginning::At(at(0)), 0));
    }

    #[test]
    fn a_beginning_is_not_in_the_future() {
        assert!(check_beginning(Some(Beginning::At(at(5))), at(5)).is_ok());
        let error = check_beginning(Some(Beginning::At(at(6))), at(5)).expect_err("in the future");
        assert_eq!((error.fields[0].field.as_str(), &*error.fields[0].code), ("from", "in_future"));
    }

    #[test]
    fn the_number_of_subscriptions_is_bounded() {
        assert!(check_room(SUBSCRIPTIONS_MAX - 1).is_ok() && check_room(SUBSCRIPTIONS_MAX).is_err());
    }
}

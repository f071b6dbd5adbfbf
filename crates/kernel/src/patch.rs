//! Fields of a PATCH body, which tell an absent field from `null`.

use serde::{Deserialize, Deserializer};

/// A field of a PATCH: absent (unchanged), null (cleared), or a value.
pub type Change<T> = Option<Option<T>>;

/// For `#[serde(default, deserialize_with = "present")]`: tells null from absent.
///
/// # Errors
/// The value's own.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Change<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// For fields that can be left out but not cleared: null is refused.
///
/// # Errors
/// The value's own, also for null.
pub fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

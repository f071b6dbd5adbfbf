//! By what a user is searched. Pure.

use serde::Serialize;

use kernel::search::search_text;
use kernel::text_key::key;

/// The keys of a user. They change with the user's texts alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserKeys {
    /// What `?q=` searches: name, email. The name is first: some callers may search names only.
    pub search: String,
}

impl UserKeys {
    pub fn of(name: &str, email: &str) -> Self {
        Self { search: search_text([key(name).as_str(), key(email).as_str()]) }
    }
}

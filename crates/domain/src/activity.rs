//! The order of a record's activity: the newest event first.

use kernel::event::EventRecord;
use kernel::page::Keyset;

/// The name of the order in cursors.
const ORDER: &str = "-sequence";

/// Where the page after this event begins.
pub fn keyset(event: &EventRecord) -> Keyset {
    Keyset { sort: ORDER.to_owned(), value: event.sequence.to_string(), id: event.id }
}

/// The version of the record after the event that a cursor names; `None` for a cursor of another list.
pub fn version(keyset: &Keyset) -> Option<i64> {
    (keyset.sort == ORDER).then(|| keyset.value.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn a_cursor_of_another_list_names_no_version() {
        let of = |sort: &str, value: &str| {
            version(&Keyset { sort: sort.to_owned(), value: value.to_owned(), id: new_id() })
        };
        assert_eq!(of("-sequence", "12"), Some(12));
        assert_eq!(of("-sequence", "twelve"), None);
        assert_eq!(of("-id", "12"), None);
    }
}

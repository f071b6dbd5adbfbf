//! The order of a record's activity: the newest event first. Its events and those of its comments and attachments have one
//! partition, whose numbers are their order.

use kernel::event::EventRecord;
use kernel::page::Keyset;

/// The name of the order in cursors.
const ORDER: &str = "-partition_seq";

/// Where the page after this event begins.
pub fn keyset(event: &EventRecord) -> Keyset {
    Keyset { sort: ORDER.to_owned(), value: event.partition_seq.to_string(), id: event.id }
}

/// The place of the event that a cursor names; `None` for a cursor of another list.
pub fn place(keyset: &Keyset) -> Option<i64> {
    (keyset.sort == ORDER).then(|| keyset.value.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn a_cursor_of_another_list_names_no_place() {
        let of = |sort: &str, value: &str| {
            place(&Keyset { sort: sort.to_owned(), value: value.to_owned(), id: new_id() })
        };
        assert_eq!(of("-partition_seq", "12"), Some(12));
        assert_eq!(of("-partition_seq", "twelve"), None);
        assert_eq!(of("-id", "12"), None);
    }
}

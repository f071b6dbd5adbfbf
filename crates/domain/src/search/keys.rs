//! By what meetings, tasks, approvals and deals are searched. Customers have `customer::keys`. Pure.

use serde::Serialize;

use kernel::search::search_text;
use kernel::text_key::key;

/// The keys of a record's texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordKeys {
    /// What is searched: the title first.
    pub search: String,
    /// The version of the record whose texts these are. A program that knows no keys changes the version alone, so
    /// that the keys are made again.
    pub keyed_version: i64,
}

impl RecordKeys {
    pub fn of_meeting(
        version: i64,
        title: &str,
        location: Option<&str>,
        notes: Option<&str>,
        outcome: Option<&str>,
    ) -> Self {
        Self::of(version, title, &[location, notes, outcome])
    }

    pub fn of_task(version: i64, title: &str, notes: Option<&str>) -> Self {
        Self::of(version, title, &[notes])
    }

    pub fn of_approval(version: i64, title: &str, reason: Option<&str>, comment: Option<&str>) -> Self {
        Self::of(version, title, &[reason, comment])
    }

    pub fn of_deal(version: i64, title: &str, lost_reason: Option<&str>) -> Self {
        Self::of(version, title, &[lost_reason])
    }

    /// Those of a customer whom another service knows by name.
    pub fn of_replica(version: i64, name: &str) -> Self {
        Self::of(version, name, &[])
    }

    fn of(version: i64, title: &str, others: &[Option<&str>]) -> Self {
        let keys: Vec<String> = [Some(title)].iter().chain(others).flatten().map(|text| key(text)).collect();
        Self { search: search_text(keys.iter().map(String::as_str)), keyed_version: version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_searched_by_its_title_and_its_other_texts() {
        let keys = RecordKeys::of_meeting(3, "定例 会議", Some("大阪"), None, Some("ＯＫ\n次回"));
        let search = "\u{1}定例 会議\t定例会議\n大阪\nok 次回\tok次回".to_owned();
        assert_eq!(keys, RecordKeys { search, keyed_version: 3 });
        assert_eq!(RecordKeys::of_task(1, "Call", None).search, "\u{1}call");
        assert_eq!(RecordKeys::of_approval(1, "A", Some("B"), Some("C")).search, "\u{1}a\nb\nc");
        assert_eq!(RecordKeys::of_deal(1, "A", Some("B")).search, "\u{1}a\nb");
    }
}

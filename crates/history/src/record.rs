//! A record with a version: it is created once, changed, and deleted. A change may name the version that it was built on.

use std::collections::HashMap;

use crate::linear::{Model, Verdict, check};
use crate::operation::Operation;

/// What clients ask of a record. The texts of creations and changes are all different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Create {
        text: String,
    },
    Read,
    /// With `If-Match` if there is a version.
    Change {
        text: String,
        on: Option<i64>,
    },
    Delete,
}

/// What they are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The record as it is after the call.
    Record { version: i64, text: String },
    /// It is deleted now.
    Deleted,
    /// The change was built on another version.
    Stale,
    /// There is no such record.
    Missing,
}

/// An operation on a record.
pub type RecordOperation = Operation<Call, Answer>;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Not created yet.
    Absent,
    Present {
        version: i64,
        text: String,
    },
    Deleted,
}

/// How a record behaves.
#[derive(Default)]
pub struct RecordModel {
    /// The version of each text that an answer has shown.
    shown: HashMap<String, i64>,
}

impl RecordModel {
    /// The model for a history, whose answers say which texts were seen.
    pub fn of(history: &[RecordOperation]) -> Self {
        let answers = history.iter().filter_map(|operation| operation.answer.as_ref());
        let shown = answers.filter_map(|(answer, _)| match answer {
            Answer::Record { version, text } => Some((text.clone(), *version)),
            _ => None,
        });
        Self { shown: shown.collect() }
    }
}

impl Model for RecordModel {
    type State = Record;
    type Call = Call;
    type Answer = Answer;

    fn first(&self) -> Record {
        Record::Absent
    }

    fn step(&self, record: &Record, call: &Call, answer: Option<&Answer>) -> Option<Record> {
        let (right, after) = happens(record, call);
        if let Some(answer) = answer {
            return (*answer == right).then_some(after);
        }
        let Record::Present { version, text } = &after else { return Some(after) };
        match self.shown.get(text) {
            _ if after == *record => Some(after),
            // What nobody has seen may have happened at any version, and what was seen at that one alone.
            None => Some(Record::Present { version: *version, text: String::new() }),
            Some(seen) => (seen == version).then_some(after),
        }
    }

    fn is_past(&self, record: &Record, call: &Call, answer: &Answer) -> bool {
        match (record, answer) {
            (Record::Present { version: now, .. }, Answer::Record { version, .. }) => match call {
                Call::Read => version < now,
                _ => version <= now,
            },
            (Record::Deleted, Answer::Record { .. } | Answer::Deleted) => true,
            (Record::Deleted, Answer::Stale) => !matches!(call, Call::Create { .. }),
            _ => false,
        }
    }

    fn are_alike(&self, one: &Call, other: &Call) -> bool {
        match (one, other) {
            (Call::Change { text, on }, Call::Change { text: other_text, on: other_on }) => {
                on == other_on && [text, other_text].iter().all(|text| !self.shown.contains_key(*text))
            }
            (Call::Delete, Call::Delete) => true,
            _ => false,
        }
    }
}

/// The right answer to a call, and the record afterwards.
fn happens(record: &Record, call: &Call) -> (Answer, Record) {
    let shown = |version: i64, text: &str| {
        let text = text.to_owned();
        (Answer::Record { version, text: text.clone() }, Record::Present { version, text })
    };
    match (record, call) {
        (Record::Absent, Call::Create { text }) => shown(1, text),
        // The answer to a repeated creation is the first one; nobody repeats it under another key.
        (Record::Present { .. } | Record::Deleted, Call::Create { .. }) => (Answer::Stale, record.clone()),
        (Record::Absent | Record::Deleted, _) => (Answer::Missing, record.clone()),
        (Record::Present { version, text }, Call::Read) => shown(*version, text),
        (Record::Present { version, .. }, Call::Change { on: Some(on), .. }) if on != version => {
            (Answer::Stale, record.clone())
        }
        (Record::Present { version, .. }, Call::Change { text, .. }) => shown(version + 1, text),
        (Record::Present { .. }, Call::Delete) => (Answer::Deleted, Record::Deleted),
    }
}

/// Checks the history of one record.
///
/// # Errors
/// The history up to where no order goes on, or that the search was given up.
pub fn check_record(history: &[RecordOperation]) -> Result<(), String> {
    match check(&RecordModel::of(history), history) {
        Verdict::Linearizable => Ok(()),
        Verdict::Undecided => Err(format!("no verdict on {} operations: {history:#?}", history.len())),
        Verdict::Violated { ordered, stuck } => {
            let lines = |places: &[usize]| -> String {
                places.iter().map(|place| format!("  {:?}\n", history[*place])).collect()
            };
            let last = &ordered[ordered.len().saturating_sub(10)..];
            Err(format!(
                "no copy of a record answers so. In order:\n{}none of:\n{}",
                lines(last),
                lines(&stuck)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(version: i64, text: &str) -> Answer {
        Answer::Record { version, text: text.into() }
    }

    fn create(at: (u64, u64), text: &str) -> RecordOperation {
        Operation::answered(Call::Create { text: text.into() }, at.0, shown(1, text), at.1)
    }

    fn read(at: (u64, u64), answer: Answer) -> RecordOperation {
        Operation::answered(Call::Read, at.0, answer, at.1)
    }

    fn change(at: (u64, u64), text: &str, on: Option<i64>, answer: Answer) -> RecordOperation {
        Operation::answered(Call::Change { text: text.into(), on }, at.0, answer, at.1)
    }

    fn lost(called: u64, text: &str, on: Option<i64>) -> RecordOperation {
        Operation::unanswered(Call::Change { text: text.into(), on }, called)
    }

    fn delete(at: (u64, u64), answer: Answer) -> RecordOperation {
        Operation::answered(Call::Delete, at.0, answer, at.1)
    }

    #[track_caller]
    fn good(history: &[RecordOperation]) {
        assert_eq!(check_record(history), Ok(()));
    }

    #[track_caller]
    fn bad(history: &[RecordOperation]) {
        check_record(history).expect_err("no order explains this");
    }

    #[test]
    fn a_history_of_one_copy_is_accepted() {
        good(&[]);
        good(&[
            create((0, 1), "a"),
            read((2, 3), shown(1, "a")),
            change((4, 5), "b", Some(1), shown(2, "b")),
            change((6, 7), "c", Some(1), Answer::Stale),
            delete((8, 9), Answer::Deleted),
            read((10, 11), Answer::Missing),
            change((12, 13), "d", None, Answer::Missing),
            Operation::answered(Call::Create { text: "e".into() }, 14, Answer::Stale, 15),
        ]);
        // Reads beside a change show the record before or after it.
        good(&[
            create((0, 1), "a"),
            change((2, 9), "b", None, shown(2, "b")),
            read((3, 4), shown(1, "a")),
            read((5, 6), shown(2, "b")),
        ]);
    }

    #[test]
    fn a_change_without_an_answer_may_have_happened_or_not_and_late() {
        let begin = [create((0, 1), "a"), lost(2, "b", None)];
        let with = |rest: &[RecordOperation]| [&begin[..], rest].concat();
        good(&with(&[read((10, 11), shown(1, "a"))]));
        good(&with(&[read((10, 11), shown(1, "a")), read((12, 13), shown(2, "b"))]));
        good(&with(&[change((10, 11), "c", Some(1), Answer::Stale), read((12, 13), shown(2, "b"))]));
        bad(&with(&[read((10, 11), shown(2, "b")), read((12, 13), shown(1, "a"))]));
        // One that is built on an older version can't have happened.
        let other = [create((0, 1), "a"), change((2, 3), "b", None, shown(2, "b")), lost(4, "c", Some(1))];
        bad(&[&other[..], &[read((5, 6), shown(3, "c"))]].concat());
        // Nor before it was sent.
        bad(&[create((0, 1), "a"), read((2, 3), shown(2, "b")), lost(4, "b", None)]);
    }

    #[test]
    fn a_stale_read_is_found() {
        bad(&[create((0, 1), "a"), change((2, 3), "b", None, shown(2, "b")), read((4, 5), shown(1, "a"))]);
        bad(&[create((0, 1), "a"), read((2, 3), Answer::Missing)]);
    }

    #[test]
    fn two_reads_that_go_back_are_found() {
        bad(&[
            create((0, 1), "a"),
            change((2, 20), "b", None, shown(2, "b")),
            read((3, 4), shown(2, "b")),
            read((5, 6), shown(1, "a")),
        ]);
    }

    #[test]
    fn a_lost_update_is_found() {
        // Both were built on the first version.
        bad(&[
            create((0, 1), "a"),
            change((2, 6), "b", Some(1), shown(2, "b")),
            change((3, 7), "c", Some(1), shown(2, "c")),
        ]);
        // Both have happened, and one is gone.
        bad(&[
            create((0, 1), "a"),
            change((2, 6), "b", None, shown(2, "b")),
            change((3, 7), "c", None, shown(3, "c")),
            read((8, 9), shown(3, "b")),
        ]);
    }

    #[test]
    fn a_change_that_happens_twice_is_found() {
        bad(&[create((0, 1), "a"), change((2, 3), "b", None, shown(2, "b")), read((4, 5), shown(3, "b"))]);
    }

    #[test]
    fn what_nobody_wrote_is_found() {
        bad(&[create((0, 1), "a"), read((2, 3), shown(1, "z"))]);
    }

    #[test]
    fn a_refusal_that_was_none_is_found() {
        bad(&[create((0, 1), "a"), change((2, 3), "b", Some(1), Answer::Stale)]);
        bad(&[create((0, 1), "a"), delete((2, 3), Answer::Missing)]);
    }

    #[test]
    fn a_deleted_record_that_comes_back_is_found() {
        bad(&[create((0, 1), "a"), delete((2, 3), Answer::Deleted), read((4, 5), shown(1, "a"))]);
        bad(&[
            create((0, 1), "a"),
            delete((2, 3), Answer::Deleted),
            change((4, 5), "b", None, shown(2, "b")),
        ]);
    }

    #[test]
    fn many_changes_without_an_answer_leave_no_doubt() {
        // Of thirty that were lost, any ten may have happened.
        let mut history = vec![create((0, 1), "a")];
        history.extend((0..30).map(|n| lost(2 + n, &format!("lost {n}"), (n % 3 == 0).then_some(n as i64))));
        for n in 0..10 {
            let at = 100 + 10 * n;
            history.push(change(
                (at, at + 1),
                &format!("b{n}"),
                None,
                shown(3 + 2 * n as i64, &format!("b{n}")),
            ));
        }
        good(&history);
        history.push(read((1_000, 1_001), shown(20, "b9")));
        bad(&history);
    }

    #[test]
    fn the_message_names_what_has_no_place() {
        let history = [create((0, 1), "a"), read((2, 3), shown(7, "z"))];
        let message = check_record(&history).unwrap_err();
        assert!(message.contains("version: 7") && message.contains("Create"), "{message}");
    }

    /// Operations that one copy answers at `at`, called up to 50 moments before and answered up to 50 after.
    fn of_one_copy() -> impl Strategy<Value = Vec<RecordOperation>> {
        let operation = (0..5_u8, 0..50_u64, 0..50_u64, any::<bool>());
        prop::collection::vec(operation, 1..60).prop_map(|plan| {
            let mut record = Record::Absent;
            let mut history = Vec::new();
            for (number, (kind, before, after, is_lost)) in plan.into_iter().enumerate() {
                let at = 100 + 10 * number as u64;
                let version = if let Record::Present { version, .. } = record { version } else { 1 };
                let text = number.to_string();
                let call = match kind {
                    _ if number == 0 => Call::Create { text },
                    0 | 1 => Call::Read,
                    2 => Call::Change { text, on: None },
                    3 => Call::Change { text, on: Some(version - i64::from(after.is_multiple_of(3))) },
                    _ if number < 50 => Call::Read,
                    _ => Call::Delete,
                };
                let (answer, next) = happens(&record, &call);
                record = next;
                // Nobody but its client knows of a record before it is created.
                let called = if number == 0 { at } else { at - before };
                let is_write = matches!(call, Call::Change { .. } | Call::Delete);
                history.push(match is_lost && is_write && after < 10 {
                    true => Operation::unanswered(call, called),
                    false => Operation::answered(call, called, answer, at + after),
                });
            }
            history
        })
    }

    /// The verdict that trying every order of a short history gives; the checker must agree with it.
    fn has_an_order(history: &[RecordOperation], done: &mut Vec<usize>, record: &Record) -> bool {
        let left: Vec<usize> = (0..history.len()).filter(|place| !done.contains(place)).collect();
        if left.iter().all(|place| history[*place].answer.is_none()) {
            return true;
        }
        left.iter().any(|place| {
            let operation = &history[*place];
            let is_early = left.iter().all(|other| operation.called <= history[*other].ended());
            let (right, after) = happens(record, &operation.call);
            let is_right = operation.answer.as_ref().is_none_or(|(answer, _)| *answer == right);
            let next = Some(after).filter(|_| is_early && is_right);
            next.is_some_and(|next| {
                done.push(*place);
                let found = has_an_order(history, done, &next);
                done.pop();
                found
            })
        })
    }

    proptest! {
        #[test]
        fn what_one_copy_answers_is_accepted(history in of_one_copy()) {
            prop_assert_eq!(check_record(&history), Ok(()));
        }

        #[test]
        fn the_search_agrees_with_the_trial_of_all_orders(
            history in of_one_copy().prop_map(|mut history| { history.truncate(7); history }),
            place in 0..7_usize,
            version in 1..5_i64,
        ) {
            let mut history = history;
            if let Some(Operation { answer: Some((Answer::Record { version: shown, .. }, _)), .. }) =
                history.get_mut(place)
            {
                *shown = version;
            }
            let expected = has_an_order(&history, &mut Vec::new(), &Record::Absent);
            prop_assert_eq!(check_record(&history).is_ok(), expected, "{:#?}", history);
        }
    }
}

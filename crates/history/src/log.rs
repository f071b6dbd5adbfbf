//! Whether readers of the log saw every event once, per key in the order of its changes, and all in one order.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::Moment;

/// An event as a reader saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: String,
    /// The record that it is about.
    pub key: String,
    /// The record's version after it.
    pub sequence: i64,
    /// What the record says after it; `None` if it is deleted.
    pub text: Option<String>,
}

/// A change that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub key: String,
    pub sequence: i64,
    pub text: Option<String>,
    pub called: Moment,
    pub answered: Moment,
}

/// Checks what one reader saw from the beginning on, to the end.
///
/// # Errors
/// What is wrong, and with which event.
pub fn check_reader(seen: &[Seen], acknowledged: &[Acknowledged]) -> Result<(), String> {
    once_and_in_order(seen)?;
    let by_place: BTreeMap<(&str, i64), &Seen> =
        seen.iter().map(|event| ((event.key.as_str(), event.sequence), event)).collect();
    let mut answered = BTreeMap::new();
    for change in acknowledged {
        let place = (change.key.as_str(), change.sequence);
        let event = by_place.get(&place).ok_or_else(|| format!("the event of {change:?} is missing"))?;
        if event.text != change.text {
            return Err(format!("{event:?} does not say what was acknowledged: {change:?}"));
        }
        answered.insert(place, change);
    }
    in_real_time(seen, &answered)
}

fn once_and_in_order(seen: &[Seen]) -> Result<(), String> {
    let (mut ids, mut last) = (BTreeSet::new(), BTreeMap::<&str, i64>::new());
    for event in seen {
        if !ids.insert(&event.id) {
            return Err(format!("{event:?} came twice"));
        }
        let before = last.insert(&event.key, event.sequence).unwrap_or(0);
        if event.sequence != before + 1 {
            return Err(format!("{event:?} came after number {before} of its key"));
        }
    }
    Ok(())
}

/// No change stands in the log before one that had been answered when it was asked for.
fn in_real_time(seen: &[Seen], answered: &BTreeMap<(&str, i64), &Acknowledged>) -> Result<(), String> {
    let mut latest: Option<&Acknowledged> = None;
    for event in seen {
        let Some(change) = answered.get(&(event.key.as_str(), event.sequence)) else { continue };
        if let Some(latest) = latest.filter(|latest| change.answered < latest.called) {
            return Err(format!("{change:?} stands after {latest:?}, which was asked for later"));
        }
        if latest.is_none_or(|latest| change.called > latest.called) {
            latest = Some(change);
        }
    }
    Ok(())
}

/// Checks that all readers saw the same events in the same order.
///
/// # Errors
/// Where two of them differ.
pub fn check_alike(readers: &[Vec<Seen>]) -> Result<(), String> {
    for pair in readers.windows(2) {
        let [one, other] = pair else { continue };
        if let Some(place) =
            (0..one.len().max(other.len())).find(|place| one.get(*place) != other.get(*place))
        {
            let (one, other) = (one.get(place), other.get(place));
            return Err(format!("readers differ at {place}: {one:?} and {other:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: &str, sequence: i64) -> Seen {
        let text = Some(format!("{key} {sequence}"));
        Seen { id: format!("{key}/{sequence}"), key: key.into(), sequence, text }
    }

    fn change(key: &str, sequence: i64, called: Moment, answered: Moment) -> Acknowledged {
        let text = Some(format!("{key} {sequence}"));
        Acknowledged { key: key.into(), sequence, text, called, answered }
    }

    fn right() -> Vec<Seen> {
        vec![event("a", 1), event("b", 1), event("a", 2), event("a", 3)]
    }

    #[test]
    fn events_of_different_keys_may_mix_and_need_no_acknowledgement() {
        assert_eq!(check_reader(&right(), &[]), Ok(()));
        let acknowledged = [change("a", 1, 0, 5), change("b", 1, 3, 9), change("a", 2, 6, 8)];
        assert_eq!(check_reader(&right(), &acknowledged), Ok(()));
        assert_eq!(check_alike(&[right(), right()]), Ok(()));
    }

    #[test]
    fn a_duplicate_a_gap_and_a_reordering_are_found() {
        let twice = [right(), vec![event("b", 1)]].concat();
        let swapped = vec![event("a", 1), event("a", 3), event("a", 2)];
        let late = vec![event("a", 2), event("a", 3)];
        let mut renamed = right();
        renamed.push(Seen { id: "other".into(), ..event("a", 3) });
        for (wrong, why) in [
            (twice, "came twice"),
            (swapped, "after number 1"),
            (late, "after number 0"),
            (renamed, "after number 3"),
        ] {
            let message = check_reader(&wrong, &[]).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
    }

    #[test]
    fn a_lost_acknowledged_change_and_another_content_are_found() {
        let missing = check_reader(&right(), &[change("b", 2, 0, 1)]).unwrap_err();
        assert!(missing.contains("missing"), "{missing}");
        let other = Acknowledged { text: None, ..change("b", 1, 0, 1) };
        let message = check_reader(&right(), &[other]).unwrap_err();
        assert!(message.contains("does not say"), "{message}");
    }

    #[test]
    fn a_log_against_real_time_is_found() {
        // b was answered before a's second change was asked for, and stands behind it.
        let seen = vec![event("a", 1), event("a", 2), event("b", 1)];
        let message = check_reader(&seen, &[change("a", 2, 20, 30), change("b", 1, 1, 10)]).unwrap_err();
        assert!(message.contains("asked for later"), "{message}");
        assert_eq!(check_reader(&seen, &[change("a", 2, 20, 30), change("b", 1, 1, 21)]), Ok(()));
    }

    #[test]
    fn readers_that_differ_are_found() {
        let mut other = right();
        other.swap(0, 1);
        assert!(check_alike(&[right(), other]).unwrap_err().contains("at 0"));
        assert!(check_alike(&[right(), right()[..3].to_vec()]).unwrap_err().contains("at 3"));
    }
}

//! Faults for the crash tests: at some of its visits a named place ends the process, panics, fails or waits.
//!
//! Compiled only with the feature `failpoints`; without it [`hit`], [`fails`] and [`pause`] are empty. Set by the
//! environment: `KIZUNA_FAILPOINTS="journal.before_commit=kill@3;actor.registry=panic@1"`. The visits are one (`3`), a
//! range (`1..4`, both ends included) or `always`; `feed.NAME.effect=fail@always/TEXT` counts and fails only visits
//! whose input contains the text. `stats.tasks=hang@2` waits for ever, `stats.tasks=300ms@always` for 300 ms.

/// Visits the place called `name`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &str) {}

/// Visits the place called `name`; true if the operation there must fail. `holds` tells whether its input contains a
/// text.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn fails(_name: &str, _holds: impl Fn(&str) -> bool) -> bool {
    false
}

/// Visits the place called `name`, and waits there if it is armed to wait.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub async fn pause(_name: &str) {}

#[cfg(feature = "failpoints")]
pub use armed::{fails, hit, pause};

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::HashMap;
    use std::ops::RangeInclusive;
    use std::process::Command;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Action {
        Kill,
        Panic,
        Fail,
        /// `None` means for ever.
        Wait(Option<Duration>),
    }

    struct Point {
        action: Action,
        visits: RangeInclusive<u64>,
        /// Only visits whose input contains this text count.
        text: Option<String>,
        visited: AtomicU64,
    }

    static POINTS: LazyLock<HashMap<String, Point>> = LazyLock::new(|| {
        let set = std::env::var("KIZUNA_FAILPOINTS").unwrap_or_default();
        let parts = set.split(';').filter(|part| !part.is_empty());
        parts.map(|part| parse(part).unwrap_or_else(|| panic!("{EXPECTED}, got {part:?}"))).collect()
    });

    const EXPECTED: &str = "KIZUNA_FAILPOINTS: expected name=kill|panic|fail|hang|<n>ms@visits[/text]";

    fn parse(part: &str) -> Option<(String, Point)> {
        let (name, rest) = part.split_once('=')?;
        let (action, rest) = rest.split_once('@')?;
        let (visits, text) = rest.split_once('/').map_or((rest, None), |(visits, text)| (visits, Some(text)));
        let action = match action {
            "kill" => Action::Kill,
            "panic" => Action::Panic,
            "fail" => Action::Fail,
            "hang" => Action::Wait(None),
            _ => Action::Wait(Some(Duration::from_millis(action.strip_suffix("ms")?.parse().ok()?))),
        };
        let visits = match (visits, visits.split_once("..")) {
            ("always", _) => 1..=u64::MAX,
            (_, Some((first, last))) => first.parse().ok()?..=last.parse().ok()?,
            (one, None) => one.parse().map(|one| one..=one).ok()?,
        };
        let point = Point { action, visits, text: text.map(str::to_owned), visited: AtomicU64::new(0) };
        Some((name.to_owned(), point))
    }

    impl Point {
        fn is_armed_for_this_visit(&self) -> bool {
            self.visits.contains(&(self.visited.fetch_add(1, Ordering::SeqCst) + 1))
        }
    }

    /// Visits the place called `name`; acts if it is armed for this visit.
    pub fn hit(name: &str) {
        let Some(point) = POINTS.get(name).filter(|point| point.is_armed_for_this_visit()) else { return };
        match point.action {
            Action::Panic => panic!("failpoint {name}"),
            Action::Fail | Action::Wait(_) => panic!("{name} is no place for {:?}", point.action),
            Action::Kill => {
                // SIGKILL, not abort: nothing of this process may run after the boundary.
                let _ = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
                loop {
                    std::thread::park();
                }
            }
        }
    }

    /// Visits the place called `name`; true if it is armed to fail this visit.
    pub fn fails(name: &str, holds: impl Fn(&str) -> bool) -> bool {
        let meant = |point: &&Point| point.action == Action::Fail && point.text.as_deref().is_none_or(&holds);
        POINTS.get(name).filter(meant).is_some_and(Point::is_armed_for_this_visit)
    }

    /// Visits the place called `name`; waits or panics if it is armed for this visit. A `fail` is for [`fails`].
    pub async fn pause(name: &str) {
        let meant = |point: &&Point| point.action != Action::Fail && point.is_armed_for_this_visit();
        let Some(point) = POINTS.get(name).filter(meant) else { return };
        match point.action {
            Action::Panic => panic!("failpoint {name}"),
            Action::Wait(None) => std::future::pending().await,
            Action::Wait(Some(time)) => tokio::time::sleep(time).await,
            action => panic!("{name} is no place for {action:?}"),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_one_visit_a_range_or_every_visit() {
            for (text, action, visits, filter) in [
                ("a.b=kill@3", Action::Kill, 3..=3, None),
                ("a.b=panic@1..4", Action::Panic, 1..=4, None),
                ("a.b=fail@always/絆", Action::Fail, 1..=u64::MAX, Some("絆")),
                ("a.b=hang@2", Action::Wait(None), 2..=2, None),
                ("a.b=300ms@1", Action::Wait(Some(Duration::from_millis(300))), 1..=1, None),
            ] {
                let (name, point) = parse(text).unwrap();
                assert_eq!((name.as_str(), point.action, &point.visits), ("a.b", action, &visits), "{text}");
                assert_eq!(point.text.as_deref(), filter, "{text}");
            }
            for text in ["a.b", "a.b=kill", "a.b=stop@1", "a.b=kill@", "a.b=fail@1..", "a.b=fail@x/y"] {
                assert!(parse(text).is_none(), "{text}");
            }
        }
    }
}

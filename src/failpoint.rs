//! Crash points for the crash tests: a named place ends the process, or panics, at its n-th visit.
//!
//! Compiled only with the feature `failpoints`; without it [`hit`] is empty. Set by the environment:
//! `KIZUNA_FAILPOINTS="journal.before_commit=kill@3;actor.registry=panic@1"`.

/// Passes the place called `name`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &str) {}

#[cfg(feature = "failpoints")]
pub use armed::hit;

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::HashMap;
    use std::process::Command;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Clone, Copy)]
    enum Action {
        Kill,
        Panic,
    }

    struct Point {
        action: Action,
        at: u64,
        visits: AtomicU64,
    }

    static POINTS: LazyLock<HashMap<String, Point>> = LazyLock::new(|| {
        let set = std::env::var("KIZUNA_FAILPOINTS").unwrap_or_default();
        set.split(';').filter(|part| !part.is_empty()).map(parse).collect()
    });

    fn parse(part: &str) -> (String, Point) {
        let point = (|| {
            let (name, rest) = part.split_once('=')?;
            let (action, at) = rest.split_once('@')?;
            let action = match action {
                "kill" => Action::Kill,
                "panic" => Action::Panic,
                _ => return None,
            };
            Some((name.to_owned(), Point { action, at: at.parse().ok()?, visits: AtomicU64::new(0) }))
        })();
        point.unwrap_or_else(|| panic!("KIZUNA_FAILPOINTS: expected name=kill|panic@visit, got {part:?}"))
    }

    /// Passes the place called `name`; acts if this is the visit it was armed for.
    pub fn hit(name: &str) {
        let Some(point) = POINTS.get(name) else { return };
        if point.visits.fetch_add(1, Ordering::SeqCst) + 1 != point.at {
            return;
        }
        match point.action {
            Action::Panic => panic!("failpoint {name}"),
            Action::Kill => {
                // SIGKILL, not abort: nothing of this process may run after the boundary.
                let _ = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
                loop {
                    std::thread::park();
                }
            }
        }
    }
}

//! The actors of a node as operators read them: in groups of one purpose. Pure.

use crate::actors::operations::history::HistoryReading;
use crate::actors::operations::problems::Problem;
use crate::http::console::kit::chart::{Sparkline, sparkline};
use domain::service_name::ServiceName;
use runtime::stats::ActorReading;

/// The groups in their order: each has a word in the texts.
const GROUPS: [&str; 5] = ["services", "records", "consumers", "breakers", "engine"];

/// Actors of one purpose.
pub struct ActorGroup {
    /// Its word in the texts.
    pub name: &'static str,
    pub rows: Vec<ActorRow>,
    /// Messages that all of them handled in each minute of the last hour.
    pub handled: Sparkline,
    /// Messages of the last hour.
    pub of_hour: i64,
    pub live: i64,
    pub has_problem: bool,
}

/// An actor, and its last hour.
pub struct ActorRow {
    pub reading: ActorReading,
    pub handled: Sparkline,
    pub has_problem: bool,
}

/// The actors in groups; within a group those with a problem first.
pub fn groups(actors: Vec<ActorReading>, history: &HistoryReading, problems: &[Problem]) -> Vec<ActorGroup> {
    let mut rows: Vec<Vec<ActorRow>> = GROUPS.iter().map(|_| Vec::new()).collect();
    for reading in actors {
        let place = GROUPS.iter().position(|group| *group == group_of(&reading.name)).unwrap_or_default();
        rows[place].push(ActorRow {
            handled: sparkline(&handled(history, &reading.name)),
            has_problem: problems.iter().any(|problem| problem.name == reading.name),
            reading,
        });
    }
    let group = |(name, mut rows): (&&'static str, Vec<ActorRow>)| {
        rows.sort_by_key(|row| !row.has_problem);
        let sum = sum(rows.iter().map(|row| handled(history, &row.reading.name)));
        ActorGroup {
            name,
            handled: sparkline(&sum),
            of_hour: sum.iter().flatten().sum(),
            live: rows.iter().map(|row| row.reading.live).sum(),
            has_problem: rows.iter().any(|row| row.has_problem),
            rows,
        }
    };
    GROUPS.iter().zip(rows).filter(|(_, rows)| !rows.is_empty()).map(group).collect()
}

/// The group of an actor, by its name: `auth`, `auth.user`, `feed.analytics.metrics`, `breaker.auth`, `journal`.
fn group_of(name: &str) -> &'static str {
    let first = name.split('.').next().unwrap_or_default();
    let is_service = ServiceName::ALL.iter().any(|service| service.as_str() == first);
    match first {
        "feed" => "consumers",
        "breaker" | "webhook" => "breakers",
        "webhooks" if name == "webhooks.webhook" => "records",
        _ if is_service && name.contains('.') => "records",
        "sagas" | "live" | "operations" | "webhooks" => "services",
        _ if is_service => "services",
        _ => "engine",
    }
}

fn handled(history: &HistoryReading, name: &str) -> Vec<Option<i64>> {
    let course = history.actors.iter().find(|it| it.name == name);
    let values = course.map(|it| it.handled.iter().map(|value| Some(*value as i64)).collect());
    values.unwrap_or_default()
}

/// The sums of each minute. All end with the same minute.
fn sum(courses: impl Iterator<Item = Vec<Option<i64>>>) -> Vec<Option<i64>> {
    let mut sums: Vec<Option<i64>> = Vec::new();
    for course in courses {
        if course.len() > sums.len() {
            let missing = course.len() - sums.len();
            sums.splice(0..0, std::iter::repeat_n(Some(0), missing));
        }
        let first = sums.len() - course.len();
        for (sum, value) in sums[first..].iter_mut().zip(course) {
            *sum = Some(sum.unwrap_or(0) + value.unwrap_or(0));
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::operations::problems::ProblemKind;

    fn actor(name: &str) -> ActorReading {
        ActorReading { name: name.into(), mailbox: 0, handled: 0, failed: 0, restarts: 0, live: 1 }
    }

    #[test]
    fn an_actor_belongs_to_the_group_that_its_name_says() {
        let names =
            ["auth", "sagas", "auth.user", "sales.task", "feed.sales.customers", "breaker.auth", "journal"];
        let of: Vec<_> = names.iter().map(|name| group_of(name)).collect();
        assert_eq!(of, ["services", "services", "records", "records", "consumers", "breakers", "engine"]);
    }

    #[test]
    fn who_has_a_problem_is_first_and_marks_the_group() {
        let problem = Problem { kind: ProblemKind::Restarted, name: "registry".into(), count: 1 };
        let all = ["journal", "registry", "auth"].map(actor).into();
        let groups = groups(all, &HistoryReading::default(), &[problem]);
        let told: Vec<_> = groups.iter().map(|group| (group.name, group.has_problem, group.live)).collect();
        assert_eq!(told, [("services", false, 1), ("engine", true, 2)]);
        assert_eq!(groups[1].rows[0].reading.name, "registry");
    }

    #[test]
    fn sums_end_with_the_same_minute() {
        let courses = [vec![Some(1), Some(2)], vec![Some(10)]];
        assert_eq!(sum(courses.into_iter()), [Some(1), Some(12)]);
    }
}

//! What an operator should look at, from the figures of a node. Pure.

use crate::actors::operations::history::HistoryReading;
use crate::actors::operations::messages::{ClusterReading, ConsumerReading, IntegrityReport, RedisState};
use runtime::breaker::{BreakerReading, BreakerState};
use runtime::stats::ActorReading;

/// A lag that a consumer does not have in passing: it takes hundreds of events at once. Our number.
const LAG: i64 = 1_000;
/// Messages that wait for an actor that keeps up: far fewer. Our number; mailboxes take 1,024.
const QUEUE: i64 = 256;

/// Something that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// What has it: a consumer, a breaker, an actor.
    pub name: String,
    /// How many, or how much.
    pub count: i64,
}

/// The kinds of problems, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Events were lost, doubled or out of order.
    NotWhole,
    /// Events that a consumer gave up on.
    DeadLetters,
    BreakerOpen,
    RedisAway,
    /// Events that a consumer will try again.
    Retrying,
    Lagging,
    /// Messages wait for an actor.
    Queueing,
    /// An actor was started again within the hour.
    Restarted,
    /// An administrator keeps a breaker closed, whatever its calls do.
    BreakerForced,
}

impl ProblemKind {
    /// Its word in texts and addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotWhole => "not-whole",
            Self::DeadLetters => "dead-letters",
            Self::BreakerOpen => "breaker-open",
            Self::RedisAway => "redis-away",
            Self::Retrying => "retrying",
            Self::Lagging => "lagging",
            Self::Queueing => "queueing",
            Self::Restarted => "restarted",
            Self::BreakerForced => "breaker-forced",
        }
    }

    /// Whether something does not work now; the others are worth a look.
    pub fn is_grave(self) -> bool {
        self <= Self::RedisAway
    }
}

/// The figures of a node.
pub struct Figures<'a> {
    pub integrity: &'a IntegrityReport,
    pub consumers: &'a [ConsumerReading],
    pub breakers: &'a [BreakerReading],
    pub actors: &'a [ActorReading],
    pub cluster: &'a ClusterReading,
    pub history: &'a HistoryReading,
}

/// What is wrong, the worst first.
pub fn problems(of: &Figures<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut add = |kind, name: &str, count: i64| {
        if count > 0 {
            found.push(Problem { kind, name: name.to_owned(), count });
        }
    };
    for one in &of.integrity.consumers {
        let it = &one.integrity;
        add(ProblemKind::NotWhole, one.name, it.lost + it.duplicated + it.out_of_order);
    }
    for one in of.consumers {
        add(ProblemKind::DeadLetters, one.name, one.dead);
        add(ProblemKind::Retrying, one.name, one.retrying + one.waiting);
        add(ProblemKind::Lagging, one.name, if one.pending > LAG { one.pending } else { 0 });
    }
    for one in of.breakers {
        match (one.state, one.forced) {
            (BreakerState::Open | BreakerState::HalfOpen, _) => add(ProblemKind::BreakerOpen, &one.name, 1),
            (BreakerState::Closed, Some(_)) => add(ProblemKind::BreakerForced, &one.name, 1),
            (BreakerState::Closed, None) => {}
        }
    }
    add(ProblemKind::RedisAway, "redis", i64::from(of.cluster.redis == Some(RedisState::Away)));
    for one in of.actors {
        add(ProblemKind::Queueing, &one.name, if one.mailbox > QUEUE { one.mailbox } else { 0 });
    }
    for one in &of.history.actors {
        let restarts: u64 = one.restarts.iter().sum();
        add(ProblemKind::Restarted, &one.name, restarts.try_into().unwrap_or(i64::MAX));
    }
    found.sort_by_key(|problem| problem.kind);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::operations::history::ActorCourse;
    use crate::actors::operations::messages::ConsumerIntegrity;
    use store::progress::Integrity;

    fn consumer(name: &'static str, pending: i64, dead: i64) -> ConsumerReading {
        ConsumerReading { name, types: &[], applied: 0, pending, retrying: 0, waiting: 0, dead }
    }

    fn actor(name: &str, mailbox: i64) -> ActorReading {
        ActorReading { name: name.into(), mailbox, handled: 0, failed: 0, restarts: 7, live: 1 }
    }

    fn report(lost: i64) -> IntegrityReport {
        let integrity = Integrity { applied: 0, pending: 0, lost, duplicated: 0, out_of_order: 0 };
        IntegrityReport {
            events: 9,
            consumers: vec![ConsumerIntegrity { name: "sales.customers", integrity }],
        }
    }

    fn cluster(redis: Option<RedisState>) -> ClusterReading {
        ClusterReading { nodes: Vec::new(), partitions: Vec::new(), consumers: Vec::new(), redis }
    }

    #[test]
    fn the_worst_is_first() {
        let restarted =
            ActorCourse { name: "folder".into(), handled: vec![], failed: vec![], restarts: vec![1, 2] };
        let found = problems(&Figures {
            integrity: &report(2),
            consumers: &[consumer("analytics.metrics", 5_000, 0), consumer("sales.customers", 3, 4)],
            breakers: &[],
            actors: &[actor("journal", 300), actor("folder", 2)],
            cluster: &cluster(Some(RedisState::Away)),
            history: &HistoryReading { actors: vec![restarted], ..HistoryReading::default() },
        });
        let told: Vec<_> = found.iter().map(|it| (it.kind, it.name.as_str(), it.count)).collect();
        assert_eq!(
            told,
            [
                (ProblemKind::NotWhole, "sales.customers", 2),
                (ProblemKind::DeadLetters, "sales.customers", 4),
                (ProblemKind::RedisAway, "redis", 1),
                (ProblemKind::Lagging, "analytics.metrics", 5_000),
                (ProblemKind::Queueing, "journal", 300),
                (ProblemKind::Restarted, "folder", 3),
            ]
        );
        assert_eq!(found.iter().filter(|it| it.kind.is_grave()).count(), 3);
    }

    #[test]
    fn a_node_that_does_its_work_has_none() {
        let found = problems(&Figures {
            integrity: &report(0),
            consumers: &[consumer("analytics.metrics", 512, 0)],
            breakers: &[],
            // Restarts of before the last hour are over.
            actors: &[actor("journal", 64)],
            cluster: &cluster(None),
            history: &HistoryReading::default(),
        });
        assert_eq!(found, []);
    }
}

//! Every metric of `/metrics`: its name, labels and meaning. Dashboards and alerts name what stands here, and a test
//! compares this list with the code and with the files of `deploy/`.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What kind of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, until the process ends.
    Counter,
    Gauge,
    /// Written as `_bucket`, `_sum` and `_count`.
    Histogram,
}

use MetricKind::{Counter, Gauge, Histogram};

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: MetricKind,
    pub labels: &'static [&'static str],
    help: &'static str,
}

const fn metric(
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, help }
}

/// All metrics, by name.
pub const METRICS: &[Metric] = &[
    metric(
        "kizuna_actor_failed_total",
        Counter,
        &["actor"],
        "Messages that an actor did not answer in time or died over",
    ),
    metric("kizuna_actor_handled_total", Counter, &["actor"], "Messages that an actor has taken up"),
    metric("kizuna_actor_live", Gauge, &["actor"], "Running actors of a kind"),
    metric("kizuna_actor_mailbox", Gauge, &["actor"], "Messages that wait for an actor"),
    metric(
        "kizuna_actor_restarts_total",
        Counter,
        &["actor"],
        "Times that an actor panicked and was started again",
    ),
    metric(
        "kizuna_actor_stuck_total",
        Counter,
        &["actor"],
        "Times that an actor made no progress and was started again",
    ),
    metric(
        "kizuna_breaker_events_total",
        Counter,
        &["breaker", "event"],
        "What a circuit breaker has seen and done",
    ),
    metric("kizuna_breaker_open", Gauge, &["breaker"], "1 while a circuit breaker is open"),
    metric(
        "kizuna_consumer_lag_events",
        Gauge,
        &["consumer"],
        "Events of the log that a consumer has not read",
    ),
    metric("kizuna_database_away", Gauge, &[], "1 while PostgreSQL does not answer this node"),
    metric(
        "kizuna_database_refuses_writes",
        Gauge,
        &[],
        "1 while the database takes no writes; read with /readyz",
    ),
    metric("kizuna_dead_letters_total", Counter, &["consumer"], "Events that a consumer has given up on"),
    metric("kizuna_event_readers_waiting", Gauge, &[], "Requests that wait for events"),
    metric(
        "kizuna_fallbacks_total",
        Counter,
        &["callee"],
        "Answers from a copy because a service was not reached",
    ),
    metric("kizuna_hot_customers_total", Counter, &["result"], "Reads of customers from Redis"),
    metric("kizuna_http_refused_total", Counter, &[], "Requests beyond --requests-at-once"),
    metric(
        "kizuna_http_request_seconds",
        Histogram,
        &["method", "route"],
        "Time from a request's head to its answer's",
    ),
    metric("kizuna_http_requests_total", Counter, &["method", "route", "status"], "Answered requests"),
    metric(
        "kizuna_integrity_faults",
        Gauge,
        &["consumer"],
        "Lost, double and misordered events of the last integrity report that was asked for",
    ),
    metric("kizuna_journal_commits_total", Counter, &[], "Transactions of the journal"),
    metric("kizuna_journal_group_size", Histogram, &[], "Units of work of a transaction"),
    metric("kizuna_journal_units_total", Counter, &[], "Units of work"),
    metric(
        "kizuna_lease_refused_total",
        Counter,
        &[],
        "Renewals that another process under the same node id prevented",
    ),
    metric("kizuna_live_sockets", Gauge, &[], "Live connections that have signed in"),
    metric(
        "kizuna_otlp_spans_dropped_total",
        Counter,
        &["reason"],
        "Spans that the receiver of traces did not get",
    ),
    metric("kizuna_otlp_spans_sent_total", Counter, &[], "Spans that the receiver of traces has taken"),
    metric(
        "kizuna_redis_refused_total",
        Counter,
        &["purpose"],
        "Entries of Redis that this cluster has not sealed",
    ),
    metric("kizuna_registry_overflows_total", Counter, &[], "Deliveries to a subscriber that was too slow"),
    metric(
        "kizuna_relay_untold_events_total",
        Counter,
        &[],
        "Events that other nodes were not told of through Redis",
    ),
    metric(
        "kizuna_remote_calls_late_total",
        Counter,
        &[],
        "Calls that reached this node after their deadline",
    ),
    metric(
        "kizuna_subscription_pending",
        Gauge,
        &["subscription"],
        "Events that wait for the readers of a subscription; read with /metrics",
    ),
    metric("kizuna_unfolded_rows", Gauge, &["of"], "Rows of counts and texts that are not added up yet"),
    metric("kizuna_webhook_tries_total", Counter, &["outcome"], "Requests to webhooks"),
    metric("process_resident_memory_bytes", Gauge, &[], "Memory of the process; on Linux"),
];

/// Tells the process's recorder what its metrics mean.
pub fn describe() {
    for Metric { name, kind, help, .. } in METRICS {
        match kind {
            Counter => describe_counter!(*name, *help),
            Gauge => describe_gauge!(*name, *help),
            Histogram => describe_histogram!(*name, *help),
        }
    }
}

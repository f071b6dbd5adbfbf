//! Every actor dies once by a panic: its supervisor restarts it, its caller gets an answer, and other callers notice
//! nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;

use crate::fixture::{Fixture, SOON};
use crate::request_kind::{ALL, RequestKind, Sender};
use testing::promises;
use testing::{Answer, Api, Database, Kizuna, Postgres, Sqlite, eventually};

/// Requests under way at once when the actor dies.
const CALLERS: usize = 4;
/// A request without an answer after this time hangs.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// The janitor works every five seconds.
const DIES_WITHIN: Duration = Duration::from_secs(10);

const RESTARTS: &str = "kizuna_actor_restarts_total";
const LIVE: &str = "kizuna_actor_live";

/// `visit` counts the messages that the actor has handled since the start. The bystander's first request takes one of
/// each of auth's children; the subscriptions of ten consumers and of the live hub take eleven of the registry.
#[rstest]
#[case::registry("registry", 12, RequestKind::Customer)]
#[case::journal("journal", 1, RequestKind::Customer)]
#[case::journal_with_a_commit_under_way("journal", 3, RequestKind::Customer)]
#[case::breaker_of_auth_asked("breaker.auth", 1, RequestKind::CustomerOfOther)]
#[case::breaker_of_auth_told("breaker.auth", 5, RequestKind::CustomerOfOther)]
#[case::breaker_of_customer_asked("breaker.customer", 1, RequestKind::Meeting)]
#[case::breaker_of_customer_told("breaker.customer", 5, RequestKind::Meeting)]
#[case::breaker_of_sales("breaker.sales", 1, RequestKind::Foresee)]
#[case::breaker_of_opportunity("breaker.opportunity", 1, RequestKind::Foresee)]
#[case::breaker_of_analytics("breaker.analytics", 1, RequestKind::Foresee)]
#[case::auth("auth", 1, RequestKind::Login)]
#[case::customer("customer", 2, RequestKind::Customer)]
#[case::sales("sales", 1, RequestKind::Meeting)]
#[case::opportunity("opportunity", 1, RequestKind::Approval)]
#[case::analytics("analytics", 1, RequestKind::Figures)]
#[case::sagas("sagas", 1, RequestKind::Foresee)]
#[case::live("live", 1, RequestKind::Customer)]
#[case::operations("operations", 1, RequestKind::Actors)]
#[case::replica_of_sales("feed.sales.customers", 1, RequestKind::Customer)]
#[case::replica_of_opportunity("feed.opportunity.customers", 1, RequestKind::Customer)]
#[case::metrics("feed.analytics.metrics", 1, RequestKind::Customer)]
#[case::activity("feed.analytics.activity", 1, RequestKind::Meeting)]
#[case::notifications("feed.analytics.notifications", 1, RequestKind::Customer)]
#[case::departures_of_customer("feed.customer.departures", 1, RequestKind::Customer)]
#[case::departures_of_sales("feed.sales.departures", 1, RequestKind::Meeting)]
#[case::departures_of_opportunity("feed.opportunity.departures", 1, RequestKind::Approval)]
#[case::departures_of_analytics("feed.analytics.departures", 1, RequestKind::Customer)]
#[case::progress_of_sagas("feed.sagas.progress", 1, RequestKind::Customer)]
#[case::janitor("janitor", 1, RequestKind::Customer)]
#[case::folder("folder", 1, RequestKind::Customer)]
#[case::child_of_a_new_customer("customer.customer", 2, RequestKind::Customer)]
#[case::child_of_a_known_customer("customer.customer", 2, RequestKind::Change)]
#[case::child_of_a_meeting("sales.meeting", 1, RequestKind::Meeting)]
#[case::child_of_an_approval("opportunity.approval", 1, RequestKind::Approval)]
#[case::child_of_a_task("sales.task", 1, RequestKind::Task)]
#[case::child_of_a_notification("analytics.notification", 1, RequestKind::ReadAll)]
#[case::scheduler("scheduler", 1, RequestKind::Task)]
#[case::child_of_a_user("auth.user", 2, RequestKind::Me)]
#[case::child_of_a_session("auth.session", 2, RequestKind::Me)]
#[tokio::test]
async fn an_actor_that_panics_is_brought_back_and_only_its_caller_notices(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] actor: &str,
    #[case] visit: u32,
    #[case] kind: RequestKind,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let mut launch = fixture.armed(&format!("actor.{actor}=panic@{visit}"));
    if actor == "scheduler" {
        launch = launch.env("KIZUNA_DUE_SCAN_EVERY", "1s");
    }
    let server = launch.start().await;
    let sender = Sender { server: &server, staff };
    let (over, admin) = (AtomicBool::new(false), staff.admin.at(&server));
    bystander_path_is_open(&admin, actor).await;
    let dying = async {
        let answers = join_all((0..CALLERS).map(|caller| ask(&sender, kind, caller))).await;
        eventually(DIES_WITHIN, || at_least_one(&server, RESTARTS, actor)).await;
        over.store(true, Ordering::SeqCst);
        answers
    };
    let (answers, ()) = tokio::join!(dying, bystander(&admin, actor, &over));
    answers.iter().for_each(is_done_or_clearly_refused);
    everything_works_again(&sender, kind).await;
    eventually(SOON, || at_least_one(&server, LIVE, actor)).await;
    fixture.eventually(promises::kept).await;
}

async fn ask(sender: &Sender<'_>, kind: RequestKind, caller: usize) -> Answer {
    let answer =
        tokio::time::timeout(ANSWERED_WITHIN, sender.attempt(kind, &format!("caller-{caller}"))).await;
    answer.unwrap_or_else(|_| panic!("{kind:?} has no answer after {ANSWERED_WITHIN:?}"))
}

#[track_caller]
fn is_done_or_clearly_refused(answer: &Answer) {
    if matches!(answer.status, 200 | 201) {
        return;
    }
    assert_eq!(answer.status, 503, "{answer}");
    assert!(matches!(answer.code(), Some("unavailable" | "overloaded")), "{answer}");
    let wait = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    assert!(wait.is_some_and(|seconds| (1..=5).contains(&seconds)), "{answer}");
}

/// A list of a service that does not need the dying actor.
fn bystander_path(actor: &str) -> &'static str {
    if actor.starts_with("customer") { "/api/meetings" } else { "/api/customers" }
}

/// The bystander's own user and session are in memory from here on.
async fn bystander_path_is_open(admin: &Api, actor: &str) {
    admin.get(bystander_path(actor)).await.expect(200);
}

/// Another user, who must notice nothing.
async fn bystander(admin: &Api, actor: &str, over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        admin.get(bystander_path(actor)).await.expect(200);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn at_least_one(server: &Kizuna, metric: &str, actor: &str) -> Result<(), String> {
    let metrics = Api::new(server.base_url()).get("/metrics").await.expect(200).text;
    let line = format!("{metric}{{actor=\"{actor}\"}} ");
    let value = metrics.lines().find_map(|metric| metric.strip_prefix(&line));
    match value.and_then(|count| count.parse::<u64>().ok()) {
        Some(1..) => Ok(()),
        other => Err(format!("{metric} of {actor} is {other:?}")),
    }
}

/// Repeats the refused requests with their keys, then sends every other kind.
async fn everything_works_again(sender: &Sender<'_>, died_over: RequestKind) {
    let again = (0..CALLERS).map(|caller| (died_over, format!("caller-{caller}")));
    let others = ALL.into_iter().map(|kind| (kind, format!("afterwards {kind:?}")));
    for (kind, key) in again.chain(others) {
        eventually(SOON, async || {
            let answer = sender.attempt(kind, &key).await;
            if matches!(answer.status, 200 | 201) { Ok(()) } else { Err(format!("{kind:?}: {answer}")) }
        })
        .await;
    }
}

/// The panic is in a task of the service's actor, and not in its handler.
#[rstest]
#[tokio::test]
async fn a_service_whose_work_panics_is_brought_back_and_others_answer_without_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server = fixture.armed("stats.customers=panic@2").start().await;
    let manager = staff.manager.at(&server);
    let source = async || {
        let summary = manager.get("/api/reports/sales-summary?from=2026-01-01&to=2026-12-31").await;
        summary.expect(200).text_at("/customers/source")
    };
    assert_eq!(source().await, "live", "the first visit passes");
    assert_eq!(source().await, "cached", "the second panics");
    eventually(SOON, || at_least_one(&server, RESTARTS, "customer")).await;
    eventually(SOON, || at_least_one(&server, LIVE, "customer")).await;
    everything_works_again(&Sender { server: &server, staff }, RequestKind::Customer).await;
    assert_eq!(source().await, "live");
    fixture.eventually(promises::kept).await;
}

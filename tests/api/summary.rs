//! `/api/reports/sales-summary` (SPEC §5, flow 6): the figures of all services, and what becomes of them while one of
//! these is away. `tests/crash/summary.rs` has it hang.

use domain::service_name::ServiceName;
use std::future::ready;
use std::time::Duration;

use kernel::error::Error;
use rstest::rstest;
use runtime::breaker::CircuitBreaker;
use serde_json::{Value, json};

use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const SUMMARY: &str = "/api/reports/sales-summary";
const SECTIONS: [&str; 4] = ["customers", "meetings", "tasks", "approvals"];
/// So many failures within this time open a breaker; so long it stays open.
const VOLUME: usize = 5;
const WINDOW: Duration = Duration::from_secs(10);
const RESET: Duration = Duration::from_secs(30);

async fn summary(member: &Member, query: &str) -> Value {
    member.get(&format!("{SUMMARY}?{query}")).await.expect(200).body
}

/// Opens a breaker: its service is as good as away.
async fn open(app: &TestApp, breaker: &CircuitBreaker) {
    // What went well before counts no longer.
    app.clock.advance(WINDOW);
    for _ in 0..VOLUME {
        let _ = breaker.call(ready(Err::<(), _>(Error::unavailable()))).await;
    }
}

/// A section without its source and time.
fn figures(summary: &Value, section: &str) -> Value {
    let mut figures = summary[section].clone();
    let fields = figures.as_object_mut().expect("a section");
    fields.remove("source");
    fields.remove("as_of");
    figures
}

fn sources(summary: &Value) -> [&str; 4] {
    SECTIONS.map(|section| summary[section]["source"].as_str().expect("a source"))
}

/// Two customers, meetings, tasks and approvals of the SALES user, one of each of the colleague.
async fn records(app: &TestApp, team: &Team) {
    let Team { manager, sales, colleague, .. } = team;
    for (member, times) in [(sales, 2), (colleague, 1)] {
        for n in 0..times {
            let customer = member.customer("絆").await.id();
            member.meeting(&customer, "訪問").await;
            member.task("電話", if n == 0 { "2026-03-01T09:00:00Z" } else { "2026-03-05T09:00:00Z" }).await;
            let approval = member.approval(&customer, "値引き").await.id();
            if n == 1 {
                manager.patch(&format!("/api/approvals/{approval}/approve"), json!({})).await.expect(200);
            }
        }
    }
    let gone = colleague.customer("元").await.id();
    colleague.delete(&format!("/api/customers/{gone}")).await.expect(200);
    let done = json!({"title": "済み", "due_at": "2026-03-05T09:00:00Z", "status": "DONE"});
    sales.post("/api/tasks", done).await.expect(201);
    app.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_6_every_service_gives_its_figures(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    records(&app, &team).await;
    let Team { admin, manager, sales, colleague } = &team;
    let now = json!(app.clock.now());
    let section = |mut figures: Value| {
        (figures["source"], figures["as_of"]) = (json!("live"), now.clone());
        figures
    };
    let own = json!({
        "from": "2026-01-31", "to": "2026-03-02", "generated_at": now,
        "customers": section(json!({
            "total": 2, "new": 2, "deleted": 0, "by_status": {"LEAD": 2, "ACTIVE": 0, "DORMANT": 0},
        })),
        "meetings": section(json!({"total": 2, "by_owner": {(&*sales.id): 2}})),
        "tasks": section(json!({"open": 2, "done": 1, "overdue": 1})),
        "approvals": section(json!({
            "pending": 1, "approved": 1, "rejected": 0, "cancelled": 0, "approved_amount": {"JPY": 120_000},
        })),
    });
    assert_eq!(summary(sales, "").await, own);
    assert_eq!(summary(sales, &format!("owner_id={}", colleague.id)).await, own, "own figures alone");
    assert_eq!(summary(manager, &format!("owner_id={}", sales.id)).await, own);
    for member in [manager, admin] {
        let whole = summary(member, "from=2026-01-31&to=2026-03-02").await;
        assert_eq!(figures(&whole, "customers")["total"], 3);
        assert_eq!(figures(&whole, "customers")["deleted"], 1);
        let by_owner = json!({(&*sales.id): 2, (&*colleague.id): 1});
        assert_eq!(figures(&whole, "meetings"), json!({"total": 3, "by_owner": by_owner}));
        assert_eq!(figures(&whole, "tasks"), json!({"open": 3, "done": 1, "overdue": 2}));
        assert_eq!(figures(&whole, "approvals")["pending"], 2);
    }
    let past = summary(manager, "from=2025-01-01&to=2025-01-31").await;
    assert_eq!(
        (figures(&past, "customers")["new"].clone(), figures(&past, "meetings")["total"].clone()),
        (json!(0), json!(0))
    );
    assert_eq!((&past["from"], &past["to"]), (&json!("2025-01-01"), &json!("2025-01-31")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_that_is_away_has_its_last_good_figures(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    records(&app, &team).await;
    let Team { manager, sales, colleague, .. } = &team;
    let breakers = &app.breakers;
    let cases = [
        (breakers.of(ServiceName::Customer.id()), ["cached", "live", "live", "live"]),
        (breakers.of(ServiceName::Sales.id()), ["live", "cached", "cached", "live"]),
        (breakers.of(ServiceName::Opportunity.id()), ["live", "live", "live", "cached"]),
    ];
    for ((breaker, wanted), day) in cases.into_iter().zip(1..) {
        let (period, other) = (format!("from=2026-02-0{day}"), format!("from=2026-01-0{day}"));
        let (live, own) = (summary(manager, &period).await, summary(sales, &period).await);
        open(&app, breaker).await;
        app.clock.advance(Duration::from_secs(1));
        for (member, before) in [(manager, &live), (sales, &own)] {
            let now = summary(member, &period).await;
            assert_eq!(sources(&now), wanted);
            for (section, source) in SECTIONS.into_iter().zip(wanted) {
                assert_eq!(figures(&now, section), figures(before, section), "{section}");
                let made = if source == "cached" { &before[section]["as_of"] } else { &now["generated_at"] };
                assert_eq!(&now[section]["as_of"], made, "{section}");
            }
        }
        let narrowed = summary(manager, &format!("{period}&owner_id={}", sales.id)).await;
        assert_eq!(sources(&narrowed), wanted, "the same figures, so the same answer");
        // Nobody has asked for these scopes and periods before.
        for (member, query) in [
            (colleague, period.clone()),
            (manager, format!("{period}&owner_id={}", colleague.id)),
            (manager, other.clone()),
            (sales, other),
        ] {
            let none = summary(member, &query).await;
            for (section, source) in SECTIONS.into_iter().zip(wanted) {
                let expected = if source == "live" { "live" } else { "unavailable" };
                assert_eq!(none[section]["source"], expected, "{section} of {query} for {}", member.email);
                if expected == "unavailable" {
                    let fields = none[section].as_object().expect("a section");
                    let rest = fields.iter().filter(|(name, _)| *name != "source");
                    assert!(
                        rest.clone().count() >= 3 && rest.clone().all(|(_, value)| value.is_null()),
                        "{none}"
                    );
                }
            }
        }
        app.clock.advance(RESET);
        // The first of two calls at once is the probe.
        summary(manager, "").await;
        assert_eq!(sources(&summary(manager, "").await), ["live"; 4], "it is back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lowered_role_sees_no_more_of_what_was_kept() {
    let app = TestApp::start(Sqlite).await;
    let team = Team::of(&app).await;
    records(&app, &team).await;
    let chief = team.admin.hire("MANAGER", "chief", None).await;
    assert_eq!(figures(&summary(&chief, "").await, "customers")["total"], 3);
    team.admin.patch(&format!("/api/auth/users/{}", chief.id), json!({"role": "SALES"})).await.expect(200);
    open(&app, app.breakers.of(ServiceName::Customer.id())).await;
    let own = summary(&chief, "").await;
    assert_eq!(own["customers"]["source"], "unavailable");
    assert_eq!(own["meetings"]["total"], 0, "own figures now");
    let all = summary(&team.manager, "").await;
    assert_eq!((&all["customers"]["source"], &all["customers"]["total"]), (&json!("cached"), &json!(3)));
}

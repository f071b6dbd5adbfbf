//! Flow 6 while a service hangs, and how long it takes (SPEC §5, §7): it needs real waits, so it runs the real binary.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Known};
use testing::{Database, Kizuna, Postgres, Sqlite};

/// The breakers' timeout in these tests, with room for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(2);
const SECTIONS: [&str; 4] = ["customers", "meetings", "tasks", "approvals"];

/// Requests the summary; returns it and the time it took.
async fn summary(server: &Kizuna, who: &Known, query: &str) -> (Value, Duration) {
    let begun = Instant::now();
    let path = format!("/api/reports/sales-summary?from=2026-01-01&to=2026-12-31{query}");
    let answer = who.at(server).get(&path).await.expect(200);
    (answer.body, begun.elapsed())
}

fn sources(summary: &Value) -> [&str; 4] {
    SECTIONS.map(|section| summary[section]["source"].as_str().expect("a source"))
}

#[rstest]
#[case::customer("stats.customers", ["cached", "live", "live", "live"])]
#[case::sales("stats.meetings", ["live", "cached", "live", "live"])]
#[case::opportunity("stats.approvals", ["live", "live", "live", "cached"])]
#[tokio::test]
async fn a_summary_waits_for_nobody_longer_than_the_breakers_timeout(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] hangs: &str,
    #[case] wanted: [&str; 4],
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server =
        fixture.armed(&format!("{hangs}=hang@2..1000")).args(["--breaker-timeout", "2s"]).start().await;
    let (before, _) = summary(&server, &staff.manager, "").await;
    assert_eq!(sources(&before), ["live"; 4], "the first visit passes");
    let (now, took) = summary(&server, &staff.manager, "").await;
    assert_eq!(sources(&now), wanted);
    assert!(took < TIMEOUT, "{took:?}");
    for (section, source) in SECTIONS.into_iter().zip(wanted) {
        let was_made_before = now[section]["as_of"] == before[section]["as_of"];
        assert_eq!(
            was_made_before,
            source == "cached",
            "{section}: {} and {}",
            before[section],
            now[section]
        );
    }
    // A user without cached figures sees no figures of another user.
    let (own, took) = summary(&server, &staff.sales, "").await;
    assert_eq!(sources(&own), wanted.map(|source| if source == "cached" { "unavailable" } else { "live" }));
    assert!(took < TIMEOUT, "{took:?}");
    let hidden = SECTIONS.iter().zip(wanted).find(|(_, source)| *source == "cached").expect("one hangs");
    assert_eq!((&own[hidden.0]["total"], &own[hidden.0]["as_of"]), (&Value::Null, &Value::Null));
}

#[rstest]
#[tokio::test]
async fn a_summary_takes_as_long_as_the_slowest_service_and_not_as_all(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let slow = SECTIONS.map(|section| format!("stats.{section}=300ms@always")).join(";");
    let server = fixture.armed(&slow).start().await;
    // The first request of a process opens connections.
    summary(&server, &staff.manager, "").await;
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let (summary, took) = summary(&server, &staff.manager, "").await;
        assert_eq!(sources(&summary), ["live"; 4]);
        assert!(took >= Duration::from_millis(300), "{took:?}: nobody waited");
        quickest = quickest.min(took);
    }
    assert!(quickest < Duration::from_millis(700), "{quickest:?}");
}

#[tokio::test]
async fn a_service_that_hangs_for_ever_opens_its_breaker_and_is_not_waited_for_any_more() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server =
        fixture.armed("stats.customers=hang@2..1000").args(["--breaker-timeout", "200ms"]).start().await;
    let mut last = Value::Null;
    for _ in 0..12 {
        last = summary(&server, &staff.manager, "").await.0;
    }
    let (now, took) = summary(&server, &staff.manager, "").await;
    assert_eq!(now["customers"]["source"], "cached");
    assert_eq!(
        (&now["customers"]["as_of"], &now["customers"]["total"]),
        (&last["customers"]["as_of"], &json!(1))
    );
    assert!(took < Duration::from_millis(150), "{took:?}");
}

//! `GET /api/{meetings,tasks,approvals}/{id}/activity`: what happened to one record.

use rstest::rstest;
use serde_json::json;

use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

/// The types of a record's events, as `member` reads them page by page.
async fn activity(member: &Member, record: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = Some(format!("{record}/activity?limit=2"));
    while let Some(path) = next {
        let page = member.get(&path).await.expect(200);
        found.extend(page.items().iter().map(|event| event["type"].as_str().expect("a type").to_owned()));
        next = page.next().map(str::to_owned);
    }
    found
}

/// A meeting, a task and an approval of `sales`, each with some history.
async fn records(team: &Team) -> [(String, Vec<&'static str>); 3] {
    let Team { manager, sales, .. } = team;
    let customer = sales.customer("絆").await.id();
    let meeting = format!("/api/meetings/{}", sales.meeting(&customer, "訪問").await.id());
    for title in ["再訪", "三度目"] {
        sales.patch(&meeting, json!({"title": title})).await.expect(200);
    }
    let task = format!("/api/tasks/{}", sales.task("電話する", "2099-03-09T10:00:00Z").await.id());
    for status in ["DONE", "OPEN", "DONE"] {
        sales.patch(&task, json!({"status": status})).await.expect(200);
    }
    let approval = format!("/api/approvals/{}", sales.approval(&customer, "値引き").await.id());
    manager.patch(&format!("{approval}/approve"), json!({})).await.expect(200);
    [
        (meeting, vec!["meeting.updated", "meeting.updated", "meeting.created"]),
        (task, vec!["task.completed", "task.updated", "task.completed", "task.created"]),
        (approval, vec!["approval.approved", "approval.requested"]),
    ]
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_tells_what_happened_to_it_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    for (record, events) in records(&team).await {
        for member in [&team.sales, &team.manager, &team.admin] {
            assert_eq!(activity(member, &record).await, events, "{record}");
        }
        let counted = team.sales.get(&format!("{record}/activity?count=true&limit=1")).await.expect(200);
        assert_eq!(counted.header("x-total-count"), Some(events.len().to_string().as_str()));
        let newest = &counted.items()[0];
        let id = record.rsplit('/').next().expect("an id");
        assert_eq!((&newest["subject"], &newest["specversion"]), (&json!(id), &json!("1.0")));
        for other in [format!("{record}/activity?sort=name"), format!("{record}/activity?limit=0")] {
            team.sales.get(&other).await.expect_problem(400, "invalid_parameter");
        }
        // A cursor of another list.
        let list = team.manager.get("/api/customers?limit=1").await.expect(200);
        assert!(list.next().is_none());
        team.sales.get(&format!("{record}/activity?cursor=W10")).await.expect_problem(400, "invalid_cursor");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_read_of_a_record_what_the_live_feed_showed_them(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let Team { manager, sales, colleague, .. } = &team;
    let [(meeting, _), (task, _), (approval, _)] = records(&team).await;
    for record in [&meeting, &task, &approval] {
        let missing = colleague.get(&format!("{record}/activity")).await.expect_problem(404, "not_found");
        let other = record.rsplit_once('/').expect("a path").0;
        let nowhere = format!("{other}/0198c0de-0000-7000-8000-000000000000/activity");
        let none = colleague.get(&nowhere).await.expect_problem(404, "not_found");
        assert_eq!(missing.body["title"], none.body["title"]);
    }
    manager.patch(&meeting, json!({"owner_id": colleague.id})).await.expect(200);
    manager.patch(&task, json!({"assignee_id": colleague.id})).await.expect(200);
    // From the event on by which it became theirs.
    assert_eq!(activity(colleague, &meeting).await, ["meeting.updated"]);
    assert_eq!(activity(colleague, &task).await, ["task.updated"]);
    let counted = colleague.get(&format!("{meeting}/activity?count=true")).await.expect(200);
    assert_eq!(counted.header("x-total-count"), Some("1"));
    sales.get(&format!("{meeting}/activity")).await.expect_problem(404, "not_found");
    assert_eq!(activity(manager, &meeting).await.len(), 4);
    // Back again: both of its owner's times, and no event of the time between.
    colleague.patch(&meeting, json!({"title": "間の話"})).await.expect(200);
    manager.patch(&meeting, json!({"owner_id": sales.id})).await.expect(200);
    assert_eq!(activity(sales, &meeting).await.len(), 5);
    assert_eq!(activity(manager, &meeting).await.len(), 6);
    manager.delete(&meeting).await.expect(200);
    manager.get(&format!("{meeting}/activity")).await.expect_problem(404, "not_found");
}

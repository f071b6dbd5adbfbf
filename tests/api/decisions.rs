//! `/api/approvals/{id}/approve`, `/reject`, `/cancel`, `/reassign`: who decides, and that it is done once
//! (SPEC §1, §3; §5, flow 4).

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";
const DECISIONS: [&str; 4] = ["approve", "reject", "cancel", "reassign"];

fn path(id: &str, decision: &str) -> String {
    format!("/api/approvals/{id}/{decision}")
}

/// What the decision can't do without.
fn body(decision: &str, approver: &str) -> Value {
    match decision {
        "reject" => json!({"comment": "金額を見直してください"}),
        "reassign" => json!({"approver_id": approver}),
        _ => json!({}),
    }
}

/// `member` requests an approval that waits for the approver, or for every MANAGER.
async fn request(member: &Member, customer: &str, approver: Option<&Member>) -> String {
    let approver = approver.map(|approver| &approver.id);
    let new = json!({"customer_id": customer, "title": "値引き", "amount": 1, "approver_id": approver});
    member.post("/api/approvals", new).await.expect(201).id()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_decision_says_who_made_it_when_and_why(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let made = sales.approval(&customer, "値引き").await;
    let decisions = [
        (&manager, "approve", json!({"comment": " 進めてください "}), "APPROVED", json!("進めてください")),
        (&admin, "approve", json!({"comment": null}), "APPROVED", json!(null)),
        (&manager, "reject", json!({"comment": "高すぎる"}), "REJECTED", json!("高すぎる")),
        (&sales, "cancel", json!({"comment": " "}), "CANCELLED", json!(null)),
    ];
    for (member, decision, said, status, comment) in decisions {
        let id = sales.approval(&customer, "値引き").await.id();
        app.clock.advance(std::time::Duration::from_secs(1));
        let decided = member.if_match(1).patch(&path(&id, decision), said).await.expect(200);
        let now = json!(app.clock.now().to_string());
        let mut wanted = made.body.clone();
        wanted["id"] = json!(id);
        wanted["created_at"] = decided.body["created_at"].clone();
        (wanted["version"], wanted["updated_at"]) = (json!(2), now.clone());
        (wanted["status"], wanted["comment"]) = (json!(status), comment);
        (wanted["decided_by"], wanted["decided_at"]) = (json!(member.id), now);
        assert_eq!((&decided.body, decided.version()), (&wanted, Some(2)));
        assert_eq!(sales.get(&format!("/api/approvals/{id}")).await.expect(200).text, decided.text);
        let told = admin.get(&format!("/api/audit/events?subject={id}")).await.expect(200);
        assert_eq!(told.items().len(), 2, "{told}");
        assert_eq!(told.body[0]["type"], json!(format!("approval.{}", status.to_lowercase())));
        assert_eq!(told.body[0]["data"], json!({"approval": wanted}));
        assert_eq!(told.body[1]["type"], json!("approval.requested"));
        assert_eq!(told.body[1]["source"], json!("/services/opportunity"));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_role_decides_what_the_contract_says_and_no_more(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let second = admin.hire("MANAGER", "second", None).await;
    let customer = sales.customer("絆").await.id();
    let ok = (200, None);
    let (forbidden, own) = ((403, Some("forbidden")), (403, Some("own_request")));
    let hidden = (404, Some("not_found"));
    let rows = [
        // requester, approver, who decides: approve and reject, cancel, reassign
        (&sales, Some(&manager), &sales, [forbidden, ok, forbidden]),
        (&sales, Some(&manager), &colleague, [hidden, hidden, hidden]),
        (&sales, Some(&manager), &manager, [ok, forbidden, ok]),
        (&sales, Some(&manager), &second, [forbidden, forbidden, ok]),
        (&sales, Some(&manager), &admin, [ok, ok, ok]),
        (&manager, None, &manager, [own, ok, ok]),
        (&manager, None, &second, [ok, forbidden, ok]),
        (&admin, Some(&manager), &admin, [own, ok, ok]),
    ];
    for (requester, approver, member, [verdict, cancel, reassign]) in rows {
        for (decision, wanted) in DECISIONS.into_iter().zip([verdict, verdict, cancel, reassign]) {
            let id = request(requester, &customer, approver).await;
            let answer = member.patch(&path(&id, decision), body(decision, &second.id)).await;
            let case = format!("{decision} by {}: {answer}", member.email);
            assert_eq!((answer.status, answer.code()), wanted, "{case}");
            let stands = admin.get(&format!("/api/approvals/{id}")).await.expect(200);
            assert_eq!(stands.version(), Some(if wanted == ok { 2 } else { 1 }), "{case}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_decided_is_decided(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    for first in ["approve", "reject", "cancel"] {
        let id = sales.approval(&customer, "値引き").await.id();
        admin.patch(&path(&id, first), body(first, "")).await.expect(200);
        app.settle().await;
        let again = DECISIONS.map(|decision| {
            let refused = Rejected::new("PATCH", path(&id, decision), 409, "approval_not_pending");
            refused.json(body(decision, &manager.id).to_string())
        });
        all_refused(&app, &admin, again).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_decisions_at_once_one_wins_and_the_other_is_409(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, .. } = Team::of(&app).await;
    let second = admin.hire("MANAGER", "second", None).await;
    let requester = admin.hire("SALES", "lone", None).await;
    let customer = requester.customer("絆").await.id();
    for round in 0..10 {
        let id = request(&requester, &customer, None).await;
        let (approve, reject) = (path(&id, "approve"), path(&id, "reject"));
        let (one, two) = tokio::join!(
            manager.patch(&approve, json!({})),
            second.patch(&reject, json!({"comment": format!("{round} 回目")})),
        );
        let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
        lost.expect_problem(409, "approval_not_pending");
        assert_eq!(admin.get(&format!("/api/approvals/{id}")).await.text, won.expect(200).text);
    }
    app.settle().await;
    let badge = requester.get("/api/notifications/unread").await.expect(200);
    assert_eq!(badge.header("x-total-count"), Some("10"), "one notification each");
    let told = async |what: &str| {
        let list = admin.get(&format!("/api/audit/events?type=approval.{what}&count=true")).await;
        list.expect(200).header("x-total-count").and_then(|count| count.parse::<i64>().ok()).expect("a count")
    };
    assert_eq!(told("approved").await + told("rejected").await, 10, "one event each");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn refusals_come_in_the_order_of_what_one_may_know(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let pending = sales.approval(&customer, "値引き").await.id();
    let decided = sales.approval(&customer, "値引き").await.id();
    manager.patch(&path(&decided, "approve"), json!({})).await.expect(200);
    app.settle().await;
    let to = |id: &str, approver: &str, status, code| {
        let rejected = Rejected::new("PATCH", path(id, "reassign"), status, code).header("if-match", "\"9\"");
        rejected.json(json!({"approver_id": approver}).to_string())
    };
    all_refused(&app, &colleague, [to(&decided, NOBODY, 404, "not_found")]).await;
    all_refused(&app, &sales, [to(&decided, NOBODY, 403, "forbidden")]).await;
    let by_manager = [
        to(&decided, NOBODY, 409, "approval_not_pending"),
        to(&pending, NOBODY, 412, "stale_version"),
        Rejected::new("PATCH", path(&pending, "approve"), 412, "stale_version").header("if-match", "\"9\""),
        Rejected::new("PATCH", path(&decided, "approve"), 409, "approval_not_pending")
            .header("if-match", "\"9\""),
    ];
    all_refused(&app, &manager, by_manager).await;
    let approver = |approver: &str, code| {
        let rejected = Rejected::new("PATCH", path(&pending, "reassign"), 422, "invalid_fields");
        rejected.json(json!({"approver_id": approver}).to_string()).fault("approver_id", code)
    };
    let unfit = [
        approver(NOBODY, "unknown_approver"),
        approver(&colleague.id, "unknown_approver"),
        approver(&sales.id, "own_approver"),
        approver("17", "invalid_value"),
    ];
    all_refused(&app, &admin, unfit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_decision_is_named() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let id = sales.approval(&customer, "値引き").await.id();
    app.settle().await;
    let fault = |decision: &str, body: Value, field, code| {
        let rejected = Rejected::new("PATCH", path(&id, decision), 422, "invalid_fields");
        rejected.json(body.to_string()).fault(field, code)
    };
    let mut rejected = vec![
        fault("reject", json!({}), "comment", "required"),
        fault("reject", json!({"comment": " \u{3000}"}), "comment", "required"),
        fault("reject", json!({"comment": null}), "comment", "invalid_type"),
        fault("reassign", json!({}), "approver_id", "required"),
        fault("reassign", json!({"approver_id": null}), "approver_id", "invalid_type"),
        Rejected::new("PATCH", path(&id, "reject"), 415, "unsupported_media_type"),
        Rejected::new("PATCH", path(&id, "approve"), 400, "malformed_json").json(" "),
    ];
    for decision in ["approve", "reject", "cancel"] {
        rejected.push(fault(decision, json!({"comment": "a".repeat(10_001)}), "comment", "too_long"));
        rejected.push(fault(decision, json!({"comment": "a\0"}), "comment", "nul_character"));
        rejected.push(fault(decision, json!({"status": "APPROVED"}), "status", "unknown_field"));
    }
    all_refused(&app, &manager, rejected).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_decision_under_a_key_is_made_once(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let is_replay = |answer: &Answer| answer.header("idempotency-replayed") == Some("true");
    for decision in DECISIONS {
        let id = sales.approval(&customer, "値引き").await.id();
        let (api, path) = (admin.idempotency_key(decision), path(&id, decision));
        let first = api.patch(&path, body(decision, &admin.id)).await.expect(200);
        app.settle().await;
        let before = app.stored().await;
        let again = api.patch(&path, body(decision, &admin.id)).await.expect(200);
        assert!(is_replay(&again) && !is_replay(&first), "{again}");
        assert_eq!((&again.text, again.version()), (&first.text, Some(2)));
        let other =
            if decision == "reassign" { json!({"approver_id": NOBODY}) } else { json!({"comment": "別"}) };
        api.patch(&path, other).await.expect_problem(422, "idempotency_key_reused");
        assert_eq!(app.stored().await, before, "{decision} took effect once");
    }
    let refused = sales.approval(&customer, "値引き").await.id();
    let api = manager.idempotency_key("free");
    api.patch(&path(&refused, "cancel"), json!({})).await.expect_problem(403, "forbidden");
    api.patch(&path(&refused, "approve"), json!({})).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn approving_and_cancelling_need_no_body(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    for (member, decision) in [(&manager, "approve"), (&sales, "cancel")] {
        let typed = member.header("content-type", "application/json");
        for api in [typed.idempotency_key(decision), member.idempotency_key(format!("{decision} bare"))] {
            let id = sales.approval(&customer, "値引き").await.id();
            let first = api.raw("PATCH", &path(&id, decision), "").await.expect(200);
            assert_eq!(
                (&first.body["decided_by"], &first.body["comment"]),
                (&json!(member.id), &json!(null))
            );
            assert_eq!(api.raw("PATCH", &path(&id, decision), "").await.expect(200).text, first.text);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_reassigned_approval_waits_for_its_new_approver_alone(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let second = admin.hire("MANAGER", "second", None).await;
    let customer = sales.customer("絆").await.id();
    let id = sales.approval(&customer, "値引き").await.id();
    let (reassign, to) = (path(&id, "reassign"), json!({"approver_id": second.id}));
    let given = manager.if_match(1).patch(&reassign, to.clone()).await.expect(200);
    assert_eq!((&given.body["status"], &given.body["approver_id"]), (&json!("PENDING"), &json!(second.id)));
    assert_eq!((&given.body["decided_by"], given.version()), (&json!(null), Some(2)));
    let told = admin.get("/api/audit/events?type=approval.reassigned").await.expect(200);
    let data =
        json!({"approval": given.body, "changed": ["approver_id"], "previous_approver_id": manager.id});
    assert_eq!(told.body[0]["data"], data);
    app.settle().await;
    let before = app.stored().await;
    assert_eq!(manager.patch(&reassign, to).await.expect(200).text, given.text);
    assert_eq!(app.stored().await, before, "nothing changed, nothing is told");
    manager.patch(&path(&id, "approve"), json!({})).await.expect_problem(403, "forbidden");
    second.patch(&path(&id, "approve"), json!({})).await.expect(200);
}

//! `/api/approvals`: the request, the lists and the figures; `decisions` has what becomes of it.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::app::PASSWORD;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const APPROVALS: &str = "/api/approvals";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn new(customer: &str) -> Value {
    json!({"customer_id": customer, "title": "特別値引き", "amount": 120_000})
}

fn with(customer: &str, field: &str, value: Value) -> Value {
    let mut body = new(customer);
    body[field] = value;
    body
}

fn ids(list: &Answer) -> Vec<String> {
    list.items().iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_requested_approval_is_answered_as_it_can_be_read(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let given = json!({
        "customer_id": customer, "title": " 特別値引き ", "amount": 9_007_199_254_740_991_i64,
        "currency": "USD", "reason": "一行目\n二行目 \"'\\ 🎌", "approver_id": admin.id,
    });
    let made = sales.post(APPROVALS, given).await.expect(201);
    let wanted = json!({
        "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "customer_id": customer, "deal_id": null, "title": "特別値引き",
        "amount": 9_007_199_254_740_991_i64, "currency": "USD", "reason": "一行目\n二行目 \"'\\ 🎌",
        "status": "PENDING", "requester_id": sales.id, "approver_id": admin.id, "decided_by": null,
        "decided_at": null, "comment": null,
    });
    assert_eq!(made.body, wanted);
    let path = format!("{APPROVALS}/{}", made.id());
    assert_eq!((made.version(), made.header("location")), (Some(1), Some(path.as_str())));
    assert_eq!(sales.get(&path).await.expect(200).text, made.text);
    assert_eq!(manager.get(APPROVALS).await.items(), [wanted]);
    let least = sales.post(APPROVALS, with(&customer, "amount", json!(0))).await.expect(201);
    assert_eq!((&least.body["currency"], &least.body["reason"]), (&json!("JPY"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_an_approval_is_named() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    let validator = [
        ("title", json!(" "), "required"),
        ("title", json!("あ".repeat(201)), "too_long"),
        ("title", json!("a\0"), "nul_character"),
        ("amount", json!(-1), "too_small"),
        ("amount", json!(9_007_199_254_740_992_i64), "too_large"),
        ("amount", json!(1.5), "invalid_type"),
        ("amount", json!("1"), "invalid_type"),
        ("currency", json!("jpy"), "invalid_currency"),
        ("currency", json!("XYZ"), "invalid_currency"),
        ("currency", json!(""), "invalid_currency"),
        ("currency", json!(392), "invalid_type"),
        ("reason", json!("a".repeat(10_001)), "too_long"),
        ("customer_id", json!("17"), "invalid_value"),
        ("customer_id", json!(null), "invalid_type"),
        ("approver_id", json!("17"), "invalid_value"),
        ("approver_id", json!(NOBODY), "unknown_approver"),
        ("approver_id", json!(colleague.id), "unknown_approver"),
        ("approver_id", json!(sales.id), "own_approver"),
        ("status", json!("APPROVED"), "unknown_field"),
        ("requester_id", json!(colleague.id), "unknown_field"),
        ("decided_by", json!(null), "unknown_field"),
        ("version", json!(1), "unknown_field"),
    ];
    let rejected = validator
        .map(|(field, value, code)| Rejected::field(APPROVALS, with(&customer, field, value), field, code));
    let missing = ["customer_id", "title", "amount"].map(|field| {
        let mut body = new(&customer);
        body.as_object_mut().expect("an object").remove(field);
        Rejected::field(APPROVALS, body, field, "required")
    });
    let parameters = [
        Rejected::parameter(&format!("{APPROVALS}?status=pending"), "status", "invalid_choice"),
        Rejected::parameter(&format!("{APPROVALS}?approver_id=17"), "approver_id", "invalid_value"),
        Rejected::parameter(&format!("{APPROVALS}?owner_id={NOBODY}"), "owner_id", "unknown_parameter"),
        Rejected::parameter(&format!("{APPROVALS}/stats?status=PENDING"), "status", "unknown_parameter"),
    ];
    all_refused(&app, &sales, rejected.into_iter().chain(missing).chain(parameters)).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_request_for_their_own_customers_and_others_for_any(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let (own, hidden, gone) = (
        sales.customer("絆").await.id(),
        colleague.customer("別").await.id(),
        sales.customer("元").await.id(),
    );
    sales.delete(&format!("/api/customers/{gone}")).await.expect(200);
    app.settle().await;
    let missing = |customer: &str| {
        Rejected::new("POST", APPROVALS, 404, "customer_not_found").json(new(customer).to_string())
    };
    all_refused(&app, &sales, [missing(&hidden), missing(&gone), missing(NOBODY)]).await;
    all_refused(&app, &manager, [missing(&gone)]).await;
    for (member, customer) in [(&sales, &own), (&manager, &own), (&admin, &hidden)] {
        let made = member.approval(customer, "値引き").await;
        assert_eq!(made.body["requester_id"], json!(member.id));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_approval_waits_for_the_requesters_manager_unless_another_is_named(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let second = admin.hire("MANAGER", "second", None).await;
    let customer = sales.customer("絆").await.id();
    let approver =
        async |member: &Member| member.approval(&customer, "値引き").await.body["approver_id"].clone();
    assert_eq!(approver(&sales).await, json!(manager.id));
    assert_eq!(
        approver(&manager).await,
        json!(null),
        "a MANAGER without a manager: every MANAGER may decide"
    );
    let named = sales.post(APPROVALS, with(&customer, "approver_id", json!(second.id))).await.expect(201);
    assert_eq!(named.body["approver_id"], json!(second.id));
    let user = |member: &Member| format!("/api/auth/users/{}", member.id);
    admin.patch(&user(&second), json!({"manager_id": admin.id})).await.expect(200);
    assert_eq!(approver(&second).await, json!(admin.id), "an ADMIN is a manager too");
    admin.patch(&user(&manager), json!({"role": "SALES"})).await.expect(200);
    assert_eq!(approver(&sales).await, json!(null), "their manager is none any more");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_is_narrowed_by_status_customer_requester_and_approver(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆").await.id(), colleague.customer("別").await.id());
    let mut made = Vec::new();
    for (member, customer, approver) in
        [(&sales, &own, &manager), (&colleague, &other, &admin), (&manager, &own, &admin)]
    {
        let body = with(customer, "approver_id", json!(approver.id));
        made.push(member.post(APPROVALS, body).await.expect(201).id());
        app.clock.advance(Duration::from_secs(60));
    }
    let [first, second, third] = [&made[0], &made[1], &made[2]].map(String::as_str);
    manager.patch(&format!("{APPROVALS}/{first}/approve"), json!({})).await.expect(200);
    let found = async |member: &Member, query: String| {
        let list = member.get(&format!("{APPROVALS}?count=true&{query}")).await.expect(200);
        assert_eq!(list.header("x-total-count"), Some(list.items().len().to_string().as_str()));
        ids(&list)
    };
    assert_eq!(found(&manager, String::new()).await, [third, second, first], "the newest first");
    assert_eq!(found(&admin, "status=PENDING".into()).await, [third, second]);
    assert_eq!(found(&manager, "status=APPROVED".into()).await, [first]);
    assert_eq!(found(&manager, format!("customer_id={own}")).await, [third, first]);
    assert_eq!(found(&manager, format!("requester_id={}", colleague.id)).await, [second]);
    assert_eq!(found(&manager, format!("approver_id={}&status=PENDING", admin.id)).await, [third, second]);
    assert_eq!(found(&sales, String::new()).await, [first], "their own requests, whosever the customer is");
    assert!(found(&sales, format!("requester_id={}", colleague.id)).await.is_empty());
    sales.get(&format!("{APPROVALS}/{second}")).await.expect_problem(404, "not_found");
    let page = manager.get(&format!("{APPROVALS}?limit=2")).await.expect(200);
    assert_eq!(ids(&page), [third, second]);
    sales.approval(&own, "後から").await;
    let rest = manager.get(page.next().expect("another page")).await.expect(200);
    assert_eq!((ids(&rest), rest.next()), (vec![first.to_owned()], None));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statistics_count_what_was_requested_within_the_period(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆").await.id(), colleague.customer("別").await.id());
    let decide = async |member: &Member, id: &str, decision: &str| {
        let path = format!("{APPROVALS}/{id}/{decision}");
        member.patch(&path, json!({"comment": "確認済み"})).await.expect(200);
    };
    for (amount, currency, decision) in
        [(100, "JPY", "approve"), (20, "JPY", "approve"), (3, "USD", "approve"), (7, "JPY", "reject")]
    {
        let mut body = with(&own, "amount", json!(amount));
        body["currency"] = json!(currency);
        decide(&manager, &sales.post(APPROVALS, body).await.expect(201).id(), decision).await;
    }
    decide(&colleague, &colleague.approval(&other, "取り消し").await.id(), "cancel").await;
    app.clock.advance(Duration::from_secs(24 * 3600));
    let again = async |member: &Member| Member::sign_in(&app.nobody(), &member.email, PASSWORD).await;
    let (manager, sales, colleague) = (again(&manager).await, again(&sales).await, again(&colleague).await);
    colleague.approval(&other, "翌日").await;
    let stats = async |member: &Member, query: &str| {
        member.get(&format!("{APPROVALS}/stats?{query}")).await.expect(200).body
    };
    let figures = |[pending, approved, rejected, cancelled]: [i64; 4], amounts: Value| {
        json!({"pending": pending, "approved": approved, "rejected": rejected, "cancelled": cancelled,
               "approved_amount": amounts})
    };
    let amounts = || json!({"JPY": 120, "USD": 3});
    assert_eq!(stats(&manager, "").await, figures([1, 3, 1, 1], amounts()));
    assert_eq!(stats(&manager, "from=2026-03-03&to=2026-03-03").await, figures([1, 0, 0, 0], json!({})));
    let of_colleague = format!("owner_id={}", colleague.id);
    assert_eq!(stats(&manager, &of_colleague).await, figures([1, 0, 0, 1], json!({})));
    assert_eq!(stats(&sales, &of_colleague).await, figures([0, 3, 1, 0], amounts()), "own figures alone");
}

//! `/api/notifications`: everybody's own, in their own language.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const UNREAD: &str = "/api/notifications/unread";

/// The customers that somebody was told of.
async fn told(member: &Member) -> BTreeSet<String> {
    let list = member.get("/api/notifications?limit=200").await.expect(200);
    list.items().iter().map(|row| row["subject"]["id"].as_str().expect("an id").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_customer_is_told_in_the_language_of_its_reader(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("青空商事").await.id();
    app.settle().await;
    let list = manager.get(UNREAD).await.expect(200);
    assert_eq!((list.items().len(), list.header("x-total-count")), (1, Some("1")), "the badge");
    let mut told = list.items()[0].clone();
    let (id, created) = (told["id"].take(), told["created_at"].take());
    assert_eq!(told["updated_at"].take(), created);
    assert!(id.is_string());
    let wanted = json!({
        "id": null, "version": 1, "created_at": null, "updated_at": null, "kind": "customer.created",
        "title": "新しい顧客", "body": "青空商事 が作成されました。", "subject": {"type": "customer", "id": customer},
        "data": {"customer_name": "青空商事", "owner_id": sales.id}, "read_at": null, "archived_at": null,
    });
    assert_eq!(told, wanted, "in Japanese, for that is this user's language");
    let english = manager.language("en").get(UNREAD).await;
    assert_eq!(english.text_at("/0/title"), "New customer");
    assert_eq!(english.text_at("/0/body"), "青空商事 was added.");
    let path = format!("/api/auth/users/{}", manager.id);
    admin.patch(&path, json!({"locale": "en"})).await.expect(200);
    assert_eq!(
        manager.get(UNREAD).await.text_at("/0/title"),
        "New customer",
        "after a change of the user's language"
    );
    assert_eq!(manager.language("ja").get(UNREAD).await.text_at("/0/title"), "新しい顧客");
    assert_eq!(manager.language("de").get(UNREAD).await.text_at("/0/title"), "New customer");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_kind_that_is_not_wanted_is_not_made(#[values(Sqlite, Postgres)] on: Database) {
    const MINE: &str = "/api/auth/me/preferences";
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let before = manager.get(MINE).await.expect(200);
    assert_eq!(before.body, json!({"theme": "SYSTEM", "muted_notifications": []}));
    let seen = sales.customer("青空商事").await.id();
    app.settle().await;
    let muted = json!({"muted_notifications": ["customer.created", "task.due_soon"], "theme": "DARK"});
    let after = manager.patch(MINE, muted.clone()).await.expect(200);
    assert_eq!(
        (&after.body["muted_notifications"], &after.body["theme"]),
        (&json!(["customer.created", "task.due_soon"]), &json!("DARK"))
    );
    app.settle().await;
    let missed = sales.customer("赤城商店").await.id();
    let request = json!({"customer_id": missed, "title": "値引き", "amount": 1});
    let approval = sales.post("/api/approvals", request).await.expect(201).id();
    app.settle().await;
    let wanted = BTreeSet::from([seen.clone(), approval.clone()]);
    assert_eq!(told(&manager).await, wanted, "what was made before stays");
    manager.patch(MINE, json!({"muted_notifications": []})).await.expect(200);
    app.settle().await;
    let heard = sales.customer("緑川工業").await.id();
    app.settle().await;
    assert_eq!(told(&manager).await, BTreeSet::from([seen, approval, heard]), "nothing is made up for");
    for (wrong, field) in [
        (json!({"muted_notifications": ["user.login"]}), "muted_notifications"),
        (json!({"muted_notifications": null}), "muted_notifications"),
        (json!({"muted_notifications": "customer.created"}), "muted_notifications"),
        (json!({"theme": "dark"}), "theme"),
        (json!({"theme": null}), "theme"),
    ] {
        let refused = manager.patch(MINE, wrong.clone()).await.expect_problem(422, "invalid_fields");
        assert!(refused.body.to_string().contains(field), "{wrong}: {}", refused.body);
    }
    // An ADMIN does not decide it for others.
    let path = format!("/api/auth/users/{}", manager.id);
    let admin = Member::first(&app).await;
    admin.patch(&path, json!({"theme": "LIGHT"})).await.expect_problem(422, "invalid_fields");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn owner_and_manager_are_told_and_never_who_did_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let (chief, lonely) =
        tokio::join!(admin.hire("MANAGER", "chief", None), admin.hire("SALES", "lonely", None));
    app.settle().await;
    let people = [&admin, &manager, &sales, &colleague, &chief, &lonely];
    // Who creates a customer for whom, and who is told of it.
    let cases: [(&Member, &Member, &[&Member]); 8] = [
        (&sales, &sales, &[&manager]),
        (&manager, &sales, &[&sales]),
        (&admin, &sales, &[&sales, &manager]),
        (&chief, &sales, &[&sales, &manager]),
        (&lonely, &lonely, &[&manager, &chief]),
        (&manager, &lonely, &[&lonely, &chief]),
        (&admin, &lonely, &[&lonely, &manager, &chief]),
        (&manager, &manager, &[&chief]),
    ];
    let mut wanted: Vec<BTreeSet<String>> = vec![BTreeSet::new(); people.len()];
    for (creator, owner, readers) in cases {
        let customer = creator.create_customer(json!({"name": "絆", "owner_id": owner.id})).await.id();
        for (person, wanted) in people.iter().zip(&mut wanted) {
            if readers.iter().any(|reader| reader.id == person.id) {
                wanted.insert(customer.clone());
            }
        }
    }
    app.settle().await;
    for (person, wanted) in people.iter().zip(&wanted) {
        assert_eq!(&told(person).await, wanted, "{}", person.email);
        let badge = person.get(UNREAD).await;
        assert_eq!(badge.header("x-total-count"), Some(wanted.len().to_string().as_str()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_manager_of_today_is_told_and_not_one_of_yesterday() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let chief = admin.hire("MANAGER", "chief", None).await;
    let path = format!("/api/auth/users/{}", sales.id);
    admin.patch(&path, json!({"manager_id": chief.id})).await.expect(200);
    app.settle().await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    assert_eq!(told(&chief).await, BTreeSet::from([customer]));
    assert!(told(&manager).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_newest_comes_first_and_a_total_only_when_asked_for() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    for name in ["一", "二", "三"] {
        sales.customer(name).await;
        app.settle().await;
        app.clock.advance(Duration::from_secs(1));
    }
    let list = manager.get("/api/notifications").await.expect(200);
    let names: Vec<_> = list.items().iter().map(|row| row["data"]["customer_name"].as_str()).collect();
    assert_eq!(names, [Some("三"), Some("二"), Some("一")]);
    assert_eq!(list.header("x-total-count"), None);
    assert_eq!(manager.get("/api/notifications?count=true&limit=1").await.header("x-total-count"), Some("3"));
    assert_eq!(manager.get(&format!("{UNREAD}?limit=1")).await.header("x-total-count"), Some("3"), "always");
}

/// An approval of this member's customer, for so much, which waits for the approver.
async fn request(member: &Member, amount: i64, currency: &str, approver: Option<&Member>) -> String {
    let customer = member.customer("青空商事").await.id();
    let approver = approver.map(|approver| &approver.id);
    let request = json!({
        "customer_id": customer, "title": "値引き", "amount": amount, "currency": currency, "approver_id": approver,
    });
    member.post("/api/approvals", request).await.expect(201).id()
}

async fn decide(member: &Member, approval: &str, decision: &str, body: Value) {
    member.patch(&format!("/api/approvals/{approval}/{decision}"), body).await.expect(200);
}

/// What somebody was told of an approval, the newest first.
async fn of_approval(member: &Member, approval: &str) -> Vec<Value> {
    let list = member.get("/api/notifications?limit=200").await.expect(200);
    list.items().iter().filter(|row| row["subject"]["id"] == approval).cloned().collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_kind_about_approvals_names_what_it_is_about_in_both_languages(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let chief = admin.hire("MANAGER", "chief", None).await;
    let approved = request(&sales, 1_234_567, "JPY", None).await;
    decide(&manager, &approved, "approve", json!({"comment": "どうぞ"})).await;
    let rejected = request(&sales, 123_450, "USD", None).await;
    decide(&manager, &rejected, "reassign", json!({"approver_id": chief.id})).await;
    decide(&chief, &rejected, "reject", json!({"comment": "高すぎる"})).await;
    app.settle().await;
    let cases = [
        (
            &manager,
            &approved,
            "approval.requested",
            ["承認の申請", "sales さんが「値引き」(1,234,567円) の承認を申請しました。"],
            ["Approval requested", "sales requests approval of “値引き” (JPY 1,234,567)."],
        ),
        (
            &sales,
            &approved,
            "approval.approved",
            ["申請の承認", "manager さんが「値引き」(1,234,567円) を承認しました。"],
            ["Approved", "manager approved “値引き” (JPY 1,234,567)."],
        ),
        (
            &sales,
            &rejected,
            "approval.rejected",
            ["申請の却下", "chief さんが「値引き」(1,234.50 USD) を却下しました: 高すぎる"],
            ["Rejected", "chief rejected “値引き” (USD 1,234.50): 高すぎる"],
        ),
        (
            &chief,
            &rejected,
            "approval.reassigned",
            ["承認者の変更", "sales さんの申請「値引き」(1,234.50 USD) の承認者に指定されました。"],
            [
                "Approval handed to you",
                "“値引き” (USD 1,234.50), requested by sales, waits for your decision.",
            ],
        ),
    ];
    for (reader, approval, kind, japanese, english) in cases {
        for (language, [title, body]) in [("ja", japanese), ("en", english)] {
            let api = reader.language(language);
            let list = api.get("/api/notifications?limit=200").await.expect(200);
            let told = list.items().iter().filter(|row| row["subject"]["id"] == json!(approval));
            let told: Vec<_> = told.map(|row| [&row["kind"], &row["title"], &row["body"]]).collect();
            assert_eq!(told, [[&json!(kind), &json!(title), &json!(body)]], "{language}");
        }
    }
    let told = of_approval(&sales, &rejected).await;
    let data = json!({
        "title": "値引き", "amount": 123_450, "currency": "USD", "requester_id": sales.id, "requester_name": "sales",
        "decided_by": chief.id, "decided_by_name": "chief", "comment": "高すぎる",
    });
    assert_eq!((&told[0]["data"], &told[0]["subject"]["type"]), (&data, &json!("approval")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn approvals_are_told_to_who_must_act_and_never_to_who_did(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let (chief, lonely) =
        tokio::join!(admin.hire("MANAGER", "chief", None), admin.hire("SALES", "lonely", None));
    app.settle().await;
    let people = [&admin, &manager, &chief, &sales, &lonely];
    let expect = async |approval: &str, readers: &[&Member], why: &str| {
        app.settle().await;
        for person in people {
            let times = readers.iter().filter(|reader| reader.id == person.id).count();
            assert_eq!(of_approval(person, approval).await.len(), times, "{why}: {}", person.email);
        }
    };
    let named = request(&lonely, 1, "JPY", Some(&admin)).await;
    expect(&named, &[&admin], "the approver who is named").await;
    let by_default = request(&sales, 1, "JPY", None).await;
    expect(&by_default, &[&manager], "the requester's manager").await;
    let open = request(&lonely, 1, "JPY", None).await;
    expect(&open, &[&manager, &chief], "every manager").await;
    let own = request(&manager, 1, "JPY", None).await;
    expect(&own, &[&chief], "every other manager").await;
    decide(&manager, &open, "reassign", json!({"approver_id": manager.id})).await;
    expect(&open, &[&manager, &chief], "who takes it on knows").await;
    decide(&manager, &open, "reassign", json!({"approver_id": chief.id})).await;
    expect(&open, &[&manager, &chief, &chief], "the new approver").await;
    decide(&chief, &open, "approve", json!({})).await;
    expect(&open, &[&manager, &chief, &chief, &lonely], "the requester").await;
    decide(&sales, &by_default, "cancel", json!({})).await;
    expect(&by_default, &[&manager], "a cancellation is not told").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_deleted_is_told_nothing_and_stands_for_nobody(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let chief = admin.hire("MANAGER", "chief", None).await;
    app.settle().await;
    admin.delete(&format!("/api/auth/users/{}", manager.id)).await.expect(200);
    app.settle().await;
    let before = app.rows("notifications").await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    assert_eq!(told(&chief).await, BTreeSet::from([customer]), "every manager who is left");
    assert_eq!(app.rows("notifications").await, before + 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_becomes_the_owner_of_a_deal_is_told(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = manager.customer("絆").await.id();
    let body = json!({"customer_id": customer, "title": "更新", "amount": 5_000, "owner_id": sales.id});
    let deal = manager.post("/api/deals", body).await.expect(201).id();
    let path = format!("/api/deals/{deal}");
    manager.patch(&path, json!({"title": "年間更新"})).await.expect(200);
    app.settle().await;
    let deals = async |who: &Member| {
        let list = who.get("/api/notifications").await.expect(200);
        let of_deals = list.items().iter().filter(|row| row["subject"]["type"] == "deal").cloned();
        of_deals.collect::<Vec<Value>>()
    };
    let told = deals(&sales).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["kind"], &told[0]["subject"]["id"]), (&json!("deal.created"), &json!(deal)));
    assert_eq!(told[0]["body"], "案件「更新」(5,000円) の担当になりました。");
    manager.patch(&path, json!({"owner_id": colleague.id})).await.expect(200);
    let change = json!({"ids": [deal], "change": {"owner_id": sales.id}});
    app.settle().await;
    assert_eq!(
        (deals(&sales).await.len(), deals(&colleague).await.len(), deals(&manager).await.len()),
        (1, 1, 0)
    );
    manager.idempotency_key("all").post("/api/deals/bulk", change).await.expect(202);
    app.settle().await;
    assert_eq!(deals(&sales).await.len(), 1, "many at once are not told one by one");
}

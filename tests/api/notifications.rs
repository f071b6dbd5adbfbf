//! `/api/notifications`: everybody's own, in their own language.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::support::{Database, Member, Postgres, Sqlite, Team, TestApp};

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
        "title": "新しい顧客", "body": "青空商事 が登録されました。", "subject": {"type": "customer", "id": customer},
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

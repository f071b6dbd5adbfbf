//! `/api/{customers,meetings,tasks,approvals}/{id}/comments`: comments, mentions, and whom they notify.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};
use testing::{deleted_records, promises};

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

/// A record of each kind that belongs to `owner`: its path below `/api`.
async fn records(owner: &Member) -> Vec<String> {
    let customer = owner.customer("絆").await.id();
    vec![
        format!("/api/meetings/{}", owner.meeting(&customer, "訪問").await.id()),
        format!("/api/tasks/{}", owner.task("電話する", "2099-03-09T10:00:00Z").await.id()),
        format!("/api/approvals/{}", owner.approval(&customer, "値引き").await.id()),
        format!("/api/customers/{customer}"),
    ]
}

fn said(text: impl Into<String>) -> Value {
    json!({"text": text.into()})
}

async fn comment(by: &Member, record: &str, text: impl Into<String>) -> Answer {
    by.post(&format!("{record}/comments"), said(text)).await.expect(201)
}

fn at(record: &str, comment: &Answer) -> String {
    format!("{record}/comments/{}", comment.id())
}

/// The bodies of the notifications of comments that a member has, the newest first.
async fn told(member: &Member) -> Vec<Value> {
    let list = member.get("/api/notifications?limit=200").await.expect(200);
    list.items().iter().filter(|row| row["kind"] == "comment.created").cloned().collect()
}

async fn activity(member: &Member, record: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(format!("{record}/activity?limit=2")));
    while let Some(path) = next {
        let page = member.get(&path).await.expect(200);
        found.extend(page.items().iter().map(|event| event["type"].as_str().expect("a type").to_owned()));
        next = page.next().map(str::to_owned);
    }
    found
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_may_read_a_record_may_comment_on_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    for record in records(&sales).await {
        let before = sales.get(&record).await.expect(200);
        let path = format!("{record}/comments");
        let made = comment(&manager, &record, " 見積もりを\r\n送ってください。 ").await;
        let (kind, id) = record.rsplit_once("s/").expect("a path");
        let wanted = json!({
            "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
            "updated_at": "2026-03-02T09:00:00.000000Z", "record_type": kind.rsplit('/').next(), "record_id": id,
            "author_id": manager.id, "text": "見積もりを\r\n送ってください。", "mentions": [],
        });
        assert_eq!(made.body, wanted);
        assert_eq!((made.version(), made.header("location")), (Some(1), Some(at(&record, &made).as_str())));
        assert_eq!(sales.get(&at(&record, &made)).await.expect(200).text, made.text);
        comment(&sales, &record, "送りました。").await;
        let list = sales.get(&format!("{path}?count=true&limit=1")).await.expect(200);
        assert_eq!(list.header("x-total-count"), Some("2"));
        assert_eq!(list.items()[0]["text"], "送りました。", "the newest first");
        let rest = sales.get(list.next().expect("a next page")).await.expect(200);
        assert_eq!((rest.items(), rest.next()), (&[wanted][..], None));
        let after = sales.get(&record).await.expect(200);
        assert_eq!(
            (&after.text, after.version()),
            (&before.text, before.version()),
            "the record itself stays"
        );
        for (method, path) in [("GET", &path), ("POST", &path), ("GET", &at(&record, &made))] {
            let answer =
                colleague.attempt(method.parse().unwrap(), path, (method == "POST").then(|| said("a"))).await;
            answer.expect("an answer").expect_problem(404, "not_found");
        }
        admin.get(&format!("{record}/comments/{NOBODY}")).await.expect_problem(404, "not_found");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn its_author_edits_and_deletes_a_comment_and_an_admin_deletes_any(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for record in records(&sales).await {
        let made = comment(&manager, &record, "一").await;
        let path = at(&record, &made);
        sales.patch(&path, said("二")).await.expect_problem(403, "forbidden");
        admin.patch(&path, said("二")).await.expect_problem(403, "forbidden");
        sales.delete(&path).await.expect_problem(403, "forbidden");
        manager.if_match(2).patch(&path, said("二")).await.expect_problem(412, "stale_version");
        let changed = manager.if_match(1).patch(&path, said("二")).await.expect(200);
        assert_eq!((changed.version(), changed.text_at("/text")), (Some(2), "二".to_owned()));
        assert_eq!(manager.patch(&path, said("二")).await.expect(200).version(), Some(2), "nothing changed");
        assert_eq!(manager.patch(&path, json!({})).await.expect(200).version(), Some(2));
        manager.if_match(1).delete(&path).await.expect_problem(412, "stale_version");
        let gone = manager.if_match(2).delete(&path).await.expect(200);
        assert_eq!(gone.body, json!({"id": made.id(), "status": "deleted"}));
        for answer in
            [manager.get(&path).await, manager.delete(&path).await, manager.patch(&path, said("三")).await]
        {
            answer.expect_problem(404, "not_found");
        }
        let other = comment(&sales, &record, "他").await;
        admin.delete(&at(&record, &other)).await.expect(200);
        assert!(admin.get(&format!("{record}/comments")).await.items().is_empty());
        app.settle().await;
        let events =
            ["comment.deleted", "comment.created", "comment.deleted", "comment.updated", "comment.created"];
        assert_eq!(activity(&sales, &record).await[..5], events, "{record}");
    }
    app.expect_none(&promises::COMMENTS).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_comment_of_one_record_is_not_found_on_another(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let (here, there) = (records(&sales).await, records(&sales).await);
    for (record, other) in here.iter().zip(&there) {
        let made = comment(&sales, record, "一").await;
        let path = at(other, &made);
        for answer in
            [sales.get(&path).await, sales.patch(&path, said("二")).await, sales.delete(&path).await]
        {
            answer.expect_problem(404, "not_found");
        }
        assert!(sales.get(&format!("{other}/comments")).await.items().is_empty());
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_comment_notifies_the_owner_and_whom_it_mentions_once(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    for record in records(&sales).await {
        let before = [told(&sales).await.len(), told(&manager).await.len(), told(&admin).await.len()];
        let text = format!("@{} @[{}] @[{}] 確認を", admin.email, admin.id, manager.id);
        let made = comment(&manager, &record, text).await;
        assert_eq!(made.text_at("/text"), format!("@[{0}] @[{0}] @[{1}] 確認を", admin.id, manager.id));
        assert_eq!(made.body["mentions"], json!([admin.id, manager.id]));
        let path = at(&record, &made);
        manager.patch(&path, said("nobody")).await.expect(200);
        manager.patch(&path, said(format!("@[{}] @[{}]", admin.id, sales.id))).await.expect(200);
        app.settle().await;
        let after = [told(&sales).await.len(), told(&manager).await.len(), told(&admin).await.len()];
        assert_eq!(after, [before[0] + 1, before[1], before[2] + 1], "{record}: once each, never the author");
        let newest = &told(&sales).await[0];
        assert_eq!(newest["subject"]["id"], record.rsplit('/').next().expect("an id"));
        assert_eq!(newest["data"]["comment_id"], made.id());
        let body = newest["body"].as_str().expect("a body");
        assert!(body.contains("manager") && body.contains("確認を"), "{body}");
        assert!(!body.contains(&admin.id), "names, not ids: {body}");
    }
    assert!(told(&colleague).await.is_empty());
    app.expect_none(&promises::COMMENTS).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_people_who_may_read_the_record_are_mentioned(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let gone = admin.hire("MANAGER", "gone", None).await;
    for record in records(&sales).await {
        let path = format!("{record}/comments");
        let mentioning =
            |whom: &str| Rejected::field(&path, said(format!("見て @{whom}")), "text", "unknown_mention");
        let blind =
            Rejected::field(&path, said(format!("@[{}]", colleague.id)), "text", "mention_cannot_read");
        let by_address =
            Rejected::field(&path, said(format!("@{}", colleague.email)), "text", "mention_cannot_read");
        let many: String = (0..21).map(|n| format!("@a{n}@example.com ")).collect();
        let too_many = Rejected::field(&path, said(many), "text", "too_many_mentions");
        app.settle().await;
        let wrong =
            [mentioning(&format!("[{NOBODY}]")), mentioning("who@example.com"), blind, by_address, too_many];
        all_refused(&app, &sales, wrong).await;
        let refused = manager.language("en").post(&path, said(format!("@[{}]", colleague.id))).await;
        assert!(refused.text_at("/errors/0/message").contains("colleague"), "{refused}");
    }
    // Whom a comment mentions may be deleted later: the text can still be edited.
    let record = &records(&sales).await[3];
    let made = comment(&sales, record, format!("@[{}]", gone.id)).await;
    admin.delete(&format!("/api/auth/users/{}", gone.id)).await.expect(200);
    app.settle().await;
    let still = said(format!("@[{}] さんへ", gone.id));
    sales.patch(&at(record, &made), still).await.expect(200);
    comment(&manager, record, "@ sato@example.com @[x] @").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_comment_is_named() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let records = records(&admin).await;
    let made = comment(&admin, &records[0], "一").await;
    app.settle().await;
    let wrong = [
        (json!(" \n"), "required"),
        (json!("\u{200b}"), "invisible"),
        (json!("あ".repeat(5_001)), "too_long"),
        (json!("a\0"), "nul_character"),
        (json!(null), "invalid_type"),
        (json!(1), "invalid_type"),
    ];
    let mut rejected = Vec::new();
    for (text, code) in wrong {
        for record in &records {
            rejected.push(Rejected::field(
                &format!("{record}/comments"),
                json!({"text": text}),
                "text",
                code,
            ));
        }
        let change = Rejected::new("PATCH", at(&records[0], &made), 422, "invalid_fields");
        rejected.push(change.json(json!({"text": text}).to_string()).fault("text", code));
    }
    let path = format!("{}/comments", records[0]);
    rejected.push(Rejected::field(&path, json!({}), "text", "required"));
    rejected.push(Rejected::field(
        &path,
        json!({"text": "a", "author_id": admin.id}),
        "author_id",
        "unknown_field",
    ));
    rejected.push(Rejected::parameter(&format!("{path}?sort=id"), "sort", "unknown_parameter"));
    all_refused(&app, &admin, rejected).await;
    comment(&admin, &records[0], "あ".repeat(5_000)).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_repeated_request_is_one_comment(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    for (n, record) in records(&sales).await.into_iter().enumerate() {
        let once = manager.idempotency_key(format!("comment-{n}"));
        let path = format!("{record}/comments");
        let first = once.post(&path, said("一")).await.expect(201);
        let again = once.post(&path, said("一")).await.expect(201);
        assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &first.text));
        assert_eq!((again.version(), again.header("location")), (Some(1), first.header("location")));
        once.post(&path, said("二")).await.expect_problem(422, "idempotency_key_reused");
        assert_eq!(manager.get(&path).await.items().len(), 1);
    }
    app.settle().await;
    assert_eq!(told(&sales).await.len(), 4);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_comment_outlives_its_record(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let records = records(&sales).await;
    for record in &records {
        comment(&manager, record, "一").await;
    }
    let [meeting, task, approval, customer] = &records[..] else { panic!("four records") };
    // A comment that comes while its record is deleted is refused, or goes with it.
    for record in [task, meeting, customer] {
        let path = format!("{record}/comments");
        let adding = join_all((0..12).map(|n| {
            let by: &Api = if n % 2 == 0 { &manager } else { &admin };
            by.post(&path, said("競争"))
        }));
        let (added, deleted) = tokio::join!(adding, manager.delete(record));
        deleted.expect(200);
        for answer in added {
            assert!([201, 404].contains(&answer.status), "{answer}");
        }
        manager.get(&path).await.expect_problem(404, "not_found");
        manager.post(&path, said("遅い")).await.expect_problem(404, "not_found");
    }
    app.settle().await;
    // They are kept as long as the deletion can be undone.
    deleted_records::purge(&app).await;
    assert_eq!(app.rows("meetings_comments").await, 0);
    assert_eq!(app.rows("tasks_comments").await, 0);
    assert_eq!(app.rows("customers_comments").await, 0);
    // An approval that its customer's deletion cancels is still there.
    assert_eq!(manager.get(&format!("{approval}/comments")).await.expect(200).items().len(), 1);
    app.expect_none(&deleted_records::PROMISES).await;
    let integrity = admin.get("/api/admin/integrity").await.expect(200);
    for consumer in integrity.body["consumers"].as_array().expect("consumers") {
        for count in ["pending", "lost", "duplicated", "out_of_order"] {
            assert_eq!(consumer[count], 0, "{consumer}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn comments_go_with_what_a_cascade_deletes_and_stay_where_their_author_left(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let records = records(&sales).await;
    let [meeting, task, approval, customer] = &records[..] else { panic!("four records") };
    for record in &records {
        comment(&sales, record, format!("@[{}]", manager.id)).await;
    }
    let path = format!("/api/auth/users/{}?reassign_to={}", sales.id, colleague.id);
    admin.delete(&path).await.expect(200);
    app.settle().await;
    // The user's tasks are deleted; the rest is the successor's, with what the user said.
    manager.get(&format!("{task}/comments")).await.expect_problem(404, "not_found");
    for record in [meeting, approval, customer] {
        let list = colleague.get(&format!("{record}/comments")).await.expect(200);
        assert_eq!(list.text_at("/0/author_id"), sales.id, "{record}");
        comment(&manager, record, "引き継ぎ").await;
    }
    manager.delete(customer).await.expect(200);
    app.settle().await;
    deleted_records::purge(&app).await;
    let left = ["customers_comments", "meetings_comments", "tasks_comments"].map(|table| app.rows(table));
    assert_eq!(join_all(left).await, [0, 0, 0]);
    assert_eq!(colleague.get(&format!("{approval}/comments")).await.expect(200).items().len(), 2);
    app.expect_none(&deleted_records::PROMISES).await;
    app.expect_none(&promises::COMMENTS).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_customers_activity_has_the_comments_on_what_is_about_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let records = records(&sales).await;
    for record in &records {
        comment(&manager, record, "一").await;
    }
    app.settle().await;
    let seen = activity(&sales, &records[3]).await;
    // The task is about no customer.
    assert_eq!(seen.iter().filter(|event| *event == "comment.created").count(), 3, "{seen:?}");
    for record in &records[..3] {
        let counted = sales.get(&format!("{record}/activity?count=true&limit=1")).await.expect(200);
        assert_eq!(counted.header("x-total-count"), Some("2"));
        assert_eq!(counted.items()[0]["type"], "comment.created");
    }
}

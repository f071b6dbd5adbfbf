//! The eight flows of SPEC §5 on a running server, so that its log holds an event of every type.

use kernel::event::EventType;
use std::time::Duration;

use domain::events::SAGA_FAILED;
use serde_json::{Value, json};

use crate::provider::Provider;
use testing::app::PASSWORD;
use testing::upload::{form, send};
use testing::{Answer, Member, eventually};

/// Part of a name over which a consumer is made to fail.
const BREAKS: &str = "壊";
const WITHIN: Duration = Duration::from_secs(20);

/// A server that scans for due tasks all the time and gives up early.
pub async fn server() -> Provider {
    let args = ["--due-scan-every", "1s", "--retry-initial", "10ms", "--retry-times", "2"];
    let fails = format!("feed.customer.departures.effect=fail@always/{BREAKS}");
    Provider::with(&args, &[("KIZUNA_FAILPOINTS", &fails)]).await
}

/// Only a consumer that can be made to fail leads to a failed saga.
pub fn can_be_produced(event_type: EventType) -> bool {
    event_type != SAGA_FAILED || cfg!(feature = "failpoints")
}

/// Runs all flows until their last effect.
pub async fn run(provider: &Provider) {
    let admin = &provider.admin;
    let manager = admin.hire("MANAGER", "manager", None).await;
    let sales = admin.hire("SALES", "sales", Some(&manager)).await;
    people(admin, &sales).await;
    let customer = sales.customer("佐々木 商店").await.id();
    sales.patch(&format!("/api/customers/{customer}"), json!({"notes": "n"})).await.expect(200);
    meetings(&sales, &customer).await;
    approvals(admin, &manager, &sales, &customer).await;
    tasks(admin, &sales, &customer).await;
    deals(admin, &sales, &customer).await;
    comments(&sales, &customer).await;
    attachments(&sales, &customer).await;
    read(&manager).await;
    imports(admin, &sales).await;
    programs(admin).await;
    let mut deletions = vec![leave(admin, &manager).await];
    deletions.extend(together(&sales).await);
    records(&sales, &customer).await;
    deletions.push(sales.delete(&format!("/api/customers/{customer}")).await.expect(200));
    if can_be_produced(SAGA_FAILED) {
        deletions.push(leave_broken(admin).await);
    }
    for deletion in &deletions {
        ended(admin, deletion).await;
    }
    merge(&sales).await;
    undo(admin, &deletions[0]).await;
    let bulk = sales.deal(&sales.customer("Dealt with").await.id(), "Undone").await.id();
    let bulk = json!({"ids": [bulk], "change": {"delete": true}});
    let bulk = sales.post("/api/deals/bulk", bulk).await.expect(202);
    let customer = sales.customer("Missed").await.id();
    records(&sales, &customer).await;
    sales.deal(&customer, "Missed").await;
    let task = json!({"title": "missed", "due_at": "2099-01-05T09:00:00Z", "customer_id": customer});
    sales.post("/api/tasks", task).await.expect(201);
    let missed = sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    for saga in [bulk, missed] {
        ended(admin, &saga).await;
        undo(admin, &saga).await;
    }
}

/// A key, and an address outside, to which nothing can be sent.
async fn programs(admin: &Member) {
    let key = json!({"name": "key", "scopes": ["customers:read"], "role": "SALES"});
    let key = admin.post("/api/api-keys", key).await.expect(201).id();
    admin.delete(&format!("/api/api-keys/{key}")).await.expect(200);
    let webhook = json!({"url": "https://kizuna.invalid/", "event_types": ["deal.won"]});
    let path = format!("/api/webhooks/{}", admin.post("/api/webhooks", webhook).await.expect(201).id());
    admin.patch(&path, json!({"event_types": ["deal.lost"]})).await.expect(200);
    admin.post(&format!("{path}/ping"), json!({})).await.expect(202);
    admin.patch(&path, json!({"enabled": false})).await.expect(200);
    admin.delete(&path).await.expect(200);
}

/// Two customers with records become one.
async fn merge(sales: &Member) {
    let (one, other) = (sales.customer("One").await.id(), sales.customer("Other").await.id());
    records(sales, &other).await;
    sales.deal(&other, "Other").await;
    let task = json!({"title": "other", "due_at": "2099-01-05T09:00:00Z", "customer_id": other});
    sales.post("/api/tasks", task).await.expect(201);
    let path = format!("/api/customers/{one}/merge");
    let merged = sales.post(&path, json!({"other_id": other})).await.expect(202);
    ended(sales, &merged).await;
}

/// Takes back what a saga did.
async fn undo(admin: &Member, done: &Answer) {
    let undone = admin.post(&format!("{}/undo", done.text_at("/saga/href")), json!({})).await.expect(202);
    ended(admin, &undone).await;
}

/// Every event of the log.
pub async fn events(provider: &Provider) -> Vec<Value> {
    let mut events = Vec::new();
    let mut next = Some("/api/audit/events?limit=200".to_owned());
    while let Some(page) = next {
        let answer = provider.admin.get(&page).await.expect(200);
        events.extend_from_slice(answer.items());
        next = answer.next().map(str::to_owned);
    }
    events
}

/// Flow 1: a login that fails beside those that have not.
async fn people(admin: &Member, sales: &Member) {
    admin.patch(&format!("/api/auth/users/{}", sales.id), json!({"name": "Sales"})).await.expect(200);
    let wrong = json!({"email": sales.email, "password": "wrong-password"});
    sales.anonymous().post("/api/auth/login", wrong).await.expect(401);
}

/// Flow 3.
async fn meetings(sales: &Member, customer: &str) {
    let meeting = sales.meeting(customer, "First visit").await.id();
    let path = format!("/api/meetings/{meeting}");
    sales.patch(&path, json!({"title": "The first visit"})).await.expect(200);
    sales.delete(&path).await.expect(200);
}

/// Flow 4, with every way it can end.
async fn approvals(admin: &Member, manager: &Member, sales: &Member, customer: &str) {
    let why = json!({"comment": "because"});
    for (decider, action, body) in [
        (manager, "approve", json!({})),
        (manager, "reject", why),
        (sales, "cancel", json!({})),
        (manager, "reassign", json!({"approver_id": admin.id})),
    ] {
        let id = sales.approval(customer, action).await.id();
        decider.patch(&format!("/api/approvals/{id}/{action}"), body).await.expect(200);
    }
}

/// Flow 5: an alert among other things that happen to a task.
async fn tasks(admin: &Member, sales: &Member, customer: &str) {
    let task = async |title: &str| {
        let task = json!({"title": title, "due_at": "2026-01-05T09:00:00Z", "customer_id": customer});
        format!("/api/tasks/{}", sales.post("/api/tasks", task).await.expect(201).id())
    };
    task("overdue").await;
    let (done, dropped) = (task("done").await, task("dropped").await);
    sales.patch(&done, json!({"notes": "n"})).await.expect(200);
    sales.patch(&done, json!({"status": "DONE"})).await.expect(200);
    sales.delete(&dropped).await.expect(200);
    sales
        .post("/api/tasks", json!({"title": "nobody's", "due_at": "2099-01-05T09:00:00Z"}))
        .await
        .expect(201);
    eventually(WITHIN, async || {
        let alerts = admin.get("/api/audit/events?type=task.due_soon").await.expect(200);
        !alerts.items().is_empty()
    })
    .await;
}

/// Deals, with every way they can end, and one that is given to somebody else.
async fn deals(admin: &Member, sales: &Member, customer: &str) {
    let deal = async |title: &str| format!("/api/deals/{}", sales.deal(customer, title).await.id());
    let (won, lost, dropped) = (deal("won").await, deal("lost").await, deal("dropped").await);
    sales.patch(&won, json!({"stage": "PROPOSE"})).await.expect(200);
    sales.patch(&won, json!({"stage": "WON"})).await.expect(200);
    sales.patch(&lost, json!({"stage": "LOST", "lost_reason": "price"})).await.expect(200);
    sales.delete(&dropped).await.expect(200);
    admin.patch(&deal("given").await, json!({"owner_id": admin.id})).await.expect(200);
}

/// A file of each kind, carried out; one is taken back.
async fn imports(admin: &Member, sales: &Member) {
    for (kind, file) in [
        ("customers", "id,name\nK,Imported\n"),
        ("meetings", "customer id,title,date\nK,Imported,2026-01-05\n"),
        ("tasks", "title,due\nImported,2099-01-05\n"),
        ("deals", "customer id,title,amount\nK,Imported,1\n"),
    ] {
        let form = form(&[("kind", kind)], "a.csv", file.as_bytes());
        let import = send(sales, "/api/imports", form).await.expect(201).id();
        let begun = sales.post(&format!("/api/imports/{import}/commit"), json!({})).await.expect(202);
        ended(admin, &begun).await;
        if kind == "tasks" {
            let undone = sales.post(&format!("/api/imports/{import}/undo"), json!({})).await.expect(202);
            ended(admin, &undone).await;
        }
    }
}

/// Two notifications: one is read, one put away.
async fn read(manager: &Member) {
    let unread = eventually(WITHIN, async || {
        let unread = manager.get("/api/notifications/unread").await.expect(200);
        (unread.items().len() >= 2).then(|| unread.items().to_vec())
    })
    .await;
    for (notification, mark) in unread.iter().zip(["read", "archive"]) {
        let id = notification["id"].as_str().expect("an id");
        manager.patch(&format!("/api/notifications/{id}/{mark}"), json!({})).await.expect(200);
    }
}

/// Records that are changed together.
async fn together(owner: &Member) -> Vec<Answer> {
    let customer = owner.customer("Together").await.id();
    let meeting = owner.meeting(&customer, "Together").await.id();
    let task = owner.task("Together", "2099-01-05T09:00:00Z").await.id();
    let deal = owner.deal(&customer, "Together").await.id();
    let mut sagas = Vec::new();
    for (path, id, change) in [
        ("/api/customers/bulk", customer, json!({"status": "ACTIVE"})),
        ("/api/meetings/bulk", meeting, json!({"delete": true})),
        ("/api/tasks/bulk", task, json!({"status": "DONE"})),
        ("/api/deals/bulk", deal, json!({"stage": "NEGOTIATE"})),
    ] {
        sagas.push(owner.post(path, json!({"ids": [id], "change": change})).await.expect(202));
    }
    sagas
}

/// One of everything, so that a deletion has something to do.
async fn records(owner: &Member, customer: &str) {
    owner.meeting(customer, "Next visit").await;
    owner.task("to be done", "2099-01-05T09:00:00Z").await;
    owner.approval(customer, "pending").await;
}

/// A comment, edited and deleted, and one that stays.
async fn comments(sales: &Member, customer: &str) {
    let path = format!("/api/customers/{customer}/comments");
    let comment = sales.post(&path, json!({"text": "@manager@example.com"})).await.expect(201).id();
    let one = format!("{path}/{comment}");
    sales.patch(&one, json!({"text": "edited"})).await.expect(200);
    sales.delete(&one).await.expect(200);
    sales.post(&path, json!({"text": "stays"})).await.expect(201);
}

/// A file, attached and removed.
async fn attachments(sales: &Member, customer: &str) {
    let path = format!("/api/customers/{customer}/attachments");
    let form =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\na\r\n--b--\r\n";
    let by = sales.header("content-type", "multipart/form-data; boundary=b");
    let id = by.raw("POST", &path, form).await.expect(201).id();
    sales.delete(&format!("{path}/{id}")).await.expect(200);
}

/// Flow 7.
async fn leave(admin: &Member, manager: &Member) -> Answer {
    let leaver = admin.hire("SALES", "leaver", Some(manager)).await;
    let customer = leaver.customer("Left behind").await.id();
    records(&leaver, &customer).await;
    admin.delete(&format!("/api/auth/users/{}", leaver.id)).await.expect(200)
}

/// Deletes a user whose name makes a consumer fail.
async fn leave_broken(admin: &Member) -> Answer {
    let user = json!({
        "email": "broken@example.com", "name": format!("{BREAKS}れ物"), "role": "SALES", "password": PASSWORD,
    });
    let id = admin.post("/api/auth/users", user).await.expect(201).id();
    admin.delete(&format!("/api/auth/users/{id}")).await.expect(200)
}

async fn ended(admin: &Member, deletion: &Answer) {
    eventually(WITHIN, async || {
        let saga = admin.get(&deletion.text_at("/saga/href")).await.expect(200);
        if saga.body["status"] == "running" { Err(saga.to_string()) } else { Ok(()) }
    })
    .await;
}

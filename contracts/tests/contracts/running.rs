//! `kizuna-client` at the running server: what no single interaction can show.

use std::time::Duration;

use futures_util::TryStreamExt;
use kizuna_client::records::{
    Locale, MeetingChanges, NewApproval, NewCustomer, NewMeeting, NewTask, NewUser, Role, TaskChanges,
    TaskStatus, UserChanges, Whole,
};
use kizuna_client::{Client, Query, Timestamp};

use crate::provider::Provider;
use testing::app::{ADMIN, PASSWORD};
use testing::eventually;

async fn signed_in(provider: &Provider) -> Client {
    let nobody = Client::new(provider.server.base_url()).expect("an address");
    nobody.login(ADMIN, PASSWORD).await.expect("a session")
}

fn customer(name: &str) -> NewCustomer {
    NewCustomer { name: name.to_owned(), ..NewCustomer::default() }
}

#[tokio::test]
async fn tokens_are_rotated_until_the_client_logs_out() {
    let provider = Provider::with(&["--access-token-ttl", "2s"], &[]).await;
    let kizuna = signed_in(&provider).await;
    for _ in 0..2 {
        let before = kizuna.access_token().await.expect("a token");
        eventually(Duration::from_secs(10), async || kizuna.access_token().await.expect("a token") != before)
            .await;
        assert_eq!(kizuna.me().await.expect("oneself").email.as_deref(), Some(ADMIN));
    }
    let copy = kizuna.clone();
    kizuna.logout().await.expect("an end");
    assert_eq!(copy.me().await.expect_err("nobody").code(), Some("session_ended"));
}

#[tokio::test]
async fn lists_are_streamed_and_a_key_makes_one_record() {
    let provider = Provider::start().await;
    let kizuna = signed_in(&provider).await;
    for name in ["a", "b", "c"] {
        kizuna.customers().create(&customer(name)).await.expect("a customer");
    }
    let first = kizuna.customers().create_once("my key", &customer("d")).await.expect("a customer");
    let again = kizuna.customers().create_once("my key", &customer("d")).await.expect("the same");
    assert_eq!((first.replayed, again.replayed, first.id), (false, true, again.id));
    let other = kizuna.customers().create_once("my key", &customer("e")).await.expect_err("another body");
    assert_eq!(other.code(), Some("idempotency_key_reused"));

    let query = Query::new().with("sort", "name").limit(2);
    let all: Vec<_> = kizuna.customers().stream(&query).try_collect().await.expect("all pages");
    let names: Vec<_> = all.iter().map(|customer| customer.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn every_kind_of_record_goes_there_and_back() {
    let provider = Provider::start().await;
    let kizuna = signed_in(&provider).await;
    let user = NewUser {
        email: "sales@example.com".into(),
        name: "Sales".into(),
        role: Role::Sales,
        password: PASSWORD.into(),
        manager_id: None,
        locale: Some(Locale::Ja),
        time_zone: Some("Asia/Tokyo".into()),
    };
    let user = kizuna.users().create(&user).await.expect("a user");
    let changes =
        UserChanges { manager_id: Some(None), name: Some("Sales 2".into()), ..UserChanges::default() };
    let changed = kizuna.users().update(user.id, user.etag, &changes).await.expect("a change");
    assert_eq!((changed.version, changed.name.as_str()), (Some(2), "Sales 2"));

    let customer = kizuna.customers().create(&customer("絆")).await.expect("a customer");
    activities(&kizuna, &customer.record, changed.id).await;
    let deleted = kizuna.customers().delete(customer.id, customer.etag).await.expect("a deletion");
    let saga = kizuna.sagas().get(deleted.saga.expect("a saga").id).await.expect("its progress");
    assert_eq!(saga.subject_id, customer.id);
}

async fn activities(
    kizuna: &Client,
    customer: &kizuna_client::records::Customer,
    assignee: kizuna_client::Id,
) {
    let at = Timestamp::parse("2026-03-02T09:00:00Z").expect("a time");
    let meeting = NewMeeting {
        customer_id: customer.id,
        title: "First visit".into(),
        met_at: at,
        duration_minutes: Some(Whole(30)),
        location: None,
        notes: None,
        outcome: None,
        owner_id: None,
    };
    let meeting = kizuna.meetings().create(&meeting).await.expect("a meeting");
    let shorter = MeetingChanges { duration_minutes: Some(None), ..MeetingChanges::default() };
    let meeting = kizuna.meetings().update(meeting.id, meeting.etag, &shorter).await.expect("a change");
    assert_eq!((meeting.met_at, meeting.duration_minutes), (at, None));

    let task = NewTask {
        title: "Send an offer".into(),
        due_at: at,
        customer_id: Some(customer.id),
        assignee_id: Some(assignee),
        notes: None,
        status: None,
    };
    let task = kizuna.tasks().create(&task).await.expect("a task");
    let done = TaskChanges { status: Some(TaskStatus::Done), ..TaskChanges::default() };
    let task = kizuna.tasks().update(task.id, None, &done).await.expect("a change");
    assert!(task.completed_at.is_some());

    let approval = NewApproval {
        deal_id: None,
        customer_id: customer.id,
        title: "A discount".into(),
        amount: Whole(120_000),
        currency: None,
        reason: None,
        approver_id: None,
    };
    let approval = kizuna.approvals().create(&approval).await.expect("a request");
    let own = kizuna.approve(approval.id, None).await.expect_err("one's own request");
    assert_eq!(own.code(), Some("own_request"));
    kizuna.cancel(approval.id, None).await.expect("a withdrawal");
}

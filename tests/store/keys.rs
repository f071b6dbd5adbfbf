//! First answers under an idempotency key.

use std::time::Duration;

use kernel::clock::Timestamp;
use kernel::event::raw;
use kernel::ids::new_id;
use rstest::rstest;
use store::idempotency::{FirstAnswer, IDEMPOTENCY_KEYS, find, purge};

use crate::common::{at, begin, count, store};
use crate::rows::{AWKWARD, EARLIEST, json};
use testing::{Database, Postgres, Sqlite, TestDatabase};

fn answer(id: &str, body: &str, created_at: Timestamp) -> FirstAnswer {
    FirstAnswer {
        id: id.to_owned(),
        fingerprint: AWKWARD[2].to_owned(),
        status: 201,
        location: Some(format!("/api/customers/{}", new_id())),
        version: Some(i64::MAX),
        body: raw(&serde_json::json!({"text": body})),
        created_at,
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn first_answers_are_kept_byte_for_byte_and_run_out(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for (n, text) in AWKWARD.iter().enumerate() {
        let id = format!("{n}/{text}");
        let written = answer(&id, text, at(EARLIEST));
        store(&db, vec![written.write()]).await;
        let read = find(&db, &id, at(EARLIEST)).await.unwrap().unwrap();
        assert_eq!((json(&read), read.body.get()), (json(&written), written.body.get()));
    }
    let bare = FirstAnswer { location: None, version: None, ..answer("u/bare", "", begin()) };
    store(&db, vec![bare.write()]).await;
    assert_eq!(json(&find(&db, "u/bare", begin()).await.unwrap().unwrap()), json(&bare));

    let later = begin().plus(Duration::from_micros(1));
    assert!(find(&db, "u/bare", later).await.unwrap().is_none(), "it has run out");
    assert!(find(&db, "u/bare", begin()).await.unwrap().is_none(), "and is forgotten");
    store(&db, vec![bare.write()]).await;
    assert_eq!(purge(&db, begin(), 5).await.unwrap(), 5);
    assert_eq!(purge(&db, begin(), 500).await.unwrap(), AWKWARD.len() as u64 - 5);
    assert_eq!(purge(&db, begin(), 500).await.unwrap(), 0);
    assert_eq!(count(&db, IDEMPOTENCY_KEYS.name).await, 1);
}

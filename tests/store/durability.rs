//! What SPEC §8.1 rests on: a commit is on the disk, and nobody holds a lock for ever.

use std::fs;
use std::time::Duration;

use kernel::event::raw;
use rstest::rstest;
use store::idempotency::FirstAnswer;

use crate::common::{begin, store};
use testing::{Database, Postgres, Sqlite, TestDatabase, eventually};

#[rstest]
#[case(Sqlite, &[("synchronous", "2"), ("journal_mode", "wal")])]
#[case(Postgres, &[
    ("synchronous_commit", "on"),
    ("TimeZone", "UTC"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "3s"),
    ("statement_timeout", "30s"),
])]
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_on_the_disk_and_locks_are_given_back(
    #[case] on: Database,
    #[case] settings: &[(&'static str, &str)],
) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for (name, value) in settings {
        assert_eq!(db.setting(name).await.unwrap(), *value, "{name}");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn only_known_settings_are_asked_for(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let error = database.open().await.setting("password_encryption").await.unwrap_err();
    assert!(error.to_string().contains("not among the settings"), "{error}");
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_up_to_date_is_left_alone(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let names = database.open().await.migrate().await.unwrap();
    assert!(names.len() >= 6, "{names:?}");
    assert_eq!(database.open().await.migrate().await.unwrap(), names);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_migrations() {
    let (sqlite, postgres) = (TestDatabase::fresh(Sqlite), TestDatabase::fresh(Postgres));
    let names = sqlite.open().await.migrate().await.unwrap();
    assert_eq!(postgres.open().await.migrate().await.unwrap(), names);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_s_log_is_copied_to_the_main_file_while_commits_go_on_and_does_not_grow_for_ever() {
    const COMMITS: usize = 30;
    const ROWS: usize = 1_000;
    const MIB: u64 = 1024 * 1024;
    let database = TestDatabase::fresh(Sqlite);
    let db = database.migrated().await;
    let body = raw(&serde_json::json!({"text": "x".repeat(1_500)}));
    let answer = |id: String| FirstAnswer {
        id,
        fingerprint: "f".into(),
        status: 200,
        location: None,
        version: None,
        body: body.clone(),
        created_at: begin(),
    };
    for commit in 0..COMMITS {
        store(&db, (0..ROWS).map(|row| answer(format!("{commit}/{row}")).write()).collect()).await;
    }
    let size = |name: &str| fs::metadata(database.folder().join(name)).map_or(0, |file| file.len());
    eventually(Duration::from_secs(10), async || {
        let (main, log) = (size("kizuna.db"), size("kizuna.db-wal"));
        let is_copied = main > 30 * MIB && log < 60 * MIB;
        if is_copied { Ok(()) } else { Err(format!("main file {main}, log {log}")) }
    })
    .await;
}

//! Every table keeps what it is given, to the last character and microsecond.

use domain::customer::record::Customer;
use domain::meeting::record::Meeting;
use domain::notification::kinds::NotificationKind;
use domain::notification::record::{Notification, NotificationData};
use domain::notification::user_directory::UserCopy;
use domain::report::messages::ReportDay;
use domain::session::record::{Session, SessionKind};
use domain::user::record::UserState;
use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::ids::new_id;
use kizuna::persistence::analytics::{
    NOTIFICATIONS, USER_COPIES, metric_write, metrics, quarter, user_copies,
};
use kizuna::persistence::auth::{SESSIONS, USERS};
use kizuna::persistence::customer_replicas as replicas;
use kizuna::persistence::customer_replicas::{CustomerReplica, OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use kizuna::persistence::meetings::MEETINGS;
use rstest::rstest;
use serde_json::Value;
use store::Db;
use store::cursors;
use store::cursors::{Cursor, PARKED, Parked, ParkedStatus};
use store::sql::Sql;
use store::table::Table;
use store::unit_of_work::Write;

use crate::common::{at, begin, count, customer, customer_write, store, stored, user, user_write};
use testing::{Database, Postgres, Sqlite, TestDatabase};

/// What SQL, JSON and encodings trip over.
pub const AWKWARD: [&str; 8] = [
    "株式会社絆　山田太郎様",
    "👩‍👩‍👧‍👦 🇯🇵 e\u{301} \u{10FFFF}",
    r#"O'Brien "the" \ 'x'; DROP TABLE users; -- \u0041 \n $1 ? %s"#,
    "a\tb\r\nc\u{1}\u{1f}\u{7f}\u{2028}\u{feff}",
    "100% _ [a-z] * NULL null",
    "{\"a\": [1, 2]}",
    "42",
    "",
];
pub const EARLIEST: &str = "0001-01-01T00:00:00.000000Z";
const LATEST: &str = "9999-12-31T23:59:59.999999Z";

fn long() -> String {
    "長い文😀\"".chars().cycle().take(10_000).collect()
}

fn ends() -> [Timestamp; 2] {
    [at(EARLIEST), at(LATEST)]
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn customers_keep_every_text(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for text in AWKWARD.map(str::to_owned).into_iter().chain([long()]) {
        let named = || Customer { name: text.clone(), ..customer("named") };
        let mut full = named();
        let [earliest, latest] = ends();
        (full.created_at, full.updated_at, full.deleted_at) = (earliest, latest, Some(latest));
        (full.email, full.phone) = (Some(text.clone()), Some(text.clone()));
        full.kana = Some(text.clone());
        (full.company, full.notes) = (Some(text.clone()), Some(text.clone()));
        full.version = i64::MAX;
        let empty = named();
        store(&db, vec![customer_write(&full), customer_write(&empty)]).await;
        assert_eq!(stored(&db, full.id).await, full);
        assert_eq!(stored(&db, empty.id).await, empty);
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn users_keep_every_field(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for (text, role) in [(AWKWARD[0], Role::Admin), (AWKWARD[2], Role::Manager)] {
        let (mut full, mut empty) = (user(text), user("somebody"));
        full.user.role = role;
        (full.user.manager_id, full.kept_session_id) = (Some(new_id()), Some(new_id()));
        (full.deleted_at, full.sessions_valid_from) = (Some(at(LATEST)), at(EARLIEST));
        full.password_hash = text.to_owned();
        empty.user.email = format!("{text}@example.com");
        store(&db, vec![user_write(&full), user_write(&empty)]).await;
        for written in [full, empty] {
            let read: UserState = db.row(&USERS, written.user.id).await.unwrap().unwrap();
            assert_eq!(json(&read), json(&written));
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_meetings_keep_every_field(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let [earliest, latest] = ends();
    let session = Session {
        id: new_id(),
        version: i64::MAX,
        created_at: earliest,
        updated_at: latest,
        user_id: new_id(),
        generation: i64::MAX,
        expires_at: latest,
        valid_from: Timestamp::from_micros(0),
        revoked_at: None,
        kind: SessionKind::Api,
        address: None,
        agent: None,
    };
    let revoked = Session {
        id: new_id(),
        revoked_at: Some(earliest),
        kind: SessionKind::Console,
        address: Some("2001:db8::1".parse().expect("an address")),
        agent: Some(AWKWARD[0].to_owned()),
        ..session.clone()
    };
    let bare = Meeting {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        customer_id: new_id(),
        title: long(),
        met_at: earliest,
        duration_minutes: None,
        location: None,
        notes: None,
        outcome: None,
        owner_id: new_id(),
        deleted_at: None,
    };
    keeps(&db, &SESSIONS, session.id.to_string(), &session).await;
    keeps(&db, &SESSIONS, revoked.id.to_string(), &revoked).await;
    for text in AWKWARD {
        let text = || Some(text.to_owned());
        let full = Meeting {
            id: new_id(),
            duration_minutes: Some(i64::MAX),
            location: text(),
            notes: text(),
            outcome: text(),
            deleted_at: Some(latest),
            ..bare.clone()
        };
        keeps(&db, &MEETINGS, full.id.to_string(), &full).await;
    }
    keeps(&db, &MEETINGS, bare.id.to_string(), &bare).await;
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn notifications_and_parked_events_keep_every_field(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for text in AWKWARD.map(str::to_owned).into_iter().chain([long()]) {
        let notification = Notification {
            id: new_id(),
            version: 3,
            created_at: at(EARLIEST),
            updated_at: at(LATEST),
            user_id: new_id(),
            kind: "customer.created".to_owned(),
            subject_type: "customer".to_owned(),
            subject_id: new_id(),
            customer_id: Some(new_id()),
            data: NotificationData {
                customer_name: Some(text.clone()),
                owner_id: Some(new_id()),
                amount: Some(i64::MAX),
                due_at: Some(at(LATEST)),
                ..NotificationData::default()
            },
            read_at: Some(at(LATEST)),
            archived_at: None,
        };
        keeps(&db, &NOTIFICATIONS, notification.id.to_string(), &notification).await;
        let parked = Parked {
            id: new_id(),
            consumer: "tests.rows".to_owned(),
            event_id: new_id(),
            subject: new_id(),
            partition: 15,
            partition_seq: i64::MAX,
            version: 1,
            status: ParkedStatus::Dead,
            attempts: 8,
            next_attempt_at: at(LATEST),
            error: text,
            parked_at: at(EARLIEST),
        };
        keeps(&db, &PARKED, parked.id.to_string(), &parked).await;
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn replicas_and_user_copies_only_ever_become_newer(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let replica = CustomerReplica {
        id: new_id(),
        version: 2,
        name: AWKWARD[1].into(),
        owner_id: new_id(),
        deleted_at: None,
    };
    let older = CustomerReplica { version: 1, name: "old".into(), ..replica.clone() };
    let same = CustomerReplica { name: "again".into(), ..replica.clone() };
    let newer = CustomerReplica { version: 3, deleted_at: Some(at(LATEST)), ..replica.clone() };
    for table in [&SALES_CUSTOMERS, &OPPORTUNITY_CUSTOMERS] {
        assert_eq!(replicas::find(&db, table, replica.id).await.unwrap(), None);
        for (written, kept) in [(&replica, &replica), (&older, &replica), (&same, &replica), (&newer, &newer)]
        {
            store(&db, vec![Write::put(table, written.id, written)]).await;
            assert_eq!(replicas::find(&db, table, replica.id).await.unwrap().as_ref(), Some(kept));
        }
    }
    let copy = UserCopy {
        id: new_id(),
        version: 5,
        name: "佐藤".into(),
        role: Role::Manager,
        manager_id: Some(new_id()),
        muted_notifications: NotificationKind::ALL.into(),
        deleted_at: None,
    };
    let past = UserCopy { version: 4, role: Role::Sales, manager_id: None, ..copy.clone() };
    store(&db, vec![Write::put(&USER_COPIES, copy.id, &copy)]).await;
    store(&db, vec![Write::put(&USER_COPIES, past.id, &past)]).await;
    assert_eq!(user_copies(&db).await.unwrap(), [copy]);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_added_up(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (time, who) = (begin(), new_id());
    for value in [1, 2, -1, 40] {
        store(&db, vec![metric_write(quarter(time), who, "logins", value)]).await;
    }
    store(&db, vec![metric_write(quarter(time), who, "meetings_created", i64::MAX)]).await;
    let day =
        ReportDay { date: time.date(), begin: time, end: time.plus(std::time::Duration::from_hours(24)) };
    let days = metrics(&db, Some(who), &[day]).await.unwrap();
    assert_eq!((days[0].logins, days[0].meetings_created, days[0].tasks_completed), (42, i64::MAX, 0));
    assert_eq!(count(&db, "daily_metrics").await, 2);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn cursors_are_made_once_and_keep_their_numbers(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let made = cursors::load(&db, "tests.rows").await.unwrap();
    assert_eq!(made.iter().map(|cursor| cursor.partition).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
    assert!(made.iter().all(|cursor| cursor.position == 0 && cursor.applied == 0));
    let moved = Cursor { position: i64::MAX, applied: i64::MAX, ..made[9].clone() };
    store(&db, vec![moved.moved_from(&made[9])]).await;
    let other = cursors::load(&db, "tests.other").await.unwrap();
    assert_eq!(other[9].position, 0);
    assert_eq!(cursors::load(&db, "tests.rows").await.unwrap()[9], moved);
    assert_eq!(count(&db, "consumer_cursors").await, 32);
}

pub fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Writes the row and reads it back.
async fn keeps<T>(db: &Db, table: &'static Table, id: String, row: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    store(db, vec![Write::put(table, &id, row)]).await;
    let rows: Vec<T> = db.rows(table, Sql::default()).await.unwrap();
    let written = json(row);
    let read = rows.iter().map(json).find(|row| row["id"] == written["id"]);
    assert_eq!(read, Some(written));
}

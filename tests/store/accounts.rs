//! Users and their sessions.

use std::time::Duration;

use domain::session::record::{Session, SessionKind};
use domain::user::record::UserState;
use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::ids::new_id;
use kernel::search::Words;
use kizuna::persistence::auth::{
    SESSIONS, another_admin, has_users, list_users, purge_sessions, user_by_email, user_names,
};
use rstest::rstest;
use store::unit_of_work::Write;

use crate::common::{begin, count, store, user, user_write, walk};
use testing::{Database, Postgres, Sqlite, TestDatabase};

fn with_role(name: &str, role: Role) -> UserState {
    let mut state = user(name);
    state.user.role = role;
    state
}

fn deleted(state: UserState) -> UserState {
    UserState { deleted_at: Some(begin()), ..state }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_live_user_is_found_by_address(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    assert!(!has_users(&db).await.unwrap());
    store(&db, vec![user_write(&deleted(user("same")))]).await;
    assert!(has_users(&db).await.unwrap(), "a deleted one was there too");
    assert!(user_by_email(&db, "same@example.com").await.unwrap().is_none());
    let live = user("same");
    store(&db, vec![user_write(&deleted(user("same"))), user_write(&live)]).await;
    let found = user_by_email(&db, "same@example.com").await.unwrap().unwrap();
    assert_eq!(found.user, live.user);
    for other in ["SAME@example.com", "same@example.co", "%", "", "' OR '1'='1"] {
        assert!(user_by_email(&db, other).await.unwrap().is_none(), "{other}");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_other_admin_is_live_and_another(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (one, two) = (with_role("one", Role::Admin), with_role("two", Role::Admin));
    let gone = deleted(with_role("gone", Role::Admin));
    store(&db, [&one, &gone, &with_role("boss", Role::Manager)].map(user_write).to_vec()).await;
    let other = async |id| another_admin(&db, id).await.unwrap().map(|user| user.id);
    assert_eq!(other(one.user.id).await, None);
    store(&db, vec![user_write(&two)]).await;
    assert_eq!(other(one.user.id).await, Some(two.user.id));
    assert_eq!(other(two.user.id).await, Some(one.user.id));
    assert_eq!(other(new_id()).await, Some(one.user.id));
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_in_the_order_of_their_making(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let mut names = Vec::new();
    for n in 0..12_u64 {
        let role = if n % 3 == 0 { Role::Manager } else { Role::Sales };
        let mut state = with_role(&format!("Ä{n}_"), role);
        state.user.created_at = begin().plus(Duration::from_secs(n / 2));
        store(&db, vec![user_write(&state)]).await;
        names.push(state.user.name);
    }
    store(&db, vec![user_write(&deleted(user("gone")))]).await;
    let ask = async |role, q: Option<&str>| -> Vec<String> {
        let words = Words::parse(q).unwrap();
        let all = walk(5, async |page| list_users(&db, role, &words, false, &page).await).await;
        all.into_iter().map(|user| user.name).collect()
    };
    assert_eq!(ask(None, None).await, names);
    assert_eq!(ask(Some(Role::Manager), None).await, ["Ä0_", "Ä3_", "Ä6_", "Ä9_"]);
    assert_eq!(ask(None, Some("ä1")).await, ["Ä1_", "Ä10_", "Ä11_"]);
    assert_eq!(ask(None, Some("1_@EXAMPLE")).await, ["Ä1_", "Ä11_"]);
    assert_eq!(ask(None, Some("%")).await, [""; 0]);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_many_users_are_read_at_once_also_of_deleted_ones(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let people = [user("ann"), user("bo"), deleted(user("gone"))];
    store(&db, people.iter().map(user_write).collect()).await;
    let ids = [people[0].user.id, people[2].user.id, new_id()];
    let mut names = user_names(&db, &ids).await.unwrap();
    names.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<_> = names.iter().map(|name| (name.id, name.name.as_str(), name.is_deleted)).collect();
    assert_eq!(names, [(ids[0], "ann", false), (ids[1], "gone", true)]);
    assert_eq!(user_names(&db, &[]).await.unwrap(), []);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_ran_out_are_forgotten_a_few_at_a_time(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let session = |seconds| Session {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        user_id: new_id(),
        generation: 1,
        expires_at: begin().plus(Duration::from_secs(seconds)),
        valid_from: Timestamp::from_micros(0),
        revoked_at: None,
        kind: SessionKind::Api,
        address: None,
        agent: None,
    };
    let sessions: Vec<Session> = (0..10).map(session).collect();
    store(&db, sessions.iter().map(|row| Write::put(&SESSIONS, row.id, row)).collect()).await;
    let before = begin().plus(Duration::from_secs(7));
    for purged in [3, 3, 1, 0] {
        assert_eq!(purge_sessions(&db, before, begin(), 3).await.unwrap(), purged);
    }
    assert_eq!(count(&db, "sessions").await, 3);
    for kept in &sessions[7..] {
        assert!(db.row::<Session>(&SESSIONS, kept.id).await.unwrap().is_some());
    }
}

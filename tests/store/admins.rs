//! The last ADMIN, where two nodes make ADMINs less at the same time.

use std::sync::Arc;
use std::time::Duration;

use domain::session::rules::SessionLifetimes;
use domain::user::messages::{ChangeUser, FindUser, LiveUser, RemoveUser, Successors};
use domain::user::passwords::HashCost;
use domain::user::record::UserChanges;
use domain::user::record::UserState;
use kernel::caller::{Caller, Role};
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kizuna::actors::auth::password::Passwords;
use kizuna::actors::auth::rate::Rate;
use kizuna::actors::auth::security::SecurityLog;
use kizuna::actors::auth::service::{AuthService, SessionLimits};
use kizuna::actors::auth::throttle::LoginThrottle;
use kizuna::actors::auth::token::Keys;
use rstest::rstest;
use runtime::service::Local;

use crate::common::{caller, store, user, user_write};
use crate::node::{Fixture, Node, run};
use testing::{Database, Postgres, Sqlite};

/// Auth on a node that knows of another.
fn auth(node: &Node) -> Local<AuthService> {
    let (hour, minute) = (Duration::from_secs(3_600), Duration::from_secs(60));
    node.service(AuthService {
        db: node.db.clone(),
        journal: node.journal.clone(),
        clock: node.clock.clone(),
        keys: Arc::new(Keys::new(b"0123456789abcdef0123456789abcdef")),
        passwords: Passwords::start(1, HashCost::TESTS).expect("a thread"),
        users: node.shared(),
        sessions: node.shared(),
        views: node.shared(),
        api_keys: node.shared(),
        limits: SessionLimits {
            access: minute,
            lifetimes: SessionLifetimes { unused: hour, total: hour },
            per_user: 100,
        },
        throttle: LoginThrottle::new(&node.db, Rate { count: 10, per: minute }, 1),
        security: SecurityLog::new(&node.db, &node.journal, &node.clock),
    })
}

async fn two(fixture: &Fixture, on: Database) -> [Node; 2] {
    let one = fixture.node().await;
    let two = if on == Postgres { fixture.node().await } else { fixture.node_on(one.db.clone()) };
    [one, two]
}

fn context(by: Id) -> Context {
    Context { caller: caller(Role::Admin, by), ..Context::system() }
}

async fn demote(auth: &Local<AuthService>, by: Id, id: Id) -> Result<(), Error> {
    let changes = UserChanges { role: Some(Role::Manager), ..UserChanges::default() };
    auth.ask(ChangeUser { id, changes, context: context(by) }).await.map(drop)
}

async fn remove(auth: &Local<AuthService>, by: Id, id: Id, successor: &UserState) -> Result<(), Error> {
    let successor = &successor.user;
    let successor =
        LiveUser { id: successor.id, version: successor.version, role: successor.role, manager_id: None };
    let successors = Successors { successor, approver: None };
    auth.ask(RemoveUser { id, successors, undoes: None, context: context(by) }).await.map(drop)
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn of_two_admins_who_make_each_other_less_one_stays(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = two(fixture, on).await;
        let [here, there] = nodes.each_ref().map(auth);
        for round in 0..12 {
            let [one, other, successor] =
                ["one", "other", "heir"].map(|name| user(&format!("{name}{round}")));
            let admin = |state: &UserState| {
                let mut state = state.clone();
                state.user.role = Role::Admin;
                state
            };
            let (one, other) = (admin(&one), admin(&other));
            store(&nodes[0].db, [&one, &other, &successor].map(user_write).to_vec()).await;
            let (a, b) = (one.user.id, other.user.id);
            // Both nodes have them in memory.
            here.ask(FindUser { id: a, caller: Caller::system() }).await.unwrap();
            there.ask(FindUser { id: b, caller: Caller::system() }).await.unwrap();
            let (first, second) = if round % 2 == 0 {
                tokio::join!(demote(&here, a, b), demote(&there, b, a))
            } else {
                tokio::join!(remove(&here, a, b, &successor), demote(&there, b, a))
            };
            let lost = [&first, &second].into_iter().filter_map(|answer| answer.as_ref().err());
            let codes: Vec<ErrorCode> = lost.map(|error| error.code).collect();
            assert_eq!(codes, [ErrorCode::LastAdmin], "round {round}: {first:?}, {second:?}");
            // The one who stayed makes room for the next round.
            let left = if first.is_ok() { &one } else { &other };
            let mut gone = left.clone();
            gone.deleted_at = Some(fixture.clock.now());
            gone.user.version += 1;
            store(&nodes[0].db, vec![user_write(&gone)]).await;
        }
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_admin_s_other_change_meanwhile_refuses_nothing(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = two(fixture, on).await;
        let [here, there] = nodes.each_ref().map(auth);
        let mut people = ["one", "other", "third"].map(user);
        people.iter_mut().for_each(|state| state.user.role = Role::Admin);
        store(&nodes[0].db, people.iter().map(user_write).collect()).await;
        let [a, b, c] = people.each_ref().map(|state| state.user.id);
        let rename = async |n: usize| {
            let changes = UserChanges { name: Some(format!("name {n}")), ..UserChanges::default() };
            there.ask(ChangeUser { id: a, changes, context: context(a) }).await.map(drop)
        };
        let (demoted, renamed) = tokio::join!(demote(&here, a, b), rename(1));
        demoted.unwrap();
        renamed.unwrap();
        demote(&there, a, c).await.unwrap();
        assert_eq!(demote(&here, b, a).await.unwrap_err().code, ErrorCode::LastAdmin);
    });
}

//! Deletions under `kill -9` at every commit boundary of their sagas, and again during the recovery (SPEC §8.5).

use std::os::unix::process::ExitStatusExt;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::fixture::{Fixture, Known, SOON};
use testing::app::{ADMIN, PASSWORD};
use testing::promises;
use testing::{Api, Database, Member, Postgres, Sqlite, Template};

const BOUNDARIES: [&str; 4] =
    ["journal.before_commit", "journal.after_commit", "feed.before_effect", "feed.after_effect"];
const SIGKILL: i32 = 9;
/// More commits than any of these sagas has, to bound the loop.
const VISITS_MAX: u32 = 60;

/// A fixture with records to hand over, and the user or customer to delete.
struct Estate {
    template: Template,
    admin: Known,
    user: String,
    customer: String,
    /// What the previews of both deletions say: steps and their counts.
    foreseen: [Value; 2],
}

impl Estate {
    /// Made once for each kind of database.
    async fn on(on: Database) -> &'static Self {
        static ESTATES: [OnceCell<Estate>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
        ESTATES[usize::from(on == Sqlite)].get_or_init(|| Self::make(on)).await
    }

    async fn make(on: Database) -> Self {
        let fixture = Fixture::fresh(on);
        let mut server = fixture.launch().start().await;
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        let manager = admin.hire("MANAGER", "manager", None).await;
        let sales = admin.hire("SALES", "sales", Some(&manager)).await;
        let customer = sales.customer("絆商事").await.id();
        let other = sales.customer("青空商事").await.id();
        for (n, customer) in [&customer, &customer, &other].into_iter().enumerate() {
            sales.meeting(customer, "訪問").await;
            sales.approval(customer, &format!("値引き {n}")).await;
            let task = json!({"title": format!("電話 {n}"), "due_at": "2036-03-01T10:00:00Z", "customer_id": customer});
            sales.post("/api/tasks", task).await.expect(201);
        }
        fixture.eventually(promises::kept).await;
        let mut foreseen = [Value::Null, Value::Null];
        for deletion in [Deletion::User, Deletion::Customer] {
            let path = deletion.path(&sales.id, &customer);
            let preview = admin.get(&format!("{path}/deletion-preview")).await.expect(200);
            foreseen[deletion as usize] = counts(&preview.body["steps"]);
        }
        assert!(server.terminate().await.success(), "{}", server.output());
        let (admin, user) = (Known::new(&admin), sales.id.clone());
        Self { template: fixture.database.into_template(), admin, user, customer, foreseen }
    }

    fn fixture(&self) -> Fixture {
        Fixture { database: self.template.copy() }
    }
}

#[derive(Clone, Copy, Debug)]
enum Deletion {
    User,
    Customer,
}

impl Deletion {
    fn path(self, user: &str, customer: &str) -> String {
        match self {
            Self::User => format!("/api/auth/users/{user}"),
            Self::Customer => format!("/api/customers/{customer}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_deletion_ends_as_foreseen_whatever_the_moments_of_kill_9(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Deletion::User, Deletion::Customer)] deletion: Deletion,
    #[values(0, 1, 2, 3)] boundary: usize,
) {
    let estate = Estate::on(on).await;
    let path = deletion.path(&estate.user, &estate.customer);
    let foreseen = &estate.foreseen[deletion as usize];
    let mut kills = 0;
    for visit in 1..VISITS_MAX {
        let fixture = estate.fixture();
        let died =
            delete_under(&fixture, estate, &path, &format!("{}=kill@{visit}", BOUNDARIES[boundary])).await;
        kills += u32::from(died);
        if died {
            // The recovery is killed, too, at another commit each time.
            let again = format!("{}=kill@{}", BOUNDARIES[(boundary + visit as usize) % 4], 1 + visit % 3);
            delete_under(&fixture, estate, &path, &again).await;
        }
        assert_eq!(outcome(&fixture, estate, &path).await, *foreseen, "visit {visit}");
        if !died {
            assert!(kills >= 5, "only {kills} kills: the boundary is passed more often than that");
            return;
        }
    }
    panic!("{VISITS_MAX} visits of {} were not enough", BOUNDARIES[boundary]);
}

/// The steps of a preview or a saga, and their counts.
fn counts(steps: &Value) -> Value {
    steps.as_array().expect("steps").iter().map(|step| json!([step["name"], step["counts"]])).collect()
}

/// Starts a server that is killed at a commit, and sends the deletion; returns true if the server died.
async fn delete_under(fixture: &Fixture, estate: &Estate, path: &str, moment: &str) -> bool {
    let mut server = fixture.armed(moment).spawn();
    if server.serves().await {
        let deletion = estate.admin.at(&server).attempt(Method::DELETE, path, None).await;
        let answered = deletion.is_ok_and(|answer| matches!(answer.status, 200 | 404 | 503));
        // The saga goes on by itself: either it ends, or the server does.
        if answered && !fixture.dies_or_rests(&mut server).await {
            server.kill_9();
            return false;
        }
    }
    let ended = server.wait_exit(SOON).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment}:\n{}", server.output());
    true
}

/// Lets the saga end on a server that is not killed; checks every promise and the counts of the saga.
async fn outcome(fixture: &Fixture, estate: &Estate, path: &str) -> Value {
    let mut server = fixture.launch().start().await;
    let admin = estate.admin.at(&server);
    // The kill may have come before the deletion.
    let deletion = admin.delete(path).await;
    assert!(matches!(deletion.status, 200 | 404), "{deletion}");
    fixture.eventually(promises::kept).await;
    let sagas = admin.get("/api/sagas").await.expect(200);
    assert_eq!(sagas.items().len(), 1, "one deletion is one saga: {sagas}");
    server.kill_9();
    counts(&sagas.items()[0]["steps"])
}

//! Deletions under `kill -9` at every commit boundary of their sagas, and again during the recovery (SPEC §8.5).

use std::os::unix::process::ExitStatusExt;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::fixture::{Fixture, Known, SOON};
use testing::app::{ADMIN, PASSWORD};
use testing::promises;
use testing::{Api, Database, Member, Postgres, Sqlite, Template, eventually};

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
        let (admin, user) = (Known::new(&admin), sales.id.clone());
        fixture.eventually(promises::kept).await;
        assert!(server.terminate().await.success(), "{}", server.output());
        Self { template: fixture.database.into_template(), admin, user, customer }
    }

    fn fixture(&self) -> Fixture {
        Fixture { database: self.template.copy() }
    }

    fn path(&self, deletion: Deletion) -> String {
        match deletion {
            Deletion::User => format!("/api/auth/users/{}", self.user),
            Deletion::Customer => format!("/api/customers/{}", self.customer),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Deletion {
    User,
    Customer,
}

#[rstest]
#[tokio::test]
async fn a_deletion_ends_as_foreseen_whatever_the_moments_of_kill_9(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Deletion::User, Deletion::Customer)] deletion: Deletion,
    #[values(0, 1, 2, 3)] boundary: usize,
) {
    let estate = Estate::on(on).await;
    let path = estate.path(deletion);
    let mut kills = 0;
    for visit in 1..VISITS_MAX {
        let fixture = estate.fixture();
        let foreseen = foreseen(&fixture, estate, &path).await;
        let died =
            delete_under(&fixture, estate, &path, &format!("{}=kill@{visit}", BOUNDARIES[boundary])).await;
        kills += u32::from(died);
        if died {
            // The recovery is killed, too, at another commit each time.
            let again = format!("{}=kill@{}", BOUNDARIES[(boundary + visit as usize) % 4], 1 + visit % 3);
            delete_under(&fixture, estate, &path, &again).await;
        }
        assert_eq!(outcome(&fixture, estate, &path).await, foreseen, "visit {visit}");
        if !died {
            assert!(kills >= 5, "only {kills} kills: the boundary is passed more often than that");
            return;
        }
    }
    panic!("{VISITS_MAX} visits of {} were not enough", BOUNDARIES[boundary]);
}

/// The steps and their counts, as the preview has them.
async fn foreseen(fixture: &Fixture, estate: &Estate, path: &str) -> Value {
    let mut server = fixture.launch().start().await;
    let preview = estate.admin.at(&server).get(&format!("{path}/deletion-preview")).await.expect(200);
    server.kill_9();
    counts(&preview.body["steps"])
}

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
        if answered && !dies_or_rests(fixture, &mut server).await {
            server.kill_9();
            return false;
        }
    }
    let ended = server.wait_exit(SOON).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment}:\n{}", server.output());
    true
}

/// Waits until the server is dead (true), or all its effects are done (false).
async fn dies_or_rests(fixture: &Fixture, server: &mut testing::Kizuna) -> bool {
    for _ in 0..500 {
        if !server.is_running() {
            return true;
        }
        if fixture.look(promises::kept).await.is_ok() {
            return !server.is_running();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("neither dead nor done:\n{}", server.output());
}

/// Lets the saga end on a server that is not killed; checks every promise and the counts of the saga.
async fn outcome(fixture: &Fixture, estate: &Estate, path: &str) -> Value {
    let mut server = fixture.launch().start().await;
    let admin = estate.admin.at(&server);
    // The kill may have come before the deletion.
    let deletion = admin.delete(path).await;
    assert!(matches!(deletion.status, 200 | 404), "{deletion}");
    eventually(SOON, async || fixture.look(promises::kept).await).await;
    let sagas = admin.get("/api/sagas").await.expect(200);
    assert_eq!(sagas.items().len(), 1, "one deletion is one saga: {sagas}");
    server.kill_9();
    counts(&sagas.items()[0]["steps"])
}

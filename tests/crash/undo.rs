//! Merges and undos under `kill -9` at every commit boundary of their sagas, and again during the recovery (SPEC §8.5).

use std::os::unix::process::ExitStatusExt;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::fixture::{Fixture, Known, SOON};
use testing::app::{ADMIN, PASSWORD};
use testing::promises;
use testing::upload::{form, send};
use testing::{Answer, Api, Database, Kizuna, Member, Postgres, Sqlite, Template};

const BOUNDARIES: [&str; 4] =
    ["journal.before_commit", "journal.after_commit", "feed.before_effect", "feed.after_effect"];
const SIGKILL: i32 = 9;
/// More commits than any of these sagas has, to bound the loop.
const VISITS_MAX: u32 = 80;

/// What is done under kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Merge,
    UndoMerge,
    UndoCustomerDeletion,
    UndoUserDeletion,
    UndoBulk,
    UndoImport,
}

const ACTS: [Act; 6] = [
    Act::Merge,
    Act::UndoMerge,
    Act::UndoCustomerDeletion,
    Act::UndoUserDeletion,
    Act::UndoBulk,
    Act::UndoImport,
];

/// A fixture in which an act is about to begin: where it is asked for, and what its preview says.
struct Scene {
    template: Template,
    admin: Known,
    path: String,
    body: Value,
    foreseen: Value,
}

impl Scene {
    /// Made once for each kind of database and act.
    async fn of(on: Database, act: Act) -> &'static Self {
        static SCENES: [OnceCell<Scene>; 12] = [const { OnceCell::const_new() }; 12];
        let place = ACTS.iter().position(|one| *one == act).expect("an act") * 2 + usize::from(on == Sqlite);
        SCENES[place].get_or_init(|| Self::make(on, act)).await
    }

    async fn make(on: Database, act: Act) -> Self {
        let fixture = Fixture::fresh(on);
        let mut server = fixture.launch().start().await;
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        let manager = admin.hire("MANAGER", "manager", None).await;
        let sales = admin.hire("SALES", "sales", Some(&manager)).await;
        admin.hire("SALES", "heir", Some(&manager)).await;
        let (one, other) = (sales.customer("絆商事").await.id(), sales.customer("青空商事").await.id());
        for (n, customer) in [&one, &other].into_iter().enumerate() {
            sales.meeting(customer, &format!("訪問 {n}")).await;
            sales.approval(customer, &format!("値引き {n}")).await;
            sales.deal(customer, &format!("契約 {n}")).await;
            let task = json!({"title": format!("電話 {n}"), "due_at": "2036-03-01T10:00:00Z", "customer_id": customer});
            sales.post("/api/tasks", task).await.expect(201);
        }
        fixture.eventually(promises::kept).await;
        let merge = format!("/api/customers/{one}/merge");
        let (path, body, foreseen) = match act {
            Act::Merge => {
                let preview = admin.get(&format!("{merge}-preview?other_id={other}")).await.expect(200);
                (merge, json!({"other_id": other}), preview.body["counts"].clone())
            }
            _ => {
                let done = match act {
                    Act::UndoCustomerDeletion => admin.delete(&format!("/api/customers/{one}")).await,
                    Act::UndoUserDeletion => admin.delete(&format!("/api/auth/users/{}", sales.id)).await,
                    Act::UndoBulk => {
                        let change = json!({"ids": [one, other], "change": {"status": "DORMANT"}});
                        admin.post("/api/customers/bulk", change).await
                    }
                    Act::UndoImport => import(&admin).await,
                    _ => admin.post(&merge, json!({"other_id": other})).await,
                };
                fixture.eventually(promises::kept).await;
                let saga = done.text_at("/saga/href");
                let preview = admin.get(&format!("{saga}/undo-preview")).await.expect(200);
                assert_eq!(preview.body["left_count"], json!(0), "{preview}");
                (format!("{saga}/undo"), json!({}), preview.body["counts"].clone())
            }
        };
        assert!(server.terminate().await.success(), "{}", server.output());
        let admin = Known::new(&admin);
        Self {
            template: fixture.database.into_template(),
            admin,
            path,
            body,
            foreseen: above_zero(&foreseen),
        }
    }

    /// Asks for the act under one key, so that it is begun once.
    async fn ask(&self, server: &Kizuna) -> reqwest::Result<Answer> {
        let api = self.admin.at(server).idempotency_key("once");
        api.attempt(Method::POST, &self.path, Some(self.body.clone())).await
    }
}

/// Imports two customers; the answer to the commit.
async fn import(by: &Member) -> Answer {
    let file = "name,email\n取込 一,i1@example.com\n取込 二,i2@example.com\n";
    let form = form(&[("kind", "customers")], "a.csv", file.as_bytes());
    let import = send(by, "/api/imports", form).await.expect(201).id();
    by.post(&format!("/api/imports/{import}/commit"), json!({})).await
}

fn above_zero(counts: &Value) -> Value {
    let counts = counts.as_object().expect("counts").iter();
    counts.filter(|(_, n)| **n != json!(0)).map(|(kind, n)| (kind.clone(), n.clone())).collect()
}

/// The sums of a saga's steps by kind.
fn counts(saga: &Value) -> Value {
    let mut sums = serde_json::Map::new();
    for step in saga["steps"].as_array().expect("steps") {
        for (kind, count) in step["counts"].as_object().expect("counts") {
            let sum = sums.get(kind).and_then(Value::as_i64).unwrap_or(0) + count.as_i64().expect("a number");
            sums.insert(kind.clone(), json!(sum));
        }
    }
    above_zero(&Value::Object(sums))
}

#[rstest]
#[tokio::test]
async fn a_merge_or_an_undo_ends_as_foreseen_whatever_the_moments_of_kill_9(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(
        Act::Merge,
        Act::UndoMerge,
        Act::UndoCustomerDeletion,
        Act::UndoUserDeletion,
        Act::UndoBulk,
        Act::UndoImport
    )]
    act: Act,
    #[values(0, 1, 2, 3)] boundary: usize,
) {
    let scene = Scene::of(on, act).await;
    let mut kills = 0;
    for visit in 1..VISITS_MAX {
        let fixture = Fixture { database: scene.template.copy() };
        let died = act_under(&fixture, scene, &format!("{}=kill@{visit}", BOUNDARIES[boundary])).await;
        kills += u32::from(died);
        if died {
            // The recovery is killed, too, at another commit each time.
            let again = format!("{}=kill@{}", BOUNDARIES[(boundary + visit as usize) % 4], 1 + visit % 3);
            act_under(&fixture, scene, &again).await;
        }
        let saga = outcome(&fixture, scene).await;
        assert_eq!(counts(&saga), scene.foreseen, "{act:?}, visit {visit}: {saga}");
        if !died {
            assert!(kills >= 2, "only {kills} kills: the boundary is passed more often than that");
            return;
        }
    }
    panic!("{VISITS_MAX} visits of {} were not enough", BOUNDARIES[boundary]);
}

/// Starts a server that is killed at a commit, and asks for the act; returns true if the server died.
async fn act_under(fixture: &Fixture, scene: &Scene, moment: &str) -> bool {
    let mut server = fixture.armed(moment).spawn();
    if server.serves().await {
        let asked = scene.ask(&server).await;
        let answered = asked.is_ok_and(|answer| matches!(answer.status, 202 | 409 | 503));
        if answered && !fixture.dies_or_rests(&mut server).await {
            server.kill_9();
            return false;
        }
    }
    let ended = server.wait_exit(SOON).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment}:\n{}", server.output());
    true
}

/// Lets the saga end on a server that is not killed; checks every promise.
async fn outcome(fixture: &Fixture, scene: &Scene) -> Value {
    let mut server = fixture.launch().start().await;
    // The kill may have come before the request.
    let asked = scene.ask(&server).await.expect("an answer").expect(202);
    fixture.eventually(promises::kept).await;
    let saga = scene.admin.at(&server).get(&asked.text_at("/saga/href")).await.expect(200).body;
    assert_eq!(saga["status"], json!("completed"), "{saga}");
    server.kill_9();
    saga
}

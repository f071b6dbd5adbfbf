//! An import under `kill -9` at every commit boundary of its saga, and again during the recovery (SPEC §8.5).

use std::os::unix::process::ExitStatusExt;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use store::sql::Sql;
use tokio::sync::OnceCell;

use crate::fixture::{Fixture, Known, SOON};
use testing::app::{ADMIN, PASSWORD};
use testing::promises;
use testing::upload::{form, send};
use testing::{Api, Database, Kizuna, Member, Postgres, Sqlite, Template, eventually};

const BOUNDARIES: [&str; 4] =
    ["journal.before_commit", "journal.after_commit", "feed.before_effect", "feed.after_effect"];
const SIGKILL: i32 = 9;
/// At which visits the server is killed: through both batches.
const VISITS: [u32; 7] = [1, 2, 3, 5, 8, 12, 17];
/// More than a batch has: new ones, and some that are there already.
const NEW: usize = 205;
const KNOWN: usize = 5;

/// A fixture with an import that is previewed.
struct Estate {
    template: Template,
    manager: Known,
    path: String,
}

impl Estate {
    async fn on(on: Database) -> &'static Self {
        static ESTATES: [OnceCell<Estate>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
        ESTATES[usize::from(on == Sqlite)].get_or_init(|| Self::make(on)).await
    }

    async fn make(on: Database) -> Self {
        let fixture = Fixture::fresh(on);
        let mut server = fixture.launch().start().await;
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        // Each new customer is a notification to the manager of its owner, so the one who imports has one.
        let director = admin.hire("MANAGER", "director", None).await;
        let manager = admin.hire("MANAGER", "manager", Some(&director)).await;
        let mut file = "id,name,email,company\n".to_owned();
        for n in 0..KNOWN {
            manager
                .create_customer(json!({"name": format!("K{n}"), "email": format!("k{n}@example.com")}))
                .await;
            file.push_str(&format!(",K{n},k{n}@example.com,青空\n"));
        }
        (0..NEW).for_each(|n| file.push_str(&format!("{n},N{n},n{n}@example.com,青空\n")));
        let fields = [("kind", "customers"), ("match_on", "email")];
        let import =
            send(&manager, "/api/imports", form(&fields, "a.csv", file.as_bytes())).await.expect(201);
        assert_eq!(import.body["counts"], json!({"new": NEW, "changed": KNOWN, "same": 0, "wrong": 0}));
        rest(&fixture).await;
        assert!(server.terminate().await.success(), "{}", server.output());
        let (manager, path) = (Known::new(&manager), format!("/api/imports/{}", import.id()));
        Self { template: fixture.database.into_template(), manager, path }
    }
}

#[rstest]
#[tokio::test]
async fn each_row_is_imported_once_whatever_the_moments_of_kill_9(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(0, 1, 2, 3)] boundary: usize,
) {
    let estate = Estate::on(on).await;
    let mut kills = 0;
    for visit in VISITS {
        let fixture = Fixture { database: estate.template.copy() };
        let died = import_under(&fixture, estate, &format!("{}=kill@{visit}", BOUNDARIES[boundary])).await;
        kills += u32::from(died);
        if died {
            let again = format!("{}=kill@{}", BOUNDARIES[(boundary + 1) % 4], 1 + visit % 4);
            import_under(&fixture, estate, &again).await;
        }
        check(&fixture, estate, visit).await;
    }
    assert!(kills >= 2, "only {kills} kills");
}

/// Waits until the effects of all events are there.
async fn rest(fixture: &Fixture) {
    fixture.look(async |db| eventually(12 * SOON, || promises::kept(db)).await).await;
}

/// Asks for the commit under one key, so that it is begun once.
async fn ask(server: &Kizuna, estate: &Estate) -> reqwest::Result<testing::Answer> {
    let api = estate.manager.at(server).idempotency_key("all");
    api.attempt(Method::POST, &format!("{}/commit", estate.path), None).await
}

/// Starts a server that is killed at a commit, and asks for the import; returns true if the server died.
async fn import_under(fixture: &Fixture, estate: &Estate, moment: &str) -> bool {
    let mut server = fixture.armed(moment).spawn();
    if server.serves().await {
        let answered = ask(&server, estate).await.is_ok_and(|answer| matches!(answer.status, 202 | 503));
        if answered && !fixture.dies_or_rests(&mut server).await {
            server.kill_9();
            return false;
        }
    }
    let ended = server.wait_exit(8 * SOON).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment}:\n{}", server.output());
    true
}

/// Lets the saga end on a server that is not killed; each row was imported once, as the preview said.
async fn check(fixture: &Fixture, estate: &Estate, visit: u32) {
    let mut server = fixture.launch().start().await;
    // The kill may have come before the request.
    let answer = ask(&server, estate).await.expect("an answer").expect(202);
    rest(fixture).await;
    let manager = estate.manager.at(&server);
    let saga = manager.get(&answer.text_at("/saga/href")).await.expect(200).body;
    let bulk = &saga["bulk"];
    assert_eq!(
        (&saga["status"], &bulk["changed"], &bulk["refused"]),
        (&json!("completed"), &json!(NEW + KNOWN), &json!(0)),
        "visit {visit}"
    );
    assert_eq!(manager.get(&estate.path).await.expect(200).body["status"], "committed", "visit {visit}");
    let number =
        async |sql: &'static str| fixture.look(async |db| db.number(Sql::new(sql)).await.unwrap()).await;
    for (sql, wanted) in [
        ("SELECT CAST(count(*) AS TEXT) FROM customers", NEW + KNOWN),
        ("SELECT CAST(count(*) AS TEXT) FROM events WHERE type = 'customer.created'", NEW + KNOWN),
        ("SELECT CAST(count(*) AS TEXT) FROM events WHERE type = 'customer.updated'", KNOWN),
        ("SELECT CAST(count(*) AS TEXT) FROM customer_batch_items", NEW + KNOWN),
        ("SELECT CAST(count(*) AS TEXT) FROM customer_external_ids", NEW),
        ("SELECT CAST(count(*) AS TEXT) FROM events WHERE type = 'import.committed'", 1),
        ("SELECT CAST(count(*) AS TEXT) FROM sagas", 1),
    ] {
        assert_eq!(number(sql).await, wanted as i64, "visit {visit}: {sql}");
    }
    server.kill_9();
}

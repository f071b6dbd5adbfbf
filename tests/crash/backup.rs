//! `kizuna backup` and `kizuna restore` (SPEC §9): a copy of one moment, beside a server under load.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use rstest::rstest;
use serde_json::{Value, json};
use store::Db;
use store::backup::file::{BackupReader, BackupWriter, FORMAT, Header, Line, TableLine};
use store::log;
use store::sql::Sql;
use tempfile::TempDir;

use crate::client::Client;
use crate::fixture::{Fixture, Staff, run};
use kizuna::app::consumers::CONSUMERS;
use kizuna::persistence::backups::CONTENTS;
use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::live_client::{Client as Socket, cursor_of};
use testing::{Api, Database, Kizuna, Member, Postgres, Sqlite, promises};

const BOUNDARY: &str = "kizuna-test-boundary";

fn folder() -> TempDir {
    TempDir::with_prefix("kizuna-backup.").expect("a folder")
}

fn backup(from: &Fixture, file: &Path, more: &[&str]) -> Output {
    let file = file.to_str().expect("text");
    run(&[&["backup", file, "--database-url", &from.database.url], more].concat(), &[])
}

fn restore(file: &Path, to: &Fixture) -> Output {
    run(&["restore", file.to_str().expect("text"), "--database-url", &to.database.url], &[])
}

#[track_caller]
fn success(output: Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The one line that a command ends with when it fails.
#[track_caller]
fn complaint(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.lines().count() == 1, "{}: {said}", output.status);
    assert!(output.stdout.is_empty());
    said
}

fn open(file: &Path) -> BackupReader<File> {
    BackupReader::new(File::open(file).expect("a file")).expect("a backup")
}

/// The rows of each table of a backup, without the columns of one kind of database.
fn rows(file: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut reader = open(file);
    let (mut all, mut table) = (BTreeMap::new(), None);
    while let Some(line) = reader.next_line().expect("a line") {
        match line {
            Line::Table(line) => {
                all.insert(line.table.clone(), BTreeSet::new());
                table = Some(line);
            }
            Line::Row(row) => {
                let TableLine { table, columns } = table.as_ref().expect("a table before its rows");
                let values: Vec<Value> = serde_json::from_str(&row).expect("an array");
                let own = |name: &str| !CONTENTS.of_one_kind.contains(&format!("{table}.{name}").as_str());
                let named = columns.iter().zip(values).filter(|(name, _)| own(name));
                let named = json!(named.collect::<BTreeMap<_, _>>()).to_string();
                all.get_mut(table).expect("its table").insert(named);
            }
        }
    }
    all
}

/// What stands beside records and is not in their tables.
struct Extras {
    customer: String,
    attachment: String,
    saga: String,
}

async fn extras(server: &Kizuna, staff: &Staff) -> Extras {
    let sales = staff.sales.at(server);
    let customer = format!("/api/customers/{}", staff.customer);
    sales.post(&format!("{customer}/comments"), json!({"text": "先方は来月から"})).await.expect(201);
    let form = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"見積.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{CONTENT}\r\n--{BOUNDARY}--\r\n"
    );
    let by = sales.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    let attachment = by.raw("POST", &format!("{customer}/attachments"), form).await.expect(201).id();
    let view = json!({"list": "customers", "name": "見込み", "filter": {"status": "LEAD"}});
    sales.post("/api/auth/me/views", view).await.expect(201);
    let deal = json!({"customer_id": staff.customer, "title": "更新", "amount": 5_000_000});
    let deal = sales.post("/api/deals", deal).await.expect(201).id();
    sales.patch(&format!("/api/deals/{deal}"), json!({"stage": "WON"})).await.expect(200);
    let gone = sales.post("/api/customers", json!({"name": "去る会社"})).await.expect(201).id();
    let deleted = sales.delete(&format!("/api/customers/{gone}")).await.expect(200);
    Extras { customer, attachment, saga: deleted.text_at("/saga/id") }
}

const CONTENT: &str = "品名,金額\r\n保守,1200\r\n";

/// Reads everything of [`extras`] back by the API.
async fn read_back(server: &Kizuna, extras: &Extras) {
    let sales = Member::sign_in(&Api::new(server.base_url()), "sales@example.com", PASSWORD).await;
    let Extras { customer, attachment, saga } = extras;
    let comments = sales.get(&format!("{customer}/comments")).await.expect(200);
    assert_eq!(comments.text_at("/0/text"), "先方は来月から");
    let content = format!("{}{customer}/attachments/{attachment}/content", server.base_url());
    let content = reqwest::Client::builder().no_proxy().build().expect("a client").get(content);
    let content =
        content.bearer_auth(sales.access_token().expect("a token")).send().await.expect("an answer");
    assert_eq!(content.text().await.expect("a body"), CONTENT);
    assert_eq!(sales.get("/api/auth/me/views").await.expect(200).text_at("/0/name"), "見込み");
    let deals = sales.get("/api/deals?stage=WON&count=true&q=更新").await.expect(200);
    assert_eq!((deals.header("x-total-count"), deals.items().len()), (Some("1"), 1));
    let manager = Member::sign_in(&Api::new(server.base_url()), "manager@example.com", PASSWORD).await;
    let saga = manager.get(&format!("/api/sagas/{saga}")).await.expect(200);
    assert_eq!(saga.text_at("/kind"), "customer_deletion");
    let found = manager.get("/api/customers?q=絆&count=true").await.expect(200);
    let total: usize = found.header("x-total-count").and_then(|text| text.parse().ok()).expect("a count");
    assert!(total > 1 && found.text_at("/0/name") != "去る会社", "{found}");
}

/// Rows without their events, and events without their rows: what half a commit would leave.
async fn halves(db: &Db) -> i64 {
    const HALVES: [&str; 3] = [
        "SELECT c.id FROM customers AS c LEFT JOIN events AS e ON e.subject = c.id AND e.sequence = c.version WHERE e.id IS NULL",
        "SELECT e.id FROM events AS e LEFT JOIN customers AS c ON c.id = e.subject AND c.version >= e.sequence \
         WHERE e.type IN ('customer.created', 'customer.updated') AND c.id IS NULL",
        "SELECT 1 AS id FROM log_head WHERE last_seq <> (SELECT count(*) FROM events)",
    ];
    let mut found = 0;
    for half in HALVES {
        found += db
            .number(Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM ({half}) AS h")))
            .await
            .expect("a count");
    }
    found
}

#[rstest]
#[case(Sqlite, Sqlite)]
#[case(Postgres, Postgres)]
#[case(Sqlite, Postgres)]
#[case(Postgres, Sqlite)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_a_server_that_writes_is_one_moment_and_restores_whole(
    #[case] from: Database,
    #[case] to: Database,
) {
    let (fixture, staff) = Fixture::copied(from).await;
    let server = fixture.launch().start().await;
    let extras = extras(&server, staff).await;
    let folder = folder();
    let file = folder.path().join("kizuna.backup");
    let (mut one, mut two) = (Client::new("one", false), Client::new("two", false));
    let (first, second) = (staff.sales.at(&server), staff.admin.at(&server));
    let mut taken = Vec::new();
    for n in 0..3 {
        // Writes go on while it is made.
        let (url, file) = (fixture.database.url.clone(), folder.path().join(format!("{n}.backup")));
        let path = file.to_str().expect("text").to_owned();
        let backup =
            tokio::task::spawn_blocking(move || run(&["backup", &path, "--database-url", &url], &[]));
        tokio::select! {
            () = one.work(&first) => panic!("the server ended: {}", server.output()),
            () = two.work(&second) => panic!("the server ended: {}", server.output()),
            done = backup => taken.push((success(done.expect("no panic")), file)),
        }
    }
    let (said, last) = taken.pop().expect("a backup");
    std::fs::rename(last, &file).expect("a file");
    let header = open(&file).header().clone();
    assert!(said.contains(&format!("up to event {} of ", header.log_seq)), "{said}");
    assert!(header.log_seq > open(&taken[0].1).header().log_seq, "writes went on between them");
    let (_, before) = Socket::at(&first, "/api/ws").await;
    drop(server);

    let restored = Fixture::fresh(to);
    let said = success(restore(&file, &restored));
    let at = header.last_event_at.expect("an event");
    assert!(said.ends_with(&format!("up to event {} of {at}\n", header.log_seq)), "{said}");
    assert_eq!(said.lines().count(), CONSUMERS.len() + 2, "{said}");
    for line in said.lines().skip(1).take_while(|line| !line.starts_with("restored")) {
        let last: Vec<_> = line.split_whitespace().rev().take(3).collect();
        assert_eq!(last, ["0", "0", "0"], "{line}");
    }
    assert_eq!(restored.look(halves).await, 0);
    assert_eq!(restored.look(async |db| log::head(db).await.expect("a head")).await, header.log_seq);

    let server = restored.launch().start().await;
    restored.eventually(promises::kept).await;
    read_back(&server, &extras).await;
    resets(&server, staff, &before).await;
    let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
    crate::fixture::everything_takes_effect(&admin).await;
    admin.customer("その後").await;
    restored.eventually(promises::kept).await;
}

/// A cursor of before is unknown, also when the log is as long as it was; a session of before has ended.
async fn resets(server: &Kizuna, staff: &Staff, before: &str) {
    staff.sales.at(server).get("/api/auth/me").await.expect_problem(401, "session_ended");
    let sales = Member::sign_in(&Api::new(server.base_url()), "sales@example.com", PASSWORD).await;
    let (_, now) = Socket::at(&sales, "/api/ws").await;
    for cursor in [before, &now] {
        let (mut socket, _) = Socket::at(&sales, &format!("/api/ws?cursor={cursor}")).await;
        if cursor == now {
            socket.assert_quiet().await;
        } else {
            let reset = socket.next("reset").await;
            socket.say(json!({"type": "resume", "cursor": cursor_of(&reset)})).await;
            socket.assert_quiet().await;
        }
    }
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let stream = client.get(format!("{}/api/stream", server.base_url())).header("last-event-id", before);
    let stream = stream.bearer_auth(sales.access_token().expect("a token")).send().await;
    let (mut stream, mut text) = (stream.expect("an answer"), String::new());
    while !text.contains("event: reset") {
        let chunk = stream.chunk().await.expect("a chunk").expect("no end");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[rstest]
#[case(Sqlite, Sqlite)]
#[case(Postgres, Postgres)]
#[case(Sqlite, Postgres)]
#[case(Postgres, Sqlite)]
#[tokio::test]
async fn every_row_comes_back_as_it_was(#[case] from: Database, #[case] to: Database) {
    let (fixture, staff) = Fixture::copied(from).await;
    let mut server = fixture.launch().start().await;
    extras(&server, staff).await;
    fixture.eventually(promises::kept).await;
    assert!(server.terminate().await.success());
    let folder = folder();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    success(backup(&fixture, &one, &[]));
    let restored = Fixture::fresh(to);
    success(restore(&one, &restored));
    success(backup(&restored, &two, &[]));
    let (before, after) = (rows(&one), rows(&two));
    assert!(before["events"].len() > 20 && before["attachment_parts"].len() == 1, "{:?}", before.keys());
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (table, rows) in &before {
        assert_eq!(&after[table], rows, "{table}");
    }
}

#[tokio::test]
async fn a_backup_of_either_kind_has_the_same_tables_and_columns() {
    let folder = folder();
    let tables = async |on| {
        let fixture = Fixture::fresh(on);
        success(run(&["migrate", "--database-url", &fixture.database.url], &[]));
        let file = folder.path().join(format!("{on:?}"));
        success(backup(&fixture, &file, &[]));
        let mut reader = open(&file);
        let mut tables = BTreeMap::new();
        while let Some(line) = reader.next_line().expect("a line") {
            if let Line::Table(TableLine { table, columns }) = line {
                let own = |name: &String| !CONTENTS.of_one_kind.contains(&format!("{table}.{name}").as_str());
                tables.insert(table.clone(), columns.into_iter().filter(own).collect::<BTreeSet<_>>());
            }
        }
        tables
    };
    let (sqlite, postgres) = (tables(Sqlite).await, tables(Postgres).await);
    assert_eq!(sqlite, postgres, "a table of one kind of database is left out, or a column named");
    assert!(sqlite.len() > 30 && !sqlite.contains_key("sessions"), "{sqlite:?}");
}

#[rstest]
#[tokio::test]
async fn a_backup_of_an_older_schema_is_brought_up_to_date(#[values(Sqlite, Postgres)] on: Database) {
    let old = Fixture::fresh(on);
    let versions: Vec<i64> = (1..=30).collect();
    old.look(async |db| db.migrate_to(&versions).await.expect("a schema")).await;
    let kept = "('kept', 7, '2026-01-02T03:04:05.678901Z')";
    old.database.raw(&format!("INSERT INTO schedules (id, version, last_occurrence) VALUES {kept}")).await;
    let folder = folder();
    let file = folder.path().join("old.backup");
    success(backup(&old, &file, &[]));
    let restored = Fixture::fresh(on);
    let said = success(restore(&file, &restored));
    assert!(said.contains("without an event"), "{said}");
    let of_kept = "SELECT CAST(version AS TEXT) FROM schedules WHERE id = 'kept'";
    assert_eq!(restored.look(async |db| db.number(Sql::new(of_kept)).await.expect("a row")).await, 7);
    let newest = success(run(&["migrate", "--database-url", &restored.database.url], &[]));
    assert_eq!(newest, success(run(&["migrate", "--database-url", &Fixture::fresh(on).database.url], &[])));
    // One that has a newer schema already does not become older.
    let newer = Fixture::fresh(on);
    success(run(&["migrate", "--database-url", &newer.database.url], &[]));
    let said = complaint(restore(&file, &newer));
    assert!(said.contains("a database without tables"), "{said}");
}

#[rstest]
#[tokio::test]
async fn a_restore_that_was_killed_is_refused_everywhere_until_the_database_is_emptied(
    #[values(Sqlite, Postgres)] on: Database,
    #[values("restore.begun", "restore.committed", "restore.loaded")] point: &str,
) {
    let (fixture, _) = Fixture::copied(on).await;
    let folder = folder();
    let file = folder.path().join("a.backup");
    success(backup(&fixture, &file, &[]));
    let target = Fixture::fresh(on);
    let (path, url) = (file.to_str().expect("text"), target.database.url.as_str());
    let kill = format!("{point}=kill@1");
    let killed = run(&["restore", path, "--database-url", url], &[("KIZUNA_FAILPOINTS", &kill)]);
    assert!(!killed.status.success() && killed.stdout.is_empty(), "{killed:?}");
    for command in [
        &["restore", path][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["migrate"],
        &["backup", folder.path().join("b.backup").to_str().expect("text")],
    ] {
        let secret = [("KIZUNA_JWT_SECRET", SECRET)];
        let said = complaint(run(&[command, &["--database-url", url]].concat(), &secret));
        assert!(said.contains("did not finish") && said.contains("kizuna restore"), "{command:?}: {said}");
    }
    match on {
        Sqlite => {
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(target.database.folder().join(format!("kizuna.db{end}")));
            }
        }
        Postgres => target.database.raw("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await,
    }
    success(restore(&file, &target));
    let server = target.launch().start().await;
    Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
}

#[rstest]
#[tokio::test]
async fn what_is_no_whole_backup_is_refused_before_anything_is_written(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, _) = Fixture::copied(on).await;
    let folder = folder();
    let file = folder.path().join("a.backup");
    success(backup(&fixture, &file, &[]));
    let bytes = std::fs::read(&file).expect("a file");
    let target = Fixture::fresh(on);
    let refused = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("room");
        complaint(restore(&file, &target))
    };
    for length in [bytes.len() - 1, bytes.len() - 40, bytes.len() / 2, 20] {
        let said = refused("cut", &bytes[..length]);
        assert!(said.contains("damaged or cut off"), "{length}: {said}");
    }
    for place in [30, bytes.len() / 3, bytes.len() / 2, bytes.len() - 5] {
        let mut other = bytes.clone();
        other[place] ^= 1;
        let said = refused("damaged", &other);
        assert!(said.contains("damaged or cut off") || said.contains("no backup"), "{place}: {said}");
    }
    for foreign in [&b""[..], b"SQLite format 3\0", &[b"x", &bytes[..]].concat()] {
        assert!(refused("foreign", foreign).contains("no backup of Kizuna"));
    }
    let header = open(&file).header().clone();
    let newer = Header { kizuna_backup: FORMAT + 1, ..header.clone() };
    assert!(refused("format", &written(&newer)).contains("has the format 2"));
    let newer = Header { migrations: [&header.migrations[..], &[9_999]].concat(), ..header };
    let said = refused("schema", &written(&newer));
    assert!(said.contains("newer schema (migration 9999)"), "{said}");
    let missing = complaint(restore(&folder.path().join("none"), &target));
    assert!(missing.contains("none: No such file"), "{missing}");
    // Nothing was written: the database is as new.
    success(restore(&file, &target));
}

fn written(header: &Header) -> Vec<u8> {
    BackupWriter::new(Vec::new(), header).expect("a header").finish().expect("an end").0
}

#[rstest]
#[tokio::test]
async fn a_database_in_use_is_not_overwritten(#[values(Sqlite, Postgres)] on: Database) {
    let (fixture, _) = Fixture::copied(on).await;
    let folder = folder();
    let file = folder.path().join("a.backup");
    success(backup(&fixture, &file, &[]));
    let said = complaint(restore(&file, &fixture));
    assert!(said.contains("in use (users has rows)") && said.contains("empty database"), "{said}");
    // Migrated, and not used.
    let empty = Fixture::fresh(on);
    success(run(&["migrate", "--database-url", &empty.database.url], &[]));
    success(restore(&file, &empty));
    let again = complaint(restore(&file, &empty));
    assert!(again.contains("in use"), "{again}");
}

#[tokio::test]
async fn a_file_that_is_there_is_kept_and_a_backup_is_private() {
    let (fixture, _) = Fixture::copied(Sqlite).await;
    let folder = folder();
    let file = folder.path().join("a.backup");
    std::fs::write(&file, "mine").expect("room");
    let said = complaint(backup(&fixture, &file, &[]));
    assert!(said.contains("exists; --force replaces it"), "{said}");
    assert_eq!(std::fs::read(&file).expect("a file"), b"mine");
    success(backup(&fixture, &file, &["--force"]));
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let missing = complaint(backup(&fixture, &folder.path().join("no/such/folder"), &[]));
    assert!(missing.contains("No such file"), "{missing}");
    let none = Fixture::fresh(Sqlite);
    let said = complaint(backup(&none, &folder.path().join("b"), &[]));
    assert!(said.contains("there is no database"), "{said}");
    let left: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(left, [file], "no part is left behind");
}

#[tokio::test]
async fn a_server_keeps_its_file_from_a_restore() {
    let fixture = Fixture::fresh(Sqlite);
    let (copied, _) = Fixture::copied(Sqlite).await;
    let folder = folder();
    let file = folder.path().join("a.backup");
    success(backup(&copied, &file, &[]));
    let _server = fixture.launch().start().await;
    let said = complaint(restore(&file, &fixture));
    assert!(said.contains("another server"), "{said}");
}

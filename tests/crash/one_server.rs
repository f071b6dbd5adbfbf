//! One server per SQLite file (SPEC §8.10), and commands that make no file by mistake.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use rstest::rstest;
use serde_json::json;

use crate::fixture::{BINARY, Fixture, run};
use testing::app::{PASSWORD, SECRET};
use testing::{Api, Kizuna, Sqlite};

/// Tries to start another server on this path.
fn serve(path: &Path) -> Output {
    let url = format!("sqlite://{}", path.display());
    let args = ["serve", "--listen", "127.0.0.1:0", "--database-url", &url];
    run(&args, &[("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_ADMIN_PASSWORD", PASSWORD)])
}

/// The names of the files in a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[track_caller]
fn assert_refused(output: &Output, said: &[&str]) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    for said in said {
        assert!(complaint.contains(said), "{said} is not in: {complaint}");
    }
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_second_server_on_a_file_is_refused_by_whatever_path_it_comes() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = fixture.launch().start().await;
    let folder = fixture.database.folder();
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let (file, link, linked) =
        (folder.join("kizuna.db"), elsewhere.path().join("other.db"), elsewhere.path().join("data"));
    symlink(&file, &link).expect("a link to the file");
    symlink(folder, &linked).expect("a link to its folder");
    let before = (files(folder), files(elsewhere.path()));
    let process = format!("process {}", server.pid());
    for path in [&file, &folder.join("./kizuna.db"), &link, &linked.join("kizuna.db")] {
        assert_refused(&serve(path), &["--database-url", "another server", &process, "kizuna.db"]);
    }
    assert_eq!((files(folder), files(elsewhere.path())), before, "a refused start leaves nothing behind");
    staff.sales.at(&server).post("/api/customers", json!({"name": "still served"})).await.expect(201);
}

#[tokio::test]
async fn a_file_with_two_names_is_refused() {
    let (fixture, _) = Fixture::copied(Sqlite).await;
    let folder = fixture.database.folder();
    let (file, again) = (folder.join("kizuna.db"), folder.join("again.db"));
    fs::hard_link(&file, &again).expect("a second name");
    for path in [&file, &again] {
        assert_refused(&serve(path), &["--database-url", "2 names"]);
    }
    fs::remove_file(&again).expect("the second name");
    fixture.launch().start().await;
}

#[tokio::test]
async fn a_server_that_was_killed_or_stopped_leaves_no_lock() {
    let (fixture, _) = Fixture::copied(Sqlite).await;
    for _ in 0..3 {
        let mut server = fixture.launch().start().await;
        server.kill_9();
        let mut server = fixture.launch().start().await;
        assert!(server.terminate().await.success(), "{}", server.output());
    }
}

#[tokio::test]
async fn every_command_works_beside_the_server() {
    let (fixture, _) = Fixture::copied(Sqlite).await;
    let server = fixture.launch().start().await;
    let user = ["--email", "beside@example.com", "--name", "beside", "--role", "SALES"];
    for command in [
        &["migrate"][..],
        &["events", "tail"],
        &["dead-letters", "list"],
        &["dead-letters", "redrive", "--all"],
        &["projections", "rebuild"],
        &[&["user", "create"][..], &user].concat()[..],
    ] {
        let args = [command, &["--database-url", &*fixture.database.url]].concat();
        let output = run(&args, &[("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_USER_PASSWORD", PASSWORD)]);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {complaint}");
    }
    Api::login(server.base_url(), "beside@example.com", PASSWORD).await;
}

#[rstest]
#[case::tail(&["events", "tail"])]
#[case::follow(&["events", "tail", "--follow"])]
#[case::list(&["dead-letters", "list"])]
#[case::redrive(&["dead-letters", "redrive", "--all"])]
#[case::rebuild(&["projections", "rebuild"])]
fn a_command_on_a_mistyped_path_says_so_and_makes_nothing(#[case] command: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for path in ["kizuna.bd", "dta/kizuna.db"] {
        let url = format!("sqlite://{}/{path}", folder.path().display());
        let output = run(&[command, &["--database-url", &url]].concat(), &[]);
        assert_refused(&output, &["--database-url", "no database", path]);
        assert_eq!(files(folder.path()), BTreeSet::new());
    }
    let other = folder.path().join("other.db");
    fs::write(&other, "").expect("an empty file");
    let url = format!("sqlite://{}", other.display());
    let output = run(&[command, &["--database-url", &url]].concat(), &[]);
    assert_refused(&output, &["--database-url", "kizuna migrate"]);
    assert_eq!(fs::metadata(&other).expect("a file").len(), 0, "another program's file stays as it was");
}

#[tokio::test]
async fn a_start_on_a_port_in_use_leaves_nothing_behind() {
    let taken = Kizuna::launch(BINARY);
    let fixture = Fixture::fresh(Sqlite);
    let server = taken.database(&fixture.database.url).env("KIZUNA_JWT_SECRET", SECRET).start().await;
    let address = server.base_url().trim_start_matches("http://");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}/data/kizuna.db", folder.path().display());
    for args in [["--listen", address], ["--ops-listen", address]] {
        let mut all = vec!["serve", "--database-url", &url];
        all.extend(args);
        if args[0] != "--listen" {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        assert_refused(&run(&all, &[]), &[args[0], "in use"]);
        assert_eq!(files(folder.path()), BTreeSet::new());
    }
}

//! The commands besides `serve` (SPEC §9).

use std::process::Output;

use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{BINARY, Fixture, SOON, run};
use testing::app::{PASSWORD, SECRET};
use testing::promises;
use testing::{Api, Database, Kizuna, Postgres, Sqlite, eventually};

#[track_caller]
fn text(output: Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[rstest]
#[tokio::test]
async fn migrate_names_the_schemas_parts_and_changes_nothing_the_second_time(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let fixture = Fixture::fresh(on);
    let migrate = || text(run(&["migrate", "--database-url", &fixture.database.url], &[]));
    let names = migrate();
    assert!(names.starts_with("0001 create event log\n") && names.lines().count() >= 6, "{names}");
    assert_eq!(migrate(), names);
    let server = fixture.launch().start().await;
    Api::new(server.base_url()).get("/readyz").await.expect(200);
}

#[rstest]
#[tokio::test]
async fn user_create_makes_somebody_who_can_sign_in(#[values(Sqlite, Postgres)] on: Database) {
    let fixture = Fixture::fresh(on);
    let id = text(create_user(&fixture, "SALES", PASSWORD));
    let server = fixture.launch().start().await;
    let login = json!({"email": "sato@example.com", "password": PASSWORD});
    let signed_in = Api::new(server.base_url()).post("/api/auth/login", login).await.expect(200);
    assert_eq!(signed_in.text_at("/user/id"), id.trim());
    assert_eq!(signed_in.text_at("/user/name"), "佐藤 花子");
    assert!(!server.output().contains("first login"), "there is a user: {}", server.output());
    fixture.eventually(promises::kept).await;
}

#[rstest]
#[case::role("CHEF", PASSWORD, "SALES, MANAGER or ADMIN")]
#[case::password("SALES", "1234567", "password")]
fn user_create_says_what_is_wrong(#[case] role: &str, #[case] password: &str, #[case] said: &str) {
    let output = create_user(&Fixture::fresh(Sqlite), role, password);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && complaint.contains(said), "{complaint}");
    assert!(output.stdout.is_empty());
}

#[test]
fn user_create_refuses_an_address_that_is_taken() {
    let fixture = Fixture::fresh(Sqlite);
    text(create_user(&fixture, "ADMIN", PASSWORD));
    let again = create_user(&fixture, "SALES", PASSWORD);
    let complaint = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && complaint.contains("email_taken"), "{complaint}");
    assert!(
        complaint.starts_with("kizuna: Another user has this e-mail address."),
        "a sentence: {complaint}"
    );
}

#[test]
fn user_create_lists_its_own_flags_only() {
    let help = text(run(&["user", "create", "--help"], &[]));
    for own in ["--email", "--name", "--role", "--manager-id", "--password", "--database-url"] {
        assert!(help.contains(&format!(" {own} ")), "{own} is missing: {help}");
    }
    for of_serve in ["--listen", "--jwt-secret", "--redis-url", "--breaker-timeout", "--demo"] {
        assert!(!help.contains(of_serve), "{of_serve} is no flag of this command: {help}");
    }
}

#[rstest]
#[case::openapi(&["openapi"])]
#[case::events(&["events", "tail", "-n", "1000"])]
#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure(#[case] command: &[&str]) {
    let (fixture, _) = Fixture::copied(Sqlite).await;
    let mut command = command.to_vec();
    if command[0] == "events" {
        command.extend(["--database-url", &fixture.database.url]);
    }
    let mut child = std::process::Command::new(BINARY)
        .args(&command)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary");
    // As `| head -c 0` does.
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.is_empty(), "{}: {said}", ended.status);
}

#[rstest]
#[case::serve(&["serve", "--listen", "127.0.0.1:0"])]
#[case::migrate(&["migrate"])]
#[case::events(&["events", "tail"])]
#[case::user(&["user", "create", "--email", "a@example.com", "--name", "a", "--role", "SALES"])]
fn a_postgresql_that_is_not_there_is_told_in_a_line_with_its_address(#[case] command: &[&str]) {
    let port = testing::ports::free_port();
    let url = format!("postgres://kizuna:very-secret@127.0.0.1:{port}/kizuna?application_name=x");
    let args: Vec<&str> = command.iter().copied().chain(["--database-url", &url]).collect();
    let secrets = [("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_USER_PASSWORD", PASSWORD)];
    let output = run(&args, &secrets);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.contains(&format!("postgres://kizuna@127.0.0.1:{port}/kizuna: ")), "{complaint}");
    assert!(!complaint.contains("very-secret"), "{complaint}");
}

#[tokio::test]
async fn events_tail_prints_no_control_character_of_a_record() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = fixture.launch().start().await;
    let evil = "x\u{1b}]0;owned\u{7}\u{7f}\u{9b}2J\u{2028}\u{202e}";
    let body = json!({"name": "絆", "notes": evil});
    staff.sales.at(&server).post("/api/customers", body).await.expect(201);
    let printed = text(run(&["events", "tail", "--database-url", &fixture.database.url], &[]));
    let control = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{202e}'));
    assert!(!printed.contains(control), "{printed:?}");
    let last: Value = serde_json::from_str(printed.lines().last().expect("an event")).expect("JSON");
    assert!(printed.contains("owned") && last["specversion"] == "1.0", "{printed}");
}

fn create_user(fixture: &Fixture, role: &str, password: &str) -> Output {
    let who = ["--email", "sato@example.com", "--name", "佐藤 花子", "--role", role];
    let mut args = vec!["user", "create", "--database-url", &fixture.database.url];
    args.extend(who);
    run(&args, &[("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_USER_PASSWORD", password)])
}

#[rstest]
#[tokio::test]
async fn events_tail_prints_the_last_events_as_cloud_events(#[values(Sqlite, Postgres)] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let tail = |more: &[&str]| {
        let mut args = vec!["events", "tail", "--database-url", &fixture.database.url];
        args.extend(more);
        let printed = text(run(&args, &[]));
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>()
    };
    let all = tail(&["-n", "1000"]);
    assert!(all.is_sorted_by_key(|event| event["id"].as_str().expect("an id")), "oldest first");
    assert_eq!(tail(&["-n", "2"]), all[all.len() - 2..]);
    assert!(tail(&["-n", "0"]).is_empty());
    let created = tail(&["--type", "customer.created"]);
    let [created] = &created[..] else { panic!("one customer: {created:?}") };
    let expected = json!({
        "specversion": "1.0", "source": "/services/customer", "subject": staff.customer,
        "partitionkey": staff.customer, "sequence": 1, "datacontenttype": "application/json",
        "actorid": staff.sales.id,
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&created[name], value, "{name} of {created}");
    }
    assert_eq!(created["data"]["customer"]["name"], "絆商事");
    assert!(!all.iter().any(|event| event.to_string().contains("argon2")), "a secret in the log");
}

#[rstest]
#[tokio::test]
async fn events_tail_follows_what_is_committed(#[values(Sqlite, Postgres)] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server = fixture.launch().start().await;
    let mut tail = follow(&fixture).await;
    let sales = staff.sales.at(&server);
    let mut ids = Vec::new();
    for name in ["一", "二", "三"] {
        ids.push(sales.post("/api/customers", json!({"name": name})).await.expect(201).id());
    }
    let created = |id: &String| format!(r#""type":"customer.created","subject":"{id}""#);
    eventually(SOON, async || ids.iter().all(|id| tail.output().contains(&created(id)))).await;
    tail.kill_9();
    let printed = tail.output();
    for id in &ids {
        assert_eq!(printed.matches(&created(id)).count(), 1, "{printed}");
    }
}

/// A tail that has begun: it has printed the last event there was.
async fn follow(fixture: &Fixture) -> Kizuna {
    let args = ["events", "tail", "--follow", "-n", "1", "--database-url", &fixture.database.url];
    let tail = Kizuna::command(BINARY).args(args).spawn();
    eventually(SOON, async || tail.output().contains("specversion")).await;
    tail
}

#[test]
fn openapi_prints_the_document_of_the_whole_api() {
    let document: Value = serde_json::from_str(&text(run(&["openapi"], &[]))).expect("JSON");
    let version = document["openapi"].as_str().expect("a version");
    assert!(version.starts_with("3.1."), "{version}");
    for path in ["/api/auth/login", "/api/customers/{id}", "/api/meetings", "/api/reports/metrics"] {
        assert!(document["paths"][path].is_object(), "{path} is missing");
    }
}

#[test]
fn help_names_every_command() {
    let help = text(run(&["--help"], &[]));
    for command in ["serve", "migrate", "user", "events", "dead-letters", "openapi"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing: {help}");
    }
}

//! `kizuna events tail --url`: follows a server's log over its API, through its restarts.

use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{BINARY, Fixture, SOON, run};
use testing::app::{ADMIN, PASSWORD};
use testing::{Kizuna, Sqlite, eventually};

fn ids(output: &str) -> Vec<String> {
    let events = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

#[rstest]
#[case::token(true)]
#[case::password(false)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_tail_goes_on_by_its_cursor_when_the_server_restarts(#[case] by_token: bool) {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let launch = fixture.launch_on(testing::ports::free_port());
    let mut server = launch.start().await;
    let token = staff.admin.at(&server).access_token().expect("a token").to_owned();
    let tail =
        Kizuna::command(BINARY).args(["events", "tail", "--url", server.base_url(), "--from", "start"]);
    let tail = match by_token {
        true => tail.env("KIZUNA_TOKEN", token),
        false => tail.args(["--email", ADMIN]).env("KIZUNA_USER_PASSWORD", PASSWORD),
    };
    let mut tail = tail.spawn();
    let mut made = Vec::new();
    for name in ["一", "二", "三"] {
        let customer = staff.sales.at(&server).post("/api/customers", json!({"name": name})).await;
        made.push(customer.expect(201).id());
        let printed = |id: &String| format!(r#""type":"customer.created","subject":"{id}""#);
        eventually(4 * SOON, async || {
            let output = tail.output();
            if made.iter().all(|id| output.contains(&printed(id))) { Ok(()) } else { Err(output) }
        })
        .await;
        server.kill_9();
        server = launch.start().await;
    }
    fixture.eventually(crate::fixture::at_rest).await;
    let logged = fixture.look(async |db| store::log::since(db, 0, 1_000).await.expect("the log")).await;
    let logged: Vec<String> = logged.iter().map(|event| event.event.id.to_string()).collect();
    eventually(
        4 * SOON,
        async || {
            if ids(&tail.output()).len() >= logged.len() { Ok(()) } else { Err(tail.output()) }
        },
    )
    .await;
    tail.kill_9();
    let printed = ids(&tail.output());
    // A sign-in of the tail itself may come last.
    assert_eq!(printed[..logged.len().min(printed.len())], logged[..printed.len().min(logged.len())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_tail_of_a_server_prints_the_types_and_says_why_it_is_refused() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = fixture.launch().start().await;
    let admin = staff.admin.at(&server);
    let token = admin.access_token().expect("a token");
    let types = ["--types", "customer.created,deal.won", "--from", "start"];
    let args = ["events", "tail", "--url", server.base_url()];
    let mut tail = Kizuna::command(BINARY).args(args).args(types).env("KIZUNA_TOKEN", token).spawn();
    eventually(4 * SOON, async || tail.output().contains("customer.created")).await;
    tail.kill_9();
    assert_eq!(ids(&tail.output()).len(), 1, "{}", tail.output());

    let url = server.base_url();
    let sales = staff.sales.at(&server);
    let refused = [
        (vec![], sales.access_token().expect("a token"), "403"),
        (vec!["--types", "customer.invented"], token, "400"),
        (vec!["--from", "nonsense"], token, "410"),
        (vec![], "nonsense", "401"),
    ];
    for (more, token, status) in refused {
        let args: Vec<&str> = ["events", "tail", "--url", url].into_iter().chain(more).collect();
        let output = run(&args, &[("KIZUNA_TOKEN", token)]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(status), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let nobody = run(&["events", "tail", "--url", url], &[]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("--token"), "{nobody:?}");
}

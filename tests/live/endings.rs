//! What closes a socket: 4401 at once when its session is over (SPEC §6), 1001 when the node stops.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use testing::app::{ADMIN, PASSWORD};
use testing::live_client::{Client, Heard, cursor_of};
use testing::{Api, Database, Kizuna, Member, Postgres, Sqlite, Team, TestApp, TestDatabase, eventually};

/// The limit for "at once", on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(800);

/// Checks that the socket closes with 4401, at once.
async fn assert_signed_out(client: &mut Client) {
    let began = Instant::now();
    assert_eq!(client.closed().await, 4401);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_logout_closes_the_sockets_of_its_session_alone(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let (here, there) = (Member::first(&app).await, Member::first(&app).await);
    let (mut first, mut second) = (Client::of(&here).await, Client::of(&here).await);
    let mut other = Client::of(&there).await;
    here.raw("POST", "/api/auth/logout", "").await.expect(204);
    assert_signed_out(&mut first).await;
    assert_signed_out(&mut second).await;
    other.assert_quiet().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_password_closes_the_sockets_of_every_other_session(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let (here, there) = (Member::first(&app).await, Member::first(&app).await);
    let (mut kept, mut other) = (Client::of(&here).await, Client::of(&there).await);
    let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
    here.post("/api/auth/password", change).await.expect(204);
    assert_signed_out(&mut other).await;
    kept.assert_quiet().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_deletion_of_a_user_closes_their_sockets(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&sales).await;
    admin.delete(&format!("/api/auth/users/{}", sales.id)).await.expect(200);
    assert_signed_out(&mut client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_password_that_an_admin_sets_closes_them_all() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&sales).await;
    let path = format!("/api/auth/users/{}", sales.id);
    admin.patch(&path, json!({"password": "another-password"})).await.expect(200);
    assert_signed_out(&mut client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refresh_token_that_comes_again_closes_the_sockets_of_its_family() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut client = Client::of(&admin).await;
    let refresh = json!({"refresh_token": admin.refresh_token});
    app.nobody().post("/api/auth/refresh", refresh.clone()).await.expect(200);
    client.assert_quiet().await;
    app.nobody().post("/api/auth/refresh", refresh).await.expect(401);
    assert_signed_out(&mut client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_that_runs_out_closes_its_socket() {
    let app = TestApp::with(Sqlite, &["--access-token-ttl", "10s"]).await;
    let admin = Member::first(&app).await;
    let mut client = Client::of(&admin).await;
    app.clock.advance(Duration::from_secs(9));
    client.assert_quiet().await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(client.closed().await, 4401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_changed_name_closes_nothing() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&sales).await;
    let path = format!("/api/auth/users/{}", sales.id);
    admin.patch(&path, json!({"name": "別の名前", "role": "MANAGER"})).await.expect(200);
    client.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_stops_closes_its_sockets_with_1001_and_ends_soon() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut signed_in = Client::of(&admin).await;
    let mut silent = Client::open(admin.base(), "/api/ws", &[]).await.expect("a socket");
    let stopping = app.stopper.stop();
    let closed = async { (signed_in.closed().await, silent.closed().await) };
    let began = Instant::now();
    let ((), closed) = tokio::join!(stopping, closed);
    assert_eq!(closed, (1001, 1001));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_answers_no_ping_is_closed_and_one_that_does_is_not() {
    let app = TestApp::with(Sqlite, &["--ping-every", "100ms"]).await;
    let admin = Member::first(&app).await;
    let mut alive = Client::of(&admin).await;
    // tungstenite answers a ping only while it reads: this one does not.
    let dead = crate::wire::Wire::signed_in(&admin).await;
    alive.assert_quiet().await;
    alive.assert_quiet().await;
    assert_eq!(dead.close_code().await, Some(1002));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_socket_that_is_closed_by_its_client_is_answered_and_forgotten() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut client = Client::of(&admin).await;
    client.send(tokio_tungstenite::tungstenite::Message::Close(None)).await;
    assert_eq!(client.closed().await, 1000);
    let sockets = async || {
        let metrics = app.nobody().get("/metrics").await.text;
        metrics.lines().any(|line| line == "kizuna_actor_live{actor=\"analytics.listener\"} 0")
    };
    eventually(testing::live_client::SOON, sockets).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_or_a_hub_that_dies_sends_its_sockets_back_to_their_cursors() {
    for failpoint in ["actor.analytics.listener=panic@4", "actor.live=panic@12"] {
        let database = TestDatabase::fresh(Sqlite);
        let launch = Kizuna::launch(env!("CARGO_BIN_EXE_kizuna")).database(&database.url);
        let launch = launch.env("KIZUNA_ADMIN_PASSWORD", PASSWORD).env("KIZUNA_FAILPOINTS", failpoint);
        let server = launch.start().await;
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        let path = "/api/ws?topics=customers";
        let (mut client, mut cursor) = Client::at(&admin, path).await;
        let (mut names, mut deaths) = (Vec::new(), 0);
        for number in 0..10 {
            admin.customer(&number.to_string()).await;
        }
        while names.len() < 10 {
            match client.hear().await {
                Heard::Frame(frame) => {
                    cursor = cursor_of(&frame);
                    names.push(
                        frame["event"]["data"]["customer"]["name"].as_str().expect("a name").to_owned(),
                    );
                }
                Heard::Closed(code) => {
                    assert_eq!(code, 1013, "{failpoint}");
                    deaths += 1;
                    client = reconnected(&admin, &format!("{path}&cursor={cursor}")).await;
                }
                Heard::Gone => panic!("gone without a close frame"),
            }
        }
        // Different customers have no order among each other in the log.
        names.sort();
        let expected: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!((names, deaths), (expected, 1), "{failpoint}");
    }
}

/// Opens a socket at this path after the hub is back, and reads its hello.
async fn reconnected(api: &Api, path: &str) -> Client {
    let bearer = format!("Bearer {}", api.access_token().expect("signed in"));
    let open = async || Client::open(api.base(), path, &[("authorization", &bearer)]).await;
    let mut client = eventually(testing::live_client::SOON, open).await;
    client.next("hello").await;
    client
}

//! What comes, in which order, and from which cursor on.

use rstest::rstest;
use serde_json::json;

use testing::live_client::{Client, cursor_of, name_of};
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_notification_comes_as_the_rest_api_shows_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&manager).await;
    sales.customer("絆商事").await;
    let frame = client.next("notification").await;
    let listed = manager.get("/api/notifications").await;
    assert_eq!(frame["notification"], listed.items()[0]);
    assert!(frame["notification"]["title"].as_str().is_some_and(|title| !title.is_empty()), "{frame}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_notification_is_told_in_its_readers_language() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&manager).await;
    sales.customer("絆商事").await;
    let japanese = client.next("notification").await;
    let path = format!("/api/auth/users/{}", manager.id);
    admin.patch(&path, json!({"locale": "en"})).await.expect(200);
    sales.customer("絆商事").await;
    let english = client.next("notification").await;
    assert_ne!(japanese["notification"]["title"], english["notification"]["title"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_hears_of_others_notifications() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, colleague, sales, .. } = Team::of(&app).await;
    let (mut of_admin, mut of_colleague) = (Client::of(&admin).await, Client::of(&colleague).await);
    sales.customer("絆商事").await;
    of_admin.assert_quiet().await;
    of_colleague.assert_quiet().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cursor_goes_on_after_its_frame_across_a_restart(#[values(Sqlite, Postgres)] on: Database) {
    let mut app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let (mut client, hello) = Client::at(&manager, "/api/ws").await;
    for name in ["a", "b", "c"] {
        sales.customer(name).await;
    }
    let first = client.next("notification").await;
    assert_eq!(name_of(&first), "a");
    drop(client);
    app.settle().await;
    app.restart().await;
    let (manager, sales) = (at(&app, &manager), at(&app, &sales));
    for (cursor, names) in [(cursor_of(&first), &["b", "c"][..]), (hello, &["a", "b", "c"])] {
        let (mut client, begins) = Client::at(&manager, &format!("/api/ws?cursor={cursor}")).await;
        assert_eq!(begins, cursor);
        for name in names {
            assert_eq!(name_of(&client.next("notification").await), *name);
        }
        client.assert_quiet().await;
    }
    let (mut client, _) = Client::at(&manager, "/api/ws").await;
    client.say(json!({"type": "resume", "cursor": cursor_of(&first)})).await;
    for name in ["b", "c"] {
        assert_eq!(name_of(&client.next("notification").await), name);
    }
    sales.post("/api/customers", json!({"name": "d"})).await.expect(201);
    assert_eq!(name_of(&client.next("notification").await), "d");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_read_in_one_place_is_known_in_the_others(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let (mut one, mut other) = (Client::of(&manager).await, Client::of(&manager).await);
    let mut foreign = Client::of(&sales).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        sales.customer(name).await;
        ids.push(one.next("notification").await["notification"]["id"].as_str().expect("an id").to_owned());
        other.next("notification").await;
    }
    manager.patch(&format!("/api/notifications/{}/read", ids[0]), json!({})).await.expect(200);
    for client in [&mut one, &mut other] {
        let state = client.next("notification_state").await;
        assert_eq!(
            (state["id"].as_str(), state["unread"].as_i64()),
            (Some(ids[0].as_str()), Some(3)),
            "{state}"
        );
        assert!(state["read_at"].is_string() && state["archived_at"].is_null(), "{state}");
        assert!(state.get("cursor").is_none(), "{state}");
    }
    manager.patch(&format!("/api/notifications/{}/archive", ids[1]), json!({})).await.expect(200);
    let state = other.next("notification_state").await;
    assert_eq!((state["id"].as_str(), state["unread"].as_i64()), (Some(ids[1].as_str()), Some(2)), "{state}");
    assert!(state["read_at"].is_null() && state["archived_at"].is_string(), "{state}");
    manager.post("/api/notifications/read-all", json!({})).await.expect(200);
    let mut left = vec![ids[2].clone(), ids[3].clone()];
    let mut unread = None;
    while !left.is_empty() {
        let state = other.next("notification_state").await;
        left.retain(|id| state["id"] != **id);
        unread = state["unread"].as_i64();
    }
    assert_eq!(unread, Some(0));
    foreign.assert_quiet().await;
}

fn at(app: &TestApp, member: &Member) -> testing::Api {
    app.nobody().token(member.access_token().expect("signed in"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_written_while_a_client_resumes_comes_once_and_in_order() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let (client, mut cursor) = Client::at(&manager, "/api/ws").await;
    drop(client);
    let writing = async {
        for number in 0..120 {
            sales.customer(&format!("{number}")).await;
        }
    };
    let reading = async {
        let mut names = Vec::new();
        // Every connection takes seven and breaks off.
        while names.len() < 120 {
            let (mut client, _) = Client::at(&manager, &format!("/api/ws?cursor={cursor}")).await;
            for _ in 0..7.min(120 - names.len()) {
                let frame = client.next("notification").await;
                names.push(name_of(&frame));
                cursor = cursor_of(&frame);
            }
        }
        names
    };
    let ((), names) = tokio::join!(writing, reading);
    let expected: Vec<String> = (0..120).map(|number| number.to_string()).collect();
    assert_eq!(names, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cursor_that_is_none_is_answered_with_a_reset_and_the_feed_goes_on_from_now() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let (_, known) = Client::at(&manager, "/api/ws").await;
    let other = TestApp::start(Sqlite).await;
    let elsewhere = Team::of(&other).await;
    for _ in 0..40 {
        elsewhere.sales.customer("elsewhere").await;
    }
    let (_, of_other) = Client::at(&elsewhere.manager, "/api/ws").await;
    let cut = known[..known.len() - 1].to_owned();
    for cursor in ["nonsense".to_owned(), cut, of_other, "A".repeat(1_000)] {
        let (mut client, _) = Client::at(&manager, &format!("/api/ws?cursor={cursor}")).await;
        client.next("reset").await;
        client.say(json!({"type": "resume", "cursor": cursor})).await;
        let reset = client.next("reset").await;
        sales.customer("after").await;
        assert_eq!(name_of(&client.next("notification").await), "after");
        let (mut client, _) = Client::at(&manager, &format!("/api/ws?cursor={}", cursor_of(&reset))).await;
        assert_eq!(name_of(&client.next("notification").await), "after");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wrong_frames_are_told_and_a_client_of_nothing_else_is_closed_with_1008() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&manager).await;
    let token = manager.access_token().expect("signed in").to_owned();
    client.say(json!({"type": "auth", "token": token})).await;
    assert_eq!(client.next("error").await["code"], "already_signed_in");
    client.say(json!({"type": "subscribe", "topics": ["users"]})).await;
    let error = client.next("error").await;
    assert_eq!(error["code"], "invalid_frame");
    assert!(error["detail"].as_str().is_some_and(|detail| detail.contains("フレーム")), "{error}");
    sales.customer("still served").await;
    client.next("notification").await;
    for _ in 0..8 {
        client.say(json!({"type": "nonsense"})).await;
    }
    assert_eq!(client.closed().await, 1008);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_listener_lives_as_long_as_its_users_sockets() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let live = async || {
        let metrics = app.nobody().get("/metrics").await.text;
        let line =
            metrics.lines().find(|line| line.starts_with("kizuna_actor_live{actor=\"analytics.listener\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).unwrap_or(0)
    };
    let (first, second) = (Client::of(&admin).await, Client::of(&admin).await);
    assert_eq!(live().await, 1);
    drop((first, second));
    testing::eventually(testing::live_client::SOON, async || live().await == 0).await;
    let _again = Client::of(&admin).await;
    assert_eq!(live().await, 1);
}

//! Who may connect, and how.

use std::time::{Duration, Instant};

use serde_json::json;

use testing::app::{ADMIN, PASSWORD};
use testing::browser::{Browser, cookie as cookie_of, post_form};
use testing::live_client::Client;
use testing::{Member, Sqlite, TestApp};

async fn cookie(app: &TestApp) -> String {
    format!("theme=dark; kizuna_session={}", Browser::open(app, ADMIN).await.session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_first_frame_signs_in() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut client = Client::open(admin.base(), "/api/ws", &[]).await.expect("a socket");
    client.say(json!({"type": "auth", "token": admin.access_token()})).await;
    let hello = client.next("hello").await;
    assert_eq!(hello["user_id"], json!(admin.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_first_frame_that_signs_nobody_in_is_told_why_and_closed_with_4401() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    for (frame, code) in [
        (json!({"type": "auth", "token": "nonsense"}), "invalid_token"),
        (json!({"type": "auth", "token": admin.refresh_token}), "invalid_token"),
        (json!({"type": "subscribe", "topics": []}), "missing_token"),
        (json!("hello"), "missing_token"),
    ] {
        let mut client = Client::open(admin.base(), "/api/ws", &[]).await.expect("a socket");
        client.say(frame).await;
        assert_eq!(client.next("error").await["code"], code);
        assert_eq!(client.closed().await, 4401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_says_nothing_for_five_seconds_is_closed_with_4401() {
    let app = TestApp::start(Sqlite).await;
    let opened = Instant::now();
    let mut client = Client::open(app.nobody().base(), "/api/ws", &[]).await.expect("a socket");
    assert_eq!(client.closed().await, 4401);
    let waited = opened.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_header_is_refused_before_the_upgrade() {
    let app = TestApp::start(Sqlite).await;
    let base = app.nobody().base().to_owned();
    for bearer in ["Bearer nonsense", "Basic YTpi", ""] {
        let refused = Client::open(&base, "/api/ws", &[("authorization", bearer)]).await;
        assert_eq!(refused.err(), Some(401), "{bearer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_cookie_signs_in_from_a_page_of_this_site_alone() {
    let app = TestApp::start(Sqlite).await;
    let (cookie, site) = (cookie(&app).await, app.nobody());
    let (base, own) = (site.base(), site.base().to_owned());
    let other_scheme = own.replace("http://", "https://");
    let foreign = ["https://evil.example", "null", "http://localhost", "http://127.0.0.1", &other_scheme, ""];
    let mut client = Client::open(base, "/api/ws", &[("cookie", &cookie), ("origin", &own)])
        .await
        .expect("a page of this site");
    client.next("hello").await;
    for origin in foreign {
        let refused = Client::open(base, "/api/ws", &[("cookie", &cookie), ("origin", origin)]).await;
        assert_eq!(refused.err(), Some(403), "{origin}");
        let stream = app.nobody().header("cookie", &cookie).header("origin", origin).get("/api/stream").await;
        stream.expect_problem(403, "foreign_origin");
    }
    assert_eq!(Client::open(base, "/api/ws", &[("cookie", &cookie)]).await.err(), Some(403), "no origin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn behind_a_proxy_the_public_url_is_this_site() {
    let app = TestApp::with(Sqlite, &["--public-url", "https://crm.example.com"]).await;
    let site = app.nobody().header("accept", "text/html");
    let signed_in = post_form(&site, "/login", &[("email", ADMIN), ("password", PASSWORD)]).await.expect(303);
    let session = cookie_of(&signed_in, "__Host-kizuna_session").expect("a cookie");
    let (cookie, base) = (format!("theme=dark; __Host-kizuna_session={session}"), site.base());
    let open = async |origin: &str| {
        Client::open(base, "/api/ws", &[("cookie", &cookie), ("origin", origin)]).await.err()
    };
    assert_eq!(open("https://crm.example.com").await, None);
    assert_eq!(open(base).await, Some(403));
    assert_eq!(open("http://crm.example.com").await, Some(403));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_in_the_address_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let token = admin.access_token().expect("signed in");
    for path in ["/api/ws", "/api/stream"] {
        for name in ["token", "access_token", "Token"] {
            let answer = admin.get(&format!("{path}?{name}={token}")).await;
            let answer = answer.expect_problem(400, "invalid_parameter");
            assert_eq!(answer.text_at("/errors/0/code"), "token_in_url");
        }
    }
    let refused = Client::open(admin.base(), &format!("/api/ws?token={token}"), &[]).await;
    assert_eq!(refused.err(), Some(400));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_no_websocket_handshake_is_426_and_names_the_protocol() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let answer = admin.get("/api/ws").await.expect_problem(426, "upgrade_required");
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    app.nobody().get("/api/ws").await.expect_problem(401, "missing_token");
    let upgrade = admin.header("connection", "upgrade").header("upgrade", "websocket");
    upgrade.get("/api/ws").await.expect_problem(426, "upgrade_required");
    let old = upgrade.header("sec-websocket-version", "8").header("sec-websocket-key", "a2V5");
    old.get("/api/ws").await.expect_problem(426, "upgrade_required");
    admin.get("/api/ws?topics=users").await.expect_problem(400, "invalid_parameter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_user_and_a_node_have_so_many_sockets_and_no_more() {
    let app = TestApp::with(Sqlite, &["--user-sockets", "2", "--max-sockets", "3"]).await;
    let admin = Member::first(&app).await;
    let sales = admin.hire("SALES", "sales", None).await;
    let bearer = format!("Bearer {}", admin.access_token().expect("signed in"));
    let more = async || Client::open(admin.base(), "/api/ws", &[("authorization", &bearer)]).await.err();
    let (_first, second) = (Client::of(&admin).await, Client::of(&admin).await);
    assert_eq!(more().await, Some(429));
    admin.get("/api/stream").await.expect_problem(429, "too_many_streams");
    let _third = Client::of(&sales).await;
    sales.get("/api/stream").await.expect_problem(503, "overloaded");
    drop(second);
    testing::eventually(testing::live_client::SOON, async || more().await.is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sockets_that_do_not_sign_in_keep_nobody_out() {
    let args = ["--max-sockets", "2", "--unsigned-sockets", "8", "--unsigned-sockets-per-address", "5"];
    let app = TestApp::with(Sqlite, &[&args[..], &["--trusted-proxy", "127.0.0.1"]].concat()).await;
    let admin = Member::first(&app).await;
    let open =
        async |address: &str| Client::open(admin.base(), "/api/ws", &[("x-forwarded-for", address)]).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.extend(open("192.0.2.1").await.ok());
    }
    assert_eq!(silent.len(), 5, "of one address");
    assert_eq!(open("192.0.2.1").await.err(), Some(503));
    for _ in 0..20 {
        silent.extend(open("192.0.2.2").await.ok());
    }
    assert_eq!(silent.len(), 8, "of all addresses");
    let _by_header = Client::of(&admin).await;
    // One that signs in by a frame gives its place to the next.
    let mut signing = silent.pop().expect("a socket");
    signing.say(json!({"type": "auth", "token": admin.access_token()})).await;
    signing.next("hello").await;
    silent.push(open("192.0.2.2").await.expect("the place is free again"));
    assert_eq!(open("192.0.2.3").await.err(), Some(503));
    // Those who have signed in have their own bound, whichever way they did.
    let mut third = silent.pop().expect("a socket");
    third.say(json!({"type": "auth", "token": admin.access_token()})).await;
    assert_eq!(third.next("error").await["code"], "overloaded");
    assert_eq!(third.closed().await, 1013);
}

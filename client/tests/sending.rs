//! How requests are sent again: what the server hears when its answers are errors, or none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::TryStreamExt;
use kizuna_client::records::NewCustomer;
use kizuna_client::{Client, Error, Query, RetryPolicy};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a listener has heard of a request.
#[derive(Clone, Debug)]
struct Heard {
    /// `GET /api/customers`
    line: String,
    head: String,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A listener that says given things in their order, whatever is asked; an empty one hangs up.
struct Script {
    base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Script {
    async fn of(answers: impl IntoIterator<Item = String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("its address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (mut answers, notes) = (VecDeque::from_iter(answers), heard.clone());
        tokio::spawn(async move {
            while let Some(answer) = answers.pop_front() {
                let (stream, _) = listener.accept().await.expect("a connection");
                let request = exchange(stream, &answer).await;
                notes.lock().expect("no panic").push(request);
            }
        });
        Self { base, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }

    /// A client that loses no time between its tries.
    fn client(&self) -> Client {
        let policy = RetryPolicy { initial: Duration::from_millis(1), ..RetryPolicy::default() };
        Client::builder(&self.base).retries(policy).build().expect("a client")
    }
}

async fn exchange(stream: TcpStream, answer: &str) -> Heard {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        stream.read_line(&mut head).await.expect("a request");
        if let Some(value) = head[start..].to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a body");
    stream.write_all(answer.as_bytes()).await.expect("a listening client");
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    Heard { line, head, body: String::from_utf8(body).expect("text") }
}

fn says(status: u16, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

fn problem(status: u16, code: &str, headers: &str) -> String {
    let body = json!({
        "type": format!("urn:kizuna:problem:{code}"), "title": "t", "status": status, "detail": "d",
        "instance": "/api", "code": code,
    });
    says(status, headers, &body)
}

const ID: &str = "0198c0de-0000-7000-8000-000000000000";

fn customer() -> Value {
    json!({
        "id": ID, "version": 1, "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z",
        "name": "絆", "kana": null, "email": null, "phone": null, "company": null, "status": "LEAD", "notes": null,
        "owner_id": ID,
    })
}

fn tokens(access: &str, refresh: &str, expires_in: u64) -> String {
    let user = json!({"id": ID, "name": "n", "role": "SALES"});
    let body = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": expires_in, "refresh_token": refresh,
        "user": user,
    });
    says(200, "", &body)
}

#[tokio::test]
async fn a_post_keeps_its_key_over_retries_and_hang_ups() {
    let script = Script::of([
        problem(503, "overloaded", "Retry-After: 0\r\n"),
        String::new(),
        problem(409, "request_in_flight", ""),
        says(201, "ETag: \"1\"\r\nLocation: /api/customers/x\r\n", &customer()),
    ])
    .await;
    let new = NewCustomer { name: "絆".into(), ..NewCustomer::default() };
    let made = script.client().customers().create(&new).await.expect("a customer in the end");
    assert_eq!((made.etag, made.location.as_deref()), (Some(1), Some("/api/customers/x")));
    let heard = script.heard();
    let keys: Vec<_> = heard.iter().map(|request| request.header("idempotency-key")).collect();
    assert!(keys[0].is_some_and(|key| !key.is_empty()));
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(heard.iter().all(|request| request.body == heard[0].body));
}

#[tokio::test]
async fn retries_end_and_the_last_error_is_told() {
    let script = Script::of((0..4).map(|_| problem(503, "unavailable", "Retry-After: 0\r\n"))).await;
    let refused = script.client().customers().list(&Query::new()).await.expect_err("no list");
    assert_eq!(refused.code(), Some("unavailable"));
    assert_eq!(script.heard().len(), 4, "once, and SPEC §7's three times more");
}

#[tokio::test]
async fn a_longer_wait_than_the_policy_allows_is_left_to_the_caller() {
    let script = Script::of([problem(429, "too_many_attempts", "Retry-After: 60\r\n")]).await;
    let refused = script.client().login("a@example.com", "secret").await.expect_err("no session");
    assert_eq!(refused.problem().and_then(|p| p.retry_after), Some(Duration::from_secs(60)));
    assert_eq!(script.heard().len(), 1);
}

#[tokio::test]
async fn what_may_have_been_deleted_is_not_deleted_again() {
    let script = Script::of([String::new()]).await;
    let error = script.client().customers().delete(ID.parse().expect("an id"), Some(3)).await;
    assert!(matches!(error, Err(Error::Transport(_))), "{error:?}");
    let heard = script.heard();
    assert_eq!(heard[0].line, format!("DELETE /api/customers/{ID}"));
    assert_eq!(heard[0].header("if-match"), Some("\"3\""));
}

#[tokio::test]
async fn tokens_that_run_out_are_rotated_once_for_all_calls() {
    let list = says(200, "", &json!([]));
    let script = Script::of([
        tokens("first", "r1", 900),
        problem(401, "token_expired", ""),
        tokens("second", "r2", 900),
        list.clone(),
        list,
    ])
    .await;
    let kizuna = script.client().login("a@example.com", "secret").await.expect("a session");
    kizuna.customers().list(&Query::new()).await.expect("a list, in the end");
    kizuna.clone().customers().list(&Query::new()).await.expect("a list");
    let heard = script.heard();
    let lines: Vec<_> = heard.iter().map(|request| request.line.as_str()).collect();
    let expected = ["POST /api/auth/login", "GET /api/customers", "POST /api/auth/refresh"];
    assert_eq!(lines[..3], expected);
    assert_eq!(heard[2].body, json!({"refresh_token": "r1"}).to_string());
    let bearers: Vec<_> = heard.iter().map(|request| request.header("authorization")).collect();
    let (first, second) = (Some("Bearer first"), Some("Bearer second"));
    assert_eq!(bearers, [None, first, None, second, second]);
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_renewed() {
    let script = Script::of([tokens("first", "r1", 900), problem(401, "session_ended", "")]).await;
    let kizuna = script.client().login("a@example.com", "secret").await.expect("a session");
    let refused = kizuna.me().await.expect_err("nobody");
    assert_eq!(refused.code(), Some("session_ended"));
    assert_eq!(script.heard().len(), 2);
}

#[tokio::test]
async fn a_stream_follows_links_to_the_last_page_and_no_further() {
    let more = "Link: </api/customers?limit=1&cursor=c2>; rel=\"next\"\r\n";
    let script =
        Script::of([says(200, more, &json!([customer()])), says(200, "", &json!([customer()]))]).await;
    let client = script.client();
    let all: Vec<_> = client.customers().stream(&Query::new().limit(1)).try_collect().await.expect("two");
    assert_eq!(all.len(), 2);
    let heard = script.heard();
    let lines: Vec<_> = heard.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(lines, ["GET /api/customers?limit=1", "GET /api/customers?limit=1&cursor=c2"]);
}

#[tokio::test]
async fn a_link_to_another_server_is_not_followed() {
    let away = "Link: <http://127.0.0.1:9/api/customers?cursor=c2>; rel=\"next\"\r\n";
    let script = Script::of([says(200, away, &json!([customer()]))]).await;
    let client = script.client();
    let all: Result<Vec<_>, _> = client.customers().stream(&Query::new()).try_collect().await;
    assert!(matches!(all, Err(Error::Address(_))), "{all:?}");
}

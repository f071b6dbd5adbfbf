//! Access tokens that open nothing.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::app::SECRET;
use testing::{Member, Sqlite, TestApp};

const ME: &str = "/api/auth/me";

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    serde_json::from_slice(&payload).expect("JSON")
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("a token")
}

/// A token without a signature: its `alg` is `none`.
fn unsigned(alg: &str, claims: &Value, signature: &str) -> String {
    let header = json!({"alg": alg, "typ": "JWT"}).to_string();
    format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// `claims` with one replaced, or taken away.
fn with(claims: &Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    let mut claims = claims.clone();
    let fields = claims.as_object_mut().expect("an object");
    match value.into() {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
    claims
}

fn refused(authorization: String, code: &'static str) -> Rejected {
    Rejected::get(ME, 401, code).header("authorization", authorization)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_that_is_forged_or_meant_for_something_else_opens_nothing() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let token = admin.access_token().expect("signed in").to_owned();
    let claims = claims(&token);
    let own = |claims: &Value| signed(claims, Algorithm::HS256, SECRET);
    assert_eq!(app.nobody().token(own(&claims)).get(ME).await.status, 200, "signing here is signing there");
    let signature = token.rsplit('.').next().expect("three parts");
    let forged = [
        unsigned("none", &claims, ""),
        unsigned("None", &claims, ""),
        unsigned("none", &claims, signature),
        unsigned("HS256", &with(&claims, "exp", json!(4_000_000_000_u64)), signature),
        signed(&claims, Algorithm::HS512, SECRET),
        signed(&claims, Algorithm::HS256, "another secret of the same length, or so"),
        own(&with(&claims, "iss", json!("somebody"))),
        own(&with(&claims, "iss", None)),
        own(&with(&claims, "aud", json!("kizuna-console"))),
        own(&with(&claims, "aud", None)),
        own(&with(&claims, "exp", None)),
        own(&with(&claims, "exp", json!("never"))),
        own(&with(&claims, "sub", None)),
        own(&with(&claims, "sub", json!("admin"))),
        own(&with(&claims, "sid", None)),
        admin.refresh_token.clone(),
        token[..token.len() - 2].to_owned(),
        format!("{token}.{token}"),
        "nonsense".to_owned(),
        String::new(),
    ];
    let forged = forged.map(|token| refused(format!("Bearer {token}"), "invalid_token"));
    let schemes = [format!("Basic {token}"), token.clone(), "Bearer".to_owned()];
    let schemes = schemes.map(|authorization| refused(authorization, "invalid_token"));
    let stranger = json!("0198c0de-0000-7000-8000-000000000000");
    let strangers = ["sub", "sid"].map(|name| own(&with(&claims, name, stranger.clone())));
    let strangers = strangers.map(|token| refused(format!("Bearer {token}"), "session_ended"));
    let absent = [
        Rejected::get(ME, 401, "missing_token"),
        Rejected::get(format!("{ME}?access_token={token}"), 401, "missing_token"),
    ];
    all_refused(&app, &app.nobody(), forged.into_iter().chain(schemes).chain(strangers).chain(absent)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_speaks_for_its_own_user_alone() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let sales = admin.hire("SALES", "sales", None).await;
    let [own, other] = [&sales, &admin].map(|member| claims(member.access_token().expect("signed in")));
    let mixed = signed(&with(&own, "sub", other["sub"].clone()), Algorithm::HS256, SECRET);
    all_refused(&app, &app.nobody(), [refused(format!("Bearer {mixed}"), "session_ended")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_challenge_of_a_401_tells_a_missing_token_from_a_bad_one() {
    let app = TestApp::start(Sqlite).await;
    let challenge = async |token: Option<&str>| {
        let api = app.nobody();
        let api = token.map_or(api.clone(), |token| api.token(token));
        api.get(ME).await.expect(401).header("www-authenticate").map(str::to_owned)
    };
    assert_eq!(challenge(None).await.as_deref(), Some("Bearer"));
    let bad = challenge(Some("nonsense")).await.expect("a challenge");
    assert!(bad.starts_with("Bearer error=\"invalid_token\""), "{bad}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_runs_out_to_the_second() {
    let app = TestApp::with(Sqlite, &["--access-token-ttl", "20m"]).await;
    let admin = Member::first(&app).await;
    app.clock.advance(Duration::from_secs(20 * 60 - 1));
    admin.get(ME).await.expect(200);
    app.clock.advance(Duration::from_secs(1));
    let token = admin.access_token().expect("signed in");
    all_refused(&app, &app.nobody(), [refused(format!("Bearer {token}"), "token_expired")]).await;
}

//! What `kizuna-client` asks, and what it needs of the answers: no more than its records read.

use pact_consumer::builders::{InteractionBuilder, PactBuilderAsync};
use pact_consumer::prelude::*;
use pact_consumer::{each_like, json_pattern, json_pattern_internal, like, term};
use serde_json::json;

use testing::app::{ADMIN, PASSWORD};

/// An id of examples.
pub const ID: &str = "0198c0de-0000-7000-8000-000000000001";
/// An access token of examples: the verifier puts a real one in its place.
pub const TOKEN: &str = "a-token";
/// A key of its own for each request that has one: the server remembers them.
const KEYS: [&str; 3] = [
    "3f0e2c7a-7d0b-4a53-9d0a-0c8a1f6f2b01",
    "3f0e2c7a-7d0b-4a53-9d0a-0c8a1f6f2b02",
    "3f0e2c7a-7d0b-4a53-9d0a-0c8a1f6f2b03",
];
const TIME: &str = "2026-03-02T09:00:00Z";

const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
/// RFC 3339 in UTC, to the microsecond at most (SPEC §2).
const INSTANT: &str = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$";

/// Every interaction of the client.
pub async fn all(pact: &mut PactBuilderAsync) {
    login(pact).await;
    list(pact).await;
    create(pact).await;
    refuse(pact).await;
    stale(pact).await;
    unread(pact).await;
    approve(pact).await;
    saga(pact).await;
}

fn id() -> JsonPattern {
    term!(UUID, ID).into()
}

fn time() -> JsonPattern {
    term!(INSTANT, TIME).into()
}

fn customer() -> JsonPattern {
    json_pattern!({
        "id": id(), "version": like!(1), "created_at": time(), "updated_at": time(), "name": like!("One"),
        "status": term!("^(LEAD|ACTIVE|DORMANT)$", "LEAD"), "owner_id": id(),
    })
}

/// The type, code and places of a problem; its texts are for people.
fn problem(i: &mut InteractionBuilder, status: u16, code: &str, more: JsonPattern) {
    let JsonPattern::Object(mut fields) = more else { panic!("fields") };
    let JsonPattern::Object(common) = json_pattern!({
        "type": format!("urn:kizuna:problem:{code}"), "status": status, "code": code,
        "title": like!("t"), "detail": like!("d"), "instance": like!("/api/customers"),
    }) else {
        unreachable!("an object")
    };
    fields.extend(common);
    i.response.status(status).content_type("application/problem+json").json_body(JsonPattern::Object(fields));
}

fn signed(i: &mut InteractionBuilder) {
    i.request.header("Authorization", format!("Bearer {TOKEN}"));
}

fn record(i: &mut InteractionBuilder, body: JsonPattern) {
    i.response
        .content_type("application/json")
        .header("ETag", term!("^\"[0-9]+\"$", "\"1\""))
        .json_body(body);
}

async fn login(pact: &mut PactBuilderAsync) {
    pact.interaction("a login", "", |mut i| async move {
        i.given("the administrator exists");
        i.request.post().path("/api/auth/login").content_type("application/json");
        i.request.json_body(json!({"email": ADMIN, "password": PASSWORD}));
        let user = json_pattern!({"id": id(), "name": like!("Administrator"), "role": "ADMIN"});
        i.response.ok().content_type("application/json").json_body(json_pattern!({
            "access_token": like!(TOKEN), "token_type": "Bearer", "expires_in": like!(900),
            "refresh_token": like!("r"), "user": user,
        }));
        i
    })
    .await;
}

async fn list(pact: &mut PactBuilderAsync) {
    pact.interaction("the first of several customers", "", |mut i| async move {
        i.given("two customers exist");
        signed(&mut i);
        i.request.path("/api/customers").query_param("limit", "1").query_param("count", "true");
        let link = term!(
            r#"^</api/customers\?[^>]*cursor=[A-Za-z0-9_-]+[^>]*>; rel="next"$"#,
            "</api/customers?limit=1&count=true&cursor=c2>; rel=\"next\""
        );
        i.response.ok().content_type("application/json").header("Link", link);
        i.response.header("X-Total-Count", term!("^[0-9]+$", "2")).json_body(each_like!(customer()));
        i
    })
    .await;
}

async fn create(pact: &mut PactBuilderAsync) {
    pact.interaction("a new customer", "", |mut i| async move {
        i.given("the administrator exists");
        signed(&mut i);
        i.request.post().path("/api/customers").content_type("application/json");
        i.request
            .header("Idempotency-Key", term!("^[0-9a-f-]{36}$", KEYS[0]))
            .json_body(json!({"name": "One"}));
        let location = term!("^/api/customers/[0-9a-f-]{36}$", format!("/api/customers/{ID}"));
        i.response.created().header("Location", location);
        record(&mut i, customer());
        i
    })
    .await;
}

async fn refuse(pact: &mut PactBuilderAsync) {
    pact.interaction("a customer without a name", "", |mut i| async move {
        i.given("the administrator exists");
        signed(&mut i);
        i.request.post().path("/api/customers").content_type("application/json");
        i.request.header("Idempotency-Key", term!("^[0-9a-f-]{36}$", KEYS[1])).json_body(json!({"name": ""}));
        let fault = json_pattern!({"field": "name", "code": like!("required"), "message": like!("m")});
        problem(&mut i, 422, "invalid_fields", json_pattern!({"errors": each_like!(fault)}));
        i
    })
    .await;
}

async fn stale(pact: &mut PactBuilderAsync) {
    pact.interaction("a change of what another has changed", "", |mut i| async move {
        i.given("a customer has changed once");
        signed(&mut i);
        i.request.method("PATCH").content_type("application/json").header("If-Match", "\"1\"");
        i.request.path_from_provider_state("/api/customers/${id}", format!("/api/customers/{ID}"));
        i.request.json_body(json!({"status": "ACTIVE", "phone": null}));
        problem(&mut i, 412, "stale_version", json_pattern!({}));
        i
    })
    .await;
}

async fn unread(pact: &mut PactBuilderAsync) {
    pact.interaction("the unread notifications", "", |mut i| async move {
        i.given("a notification is unread");
        signed(&mut i);
        i.request.path("/api/notifications/unread");
        let subject = json_pattern!({"type": like!("customer"), "id": id()});
        let notification = json_pattern!({
            "id": id(), "version": like!(1), "created_at": time(), "updated_at": time(),
            "kind": like!("customer.created"), "title": like!("t"), "body": like!("b"), "subject": subject,
            "data": like!({}),
        });
        i.response.ok().content_type("application/json").header("X-Total-Count", term!("^[0-9]+$", "1"));
        i.response.json_body(each_like!(notification));
        i
    })
    .await;
}

async fn approve(pact: &mut PactBuilderAsync) {
    pact.interaction("an approval", "", |mut i| async move {
        i.given("an approval of another waits");
        signed(&mut i);
        i.request.method("PATCH").content_type("application/json");
        i.request.path_from_provider_state(
            "/api/approvals/${id}/approve",
            format!("/api/approvals/{ID}/approve"),
        );
        i.request.header("Idempotency-Key", term!("^[0-9a-f-]{36}$", KEYS[2])).json_body(json!({"comment": "fine"}));
        i.response.ok();
        record(
            &mut i,
            json_pattern!({
                "id": id(), "version": like!(2), "created_at": time(), "updated_at": time(),
                "customer_id": id(), "title": like!("A discount"), "amount": like!(1), "currency": like!("JPY"),
                "status": "APPROVED", "requester_id": id(), "decided_by": id(), "decided_at": time(),
                "comment": "fine",
            }),
        );
        i
    })
    .await;
}

async fn saga(pact: &mut PactBuilderAsync) {
    pact.interaction("the progress of a deletion", "", |mut i| async move {
        i.given("a customer is being deleted");
        signed(&mut i);
        i.request.path_from_provider_state("/api/sagas/${id}", format!("/api/sagas/{ID}"));
        let step = json_pattern!({
            "service": like!("sales"), "name": like!("delete_meetings"),
            "status": term!("^(pending|done|failed)$", "done"), "counts": like!({}),
        });
        i.response.ok();
        record(
            &mut i,
            json_pattern!({
                "id": id(), "version": like!(1), "kind": "customer_deletion", "subject_id": id(), "started_at": time(),
                "status": term!("^(running|completed|failed)$", "running"), "steps": each_like!(step),
            }),
        );
        i
    })
    .await;
}

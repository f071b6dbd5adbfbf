//! The contract at `/openapi.json` and its page: complete, true of the server, and in need of nobody else.

use serde_json::Value;

use crate::rejected::{Rejected, all_refused};
use testing::{Api, Member, Sqlite, TestApp};

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";
const NOBODY_ELSE: &str = "0198c0de-0000-7000-8000-000000000001";

struct Operation {
    method: &'static str,
    path: String,
    is_public: bool,
    document: Value,
}

impl Operation {
    /// Its address, with an id that nobody has.
    fn address(&self) -> String {
        let path = self.path.replace("{id}", NOBODY).replace("{part_id}", NOBODY);
        path.replace("{delivery_id}", NOBODY).replace("{name}", "breaker.sales")
    }

    /// A valid request but for this query, with the error that is expected.
    fn rejected(&self, query: &str, status: u16, code: &'static str) -> Rejected {
        self.rejected_at(format!("{}{query}", self.address()), status, code)
    }

    /// A valid request to this address, with the error that is expected.
    fn rejected_at(&self, address: String, status: u16, code: &'static str) -> Rejected {
        // Their required parameters.
        let address = match self.path.rsplit('/').next() {
            Some("merge-preview") => format!("{address}?other_id={NOBODY_ELSE}"),
            Some("rows") => format!("{address}?outcome=new"),
            _ => address,
        };
        let rejected = Rejected::new(self.method, address, status, code);
        match self.method {
            "GET" => rejected,
            // Their required fields.
            "PATCH" if self.path.ends_with("/reject") => rejected.json("{\"comment\":\"a\"}"),
            "PATCH" if self.path.ends_with("/reassign") => {
                rejected.json(format!("{{\"approver_id\":\"{NOBODY}\"}}"))
            }
            "POST" if self.path.ends_with("/comments") => rejected.json("{\"text\":\"a\"}"),
            "POST" if self.path.ends_with("/merge") => {
                rejected.json(format!("{{\"other_id\":\"{NOBODY_ELSE}\"}}"))
            }
            "POST" if self.path.ends_with("/replay") => rejected.json("{\"from\":\"2026-03-01T10:00:00Z\"}"),
            "POST" if self.path.starts_with("/api/admin/breakers/") => rejected.json("{\"force\":\"none\"}"),
            _ => rejected.json("{}"),
        }
    }
}

/// Every operation of the document.
async fn operations(api: &Api) -> Vec<Operation> {
    let document = api.get("/openapi.json").await.expect(200).body;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (name, method) in [("get", "GET"), ("post", "POST"), ("patch", "PATCH"), ("delete", "DELETE")] {
            if let Some(document) = item.get(name) {
                let is_public = document["security"] == serde_json::json!([{}]);
                operations.push(Operation {
                    method,
                    path: path.clone(),
                    is_public,
                    document: document.clone(),
                });
            }
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_document_is_openapi_3_1_and_names_what_every_operation_answers() {
    let app = TestApp::start(Sqlite).await;
    let nobody = app.nobody();
    let answer = nobody.get("/openapi.json").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = &answer.body;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{answer}");
    let operations = operations(&nobody).await;
    let mut names: Vec<_> =
        operations.iter().map(|operation| operation.document["operationId"].to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), operations.len(), "no name is given twice");
    for Operation { method, path, document, is_public } in &operations {
        let answers = document["responses"].as_object().expect("responses");
        let is_right = |status: &str| status.starts_with('2') || status == "101";
        assert!(answers.keys().any(|status| is_right(status)), "{method} {path}");
        assert_eq!(answers.contains_key("403") && answers.contains_key("401"), !is_public, "{method} {path}");
        let problems = answers.iter().filter(|(status, _)| !is_right(status));
        for (status, problem) in problems {
            let schema = &problem["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
        }
    }
    for reference in answer.text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn decisions_take_a_key_and_say_whether_they_need_a_body() {
    let app = TestApp::start(Sqlite).await;
    let decisions = ["approve", "cancel", "reject", "reassign"];
    let document = app.nobody().get("/openapi.json").await.expect(200).body;
    let key = serde_json::json!({"$ref": "#/components/parameters/Idempotency-Key"});
    for decision in decisions {
        let operation = &document["paths"][format!("/api/approvals/{{id}}/{decision}")]["patch"];
        let parameters = operation["parameters"].as_array().expect("parameters");
        assert!(parameters.contains(&key), "{decision}: {operation}");
        let body = &operation["requestBody"];
        assert_eq!(body["required"] == true, matches!(decision, "reject" | "reassign"), "{decision}: {body}");
        let schema = &body["content"]["application/json"]["schema"];
        assert!(schema["$ref"].is_string(), "an object and not null: {schema}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_operation_needs_a_token_unless_it_says_otherwise() {
    let app = TestApp::start(Sqlite).await;
    let nobody = app.nobody();
    let (public, private): (Vec<_>, Vec<_>) =
        operations(&nobody).await.into_iter().partition(|operation| operation.is_public);
    let open: Vec<_> = public.iter().map(|operation| operation.path.as_str()).collect();
    let wanted = [
        "/api/auth/login",
        "/api/auth/refresh",
        "/asyncapi.json",
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/readyz",
    ];
    assert_eq!(open, wanted);
    assert!(private.len() >= 20, "{} operations", private.len());
    all_refused(&app, &nobody, private.iter().map(|operation| operation.rejected("", 401, "missing_token")))
        .await;
    let forged = nobody.token("nonsense");
    all_refused(&app, &forged, private.iter().map(|operation| operation.rejected("", 401, "invalid_token")))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_operation_refuses_parameters_that_it_does_not_name() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let api = operations(&admin).await.into_iter().filter(|operation| operation.path.starts_with("/api/"));
    let rejected = api.map(|operation| {
        let rejected = operation.rejected("?nonsense=1", 400, "invalid_parameter");
        rejected.fault("nonsense", "unknown_parameter")
    });
    all_refused(&app, &admin, rejected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_record_that_nobody_has_is_404_whatever_its_id_looks_like() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let records = operations(&admin).await.into_iter().filter(|operation| operation.path.contains("{id}"));
    let ids =
        [NOBODY, "17", "none", "%00", "%FF", "0198c0de00007000800000000000000", "..%2F..", "%F0%9F%8E%8C"];
    let rejected = records.flat_map(|operation| {
        ids.map(|id| {
            operation.rejected_at(
                operation.path.replace("{id}", id).replace("{part_id}", id).replace("{delivery_id}", id),
                404,
                "not_found",
            )
        })
    });
    all_refused(&app, &admin, rejected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_operation_with_a_body_refuses_what_is_no_object_of_its_fields() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let takes_json =
        |operation: &Operation| operation.document["requestBody"]["content"]["application/json"].is_object();
    let bodies = operations(&admin).await.into_iter().filter(takes_json);
    let mut rejected = Vec::new();
    for operation in bodies {
        let request = |status, code| Rejected::new(operation.method, operation.address(), status, code);
        rejected.push(request(415, "unsupported_media_type").typed("text/plain", "{}"));
        rejected.push(request(400, "malformed_json").json("{"));
        rejected.push(request(422, "invalid_fields").json("[]").fault("", "invalid_type"));
        rejected
            .push(request(422, "invalid_fields").json("{\"nonsense\":1}").fault("nonsense", "unknown_field"));
        rejected.push(request(413, "body_too_large").json(" ".repeat(300 * 1024)));
    }
    assert!(rejected.len() >= 5 * 9, "{} requests", rejected.len());
    all_refused(&app, &admin, rejected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_page_loads_with_all_that_it_needs_from_this_server() {
    let app = TestApp::start(Sqlite).await;
    let nobody = app.nobody();
    let moved = nobody.get("/docs").await;
    assert_eq!((moved.status / 100, moved.header("location")), (3, Some("/docs/")), "{moved}");
    let page = nobody.get("/docs/").await.expect(200);
    assert!(page.header("content-type").is_some_and(|media| media.starts_with("text/html")), "{page}");
    let mut assets = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        assets.extend(page.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
    }
    assert!(assets.len() >= 5, "{assets:?}");
    for asset in assets {
        assert!(!asset.contains("//"), "{asset} is elsewhere");
        let answer = nobody.get(&format!("/docs/{}", asset.trim_start_matches("./"))).await.expect(200);
        assert!(!answer.text.is_empty(), "{asset}");
    }
    let initializer = nobody.get("/docs/swagger-initializer.js").await.expect(200).text;
    assert!(initializer.contains("\"/openapi.json\"") && !initializer.contains("https:"), "{initializer}");
    let policy = page.header("content-security-policy").expect("a policy");
    for needed in ["script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:"] {
        assert!(policy.contains(needed), "a browser would not load the page: {policy}");
    }
    nobody.get("/docs/../Cargo.toml").await.expect(404);
    nobody.get("/docs/nonsense.js").await.expect(404);
}

#[tokio::test]
async fn choices_are_written_as_the_api_writes_them() {
    let app = TestApp::start(Sqlite).await;
    let document = app.nobody().get("/openapi.json").await.expect(200).body;
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    // Names of Rust's variants have capitals and small letters; the API's words have one or the other. Zones are IANA's.
    let is_foreign = |word: &str| word.contains(char::is_uppercase) && word.contains(char::is_lowercase);
    for (name, schema) in schemas.iter().filter(|(name, _)| *name != "TimeZone") {
        let choices = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let foreign: Vec<&str> = choices.filter(|word| is_foreign(word)).collect();
        assert!(foreign.is_empty(), "{name}: {foreign:?}");
    }
}

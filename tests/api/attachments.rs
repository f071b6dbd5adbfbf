//! `/api/{customers,meetings,tasks,approvals}/{id}/attachments`: files beside records, what they may be, and how they are sent.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use sha2::{Digest, Sha256};

use testing::deleted_records;
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp, eventually};

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";
const BOUNDARY: &str = "----kizuna";
const MIB: usize = 1024 * 1024;

/// A record of each kind that belongs to `owner`: its path below `/api`.
async fn records(owner: &Member) -> Vec<String> {
    let customer = owner.customer("絆").await.id();
    vec![
        format!("/api/meetings/{}", owner.meeting(&customer, "訪問").await.id()),
        format!("/api/tasks/{}", owner.task("電話する", "2099-03-09T10:00:00Z").await.id()),
        format!("/api/approvals/{}", owner.approval(&customer, "値引き").await.id()),
        format!("/api/customers/{customer}"),
    ]
}

/// A form with one file.
fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

async fn post(by: &Api, record: &str, body: impl Into<Vec<u8>>) -> Answer {
    let by = by.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    by.raw("POST", &format!("{record}/attachments"), body.into()).await
}

async fn attach(by: &Api, record: &str, name: &str, content: &[u8]) -> Answer {
    post(by, record, form(name, content)).await
}

fn at(record: &str, attachment: &Answer) -> String {
    format!("{record}/attachments/{}", attachment.id())
}

/// A PDF of so many bytes.
fn pdf(length: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.extend((0..length - bytes.len()).map(|n| (n % 251) as u8));
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The answer's body as bytes.
async fn content(by: &Api, path: &str) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let token = by.access_token().expect("a token");
    let url = format!("{}{path}/content", by.base());
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    (headers, answer.bytes().await.expect("a body").to_vec())
}

/// Waits until the bytes of what was removed are gone, too.
async fn no_bytes(app: &TestApp, left: i64) {
    app.settle().await;
    eventually(Duration::from_secs(10), async || match app.rows("attachment_parts").await {
        rows if rows == left => Ok(()),
        rows => Err(format!("{rows} parts")),
    })
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_comes_back_as_it_was_sent(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    for record in records(&sales).await {
        let before = sales.get(&record).await.expect(200);
        let bytes = pdf(600_000);
        let made = attach(&manager, &record, "見積 書;\\\"1\\\".pdf", &bytes).await.expect(201);
        let (kind, id) = record.rsplit_once("s/").expect("a path");
        let wanted = json!({
            "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
            "updated_at": "2026-03-02T09:00:00.000000Z", "record_type": kind.rsplit('/').next(), "record_id": id,
            "author_id": manager.id, "name": "見積 書;\"1\".pdf", "media_type": "application/pdf",
            "size": 600_000, "sha256": sha256(&bytes),
        });
        assert_eq!(made.body, wanted);
        assert_eq!((made.version(), made.header("location")), (Some(1), Some(at(&record, &made).as_str())));
        let path = at(&record, &made);
        assert_eq!(sales.get(&path).await.expect(200).body, wanted);
        let list = sales.get(&format!("{record}/attachments?count=true")).await.expect(200);
        assert_eq!((list.items(), list.header("x-total-count")), (&[wanted][..], Some("1")));
        let (headers, back) = content(&sales, &path).await;
        assert!(back == bytes, "the bytes that were sent");
        let header =
            |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        assert_eq!(header("content-type"), "application/pdf");
        let disposition = "attachment; filename*=UTF-8''%E8%A6%8B%E7%A9%8D%20%E6%9B%B8%3B%221%22.pdf";
        assert_eq!(header("content-disposition"), disposition);
        assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "private, no-store");
        assert_eq!(
            (header("content-length"), header("etag")),
            ("600000".into(), format!("\"{}\"", sha256(&bytes)))
        );
        let known = sales.header("if-none-match", format!("\"{}\"", sha256(&bytes)));
        known.get(&format!("{path}/content")).await.expect(304);
        assert_eq!(
            sales.get(&record).await.expect(200).version(),
            before.version(),
            "the record itself stays"
        );
        for path in [path.clone(), format!("{path}/content"), format!("{record}/attachments")] {
            colleague.get(&path).await.expect_problem(404, "not_found");
        }
        attach(&colleague, &record, "a.pdf", &bytes).await.expect_problem(404, "not_found");
        app.settle().await;
        let activity = sales.get(&format!("{record}/activity")).await.expect(200);
        assert_eq!(activity.items()[0]["type"], "attachment.added");
        assert!(!activity.text.contains("bytes"), "the bytes are in no event");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_attached_a_file_and_an_admin_remove_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for record in records(&sales).await {
        let made = attach(&manager, &record, "a.txt", b"a").await.expect(201);
        let path = at(&record, &made);
        sales.delete(&path).await.expect_problem(403, "forbidden");
        manager.if_match(2).delete(&path).await.expect_problem(412, "stale_version");
        let gone = manager.if_match(1).delete(&path).await.expect(200);
        assert_eq!(gone.body, json!({"id": made.id(), "status": "deleted"}));
        manager.delete(&path).await.expect_problem(404, "not_found");
        manager.get(&format!("{path}/content")).await.expect_problem(404, "not_found");
        let other = attach(&sales, &record, "b.txt", b"b").await.expect(201);
        admin.delete(&at(&record, &other)).await.expect(200);
        admin.get(&format!("{record}/attachments/{NOBODY}")).await.expect_problem(404, "not_found");
    }
    no_bytes(&app, 0).await;
    assert_eq!(app.rows("uploads").await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_content_decides_what_a_file_is(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let record = &records(&sales).await[3];
    for (name, bytes, media_type) in [
        ("a.exe", &b"\x89PNG\r\n\x1a\n0000"[..], "image/png"),
        ("a.csv", "名前,金額\r\n".as_bytes(), "text/csv; charset=utf-8"),
        ("../../a.txt", b"\x96\xbc\x91\x4f", "text/plain"),
        ("a.zip", b"PK\x03\x04 and so on", "application/zip"),
    ] {
        let made = attach(&sales, record, name, bytes).await.expect(201);
        assert_eq!(made.text_at("/media_type"), media_type, "{name}");
        assert!(!made.text_at("/name").contains('/'), "{made}");
        assert_eq!(content(&sales, &at(record, &made)).await.1, bytes, "{name}");
    }
    for (name, bytes, code) in [
        ("a.png", &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], "file_type_not_allowed"),
        ("a.svg", b"<svg/>", "file_type_not_allowed"),
        ("a.html", b"<p>", "file_type_not_allowed"),
        ("a.txt", b"<!DOCTYPE html>", "file_type_not_allowed"),
        ("a.pdf", b"MZ\x90\0", "file_type_not_allowed"),
        ("a.txt", b"", "file_empty"),
        ("..", b"a", "file_without_name"),
        ("", b"a", "required"),
    ] {
        let refused = attach(&sales, record, name, bytes).await.expect_problem(422, "invalid_fields");
        assert_eq!(refused.text_at("/errors/0/code"), code, "{name}: {refused}");
        assert_eq!(refused.text_at("/errors/0/field"), "file", "{refused}");
    }
    let long = format!("{}.txt", "長".repeat(197));
    attach(&sales, record, &long, b"a").await.expect_problem(422, "invalid_fields");
    attach(&sales, record, &long[3..], b"a").await.expect(201);
    assert_eq!(
        (app.rows("uploads").await, app.rows("attachment_parts").await),
        (0, 5),
        "nothing of the refused is left"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_has_ten_mebibytes_and_no_more(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let record = &records(&sales).await[0];
    let whole = pdf(10 * MIB);
    let made = attach(&sales, record, "a.pdf", &whole).await.expect(201);
    assert!(content(&sales, &at(record, &made)).await.1 == whole);
    attach(&sales, record, "a.pdf", &pdf(10 * MIB + 1)).await.expect_problem(413, "attachment_too_large");
    attach(&sales, record, "a.pdf", &pdf(12 * MIB)).await.expect_problem(413, "attachment_too_large");
    assert_eq!((app.rows("uploads").await, app.rows("attachment_parts").await), (0, 40));
    sales.delete(&at(record, &made)).await.expect(200);
    no_bytes(&app, 0).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_has_fifty_attachments_whoever_attaches_them_at_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let record = &records(&sales).await[1];
    for n in 0..44 {
        attach(&sales, record, &format!("{n}.txt"), b"a").await.expect(201);
    }
    let names: Vec<String> = (0..12).map(|n| format!("b{n}.txt")).collect();
    let added = join_all(names.iter().map(|name| attach(&manager, record, name, b"b")));
    let (made, refused): (Vec<_>, Vec<_>) = added.await.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 6, "{refused:?}");
    for answer in refused {
        answer.expect_problem(409, "too_many_attachments");
    }
    manager.delete(&at(record, &made[0])).await.expect(200);
    attach(&sales, record, "again.txt", b"c").await.expect(201);
    attach(&sales, record, "more.txt", b"c").await.expect_problem(409, "too_many_attachments");
    assert_eq!(app.rows("tasks_attachments").await, 50);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_repeated_request_is_one_attachment(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let record = &records(&sales).await[2];
    let once = sales.idempotency_key("file-1");
    let first = attach(&once, record, "a.txt", b"a").await.expect(201);
    let again = attach(&once, record, "a.txt", b"a").await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), again.id()), (Some("true"), first.id()));
    attach(&once, record, "a.txt", b"b").await.expect_problem(422, "idempotency_key_reused");
    attach(&once, record, "b.txt", b"a").await.expect_problem(422, "idempotency_key_reused");
    assert_eq!((app.rows("approvals_attachments").await, app.rows("attachment_parts").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_no_form_with_one_file_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let record = &records(&sales).await[3];
    let path = format!("{record}/attachments");
    sales.post(&path, json!({})).await.expect_problem(415, "unsupported_media_type");
    let bare = sales.header("content-type", "multipart/form-data");
    bare.raw("POST", &path, "").await.expect_problem(415, "unsupported_media_type");
    let part = |head: &str| format!("--{BOUNDARY}\r\n{head}\r\n\r\na\r\n--{BOUNDARY}--\r\n").into_bytes();
    for (body, status, code) in [
        (b"".to_vec(), 400, "malformed_request"),
        (b"no form".to_vec(), 400, "malformed_request"),
        (form("a.txt", b"a")[..60].to_vec(), 400, "malformed_request"),
        (part("Content-Type: text/plain"), 400, "malformed_request"),
        (format!("--{BOUNDARY}--\r\n").into_bytes(), 422, "invalid_fields"),
        (part("Content-Disposition: form-data; name=\"text\""), 422, "invalid_fields"),
        (part("Content-Disposition: form-data; name=\"other\"; filename=\"a.txt\""), 422, "invalid_fields"),
        (vec![b'x'; 70_000], 400, "malformed_request"),
    ] {
        post(&sales, record, body).await.expect_problem(status, code);
    }
    let two = form("a.txt", b"a");
    let end = format!("--{BOUNDARY}--\r\n").len();
    let two = [&two[..two.len() - end], &form("b.txt", b"b")].concat();
    post(&sales, record, two).await.expect_problem(422, "invalid_fields");
    sales.get(&format!("{path}?sort=name")).await.expect_problem(400, "invalid_parameter");
    assert_eq!((app.rows("uploads").await, app.rows("attachment_parts").await), (0, 0));
    // Whatever a part is cut into, and with what other clients write around it.
    let odd =
        [b"preamble\r\n".to_vec(), form("a.txt", b"\r\n--\r\n----kizun\r\n"), b"epilogue".to_vec()].concat();
    let made = post(&sales, record, odd).await.expect(201);
    assert_eq!(content(&sales, &at(record, &made)).await.1, b"\r\n--\r\n----kizun\r\n");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_attachment_outlives_its_record(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let records = records(&sales).await;
    let [meeting, task, approval, customer] = &records[..] else { panic!("four records") };
    for record in &records {
        attach(&sales, record, "a.pdf", &pdf(300_000)).await.expect(201);
    }
    for record in [task, meeting, customer] {
        let adding = join_all((0..6).map(|_| attach(&manager, record, "b.txt", b"b")));
        let (added, deleted) = tokio::join!(adding, admin.delete(record));
        deleted.expect(200);
        for answer in added {
            assert!([201, 404].contains(&answer.status), "{answer}");
        }
        attach(&manager, record, "c.txt", b"c").await.expect_problem(404, "not_found");
    }
    app.settle().await;
    app.expect_none(&deleted_records::PROMISES).await;
    // They are kept as long as the deletion can be undone, and then go with their bytes.
    assert!(app.rows("attachment_parts").await > 2);
    deleted_records::purge(&app).await;
    for table in ["customers_attachments", "meetings_attachments", "tasks_attachments"] {
        assert_eq!(app.rows(table).await, 0, "{table}");
    }
    assert_eq!(app.rows("attachment_parts").await, 2);
    // The approval stays, with its two parts; of refused uploads only the sweep knows.
    assert_eq!(
        content(&sales, &format!("{approval}/attachments/{}", first(&sales, approval).await)).await.1.len(),
        300_000
    );
}

async fn first(by: &Api, record: &str) -> String {
    by.get(&format!("{record}/attachments")).await.expect(200).text_at("/0/id")
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_upload_that_nobody_attached_is_swept_after_an_hour(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let record = &records(&sales).await[3];
    let kept = attach(&sales, record, "kept.txt", b"kept").await.expect(201);
    let user = kernel::ids::Id::parse(&sales.id).expect("an id");
    let of = kernel::ids::Id::parse(record.rsplit('/').next().expect("an id")).expect("an id");
    let given_up = kernel::ids::new_id();
    let now = kernel::clock::Timestamp::parse("2026-03-02T09:00:00Z").expect("a time");
    kizuna::persistence::uploads::begin(&app.db, (given_up, of, user), "a.pdf", now).await.expect("stored");
    for part in 0..70 {
        let stored = kizuna::persistence::uploads::put_part(&app.db, given_up, of, part, vec![0; 10]).await;
        stored.expect("stored");
    }
    let sweep = async |minutes: u64| {
        let later = now.plus(Duration::from_secs(60 * minutes));
        kizuna::actors::uploads::sweep(&app.db, later).await.expect("swept")
    };
    assert_eq!((sweep(59).await, app.rows("attachment_parts").await), (0, 71));
    assert_eq!((sweep(61).await, app.rows("attachment_parts").await, app.rows("uploads").await), (1, 1, 0));
    assert_eq!(content(&sales, &at(record, &kept)).await.1, b"kept");
}

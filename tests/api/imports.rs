//! `/api/imports`: files are read, previewed and carried out; what is wrong is told, and writes nothing.

use encoding_rs::SHIFT_JIS;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

use testing::upload::{archive, form, send, text_rows, workbook};
use testing::{Answer, Api, Database, Postgres, Sqlite, Team, TestApp, eventually};

const IMPORTS: &str = "/api/imports";

async fn upload(by: &Api, fields: &[(&str, &str)], content: impl AsRef<[u8]>) -> Answer {
    send(by, IMPORTS, form(fields, "名簿.csv", content.as_ref())).await
}

async fn customers(by: &Api, content: impl AsRef<[u8]>) -> Answer {
    upload(by, &[("kind", "customers")], content).await
}

fn counts(import: &Answer) -> [i64; 4] {
    ["new", "changed", "same", "wrong"].map(|name| import.body["counts"][name].as_i64().expect("a count"))
}

/// The faults of an import: row, field and code.
fn faults(import: &Answer) -> Vec<(i64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = |it: &Value| (it["row"].as_i64().unwrap_or(0), text(&it["field"]), text(&it["code"]));
    import.body["faults"].as_array().expect("faults").iter().map(fault).collect()
}

/// Carries an import out; the saga when it has ended.
async fn commit(app: &TestApp, by: &Api, import: &Answer) -> Value {
    let path = format!("{IMPORTS}/{}", import.id());
    let answer = by.post(&format!("{path}/commit"), json!({})).await.expect(202);
    app.settle().await;
    let saga = by.get(&answer.text_at("/saga/href")).await.expect(200).body;
    assert_eq!(saga["status"], "completed", "{saga}");
    assert_eq!(by.get(&path).await.expect(200).body["status"], "committed");
    saga
}

async fn names(by: &Api) -> Vec<String> {
    let all = by.get("/api/customers?sort=name&limit=200").await.expect(200);
    all.items().iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_is_previewed_carried_out_and_changes_nothing_the_second_time(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let known = sales.create_customer(json!({"name": "山田", "email": "yamada@example.com"})).await.id();
    sales.create_customer(json!({"name": "鈴木", "email": "suzuki@example.com", "status": "ACTIVE"})).await;
    let file = format!(
        "氏名,メールアドレス,状態,電話番号,担当者\r\n佐藤 花子,Sato@Example.com,取引中,'+81-3-1234,{0}\r\n\
         山田 太郎,yamada@example.com,,,{0}\r\n鈴木,suzuki@example.com,取引中,,\r\n\
         ,nobody@example.com,,,\r\n田中,tanaka@example.com,？,,x@example.com\r\n",
        sales.email
    );
    app.settle().await;
    let before = names(&manager).await;
    let import = customers(&manager, &file).await.expect(201);
    assert_eq!(import.header("location"), Some(format!("{IMPORTS}/{}", import.id()).as_str()));
    assert_eq!(import.header("etag"), Some("\"1\""));
    assert_eq!(counts(&import), [1, 1, 1, 2], "{import}");
    assert_eq!((&import.body["status"], &import.body["match_on"]), (&json!("previewed"), &json!("email")));
    assert_eq!(
        faults(&import),
        [
            (5, "name".into(), "required".into()),
            (6, "status".into(), "invalid_choice".into()),
            (6, "owner_email".into(), "unknown_user".into())
        ]
    );
    assert_eq!(import.body["faults"][0]["column"], "氏名");
    assert_eq!(names(&manager).await, before, "a preview writes no record");
    let changed = manager.get(&format!("{IMPORTS}/{}/rows?outcome=changed", import.id())).await.expect(200);
    let [row] = changed.items() else { panic!("{changed}") };
    assert_eq!((&row["row"], &row["record_id"]), (&json!(3), &json!(known)));
    assert_eq!(row["changes"], json!([{"field": "name", "from": "山田", "to": "山田 太郎"}]));
    let saga = commit(&app, &manager, &import).await;
    assert_eq!((&saga["kind"], &saga["subject_id"]), (&json!("customers_import"), &json!(import.id())));
    assert_eq!((&saga["bulk"]["total"], &saga["bulk"]["changed"]), (&json!(2), &json!(2)));
    let sato = manager.get("/api/customers?q=sato@example.com").await.expect(200);
    let sato = &sato.items()[0];
    assert_eq!(
        (&sato["name"], &sato["status"], &sato["phone"], &sato["owner_id"]),
        (&json!("佐藤 花子"), &json!("ACTIVE"), &json!("+81-3-1234"), &json!(sales.id))
    );
    let again = customers(&manager, &file).await.expect(201);
    assert_eq!(counts(&again), [0, 0, 3, 2], "{again}");
    app.settle().await;
    let stored = app.rows("events WHERE type LIKE 'customer.%'").await;
    let saga = commit(&app, &manager, &again).await;
    assert_eq!((&saga["bulk"]["total"], &saga["steps"]), (&json!(0), &json!([])));
    assert_eq!(app.rows("events WHERE type LIKE 'customer.%'").await, stored, "it changes nothing");
    let events = manager.get(&format!("/api/audit/events?subject={}", import.id())).await.expect(200);
    let [event] = events.items() else { panic!("{events}") };
    assert_eq!(
        (&event["type"], &event["source"]),
        (&json!("import.committed"), &json!("/services/customer"))
    );
    assert_eq!(event["data"]["import"]["counts"], json!({"new": 1, "changed": 1, "same": 1, "wrong": 2}));
    assert_eq!(app.rows("attachment_parts").await, 0, "the bytes go when they were carried out");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_cannot_be_read_is_told_and_leaves_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let columns = vec!["a"; 1_000_000].join(",");
    let bomb = archive(&[("xl/worksheets/sheet1.xml", vec![b' '; 300 * 1024 * 1024])]);
    assert!(bomb.len() < 1024 * 1024);
    let formula = workbook(
        r#"<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>"#,
    );
    let rows = format!("name\n{}", "a\n".repeat(100_001));
    for (content, code, said) in [
        (b"".to_vec(), "file_empty", ""),
        (b"\n\n".to_vec(), "file_empty", ""),
        (b"name,email\na,b@c,d\n".to_vec(), "ragged_row", "Row 2"),
        (b"name,email\n\"a\n".to_vec(), "ragged_row", "Row 2"),
        ("name,Ｎａｍｅ\na,b\n".as_bytes().to_vec(), "header_twice", "Ｎａｍｅ"),
        (b"name,email\na\0,b@c\n".to_vec(), "file_has_nul", "Row 2"),
        (b"name\n\xE9\n".to_vec(), "wrong_encoding", "Shift_JIS"),
        (columns.into_bytes(), "too_many_columns", "200"),
        (rows.into_bytes(), "too_many_rows", "100000"),
        (b"%PDF-1.7\n".to_vec(), "not_a_sheet", ""),
        (b"PK\x03\x04 no archive".to_vec(), "not_a_sheet", ""),
        (archive(&[("a.txt", b"hello".to_vec())]), "not_a_sheet", ""),
        (bomb, "unpacks_too_large", ""),
        (formula, "formula_cell", "A2"),
    ] {
        let answer = customers(&sales, &content).await.expect(422);
        let fault = &answer.body["errors"][0];
        assert_eq!((&fault["field"], &fault["code"]), (&json!("file"), &json!(code)), "{answer}");
        assert!(fault["message"].as_str().unwrap().contains(said), "{answer}");
    }
    let told = [("kind", "customers"), ("encoding", "UTF-8")];
    let wrong = upload(&sales, &told, SHIFT_JIS.encode("氏名\n佐藤\n").0).await.expect(422);
    assert_eq!(wrong.body["errors"][0]["code"], "wrong_encoding");
    let ja = upload(&sales.language("ja"), &told, b"").await.expect(422);
    assert_eq!(ja.body["errors"][0]["message"], "ファイルが空です。");
    let form = [("kind", "people"), ("match_on", "name"), ("colour", "red")];
    let wrong = upload(&sales, &form, b"name\na\n").await.expect(422);
    assert_eq!(wrong.body["errors"].as_array().map(Vec::len), Some(3), "{wrong}");
    let by_email = [("kind", "tasks"), ("match_on", "email")];
    upload(&sales, &by_email, b"title\na\n").await.expect(422);
    let unmapped = [("kind", "customers"), ("mapping", r#"{"nom": "name"}"#)];
    let wrong = upload(&sales, &unmapped, b"name\na\n").await.expect(422);
    assert_eq!(wrong.body["errors"][0]["code"], "unknown_header");
    let large = customers(&sales, vec![b'a'; 21 * 1024 * 1024]).await.expect(413);
    assert_eq!(large.body["code"], "import_too_large");
    app.settle().await;
    for table in
        ["imports", "import_rows", "uploads", "attachment_parts", "customer_batches", "sales_batches"]
    {
        assert_eq!(app.rows(table).await, 0, "{table}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_encoding_and_a_workbook_are_the_same_table(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let text = "氏名,会社,備考\r\n佐藤 花子,㈱青空,\"一行目\r\n二行目\"\r\n";
    let utf16 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let sheet = text_rows(&[&["氏名", "会社", "備考"], &["佐藤 花子", "㈱青空", "一行目&#10;二行目"]]);
    for (content, format, encoding) in [
        (text.as_bytes().to_vec(), "csv", json!("UTF-8")),
        (format!("\u{feff}{text}").into_bytes(), "csv", json!("UTF-8")),
        (utf16(false), "csv", json!("UTF-16LE")),
        (utf16(true), "csv", json!("UTF-16BE")),
        (SHIFT_JIS.encode(text).0.into_owned(), "csv", json!("Shift_JIS")),
        (workbook(&sheet), "xlsx", Value::Null),
    ] {
        let import = customers(&sales, content).await.expect(201);
        assert_eq!(
            (&import.body["format"], &import.body["encoding"]),
            (&json!(format), &encoding),
            "{import}"
        );
        assert_eq!(import.body["headers"], json!(["氏名", "会社", "備考"]));
        let rows = sales.get(&format!("{IMPORTS}/{}/rows?outcome=new", import.id())).await.expect(200);
        let changes = &rows.items()[0]["changes"];
        let of = |field: &str| {
            let change = changes.as_array().and_then(|all| all.iter().find(|it| it["field"] == field));
            change.map(|it| it["to"].clone()).unwrap_or_default()
        };
        assert_eq!((of("name"), of("company")), (json!("佐藤 花子"), json!("㈱青空")), "{rows}");
        assert!(of("notes").as_str().unwrap().ends_with("二行目"), "{rows}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_that_is_as_its_row_says_gets_its_external_id(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let known = json!({"name": "佐藤", "email": "sato@example.com"});
    let known = sales.create_customer(known).await.id();
    let file = "id,name,email\nK-1,佐藤,sato@example.com\n";
    let by_email = [("kind", "customers"), ("match_on", "email")];
    let import = upload(&sales, &by_email, file).await.expect(201);
    assert_eq!(counts(&import), [0, 1, 0, 0]);
    let rows = sales.get(&format!("{IMPORTS}/{}/rows?outcome=changed", import.id())).await.expect(200);
    let changes = json!([{"field": "external_id", "from": null, "to": "K-1"}]);
    assert_eq!(rows.items()[0]["changes"], changes, "{rows}");
    let saga = commit(&app, &sales, &import).await;
    assert_eq!((&saga["bulk"]["changed"], &saga["bulk"]["refused"]), (&json!(1), &json!(0)));
    assert_eq!(sales.get(&format!("/api/customers/{known}")).await.expect(200).body["version"], json!(1));
    for match_on in ["email", "external_id"] {
        let again = upload(&sales, &[("kind", "customers"), ("match_on", match_on)], file).await.expect(201);
        assert_eq!(counts(&again), [0, 0, 1, 0], "{match_on}");
    }
    let undo = sales.post(&format!("{IMPORTS}/{}/undo", import.id()), json!({})).await;
    undo.expect_problem(409, "not_undoable");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn meetings_tasks_and_deals_find_their_customers_and_themselves(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let list =
        format!("管理番号,氏名,メール,担当\nK-1,佐藤,sato@example.com,{0}\nK-2,山田,,{0}\n", sales.email);
    let import = customers(&manager, &list).await.expect(201);
    assert_eq!((&import.body["match_on"], counts(&import)), (&json!("external_id"), [2, 0, 0, 0]));
    commit(&app, &manager, &import).await;
    // A moment of a workbook is a number of days.
    let meetings = workbook(
        r#"<row r="1"><c r="A1" t="inlineStr"><is><t>顧客コード</t></is></c><c r="B1" t="inlineStr"><is><t>件名</t></is></c><c r="C1" t="inlineStr"><is><t>日時</t></is></c><c r="D1" t="inlineStr"><is><t>所要時間</t></is></c><c r="E1" t="inlineStr"><is><t>外部ID</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>K-1</t></is></c><c r="B2" t="inlineStr"><is><t>訪問</t></is></c><c r="C2" s="2"><v>46331.604166666664</v></c><c r="D2"><v>90</v></c><c r="E2"><v>7</v></c></row>"#,
    );
    let tasks = "id,件名,期限,顧客メール,状態\nT-1,電話,令和8年11月5日,SATO@example.com,済\nT-2,見積,2026/11/6 午後2時30分,,\n";
    let deals = "id,顧客コード,案件名,金額,通貨,ステージ,受注予定日,失注理由\nD-1,K-1,機械,\"￥1,200\",,提案,R8.12.1,\n\
                 D-2,K-2,部品,\"1,200.50\",USD,失注,2026-12-01,価格\nD-3,K-9,なし,1,,,,\n";
    for (kind, content, wrong) in [
        ("meetings", meetings, vec![]),
        ("tasks", tasks.as_bytes().to_vec(), vec![]),
        (
            "deals",
            deals.as_bytes().to_vec(),
            vec![(4, "customer_external_id".to_owned(), "unknown_customer".to_owned())],
        ),
    ] {
        let first = upload(&sales, &[("kind", kind)], &content).await.expect(201);
        assert_eq!(faults(&first), wrong, "{first}");
        commit(&app, &sales, &first).await;
        let second = upload(&sales, &[("kind", kind)], &content).await.expect(201);
        let [new, changed, same, _] = counts(&second);
        assert_eq!((new, changed, same), (0, 0, counts(&first)[0]), "{kind}: {second}");
    }
    let meeting = sales.get("/api/meetings").await.expect(200).items()[0].clone();
    assert_eq!(
        (&meeting["met_at"], &meeting["duration_minutes"]),
        (&json!("2026-11-05T05:30:00.000000Z"), &json!(90))
    );
    let tasks = sales.get("/api/tasks?sort=due_at").await.expect(200);
    let due: Vec<_> = tasks.items().iter().map(|task| task["due_at"].clone()).collect();
    assert_eq!(due, ["2026-11-05T14:59:00.000000Z", "2026-11-06T05:30:00.000000Z"]);
    assert_eq!(tasks.items()[0]["status"], "DONE");
    let deals = sales.get("/api/deals?sort=amount").await.expect(200);
    let amounts: Vec<_> =
        deals.items().iter().map(|it| (it["amount"].clone(), it["currency"].clone())).collect();
    assert_eq!(amounts, [(json!(1_200), json!("JPY")), (json!(120_050), json!("USD"))]);
    assert_eq!(deals.items()[1]["lost_reason"], "価格");
    let moved = upload(&sales, &[("kind", "deals")], "id,ステージ\nD-1,交渉\nD-2,受注\n").await.expect(201);
    assert_eq!(faults(&moved), [(3, "stage".into(), "deal_is_closed".into())], "{moved}");
    assert_eq!(counts(&moved), [0, 1, 0, 1]);
    commit(&app, &sales, &moved).await;
    assert_eq!(sales.get("/api/deals?sort=amount").await.expect(200).items()[0]["stage"], "NEGOTIATE");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mapping_and_options_are_mended_and_the_file_is_read_again(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let file = "A;B;C\nTreffen;5/11/2026 14:30;\nReise;13/11/2026;\n";
    let import = upload(&sales, &[("kind", "tasks")], file).await.expect(201);
    assert_eq!(counts(&import), [0, 0, 0, 2]);
    let path = format!("{IMPORTS}/{}", import.id());
    let mapping = json!({"mapping": {"A": "title", "B": "due_at"}});
    let mapped = sales.if_match(1).patch(&path, mapping.clone()).await.expect(200);
    assert_eq!(faults(&mapped)[0], (2, "due_at".into(), "date_order_needed".into()));
    assert_eq!((mapped.header("etag"), &mapped.body["faults"][0]["column"]), (Some("\"2\""), &json!("B")));
    sales.if_match(1).patch(&path, mapping).await.expect(412);
    let told =
        sales.patch(&path, json!({"date_order": "dmy", "time_zone": "Europe/Berlin"})).await.expect(200);
    assert_eq!(counts(&told), [2, 0, 0, 0], "{told}");
    let twice = json!({"mapping": {"A": "title", "B": "title", "Z": "notes"}, "colour": 1});
    let wrong = sales.patch(&path, json!({"mapping": twice["mapping"]})).await.expect(422);
    assert_eq!(wrong.body["errors"].as_array().map(Vec::len), Some(2), "{wrong}");
    sales.patch(&path, twice).await.expect(422);
    commit(&app, &sales, &told).await;
    let tasks = sales.get("/api/tasks?sort=due_at").await.expect(200);
    assert_eq!(tasks.items()[0]["due_at"], "2026-11-05T13:30:00.000000Z");
    let late = sales.patch(&path, json!({"date_order": "mdy"})).await.expect(409);
    assert_eq!(late.body["code"], "import_not_previewed");
    assert_eq!(app.rows("sales_batches").await, 1, "batches of previews before are gone");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_row_that_names_a_record_twice_is_wrong(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let file = "id,name,email\n1,A,a@example.com\n2,B,A@example.com\n1,C,\n,D,\n,E,\n";
    let by_id = customers(&sales, file).await.expect(201);
    assert_eq!(
        faults(&by_id),
        [(3, "email".into(), "duplicate_email".into()), (4, "external_id".into(), "duplicate_row".into())]
    );
    commit(&app, &sales, &by_id).await;
    let by_email = [("kind", "customers"), ("match_on", "email")];
    let again =
        upload(&sales, &by_email, "name,email\nA2,a@example.com\nA3,a@example.com\n").await.expect(201);
    assert_eq!(faults(&again), [(3, "email".into(), "duplicate_row".into())]);
    let other = customers(&sales, "id,name,email\n9,Z,a@example.com\n").await.expect(201);
    assert_eq!(faults(&other), [(2, "email".into(), "duplicate_email".into())]);
    sales
        .header("X-Allow-Duplicate", "true")
        .post("/api/customers", json!({"name": "A", "email": "a@example.com"}))
        .await
        .expect(201);
    app.settle().await;
    let unclear = upload(&sales, &by_email, "name,email\nA2,a@example.com\n").await.expect(201);
    assert_eq!(faults(&unclear), [(2, "email".into(), "several_records".into())]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_import_what_is_theirs_and_see_no_other_s(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    colleague.create_customer(json!({"name": "他", "email": "other@example.com"})).await;
    let theirs = customers(&colleague, "id,name\nX,彼の\n").await.expect(201);
    commit(&app, &colleague, &theirs).await;
    let file = format!(
        "id,name,email,owner\nX,私の,other@example.com,{}\nY,B,,{}\nZ,C,,nobody@example.com\n",
        sales.email, colleague.email
    );
    let import = customers(&sales, &file).await.expect(201);
    let not = |row| (row, "owner_email".to_owned(), "not_oneself".to_owned());
    assert_eq!((faults(&import), counts(&import)), (vec![not(3), not(4)], [1, 0, 0, 2]), "{import}");
    let path = format!("{IMPORTS}/{}", import.id());
    for (by, status) in [(&colleague, 404), (&manager, 200), (&admin, 200)] {
        by.get(&path).await.expect(status);
        by.get(&format!("{path}/rows?outcome=new")).await.expect(status);
    }
    colleague.post(&format!("{path}/commit"), json!({})).await.expect(404);
    let refused = manager.post(&format!("{path}/commit"), json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "import_previewed_by_another");
    assert_eq!(colleague.get(IMPORTS).await.expect(200).items().len(), 1);
    assert_eq!(manager.get(IMPORTS).await.expect(200).items().len(), 2);
    assert!(manager.get(IMPORTS).await.expect(200).items()[0].get("faults").is_none());
    commit(&app, &sales, &import).await;
    assert_eq!(names(&sales).await, ["私の"]);
    let tasks =
        upload(&sales, &[("kind", "tasks")], "title,due,customer e-mail\na,2026/1/1,other@example.com\n")
            .await;
    assert_eq!(counts(&tasks.expect(201)), [1, 0, 0, 0], "the address is that of their own, too");
    let deal = "title,amount,customer id\na,1,X\n";
    let deals = upload(&manager, &[("kind", "deals")], deal).await.expect(201);
    assert_eq!(faults(&deals), [(2, "customer_external_id".into(), "several_records".into())]);
    let own = upload(&sales, &[("kind", "deals")], deal).await.expect(201);
    assert_eq!(counts(&own), [1, 0, 0, 0]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_import_is_carried_out_once(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let keyed = sales.idempotency_key("u");
    let import = customers(&keyed, "name,email\nA,a@example.com\nB,b@example.com\n").await.expect(201);
    let again = customers(&keyed, "name,email\nA,a@example.com\nB,b@example.com\n").await.expect(201);
    assert_eq!((&again.body, again.headers.contains_key("idempotency-replayed")), (&import.body, true));
    customers(&keyed, "name\nC\n").await.expect(422);
    let path = format!("{IMPORTS}/{}/commit", import.id());
    // Somebody takes an address of a row meanwhile: that row is refused, and counted.
    sales.create_customer(json!({"name": "B0", "email": "b@example.com"})).await;
    let first = sales.idempotency_key("c").post(&path, json!({})).await.expect(202);
    let replayed = sales.idempotency_key("c").post(&path, json!({})).await.expect(202);
    assert_eq!((&replayed.body, replayed.header("etag")), (&first.body, None));
    app.settle().await;
    let twice = sales.post(&path, json!({})).await.expect(409);
    assert_eq!(twice.body["code"], "import_not_previewed");
    let saga = sales.get(&first.text_at("/saga/href")).await.expect(200).body;
    let bulk = &saga["bulk"];
    assert_eq!(
        (&bulk["total"], &bulk["changed"], &bulk["refused"]),
        (&json!(2), &json!(1), &json!(1)),
        "{saga}"
    );
    assert_eq!(bulk["refused_rows"], json!([3]));
    assert_eq!(names(&sales).await, ["A", "B0"]);
    assert_eq!(app.rows("customer_batch_items").await, 1, "an item for the record that was made");
    assert_eq!(app.rows("imports").await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_that_changed_meanwhile_keeps_what_the_file_does_not_say(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let id = sales.create_customer(json!({"name": "A", "email": "a@example.com"})).await.id();
    let gone = sales.create_customer(json!({"name": "B", "email": "b@example.com"})).await.id();
    let import =
        customers(&sales, "email,company\na@example.com,青空\nb@example.com,青空\n").await.expect(201);
    assert_eq!(counts(&import), [0, 2, 0, 0]);
    let path = format!("/api/customers/{id}");
    sales.patch(&path, json!({"name": "A2", "company": "海"})).await.expect(200);
    sales.delete(&format!("/api/customers/{gone}")).await.expect(200);
    let saga = commit(&app, &sales, &import).await;
    assert_eq!(saga["bulk"]["refused_ids"], json!([gone]));
    let after = sales.get(&path).await.expect(200).body;
    assert_eq!(
        (&after["name"], &after["company"], &after["version"]),
        (&json!("A2"), &json!("青空"), &json!(3))
    );
}

#[rstest]
#[case(Sqlite, 5_000)]
#[case(Postgres, 1_000)]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_undone_import_leaves_what_was_edited_or_used_since(#[case] on: Database, #[case] rows: usize) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let known = sales.create_customer(json!({"name": "前の名前", "email": "known@example.com"})).await.id();
    let mut file = "氏名,メールアドレス\n新しい名前,known@example.com\n".to_owned();
    for n in 1..rows {
        file += &format!("客 {n:05},c{n}@example.com\n");
    }
    let import = customers(&sales, &file).await.expect(201);
    commit(&app, &sales, &import).await;
    let undo = format!("{IMPORTS}/{}/undo", import.id());
    let ids: Vec<String> = {
        let first = sales.get("/api/customers?q=客&sort=name&limit=40").await.expect(200);
        first.items().iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
    };
    for id in &ids[..20] {
        sales.patch(&format!("/api/customers/{id}"), json!({"notes": "電話した"})).await.expect(200);
    }
    sales.meeting(&ids[20], "訪問").await;
    app.settle().await;
    let saga = sales.get(&format!("{IMPORTS}/{}", import.id())).await.text_at("/saga");
    let saga = format!("/api/sagas/{saga}");
    let preview = sales.get(&format!("{saga}/undo-preview")).await.expect(200).body;
    let (gone, left) = (rows - 21, json!(21));
    assert_eq!((&preview["counts"], &preview["left_count"]), (&json!({"customers": gone}), &left));
    let answer = sales.post(&undo, json!({})).await.expect(202);
    // Each customer that goes begins a cascade.
    let import_path = format!("{IMPORTS}/{}", import.id());
    let done = async || match sales.get(&import_path).await.expect(200).body["status"] == json!("undone") {
        true => Ok(()),
        false => Err(sales.get(&answer.text_at("/saga/href")).await.to_string()),
    };
    eventually(Duration::from_secs(90), done).await;
    let undone = sales.get(&answer.text_at("/saga/href")).await.expect(200).body;
    assert_eq!((&undone["status"], &undone["bulk"]["changed"]), (&json!("completed"), &json!(gone)));
    let mut refused: Vec<&str> =
        undone["bulk"]["refused_ids"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    refused.sort_unstable();
    let mut expected: Vec<&str> = ids[..21].iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(refused, expected);
    let there = sales.get("/api/customers?count=true").await.expect(200);
    assert_eq!(there.header("x-total-count"), Some("22"), "21 and the one that was there before");
    assert_eq!(sales.get(&format!("/api/customers/{known}")).await.text_at("/name"), "前の名前");
    sales.post(&undo, json!({})).await.expect_problem(409, "already_undone");
    let events = manager.get(&format!("/api/audit/events?subject={}", import.id())).await.expect(200);
    assert_eq!(events.items()[0]["type"], json!("import.undone"));
}

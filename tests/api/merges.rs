//! `POST /api/customers/{id}/merge`: one customer of two, with all that refers to either.

use rstest::rstest;
use serde_json::{Value, json};

use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};

async fn ended(app: &TestApp, reader: &Api, answer: &Answer) -> Value {
    app.settle().await;
    let saga = reader.get(&answer.text_at("/saga/href")).await.expect(200);
    assert_eq!(saga.body["status"], "completed", "{saga}");
    saga.body
}

/// A customer with records of each kind: their paths.
async fn customer_with_records(by: &Member, name: &str) -> (String, Vec<String>) {
    let id = by.customer(name).await.id();
    let task = json!({"title": "電話", "due_at": "2036-03-05T09:00:00Z", "customer_id": id});
    let paths = vec![
        format!("/api/meetings/{}", by.meeting(&id, "訪問").await.id()),
        format!("/api/tasks/{}", by.post("/api/tasks", task).await.expect(201).id()),
        format!("/api/deals/{}", by.deal(&id, "契約").await.id()),
        format!("/api/approvals/{}", by.approval(&id, "値引き").await.id()),
    ];
    (id, paths)
}

async fn expect_customer(by: &Member, paths: &[String], customer: &str) {
    for path in paths {
        let record = by.get(path).await.expect(200);
        assert_eq!(record.text_at("/customer_id"), customer, "{path} {record}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everything_goes_over_as_foreseen_and_comes_back(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let (this, mine) = customer_with_records(&sales, "絆商事").await;
    let (other, theirs) = customer_with_records(&sales, "株式会社 絆商事").await;
    sales.patch(&format!("/api/customers/{other}"), json!({"phone": "03-1234-5678"})).await.expect(200);
    let decided = sales.approval(&other, "済み").await.id();
    manager.patch(&format!("/api/approvals/{decided}/approve"), json!({})).await.expect(200);
    app.settle().await;
    let path = format!("/api/customers/{this}");
    let foreseen = sales.get(&format!("{path}/merge-preview?other_id={other}")).await.expect(200).body;
    let counts = &foreseen["counts"];
    let expected = [("meetings", 1), ("tasks", 1), ("deals", 1), ("approvals", 2)];
    for (kind, count) in expected {
        assert_eq!(counts[kind], json!(count), "{kind}: {foreseen}");
    }
    let phone = json!({"field": "phone", "this": null, "other": "03-1234-5678", "keep": "other"});
    assert!(foreseen["fields"].as_array().unwrap().contains(&phone), "{foreseen}");
    let body = json!({"other_id": other, "keep": {"name": "other"}});
    let answer = sales.post(&format!("{path}/merge"), body).await.expect(202);
    let merged = sales.get(&path).await.expect(200);
    assert_eq!(merged.text_at("/name"), "株式会社 絆商事", "at once");
    assert_eq!(merged.text_at("/phone"), "03-1234-5678");
    let gone = sales.get(&format!("/api/customers/{other}")).await.expect_problem(404, "not_found");
    assert_eq!(gone.text_at("/merged_into"), this);
    let saga = ended(&app, &sales, &answer).await;
    assert_eq!(saga["kind"], json!("customer_merge"));
    for step in saga["steps"].as_array().unwrap() {
        for (kind, count) in step["counts"].as_object().unwrap() {
            assert_eq!(count, &counts[kind], "{kind}: the outcome is what was foreseen");
        }
    }
    expect_customer(&sales, &mine, &this).await;
    expect_customer(&sales, &theirs, &this).await;
    let later = sales.meeting(&this, "統合後").await.id();
    let edited = theirs[0].clone();
    sales.patch(&edited, json!({"notes": "統合後に変更"})).await.expect(200);
    app.settle().await;
    let undo = format!("/api/sagas/{}", saga["id"].as_str().unwrap());
    let foreseen = sales.get(&format!("{undo}/undo-preview")).await.expect(200).body;
    assert_eq!(foreseen["left"], json!([{"kind": "meetings", "id": edited.rsplit('/').next()}]));
    let answer = sales.post(&format!("{undo}/undo"), json!({})).await.expect(202);
    let undone = ended(&app, &sales, &answer).await;
    assert_eq!(undone["kind"], json!("customer_restoration"));
    let back = sales.get(&format!("/api/customers/{other}")).await.expect(200);
    assert_eq!(back.text_at("/phone"), "03-1234-5678");
    assert_eq!(sales.get(&path).await.text_at("/name"), "絆商事", "the other one is what it was, too");
    expect_customer(&sales, &mine, &this).await;
    expect_customer(&sales, &theirs[1..], &other).await;
    expect_customer(&sales, &[edited, format!("/api/meetings/{later}")], &this).await;
    // The undo of the undo merges them again, with what there is by now.
    let again = format!("/api/sagas/{}/undo", undone["id"].as_str().unwrap());
    let answer = sales.post(&again, json!({})).await.expect(202);
    let again = ended(&app, &sales, &answer).await;
    assert_eq!(again["kind"], json!("customer_merge"));
    expect_customer(&sales, &theirs, &this).await;
    assert_eq!(sales.get(&path).await.text_at("/name"), "株式会社 絆商事");
    app.settle().await;
    let report = admin.get("/api/admin/integrity").await.expect(200).body;
    for consumer in report["consumers"].as_array().unwrap() {
        assert_eq!((&consumer["lost"], &consumer["duplicated"]), (&json!(0), &json!(0)), "{consumer}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_merges_of_one_customer_one_is_done(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    for round in 0..6 {
        let a = sales.customer(&format!("甲 {round}")).await.id();
        let b = sales.customer(&format!("乙 {round}")).await.id();
        let c = sales.customer(&format!("丙 {round}")).await.id();
        // Into each other, or one into two others.
        let (first, second) = match round % 2 {
            0 => ((&a, &b), (&b, &a)),
            _ => ((&a, &b), (&c, &b)),
        };
        let merge = async |(into, other): (&String, &String)| {
            sales.post(&format!("/api/customers/{into}/merge"), json!({"other_id": other})).await
        };
        let (first, second) = tokio::join!(merge(first), merge(second));
        let won = [&first, &second].into_iter().filter(|answer| answer.status == 202).count();
        let lost = [&first, &second].into_iter().find(|answer| answer.status != 202).expect("one has lost");
        assert_eq!(won, 1, "{first} {second}");
        assert!(matches!(lost.status, 409 | 404 | 422), "{lost}");
        app.settle().await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn records_that_are_made_meanwhile_end_under_the_one_that_stays(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let (this, other) = (sales.customer("甲").await.id(), sales.customer("乙").await.id());
    let mut made = Vec::new();
    for customer in [&this, &other] {
        for n in 0..100 {
            made.push(sales.meeting(customer, &format!("訪問 {n}")).await.id());
        }
    }
    app.settle().await;
    let meanwhile = async {
        let mut made = Vec::new();
        for n in 0..60 {
            let customer = if n % 2 == 0 { &this } else { &other };
            let body = json!({"customer_id": customer, "title": format!("途中 {n}"), "met_at": "2026-03-01T10:00:00Z"});
            let answer = sales.post("/api/meetings", body).await;
            match answer.status {
                201 => made.push(answer.id()),
                404 => {}
                status => panic!("{status}: {answer}"),
            }
        }
        made
    };
    let path = format!("/api/customers/{this}/merge");
    let (late, answer) = tokio::join!(meanwhile, sales.post(&path, json!({"other_id": other})));
    ended(&app, &sales, &answer.expect(202)).await;
    app.settle().await;
    for id in made.iter().chain(&late) {
        let meeting = sales.get(&format!("/api/meetings/{id}")).await.expect(200);
        assert_eq!(meeting.text_at("/customer_id"), this, "{meeting}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_merge_needs_both_customers(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let (mine, theirs) = (sales.customer("甲").await.id(), colleague.customer("乙").await.id());
    let path = format!("/api/customers/{mine}/merge");
    let refused =
        async |body: Value| sales.post(&path, body).await.expect_problem(422, "invalid_fields").body;
    assert_eq!(refused(json!({"other_id": mine})).await["errors"][0]["code"], json!("same_customer"));
    assert_eq!(refused(json!({"other_id": theirs})).await["errors"][0]["code"], json!("unknown_customer"));
    refused(json!({"other_id": theirs, "keep": {"name": "both"}})).await;
    refused(json!({})).await;
    let other = sales.customer("丙").await.id();
    let stale = sales.if_match(9).post(&path, json!({"other_id": other})).await;
    stale.expect_problem(412, "stale_version");
    let theirs_path = format!("/api/customers/{theirs}/merge");
    sales.post(&theirs_path, json!({"other_id": mine})).await.expect_problem(404, "not_found");
}

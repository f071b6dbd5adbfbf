//! `/api/deals`: stages, lists, sums, and what else knows of deals.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const DEALS: &str = "/api/deals";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn new(customer: &str) -> Value {
    json!({"customer_id": customer, "title": "年間保守契約", "amount": 500_000})
}

fn with(customer: &str, field: &str, value: Value) -> Value {
    let mut body = new(customer);
    body[field] = value;
    body
}

fn titles(list: &Answer) -> Vec<&str> {
    list.items().iter().map(|row| row["title"].as_str().expect("a title")).collect()
}

async fn moved(member: &Member, id: &str, to: Value) -> Answer {
    member.patch(&format!("{DEALS}/{id}"), to).await
}

/// The types of the events about a record, the first first, with what they changed.
async fn history(manager: &Member, id: &str) -> Vec<(String, Value)> {
    let events = manager.get(&format!("/api/audit/events?subject={id}&limit=200")).await.expect(200);
    let mut events: Vec<&Value> = events.items().iter().collect();
    events.sort_by_key(|event| event["sequence"].as_i64());
    let event = |event: &&Value| {
        (event["type"].as_str().expect("a type").to_owned(), event["data"]["previous_stage"].clone())
    };
    events.iter().map(event).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deal_is_answered_as_it_can_be_read_and_listed(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let given = json!({
        "customer_id": customer, "title": " 年間保守契約 ", "amount": 9_007_199_254_740_991_i64, "currency": "USD",
        "stage": "PROPOSE", "probability": 55, "expected_on": "2026-11-05", "lost_reason": null,
        "owner_id": colleague.id,
    });
    let made = manager.post(DEALS, given).await.expect(201);
    let wanted = json!({
        "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "customer_id": customer, "title": "年間保守契約",
        "amount": 9_007_199_254_740_991_i64, "currency": "USD", "stage": "PROPOSE", "probability": 55,
        "expected_on": "2026-11-05", "lost_reason": null, "closed_at": null, "owner_id": colleague.id,
    });
    assert_eq!(made.body, wanted);
    let path = format!("{DEALS}/{}", made.id());
    assert_eq!((made.version(), made.header("location")), (Some(1), Some(path.as_str())));
    assert_eq!(colleague.get(&path).await.expect(200).text, made.text);
    assert_eq!(manager.get(DEALS).await.items(), [wanted]);
    sales.get(&path).await.expect_problem(404, "not_found");
    let least = sales.post(DEALS, new(&customer)).await.expect(201);
    let fields =
        ["currency", "stage", "probability", "expected_on", "owner_id"].map(|it| least.body[it].clone());
    assert_eq!(fields, [json!("JPY"), json!("QUALIFY"), json!(10), json!(null), json!(sales.id)]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deal_goes_through_its_stages_and_every_move_is_an_event(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let id = sales.post(DEALS, new(&customer)).await.expect(201).id();
    let state = |answer: &Answer| {
        let field = |name: &str| answer.body[name].clone();
        (field("stage"), field("probability"), field("lost_reason"), field("closed_at").is_string())
    };
    let nego = moved(&sales, &id, json!({"stage": "NEGOTIATE"})).await.expect(200);
    assert_eq!(state(&nego), (json!("NEGOTIATE"), json!(70), json!(null), false));
    let missing = moved(&sales, &id, json!({"stage": "LOST"})).await.expect_problem(422, "invalid_fields");
    assert_eq!(missing.body["errors"][0]["field"], json!("lost_reason"));
    assert_eq!(missing.body["errors"][0]["code"], json!("required"));
    let lost = moved(&sales, &id, json!({"stage": "LOST", "lost_reason": "価格"})).await.expect(200);
    assert_eq!(state(&lost), (json!("LOST"), json!(0), json!("価格"), true));
    moved(&sales, &id, json!({"stage": "WON"})).await.expect_problem(409, "deal_closed");
    let open = moved(&sales, &id, json!({"stage": "PROPOSE", "probability": 90})).await.expect(200);
    assert_eq!(state(&open), (json!("PROPOSE"), json!(90), json!(null), false));
    let won = moved(&sales, &id, json!({"stage": "WON"})).await.expect(200);
    assert_eq!(state(&won), (json!("WON"), json!(100), json!(null), true));
    moved(&sales, &id, json!({"stage": "LOST", "lost_reason": "価格"}))
        .await
        .expect_problem(409, "deal_closed");
    assert_eq!(moved(&sales, &id, json!({"stage": "WON"})).await.version(), won.version(), "nothing changed");
    sales.if_match(1).patch(&format!("{DEALS}/{id}"), json!({"title": "x"})).await.expect(412);
    let events = [
        ("deal.created", json!(null)),
        ("deal.updated", json!("QUALIFY")),
        ("deal.lost", json!("NEGOTIATE")),
        ("deal.updated", json!("LOST")),
        ("deal.won", json!("PROPOSE")),
    ];
    assert_eq!(history(&manager, &id).await, events.map(|(name, stage)| (name.to_owned(), stage)));
    let closed = json!({"customer_id": customer, "title": "即決", "amount": 1, "stage": "WON"});
    let closed = sales.post(DEALS, closed).await.expect(201);
    assert_eq!((closed.version(), &closed.body["stage"]), (Some(2), &json!("WON")));
    app.settle().await;
    let figures = manager.get("/api/reports/metrics?from=2026-03-02&to=2026-03-02&time_zone=UTC").await.body;
    let of = ["deals_created", "deals_won", "deals_lost"].map(|name| figures[0][name].clone());
    assert_eq!(of, [json!(2), json!(2), json!(1)]);
    let activity = sales.get(&format!("/api/customers/{customer}/activity?limit=200")).await.expect(200);
    let of_deals =
        activity.items().iter().filter(|event| event["type"].as_str().unwrap().starts_with("deal."));
    assert_eq!(of_deals.count(), 7);
    let own = sales.get(&format!("{DEALS}/{id}/activity")).await.expect(200);
    assert_eq!(own.items().len(), 5);
    sales.delete(&format!("{DEALS}/{id}")).await.expect(200);
    sales.get(&format!("{DEALS}/{id}")).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_deal_is_named() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    let faults = [
        ("title", json!(" "), "required"),
        ("title", json!("あ".repeat(201)), "too_long"),
        ("amount", json!(-1), "too_small"),
        ("amount", json!(9_007_199_254_740_992_i64), "too_large"),
        ("amount", json!("1"), "invalid_type"),
        ("currency", json!("XYZ"), "invalid_currency"),
        ("stage", json!("won"), "invalid_choice"),
        ("stage", json!("OPEN"), "invalid_choice"),
        ("probability", json!(101), "too_large"),
        ("probability", json!(-1), "too_small"),
        ("probability", json!(0.5), "invalid_type"),
        ("expected_on", json!("2026-02-29"), "invalid_date"),
        ("expected_on", json!("2026-03-01T00:00:00Z"), "invalid_date"),
        ("expected_on", json!("0000-01-01"), "invalid_date"),
        ("lost_reason", json!("価格"), "not_lost"),
        ("customer_id", json!("17"), "invalid_value"),
        ("closed_at", json!(null), "unknown_field"),
        ("version", json!(1), "unknown_field"),
    ];
    let rejected =
        faults.map(|(field, value, code)| Rejected::field(DEALS, with(&customer, field, value), field, code));
    let lost = Rejected::field(DEALS, with(&customer, "stage", json!("LOST")), "lost_reason", "required");
    let missing = ["customer_id", "title", "amount"].map(|field| {
        let mut body = new(&customer);
        body.as_object_mut().expect("an object").remove(field);
        Rejected::field(DEALS, body, field, "required")
    });
    let parameters = [
        Rejected::parameter(&format!("{DEALS}?stage=won"), "stage", "invalid_choice"),
        Rejected::parameter(&format!("{DEALS}?expected_from=soon"), "expected_from", "invalid_date"),
        Rejected::parameter(&format!("{DEALS}?status=WON"), "status", "unknown_parameter"),
        Rejected::parameter(&format!("{DEALS}?sort=title"), "sort", "invalid_choice"),
        Rejected::parameter(&format!("{DEALS}/stats?sort=amount"), "sort", "unknown_parameter"),
    ];
    let hidden = colleague.customer("別").await.id();
    app.settle().await;
    let hidden = [&hidden, NOBODY].map(|customer| {
        Rejected::new("POST", DEALS, 404, "customer_not_found").json(new(customer).to_string())
    });
    let all = rejected.into_iter().chain([lost]).chain(missing).chain(parameters).chain(hidden);
    all_refused(&app, &sales, all).await;
    let owners = [Rejected::new("POST", DEALS, 403, "forbidden")
        .json(with(&customer, "owner_id", json!(colleague.id)).to_string())];
    all_refused(&app, &sales, owners).await;
    let unknown = with(&customer, "owner_id", json!(NOBODY));
    all_refused(&app, &manager, [Rejected::field(DEALS, unknown, "owner_id", "unknown_user")]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lists_and_sums_are_narrowed_alike(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆商事").await.id(), colleague.customer("別件").await.id());
    let expected = |day: Option<&str>| day.map_or(Value::Null, |day| json!(format!("2026-{day}")));
    for (member, customer, title, amount, currency, stage, day) in [
        (&sales, &own, "一", 1_000, "JPY", "QUALIFY", Some("04-01")),
        (&sales, &own, "二", 2_005, "JPY", "QUALIFY", Some("04-30")),
        (&sales, &own, "三", 300, "USD", "WON", None),
        (&colleague, &other, "四", 4_000, "JPY", "NEGOTIATE", Some("05-01")),
        (&colleague, &other, "五", 500, "JPY", "LOST", Some("04-15")),
    ] {
        let reason = (stage == "LOST").then_some("価格");
        let deal = json!({"customer_id": customer, "title": title, "amount": amount, "currency": currency,
            "stage": stage, "expected_on": expected(day), "lost_reason": reason});
        member.post(DEALS, deal).await.expect(201);
        app.clock.advance(Duration::from_secs(60));
    }
    app.settle().await;
    let found = async |member: &Member, query: &str| {
        let list = member.get(&format!("{DEALS}?count=true&{query}")).await.expect(200);
        assert_eq!(list.header("x-total-count"), Some(list.items().len().to_string().as_str()), "{query}");
        if !query.contains("sort") {
            let stats = member.get(&format!("{DEALS}/stats?{query}")).await.expect(200).body;
            assert_eq!(stats["total"], json!(list.items().len()), "{query}");
        }
        titles(&list).concat()
    };
    assert_eq!(found(&manager, "").await, "五四三二一");
    assert_eq!(found(&sales, "").await, "三二一");
    assert_eq!(found(&manager, "stage=QUALIFY").await, "二一");
    assert_eq!(found(&manager, &format!("customer_id={other}")).await, "五四");
    assert_eq!(found(&manager, &format!("owner_id={}&stage=WON", sales.id)).await, "三");
    assert_eq!(found(&sales, &format!("owner_id={}", colleague.id)).await, "");
    assert_eq!(found(&manager, "expected_from=2026-04-01&expected_to=2026-04-30").await, "五二一");
    assert_eq!(found(&manager, "expected_from=2026-04-30").await, "四二", "not those without a day");
    assert_eq!(found(&manager, "expected_to=2026-04-01").await, "一");
    assert_eq!(found(&manager, "q=価格").await, "五");
    assert_eq!(found(&manager, "q=絆商事 一").await, "一");
    assert_eq!(found(&manager, "sort=expected_on").await, "一五二四三");
    assert_eq!(found(&manager, "sort=-amount").await, "四二一五三");
    let sums = |count: i64, amount: i64, weighted: i64| json!({"count": count, "amount": amount, "weighted_amount": weighted});
    let all = json!({"total": 5, "by_stage": {
        "QUALIFY": {"JPY": sums(2, 3_005, 300)}, "PROPOSE": {}, "NEGOTIATE": {"JPY": sums(1, 4_000, 2_800)},
        "WON": {"USD": sums(1, 300, 300)}, "LOST": {"JPY": sums(1, 500, 0)},
    }});
    assert_eq!(manager.get(&format!("{DEALS}/stats")).await.expect(200).body, all);
    let one = format!("{DEALS}/stats?q=一");
    assert_eq!(sales.get(&one).await.expect(200).body["by_stage"]["QUALIFY"]["JPY"], sums(1, 1_000, 100));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_approval_may_be_about_a_deal_of_its_customer(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆").await.id(), sales.customer("他").await.id());
    let hidden = colleague.customer("別").await.id();
    let (deal, foreign) = (sales.deal(&own, "契約").await.id(), colleague.deal(&hidden, "契約").await.id());
    let asked = |customer: &str, deal: &str| json!({"customer_id": customer, "title": "値引き", "amount": 1, "deal_id": deal});
    let path = "/api/approvals";
    let made = sales.post(path, asked(&own, &deal)).await.expect(201);
    assert_eq!(made.body["deal_id"], json!(deal));
    let plain = sales.approval(&own, "別の件").await;
    assert_eq!(plain.body["deal_id"], json!(null));
    app.settle().await;
    let rejected = [
        Rejected::field(path, asked(&other, &deal), "deal_id", "deal_of_another_customer"),
        Rejected::field(path, asked(&own, &foreign), "deal_id", "unknown_deal"),
        Rejected::field(path, asked(&own, NOBODY), "deal_id", "unknown_deal"),
    ];
    all_refused(&app, &sales, rejected).await;
    for query in ["", "&sort=amount", "&status=PENDING"] {
        let list = manager.get(&format!("{path}?deal_id={deal}&count=true{query}")).await.expect(200);
        assert_eq!((list.items().len(), list.header("x-total-count")), (1, Some("1")), "{query}");
        assert_eq!(list.items()[0]["id"], json!(made.id()));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn many_deals_are_changed_together(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let mut ids = Vec::new();
    for title in ["一", "二", "三"] {
        ids.push(sales.deal(&customer, title).await.id());
    }
    moved(&sales, &ids[2], json!({"stage": "WON"})).await.expect(200);
    let bulk = "/api/deals/bulk";
    let change = json!({"stage": "LOST", "lost_reason": "予算の削減"});
    let body = json!({"ids": ids, "change": change});
    let preview = manager.post(&format!("{bulk}?preview=true"), body.clone()).await.expect(200).body;
    let wanted = [&preview["changed"], &preview["refused"], &preview["refused_ids"]];
    assert_eq!(wanted, [&json!(2), &json!(1), &json!([ids[2]])], "a deal that is won is not lost");
    let answer = manager.post(bulk, body).await.expect(202);
    app.settle().await;
    let saga = manager.get(&answer.text_at("/saga/href")).await.expect(200);
    assert_eq!((&saga.body["kind"], &saga.body["status"]), (&json!("deals_change"), &json!("completed")));
    assert_eq!(saga.body["steps"][0]["counts"], json!({"deals": 2}));
    let lost = manager.get(&format!("{DEALS}?stage=LOST")).await.expect(200);
    assert_eq!(lost.items().len(), 2);
    assert!(lost.items().iter().all(|deal| deal["lost_reason"] == json!("予算の削減")));
    for (change, code) in [(json!({"stage": "LOST"}), "required"), (json!({"lost_reason": "x"}), "not_lost")]
    {
        let answer = manager.post(bulk, json!({"ids": ids, "change": change})).await;
        let answer = answer.expect_problem(422, "invalid_fields");
        assert_eq!(answer.body["errors"][0]["code"], json!(code), "{answer}");
    }
    let filtered = json!({"filter": {"stage": "LOST"}, "change": {"delete": true}});
    manager.post(bulk, filtered).await.expect(202);
    app.settle().await;
    assert_eq!(titles(&manager.get(DEALS).await.expect(200)), ["三"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deal_has_comments_and_is_found_by_a_search() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let id = sales.deal(&customer, "年間保守契約").await.id();
    let path = format!("{DEALS}/{id}/comments");
    manager.post(&path, json!({"text": "先方の決裁者は?"})).await.expect(201);
    assert_eq!(sales.get(&path).await.expect(200).items().len(), 1);
    colleague.get(&path).await.expect(404);
    app.settle().await;
    let told = sales.get("/api/notifications").await.expect(200);
    assert_eq!(told.items()[0]["subject"], json!({"type": "deal", "id": id}));
    let found = sales.get("/api/search?q=保守 絆").await.expect(200);
    let wanted = json!([{"type": "deal", "id": id, "title": "年間保守契約", "subtitle": "絆商事"}]);
    assert_eq!(found.body, wanted);
    assert_eq!(colleague.get("/api/search?q=保守").await.expect(200).body, json!([]));
    sales.delete(&format!("{DEALS}/{id}")).await.expect(200);
    assert_eq!(sales.get("/api/search?q=保守").await.expect(200).body, json!([]));
}

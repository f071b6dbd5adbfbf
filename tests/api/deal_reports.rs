//! `/api/reports/deals` and `/reports/deals`: how far deals come, what is expected, and what became of them.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use testing::app::PASSWORD;
use testing::browser::Browser;
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const DAY: Duration = Duration::from_secs(24 * 3600);
const PERIOD: &str = "from=2026-03-02&to=2026-03-05";

async fn again(app: &TestApp, who: &Member) -> Member {
    Member::sign_in(&app.nobody(), &who.email, PASSWORD).await
}

async fn deal(by: &Member, customer: &str, title: &str, more: Value) -> String {
    let mut body =
        json!({"customer_id": customer, "title": title, "amount": 1_000, "expected_on": "2026-04-20"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    by.post("/api/deals", body).await.expect(201).id()
}

async fn change(by: &Member, deal: &str, changes: Value) {
    by.patch(&format!("/api/deals/{deal}"), changes).await.expect(200);
}

async fn report(by: &Member, name: &str, query: &str) -> Value {
    by.get(&format!("/api/reports/deals/{name}?time_zone=UTC&{query}")).await.expect(200).body
}

/// A team whose deals went through some days, from Monday 9:00 on: two won, one lost, one under way.
async fn days(app: &TestApp) -> Team {
    let mut team = Team::of(app).await;
    let own = team.sales.customer("絆").await.id();
    let other = team.colleague.customer("別").await.id();
    let asked = deal(&team.sales, &own, "引き合い", json!({})).await;
    let offered = deal(&team.sales, &own, "提案", json!({"stage": "PROPOSE", "amount": 5_000})).await;
    let dear = deal(&team.sales, &own, "高い", json!({"amount": 7_000})).await;
    let abroad =
        deal(&team.colleague, &other, "海外", json!({"currency": "USD", "expected_on": "2026-03-31"})).await;
    app.clock.advance(2 * DAY);
    team.sales = again(app, &team.sales).await;
    team.colleague = again(app, &team.colleague).await;
    change(&team.sales, &offered, json!({"stage": "NEGOTIATE"})).await;
    change(&team.sales, &dear, json!({"stage": "LOST", "lost_reason": "価格"})).await;
    change(&team.colleague, &abroad, json!({"stage": "WON"})).await;
    app.clock.advance(DAY);
    team.sales = again(app, &team.sales).await;
    team.manager = again(app, &team.manager).await;
    team.colleague = again(app, &team.colleague).await;
    change(&team.sales, &asked, json!({"stage": "PROPOSE"})).await;
    change(&team.sales, &offered, json!({"stage": "WON"})).await;
    app.settle().await;
    team
}

fn reached(funnel: &Value) -> Vec<(i64, Option<i64>, Option<i64>)> {
    let stages = funnel["stages"].as_array().expect("stages");
    let number = |stage: &Value, name: &str| stage[name].as_i64();
    let stage = |it: &Value| {
        let count = number(it, "reached").expect("a number");
        (count, number(it, "conversion_permille"), number(it, "median_age_seconds"))
    };
    stages.iter().map(stage).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_funnel_counts_how_far_deals_ever_came_and_how_long_they_stayed(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let team = days(&app).await;
    let day = 86_400;
    let funnel = report(&team.manager, "funnel", PERIOD).await;
    let wanted = [
        // Three, two and two days.
        (4, Some(750), Some(2 * day)),
        // Two days, and a stay that has just begun.
        (3, Some(667), Some(day)),
        (2, Some(1_000), Some(day)),
        (2, None, None),
    ];
    assert_eq!(reached(&funnel["period"]), wanted);
    assert_eq!(
        (&funnel["before"]["from"], &funnel["before"]["to"]),
        (&json!("2026-02-26"), &json!("2026-03-01"))
    );
    assert!(reached(&funnel["before"]).iter().all(|stage| *stage == (0, None, None)));
    let next = report(&team.manager, "funnel", "from=2026-03-06&to=2026-03-09").await;
    assert_eq!(reached(&next["before"]), wanted, "the days before stand beside");
    let own = report(&team.sales, "funnel", PERIOD).await;
    assert_eq!(reached(&own["period"])[0].0, 3, "SALES see their own");
    let narrowed = format!("{PERIOD}&owner_id={}", team.colleague.id);
    assert_eq!(reached(&report(&team.manager, "funnel", &narrowed).await["period"])[0].0, 1);
    assert_eq!(reached(&report(&team.sales, "funnel", &narrowed).await["period"])[0].0, 0);
    app.clock.advance(DAY);
    let manager = again(&app, &team.manager).await;
    let later = report(&manager, "funnel", PERIOD).await;
    assert_eq!(reached(&later["period"])[1].2, Some(3 * day / 2), "a stay goes on");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_forecast_has_what_is_weighted_and_what_is_committed_by_month(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let team = days(&app).await;
    let forecast = report(&team.manager, "forecast", "from=2026-03-01&to=2026-04-30").await;
    let none = json!({"count": 0, "amount": 0, "weighted_amount": 0});
    let won = |amount| json!({"count": 1, "amount": amount, "weighted_amount": amount});
    assert_eq!(
        forecast["months"],
        json!([
            {"month": "2026-03", "currency": "USD", "open": none, "committed": won(1_000)},
            {"month": "2026-04", "currency": "JPY",
             "open": {"count": 1, "amount": 1_000, "weighted_amount": 400}, "committed": won(5_000)},
        ])
    );
    let early = report(&team.manager, "forecast", "from=2026-03-01&to=2026-04-19").await;
    assert_eq!(early["months"].as_array().map(Vec::len), Some(1), "days, not whole months");
    let own = report(&team.colleague, "forecast", "from=2026-03-01&to=2026-04-30").await;
    assert_eq!(own["months"].as_array().map(Vec::len), Some(1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn outcomes_are_told_apart_by_owner_reason_and_currency(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = days(&app).await;
    let outcomes = report(&team.manager, "outcomes", PERIOD).await;
    let of = |count: i64, amount: i64| json!({"count": count, "amount": amount});
    let wanted = json!({
        "from": "2026-03-02", "to": "2026-03-05",
        "won": {"JPY": of(1, 5_000), "USD": of(1, 1_000)}, "lost": {"JPY": of(1, 7_000)},
        "by_owner": [
            {"owner_id": team.sales.id, "won": {"JPY": of(1, 5_000)}, "lost": {"JPY": of(1, 7_000)}},
            {"owner_id": team.colleague.id, "won": {"USD": of(1, 1_000)}, "lost": {}},
        ],
        "by_reason": [{"reason": "価格", "count": 1, "lost": {"JPY": of(1, 7_000)}}],
    });
    assert_eq!(outcomes["period"], wanted);
    assert_eq!(outcomes["before"]["won"], json!({}));
    let wednesday = report(&team.manager, "outcomes", "from=2026-03-05&to=2026-03-05").await;
    assert_eq!(
        (&wednesday["period"]["won"], &wednesday["period"]["lost"]),
        (&json!({"JPY": of(1, 5_000)}), &json!({}))
    );
    assert_eq!(wednesday["before"]["lost"], json!({"JPY": of(1, 7_000)}));
    let own = report(&team.colleague, "outcomes", PERIOD).await;
    assert_eq!(own["period"]["won"], json!({"USD": of(1, 1_000)}));
    for name in ["funnel", "forecast", "outcomes"] {
        let path = format!("/api/reports/deals/{name}");
        app.nobody().get(&path).await.expect_problem(401, "missing_token");
        for wrong in ["from=2026-03-02&to=2026-03-01", "from=2024-01-01&to=2026-01-01", "owner_id=me", "x=1"]
        {
            team.manager.get(&format!("{path}?{wrong}")).await.expect_problem(400, "invalid_parameter");
        }
    }
}

/// The links of a page to lists of deals, each with the rows that it promises.
fn links(page: &str) -> Vec<(String, usize)> {
    let links = page.split("<a href=\"/deals?").skip(1).filter_map(|part| {
        let (address, rest) = part.split_once('"')?;
        let rows = rest.split_once("data-rows=\"")?.1.split_once('"')?.0.parse().ok()?;
        Some((address.replace("&#38;", "&"), rows))
    });
    links.collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_figure_leads_to_a_list_of_as_many_rows(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = days(&app).await;
    for (who, least) in [(&team.manager, 40), (&team.colleague, 20)] {
        let browser = Browser::open(&app, &who.email).await;
        let who = again(&app, who).await;
        let mut followed = 0;
        for query in [
            PERIOD.to_owned(),
            "from=2026-03-04&to=2026-04-25".into(),
            format!("{PERIOD}&owner_id={}", team.colleague.id),
        ] {
            let page = browser.get(&format!("/reports/deals?{query}")).await.expect(200).text;
            for (address, rows) in links(&page) {
                let list = who.get(&format!("/api/deals?{address}&count=true")).await.expect(200);
                assert_eq!(list.items().len(), rows, "{address}");
                assert_eq!(list.header("x-total-count"), Some(rows.to_string().as_str()), "{address}");
                let shown = browser.get(&format!("/deals?{address}")).await.expect(200).text;
                assert_eq!(shown.matches("<td class=\"key\">").count(), rows, "{address}");
                followed += 1;
            }
        }
        assert!(followed >= least, "{followed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fiscal_years_begin_as_the_installation_says_and_tables_are_files() {
    for (args, year, last) in [
        (&[][..], "from=2025-04-01&amp;to=2026-03-31", "from=2024-04-01&amp;to=2025-03-31"),
        (
            &["--fiscal-year-starts", "1"],
            "from=2026-01-01&amp;to=2026-12-31",
            "from=2025-01-01&amp;to=2025-12-31",
        ),
    ] {
        let app = TestApp::with(Sqlite, args).await;
        let team = days(&app).await;
        let browser = Browser::open(&app, &team.manager.email).await;
        let page = browser.get("/reports/deals").await.expect(200).text;
        for span in [year, last] {
            assert!(page.contains(span), "{span}");
        }
        assert!(page.contains("aria-current=\"true\""), "this fiscal year is what is shown");
        for (part, holds) in [
            ("funnel", "\"提案\",\"3\",\"66.7%\""),
            ("forecast", "\"2026/03\",\"0\""),
            ("outcomes", "\"2\",\"5,000円 / 10.00 USD\",\"1\""),
            ("owners", "\"1\""),
            ("reasons", "\"価格\",\"1\""),
        ] {
            let file = browser
                .get(&format!("/reports/deals/{part}.csv?from=2026-03-01&to=2026-04-30"))
                .await
                .expect(200);
            assert!(file.header("content-type").is_some_and(|it| it.starts_with("text/csv")));
            assert!(file.text.contains(holds), "{part}: {}", file.text);
        }
        browser.get("/reports/deals/other.csv").await.expect(404);
        assert_eq!(browser.get("/reports/deals.csv").await.expect(200).text.lines().count(), 5);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_is_narrowed_by_what_reports_count(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = days(&app).await;
    let titles = async |query: &str, sort: &str| {
        let list = team.manager.get(&format!("/api/deals?sort={sort}&{query}")).await.expect(200);
        let mut titles: Vec<String> =
            list.items().iter().map(|deal| deal["title"].as_str().expect("a title").to_owned()).collect();
        titles.sort();
        titles.join(" ")
    };
    for (query, wanted) in [
        ("open=true", "引き合い"),
        ("open=false", "引き合い 提案 高い 海外"),
        ("reached=QUALIFY", "引き合い 提案 高い 海外"),
        ("reached=PROPOSE", "引き合い 提案 海外"),
        ("reached=WON", "提案 海外"),
        ("currency=USD", "海外"),
        ("lost_reason=%E4%BE%A1%E6%A0%BC", "高い"),
        ("lost_reason=%E4%BE%A1", ""),
        ("closed_from=2026-03-05T00:00:00Z", "提案"),
        ("closed_to=2026-03-05T00:00:00Z", "高い 海外"),
        ("closed_from=2026-03-04T00:00:00Z&stage=WON", "海外 提案"),
        ("created_to=2026-03-02T00:00:00Z", ""),
        ("created_from=2026-03-02T00:00:00Z&reached=WON", "提案 海外"),
    ] {
        let mut wanted: Vec<&str> = wanted.split(' ').collect();
        wanted.sort_unstable();
        for sort in ["created_at", "-amount", "expected_on"] {
            assert_eq!(titles(query, sort).await, wanted.join(" "), "{query} {sort}");
        }
    }
    let long = format!("lost_reason={}", "a".repeat(201));
    for wrong in [
        "open=1",
        "reached=won",
        "currency=yen",
        "currency=XYZ1",
        "closed_from=today",
        "lost_reason=%00",
        &long,
    ] {
        team.manager.get(&format!("/api/deals?{wrong}")).await.expect_problem(400, "invalid_parameter");
    }
    let changed =
        json!({"filter": {"open": "true", "currency": "JPY"}, "change": {"expected_on": "2026-05-01"}});
    let preview = team.manager.post("/api/deals/bulk?preview=true", changed).await.expect(200);
    assert_eq!(preview.body["total"], json!(1));
}

//! Lists: keyset pages that neither miss nor repeat a row while others come in.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::name_order::name_order;
use kernel::text_key::key;
use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const CUSTOMERS: &str = "/api/customers";
/// Names that are easily put in another order: by case, by script, by a collation that skips marks.
const NAMES: [&str; 12] = ["b", "B", "a b", "ab", "a-b", "é", "e", "z", "絆", "あ", "ア", "10"];

fn id(row: &Value) -> String {
    row["id"].as_str().expect("an id").to_owned()
}

/// Every row from `first` on, page by page, with something happening after each.
async fn walk(api: &Api, first: &str, mut meanwhile: impl AsyncFnMut()) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let page = api.get(&path).await.expect(200);
        next = page.next().map(str::to_owned);
        assert!(page.items().len() == 7 || next.is_none(), "a page in the middle is full: {page}");
        assert!(!page.items().is_empty() || rows.is_empty(), "no page is empty but the only one");
        rows.extend_from_slice(page.items());
        meanwhile().await;
    }
    rows
}

/// Sixty customers: five at a moment, the names in turn, every third changed later.
async fn sixty(app: &TestApp, api: &Member) -> BTreeSet<String> {
    let mut ids = Vec::new();
    for number in 0..60 {
        let customer = json!({"name": NAMES[number % NAMES.len()], "status": "ACTIVE"});
        ids.push(api.create_customer(customer).await.id());
        if number % 5 == 4 {
            app.clock.advance(Duration::from_secs(1));
        }
    }
    for id in ids.iter().step_by(3) {
        api.patch(&format!("{CUSTOMERS}/{id}"), json!({"notes": "後"})).await.expect(200);
    }
    ids.into_iter().collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_walk_sees_every_row_once_in_order_while_others_come_in(
    #[values(Sqlite, Postgres)] on: Database,
    #[values("created_at", "name", "updated_at")] column: &str,
) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let mut ids = sixty(&app, &admin).await;
    for descending in [false, true] {
        let sort = if descending { format!("-{column}") } else { column.to_owned() };
        let mut inserted = 0;
        let rows = walk(&admin, &format!("{CUSTOMERS}?limit=7&sort={sort}"), async || {
            // In an ascending walk by time these come in at the end, for ever.
            if inserted < 12 {
                admin.customer(NAMES[inserted]).await;
                app.clock.advance(Duration::from_millis(500));
                inserted += 1;
            }
        })
        .await;
        let seen: BTreeSet<String> = rows.iter().map(id).collect();
        assert_eq!(seen.len(), rows.len(), "{sort}: none twice");
        assert!(ids.is_subset(&seen), "{sort}: none missed");
        let keys = rows.iter().map(|row| {
            let value = row[column].as_str().expect("a value");
            let value = if column == "name" { name_order(&key(value)) } else { value.to_owned() };
            (value, row["id"].as_str())
        });
        let in_order =
            if descending { keys.is_sorted_by(|a, b| a > b) } else { keys.is_sorted_by(|a, b| a < b) };
        assert!(in_order, "{sort}: in its order, ties by id");
        // What came in meanwhile is there for the next walk.
        let all = walk(&admin, &format!("{CUSTOMERS}?limit=7"), async || ()).await;
        assert_eq!(all.len(), ids.len() + inserted);
        ids = all.iter().map(id).collect();
    }
}

/// Every row before a page, page by page, with something happening after each.
async fn walk_back(api: &Api, from: &str, mut meanwhile: impl AsyncFnMut()) -> Vec<Value> {
    let (mut rows, mut prev) = (Vec::new(), Some(from.to_owned()));
    while let Some(path) = prev {
        let page = api.get(&path).await.expect(200);
        assert!(page.items().len() == 7 || page.prev().is_none(), "a page in the middle is full: {page}");
        assert!(page.next().is_some(), "one came from there");
        prev = page.prev().map(str::to_owned);
        rows.splice(0..0, page.items().iter().cloned());
        meanwhile().await;
    }
    rows
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_walk_back_sees_what_the_walk_saw_while_others_come_in(
    #[values(Sqlite, Postgres)] on: Database,
    #[values("created_at", "-created_at", "name", "-name", "-updated_at")] sort: &str,
) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    sixty(&app, &admin).await;
    let first = format!("{CUSTOMERS}?limit=7&sort={sort}");
    let all = admin.get(&format!("{CUSTOMERS}?limit=200&sort={sort}")).await.expect(200);
    let page = admin.get(&first).await.expect(200);
    assert_eq!(page.prev(), None, "nothing is before the first page");
    let mut last = page;
    while let Some(next) = last.next().map(str::to_owned) {
        let page = admin.get(&next).await.expect(200);
        let back = admin.get(page.prev().expect("a previous page")).await.expect(200);
        assert_eq!(back.items(), last.items(), "back is where one came from");
        last = page;
    }
    let (tail, begin) = (last.items().to_vec(), last.prev().expect("a previous page").to_owned());
    let mut added = 0;
    let back = walk_back(&admin, &begin, async || {
        admin.customer(NAMES[added % NAMES.len()]).await;
        app.clock.advance(Duration::from_millis(500));
        added += 1;
    })
    .await;
    let ids: Vec<String> = all.items().iter().map(id).collect();
    let walked: Vec<String> = back.iter().chain(&tail).map(id).collect();
    let kept: Vec<&String> = walked.iter().filter(|id| ids.contains(id)).collect();
    assert_eq!(kept, ids.iter().collect::<Vec<_>>(), "{sort}: each once, in the order of the list");
    let distinct: BTreeSet<&String> = walked.iter().collect();
    assert_eq!(distinct.len(), walked.len(), "{sort}: none twice");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lists_are_sorted_as_asked_and_walked_both_ways(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆").await.id(), colleague.customer("別").await.id());
    for number in 0..20_i64 {
        let (api, customer) = if number % 4 == 0 { (&colleague, &other) } else { (&sales, &own) };
        let hour = format!("2026-03-{:02}T10:00:00Z", 1 + number * 7 % 20);
        let meeting = json!({"customer_id": customer, "title": "訪問", "met_at": hour});
        api.post("/api/meetings", meeting).await.expect(201);
        api.post("/api/tasks", json!({"title": "見積", "due_at": hour})).await.expect(201);
        let asked =
            json!({"customer_id": customer, "title": "値引き", "amount": number * 7 % 20 / 2 * 1_000});
        api.post("/api/approvals", asked).await.expect(201);
        let expected = (number % 3 > 0).then(|| format!("2026-04-{:02}", 1 + number * 7 % 20 / 2));
        let deal = json!({"customer_id": customer, "title": "契約", "amount": number * 7 % 20 / 2 * 1_000,
            "expected_on": expected});
        api.post("/api/deals", deal).await.expect(201);
    }
    let filters = [
        String::new(),
        "&status=PENDING".to_owned(),
        format!("&requester_id={}", sales.id),
        format!("&customer_id={own}"),
    ];
    let of_approvals = filters.iter().flat_map(|filter| {
        ["amount", "-amount", "created_at", "-created_at"].map(|sort| ("approvals", sort, filter.as_str()))
    });
    let of_deals = [filters[0].as_str(), filters[3].as_str(), "&stage=QUALIFY"];
    let of_deals = of_deals
        .iter()
        .flat_map(|filter| ["amount", "-amount", "-created_at"].map(|sort| ("deals", sort, *filter)));
    let others = [("meetings", "met_at", ""), ("meetings", "-met_at", ""), ("tasks", "-due_at", "")];
    for (list, sort, filter) in of_approvals.chain(of_deals).chain(others) {
        for api in [&manager, &sales] {
            let path = format!("/api/{list}?sort={sort}{filter}");
            let whole = api.get(&format!("{path}&limit=200")).await.expect(200);
            let column = sort.trim_start_matches('-');
            let keys: Vec<_> = (whole.items().iter())
                .map(|row| {
                    (row[column].as_i64(), row[column].as_str().unwrap_or_default(), row["id"].as_str())
                })
                .collect();
            assert!(keys.len() >= 15, "{path}");
            let in_order = match sort.starts_with('-') {
                true => keys.is_sorted_by(|a, b| a > b),
                false => keys.is_sorted_by(|a, b| a < b),
            };
            assert!(in_order, "{path}: {keys:?}");
            let walked = walk(api, &format!("{path}&limit=7"), async || ()).await;
            assert_eq!(walked, whole.items(), "{path}");
            let second = api.get(&format!("{path}&limit=7")).await.expect(200);
            let second = api.get(second.next().expect("a second page")).await.expect(200);
            let back = walk_back(api, second.prev().expect("a first page"), async || ()).await;
            assert_eq!(back, whole.items()[..7], "{path}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_list_is_walked_without_a_gap(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    for number in 0..15 {
        sales.meeting(&customer, &format!("訪問 {}", number / 3)).await;
        sales.customer("別").await;
    }
    for number in 0..12 {
        admin.make_user("SALES", &format!("user{number}"), None).await;
    }
    app.settle().await;
    let activity = format!("{CUSTOMERS}/{customer}/activity");
    let lists = ["meetings", "auth/users", "notifications", "notifications/unread", "audit/events"]
        .map(|list| format!("/api/{list}"));
    let meeting = sales.meeting(&customer, "何度も").await.id();
    for number in 0..15 {
        let notes = serde_json::json!({"notes": format!("{number}")});
        sales.patch(&format!("/api/meetings/{meeting}"), notes).await.expect(200);
    }
    let history = format!("/api/meetings/{meeting}/activity");
    for path in lists.iter().chain([&activity, &history]) {
        let all = manager.get(&format!("{path}?limit=200&count=true")).await.expect(200);
        assert!(all.items().len() > 14 && all.next().is_none(), "{path}: {} rows", all.items().len());
        assert_eq!(all.header("x-total-count"), Some(all.items().len().to_string().as_str()), "{path}");
        let walked = walk(&manager, &format!("{path}?limit=7"), async || {
            sales.meeting(&customer, "再訪").await;
        })
        .await;
        let walked = walked.iter().filter(|row| all.items().contains(row));
        assert!(walked.eq(all.items()), "{path}: the same rows in the same order");
        app.settle().await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_next_page_keeps_the_filters_of_the_first(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    for number in 0..5 {
        for status in ["ACTIVE", "LEAD"] {
            let name = format!("100% & 絆+{number}");
            admin.create_customer(json!({"name": name, "status": status})).await;
        }
        admin.customer("別").await;
    }
    let filters = format!("q=0%25+%26+%E7%B5%86%2B&status=ACTIVE&owner_id={}&sort=-name", admin.id);
    let page = admin.get(&format!("{CUSTOMERS}?{filters}&limit=2&count=true")).await.expect(200);
    assert_eq!((page.items().len(), page.header("x-total-count")), (2, Some("5")));
    let (path, query) = page.next().expect("a next page").split_once('?').expect("a query");
    let pairs = |query: &str| form_urlencoded::parse(query.as_bytes()).into_owned().collect::<Vec<_>>();
    let mut wanted = pairs(&format!("{filters}&limit=2&count=true"));
    let next = pairs(query);
    wanted.push(("cursor".into(), next.last().expect("a cursor").1.clone()));
    assert_eq!((path, next), (CUSTOMERS, wanted));
    let second = admin.get(page.next().expect("a next page")).await.expect(200);
    let third = admin.get(second.next().expect("a next page")).await.expect(200);
    assert_eq!(third.next(), None);
    let names: Vec<_> = [&page, &second, &third].into_iter().flat_map(|page| page.items()).collect();
    let names: Vec<_> = names.iter().map(|row| row["name"].as_str().expect("a name")).collect();
    let wanted = [4, 3, 2, 1, 0].map(|number| format!("100% & 絆+{number}"));
    assert_eq!(names, wanted);
    assert_eq!(third.header("x-total-count"), Some("5"), "the total is that of all pages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_has_fifty_rows_unless_asked_and_a_total_only_when_asked() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    sixty(&app, &admin).await;
    let list = admin.get(CUSTOMERS).await.expect(200);
    assert_eq!((list.items().len(), list.header("x-total-count")), (50, None));
    let exact = admin.get(&format!("{CUSTOMERS}?limit=60&count=false")).await;
    assert_eq!((exact.items().len(), exact.next(), exact.header("x-total-count")), (60, None, None));
    let none = admin.get(&format!("{CUSTOMERS}?status=DORMANT&count=true")).await.expect(200);
    assert_eq!((none.text.as_str(), none.next(), none.header("x-total-count")), ("[]", None, Some("0")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cursor_that_is_not_of_this_order_is_refused() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    for name in ["一", "二"] {
        admin.customer(name).await;
    }
    app.settle().await;
    let by_name = admin.get(&format!("{CUSTOMERS}?limit=1&sort=name")).await;
    let by_name = by_name.next().expect("a next page").split("cursor=").nth(1).expect("a cursor").to_owned();
    let made = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let somebody = "0198c0de-0000-7000-8000-000000000000";
    let cursors = [
        ("-name", by_name.clone()),
        ("created_at", by_name.clone()),
        ("name", format!("{by_name}A")),
        ("name", "nonsense".to_owned()),
        ("name", "%3D%3D".to_owned()),
        ("name", String::new()),
        ("name", made("[]")),
        ("name", made("[\"name\",\"a\"]")),
        ("name", made("[\"name\",\"a\",\"17\"]")),
        ("name", made(&format!("[\"name\",\"b\",\"{somebody}\"]"))),
        ("name", made(&format!("[\"name/name_order\",17,\"{somebody}\"]"))),
        ("name", made(&format!("[\"name/name_order\",\"山田\",\"{somebody}\"]"))),
        ("name", made(&format!("[\"name/name_order\",\"a\\u0000\",\"{somebody}\"]"))),
        ("created_at", made(&format!("[\"created_at\",\"yesterday\",\"{somebody}\"]"))),
    ];
    let back = made(&format!("[\"-id\",\"\",\"{somebody}\",\"before\"]"));
    let aside = made(&format!("[\"created_at\",\"2026-01-01T00:00:00Z\",\"{somebody}\",\"beside\"]"));
    let rejected = cursors.map(|(sort, cursor)| {
        Rejected::get(format!("{CUSTOMERS}?sort={sort}&cursor={cursor}"), 400, "invalid_cursor")
    });
    let lists = ["meetings", "auth/users", "notifications", "audit/events"];
    let others =
        lists.map(|list| Rejected::get(format!("/api/{list}?cursor={by_name}"), 400, "invalid_cursor"));
    all_refused(&app, &admin, rejected.into_iter().chain(others)).await;
    let onwards_alone = Rejected::get(format!("/api/audit/events?cursor={back}"), 400, "invalid_cursor");
    let aside = Rejected::get(format!("{CUSTOMERS}?sort=created_at&cursor={aside}"), 400, "invalid_cursor");
    all_refused(&app, &admin, [onwards_alone, aside]).await;
    admin.get(&format!("{CUSTOMERS}?sort=name&cursor={by_name}")).await.expect(200);
}

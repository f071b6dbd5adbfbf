//! The console's lists: the columns, orders and pages that their addresses name, and the list as a file.

use rstest::rstest;
use serde_json::json;

use testing::browser::Browser;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

/// The rows of a file, header and all.
fn rows(file: &Answer) -> Vec<Vec<String>> {
    let text = file.text.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// Something with an approval in dollars and a task, in a customer whose name is a formula.
async fn fill(sales: &Member) {
    let customer = json!({"name": "=1+1", "company": "青空", "status": "ACTIVE", "email": "a@example.com"});
    let customer = sales.create_customer(customer).await.id();
    let asked = json!({"customer_id": customer, "title": "値引き", "amount": 123_450, "currency": "USD"});
    sales.post("/api/approvals", asked).await.expect(201);
    let task = json!({"title": "見積", "due_at": "2026-03-05T15:30:00Z", "customer_id": customer});
    sales.post("/api/tasks", task).await.expect(201);
    let done = json!({"title": "済み", "due_at": "2026-03-05T15:30:00Z", "status": "DONE"});
    sales.post("/api/tasks", done).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_has_the_list_as_its_reader_sees_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    fill(&sales).await;
    let browser = Browser::open(&app, &sales.email).await;
    let name = sales.get("/api/auth/me").await.expect(200).text_at("/name");
    let set = async |locale: &str| {
        let zone = json!({"locale": locale, "time_zone": "Asia/Tokyo"});
        sales.patch("/api/auth/me", zone).await.expect(200);
    };
    set("ja").await;
    let tasks = rows(&browser.get("/tasks.csv?columns=due_at&columns=customer_id&columns=assignee_id").await);
    assert_eq!(tasks[0], ["件名", "期限 (Asia/Tokyo)", "顧客", "担当"]);
    assert_eq!(tasks[1..], [["見積", "2026/03/06 00:30", "'=1+1", &name]], "open ones, as the page has");
    let asked = rows(&browser.get("/approvals.csv?columns=amount&columns=status").await);
    assert_eq!(asked, [["件名", "金額", "通貨", "状態"], ["値引き", "1234.50", "USD", "承認待ち"]]);
    set("en").await;
    let file = browser.get("/tasks.csv?status=DONE&columns=due_at&columns=status&limit=1&cursor=").await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"tasks.csv\""));
    assert_eq!(rows(&file), [["Title", "Due (Asia/Tokyo)", "Status"], ["済み", "2026-03-06 00:30", "Done"]]);
    let customers = rows(&browser.get("/customers.csv?sort=-name&q=青空").await);
    assert_eq!(customers[0][..3], ["Name", "Company", "E-mail"]);
    assert_eq!(customers[1][..4], ["'=1+1", "青空", "a@example.com", "Active"]);
    assert_eq!(rows(&browser.get("/customers.csv?status=DORMANT").await).len(), 1, "the filters hold");
    browser.get("/customers.csv?sort=size").await.expect(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_has_every_page_and_what_its_reader_may_see() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    for number in 0..205 {
        sales.customer(&format!("絆 {number:03}")).await;
    }
    colleague.customer("別").await;
    let own = rows(&Browser::open(&app, &sales.email).await.get("/customers.csv?sort=name&limit=25").await);
    let names: Vec<String> = own[1..].iter().map(|row| row[0].clone()).collect();
    assert_eq!(names, (0..205).map(|number| format!("絆 {number:03}")).collect::<Vec<_>>());
    assert_eq!(rows(&Browser::open(&app, &manager.email).await.get("/customers.csv").await).len(), 207);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn headings_sort_and_keep_the_filters() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    fill(&sales).await;
    let browser = Browser::open(&app, &sales.email).await;
    let page = browser.get("/customers?q=青空&limit=25&sort=name&done=registered").await.expect(200).text;
    let by_name = "href=\"/customers?q=%E9%9D%92%E7%A9%BA&#38;limit=25&#38;sort=-name\"";
    assert!(page.contains(&format!("aria-sort=\"ascending\"><a class=\"sorts\" {by_name}")), "{page}");
    assert!(
        page.contains("&#38;sort=-created_at\" id=\"sort-by-created_at\""),
        "the newest first, to begin with"
    );
    assert_eq!(page.matches("aria-sort").count(), 1);
    let page =
        browser.get("/approvals?sort=-amount&columns=amount&columns=decided_at").await.expect(200).text;
    assert!(page.contains("<th scope=\"col\" class=\"num\" aria-sort=\"descending\">"), "{page}");
    assert!(
        page.contains("決裁日時") && !page.contains("sort-by-created_at"),
        "the columns that were chosen"
    );
    let unknown = browser.get("/customers?columns=password&columns=&columns=x").await.expect(200).text;
    assert!(unknown.contains("sort-by-created_at"), "no column of ours: the usual ones");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_lead_on_and_back_and_to_a_full_first_page() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    for number in 0..60 {
        sales.customer(&format!("絆 {number:03}")).await;
    }
    let browser = Browser::open(&app, &sales.email).await;
    let link = |page: &str, rel: &str| {
        let link =
            page.split(&format!("rel=\"{rel}\" href=\"")).nth(1).and_then(|rest| rest.split('"').next());
        link.map(|link| link.replace("&#38;", "&"))
    };
    let names = |page: &str| page.matches("<td class=\"key\">").count();
    let first = browser.get("/customers?sort=name&limit=25").await.expect(200).text;
    assert_eq!((names(&first), link(&first, "prev")), (25, None));
    assert!(first.contains("aria-current=\"true\">25</a>"));
    let second = browser.get(&link(&first, "next").expect("a next page")).await.expect(200).text;
    let third = browser.get(&link(&second, "next").expect("a last page")).await.expect(200).text;
    assert_eq!((names(&third), link(&third, "next")), (10, None));
    let back = browser.get(&link(&third, "prev").expect("a page before")).await.expect(200).text;
    assert!(back.contains("絆 025") && back.contains("絆 049") && names(&back) == 25);
    let gone = sales.get("/api/customers?sort=name&limit=20").await.expect(200);
    for row in gone.items() {
        let path = format!("/api/customers/{}", row["id"].as_str().expect("an id"));
        sales.delete(&path).await.expect(200);
    }
    let begin = browser.get(&link(&back, "prev").expect("the first page")).await.expect(200).text;
    assert_eq!(names(&begin), 25, "the first page is full, whatever is gone from it");
    assert_eq!(link(&begin, "prev"), None);
}

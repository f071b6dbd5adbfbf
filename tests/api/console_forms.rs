//! Forms of the console: sent twice, sent late, sent over somebody else's change, and what they take.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use testing::app::PASSWORD;
use testing::browser::{Browser, post_form};
use testing::{Database, Postgres, Sqlite, Team, TestApp};

/// The fields of a form of a page that people do not see.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let from = page.find(&format!("action=\"{action}\"")).expect("the form");
    let form = page[from..].split("</form>").next().expect("its end");
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let part = |text: &str, at: usize| text.split('"').nth(at).unwrap_or_default().to_owned();
    inputs.map(|input| (part(input, 0), part(input, 2))).collect()
}

/// Those fields and others, as a form is sent.
fn with<'a>(hidden: &'a [(String, String)], typed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    hidden.chain(typed.iter().copied()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_sent_twice_makes_one_record(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let browser = Browser::open(&app, &sales.email).await;
    let page = browser.get("/customers").await.expect(200).text;
    let own = hidden(&page, "/customers");
    let (api, fields) = (browser.api(), with(&own, &[("name", "二度押し")]));
    let answers = join_all((0..4).map(|_| post_form(&api, "/customers", &fields))).await;
    let later = post_form(&api, "/customers", &fields).await;
    for answer in answers.iter().chain([&later]) {
        assert_eq!((answer.status, answer.header("location")), (303, Some("/customers?done=registered")));
    }
    assert_eq!(sales.get("/api/customers?q=二度押し").await.items().len(), 1);
    // Who goes back and changes it means another one.
    post_form(&api, "/customers", &with(&own, &[("name", "別の顧客")])).await.expect(303);
    assert_eq!(sales.get("/api/customers").await.items().len(), 2);
    let refused = post_form(&api, "/customers", &with(&own, &[("name", "")])).await.expect(422);
    let again = hidden(&refused.text, "/customers");
    assert_ne!(own, again, "a form that is shown again has a key of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_decision_sent_twice_is_one() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let path = format!("/approvals/{}", sales.approval(&customer, "値引き").await.id());
    let browser = Browser::open(&app, &manager.email).await;
    let page = browser.get(&path).await.expect(200).text;
    let own = hidden(&page, &path);
    for _ in 0..2 {
        let answer = post_form(&browser.api(), &path, &with(&own, &[("decision", "approve")])).await;
        assert_eq!(answer.header("location"), Some(format!("{path}?done=approved").as_str()), "{answer}");
    }
    let anew = browser.post(&path, &[("decision", "reject"), ("comment", "遅い")]).await.expect(409);
    assert!(anew.text.contains("role=\"alert\""), "{anew}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn deciding_a_request_and_opening_a_notification_mark_it_as_read() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let approval = sales.approval(&customer, "値引き").await.id();
    app.settle().await;
    let unread = async || {
        let list = manager.get("/api/notifications/unread").await.expect(200);
        list.items().iter().map(|it| it["subject"]["type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(unread().await, ["approval", "customer"]);
    let browser = Browser::open(&app, &manager.email).await;
    browser.post(&format!("/approvals/{approval}"), &[("decision", "approve")]).await.expect(303);
    app.settle().await;
    assert_eq!(unread().await, ["customer"]);
    let list = manager.get("/api/notifications/unread").await;
    let id = list.items()[0]["id"].as_str().expect("an id").to_owned();
    let answer = browser.get(&format!("/notifications/{id}")).await.expect(303);
    assert_eq!(answer.header("location"), Some(format!("/customers/{customer}").as_str()));
    assert!(unread().await.is_empty());
    browser.post(&format!("/notifications/{id}"), &[("mark", "archive")]).await.expect(303);
    assert!(!browser.get("/notifications").await.text.contains(&id));
    assert!(browser.get("/notifications?show=archived").await.text.contains("アーカイブ済み"));
    let foreign = Browser::open(&app, &sales.email).await;
    foreign.get(&format!("/notifications/{id}")).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fields_that_do_not_collide_are_merged(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let id = sales.create_customer(json!({"name": "絆", "phone": "01", "company": "旧"})).await.id();
    let (path, record) = (format!("/customers/{id}/edit"), format!("/api/customers/{id}"));
    let browser = Browser::open(&app, &sales.email).await;
    let form = hidden(&browser.get(&path).await.expect(200).text, &path);
    manager.patch(&record, json!({"phone": "02", "notes": "電話が変わった"})).await.expect(200);
    let typed = [("name", "絆"), ("phone", "01"), ("company", "新"), ("notes", "")];
    post_form(&browser.api(), &path, &with(&form, &typed)).await.expect(303);
    let now = sales.get(&record).await.body;
    assert_eq!(
        (&now["phone"], &now["company"], &now["notes"]),
        (&json!("02"), &json!("新"), &json!("電話が変わった"))
    );

    // The same form once more, of the first version: the phone collides, and one chooses.
    let typed = [("name", "絆"), ("phone", "04"), ("company", "旧"), ("notes", "")];
    let page = post_form(&browser.api(), &path, &with(&form, &typed)).await.expect(412);
    for shown in ["ほかの人が先に変更しました", "value=\"04\"", "class=\"theirs lines\">02<", "pick_phone"]
    {
        assert!(page.text.contains(shown), "{shown} in {page}");
    }
    assert!(page.text.contains("ほかの人の変更を反映しました"), "{page}");
    assert_eq!(sales.get(&record).await.body["phone"], "02", "nothing is saved before");
    let form = hidden(&page.text, &path);
    let typed = [
        ("name", "絆"),
        ("phone", "04"),
        ("company", "新"),
        ("notes", "電話が変わった"),
        ("pick_phone", "mine"),
    ];
    post_form(&browser.api(), &path, &with(&form, &typed)).await.expect(303);
    let now = sales.get(&record).await.body;
    assert_eq!((&now["phone"], &now["company"]), (&json!("04"), &json!("新")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_value_that_was_chosen_is_the_one_that_stays(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let id = sales.create_customer(json!({"name": "絆", "phone": "01"})).await.id();
    let (path, record) = (format!("/customers/{id}/edit"), format!("/api/customers/{id}"));
    let browser = Browser::open(&app, &sales.email).await;
    let sent = async |page: &str, name, phone, pick: &[(&'static str, &'static str)]| {
        let typed = [&[("name", name), ("phone", phone)][..], pick].concat();
        post_form(&browser.api(), &path, &with(&hidden(page, &path), &typed)).await
    };
    let first = browser.get(&path).await.expect(200).text;
    manager.patch(&record, json!({"phone": "02"})).await.expect(200);
    let asked = sent(&first, "絆", "04", &[]).await.expect(412).text;

    // Chosen between what the page showed: a third value is another question.
    manager.patch(&record, json!({"phone": "03"})).await.expect(200);
    let again = sent(&asked, "絆", "04", &[("pick_phone", "mine")]).await.expect(412).text;
    assert!(again.contains("class=\"theirs lines\">03<"), "{again}");

    // What was chosen outlives a fault of another field.
    let theirs = [("pick_phone", "theirs")];
    let refused = sent(&again, "", "04", &theirs).await.expect(422).text;
    assert!(refused.contains("value=\"03\"") && !refused.contains("value=\"04\""), "{refused}");
    sent(&refused, "絆商店", "03", &[]).await.expect(303);
    let now = sales.get(&record).await.body;
    assert_eq!((&now["name"], &now["phone"]), (&json!("絆商店"), &json!("03")));

    sent(&again, "絆商店", "04", &theirs).await.expect(303);
    assert_eq!(sales.get(&record).await.body["phone"], "03");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_without_a_session_is_kept_through_the_sign_in() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let browser = Browser::open(&app, &sales.email).await;
    let form = hidden(&browser.get("/customers").await.text, "/customers");
    browser.post("/logout", &[]).await.expect(303);
    let fields = with(&form, &[("name", "長い仕事"), ("notes", "一時間分の文章")]);
    let kept = post_form(&browser.api(), "/customers", &fields).await.expect(401);
    assert!(kept.text.contains("一時間分の文章") && kept.text.contains("もう一度ログイン"), "{kept}");
    assert!(!kept.text.contains("name=\"next\""), "the page does not leave by itself");
    let ended = browser.get("/login").await.expect(200);
    assert!(ended.text.contains("有効期限"), "{ended}");
    let wrong = [
        ("email", sales.email.as_str()),
        ("password", "wrong"),
        ("resume", "/customers"),
        ("kept.notes", "一時間分の文章"),
    ];
    let wrong = post_form(&browser.api, "/login", &wrong).await.expect(401);
    assert!(wrong.text.contains("一時間分の文章"), "a wrong password costs nothing: {wrong}");

    // The browser follows a 307 by sending the same again, with the new session.
    let sign_in = [
        ("email", sales.email.as_str()),
        ("password", PASSWORD),
        ("resume", "/customers"),
        ("kept.name", "長い仕事"),
        ("kept.notes", "一時間分の文章"),
    ];
    let signed = post_form(&browser.api, "/login", &sign_in).await.expect(307);
    assert_eq!(signed.header("location"), Some("/customers"));
    let mut back = browser.clone();
    back.keep(&signed);
    let shown = post_form(&back.api(), "/customers", &sign_in).await.expect(200);
    assert!(
        shown.text.contains("一時間分の文章") && shown.text.contains("まだ送信されていません"),
        "{shown}"
    );
    assert!(!shown.text.contains(PASSWORD), "{shown}");
    assert!(sales.get("/api/customers").await.items().is_empty(), "it is shown, not carried out");
    for elsewhere in ["https://evil.example/", "//evil.example", "/logout"] {
        let fields = [("email", sales.email.as_str()), ("password", PASSWORD), ("resume", elsewhere)];
        let answer = post_form(&browser.api, "/login", &fields).await.expect(303);
        assert_eq!(answer.header("location"), Some("/"), "{elsewhere}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_of_another_session_of_its_user_is_shown_again() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let browser = Browser::open(&app, &sales.email).await;
    let form = hidden(&browser.get("/customers").await.text, "/customers");
    let fields = with(&form, &[("name", "長い仕事"), ("notes", "一時間分の文章")]);
    let again = Browser::open(&app, &sales.email).await;
    let shown = post_form(&again.api(), "/customers", &fields).await.expect(403);
    assert!(
        shown.text.contains("一時間分の文章") && shown.text.contains("まだ送信されていません"),
        "{shown}"
    );
    assert!(sales.get("/api/customers").await.items().is_empty());
    let fresh = hidden(&shown.text, "/customers");
    let fields = with(&fresh, &[("name", "長い仕事"), ("notes", "一時間分の文章")]);
    post_form(&again.api(), "/customers", &fields).await.expect(303);
    let other = Browser::open(&app, &colleague.email).await;
    let refused = post_form(&other.api(), "/customers", &fields).await.expect(403);
    assert!(!refused.text.contains("一時間分の文章"), "somebody else's form is shown to nobody: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_of_a_form_alone_leads_to_its_page() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let browser = Browser::open(&app, &sales.email).await;
    for (path, page) in [
        ("/logout", "/"),
        ("/news/seen", "/"),
        ("/notifications/read-all", "/notifications"),
        ("/settings/password", "/settings"),
        (&format!("/tasks/{customer}/status"), &format!("/tasks/{customer}")),
    ] {
        assert_eq!(browser.get(path).await.expect(303).header("location"), Some(page), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn amounts_are_typed_in_the_units_of_their_currency() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let browser = Browser::open(&app, &sales.email).await;
    let request = async |amount: &str, currency: &str| {
        let fields = [
            ("customer_id", customer.as_str()),
            ("title", "値引き"),
            ("amount", amount),
            ("currency", currency),
        ];
        browser.post("/approvals", &fields).await
    };
    for (typed, currency, minor) in [
        ("120,000", "JPY", 120_000),
        ("1250", "USD", 125_000),
        ("1,250.00", "USD", 125_000),
        ("１２００", "EUR", 120_000),
    ] {
        request(typed, currency).await.expect(303);
        let newest = sales.get("/api/approvals").await.items()[0].clone();
        assert_eq!((&newest["amount"], &newest["currency"]), (&json!(minor), &json!(currency)), "{typed}");
    }
    for (typed, currency, said) in [
        ("12.5", "JPY", "この通貨は整数で"),
        ("12.345", "USD", "2 桁まで"),
        ("1.250,00", "EUR", "金額を正しく"),
        ("-1", "USD", "0.00 USD 以上"),
    ] {
        let page = request(typed, currency).await.expect(422);
        assert!(
            page.text.contains(said) && page.text.contains(&format!("value=\"{typed}\"")),
            "{typed}: {page}"
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_search_finds_whom_the_caller_may_choose(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    for n in 10..35 {
        sales.customer(&format!("青空 {n}")).await;
    }
    colleague.customer("青空 99").await;
    let browser = Browser::open(&app, &sales.email).await;
    let found = browser.get("/choices/customers?q=青空").await.expect(200);
    let names = |answer: &testing::Answer| -> Vec<String> {
        let choices = answer.body["choices"].as_array().expect("choices").iter();
        choices.map(|it| it["label"].as_str().expect("a label").to_owned()).collect()
    };
    assert_eq!((names(&found).len(), &found.body["more"]), (20, &json!(true)));
    assert_eq!(names(&browser.get("/choices/customers?q=青空 34").await), ["青空 34"]);
    assert!(names(&browser.get("/choices/customers?q=青空 99").await).is_empty(), "a colleague's");
    let approvers = browser.get(&format!("/choices/approvers?of={}", manager.id)).await;
    assert!(!approvers.text.contains(&manager.id) && !names(&approvers).is_empty(), "{approvers}");
    browser.get("/choices/secrets").await.expect(404);

    // Without scripts: a name that fits one alone chooses it; others are shown to choose from.
    let sent = |text: &'static str| {
        [("customer_id_text", text), ("title", "値引き"), ("amount", "1"), ("currency", "JPY")]
    };
    browser.post("/approvals", &sent("青空 34")).await.expect(303);
    let page = browser.post("/approvals", &sent("青空")).await.expect(422);
    assert!(
        page.text.contains("候補から 1 つ選んで") && page.text.matches("<option value=").count() > 20,
        "{page}"
    );
    let none = browser.post("/approvals", &sent("夕焼け")).await.expect(422);
    assert!(none.text.contains("該当する候補がありません"), "{none}");
}

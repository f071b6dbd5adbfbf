//! The pages of records in the console, without scripts: read, edited in place, added from a customer's page, completed.

use rstest::rstest;
use serde_json::json;

use testing::app::PASSWORD;
use testing::browser::{Browser, post_form};
use testing::{Answer, Database, Postgres, Sqlite, Team, TestApp};

/// The fields of a form of a page that people do not see.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let from = page.find(&format!("method=\"post\" action=\"{action}\"")).expect("the form");
    let form = page[from..].split("</form>").next().expect("its end");
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let part = |text: &str, at: usize| text.split('"').nth(at).unwrap_or_default().replace("&#38;", "&");
    inputs.map(|input| (part(input, 0), part(input, 2))).collect()
}

/// Sends a form of a page as a browser does: the fields that people do not see, and those typed.
async fn send(browser: &Browser, page: &Answer, action: &str, typed: &[(&str, &str)]) -> Answer {
    let own = hidden(&page.text, action);
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<_> = own.chain(typed.iter().copied()).collect();
    post_form(&browser.api(), action, &fields).await
}

/// Fails unless the page has each of these texts.
fn holds(page: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(page.text.contains(text), "{text} in {page}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_has_a_page_with_its_customer_and_history(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商店").await.id();
    let met = json!({"customer_id": customer, "title": "初回訪問", "met_at": "2026-03-02T09:00:00Z", "duration_minutes": 45,
        "location": "本社", "outcome": "見積もりを送る"});
    let meeting = sales.post("/api/meetings", met).await.expect(201).id();
    let due = json!({"customer_id": customer, "title": "見積書", "due_at": "2026-03-03T09:00:00Z", "notes": "税込で"});
    let task = sales.post("/api/tasks", due).await.expect(201).id();
    manager.patch(&format!("/api/tasks/{task}"), json!({"notes": "税抜で"})).await.expect(200);
    let approval = sales.approval(&customer, "値引き").await.id();
    let link = format!("<a href=\"/customers/{customer}\">絆商店</a>");
    let browser = Browser::open(&app, &sales.email).await;
    let page = browser.get(&format!("/meetings/{meeting}")).await.expect(200);
    holds(
        &page,
        &["<h1 id=\"record-title\"", "初回訪問", &link, "45 分", "本社", "見積もりを送る", "商談の記録"],
    );
    holds(&page, &[&format!("href=\"/meetings/{meeting}/edit\"")]);
    let page = browser.get(&format!("/tasks/{task}")).await.expect(200);
    holds(&page, &["見積書", &link, "税抜で", "タスクの変更", "変更: メモ", "タスクの作成"]);
    let (changed, added) = (page.text.find("タスクの変更"), page.text.find("タスクの作成"));
    assert!(changed < added, "the newest comes first");
    let page = browser.get(&format!("/approvals/{approval}")).await.expect(200);
    holds(&page, &["値引き", &link, "承認の申請"]);
    let other = Browser::open(&app, &colleague.email).await;
    for path in [format!("/meetings/{meeting}"), format!("/tasks/{task}"), format!("/approvals/{approval}")] {
        other.get(&path).await.expect(404);
    }
    for path in [format!("/meetings/{meeting}/edit"), format!("/tasks/{task}/edit")] {
        other.get(&path).await.expect(404);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_is_edited_on_its_page_and_merged(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let id = sales.meeting(&customer, "訪問").await.id();
    let (page, record) = (format!("/meetings/{id}"), format!("/api/meetings/{id}"));
    let form = format!("{page}/edit");
    let browser = Browser::open(&app, &sales.email).await;
    let shown = browser.get(&form).await.expect(200);
    holds(&shown, &["<h1 id=\"record-title\"", "id=\"record-form\"", "商談の記録", "キャンセル"]);
    manager.patch(&record, json!({"location": "本社"})).await.expect(200);
    let saved = send(&browser, &shown, &form, &[("title", "再訪"), ("outcome", "成約")]).await.expect(303);
    assert_eq!(saved.header("location"), Some(format!("{page}?done=saved").as_str()));
    let now = sales.get(&record).await.body;
    assert_eq!(
        (&now["title"], &now["location"], &now["outcome"]),
        (&json!("再訪"), &json!("本社"), &json!("成約"))
    );
    let refused = send(&browser, &shown, &form, &[("title", "三度目")]).await.expect(412);
    holds(&refused, &["ほかの人が先に変更しました", "class=\"theirs lines\">再訪<", "商談の記録"]);
    let refused = send(&browser, &browser.get(&form).await, &form, &[("title", "")]).await.expect(422);
    holds(&refused, &["id=\"record-form\"", "必須項目です"]);
    // A form that was made of an earlier version deletes nothing.
    let old = browser.get(&page).await.expect(200);
    manager.patch(&record, json!({"location": "支社"})).await.expect(200);
    let removal = format!("{page}/delete");
    let stale = send(&browser, &old, &removal, &[]).await.expect(412);
    holds(&stale, &["role=\"alert\"", "支社", &format!("action=\"{removal}\"")]);
    let gone = send(&browser, &stale, &removal, &[]).await.expect(303);
    assert_eq!(gone.header("location"), Some("/meetings?done=removed"));
    browser.get(&page).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_added_from_a_customer_s_page_leads_back_there(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    sales.customer("別の顧客").await;
    let customer = sales.customer("絆商店").await.id();
    let page = format!("/customers/{customer}");
    let browser = Browser::open(&app, &sales.email).await;
    let shown = browser.get(&page).await.expect(200);
    let chosen = format!("<option value=\"{customer}\" selected>絆商店</option>");
    assert_eq!(shown.text.matches(&chosen).count(), 4, "{shown}");
    let of = ("customer_id", customer.as_str());
    for (list, typed, wrong, word) in [
        ("/tasks", vec![of, ("title", "電話"), ("due_at", "2099-03-02T18:30")], ("title", ""), "added"),
        (
            "/meetings",
            vec![of, ("title", "訪問"), ("met_at", "2026-03-02T18:30")],
            ("met_at", "いつか"),
            "recorded",
        ),
        (
            "/approvals",
            vec![of, ("title", "値引き"), ("amount", "1,000"), ("currency", "JPY")],
            ("amount", "たくさん"),
            "requested",
        ),
        (
            "/deals",
            vec![of, ("title", "契約"), ("amount", "1,000"), ("currency", "JPY"), ("stage", "QUALIFY")],
            ("amount", "たくさん"),
            "deal-added",
        ),
    ] {
        let there = format!("{page}?done={word}");
        let made = send(&browser, &shown, list, &typed).await.expect(303);
        assert_eq!(made.header("location"), Some(there.as_str()), "{list}");
        // A form that was refused knows where it came from, and of whom it is.
        let mistaken: Vec<_> =
            typed.iter().copied().filter(|(name, _)| *name != wrong.0).chain([wrong]).collect();
        let refused = send(&browser, &shown, list, &mistaken).await.expect(422);
        holds(&refused, &[&chosen, &format!("name=\"back\" value=\"{page}\"")]);
        let made = send(&browser, &refused, list, &typed).await.expect(303);
        assert_eq!(made.header("location"), Some(there.as_str()), "{list}");
    }
    let done = browser.get(&format!("{page}?done=added")).await.expect(200);
    holds(&done, &["作成しました。"]);
    for elsewhere in ["https://evil.example/", "//evil.example"] {
        let fields = [of, ("title", "電話"), ("due_at", "2099-03-02T18:30"), ("back", elsewhere)];
        let made = browser.post("/tasks", &fields).await.expect(303);
        assert_eq!(made.header("location"), Some("/tasks?done=added"), "{elsewhere}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_way_back_to_the_customer_outlives_a_sign_in() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商店").await.id();
    let page = format!("/customers/{customer}");
    let browser = Browser::open(&app, &sales.email).await;
    let shown = browser.get(&page).await.expect(200);
    browser.post("/logout", &[]).await.expect(303);
    let typed = [("customer_id", customer.as_str()), ("title", "電話"), ("due_at", "2099-03-02T18:30")];
    let asked = send(&browser, &shown, "/tasks", &typed).await.expect(401);
    holds(&asked, &[&format!("name=\"kept.back\">\n{page}</textarea>")]);
    let sign_in = [
        ("email", sales.email.as_str()),
        ("password", PASSWORD),
        ("resume", "/tasks"),
        ("kept.back", &page),
        ("kept.customer_id", &customer),
        ("kept.title", "電話"),
        ("kept.due_at", "2099-03-02T18:30"),
    ];
    let signed = post_form(&browser.api, "/login", &sign_in).await.expect(307);
    let mut back = browser.clone();
    back.keep(&signed);
    let again = post_form(&back.api(), "/tasks", &sign_in).await.expect(200);
    holds(&again, &["電話", &format!("<option value=\"{customer}\" selected>")]);
    let made = send(&back, &again, "/tasks", &typed).await.expect(303);
    assert_eq!(made.header("location"), Some(format!("{page}?done=added").as_str()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_is_completed_where_it_stands_and_stays_to_be_taken_back(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let mut tasks = Vec::new();
    for day in 1..=5 {
        let due = format!("2099-03-0{day}T10:00:00Z");
        let task = json!({"title": format!("課題{day}"), "due_at": due, "customer_id": customer});
        tasks.push(sales.post("/api/tasks", task).await.expect(201).id());
    }
    let browser = Browser::open(&app, &sales.email).await;
    let status = |id: &str| format!("/tasks/{id}/status");
    let order = |page: &Answer| {
        let places = (1..=5).filter_map(|day| Some((page.text.find(&format!(">課題{day}<"))?, day)));
        let mut places: Vec<_> = places.collect();
        places.sort_unstable();
        places.into_iter().map(|(_, day)| day).collect::<Vec<_>>()
    };
    let state = async |id: &str| sales.get(&format!("/api/tasks/{id}")).await.text_at("/status");

    let list = browser.get("/tasks?status=OPEN").await.expect(200);
    assert_eq!(order(&list), [1, 2, 3, 4, 5]);
    let done = send(&browser, &list, &status(&tasks[1]), &[]).await.expect(303);
    let there = done.header("location").expect("a page").to_owned();
    assert_eq!(there, format!("/tasks?status=OPEN&kept={0}&done=completed#task-{0}", tasks[1]));
    assert_eq!(state(&tasks[1]).await, "DONE");
    let there = there.split('#').next().expect("the page");
    let list = browser.get(there).await.expect(200);
    assert_eq!(order(&list), [1, 2, 3, 4, 5], "it stays where it stood");
    holds(&list, &["タスクを完了しました。", "aria-checked=\"true\" aria-label=\"「課題2」の完了\""]);
    assert!(!list.text.contains("class=\"chip\""), "that it stays is no filter: {list}");
    // The same button takes it back.
    let back = send(&browser, &list, &status(&tasks[1]), &[]).await.expect(303);
    assert!(back.header("location").is_some_and(|it| it.contains("done=reopened")), "{back}");
    assert_eq!(state(&tasks[1]).await, "OPEN");

    // On another page of the list it does not stand.
    let first = browser.get("/tasks?status=OPEN&limit=2").await.expect(200);
    let done = send(&browser, &first, &status(&tasks[0]), &[]).await.expect(303);
    let there = done.header("location").expect("a page").split('#').next().expect("the page").to_owned();
    let first = browser.get(&there).await.expect(200);
    let next = first.text.split("rel=\"next\" href=\"").nth(1).and_then(|it| it.split('"').next());
    let next = next.expect("a next page").replace("&#38;", "&").replace("&amp;", "&");
    let second = browser.get(&next).await.expect(200);
    assert!(!order(&second).contains(&1), "{second}");

    // What somebody else may see alone, nobody keeps.
    let hidden = colleague.task("秘密", "2099-03-02T10:00:00Z").await.id();
    let list = browser.get(&format!("/tasks?kept={hidden}&kept=nonsense")).await.expect(200);
    assert!(!list.text.contains("秘密"), "{list}");

    let page = browser.get(&format!("/customers/{customer}")).await.expect(200);
    let done = send(&browser, &page, &status(&tasks[2]), &[]).await.expect(303);
    assert_eq!(done.header("location"), Some(format!("/customers/{customer}?done=completed").as_str()));
    let page = browser.get(&format!("/tasks/{}", tasks[2])).await.expect(200);
    holds(&page, &["aria-checked=\"true\"", "タスクの完了"]);
    let back = send(&browser, &page, &status(&tasks[2]), &[]).await.expect(303);
    assert_eq!(back.header("location"), Some(format!("/tasks/{}?done=reopened", tasks[2]).as_str()));
    assert_eq!(state(&tasks[2]).await, "OPEN");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_open_task_is_put_off_where_it_stands_at_its_time_of_day(
    #[values(Sqlite, Postgres)] on: Database,
) {
    // It is Monday, the 2nd of March, 18:00 in Tokyo.
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let task = json!({"title": "折返し電話", "due_at": "2026-02-20T00:30:00Z", "customer_id": customer});
    let id = sales.post("/api/tasks", task).await.expect(201).id();
    let browser = Browser::open(&app, &sales.email).await;
    let postpone = format!("/tasks/{id}/postpone");
    let due_at = async || sales.get(&format!("/api/tasks/{id}")).await.text_at("/due_at");
    let customer_page = format!("/customers/{customer}");
    let task_page = format!("/tasks/{id}");
    for (address, to, due) in [
        ("/", "next-week", "2026-03-09T00:30:00.000000Z"),
        (customer_page.as_str(), "tomorrow", "2026-03-03T00:30:00.000000Z"),
        (task_page.as_str(), "monday", "2026-03-09T00:30:00.000000Z"),
    ] {
        let page = browser.get(address).await.expect(200);
        holds(&page, &["「折返し電話」の延期"]);
        let done = send(&browser, &page, &postpone, &[("to", to)]).await.expect(303);
        assert!(done.header("location").is_some_and(|it| it.contains("done=postponed")), "{done}");
        assert_eq!(due_at().await, due, "{to} from {address}");
    }
    let page = browser.get(&task_page).await.expect(200);
    for wrong in [&[("to", "yesterday")][..], &[]] {
        send(&browser, &page, &postpone, wrong).await.expect(422);
    }
    assert_eq!(due_at().await, "2026-03-09T00:30:00.000000Z");
    // One that is done has no time to come.
    sales.patch(&task_page.replace("/tasks", "/api/tasks"), json!({"status": "DONE"})).await.expect(200);
    let page = browser.get(&task_page).await.expect(200);
    assert!(!page.text.contains(&postpone), "{page}");
}

//! The pages of records in the console, without scripts: read, edited in place, added from a customer's page, completed.

use rstest::rstest;
use serde_json::json;

use testing::browser::{Browser, post_form};
use testing::{Answer, Database, Postgres, Sqlite, Team, TestApp};

/// The fields of a form of a page that people do not see.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let from = page.find(&format!("action=\"{action}\"")).expect("the form");
    let form = page[from..].split("</form>").next().expect("its end");
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let part = |text: &str, at: usize| text.split('"').nth(at).unwrap_or_default().to_owned();
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
    holds(&page, &["<h1 id=\"record-title\"", "初回訪問", &link, "45 分", "本社", "見積もりを送る", "商談の記録"]);
    holds(&page, &[&format!("href=\"/meetings/{meeting}/edit\"")]);
    let page = browser.get(&format!("/tasks/{task}")).await.expect(200);
    holds(&page, &["見積書", &link, "税抜で", "タスクの変更", "変更: メモ", "タスクの追加"]);
    let (changed, added) = (page.text.find("タスクの変更"), page.text.find("タスクの追加"));
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

//! `/admin/webhooks`: the console's pages of webhooks.

use std::time::Duration;

use crate::webhooks::{PATH, PRIVATE};
use testing::app::ADMIN;
use testing::browser::Browser;
use testing::{Member, Receiver, Reply, Sqlite, TestApp, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_admin_adds_tests_changes_and_deletes_a_webhook_in_the_console() {
    let app = TestApp::with(Sqlite, PRIVATE).await;
    let admin = Member::first(&app).await;
    let browser = Browser::open(&app, ADMIN).await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::With(500, "x-a: b".into(), "<b>故障</b>".into()));
    let empty = browser.get("/admin/webhooks").await.expect(200);
    assert!(empty.text.contains("Webhook はありません"), "{empty}");
    let wrong =
        browser.post("/admin/webhooks", &[("url", "ftp://x/"), ("type", "deal.won")]).await.expect(422);
    assert!(
        wrong.text.contains("URL の形式ではありません") && wrong.text.contains("value=\"ftp://x/\""),
        "{wrong}"
    );
    let form = [("url", receiver.url()), ("type", "deal.won".into()), ("type", "customer.created".into())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let made = browser.post("/admin/webhooks", &form).await.expect(200);
    assert!(made.text.contains("value=\"whsec_"), "{made}");
    let id = admin.get(PATH).await.expect(200).body[0]["id"].as_str().expect("an id").to_owned();
    let page = format!("/admin/webhooks/{id}");
    let shown = browser.get(&page).await.expect(200);
    assert!(!shown.text.contains("whsec_") && shown.text.contains("customer."), "{shown}");
    let act = async |act: &str, location: &str| {
        let done = browser.post(&page, &[("act", act)]).await.expect(303);
        assert_eq!(done.header("location"), Some(location), "{act}");
    };
    act("ping", &format!("{page}?done=pinged")).await;
    let soon = Duration::from_secs(10);
    let tried = async || {
        let page = browser.get(&format!("{page}?state=dead")).await.text;
        page.contains("webhook-signature").then_some(page)
    };
    let tried = eventually(soon, tried).await;
    assert!(
        tried.contains("&#60;b&#62;故障") && tried.contains("送信失敗"),
        "what was answered is text: {tried}"
    );
    let delivery = admin.get(&format!("{PATH}/{id}/deliveries")).await.expect(200).body[0]["id"].clone();
    let again = format!("{page}/deliveries/{}/redeliver", delivery.as_str().expect("an id"));
    receiver.answers(|_| Reply::Status(200));
    let done = browser.post(&again, &[]).await.expect(303);
    assert_eq!(done.header("location"), Some(format!("{page}?done=redelivered").as_str()));
    eventually(soon, async || receiver.received().len() == 2).await;
    act("disable", &format!("{page}?done=saved")).await;
    assert!(browser.get(&page).await.text.contains("管理者がこの Webhook を無効にしました"));
    browser.post(&page, &[("act", "ping")]).await.expect(409);
    act("enable", &format!("{page}?done=saved")).await;
    let rotated = browser.post(&page, &[("act", "rotate")]).await.expect(200);
    assert!(rotated.text.contains("value=\"whsec_"), "{rotated}");
    let replayed = browser.post(&page, &[("act", "replay"), ("hours", "24")]).await.expect(303);
    assert_eq!(replayed.header("location"), Some(format!("{page}?done=replayed").as_str()));
    let url = receiver.url();
    let changed = browser.post(&page, &[("act", "change"), ("url", &url), ("type", "*")]).await.expect(303);
    assert_eq!(changed.header("location"), Some(format!("{page}?done=saved").as_str()));
    act("delete", "/admin/webhooks?done=removed").await;
    browser.get(&page).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_but_an_admin_sees_the_pages() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let manager = admin.hire("MANAGER", "manager", None).await;
    let browser = Browser::open(&app, &manager.email).await;
    browser.get("/admin/webhooks").await.expect(403);
    browser.get(&format!("/admin/webhooks/{}", manager.id)).await.expect(403);
}

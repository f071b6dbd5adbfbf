//! The console's page of the node's state.

use serde_json::json;
use store::cursors::ParkedStatus;

use crate::admin::plant;
use testing::app::ADMIN;
use testing::browser::Browser;
use testing::{Sqlite, Team, TestApp};

/// What stands in `page` between these two texts.
#[track_caller]
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from}: {page}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} after {from}: {page}")).0
}

/// The names of actors in `part`, in their order.
fn codes(part: &str) -> Vec<&str> {
    let after = part.split("class=\"code\"").skip(1);
    after.filter_map(|rest| Some(rest.split_once('>')?.1.split_once('<')?.0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_worst_stands_first_and_where_it_is_stands_open() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let browser = Browser::open(&app, ADMIN).await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    let fine = browser.get("/admin").await.expect(200).text;
    assert!(!fine.contains("class=\"problems\"") && !fine.contains("class=\"group\" open"), "{fine}");
    assert_eq!(codes(between(&fine, "id=\"consumers\"", "</table>"))[0], "sales.customers");

    for (breaker, force) in [("breaker.opportunity", "closed"), ("breaker.sales", "open")] {
        let path = format!("/api/admin/breakers/{breaker}");
        admin.post(&path, json!({"force": force})).await.expect(200);
    }
    let logged = admin.get(&format!("/api/audit/events?subject={customer}")).await.expect(200).body;
    plant(&app, "sagas.progress", &logged[0], ParkedStatus::Dead, "broken").await;
    let page = browser.get("/admin").await.expect(200).text;
    let problems = between(&page, "class=\"problems\"", "</ul>");
    let told = problems.split("<a class=\"code\" href=\"").skip(1).map(|it| it.split_once('<').unwrap().0);
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        ["#letters\">sagas.progress", "#breakers\">breaker.sales", "#breakers\">breaker.opportunity"],
        "dead letters, what is open, what is only forced"
    );
    assert!(page.find("class=\"problems\"") < page.find("id=\"cluster\""), "before all figures");
    assert_eq!(codes(between(&page, "id=\"consumers\"", "</table>"))[0], "sagas.progress");
    let breakers = between(&page, "id=\"breakers\"", "</table>");
    let places =
        ["breaker.opportunity<", "breaker.sales<", "breaker.analytics<"].map(|name| breakers.find(name));
    assert!(places[0] < places[1] && places[1] < places[2], "{breakers}");
    assert_eq!(page.matches("<details class=\"group\" open").count(), 1, "the breakers' group alone");
    let group = between(&page, "<details class=\"group\" open", "</details>");
    assert_eq!(codes(group)[..2], ["breaker.opportunity", "breaker.sales"]);
    assert_eq!(group.matches("<tr class=\"problem\"").count(), 2);
}

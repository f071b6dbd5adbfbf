//! Flows 1 to 4 of SPEC §5, from the request to its last effect.

use std::time::Duration;

use kernel::ids::Id;
use kizuna::persistence::customer_replicas as replicas;
use kizuna::persistence::customer_replicas::{CustomerReplica, OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::app::PASSWORD;
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp, eventually};

/// How long after its answer the last effect of a request may come.
const SOON: Duration = Duration::from_secs(1);

/// All that a request leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct Effects {
    /// What sales and opportunity know of the customer.
    copies: [Option<CustomerReplica>; 2],
    /// Today's customers created, customers deleted and meetings.
    figures: [i64; 3],
    /// The customer's timeline and the audit log about it, the newest first.
    activity: Vec<String>,
    logged: Vec<String>,
    /// The unread notifications of admin, manager, sales and colleague.
    badges: [i64; 4],
}

impl Effects {
    async fn of(app: &TestApp, team: &Team, customer: &str) -> Self {
        let id = Id::parse(customer).expect("an id");
        let mut copies = [None, None];
        for (copy, table) in copies.iter_mut().zip([&SALES_CUSTOMERS, &OPPORTUNITY_CUSTOMERS]) {
            *copy = replicas::find(&app.db, table, id).await.expect("a readable replica");
        }
        let today = team.manager.get("/api/reports/metrics?from=2026-03-02&to=2026-03-02").await.expect(200);
        let figure = |metric: &str| today.body[0][metric].as_i64().expect("a figure");
        let mut badges = [0; 4];
        for (badge, member) in
            badges.iter_mut().zip([&team.admin, &team.manager, &team.sales, &team.colleague])
        {
            let unread = member.get("/api/notifications/unread").await.expect(200);
            *badge = unread.header("x-total-count").and_then(|count| count.parse().ok()).expect("a badge");
        }
        Self {
            copies,
            figures: ["customers_created", "customers_deleted", "meetings_created"].map(figure),
            activity: types(&team.manager, &format!("/api/customers/{customer}/activity")).await,
            logged: types(&team.manager, &format!("/api/audit/events?subject={customer}")).await,
            badges,
        }
    }

    /// Waits until they are the wanted ones, and makes sure that they stay so.
    async fn expect(self, app: &TestApp, team: &Team, customer: &str) {
        eventually(SOON, async || match Self::of(app, team, customer).await {
            effects if effects == self => Ok(()),
            effects => Err(format!("{effects:?} instead of {self:?}")),
        })
        .await;
        app.settle().await;
        assert_eq!(Self::of(app, team, customer).await, self, "once and no more");
    }
}

/// The types of a list of events; none while the list cannot be read.
async fn types(reader: &Member, path: &str) -> Vec<String> {
    let list = reader.get(path).await;
    let events = list.body.as_array().into_iter().flatten();
    events.map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

fn copy(customer: &str, version: i64, name: &str, owner: &str) -> Option<CustomerReplica> {
    let [id, owner_id] = [customer, owner].map(|id| Id::parse(id).expect("an id"));
    Some(CustomerReplica { id, version, name: name.to_owned(), owner_id, deleted_at: None })
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_1_a_login_is_logged_and_counted_on_its_day(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let logged = format!("/api/audit/events?type=user.login&actor_id={}", sales.id);
    let logins = async |reader: &Member, query: String| {
        let days = reader
            .get(&format!("/api/reports/metrics?from=2026-03-02&to=2026-03-03{query}"))
            .await
            .expect(200);
        [0, 1].map(|day| days.body[day]["logins"].as_i64().expect("a figure"))
    };
    let own = format!("&owner_id={}", sales.id);
    assert_eq!(logins(&manager, String::new()).await, [4, 0], "the whole team's");
    assert_eq!(logins(&manager, own.clone()).await, [1, 0]);
    assert_eq!(types(&manager, &logged).await.len(), 1);
    let body = json!({"email": sales.email, "password": PASSWORD});
    let again =
        app.nobody().header("x-request-id", "login-2").post("/api/auth/login", body).await.expect(200);
    eventually(SOON, async || logins(&manager, own.clone()).await == [2, 0]).await;
    let event = manager.get(&format!("{logged}&limit=1")).await.expect(200).body[0].clone();
    assert_eq!((&event["correlationid"], &event["data"]), (&json!("login-2"), &json!({"user_id": sales.id})));
    assert_eq!(again.text_at("/user/id"), sales.id);
    app.clock.advance(Duration::from_secs(15 * 3600));
    let sales = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    app.settle().await;
    assert_eq!(logins(&sales, String::new()).await, [2, 1], "a new day in UTC");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_2_a_new_customer_takes_every_effect_within_a_second(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let customer = team.sales.customer("青空商事").await.id();
    let known = copy(&customer, 1, "青空商事", &team.sales.id);
    let effects = Effects {
        copies: [known.clone(), known],
        figures: [1, 0, 0],
        activity: texts(["customer.created"]),
        logged: texts(["customer.created"]),
        badges: [0, 1, 0, 0],
    };
    effects.expect(&app, &team, &customer).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_2_an_owner_named_by_a_manager_is_told(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let named = json!({"name": "青空商事", "owner_id": team.colleague.id});
    let customer = team.manager.create_customer(named).await.id();
    let known = copy(&customer, 1, "青空商事", &team.colleague.id);
    let effects = Effects {
        copies: [known.clone(), known],
        figures: [1, 0, 0],
        activity: texts(["customer.created"]),
        logged: texts(["customer.created"]),
        badges: [0, 0, 0, 1],
    };
    effects.expect(&app, &team, &customer).await;
    let told = team.colleague.get("/api/notifications/unread").await;
    assert_eq!(told.text_at("/0/subject/id"), customer);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_copies_of_a_customer_follow_its_changes(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let customer = team.sales.customer("青空商事").await.id();
    let path = format!("/api/customers/{customer}");
    let change = json!({"name": "ひかり電機", "owner_id": team.colleague.id});
    team.manager.patch(&path, change).await.expect(200);
    let known = copy(&customer, 2, "ひかり電機", &team.colleague.id);
    let effects = Effects {
        copies: [known.clone(), known.clone()],
        figures: [1, 0, 0],
        activity: texts(["customer.updated", "customer.created"]),
        logged: texts(["customer.updated", "customer.created"]),
        badges: [0, 1, 0, 0],
    };
    effects.expect(&app, &team, &customer).await;
    team.colleague.delete(&path).await.expect(200);
    let gone = known.map(|copy| CustomerReplica { version: 3, deleted_at: Some(app.clock.now()), ..copy });
    let effects = Effects {
        copies: [gone.clone(), gone],
        figures: [1, 1, 0],
        activity: texts([]),
        logged: texts(["customer.deleted", "customer.updated", "customer.created"]),
        badges: [0, 0, 0, 0],
    };
    effects.expect(&app, &team, &customer).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_3_a_meeting_is_counted_and_stands_in_the_activity(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let customer = team.sales.customer("青空商事").await.id();
    let meeting = team.sales.meeting(&customer, "初回訪問").await;
    team.manager.meeting(&customer, "同行訪問").await;
    let known = copy(&customer, 1, "青空商事", &team.sales.id);
    let effects = Effects {
        copies: [known.clone(), known],
        figures: [1, 0, 2],
        activity: texts(["meeting.created", "meeting.created", "customer.created"]),
        logged: texts(["customer.created"]),
        badges: [0, 1, 0, 0],
    };
    effects.expect(&app, &team, &customer).await;
    let activity = team.sales.get(&format!("/api/customers/{customer}/activity")).await.expect(200);
    let meetings: Vec<_> = activity.items().iter().map(|event| &event["data"]["meeting"]).collect();
    assert_eq!(meetings, [&meeting.body, &Value::Null], "the owner reads their own, and not the manager's");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_3_a_meeting_with_no_customer_is_refused_and_not_stored(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let hidden = colleague.customer("別").await.id();
    let deleted = sales.customer("絆").await.id();
    sales.delete(&format!("/api/customers/{deleted}")).await.expect(200);
    app.settle().await;
    let missing = "0198c0de-0000-7000-8000-000000000000".to_owned();
    let rejected = [missing, hidden, deleted].map(|customer| {
        let met = json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
        Rejected::new("POST", "/api/meetings", 404, "customer_not_found").json(met.to_string())
    });
    all_refused(&app, &sales, rejected).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_4_the_manager_is_told_of_a_request_and_the_requester_of_the_verdict(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let customer = sales.customer("青空商事").await.id();
    app.settle().await;
    manager.post("/api/notifications/read-all", json!({})).await.expect(200);
    // The kinds and subjects of what somebody has unread.
    let unread = async |member: &Member| {
        let list = member.get("/api/notifications/unread").await.expect(200);
        let told = |row: &Value| format!("{} {}", row["kind"], row["subject"]["id"]).replace('"', "");
        list.items().iter().map(told).collect::<Vec<_>>()
    };
    let request = json!({"customer_id": customer, "title": "値引き", "amount": 120_000});
    let as_sales = sales.header("x-request-id", "approval-1");
    let approval = as_sales.post("/api/approvals", request).await.expect(201).id();
    eventually(SOON, async || unread(&manager).await == [format!("approval.requested {approval}")]).await;
    let created =
        admin.get("/api/audit/events?type=notification.created&limit=1").await.expect(200).body[0].clone();
    let requested =
        admin.get(&format!("/api/audit/events?subject={approval}")).await.expect(200).body[0].clone();
    let told = manager.get("/api/notifications/unread").await.text_at("/0/id");
    assert_eq!((&created["subject"], &created["partitionkey"]), (&json!(told), &json!(manager.id)));
    assert_eq!(
        (&created["causationid"], &created["correlationid"]),
        (&requested["id"], &json!("approval-1"))
    );
    assert_eq!(created["source"], "/services/analytics");

    let approve = format!("/api/approvals/{approval}/approve");
    manager.patch(&approve, json!({"comment": "進めてください"})).await.expect(200);
    eventually(SOON, async || unread(&sales).await == [format!("approval.approved {approval}")]).await;
    app.settle().await;
    assert!(unread(&manager).await.is_empty(), "who decided is not told of it, and has read of the request");
    assert_eq!((unread(&admin).await.len(), unread(&colleague).await.len()), (0, 0));
    let today = sales.get("/api/reports/metrics?from=2026-03-02&to=2026-03-02").await.expect(200);
    let figures = ["approvals_requested", "approvals_approved", "approvals_rejected"];
    assert_eq!(figures.map(|figure| today.body[0][figure].as_i64()), [Some(1), Some(1), Some(0)]);
    let activity = types(&sales, &format!("/api/customers/{customer}/activity")).await;
    assert_eq!(activity, ["approval.approved", "approval.requested", "customer.created"]);
}

//! Deletions that several services carry out: flows 7 and 8 of SPEC §5, their previews, and who may see them.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};

use testing::app::PASSWORD;
use testing::deleted_records;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const USERS: &str = "/api/auth/users";
const CUSTOMERS: &str = "/api/customers";
const MISSING: &str = "0198c0de-0000-7000-8000-000000000000";

/// The saga that a deletion has started, when it has ended.
async fn ended(app: &TestApp, reader: &Member, deletion: &Answer) -> Value {
    app.settle().await;
    let saga = reader.get(&deletion.text_at("/saga/href")).await.expect(200);
    assert_eq!(saga.body["status"], "completed", "{saga}");
    assert!(saga.body["finished_at"].is_string(), "{saga}");
    saga.body
}

/// What the steps counted, by name; all of them done.
fn steps(saga: &Value) -> Vec<(String, Value)> {
    let steps = saga["steps"].as_array().expect("steps");
    let step = |step: &Value| {
        assert_eq!(step["status"], "done", "{step}");
        assert!(step["finished_at"].is_string(), "{step}");
        (
            format!("{} {}", step["service"].as_str().unwrap(), step["name"].as_str().unwrap()),
            step["counts"].clone(),
        )
    };
    steps.iter().map(step).collect()
}

/// The services, steps and counts of a preview.
fn foreseen(preview: &Answer) -> Vec<(String, Value)> {
    let steps = preview.body["steps"].as_array().expect("steps");
    let step = |step: &Value| {
        (
            format!("{} {}", step["service"].as_str().unwrap(), step["name"].as_str().unwrap()),
            step["counts"].clone(),
        )
    };
    steps.iter().map(step).collect()
}

async fn events(reader: &Member, query: &str) -> Vec<Value> {
    let list = reader.get(&format!("/api/audit/events?limit=200&{query}")).await.expect(200);
    list.items().to_vec()
}

/// What a SALES user leaves behind: customers, meetings, tasks, approvals requested, and deals.
struct Estate {
    customers: Vec<String>,
    meetings: Vec<String>,
    tasks: Vec<String>,
    approvals: Vec<String>,
    deals: Vec<String>,
}

impl Estate {
    async fn of(member: &Member) -> Self {
        let (mut customers, mut meetings, mut tasks) = (vec![], vec![], vec![]);
        let (mut approvals, mut deals) = (vec![], vec![]);
        for n in 0..3 {
            let customer = member.customer(&format!("{} {n}", member.email)).await.id();
            meetings.push(member.meeting(&customer, "訪問").await.id());
            tasks.push(member.task("電話", "2026-03-05T09:00:00Z").await.id());
            approvals.push(member.approval(&customer, "値引き").await.id());
            deals.push(member.deal(&customer, "契約").await.id());
            customers.push(customer);
        }
        Self { customers, meetings, tasks, approvals, deals }
    }

    /// Whose it is now: customers', meetings' and deals' owner, approvals' requester; the tasks are gone.
    async fn expect_owner(&self, reader: &Member, owner: &str) {
        for (path, ids, field) in [
            (CUSTOMERS, &self.customers, "owner_id"),
            ("/api/meetings", &self.meetings, "owner_id"),
            ("/api/deals", &self.deals, "owner_id"),
            ("/api/approvals", &self.approvals, "requester_id"),
        ] {
            for id in ids {
                let record = reader.get(&format!("{path}/{id}")).await.expect(200);
                assert_eq!(record.text_at(&format!("/{field}")), owner, "{path} {record}");
            }
        }
        for id in &self.tasks {
            reader.get(&format!("/api/tasks/{id}")).await.expect(404);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_7_a_deleted_users_work_goes_to_the_successor(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let estate = Estate::of(&sales).await;
    let decided = sales.approval(&estate.customers[0], "済み").await.id();
    manager.patch(&format!("/api/approvals/{decided}/approve"), json!({})).await.expect(200);
    let untouched = Estate::of(&colleague).await;
    app.settle().await;
    let path = format!("{USERS}/{}", sales.id);
    let preview =
        admin.get(&format!("{path}/deletion-preview?reassign_to={}", colleague.id)).await.expect(200);
    assert_eq!(
        preview.body["counts"],
        json!({"customers": 3, "meetings": 3, "tasks": 3, "approvals": 3, "deals": 3})
    );
    assert_eq!(preview.text_at("/successor_id"), colleague.id);
    assert_eq!(preview.text_at("/approver_id"), manager.id);
    let deletion = admin.delete(&format!("{path}?reassign_to={}", colleague.id)).await.expect(200);
    assert_eq!((deletion.id(), &deletion.body["status"]), (sales.id.clone(), &json!("deleted")));
    assert_eq!(deletion.text_at("/saga/href"), format!("/api/sagas/{}", deletion.text_at("/saga/id")));
    sales.get("/api/auth/me").await.expect_problem(401, "session_ended");
    let login = json!({"email": sales.email, "password": PASSWORD});
    app.nobody().post("/api/auth/login", login).await.expect_problem(401, "invalid_credentials");
    let saga = ended(&app, &admin, &deletion).await;
    assert_eq!((&saga["kind"], &saga["subject_id"]), (&json!("user_deletion"), &json!(sales.id)));
    assert_eq!(steps(&saga), foreseen(&preview), "the outcome is what was foreseen");
    let names = [
        "customer reassign_customers",
        "sales delete_tasks",
        "sales reassign_meetings",
        "opportunity reassign_approvals",
        "opportunity reassign_deals",
    ];
    assert_eq!(steps(&saga).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    estate.expect_owner(&manager, &colleague.id).await;
    assert_eq!(
        manager.get(&format!("/api/approvals/{decided}")).await.text_at("/requester_id"),
        sales.id,
        "history stays"
    );
    let own = colleague.get(&format!("{CUSTOMERS}?count=true")).await.expect(200);
    assert_eq!(own.header("x-total-count"), Some("6"), "the successor sees them");
    assert_eq!(untouched.customers.len(), 3);
    manager.get(&path).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_step_of_a_users_deletion_tells_of_itself(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let estate = Estate::of(&sales).await;
    let deletion = admin.delete(&format!("{USERS}/{}", sales.id)).await.expect(200);
    let saga = deletion.text_at("/saga/id");
    ended(&app, &admin, &deletion).await;
    let deleted = events(&admin, "type=user.deleted").await;
    let [deleted] = &deleted[..] else { panic!("one: {deleted:?}") };
    let expected = json!({"successor_id": manager.id, "approver_id": manager.id, "saga_id": saga});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&deleted["data"][name], value, "{name} of {deleted}");
    }
    for (kind, ids) in [
        ("customers.reassigned", &estate.customers),
        ("meetings.reassigned", &estate.meetings),
        ("tasks.deleted", &estate.tasks),
        ("approvals.reassigned", &estate.approvals),
        ("deals.reassigned", &estate.deals),
    ] {
        let closing = events(&admin, &format!("type={kind}")).await;
        let [closing] = &closing[..] else { panic!("one {kind}: {closing:?}") };
        assert_eq!(closing["correlationid"], saga, "{closing}");
        assert_eq!(closing["causationid"], deleted["id"], "{closing}");
        assert_eq!((&closing["data"]["saga_id"], &closing["data"]["count"]), (&json!(saga), &json!(3)));
        let mut told: Vec<_> =
            closing["data"]["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        told.sort_unstable();
        let mut wanted: Vec<_> = ids.iter().map(String::as_str).collect();
        wanted.sort_unstable();
        assert_eq!(told, wanted, "{kind}");
    }
    let single = events(&admin, &format!("subject={}", estate.customers[0])).await;
    assert_eq!(single[0]["type"], "customer.updated", "a record's own history has it too");
    assert_eq!(single[0]["data"]["previous_owner_id"], sales.id);
    let told: Vec<_> =
        events(&admin, &format!("subject={saga}")).await.iter().map(|event| event["type"].clone()).collect();
    let step = "saga.step_completed";
    assert_eq!(told, ["saga.completed", step, step, step, step, step, "saga.started"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_manager_inherits_else_who_has_fewest_else_the_deleting_admin(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let lonely = admin.hire("SALES", "lonely", None).await;
    sales.customer("一").await;
    let lonelys = lonely.customer("二").await.id();
    app.settle().await;
    let successor = async |who: &Member| {
        let preview = admin.get(&format!("{USERS}/{}/deletion-preview", who.id)).await.expect(200);
        preview.text_at("/successor_id")
    };
    assert_eq!(successor(&sales).await, manager.id);
    assert_eq!(successor(&lonely).await, colleague.id, "nobody has fewer");
    let deletion = admin.delete(&format!("{USERS}/{}", lonely.id)).await.expect(200);
    ended(&app, &admin, &deletion).await;
    assert_eq!(manager.get(&format!("{CUSTOMERS}/{lonelys}")).await.text_at("/owner_id"), colleague.id);
    for member in [&manager, &sales] {
        let deletion = admin.delete(&format!("{USERS}/{}", member.id)).await.expect(200);
        ended(&app, &admin, &deletion).await;
    }
    assert_eq!(successor(&colleague).await, admin.id, "nobody else is left");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_waits_for_a_deleted_manager_goes_to_another_but_never_to_its_requester(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let chief = admin.hire("MANAGER", "chief", Some(&manager)).await;
    let customer = sales.customer("絆").await.id();
    let asked = async |by: &Member, approver: Value| {
        let approval =
            json!({"customer_id": customer, "title": "値引き", "amount": 1, "approver_id": approver});
        by.post("/api/approvals", approval).await.expect(201).id()
    };
    let of_sales = asked(&sales, json!(chief.id)).await;
    let of_manager = asked(&manager, json!(chief.id)).await;
    let open = asked(&sales, json!(null)).await;
    let deletion = admin.delete(&format!("{USERS}/{}", chief.id)).await.expect(200);
    let saga = ended(&app, &admin, &deletion).await;
    assert_eq!(saga["steps"][3]["counts"], json!({"approvals": 2}));
    let approver = async |id: &str| {
        admin.get(&format!("/api/approvals/{id}")).await.expect(200).body["approver_id"].clone()
    };
    assert_eq!(approver(&of_sales).await, json!(manager.id));
    assert_eq!(approver(&of_manager).await, Value::Null, "open to every MANAGER rather than one's own");
    assert_eq!(approver(&open).await, json!(manager.id), "the requester's manager all along");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_users_deletion_that_is_refused_changes_nothing() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    Estate::of(&sales).await;
    app.settle().await;
    let before = app.stored().await;
    let path = format!("{USERS}/{}", sales.id);
    for member in [&manager, &sales, &colleague] {
        member.delete(&path).await.expect_problem(403, "forbidden");
        member.get(&format!("{path}/deletion-preview")).await.expect_problem(403, "forbidden");
    }
    admin.delete(&format!("{USERS}/{}", admin.id)).await.expect_problem(409, "own_account");
    for wanted in [MISSING, &sales.id] {
        for refused in [
            admin.delete(&format!("{path}?reassign_to={wanted}")).await,
            admin.get(&format!("{path}/deletion-preview?reassign_to={wanted}")).await,
        ] {
            let refused = refused.expect_problem(422, "invalid_fields");
            assert_eq!(refused.text_at("/errors/0/code"), "unknown_user");
        }
    }
    admin.delete(&format!("{path}?reassign_to=nobody")).await.expect_problem(400, "invalid_parameter");
    admin.delete(&format!("{USERS}/{MISSING}")).await.expect_problem(404, "not_found");
    admin.if_match(9).delete(&path).await.expect_problem(412, "stale_version");
    assert_eq!(app.stored().await, before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_8_what_refers_to_a_deleted_customer_goes_with_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (customer, other) = (sales.customer("絆").await.id(), sales.customer("別").await.id());
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for (customer, fates) in [(&customer, &mut gone), (&other, &mut kept)] {
        for _ in 0..2 {
            fates.push(format!("/api/meetings/{}", sales.meeting(customer, "訪問").await.id()));
            let task = json!({"title": "電話", "due_at": "2026-03-05T09:00:00Z", "customer_id": customer});
            fates.push(format!("/api/tasks/{}", sales.post("/api/tasks", task).await.expect(201).id()));
        }
    }
    let (pending, decided) =
        (sales.approval(&customer, "値引き").await.id(), sales.approval(&customer, "済み").await.id());
    let kept_pending = sales.approval(&other, "値引き").await.id();
    let (open, won) = (sales.deal(&customer, "契約").await.id(), sales.deal(&customer, "更新").await.id());
    let kept_open = sales.deal(&other, "契約").await.id();
    sales.patch(&format!("/api/deals/{won}"), json!({"stage": "WON"})).await.expect(200);
    manager.patch(&format!("/api/approvals/{decided}/approve"), json!({})).await.expect(200);
    app.settle().await;
    let path = format!("{CUSTOMERS}/{customer}");
    colleague.get(&format!("{path}/deletion-preview")).await.expect_problem(404, "not_found");
    let preview = sales.get(&format!("{path}/deletion-preview")).await.expect(200);
    let counts = &preview.body["counts"];
    assert_eq!(
        (&counts["meetings"], &counts["tasks"], &counts["approvals"], &counts["deals"]),
        (&json!(2), &json!(2), &json!(1), &json!(1))
    );
    assert!(
        counts["notifications"].as_i64().is_some_and(|count| count >= 1),
        "the manager was told of it: {preview}"
    );
    assert_eq!((&preview.body["successor_id"], &preview.body["approver_id"]), (&Value::Null, &Value::Null));
    let deletion = sales.delete(&path).await.expect(200);
    let saga = ended(&app, &sales, &deletion).await;
    assert_eq!(saga["kind"], "customer_deletion");
    assert_eq!(steps(&saga), foreseen(&preview));
    for path in &gone {
        manager.get(path).await.expect(404);
    }
    for path in &kept {
        manager.get(path).await.expect(200);
    }
    let status = async |id: &str| manager.get(&format!("/api/approvals/{id}")).await.text_at("/status");
    assert_eq!(status(&pending).await, "CANCELLED");
    assert_eq!(status(&decided).await, "APPROVED");
    assert_eq!(status(&kept_pending).await, "PENDING");
    let stage = async |id: &str| manager.get(&format!("/api/deals/{id}")).await.text_at("/stage");
    assert_eq!((stage(&open).await, stage(&won).await), ("LOST".to_owned(), "WON".to_owned()));
    assert_eq!(stage(&kept_open).await, "QUALIFY");
    let lost = manager.get(&format!("/api/deals/{open}")).await.expect(200);
    assert_eq!(lost.body["lost_reason"], "customer_deleted");
    let reopened = json!({"stage": "QUALIFY"});
    let reopened = manager.patch(&format!("/api/deals/{open}"), reopened).await;
    reopened.expect_problem(404, "customer_not_found");
    let told = manager.get("/api/notifications?limit=200").await.expect(200);
    for notification in told.items() {
        let concerns =
            notification["data"]["customer_name"] == "絆" || notification["subject"]["id"] == json!(pending);
        assert!(!concerns || notification["archived_at"].is_string(), "{notification}");
    }
    let figures = sales.get("/api/reports/metrics?from=2026-03-02&to=2026-03-02").await.expect(200);
    assert_eq!(figures.body[0]["customers_deleted"], 1);
    sales.delete(&path).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sagas_are_seen_by_who_started_them_and_by_managers() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let mut own = Vec::new();
    for member in [&sales, &colleague, &sales] {
        let customer = member.customer("絆").await.id();
        let deletion = member.delete(&format!("{CUSTOMERS}/{customer}")).await.expect(200);
        own.push(deletion.text_at("/saga/id"));
        app.settle().await;
        app.clock.advance(Duration::from_secs(1));
    }
    let seen = async |member: &Member| {
        let list = member.get("/api/sagas?count=true").await.expect(200);
        list.items().iter().map(|saga| saga["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&sales).await, [own[2].clone(), own[0].clone()], "the newest first");
    assert_eq!(seen(&colleague).await, [own[1].clone()]);
    for member in [&manager, &admin] {
        assert_eq!(seen(member).await.len(), 3);
        let page = member.get("/api/sagas?limit=2").await.expect(200);
        assert_eq!(member.get(page.next().expect("a next page")).await.expect(200).items().len(), 1);
    }
    colleague.get(&format!("/api/sagas/{}", own[0])).await.expect_problem(404, "not_found");
    let saga = sales.get(&format!("/api/sagas/{}", own[0])).await.expect(200);
    assert_eq!((&saga.body["started_by"], saga.version()), (&json!(sales.id), saga.body["version"].as_i64()));
}

/// How often each race is run.
const RACES: usize = 200;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn work_that_races_with_its_customers_deletion_is_refused_or_ends_deleted(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let (mut made, mut refused) = (Vec::new(), 0);
    for race in 0..RACES {
        let customer = sales.customer("絆").await.id();
        let path = format!("{CUSTOMERS}/{customer}");
        let met = json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
        let due = json!({"customer_id": customer, "title": "電話", "due_at": "2026-03-05T09:00:00Z"});
        let asked = json!({"customer_id": customer, "title": "値引き", "amount": 1});
        // Either side has a start now and then; every fourth time the work comes right after the deletion's answer.
        let starts = |later: bool| Duration::from_micros(if later { (race as u64 / 4 % 5) * 700 } else { 0 });
        let delete = async {
            tokio::time::sleep(starts(race % 4 == 0)).await;
            sales.delete(&path).await.expect(200)
        };
        let work = async {
            tokio::time::sleep(starts(race % 4 == 1)).await;
            let meeting = sales.post("/api/meetings", met);
            tokio::join!(meeting, sales.post("/api/tasks", due), sales.post("/api/approvals", asked))
        };
        let (meeting, task, approval) = if race % 4 == 3 {
            delete.await;
            work.await
        } else {
            tokio::join!(work, delete).0
        };
        for (answer, path) in [(meeting, "/api/meetings"), (task, "/api/tasks"), (approval, "/api/approvals")]
        {
            match answer.status {
                201 => made.push(format!("{path}/{}", answer.id())),
                _ => refused += usize::from(answer.expect_problem(404, "customer_not_found").status == 404),
            }
        }
    }
    assert!(!made.is_empty() && refused >= RACES / 4 * 3, "{} made, {refused} refused: no race", made.len());
    app.settle().await;
    app.expect_none(&deleted_records::PROMISES).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_users_deleted_at_once_leave_nothing_with_either_though_each_is_the_others_successor(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, .. } = Team::of(&app).await;
    let mut deleted = [0, 0];
    for race in 0..RACES {
        let names = ["one", "two"].map(|which| format!("{which}-{race}"));
        let (one, two) = tokio::join!(
            admin.make_user("SALES", &names[0], None),
            admin.make_user("MANAGER", &names[1], None),
        );
        let (one, two) = (one.id(), two.id());
        for (owner, who) in [(&one, "一"), (&two, "二")] {
            let owned = json!({"name": format!("{who} {race}"), "owner_id": owner});
            admin.post(CUSTOMERS, owned).await.expect(201);
        }
        let is_named = race % 2 == 0;
        let query =
            |successor: &str| if is_named { format!("?reassign_to={successor}") } else { String::new() };
        if !is_named {
            let manager = json!({"manager_id": two});
            admin.patch(&format!("{USERS}/{one}"), manager).await.expect(200);
        }
        // Each twice: a user is deleted once.
        let paths = [(&one, &two), (&two, &one), (&one, &two), (&two, &one)];
        let deletions = paths.map(|(user, successor)| format!("{USERS}/{user}{}", query(successor)));
        let answers = join_all(deletions.iter().map(|path| admin.delete(path))).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 404 | 422)), "{answers:?}");
        assert_eq!(done, if is_named { 1 } else { 2 }, "named: {is_named}");
        deleted[usize::from(is_named)] += done;
    }
    app.settle().await;
    app.expect_none(&deleted_records::PROMISES).await;
    assert_eq!(deleted, [RACES, RACES / 2]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_that_reaches_a_deleted_user_late_moves_on(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, colleague, .. } = Team::of(&app).await;
    let customer = colleague.customer("絆").await.id();
    for race in 0..RACES {
        let name = format!("leaver-{race}");
        let leaver = admin.make_user("SALES", &name, None).await.id();
        let owned = |path: &'static str, body: Value| admin.post(path, body);
        let met = json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z", "owner_id": leaver});
        let due = json!({"title": "電話", "due_at": "2026-03-05T09:00:00Z", "assignee_id": leaver});
        let path = format!("{USERS}/{leaver}?reassign_to={}", sales.id);
        let delete = async {
            tokio::time::sleep(Duration::from_micros((race as u64 % 5) * 300)).await;
            admin.delete(&path).await.expect(200)
        };
        let (one, two, three, _) = tokio::join!(
            owned(CUSTOMERS, json!({"name": name, "owner_id": leaver})),
            owned("/api/meetings", met),
            owned("/api/tasks", due),
            delete,
        );
        for answer in [one, two, three] {
            assert!(matches!(answer.status, 201 | 422), "{answer}");
        }
    }
    app.settle().await;
    app.expect_none(&deleted_records::PROMISES).await;
}

//! Every order, filter and figure is found by an index.

use domain::approval::messages as approval;
use domain::approval::messages::ApprovalFilter;
use domain::approval::record::ApprovalStatus;
use domain::customer::messages::{CustomerFilter, SORTS};
use domain::customer::record::CustomerStatus;
use domain::deal::messages as deal;
use domain::deal::messages::DealFilter;
use domain::deal::stage::DealStage;
use domain::events::CUSTOMER_CREATED;
use domain::meeting::messages as meeting;
use domain::meeting::messages::MeetingFilter;
use domain::notification::messages::Which;
use domain::task::messages as task;
use domain::task::messages::TaskFilter;
use domain::task::record::TaskStatus;
use domain::webhook::delivery::DeliveryState;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::ids::new_id;
use kernel::page::{Keyset, PageRequest, SortKind};
use kernel::rank::Query;
use kernel::search::Words;
use kizuna::persistence::deal_reports::Cohort;
use kizuna::persistence::{
    analytics, approvals, customers, deal_reports, deals, deletions, found, meetings, news, tasks,
    webhook_deliveries,
};
use rstest::rstest;
use store::plans::Plan;
use testing::{Database, Postgres, Sqlite};

use super::scene::Scene;
use crate::common::at;

/// The first page, the one after some row, and the one before it.
fn pages(sort: &str, value: &str) -> [PageRequest; 3] {
    let after = Keyset { sort: sort.to_owned(), value: value.to_owned(), id: new_id() };
    [
        PageRequest::first(20).counted(),
        PageRequest::after(20, Some(after.clone())).counted(),
        PageRequest::before(20, after).counted(),
    ]
}

/// In the midst of the amounts.
const AMOUNT: &str = "4503599627370796";
const NOON: &str = "2026-06-01T12:00:00.000000Z";

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn customers_have_an_index_for_each_order_and_filter(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let owner = scene.people.owners[0];
    let whose = [(None, None), (Some(owner), None), (None, Some(owner)), (Some(owner), Some(owner))];
    let quarter = at("2026-06-01T12:15:00Z");
    for sort in &SORTS {
        let value = if sort.kind == SortKind::Name { "佐藤 3" } else { NOON };
        for (viewer, owner_id) in whose {
            for status in [None, Some(CustomerStatus::Active)] {
                for created in [None, Some(quarter)] {
                    if created.is_some() && sort.field != "created_at" {
                        continue;
                    }
                    let filter = CustomerFilter {
                        owner_id,
                        status,
                        created_from: created,
                        created_to: created.map(|_| at("2026-09-01T00:00:00Z")),
                        q: None,
                    };
                    let (what, words) = (format!("{} {viewer:?} {filter:?}", sort.name), Words::default());
                    let mut columns = vec!["status"];
                    // By name and change an owner's are picked out of all, by the index alone.
                    let is_picked = sort.field != "created_at" && viewer.or(owner_id).is_some();
                    if is_picked {
                        columns = Vec::new();
                    } else {
                        columns.extend((viewer.or(owner_id)).map(|_| "owner_id"));
                    }
                    for page in pages(sort.name, value) {
                        customers::list(&scene.db, viewer, &filter, &words, sort, &page).await.unwrap();
                        scene.in_order(&what, "customers", &columns);
                    }
                }
            }
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_search_and_a_time_of_creation_have_indexes_in_every_order(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let owner = scene.people.owners[0];
    for sort in &SORTS {
        for viewer in [None, Some(owner)] {
            for (q, created) in
                [(Some("9"), None), (Some("59"), None), (Some("佐藤 599 藤"), None), (None, Some(()))]
            {
                let filter = CustomerFilter {
                    q: q.map(str::to_owned),
                    created_from: created.map(|()| at("2026-06-01T00:07:00Z")),
                    created_to: created.map(|()| at("2026-06-01T12:08:00Z")),
                    ..CustomerFilter::default()
                };
                let words = Words::parse(q).unwrap();
                let page = PageRequest::first(200).counted();
                customers::list(&scene.db, viewer, &filter, &words, sort, &page).await.unwrap();
                let plans = scene.no_scan(&format!("{} {viewer:?} {filter:?}", sort.name));
                let asks = |plan: &Plan, index: &str| plan.steps.iter().any(|step| step.contains(index));
                // Of an owner's few each is compared.
                if q.is_some() && viewer.is_none() {
                    let index = if on == Sqlite { "customer_gram" } else { "customer_texts_grams" };
                    assert!(plans.iter().any(|plan| asks(plan, index)), "{q:?}: {plans:#?}");
                }
            }
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_meetings_tasks_and_approvals_has_an_index(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let (db, page) = (&scene.db, PageRequest::first(200).counted());
    let kinds = [
        (&found::MEETINGS, "meeting"),
        (&found::TASKS, "task"),
        (&found::APPROVALS, "approval"),
        (&found::DEALS, "deal"),
    ];
    for q in ["9", "59", "佐藤 599 藤"] {
        let (query, words) = (Query::parse(q).unwrap(), Words::parse(Some(q)).unwrap());
        for (searched, kind) in kinds {
            let index = if on == Sqlite { format!("{kind}_gram") } else { format!("{kind}_texts_grams") };
            let asks = |plan: &Plan| plan.steps.iter().any(|step| step.contains(&index));
            let what = format!("{kind}s, {q}");
            found::candidates(db, searched, None, &query).await.unwrap();
            assert!(scene.no_scan(&what).iter().any(asks), "{what}");
            let listed = match kind {
                "meeting" => {
                    let filter = MeetingFilter::default();
                    meetings::list(db, None, &filter, &words, &meeting::SORTS[0], &page).await.map(drop)
                }
                "task" => {
                    let filter = TaskFilter::default();
                    tasks::list(db, None, &filter, &words, &task::SORTS[0], &page).await.map(drop)
                }
                "deal" => {
                    let filter = DealFilter::default();
                    deals::list(db, None, &filter, &words, &deal::SORTS[0], &page).await.map(drop)
                }
                _ => {
                    let filter = ApprovalFilter::default();
                    approvals::list(db, None, &filter, &words, &approval::SORTS[0], &page).await.map(drop)
                }
            };
            listed.unwrap();
            assert!(scene.no_scan(&what).iter().any(asks), "the list of {what}");
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn meetings_tasks_and_approvals_have_an_index_for_each_filter(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let (db, owner, of) = (&scene.db, scene.people.owners[0], scene.people.customers[0]);
    let quarter = at("2026-06-01T12:15:00Z");
    let mut cases = Vec::new();
    for viewer in [None, Some(owner)] {
        for owner_id in [None, Some(owner)] {
            for customer_id in [None, Some(of)] {
                cases.push((viewer, owner_id, customer_id));
            }
        }
    }
    for (viewer, owner_id, customer_id) in cases {
        let is_owned = viewer.or(owner_id).is_some();
        // The records of a customer are few, whoever's they are.
        let columns = |owner: &'static str, status: bool| match customer_id {
            // PostgreSQL chooses by its statistics.
            Some(_) if on == Postgres => vec![],
            Some(_) => vec!["customer_id"],
            None => is_owned.then_some(owner).into_iter().chain(status.then_some("status")).collect(),
        };
        for bound in [None, Some(quarter)] {
            let filter = MeetingFilter { customer_id, owner_id, from: bound, to: None, q: None };
            for sort in meeting::SORTS {
                for page in pages(sort.name, NOON) {
                    meetings::list(db, viewer, &filter, &Words::default(), &sort, &page).await.unwrap();
                    let what = format!("{} {viewer:?} {filter:?}", sort.name);
                    scene.in_order(&what, "meetings", &columns("owner_id", false));
                }
            }
            for status in [None, Some(TaskStatus::Open)] {
                let filter =
                    TaskFilter { status, assignee_id: owner_id, customer_id, due_before: bound, q: None };
                for sort in task::SORTS {
                    for page in pages(sort.name, NOON) {
                        tasks::list(db, viewer, &filter, &Words::default(), &sort, &page).await.unwrap();
                        let what = format!("{} {viewer:?} {filter:?}", sort.name);
                        scene.in_order(&what, "tasks", &columns("assignee_id", true));
                    }
                }
            }
        }
        for status in [None, Some(ApprovalStatus::Pending)] {
            for approver_id in [None, Some(owner)] {
                let filter = ApprovalFilter {
                    status,
                    customer_id,
                    deal_id: None,
                    requester_id: owner_id,
                    approver_id,
                    q: None,
                    awaits: None,
                };
                let mut columns = columns("requester_id", true);
                if customer_id.is_none() {
                    columns.extend(approver_id.map(|_| "approver_id"));
                }
                for sort in approval::SORTS {
                    let is_by_amount = sort.field == "amount";
                    for mut page in pages(sort.name, if is_by_amount { AMOUNT } else { NOON }) {
                        // An approver's are counted one by one.
                        page.count = approver_id.is_none();
                        approvals::list(db, viewer, &filter, &Words::default(), &sort, &page).await.unwrap();
                        let what = format!("{} {viewer:?} {filter:?}", sort.name);
                        match (is_by_amount, customer_id) {
                            (false, _) => scene.in_order(&what, "approvals", &columns),
                            // A customer's few are sorted, and a user's picked out of all by the index alone.
                            (true, Some(_)) => drop(scene.no_scan(&what)),
                            (true, None) => scene.in_order(&what, "approvals", &[]),
                        }
                    }
                }
            }
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn deals_have_an_index_for_each_order_and_filter(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let (db, owner, of) = (&scene.db, scene.people.owners[0], scene.people.customers[0]);
    let mut filters = Vec::new();
    for owner_id in [None, Some(owner)] {
        for customer_id in [None, Some(of)] {
            for stage in [None, Some(DealStage::Propose)] {
                for (open, expected) in [(false, None), (true, None), (false, Day::parse("2026-03-05"))] {
                    let (expected_from, expected_to) = (expected, expected);
                    let filter = DealFilter {
                        stage,
                        customer_id,
                        owner_id,
                        expected_from,
                        expected_to,
                        open,
                        ..DealFilter::default()
                    };
                    filters.push(filter);
                }
                let closed_from = Timestamp::parse("2026-03-05T00:00:00Z");
                let closed_to = Timestamp::parse("2026-03-06T00:00:00Z");
                let filter = DealFilter { stage, customer_id, owner_id, ..DealFilter::default() };
                filters.push(DealFilter { closed_from, closed_to, ..filter.clone() });
                filters.push(DealFilter {
                    created_from: closed_from,
                    created_to: closed_to,
                    reached: Some(DealStage::Propose),
                    ..filter
                });
            }
        }
    }
    for viewer in [None, Some(owner)] {
        for filter in &filters {
            for sort in deal::SORTS {
                // In the midst of the values.
                let value = match sort.field {
                    "created_at" => NOON.to_owned(),
                    "amount" => "1500000000001".to_owned(),
                    _ => Day::parse("2026-06-01").expect("a day").number().to_string(),
                };
                for page in pages(sort.name, &value) {
                    deals::list(db, viewer, filter, &Words::default(), &sort, &page).await.unwrap();
                    let what = format!("{} {viewer:?} {filter:?}", sort.name);
                    // A customer's few are sorted, and those of a few days.
                    let is_few = filter.customer_id.is_some()
                        || filter.expected_from.is_some()
                        || filter.closed_from.is_some()
                        || filter.created_from.is_some();
                    let mut columns = vec!["stage"];
                    columns.extend(viewer.or(filter.owner_id).map(|_| "owner_id"));
                    match is_few {
                        true => drop(scene.no_scan(&what)),
                        false => scene.in_order(&what, "deals", &columns),
                    }
                }
            }
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn reports_read_the_deals_of_their_period_by_an_index(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let (db, one) = (&scene.db, scene.people.owners[0]);
    let (from, to) = (at("2026-03-05T00:00:00Z"), at("2026-03-06T00:00:00Z"));
    let day = Day::parse("2026-03-05").expect("a day");
    for owner in [None, Some(one)] {
        for wanted in [None, Some(one)] {
            let cohort = Cohort { owner, wanted, from, to };
            deal_reports::funnel(db, &cohort, to).await.unwrap();
            scene.no_scan(&format!("the funnel of {owner:?} {wanted:?}"));
            deal_reports::outcomes(db, &cohort).await.unwrap();
            scene.no_scan(&format!("the outcomes of {owner:?} {wanted:?}"));
            deal_reports::forecast(db, owner, wanted, (day, day)).await.unwrap();
            scene.no_scan(&format!("the forecast of {owner:?} {wanted:?}"));
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn figures_and_previews_read_no_whole_table(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let (db, of) = (&scene.db, scene.people.customers[0]);
    let (from, to, now) =
        (at("2026-03-01T15:00:00Z"), at("2026-03-31T15:00:00Z"), at("2026-07-01T09:01:00Z"));
    for owner in [None, Some(scene.people.owners[0])] {
        customers::stats(db, owner, from, to).await.unwrap();
        meetings::stats(db, owner, from, to).await.unwrap();
        tasks::stats(db, owner, from, to, now).await.unwrap();
        approvals::stats(db, owner, from, to).await.unwrap();
        deals::stats(db, owner, &DealFilter::default(), &Words::default()).await.unwrap();
        analytics::activity(db, of, owner, None, 20).await.unwrap();
        scene.no_scan("the figures");
    }
    customers::by_owner(db).await.unwrap();
    let user = scene.people.owners[0];
    for to in [
        deletions::CUSTOMERS_OF_OWNER,
        deletions::MEETINGS_OF_OWNER,
        deletions::TASKS_OF_ASSIGNEE,
        deletions::APPROVALS_OF_USER,
        deletions::DEALS_OF_OWNER,
    ] {
        deletions::count(db, to, user, None).await.unwrap();
        deletions::referring(db, to, user, 10).await.unwrap();
    }
    for to in [
        deletions::MEETINGS_OF_CUSTOMER,
        deletions::TASKS_OF_CUSTOMER,
        deletions::APPROVALS_OF_CUSTOMER,
        deletions::OPEN_DEALS_OF_CUSTOMER,
        deletions::NOTIFICATIONS_OF_CUSTOMER,
    ] {
        deletions::count(db, to, of, Some(user)).await.unwrap();
    }
    scene.no_scan("the previews");
    for which in [Which::All, Which::Unread, Which::Kept, Which::Archived, Which::About(of)] {
        let page = PageRequest::first(20).counted();
        analytics::notifications(db, user, which, &page).await.unwrap();
    }
    scene.no_scan("the notifications");
    news::applied(db, "analytics.activity", &[CUSTOMER_CREATED]).await.unwrap();
    news::news(db, user, None, from, 20).await.unwrap();
    scene.no_scan("what others have changed");
    drop(scene.database);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_webhooks_have_indexes(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let webhook = new_id();
    for state in [None, Some(DeliveryState::Dead)] {
        let columns = state.map_or(vec!["webhook_id"], |_| vec!["webhook_id", "state"]);
        for page in pages("-created_at", NOON) {
            webhook_deliveries::list(&scene.db, webhook, state, &page).await.unwrap();
            scene.in_order(&format!("deliveries {state:?}"), "webhook_deliveries", &columns);
        }
    }
    webhook_deliveries::pending(&scene.db, webhook, 0..4).await.unwrap();
    webhook_deliveries::counts(&scene.db).await.unwrap();
    webhook_deliveries::purge(&scene.db, at(NOON), 100).await.unwrap();
    scene.no_scan("deliveries that wait, are counted or purged");
}

//! The tallies are what the records add up to, also while changes wait to be added.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::approval::messages::ApprovalFilter;
use domain::approval::record::Approval;
use domain::customer::messages::{CustomerFilter, SORTS};
use domain::customer::record::{Customer, CustomerStatus};
use domain::deal::messages::{DealCounts, DealFilter, DealShare, SORTS as DEAL_SORTS};
use domain::deal::record::Deal;
use domain::deal::stage::DealStage;
use domain::task::messages::TaskFilter;
use domain::task::record::Task;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::ids::Id;
use kernel::page::PageRequest;
use kernel::search::Words;
use kizuna::actors::opportunity::deal_aggregate::DealAggregate;
use kizuna::actors::sales::task_aggregate::TaskAggregate;
use kizuna::persistence::approvals::APPROVALS;
use kizuna::persistence::deals::DEALS;
use kizuna::persistence::tallies::{
    APPROVALS_REQUESTED, CUSTOMERS_CREATED, CUSTOMERS_DELETED, DEALS_CREATED, EVER, MEETINGS_MET, Sum,
    TASKS_DONE, TASKS_DUE, by_owner, sums,
};
use kizuna::persistence::tally_folds::{fold_tallies, recount};
use kizuna::persistence::tasks::TASKS;
use kizuna::persistence::{approvals, customers, deals, tasks};
use rstest::rstest;
use runtime::entity::Aggregate;
use serde::Deserialize;
use store::Db;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;
use testing::{Database, Postgres, Sqlite, TestDatabase, eventually};

use super::{approval, deal, fill, fold_all, moment, nth, task};
use crate::common::{at, begin, count, customer_write, store};

/// Count and amount by kind, scope, bucket and value.
type Sums = BTreeMap<[String; 4], (i64, i128)>;

fn add(sums: &mut Sums, key: [&str; 4], count: i64, amount: i128) {
    let sum = sums.entry(key.map(str::to_owned)).or_default();
    *sum = (sum.0 + count, sum.1 + amount);
}

/// What the table has.
async fn kept(db: &Db) -> Sums {
    #[derive(Deserialize)]
    struct Row {
        kind: String,
        scope: String,
        bucket: String,
        value: String,
        count: i64,
        high: i64,
        low: i64,
    }
    let rows: Vec<Row> = db.rows(&kizuna::persistence::tallies::TALLIES, Sql::default()).await.unwrap();
    let mut sums = Sums::new();
    for row in rows.iter().filter(|row| row.count != 0) {
        let amount = (i128::from(row.high) << 32) + i128::from(row.low);
        add(&mut sums, [&row.kind, &row.scope, &row.bucket, &row.value], row.count, amount);
    }
    sums
}

/// What the records add up to, one by one.
async fn right(db: &Db) -> Sums {
    #[derive(Deserialize)]
    struct Row {
        kind: String,
        owner: Id,
        at: Timestamp,
        value: String,
        amount: i64,
    }
    static TALLIED: Table = Table {
        name: "tallied",
        columns: &[
            ("kind", Kind::Text),
            ("owner", Kind::Id),
            ("at", Kind::Time),
            ("value", Kind::Text),
            ("amount", Kind::Int),
        ],
        on_conflict: OnConflict::Fail,
        fence: "amount",
    };
    let rows: Vec<Row> = db.rows(&TALLIED, Sql::default()).await.unwrap();
    let mut sums = Sums::new();
    for row in &rows {
        let at = row.at.to_string();
        let quarter = at[14..16].parse::<u32>().unwrap() / 15 * 15;
        let buckets = ["E".to_owned(), format!("D{}", &at[..10]), format!("Q{}{quarter:02}", &at[..14])];
        for bucket in &buckets {
            for scope in [&row.owner.to_string(), "*"] {
                add(&mut sums, [&row.kind, scope, bucket, &row.value], 1, i128::from(row.amount));
            }
        }
    }
    sums
}

/// What callers are answered, of all kinds and periods.
async fn figures(db: &Db, owner: Id) -> Vec<BTreeMap<String, Sum>> {
    let mut figures = Vec::new();
    let (from, to) = (Some(at("2026-02-03T04:05:06Z")), Some(at("2026-08-09T10:11:12Z")));
    for tally in [
        &CUSTOMERS_CREATED,
        &CUSTOMERS_DELETED,
        &MEETINGS_MET,
        &TASKS_DUE,
        &TASKS_DONE,
        &APPROVALS_REQUESTED,
        &DEALS_CREATED,
    ] {
        for between in [EVER, (from, to), (None, to), (from, None), (to, from)] {
            for owner in [None, Some(owner)] {
                let mut sums = sums(db, tally, owner, between).await.unwrap();
                sums.retain(|_, sum| sum.count != 0);
                figures.push(sums);
            }
            let owners = by_owner(db, tally, between, "-").await.unwrap().into_iter();
            figures.push(owners.map(|(id, count)| (id.to_string(), Sum { count, amount: 0 })).collect());
        }
    }
    figures
}

/// Folds what waits, a batch and all of it: no answer changes, and the tallies are right. Returns the answers.
async fn folded(db: &Db, owner: Id, what: &str) -> Vec<BTreeMap<String, Sum>> {
    let before = figures(db, owner).await;
    assert!(count(db, "tally_changes").await > 0, "{what}: nothing waits");
    assert!(fold_tallies(db.clone(), 1).await.unwrap().folded > 0, "{what}");
    assert_eq!(figures(db, owner).await, before, "{what}, after a batch");
    fold_all(db).await;
    assert_eq!(count(db, "tally_changes").await, 0, "{what}");
    assert_eq!(figures(db, owner).await, before, "{what}, when all is folded");
    assert_eq!(kept(db).await, right(db).await, "{what}");
    before
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn sums_follow_every_change_and_can_be_made_anew(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let people = fill(&db, 200).await;
    let owner = people.owners[1];
    folded(&db, owner, "inserts").await;
    assert!(count(&db, "tallies").await > 100);
    let page = PageRequest::first(200);
    let all = customers::list(&db, None, &CustomerFilter::default(), &Words::default(), &SORTS[0], &page)
        .await
        .unwrap()
        .items;
    let changed = all.iter().enumerate().map(|(n, old)| Customer {
        version: 2,
        owner_id: nth(&people.owners, n / 2),
        status: CustomerStatus::ALL[n / 3 % 3],
        name: if n % 2 == 0 { "another".into() } else { old.name.clone() },
        deleted_at: n.is_multiple_of(7).then(|| moment(n)),
        ..old.clone()
    });
    let mut writes: Vec<Write> = changed.map(|customer| customer_write(&customer)).collect();
    for (n, old) in tasks::list(
        &db,
        None,
        &TaskFilter::default(),
        &Words::default(),
        &domain::task::messages::SORTS[0],
        &page,
    )
    .await
    .unwrap()
    .items
    .iter()
    .enumerate()
    {
        let changed =
            Task { id: old.id, deleted_at: n.is_multiple_of(5).then(begin), ..task(&people, n * 7) };
        writes.push(Write::row(&TASKS, old.id, TaskAggregate::row(&changed)));
    }
    for (n, old) in approvals::list(
        &db,
        None,
        &ApprovalFilter::default(),
        &Words::default(),
        &domain::approval::messages::SORTS[0],
        &page,
    )
    .await
    .unwrap()
    .items
    .iter()
    .enumerate()
    {
        writes.push(Write::put(&APPROVALS, old.id, &Approval { id: old.id, ..approval(&people, n * 7) }));
    }
    let every = deals_of(&db, None, &DealFilter::default()).await;
    for (n, old) in every.iter().enumerate() {
        let changed = Deal { deleted_at: n.is_multiple_of(8).then(begin), ..deal(old.id, &people, n * 3) };
        writes.push(Write::row(&DEALS, old.id, DealAggregate::row(&changed)));
    }
    store(&db, writes).await;
    let answers = folded(&db, owner, "changes").await;
    sums_of_deals(&db, owner).await;

    let counted = PageRequest::first(1).counted();
    let live = customers::list(&db, None, &CustomerFilter::default(), &Words::default(), &SORTS[0], &page)
        .await
        .unwrap()
        .items;
    for owner in [None, Some(owner)] {
        let of: Vec<&Customer> =
            live.iter().filter(|one| owner.is_none_or(|owner| one.owner_id == owner)).collect();
        let (from, to) = (at("2026-02-03T04:05:06Z"), at("2026-08-09T10:11:12Z"));
        let within = |one: &&&Customer| (from..to).contains(&one.created_at);
        let filter =
            CustomerFilter { created_from: Some(from), created_to: Some(to), ..CustomerFilter::default() };
        let total =
            customers::list(&db, owner, &filter, &Words::default(), &SORTS[2], &counted).await.unwrap().total;
        assert_eq!(total, Some(of.iter().filter(within).count() as i64), "to the second");
        let stats = customers::stats(&db, owner, from, to).await.unwrap();
        assert_eq!(stats.total, of.len() as i64);
    }

    database.raw("UPDATE tallies SET count = count + 1 WHERE bucket = 'E'; DELETE FROM tallies WHERE kind = 'tasks'").await;
    assert_ne!(kept(&db).await, right(&db).await);
    recount(&db).await.unwrap();
    assert_eq!(kept(&db).await, right(&db).await, "after a recount");
    assert_eq!(figures(&db, owner).await, answers);

    database.raw("DELETE FROM meetings WHERE met_at > '2026-06-01T00:00:00Z'; DELETE FROM customers WHERE status = 'LEAD'").await;
    let answers = figures(&db, owner).await;
    recount(&db).await.unwrap();
    assert_eq!(figures(&db, owner).await, answers, "what waited is counted once");
    fold_all(&db).await;
    assert_eq!(figures(&db, owner).await, answers);
    assert_eq!(kept(&db).await, right(&db).await, "after deletions");
}

async fn deals_of(db: &Db, owner: Option<Id>, filter: &DealFilter) -> Vec<Deal> {
    let page = PageRequest::first(200);
    deals::list(db, owner, filter, &Words::default(), &DEAL_SORTS[0], &page).await.unwrap().items
}

/// The sums of deals are those of the list under the same filter, from the tallies or from the rows.
async fn sums_of_deals(db: &Db, owner: Id) {
    let (from, to) = (Day::parse("2026-03-05"), Day::parse("2026-09-10"));
    for viewer in [None, Some(owner)] {
        for filter in [
            DealFilter::default(),
            DealFilter { stage: Some(DealStage::Propose), ..DealFilter::default() },
            DealFilter { open: true, ..DealFilter::default() },
            DealFilter { expected_from: from, expected_to: to, ..DealFilter::default() },
            DealFilter { expected_from: from, open: true, ..DealFilter::default() },
            DealFilter { currency: Some("JPY".into()), ..DealFilter::default() },
            DealFilter { created_from: Timestamp::parse("2026-03-05T00:00:00Z"), ..DealFilter::default() },
        ] {
            let listed = deals_of(db, viewer, &filter).await;
            assert!(!listed.is_empty(), "{filter:?}");
            let shares = listed.iter().map(|deal| DealShare {
                stage: deal.stage,
                currency: deal.currency.clone(),
                probability: deal.probability,
                count: 1,
                amount: deal.amount.into(),
            });
            let stats = deals::stats(db, viewer, &filter, &Words::default()).await.unwrap();
            assert_eq!(stats, DealCounts::of(shares), "{filter:?}");
            let counted = PageRequest::first(1).counted();
            let page = deals::list(db, viewer, &filter, &Words::default(), &DEAL_SORTS[2], &counted).await;
            assert_eq!(page.unwrap().total, Some(listed.len() as i64), "{filter:?}");
        }
    }
}

/// Two nodes: what is committed last may have been numbered first.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_committed_after_later_ones_were_folded_is_counted() {
    let database = TestDatabase::fresh(Postgres);
    let db = database.migrated().await;
    let mut late = db.begin().await.unwrap();
    let insert = "INSERT INTO meetings (id, version, created_at, updated_at, customer_id, title, met_at, owner_id) \
        SELECT gen_random_uuid(), 1, now(), now(), gen_random_uuid(), 'a', now(), '01850000-0000-7000-8007-000000000007' \
        FROM generate_series(1, 10)";
    late.execute(&Sql::new(insert)).await.unwrap();
    for _ in 0..5 {
        db.execute(Sql::new(insert)).await.unwrap();
        assert_eq!(fold_tallies(db.clone(), 1).await.unwrap().folded, 10);
    }
    let meetings = async || sums(&db, &MEETINGS_MET, None, EVER).await.unwrap()[""].count;
    assert_eq!(meetings().await, 50);
    late.commit().await.unwrap();
    assert_eq!(meetings().await, 60);
    assert_eq!(fold_tallies(db.clone(), 1).await.unwrap().folded, 10);
    for _ in 0..3 {
        db.execute(Sql::new(insert)).await.unwrap();
        fold_tallies(db.clone(), 1).await.unwrap();
    }
    assert_eq!(meetings().await, 90);
    let passed = "SELECT CAST(folded AS TEXT) FROM tally_folds WHERE id = 0";
    // Transactions of other tests on the same server count as under way, too.
    eventually(Duration::from_secs(30), async || {
        db.execute(Sql::new(insert)).await.unwrap();
        fold_tallies(db.clone(), 1).await.unwrap();
        let passed = db.number(Sql::new(passed)).await.unwrap();
        if passed >= 70 { Ok(()) } else { Err(format!("those after {passed} are stepped over again")) }
    })
    .await;
}

//! Lists and figures of customers and meetings.

use domain::customer::messages::CustomerFilter;
use domain::customer::messages::SORTS;
use domain::customer::record::{Customer, CustomerStatus};
use domain::meeting::messages::MeetingFilter;
use domain::meeting::record::Meeting;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::ids::{Id, new_id};
use kernel::name_order::name_order;
use kernel::page::PageRequest;
use kernel::search::Words;
use kernel::text_key::key;
use kizuna::persistence::customers;
use kizuna::persistence::meetings;
use rstest::rstest;
use store::Db;
use store::journal::commit;
use store::unit_of_work::{CommitError, UnitOfWork, Write};

use crate::common::{at, begin, caller, customer, customer_write, first, store, walk};
use testing::{Database, Postgres, Sqlite, TestDatabase};

fn day(n: u32) -> Timestamp {
    at(&format!("2026-03-{n:02}T00:00:00Z"))
}

async fn found(db: &Db, who: &Caller, filter: CustomerFilter) -> Vec<String> {
    let words = Words::parse(filter.q.as_deref()).unwrap();
    let page = customers::list(db, who.only_owner(), &filter, &words, &SORTS[2], &first(100)).await.unwrap();
    page.items.into_iter().map(|customer| customer.name).collect()
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_many_customers_are_read_at_once_within_an_owner_s(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (owner, other) = (new_id(), new_id());
    let gone = Customer { owner_id: owner, deleted_at: Some(day(9)), ..customer("gone") };
    let rows = [
        Customer { owner_id: owner, ..customer("a") },
        Customer { owner_id: other, ..customer("b") },
        Customer { owner_id: owner, ..customer("unasked") },
        gone,
    ];
    store(&db, rows.iter().map(customer_write).collect()).await;
    let ids = [rows[0].id, rows[1].id, rows[3].id, new_id()];
    let found = async |owner| {
        let mut names = customers::names(&db, owner, &ids).await.unwrap();
        names.sort_by(|one, other| one.name.cmp(&other.name));
        names.into_iter().map(|name| (name.name, name.is_deleted)).collect::<Vec<_>>()
    };
    let named = |name: &str, is_deleted| (name.to_owned(), is_deleted);
    assert_eq!(found(None).await, [named("a", false), named("b", false), named("gone", true)]);
    assert_eq!(found(Some(owner)).await, [named("a", false), named("gone", true)]);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn customers_are_filtered_by_who_asks_owner_status_and_time(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (owner, other) = (new_id(), new_id());
    let of = |name, owner_id, status, n| Customer { owner_id, status, created_at: day(n), ..customer(name) };
    let gone = Customer { deleted_at: Some(day(9)), ..of("gone", owner, CustomerStatus::Lead, 1) };
    let rows = [
        of("a", owner, CustomerStatus::Lead, 1),
        of("b", owner, CustomerStatus::Active, 2),
        of("c", other, CustomerStatus::Active, 3),
        gone,
    ];
    store(&db, rows.iter().map(customer_write).collect()).await;
    let (admin, sales) = (caller(Role::Admin, new_id()), caller(Role::Sales, owner));
    let all = CustomerFilter::default;
    assert_eq!(found(&db, &admin, all()).await, ["a", "b", "c"]);
    assert_eq!(found(&db, &sales, all()).await, ["a", "b"]);
    assert_eq!(found(&db, &caller(Role::Manager, new_id()), all()).await.len(), 3);
    let by_owner = || CustomerFilter { owner_id: Some(other), ..all() };
    assert_eq!(found(&db, &admin, by_owner()).await, ["c"]);
    assert_eq!(found(&db, &sales, by_owner()).await, [""; 0]);
    let active = CustomerFilter { status: Some(CustomerStatus::Active), ..all() };
    assert_eq!(found(&db, &admin, active).await, ["b", "c"]);
    let from_to = CustomerFilter { created_from: Some(day(2)), created_to: Some(day(3)), ..all() };
    assert_eq!(found(&db, &admin, from_to).await, ["b"], "from is included, to is not");
    let counted = PageRequest::first(1).counted();
    let page = customers::list(&db, sales.only_owner(), &all(), &Words::default(), &SORTS[0], &counted)
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.total, page.next.is_some()), (1, Some(2), true));
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_literal_and_knows_no_case(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let mut rows = ["100% sure", "under_score", "O'Brien", "Ärzte ÄÖÜ", "株式会社キズナ", "back\\slash"]
        .map(customer)
        .to_vec();
    let company = Customer { company: Some("ΣΟΦΟΣ Corp".into()), ..customer("in company") };
    let email = Customer { email: Some("Someone@Example.COM".into()), ..customer("in email") };
    rows.extend([company, email, customer("plain")]);
    store(&db, rows.iter().map(customer_write).collect()).await;
    let admin = caller(Role::Admin, new_id());
    for (q, names) in [
        ("%", &["100% sure"][..]),
        ("_", &["under_score"]),
        ("'", &["O'Brien"]),
        ("\\", &["back\\slash"]),
        ("o'bRIEN", &["O'Brien"]),
        ("ärzte äÖü", &["Ärzte ÄÖÜ"]),
        ("会社キズ", &["株式会社キズナ"]),
        ("corp", &["in company"]),
        ("someone@example", &["in email"]),
        ("ｷｽﾞﾅ", &["株式会社キズナ"]),
        ("SURE 100", &["100% sure"]),
        ("corp in", &["in company"]),
        ("company　σοφοσ", &["in company"]),
        ("' OR 1=1 --", &[]),
        ("%_%", &[]),
    ] {
        let filter = CustomerFilter { q: Some(q.to_owned()), ..CustomerFilter::default() };
        assert_eq!(found(&db, &admin, filter).await, names, "{q}");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn every_order_pages_through_all_rows_once(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    // Equal names and times are frequent, so that ids must break the ties.
    let names = ["b", "B", "あ", "ä", "z", "a'", "b"];
    let rows: Vec<Customer> = (0..35_u32)
        .map(|n| Customer {
            created_at: day(1 + n % 4),
            updated_at: day(10 + n % 3),
            ..customer(names[n as usize % names.len()])
        })
        .collect();
    store(&db, rows.iter().map(customer_write).collect()).await;
    let admin = caller(Role::Admin, new_id());
    for sort in &SORTS {
        let place = |row: &Customer| match sort.field {
            "name_order" => (name_order(&key(&row.name)), row.id),
            "created_at" => (row.created_at.to_string(), row.id),
            _ => (row.updated_at.to_string(), row.id),
        };
        let mut expected: Vec<(String, Id)> = rows.iter().map(place).collect();
        expected.sort();
        if sort.descending {
            expected.reverse();
        }
        for limit in [1, 4, 35, 100] {
            let filter = CustomerFilter::default();
            let got = walk(limit, async |page| {
                customers::list(&db, admin.only_owner(), &filter, &Words::default(), sort, &page).await
            })
            .await;
            assert_eq!(got.iter().map(place).collect::<Vec<_>>(), expected, "{} by {limit}", sort.name);
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn customers_with_an_address_are_found_and_counted(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let owner = new_id();
    let with = |email: &str, owner_id| Customer { email: Some(email.into()), owner_id, ..customer("x") };
    let mine = with("a@example.com", owner);
    let theirs = Customer { status: CustomerStatus::Dormant, ..with("a@example.com", new_id()) };
    let gone = Customer { deleted_at: Some(day(3)), ..with("a@example.com", owner) };
    let rows = [&mine, &theirs, &gone, &with("b@example.com", owner)].map(customer_write);
    store(&db, rows.to_vec()).await;
    let (admin, sales) = (caller(Role::Admin, new_id()), caller(Role::Sales, owner));
    let ask_for = async |who: &Caller, email: &str, except| {
        let unique_checks = vec![customers::no_other_with_email(who.only_owner(), email, except)];
        match commit(&db, vec![UnitOfWork { unique_checks, ..UnitOfWork::default() }]).await.remove(0) {
            Ok(_) => Vec::new(),
            Err(CommitError::Conflict { ids, .. }) => ids,
            Err(other) => panic!("{other}"),
        }
    };
    let ask = async |who: &Caller, except| ask_for(who, "a@example.com", except).await;
    assert!(ask_for(&admin, "nobody@example.com", None).await.is_empty());
    assert_eq!(ask(&admin, None).await, [mine.id, theirs.id]);
    assert_eq!(ask(&admin, Some(mine.id)).await, [theirs.id]);
    assert_eq!(ask(&sales, None).await, [mine.id]);
    let many = (0..12).map(|_| customer_write(&with("many@example.com", owner))).collect();
    store(&db, many).await;
    assert_eq!(ask_for(&admin, "many@example.com", None).await.len(), 10);

    let all = customers::stats(&db, None, day(2), day(4)).await.unwrap();
    assert_eq!((all.total, all.new, all.deleted), (15, 16, 1));
    let by_status: Vec<i64> = all.by_status.iter().map(|(_, number)| *number).collect();
    assert_eq!(by_status, [14, 0, 1]);
    let before = customers::stats(&db, Some(owner), day(1), day(2)).await.unwrap();
    assert_eq!((before.total, before.new, before.deleted), (14, 0, 0));
}

fn meeting(title: &str, owner_id: Id, customer_id: Id, met_at: Timestamp) -> Meeting {
    Meeting {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        customer_id,
        title: title.to_owned(),
        met_at,
        duration_minutes: None,
        location: None,
        notes: None,
        outcome: None,
        owner_id,
        deleted_at: None,
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn meetings_are_listed_latest_first_and_counted_by_owner(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (owner, other, of) = (new_id(), new_id(), new_id());
    let rows = [
        meeting("a", owner, of, day(1)),
        meeting("b", owner, new_id(), day(2)),
        meeting("c", other, of, day(3)),
        Meeting { deleted_at: Some(day(5)), ..meeting("gone", owner, of, day(4)) },
    ];
    store(&db, rows.iter().map(|row| Write::put(&meetings::MEETINGS, row.id, row)).collect()).await;
    let (admin, sales) = (caller(Role::Admin, new_id()), caller(Role::Sales, owner));
    let ask = async |who: &Caller, filter: MeetingFilter| -> String {
        let all = walk(1, async |page| {
            meetings::list(
                &db,
                who.only_owner(),
                &filter,
                &Words::default(),
                &domain::meeting::messages::SORTS[0],
                &page,
            )
            .await
        })
        .await;
        all.into_iter().map(|meeting| meeting.title).collect()
    };
    let all = MeetingFilter::default;
    assert_eq!(ask(&admin, all()).await, "cba");
    assert_eq!(ask(&sales, all()).await, "ba");
    assert_eq!(ask(&sales, MeetingFilter { owner_id: Some(other), ..all() }).await, "");
    assert_eq!(ask(&admin, MeetingFilter { owner_id: Some(other), ..all() }).await, "c");
    assert_eq!(ask(&admin, MeetingFilter { customer_id: Some(of), ..all() }).await, "ca");
    let span = MeetingFilter { from: Some(day(2)), to: Some(day(3)), ..all() };
    assert_eq!(ask(&admin, span).await, "b");

    let stats = meetings::stats(&db, None, day(1), day(5)).await.unwrap();
    assert_eq!((stats.total, stats.by_owner[&owner], stats.by_owner[&other]), (3, 2, 1));
    let narrow = meetings::stats(&db, Some(owner), day(2), day(3)).await.unwrap();
    assert_eq!((narrow.total, narrow.by_owner.len()), (1, 1));
    let none = meetings::stats(&db, Some(new_id()), day(1), day(5)).await.unwrap();
    assert_eq!((none.total, none.by_owner.len()), (0, 0));
}

//! Approvals: the row, the lists and the figures.

use domain::approval::messages::ApprovalCounts;
use domain::approval::messages::ApprovalFilter;
use domain::approval::record::{Approval, ApprovalStatus};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::ids::{Id, new_id};
use kernel::search::Words;
use kizuna::persistence::approvals;
use kizuna::persistence::approvals::APPROVALS;
use rstest::rstest;
use store::Db;
use store::unit_of_work::Write;

use crate::common::{at, begin, caller, store, walk};
use crate::rows::{AWKWARD, EARLIEST};
use testing::{Database, Postgres, Sqlite, TestDatabase};

/// The greatest amount that the API takes.
const MOST: i64 = (1 << 53) - 1;

fn day(n: u32) -> Timestamp {
    at(&format!("2026-03-{n:02}T00:00:00Z"))
}

fn approval(title: &str) -> Approval {
    Approval {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        deal_id: None,
        customer_id: new_id(),
        title: title.to_owned(),
        amount: 0,
        currency: "JPY".to_owned(),
        reason: None,
        status: ApprovalStatus::Pending,
        requester_id: new_id(),
        approver_id: None,
        decided_by: None,
        decided_at: None,
        comment: None,
    }
}

async fn keep(db: &Db, rows: &[Approval]) {
    store(db, rows.iter().map(|row| Write::put(&APPROVALS, row.id, row)).collect()).await;
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn approvals_keep_every_field(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let bare = approval("値引き");
    let mut rows = vec![bare.clone()];
    for (text, status) in AWKWARD.iter().zip(ApprovalStatus::ALL.into_iter().cycle()) {
        rows.push(Approval {
            id: new_id(),
            version: i64::MAX,
            created_at: at(EARLIEST),
            title: (*text).to_owned(),
            amount: MOST,
            currency: "USD".to_owned(),
            reason: Some((*text).to_owned()),
            status,
            approver_id: Some(new_id()),
            decided_by: Some(new_id()),
            decided_at: Some(at(EARLIEST)),
            comment: Some((*text).to_owned()),
            ..bare.clone()
        });
    }
    keep(&db, &rows).await;
    for row in rows {
        let read: Option<Approval> = db.row(&APPROVALS, row.id).await.unwrap();
        assert_eq!(read, Some(row));
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn approvals_are_listed_newest_first_to_those_who_may_see_them(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (requester, approver, customer_id) = (new_id(), new_id(), new_id());
    let of = |title: &str, n, requester_id, status| Approval {
        created_at: day(n),
        requester_id,
        status,
        ..approval(title)
    };
    let rows = [
        Approval { approver_id: Some(approver), ..of("a", 1, requester, ApprovalStatus::Pending) },
        Approval { customer_id, ..of("b", 2, new_id(), ApprovalStatus::Pending) },
        Approval { customer_id, ..of("c", 3, requester, ApprovalStatus::Approved) },
    ];
    keep(&db, &rows).await;
    let ask = async |who: &Caller, filter: ApprovalFilter| -> String {
        let all = walk(1, async |page| {
            approvals::list(
                &db,
                who.only_owner(),
                &filter,
                &Words::default(),
                &domain::approval::messages::SORTS[0],
                &page,
            )
            .await
        })
        .await;
        all.into_iter().map(|approval| approval.title).collect()
    };
    let (manager, sales) = (caller(Role::Manager, new_id()), caller(Role::Sales, requester));
    let all = ApprovalFilter::default;
    assert_eq!(ask(&manager, all()).await, "cba");
    assert_eq!(ask(&sales, all()).await, "ca", "their own");
    let pending = || ApprovalFilter { status: Some(ApprovalStatus::Pending), ..all() };
    assert_eq!(ask(&manager, pending()).await, "ba");
    assert_eq!(ask(&sales, pending()).await, "a");
    let by_requester = |id: Id| ApprovalFilter { requester_id: Some(id), ..all() };
    assert_eq!(ask(&manager, by_requester(requester)).await, "ca");
    assert_eq!(ask(&sales, by_requester(rows[1].requester_id)).await, "");
    assert_eq!(ask(&manager, ApprovalFilter { approver_id: Some(approver), ..all() }).await, "a");
    assert_eq!(ask(&manager, ApprovalFilter { customer_id: Some(customer_id), ..pending() }).await, "b");
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn approved_amounts_are_added_by_currency_however_great(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let requester_id = new_id();
    let of = |amount, currency: &str, status| Approval {
        requester_id,
        amount,
        currency: currency.to_owned(),
        status,
        ..approval("値引き")
    };
    let mut rows = vec![
        of(MOST, "JPY", ApprovalStatus::Approved),
        of(MOST, "JPY", ApprovalStatus::Approved),
        of(1, "USD", ApprovalStatus::Approved),
        of(5, "EUR", ApprovalStatus::Pending),
        of(7, "USD", ApprovalStatus::Rejected),
        of(9, "USD", ApprovalStatus::Cancelled),
    ];
    rows.push(Approval { created_at: day(3), ..rows[0].clone() });
    rows[6].id = new_id();
    keep(&db, &rows).await;
    let (from, to) = (day(2), day(3));
    let counts = approvals::stats(&db, Some(requester_id), from, to).await.unwrap();
    let approved_amount = [("JPY".to_owned(), 2 * MOST), ("USD".to_owned(), 1)].into();
    let wanted = ApprovalCounts { pending: 1, approved: 3, rejected: 1, cancelled: 1, approved_amount };
    assert_eq!(counts, wanted);
    assert_eq!(approvals::stats(&db, Some(new_id()), from, to).await.unwrap(), ApprovalCounts::default());
    let many: Vec<_> = (0..1_025).map(|_| Approval { id: new_id(), ..rows[0].clone() }).collect();
    keep(&db, &many).await;
    let counts = approvals::stats(&db, None, from, to).await.unwrap();
    assert_eq!((counts.approved, counts.approved_amount["JPY"]), (1_028, i64::MAX), "cut, not refused");
}

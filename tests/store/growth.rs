//! However many records there are: each order and filter of a list has an index (`plans`, read by `scene`), the sums are those
//! of the records (`sums`) before and after changes are folded, and a search finds what it found without its index (`searches`),
//! and the newest of a word that many have (`newest`).

mod newest;
mod plans;
mod record_searches;
pub mod scene;
mod searches;
mod sums;

use domain::approval::record::{Approval, ApprovalStatus};
use domain::customer::record::{Customer, CustomerStatus};
use domain::deal::record::Deal;
use domain::deal::stage::DealStage;
use domain::meeting::record::Meeting;
use domain::task::record::{Task, TaskStatus};
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::ids::{Id, new_id};
use kizuna::actors::opportunity::deal_aggregate::DealAggregate;
use kizuna::actors::sales::task_aggregate::TaskAggregate;
use kizuna::persistence::approvals::APPROVALS;
use kizuna::persistence::deals::DEALS;
use kizuna::persistence::meetings::MEETINGS;
use kizuna::persistence::tally_folds::fold_tallies;
use kizuna::persistence::tasks::TASKS;
use kizuna::persistence::text_folds::fold_texts;
use runtime::entity::Aggregate;
use store::Db;
use store::unit_of_work::Write;

use crate::common::{at, begin, customer, customer_write, store};

/// Records of each kind: enough for PostgreSQL to prefer an index.
const RECORDS_EACH: usize = 600;

fn moment(n: usize) -> Timestamp {
    at(&format!("2026-{:02}-{:02}T{:02}:07:00Z", 1 + n % 12, 1 + n % 28, n % 24))
}

/// Users, and customers that others refer to.
pub(crate) struct People {
    owners: Vec<Id>,
    customers: Vec<Id>,
}

fn nth(people: &[Id], n: usize) -> Id {
    people[n % people.len()]
}

/// Stores records of every kind.
async fn fill(db: &Db, records: usize) -> People {
    let owners: Vec<Id> = (0..7).map(|_| new_id()).collect();
    let mut writes = Vec::new();
    let mut ids = Vec::new();
    for n in 0..records {
        let of = Customer {
            owner_id: nth(&owners, n),
            status: CustomerStatus::ALL[n % 3],
            created_at: moment(n),
            updated_at: moment(n / 2),
            ..customer(&format!("佐藤 {n}"))
        };
        ids.push(of.id);
        writes.push(customer_write(&of));
    }
    let people = People { owners, customers: ids };
    for n in 0..records {
        writes.extend([meeting_write(&people, n), task_write(&people, n), approval_write(&people, n)]);
        writes.push(deal_write(new_id(), &people, n));
    }
    for some in writes.chunks(1_000) {
        store(db, some.to_vec()).await;
    }
    people
}

/// Adds everything that waits to the tallies and the index of texts.
async fn fold_all(db: &Db) {
    while fold_tallies(db.clone(), 1).await.unwrap().waiting > 0 {}
    while fold_texts(db.clone(), 1).await.unwrap().waiting > 0 {}
}

fn meeting(people: &People, n: usize) -> Meeting {
    Meeting {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        customer_id: nth(&people.customers, n / 2),
        title: "a".into(),
        met_at: moment(n),
        duration_minutes: None,
        location: None,
        notes: None,
        outcome: None,
        owner_id: nth(&people.owners, n),
        deleted_at: None,
    }
}

fn meeting_write(people: &People, n: usize) -> Write {
    let meeting = meeting(people, n);
    Write::put(&MEETINGS, meeting.id, &meeting)
}

fn task(people: &People, n: usize) -> Task {
    let status = if n.is_multiple_of(3) { TaskStatus::Open } else { TaskStatus::Done };
    Task {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        title: "a".into(),
        due_at: moment(n),
        status,
        completed_at: (status == TaskStatus::Done).then(|| moment(n + 1)),
        customer_id: Some(nth(&people.customers, n / 2)),
        assignee_id: nth(&people.owners, n),
        notes: None,
        deleted_at: None,
        alerted_for: None,
    }
}

fn task_write(people: &People, n: usize) -> Write {
    let task = task(people, n);
    Write::row(&TASKS, task.id, TaskAggregate::row(&task))
}

fn deal(id: Id, people: &People, n: usize) -> Deal {
    let stage = DealStage::ALL[n % 5];
    Deal {
        id,
        version: 1,
        created_at: moment(n),
        updated_at: begin(),
        customer_id: nth(&people.customers, n / 2),
        title: "a".into(),
        amount: 1 + n as i64 * 5_000_000_000,
        currency: if n.is_multiple_of(4) { "USD" } else { "JPY" }.into(),
        stage,
        probability: if n.is_multiple_of(9) { 33 } else { stage.probability() },
        expected_on: if n.is_multiple_of(6) { None } else { Day::of(moment(n).date()) },
        lost_reason: (stage == DealStage::Lost).then(|| "b".into()),
        closed_at: (!stage.is_open()).then(begin),
        owner_id: nth(&people.owners, n),
        deleted_at: None,
    }
}

fn deal_write(id: Id, people: &People, n: usize) -> Write {
    Write::row(&DEALS, id, DealAggregate::row(&deal(id, people, n)))
}

fn approval(people: &People, n: usize) -> Approval {
    Approval {
        id: new_id(),
        version: 1,
        created_at: moment(n),
        updated_at: begin(),
        deal_id: None,
        customer_id: nth(&people.customers, n / 2),
        title: "a".into(),
        amount: (1 << 52) + n as i64,
        currency: if n.is_multiple_of(5) { "USD" } else { "JPY" }.into(),
        reason: None,
        status: ApprovalStatus::ALL[n % 4],
        requester_id: nth(&people.owners, n),
        approver_id: Some(nth(&people.owners, n / 3)),
        decided_by: None,
        decided_at: None,
        comment: None,
    }
}

fn approval_write(people: &People, n: usize) -> Write {
    let approval = approval(people, n);
    Write::put(&APPROVALS, approval.id, &approval)
}

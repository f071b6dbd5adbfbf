//! A search of meetings, tasks, approvals and deals finds what contains the text in its own words or its customer's name, whether or not
//! it is in the index yet.

use std::collections::BTreeSet;

use domain::approval::messages::{ApprovalFilter, SORTS as APPROVAL_SORTS};
use domain::approval::record::Approval;
use domain::deal::messages::{DealFilter, SORTS as DEAL_SORTS};
use domain::deal::record::Deal;
use domain::meeting::messages::{MeetingFilter, SORTS as MEETING_SORTS};
use domain::meeting::record::Meeting;
use domain::search::keys::RecordKeys;
use domain::task::messages::{SORTS as TASK_SORTS, TaskFilter};
use domain::task::record::Task;
use kernel::ids::{Id, new_id};
use kernel::page::{Page, PageRequest};
use kernel::rank::Query;
use kernel::search::Words;
use kizuna::actors::opportunity::approval_aggregate::ApprovalAggregate;
use kizuna::actors::opportunity::deal_aggregate::DealAggregate;
use kizuna::actors::sales::meeting_aggregate::MeetingAggregate;
use kizuna::actors::sales::task_aggregate::TaskAggregate;
use kizuna::persistence::approvals::{self, APPROVALS};
use kizuna::persistence::customer_replicas::{
    CustomerReplica, OPPORTUNITY_CUSTOMERS, ReplicaRow, SALES_CUSTOMERS,
};
use kizuna::persistence::deals::{self, DEALS};
use kizuna::persistence::found::{self, Searched};
use kizuna::persistence::meetings::{self, MEETINGS};
use kizuna::persistence::tasks::{self, TASKS};
use rstest::rstest;
use runtime::entity::Aggregate;
use store::table::Dialect;
use store::unit_of_work::Write;
use store::{Db, StoreError};
use testing::{Database, Postgres, Sqlite, TestDatabase};

use super::searches::random_text;
use super::{People, approval, deal, fold_all, meeting, task};
use crate::common::{begin, count, store, walk};

#[derive(Clone, Copy, Debug)]
enum Kind {
    Meetings,
    Tasks,
    Approvals,
    Deals,
}

/// What a search sees of a record.
#[derive(Clone)]
struct Record {
    id: Id,
    title: String,
    customer: usize,
    owner: Id,
    version: i64,
    is_deleted: bool,
}

impl Kind {
    fn write(self, record: &Record, people: &People, n: usize) -> Write {
        let deleted_at = record.is_deleted.then(begin);
        let customer_id = people.customers[record.customer];
        let Record { id, owner, version, .. } = *record;
        let title = record.title.clone();
        match self {
            Self::Meetings => {
                let of = meeting(people, n);
                let row = Meeting { id, version, title, customer_id, owner_id: owner, deleted_at, ..of };
                Write::row(&MEETINGS, id, MeetingAggregate::row(&row))
            }
            Self::Tasks => {
                let (of, customer_id) = (task(people, n), Some(customer_id));
                let row = Task { id, version, title, customer_id, assignee_id: owner, deleted_at, ..of };
                Write::row(&TASKS, id, TaskAggregate::row(&row))
            }
            Self::Approvals => {
                let row =
                    Approval { id, version, title, customer_id, requester_id: owner, ..approval(people, n) };
                Write::row(&APPROVALS, id, ApprovalAggregate::row(&row))
            }
            Self::Deals => {
                let of = Deal { lost_reason: None, ..deal(id, people, n) };
                let row = Deal { version, title, customer_id, owner_id: owner, deleted_at, ..of };
                Write::row(&DEALS, id, DealAggregate::row(&row))
            }
        }
    }

    async fn page(
        self,
        db: &Db,
        owner: Option<Id>,
        words: &Words,
        sort: usize,
        page: &PageRequest,
    ) -> Result<Page<Id>, StoreError> {
        Ok(match self {
            Self::Meetings => {
                let (filter, sort) = (MeetingFilter::default(), &MEETING_SORTS[sort % 2]);
                meetings::list(db, owner, &filter, words, sort, page).await?.map(|row| row.id)
            }
            Self::Tasks => {
                let (filter, sort) = (TaskFilter::default(), &TASK_SORTS[sort % 2]);
                tasks::list(db, owner, &filter, words, sort, page).await?.map(|row| row.id)
            }
            Self::Deals => {
                let (filter, sort) = (DealFilter::default(), &DEAL_SORTS[sort % DEAL_SORTS.len()]);
                deals::list(db, owner, &filter, words, sort, page).await?.map(|row| row.id)
            }
            Self::Approvals => {
                let (filter, sort) = (ApprovalFilter::default(), &APPROVAL_SORTS[sort % 4]);
                approvals::list(db, owner, &filter, words, sort, page).await?.map(|row| row.id)
            }
        })
    }

    fn searched(self) -> &'static Searched {
        match self {
            Self::Meetings => &found::MEETINGS,
            Self::Tasks => &found::TASKS,
            Self::Approvals => &found::APPROVALS,
            Self::Deals => &found::DEALS,
        }
    }
}

/// All records of a kind, and the customers that the replicas know.
struct Scene {
    kind: Kind,
    people: People,
    records: Vec<Record>,
    replicas: Vec<Option<CustomerReplica>>,
}

impl Scene {
    fn new(kind: Kind, seed: &mut u64) -> Self {
        let people = People {
            owners: (0..2).map(|_| new_id()).collect(),
            customers: (0..12).map(|_| new_id()).collect(),
        };
        let record = |n: usize| Record {
            id: new_id(),
            title: format!("x{}", random_text(seed, n % 7)),
            customer: n % 12,
            owner: people.owners[n % 2],
            version: 1,
            is_deleted: false,
        };
        let records = (0..120).map(record).collect();
        Self { kind, records, replicas: vec![None; people.customers.len()], people }
    }

    /// What the service has heard of a customer, who has this name now.
    fn hear(&mut self, customer: usize, name: String) -> [Write; 2] {
        let replica = CustomerReplica {
            id: self.people.customers[customer],
            version: self.replicas[customer].as_ref().map_or(1, |known| known.version + 1),
            name,
            owner_id: self.people.owners[customer / 2 % 2],
            deleted_at: None,
        };
        let keys = RecordKeys::of_replica(replica.version, &replica.name);
        let row = ReplicaRow { replica: replica.clone(), keys };
        self.replicas[customer] = Some(replica);
        [&SALES_CUSTOMERS, &OPPORTUNITY_CUSTOMERS].map(|table| Write::put(table, row.replica.id, &row))
    }

    async fn store(&self, db: &Db) {
        let write = |(n, record)| self.kind.write(record, &self.people, n);
        store(db, self.records.iter().enumerate().map(write).collect()).await;
    }

    fn holds(&self, record: &Record, owner: Option<Id>, words: &Words) -> bool {
        let own = RecordKeys::of_task(1, &record.title, None).search;
        let customer = self.replicas[record.customer]
            .as_ref()
            .filter(|known| owner.is_none_or(|owner| known.owner_id == owner))
            .map_or(String::new(), |known| RecordKeys::of_replica(1, &known.name).search);
        !record.is_deleted
            && owner.is_none_or(|owner| record.owner == owner)
            && words.iter().all(|word| own.contains(word) || customer.contains(word))
    }

    /// Searches for many texts: what is found is what has them. Returns how many of them were found.
    async fn is_found(&self, db: &Db, seed: &mut u64, what: &str) -> usize {
        let mut found_any = 0;
        for n in 0..30 {
            let q = format!("{} {}", random_text(seed, 1 + n % 4), random_text(seed, n % 5 / 2));
            let words = Words::parse(Some(&q)).unwrap();
            let owner = n.is_multiple_of(2).then_some(self.people.owners[0]);
            let records = self.records.iter().filter(|record| self.holds(record, owner, &words));
            let expected: BTreeSet<Id> = records.map(|record| record.id).collect();
            let found =
                walk([1, 3, 200][n % 3], async |page| self.kind.page(db, owner, &words, n, &page).await)
                    .await;
            let ids: BTreeSet<Id> = found.iter().copied().collect();
            let what = format!("{:?}, {what}: {q:?} for {owner:?}", self.kind);
            assert_eq!((ids, found.len()), (expected.clone(), expected.len()), "{what}");
            let counted =
                self.kind.page(db, owner, &words, n, &PageRequest::first(1).counted()).await.unwrap();
            assert_eq!(counted.total, Some(expected.len() as i64), "{what}");
            let query = Query::parse(&q).unwrap();
            let ranked = found::candidates(db, self.kind.searched(), owner, &query).await.unwrap();
            let ranked: BTreeSet<Id> = ranked.iter().map(|candidate| candidate.id).collect();
            assert_eq!(ranked, expected, "{what}, ranked");
            found_any += usize::from(!expected.is_empty());
        }
        found_any
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_their_words_and_their_customer_s_name_before_and_after_they_are_in_the_index(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Kind::Meetings, Kind::Tasks, Kind::Approvals, Kind::Deals)] kind: Kind,
) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let mut seed = 11;
    let mut scene = Scene::new(kind, &mut seed);
    for customer in 0..8 {
        let heard = scene.hear(customer, format!("y{}", random_text(&mut seed, 3)));
        store(&db, heard.to_vec()).await;
    }
    scene.store(&db).await;
    let mut found_any = scene.is_found(&db, &mut seed, "new").await;
    fold_all(&db).await;
    found_any += scene.is_found(&db, &mut seed, "new, in the index").await;

    // Customers of whom the service hears after their records, and others that get another name.
    for customer in [1, 3, 8, 9, 10] {
        let heard = scene.hear(customer, format!("z{}", random_text(&mut seed, 4)));
        store(&db, heard.to_vec()).await;
    }
    found_any += scene.is_found(&db, &mut seed, "of other names").await;
    fold_all(&db).await;
    found_any += scene.is_found(&db, &mut seed, "of other names, in the index").await;

    for (n, record) in scene.records.iter_mut().enumerate() {
        record.version += 1;
        match n % 5 {
            0 => record.title = format!("x{}", random_text(&mut seed, 6)),
            1 => record.is_deleted = !matches!(kind, Kind::Approvals),
            2 => record.customer = (record.customer + 1) % 12,
            _ => {}
        }
    }
    scene.store(&db).await;
    found_any += scene.is_found(&db, &mut seed, "changed").await;
    fold_all(&db).await;
    found_any += scene.is_found(&db, &mut seed, "changed, in the index").await;

    let table = kind.searched().table();
    for record in scene.records.drain(90..) {
        database.raw(&format!("DELETE FROM {table} WHERE id = '{}'", record.id)).await;
    }
    found_any += scene.is_found(&db, &mut seed, "removed").await;
    fold_all(&db).await;
    found_any += scene.is_found(&db, &mut seed, "removed, in the index").await;
    assert!(found_any > 60, "{found_any} of 240 found something");
    has_nothing_stale(&db, kind).await;
}

/// What is gone is not in the index.
async fn has_nothing_stale(db: &Db, kind: Kind) {
    let searched = kind.searched();
    let (texts, table, lives) = (searched.texts(), searched.table(), searched.lives("r"));
    let gone = format!("{texts} WHERE id NOT IN (SELECT r.id FROM {table} AS r WHERE {lives})");
    assert_eq!(count(db, &gone).await, 0, "texts of records that are gone");
    if db.dialect() == Dialect::Sqlite {
        let rows = searched.grams().replace("grams", "gram_rows");
        let gone =
            format!("(SELECT DISTINCT doc FROM {rows} WHERE doc NOT IN (SELECT number FROM {texts})) AS d");
        assert_eq!(count(db, &gone).await, 0, "parts of texts that are gone");
    }
}

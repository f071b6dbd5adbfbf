//! Every message of the five services, and its answer, survives JSON unchanged, as a call to another node requires.

mod analytics_messages;
mod auth_messages;
mod beside_messages;
mod bulk_messages;
mod deal_messages;
mod import_messages;
mod undo_messages;

use domain::report::messages as reports;
use kernel::locale::Locale;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::approval::messages as opportunity;
use domain::approval::messages::ApprovalCounts;
use domain::approval::record::{Approval, ApprovalStatus, NewApproval};
use domain::customer::messages as customer;
use domain::customer::messages::{CustomerCounts, SORTS};
use domain::customer::record::{Customer, CustomerChanges, CustomerStatus, NewCustomer};
use domain::meeting::messages as sales;
use domain::meeting::messages::MeetingCounts;
use domain::meeting::record::{Meeting, MeetingChanges, NewMeeting};
use domain::notification::kinds::NotificationKind;
use domain::notification::messages as analytics;
use domain::notification::record::{Notification, NotificationData};
use domain::notification::rules::NotificationCommand;
use domain::report::messages::{DayMetrics, SalesSummary, Section, Source};
use domain::saga::messages::CountReferring;
use domain::saga::record::{Counted, Counts, SagaKind};
use domain::search::messages::FindRecords;
use domain::search::record::{Hit, RecordType};
use domain::security::messages::{ReadSecurityLog, SecurityFilter};
use domain::security::record::{SecurityEntry, SecurityKind};
use domain::session::record::{ClientInfo, Session, SessionKind, SessionView};
use domain::task::messages as tasks;
use domain::task::messages::{DueTask, TaskCounts};
use domain::task::record::{NewTask, Task, TaskChanges, TaskStatus};
use domain::user::messages as auth;
use domain::user::record::{
    NewUser, PreferenceChanges, ProfileChanges, Theme, UserCard, UserChanges, UserView,
};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::context::{Context, IdempotencyClaim, Versions};
use kernel::event::{EventRecord, LoggedEvent};
use kernel::ids::{Id, new_id};
use kernel::page::{Keyset, Page, PageRequest};
use kernel::rank::Rank;
use kernel::scopes::Scopes;
use kernel::whole_number::Whole;
use kizuna::actors::analytics::service::AnalyticsService;
use kizuna::actors::auth::service::AuthService;
use kizuna::actors::customer::service::CustomerService;
use kizuna::actors::opportunity::service::OpportunityService;
use kizuna::actors::sales::service::SalesService;
use runtime::service::{Call, Hosted};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::common::{begin, customer as a_customer, event_of, user};

/// Text that JSON, SQL and Redis must not change.
const TEXT: &str = "絆 \"quoted\" \\ \u{7f}\u{2028} {\"a\":[1]}\n";

/// As [`TEXT`], for fields of one line, which take no control character.
const LINE: &str = "絆 \"quoted\" \\ {\"a\":[1]}";

/// The names of a service's messages that were tried.
struct Tried<D> {
    names: BTreeSet<&'static str>,
    service: std::marker::PhantomData<D>,
}

impl<D: Hosted> Tried<D> {
    fn new() -> Self {
        Self { names: BTreeSet::new(), service: std::marker::PhantomData }
    }

    fn call<M: Call<D>>(&mut self, message: M, answers: impl IntoIterator<Item = M::Answer>) {
        same(M::NAME, &message);
        answers.into_iter().for_each(|answer| same(M::NAME, &answer));
        assert_eq!(M::IDEMPOTENT, message.context().is_none(), "{}: commands have a context", M::NAME);
        self.names.insert(M::NAME);
    }

    /// # Panics
    /// When a message of the service was not tried.
    fn all(self) {
        assert_eq!(self.names, D::CALLS.iter().copied().collect(), "{}: untried, or gone", D::SERVICE);
    }
}

fn same<T: Serialize + DeserializeOwned>(name: &str, value: &T) {
    let text = serde_json::to_string(value).expect("JSON");
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error} in {text}"));
    assert_eq!(serde_json::to_string(&back).expect("JSON"), text, "{name}");
}

fn caller() -> Caller {
    Caller { user_id: new_id(), role: Role::Manager, session_id: new_id(), scopes: Scopes::ALL }
}

fn context() -> Context {
    Context {
        caller: caller(),
        causation_id: Some(new_id()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        if_match: Some(Versions(vec![7, 9])),
        claim: Some(IdempotencyClaim {
            id: format!("{}/{TEXT}", new_id()),
            fingerprint: TEXT.into(),
            status: 201,
            location: Some("/api/customers".into()),
        }),
        ..Context::system()
    }
}

fn page() -> PageRequest {
    PageRequest {
        limit: 200,
        after: Some(Keyset { sort: "-created_at".into(), value: TEXT.into(), id: new_id() }),
        before: Some(Keyset { sort: "-created_at".into(), value: TEXT.into(), id: new_id() }),
        count: true,
    }
}

fn pages<T>(item: T) -> [Page<T>; 2] {
    let next = page().after;
    let prev = page().before;
    [Page { items: vec![item], prev, next, total: Some(9) }, Page::empty(None)]
}

fn moment() -> Timestamp {
    begin().plus(Duration::from_micros(123_456))
}

#[test]
fn of_customer() {
    let one = || Customer { email: Some(TEXT.into()), deleted_at: Some(moment()), ..a_customer(LINE) };
    let new = NewCustomer {
        name: TEXT.into(),
        kana: Some(TEXT.into()),
        email: Some(TEXT.into()),
        company: Some(String::new()),
        status: Some(CustomerStatus::Active),
        notes: Some(TEXT.into()),
        owner_id: Some(new_id()),
        ..NewCustomer::default()
    };
    let mut tried = Tried::<CustomerService>::new();
    let create = customer::CreateCustomer { customer: new, allow_duplicate: true, context: context() };
    tried.call(create, [Arc::new(one()), Arc::new(a_customer("x"))]);
    for changes in [
        CustomerChanges::default(),
        CustomerChanges {
            name: Some(TEXT.into()),
            kana: Some(Some(TEXT.into())),
            email: Some(None),
            phone: Some(Some(TEXT.into())),
            company: Some(None),
            status: Some(CustomerStatus::Active),
            owner_id: Some(new_id()),
            ..CustomerChanges::default()
        },
    ] {
        let id = new_id();
        let change = customer::ChangeCustomer { id, changes, allow_duplicate: false, context: context() };
        tried.call(change, [Arc::new(one())]);
    }
    tried.call(customer::DeleteCustomer { id: new_id(), context: context() }, [new_id()]);
    tried.call(customer::CountByOwner, [HashMap::from([(new_id(), 3)]), HashMap::new()]);
    tried.call(customer::FindCustomer { id: new_id(), caller: caller() }, [Arc::new(one())]);
    let name = customer::CustomerName { id: new_id(), name: TEXT.into(), is_deleted: true };
    tried.call(customer::FindCustomers { ids: vec![new_id()], caller: caller() }, [vec![name], vec![]]);
    for sort in SORTS {
        let filter = customer::CustomerFilter {
            q: Some(TEXT.into()),
            status: Some(CustomerStatus::Lead),
            owner_id: Some(new_id()),
            created_from: Some(moment()),
            created_to: None,
        };
        let list = customer::ListCustomers { caller: caller(), filter, sort, page: page() };
        let text = serde_json::to_string(&list).expect("JSON");
        let back: customer::ListCustomers = serde_json::from_str(&text).expect("the same");
        assert_eq!(back.sort, sort);
        let strange = text.replace(&format!("\"sort\":\"{}\"", sort.name), "\"sort\":\"id; DROP TABLE\"");
        assert!(serde_json::from_str::<customer::ListCustomers>(&strange).is_err(), "{strange}");
        tried.call(list, pages(one()));
    }
    let counts = || CustomerCounts { total: 4, new: 2, deleted: 1, by_status: vec![(TEXT.into(), 3)] };
    let (from, to) = (begin(), moment());
    let stats = customer::CustomerStats { caller: caller(), owner_id: Some(new_id()), from, to };
    tried.call(stats, [counts()]);
    referring(&mut tried);
    searching(&mut tried);
    bulk_messages::of_customers(&mut tried);
    undo_messages::of_customers(&mut tried);
    import_messages::of_customers(&mut tried);
    beside_messages::commenting(&mut tried);
    beside_messages::attaching(&mut tried);
    tried.all();
}

fn referring<D: Hosted>(tried: &mut Tried<D>)
where
    CountReferring: Call<D, Answer = Counts>,
{
    for kind in SagaKind::ALL {
        let all = [Counted::Customers, Counted::Meetings, Counted::Tasks, Counted::Approvals];
        let count = CountReferring { kind, id: new_id(), caller: caller() };
        tried.call(count, [Counts::from(all.map(|counted| (counted, 5)))]);
    }
}

fn searching<D: Hosted>(tried: &mut Tried<D>)
where
    FindRecords: Call<D, Answer = Vec<Hit>>,
{
    let hit = |record_type| Hit {
        record_type,
        id: new_id(),
        title: TEXT.into(),
        subtitle: Some(TEXT.into()),
        created_at: moment(),
        rank: Rank::Words,
    };
    let asked = FindRecords { caller: caller(), q: TEXT.into(), limit: 20 };
    tried.call(asked, [RecordType::ALL.map(hit).into(), vec![]]);
}

#[test]
fn of_sales() {
    let meeting = || Meeting {
        id: new_id(),
        version: 4,
        created_at: begin(),
        updated_at: moment(),
        customer_id: new_id(),
        title: TEXT.into(),
        met_at: moment(),
        duration_minutes: Some(90),
        location: None,
        notes: Some(TEXT.into()),
        outcome: Some(TEXT.into()),
        owner_id: new_id(),
        deleted_at: Some(moment()),
    };
    let new = NewMeeting {
        customer_id: new_id(),
        title: TEXT.into(),
        met_at: moment(),
        duration_minutes: Some(Whole(i64::MAX)),
        location: Some(TEXT.into()),
        notes: None,
        outcome: None,
        owner_id: Some(new_id()),
    };
    let mut tried = Tried::<SalesService>::new();
    tried.call(sales::CreateMeeting { meeting: new, context: context() }, [Arc::new(meeting())]);
    for changes in [
        MeetingChanges::default(),
        MeetingChanges {
            customer_id: Some(new_id()),
            title: Some(TEXT.into()),
            met_at: Some(moment()),
            duration_minutes: Some(Some(Whole(-1))),
            location: Some(None),
            notes: Some(Some(TEXT.into())),
            outcome: Some(None),
            owner_id: Some(new_id()),
        },
    ] {
        let change = sales::ChangeMeeting { id: new_id(), changes, context: context() };
        tried.call(change, [Arc::new(meeting())]);
    }
    tried.call(sales::DeleteMeeting { id: new_id(), context: context() }, [Arc::new(meeting())]);
    tried.call(sales::FindMeeting { id: new_id(), caller: caller() }, [Arc::new(meeting())]);
    let read = sales::ReadMeetingActivity { id: new_id(), caller: caller(), page: page() };
    tried.call(read, pages(an_event()));
    let read = tasks::ReadTaskActivity { id: new_id(), caller: caller(), page: page() };
    tried.call(read, pages(an_event()));
    let (customer_id, owner_id) = (Some(new_id()), Some(new_id()));
    let q = Some(TEXT.into());
    let filter = sales::MeetingFilter { q, customer_id, owner_id, from: Some(moment()), to: None };
    tried.call(
        sales::ListMeetings { caller: caller(), filter, sort: sales::SORTS[1], page: page() },
        pages(meeting()),
    );
    let (from, to) = (begin(), moment());
    let counts = || MeetingCounts { total: 4, by_owner: BTreeMap::from([(new_id(), 4)]) };
    tried.call(sales::MeetingStats { caller: caller(), owner_id, from, to }, [counts()]);
    referring(&mut tried);
    searching(&mut tried);
    beside_messages::commenting(&mut tried);
    beside_messages::attaching(&mut tried);
    of_tasks(&mut tried);
    bulk_messages::of_sales(&mut tried);
    import_messages::rows(&mut tried);
    bulk_messages::counted(&mut tried);
    undo_messages::of_records(&mut tried);
    tried.all();
}

fn of_tasks(tried: &mut Tried<SalesService>) {
    // Which alert went out is the service's own.
    let task = || Task {
        id: new_id(),
        version: 2,
        created_at: begin(),
        updated_at: moment(),
        title: TEXT.into(),
        due_at: moment(),
        status: TaskStatus::Done,
        completed_at: Some(moment()),
        customer_id: None,
        assignee_id: new_id(),
        notes: Some(TEXT.into()),
        deleted_at: None,
        alerted_for: None,
    };
    let new = NewTask {
        title: TEXT.into(),
        due_at: moment(),
        customer_id: Some(new_id()),
        assignee_id: None,
        notes: Some(TEXT.into()),
        status: Some(TaskStatus::Open),
    };
    tried.call(tasks::CreateTask { task: new, context: context() }, [Arc::new(task())]);
    for changes in [
        TaskChanges::default(),
        TaskChanges {
            title: Some(TEXT.into()),
            due_at: Some(moment()),
            customer_id: Some(None),
            assignee_id: Some(new_id()),
            notes: Some(Some(TEXT.into())),
            status: Some(TaskStatus::Done),
        },
    ] {
        tried.call(tasks::ChangeTask { id: new_id(), changes, context: context() }, [Arc::new(task())]);
    }
    tried.call(tasks::DeleteTask { id: new_id(), context: context() }, [Arc::new(task())]);
    tried.call(tasks::FindTask { id: new_id(), caller: caller() }, [Arc::new(task())]);
    let filter = tasks::TaskFilter {
        q: Some(TEXT.into()),
        status: Some(TaskStatus::Open),
        assignee_id: Some(new_id()),
        customer_id: None,
        due_before: Some(moment()),
    };
    tried.call(
        tasks::ListTasks { caller: caller(), filter, sort: tasks::SORTS[1], page: page() },
        pages(task()),
    );
    let (from, to) = (begin(), moment());
    let counts = TaskCounts { open: 3, done: 2, overdue: 1 };
    tried.call(tasks::TaskStats { caller: caller(), owner_id: None, from, to }, [counts]);
    let due = || Some(DueTask { id: new_id(), due_at: moment() });
    tried.call(tasks::AlertDueTasks { after: due(), context: context() }, [due(), None]);
}

#[test]
fn of_opportunity() {
    let approval = || Approval {
        id: new_id(),
        version: 2,
        created_at: begin(),
        updated_at: moment(),
        deal_id: None,
        customer_id: new_id(),
        title: TEXT.into(),
        amount: 9_007_199_254_740_991,
        currency: "JPY".into(),
        reason: Some(TEXT.into()),
        status: ApprovalStatus::Approved,
        requester_id: new_id(),
        approver_id: None,
        decided_by: Some(new_id()),
        decided_at: Some(moment()),
        comment: Some(TEXT.into()),
    };
    let new = NewApproval {
        deal_id: None,
        customer_id: new_id(),
        title: TEXT.into(),
        amount: Whole(9_007_199_254_740_991),
        currency: Some("USD".into()),
        reason: None,
        approver_id: Some(new_id()),
    };
    let mut tried = Tried::<OpportunityService>::new();
    tried.call(opportunity::RequestApproval { approval: new, context: context() }, [Arc::new(approval())]);
    use opportunity::{Decision, NewApprover, OptionalComment, RequiredComment};
    for decision in [
        Decision::Approve(OptionalComment { comment: None }),
        Decision::Reject(RequiredComment { comment: TEXT.into() }),
        Decision::Cancel(OptionalComment { comment: Some(TEXT.into()) }),
        Decision::Reassign(NewApprover { approver_id: new_id() }),
    ] {
        let decide = opportunity::DecideApproval { id: new_id(), decision, context: context() };
        tried.call(decide, [Arc::new(approval())]);
    }
    tried.call(opportunity::FindApproval { id: new_id(), caller: caller() }, [Arc::new(approval())]);
    let filter = opportunity::ApprovalFilter {
        q: None,
        status: Some(ApprovalStatus::Pending),
        customer_id: Some(new_id()),
        deal_id: Some(new_id()),
        requester_id: None,
        approver_id: Some(new_id()),
        awaits: Some(new_id()),
    };
    tried.call(
        opportunity::ListApprovals { caller: caller(), filter, sort: opportunity::SORTS[2], page: page() },
        pages(approval()),
    );
    let (from, to) = (begin(), moment());
    let approved_amount = BTreeMap::from([("JPY".to_owned(), i64::MAX)]);
    let counts = ApprovalCounts { pending: 1, approved: 2, rejected: 3, cancelled: 4, approved_amount };
    let read = opportunity::ReadApprovalActivity { id: new_id(), caller: caller(), page: page() };
    tried.call(read, pages(an_event()));
    let stats = opportunity::ApprovalStats { caller: caller(), owner_id: Some(new_id()), from, to };
    tried.call(stats, [counts]);
    deal_messages::of_opportunity(&mut tried);
    bulk_messages::of_opportunity(&mut tried);
    import_messages::rows(&mut tried);
    referring(&mut tried);
    searching(&mut tried);
    bulk_messages::counted(&mut tried);
    undo_messages::of_records(&mut tried);
    beside_messages::commenting(&mut tried);
    beside_messages::attaching(&mut tried);
    tried.all();
}

/// An event with its place in the log.
fn an_event() -> EventRecord {
    let event = event_of(&a_customer(LINE));
    EventRecord::from(&LoggedEvent { partition: 15, partition_seq: i64::MAX, log_seq: Some(i64::MAX), event })
}

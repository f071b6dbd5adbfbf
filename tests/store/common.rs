//! Rows, events and units to commit.

use domain::customer::record::{Customer, NewCustomer};
use domain::customer::rules::CustomerEvent;
use domain::notification::kinds::NotificationKind;
use domain::user::record::{Preferences, Theme, User, UserState};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::event::Event;
use kernel::ids::{Id, new_id};
use kernel::locale::Locale;
use kernel::page::{Page, PageRequest};
use kernel::scopes::Scopes;
use kizuna::actors::auth::aggregate::UserAggregate;
use kizuna::actors::customer::aggregate::CustomerAggregate;
use kizuna::persistence::auth::USERS;
use kizuna::persistence::customers::CUSTOMERS;
use runtime::entity::Aggregate;
use store::journal::{Outcome, commit};
use store::sql::Sql;
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};

/// A time in its usual form.
pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// When tests begin.
pub fn begin() -> Timestamp {
    at("2026-03-02T09:00:00Z")
}

/// A new customer of nobody in particular.
#[track_caller]
pub fn customer(name: &str) -> Customer {
    let new = NewCustomer { name: name.to_owned(), owner_id: Some(new_id()), ..NewCustomer::default() };
    testing::records::customer(new, begin())
}

/// A new user with an address made of the name.
pub fn user(name: &str) -> UserState {
    UserState {
        user: User {
            id: new_id(),
            version: 1,
            created_at: begin(),
            updated_at: begin(),
            email: format!("{name}@example.com"),
            name: name.to_owned(),
            role: Role::Sales,
            manager_id: None,
            locale: Locale::Ja,
            time_zone: "Asia/Tokyo".to_owned(),
        },
        preferences: Preferences { theme: Theme::Dark, muted_notifications: NotificationKind::ALL.into() },
        deleted_at: None,
        password_hash: "$argon2id$".to_owned(),
        sessions_valid_from: begin(),
        kept_session_id: None,
    }
}

/// A caller with this role.
pub fn caller(role: Role, user_id: Id) -> Caller {
    Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL }
}

pub fn customer_write(customer: &Customer) -> Write {
    Write::row(&CUSTOMERS, customer.id, CustomerAggregate::row(customer))
}

pub fn user_write(state: &UserState) -> Write {
    Write::row(&USERS, state.user.id, UserAggregate::row(state))
}

/// What says that the customer has become so.
pub fn event_of(customer: &Customer) -> Event {
    let event = match (customer.version, customer.deleted_at) {
        (_, Some(_)) => CustomerEvent::Deleted { after: customer.clone(), saga_id: new_id() },
        (1, None) => CustomerEvent::Created(customer.clone()),
        (_, None) => {
            CustomerEvent::Updated { after: customer.clone(), changed: vec!["name"], previous_owner_id: None }
        }
    };
    Event::new(&event, customer.id, customer.version, customer.updated_at, &Context::system())
}

/// The customer's row over the version before it, and its event.
pub fn customer_unit(customer: &Customer) -> UnitOfWork {
    let writes = vec![customer_write(customer).expecting(customer.version - 1)];
    UnitOfWork { writes, events: vec![event_of(customer)], ..UnitOfWork::default() }
}

/// A unit of rows alone.
pub fn unit(writes: Vec<Write>) -> UnitOfWork {
    UnitOfWork { writes, ..UnitOfWork::default() }
}

/// The next version of a customer, under another name.
pub fn renamed(customer: &Customer, name: &str) -> Customer {
    Customer { version: customer.version + 1, name: name.to_owned(), ..customer.clone() }
}

/// Commits one unit.
pub async fn commit_one(db: &Db, unit: UnitOfWork) -> Outcome {
    commit(db, vec![unit]).await.pop().expect("an outcome a unit")
}

/// Stores rows that nothing stands against.
pub async fn store(db: &Db, writes: Vec<Write>) {
    commit_one(db, unit(writes)).await.expect("rows that are stored");
}

/// How many rows a table has.
pub async fn count(db: &Db, table: &str) -> i64 {
    let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {table}"));
    db.number(count).await.expect("a table")
}

/// The stored customer, as it must be there.
pub async fn stored(db: &Db, id: Id) -> Customer {
    db.row(&CUSTOMERS, id).await.expect("a readable row").expect("a row")
}

/// A page from the beginning.
pub fn first(limit: i64) -> PageRequest {
    PageRequest::first(limit)
}

/// Everything a list has, page by page; no page but the last may be short.
pub async fn walk<T>(
    limit: i64,
    mut page: impl AsyncFnMut(PageRequest) -> Result<Page<T>, StoreError>,
) -> Vec<T> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let got = page(PageRequest::after(limit, after)).await.expect("a page");
        assert!(got.next.is_none() || got.items.len() as i64 == limit, "a page in the middle is full");
        all.extend(got.items);
        let Some(next) = got.next else { return all };
        after = Some(next);
    }
}

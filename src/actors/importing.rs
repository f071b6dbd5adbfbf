//! What the rows of a file become, for every service that keeps records: one code, generic over the record, as for changes of many.
//! `import_commit` carries it out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actors::auth::client::AuthPeer;
use crate::persistence::batches;
use crate::persistence::batches::{Batch, Batches};
use crate::persistence::external_ids;
use crate::persistence::sagas;
use domain::changes::{FieldChange, changes};
use domain::customer::messages::{CustomerName, FIND_CUSTOMERS_MAX, FindCustomers};
use domain::customer::record::Customer;
use domain::import::messages::{
    CheckRows, CheckedRow, DropRows, MatchCustomers, MatchedCustomers, ROWS_CHECKED_MAX, RowWork, StageRows,
};
use domain::import::record::{ImportKind, MatchOn, RowOutcome};
use domain::import::row::{CustomerKey, ParsedRow, field_of};
use domain::user::messages::{FindUsersByAddress, Mentionable};
use kernel::caller::{Caller, Role};
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::{EventType, StateAfter};
use kernel::ids::{Id, new_id};
use runtime::entity::{Aggregate, Entities};
use runtime::journal::Journal;
use store::Db;
use store::table::Table;
use store::unit_of_work::{UniqueCheck, UnitOfWork};

/// The state of a record.
pub type State<I> = <<I as Imported>::Record as Aggregate>::State;

/// How the customers whom rows name are found.
pub trait CustomerLookup: Send + Sync + 'static {
    /// Whether rows name customers at all.
    const IS_NEEDED: bool;

    /// Those that have these addresses or external ids.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    fn matching(&self, asked: MatchCustomers)
    -> impl Future<Output = Result<MatchedCustomers, Error>> + Send;

    /// Those that have these ids.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    fn named(&self, asked: FindCustomers) -> impl Future<Output = Result<Vec<CustomerName>, Error>> + Send;
}

/// Of records that name no customer.
impl CustomerLookup for () {
    const IS_NEEDED: bool = false;

    async fn matching(&self, _: MatchCustomers) -> Result<MatchedCustomers, Error> {
        Ok(MatchedCustomers::default())
    }

    async fn named(&self, _: FindCustomers) -> Result<Vec<CustomerName>, Error> {
        Ok(Vec::new())
    }
}

/// Records that are imported.
pub trait Imported: Sized + Send + Sync + 'static {
    type Record: Aggregate;
    type Customers: CustomerLookup;
    const KIND: ImportKind;
    /// The type of the event that closes a batch.
    const CLOSED_BY: EventType;
    const BATCHES: Batches;
    const EXTERNAL_IDS: &'static Table;

    /// The record, if the caller may see it.
    ///
    /// # Errors
    /// `not_found`.
    fn visible<'a>(record: Option<&'a State<Self>>, caller: &Caller) -> Result<&'a State<Self>, Error>;

    /// The command that makes a record of fields.
    ///
    /// # Errors
    /// `invalid_fields`.
    fn create(fields: &Map<String, Value>) -> Result<<Self::Record as Aggregate>::Command, Error>;

    /// The command that sets fields of a record.
    ///
    /// # Errors
    /// `invalid_fields`.
    fn change(fields: &Map<String, Value>) -> Result<<Self::Record as Aggregate>::Command, Error>;

    fn id(record: &State<Self>) -> Id;

    /// The currency of a deal.
    fn currency(_: &State<Self>) -> Option<&str> {
        None
    }

    /// The record as a customer, whose address is its own.
    fn as_customer(_: &State<Self>) -> Option<&Customer> {
        None
    }

    /// The customer whom a change needs although the row does not name one.
    fn needs_customer(_: &State<Self>, _: &Map<String, Value>) -> Option<Id> {
        None
    }

    /// The condition that no other customer has an address.
    fn unique_email(_: &Caller, _: &str, _: Option<Id>) -> Option<UniqueCheck> {
        None
    }

    /// The records with these addresses that the caller may see.
    fn with_emails(
        _: &Db,
        _: &Caller,
        _: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Vec<State<Self>>, Error>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// What a batch does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub change: Rows,
    pub caller: Caller,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rows {
    pub rows: Vec<RowWork>,
}

/// What a service needs to import records of a kind.
pub struct ImportParts<I: Imported> {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub records: Entities<I::Record>,
    pub auth: AuthPeer,
    pub customers: I::Customers,
}

/// What the rows of a chunk refer to.
struct References<S> {
    users: HashMap<String, Id>,
    customers: HashMap<CustomerKey, Vec<Id>>,
    by_email: HashMap<String, Vec<S>>,
    by_external_id: HashMap<String, Vec<S>>,
}

impl<I: Imported> ImportParts<I> {
    /// What would become of rows. Nothing is written.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn check(&self, check: CheckRows) -> Result<Vec<CheckedRow>, Error> {
        let CheckRows { match_on, rows, caller, .. } = check;
        if rows.len() > ROWS_CHECKED_MAX {
            return Err(Error::internal("more rows than are checked at a time"));
        }
        let found = self.references(&rows, &caller).await?;
        let mut checked: Vec<CheckedRow> =
            rows.into_iter().map(|row| self.check_row(row, match_on, &found, &caller)).collect();
        self.check_reopened(&mut checked, &caller).await?;
        Ok(checked)
    }

    async fn references(&self, rows: &[ParsedRow], caller: &Caller) -> Result<References<State<I>>, Error> {
        let users: BTreeSet<String> = rows.iter().filter_map(|row| row.user.clone()).collect();
        let users = match users.is_empty() {
            true => Vec::new(),
            false => self.auth.ask(FindUsersByAddress { addresses: users.into_iter().collect() }).await?,
        };
        let users = users.into_iter().map(|Mentionable { id, email, .. }| (email, id)).collect();
        let emails: BTreeSet<String> = rows.iter().filter_map(ParsedRow::email).collect();
        let mut by_email: HashMap<String, Vec<State<I>>> = HashMap::new();
        for record in I::with_emails(&self.db, caller, &emails).await? {
            let email = I::as_customer(&record).and_then(|customer| customer.email.clone());
            by_email.entry(email.unwrap_or_default()).or_default().push(record);
        }
        let external_ids: BTreeSet<String> = rows.iter().filter_map(|row| row.external_id.clone()).collect();
        let by_external_id = self.with_external_ids(&external_ids, caller).await?;
        Ok(References { users, customers: self.customers_of(rows, caller).await?, by_email, by_external_id })
    }

    /// The records with these external ids that the caller may see.
    ///
    /// # Errors
    /// The database's.
    pub async fn with_external_ids(
        &self,
        external_ids: &BTreeSet<String>,
        caller: &Caller,
    ) -> Result<HashMap<String, Vec<State<I>>>, Error> {
        let holders = external_ids::holders(&self.db, I::EXTERNAL_IDS, I::KIND, external_ids).await?;
        let ids: Vec<Id> = holders.values().flat_map(|holders| holders.records.iter().copied()).collect();
        let records: Vec<(Id, Option<State<I>>)> =
            batches::records(&self.db, <I::Record as Aggregate>::TABLE, &ids).await?;
        let seen = records.into_iter().filter_map(|(id, record)| {
            I::visible(record.as_ref(), caller).is_ok().then_some(record).flatten().map(|record| (id, record))
        });
        let seen: HashMap<Id, State<I>> = seen.collect();
        let of = |ids: &[Id]| ids.iter().filter_map(|id| seen.get(id)).cloned().collect();
        Ok(holders.into_iter().map(|(id, holders)| (id, of(&holders.records))).collect())
    }

    async fn customers_of(
        &self,
        rows: &[ParsedRow],
        caller: &Caller,
    ) -> Result<HashMap<CustomerKey, Vec<Id>>, Error> {
        let (mut emails, mut external_ids) = (BTreeSet::new(), BTreeSet::new());
        for customer in rows.iter().filter_map(|row| row.customer.clone()) {
            match customer {
                CustomerKey::Email(email) => emails.insert(email),
                CustomerKey::ExternalId(id) => external_ids.insert(id),
            };
        }
        let mut found: HashMap<CustomerKey, Vec<Id>> = HashMap::new();
        if emails.is_empty() && external_ids.is_empty() {
            return Ok(found);
        }
        let asked = MatchCustomers { emails, external_ids, caller: *caller };
        let matched = self.customers.matching(asked).await?;
        let MatchedCustomers { by_email, by_external_id } = matched;
        let by_email = by_email.into_iter().map(|(email, id)| (CustomerKey::Email(email), id));
        let by_id = by_external_id.into_iter().map(|(key, id)| (CustomerKey::ExternalId(key), id));
        for (key, id) in by_email.chain(by_id) {
            found.entry(key).or_default().push(id);
        }
        Ok(found)
    }

    fn check_row(
        &self,
        mut row: ParsedRow,
        match_on: MatchOn,
        found: &References<State<I>>,
        caller: &Caller,
    ) -> CheckedRow {
        let (email, external_id) = (row.email(), row.external_id.clone());
        let matched = match match_on {
            MatchOn::Email => email.as_ref().and_then(|email| found.by_email.get(email)),
            MatchOn::ExternalId => external_id.as_ref().and_then(|id| found.by_external_id.get(id)),
        };
        let matched = matched.map_or(&[][..], Vec::as_slice);
        if matched.len() > 1 {
            row.faults.push(FieldError::new(match_on.as_str(), "several_records"));
        }
        let record = matched.first();
        settle_user(&mut row, I::KIND, found, caller);
        settle_customer(&mut row, found);
        row.settle_amount(record.and_then(I::currency));
        let id = record.map_or_else(new_id, I::id);
        let is_other = |other: &State<I>| I::id(other) != id;
        let holds = |of: &HashMap<String, Vec<State<I>>>, key: &Option<String>| {
            key.as_ref().and_then(|key| of.get(key)).is_some_and(|records| records.iter().any(is_other))
        };
        let keeps_email = record.and_then(I::as_customer).is_some_and(|customer| customer.email == email);
        if match_on == MatchOn::ExternalId && !keeps_email && holds(&found.by_email, &email) {
            row.faults.push(FieldError::new("email", "duplicate_email"));
        }
        if match_on == MatchOn::Email && holds(&found.by_external_id, &external_id) {
            row.faults.push(FieldError::new("external_id", "external_id_taken"));
        }
        let has = |key: &String| {
            found.by_external_id.get(key).is_some_and(|records| records.iter().any(|one| I::id(one) == id))
        };
        let new_key = external_id.filter(|key| record.is_some() && !has(key));
        self.outcome(row, id, record, new_key, caller)
    }

    /// What the record's own rules say to a row whose references are settled. `new_key` is the external id that the record gets.
    fn outcome(
        &self,
        row: ParsedRow,
        id: Id,
        record: Option<&State<I>>,
        new_key: Option<String>,
        caller: &Caller,
    ) -> CheckedRow {
        let mut faults = row.faults.clone();
        if record.is_none() {
            faults.extend(row.missing(I::KIND));
        }
        let command = if record.is_some() { I::change(&row.fields) } else { I::create(&row.fields) };
        let decided = command.and_then(|command| {
            <I::Record as Aggregate>::decide(record, &command, caller, id, self.clock.now())
        });
        let after = match decided {
            Ok(events) => events.last().map(|event| event.after().clone()),
            Err(error) => {
                let more = faults_of(I::KIND, error, !faults.is_empty());
                faults.extend(
                    more.into_iter().filter(|it| row.faults.iter().all(|told| told.field != it.field)),
                );
                None
            }
        };
        let mut changes = match &after {
            Some(after) if faults.is_empty() => differences::<I>(record, after),
            _ => Vec::new(),
        };
        let is_changed = after.is_some() || new_key.is_some();
        if let Some(key) = new_key.filter(|_| faults.is_empty()) {
            changes.push(FieldChange { field: "external_id".into(), from: Value::Null, to: key.into() });
        }
        let outcome = match (faults.is_empty(), record.is_some(), is_changed) {
            (false, ..) => RowOutcome::Wrong,
            (true, false, _) => RowOutcome::New,
            (true, true, true) => RowOutcome::Changed,
            (true, true, false) => RowOutcome::Same,
        };
        let is_work = matches!(outcome, RowOutcome::New | RowOutcome::Changed);
        let number = row.row;
        let work = is_work.then(|| RowWork {
            row: number,
            id,
            is_new: record.is_none(),
            fields: row.fields,
            external_id: row.external_id,
        });
        let record_id = (is_work || record.is_some()).then_some(id);
        CheckedRow { row: number, outcome, record_id, changes, faults, work }
    }

    /// A deal that is opened again needs a customer who is there, also when its row does not name one.
    async fn check_reopened(&self, checked: &mut [CheckedRow], caller: &Caller) -> Result<(), Error> {
        let works: Vec<&RowWork> = checked.iter().filter_map(|row| row.work.as_ref()).collect();
        let needed = self.customers_needed(&works, true).await?;
        if needed.is_empty() {
            return Ok(());
        }
        let live = self.live_customers(&needed, caller).await?;
        for row in checked {
            let customer = row.work.as_ref().and_then(|work| needed.get(&work.id));
            if customer.is_some_and(|customer| !live.contains(customer)) {
                row.faults.push(FieldError::new("stage", "customer_deleted"));
                (row.outcome, row.work, row.changes) = (RowOutcome::Wrong, None, Vec::new());
            }
        }
        Ok(())
    }

    /// By record, the customers whom rows need: those that they name, and those of deals that are opened again (or `only_reopened`).
    pub(super) async fn customers_needed(
        &self,
        works: &[&RowWork],
        only_reopened: bool,
    ) -> Result<BTreeMap<Id, Id>, Error> {
        let mut needed = BTreeMap::new();
        if !I::Customers::IS_NEEDED {
            return Ok(needed);
        }
        for work in works {
            let named = work.fields.get("customer_id").and_then(Value::as_str).and_then(Id::parse);
            if let Some(customer) = named {
                if !only_reopened {
                    needed.insert(work.id, customer);
                }
            } else if !work.is_new && work.fields.contains_key("stage") {
                let record = self.records.get(work.id).await?;
                let customer = record.and_then(|record| I::needs_customer(&record, &work.fields));
                needed.extend(customer.map(|customer| (work.id, customer)));
            }
        }
        Ok(needed)
    }

    /// Those of the customers whom the caller may see.
    pub(super) async fn live_customers(
        &self,
        needed: &BTreeMap<Id, Id>,
        caller: &Caller,
    ) -> Result<HashSet<Id>, Error> {
        let ids: BTreeSet<Id> = needed.values().copied().collect();
        let ids: Vec<Id> = ids.into_iter().collect();
        let mut live = HashSet::new();
        for ids in ids.chunks(FIND_CUSTOMERS_MAX) {
            let asked = FindCustomers { ids: ids.to_vec(), caller: *caller };
            let found = self.customers.named(asked).await?;
            live.extend(
                found.into_iter().filter(|customer| !customer.is_deleted).map(|customer| customer.id),
            );
        }
        Ok(live)
    }

    /// Stores a batch of a saga that is not begun yet.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn stage(&self, stage: StageRows) -> Result<(), Error> {
        let StageRows { saga, number, rows, context, .. } = stage;
        let ids = rows.iter().map(|row| row.id).collect();
        let batch = Batch { asked: Asked { change: Rows { rows }, caller: context.caller }, ids };
        let writes = vec![I::BATCHES.write(saga, number, batch)];
        self.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await?;
        Ok(())
    }
}

/// Drops the batches of a saga, unless it has begun.
///
/// # Errors
/// The database's.
pub async fn drop_rows(db: &Db, of: Batches, drop: DropRows) -> Result<(), Error> {
    match sagas::find(db, drop.saga).await? {
        Some(_) => Ok(()),
        None => Ok(of.drop_all(db, drop.saga).await?),
    }
}

/// The user whom a row names. SALES name themselves alone, and learn of no other address whether it is somebody's.
fn settle_user<S>(row: &mut ParsedRow, kind: ImportKind, found: &References<S>, caller: &Caller) {
    let Some(address) = row.user.take() else { return };
    let (field, _) = ParsedRow::user_field(kind);
    let user = found.users.get(&address).copied();
    if caller.role == Role::Sales && user != Some(caller.user_id) {
        row.faults.push(FieldError::new(field, "not_oneself"));
        return;
    }
    match user {
        Some(user) => row.settle(kind, Some(user), None),
        None => row.faults.push(FieldError::new(field, "unknown_user")),
    }
}

fn settle_customer<S>(row: &mut ParsedRow, found: &References<S>) {
    let Some(key) = &row.customer else { return };
    let field = match key {
        CustomerKey::Email(_) => "customer_email",
        CustomerKey::ExternalId(_) => "customer_external_id",
    };
    match found.customers.get(key).map_or(&[][..], Vec::as_slice) {
        [] => row.faults.push(FieldError::new(field, "unknown_customer")),
        // The kind does not matter: no user is settled here.
        [customer] => row.settle(ImportKind::Meetings, None, Some(*customer)),
        _ => row.faults.push(FieldError::new(field, "several_records")),
    }
}

/// What the rules of a record said, as faults of the row. With `is_wrong`, the row may lack what its record needs.
fn faults_of(kind: ImportKind, error: Error, is_wrong: bool) -> Vec<FieldError> {
    match error.code {
        ErrorCode::InvalidFields => {
            let own = |fault: FieldError| FieldError { field: field_of(kind, &fault.field), ..fault };
            error.fields.into_iter().map(own).collect()
        }
        ErrorCode::Internal if is_wrong => Vec::new(),
        ErrorCode::Forbidden => vec![FieldError::new(ParsedRow::user_field(kind).0, "not_oneself")],
        ErrorCode::DealClosed => vec![FieldError::new("stage", "deal_is_closed")],
        _ => vec![FieldError::new("", "not_importable")],
    }
}

/// What the row changes of the record, or sets of a new one, for a reader: long texts are cut.
fn differences<I: Imported>(before: Option<&State<I>>, after: &State<I>) -> Vec<FieldChange> {
    const SHOWN_MAX: usize = 200;
    let map = |state: &State<I>| match serde_json::to_value(state) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let cut = |value: Value| match value {
        Value::String(text) if text.len() > SHOWN_MAX => {
            Value::String(text.chars().take(SHOWN_MAX).collect::<String>() + "…")
        }
        value => value,
    };
    let own = |change: &FieldChange| change.field != "completed_at" && change.field != "closed_at";
    let changes = changes(before.map(map).as_ref(), &map(after)).into_iter().filter(own);
    changes.map(|it| FieldChange { from: cut(it.from), to: cut(it.to), ..it }).collect()
}

/// A context without the caller's conditions, for what is done on the way.
pub fn plain(context: &Context) -> Context {
    Context { if_match: None, claim: None, ..context.clone() }
}

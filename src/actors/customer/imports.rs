//! Imports: the records of this service, and customers as what is imported.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::customer::service::CustomerService;
use crate::actors::importing::{Imported, plain};
use crate::actors::sagas::start::start_import;
use crate::actors::uploads::TAKEN_WITHIN;
use crate::persistence::batches::{Batches, OF_CUSTOMERS};
use crate::persistence::customers as queries;
use crate::persistence::external_ids::CUSTOMER_EXTERNAL_IDS;
use crate::persistence::imports::{IMPORTS, keep_rows, list, make_room, rows};
use crate::persistence::sagas;
use crate::persistence::uploads;
use domain::api_key::needs::{to_import, to_see_import};
use domain::bulk::progress::BulkProgress;
use domain::customer::record::{Customer, CustomerChanges, NewCustomer};
use domain::customer::rules;
use domain::customer::rules::CustomerCommand;
use domain::events::CUSTOMERS_IMPORTED;
use domain::import::messages::{
    ChangeImport, CommitImport, CreateImport, FindImport, ListImportRows, ListImports, MatchCustomers,
    MatchedCustomers, OPEN_MAX,
};
use domain::import::record::{Import, ImportKind, ImportRow};
use domain::import::row::body;
use domain::import::rules as import_rules;
use domain::import::rules::{ImportCommand, ImportEvent, check_open};
use domain::saga::record::SagaKind;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::event::{EventType, LoggedEvent, Versioned};
use kernel::ids::Id;
use kernel::page::Page;
use runtime::consumer::EffectError;
use runtime::entity::{Aggregate, Entities};
use runtime::prepared::Prepared;
use store::idempotency::FirstAnswer;
use store::table::Table;
use store::unit_of_work::UniqueCheck;
use store::{Db, StoreError};

/// How often a commit is decided again because the import changed meanwhile.
const RACES: usize = 3;

/// An import as an aggregate.
pub struct ImportAggregate;

impl Aggregate for ImportAggregate {
    const KIND: &'static str = "customer.import";
    type State = Import;
    type Command = ImportCommand;
    type Event = ImportEvent;

    const TABLE: &'static Table = &IMPORTS;

    fn decide(
        state: Option<&Import>,
        command: &ImportCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<ImportEvent>, Error> {
        import_rules::decide(state, command, caller, id, now)
    }

    fn logged(event: &ImportEvent) -> Option<&ImportEvent> {
        event.is_logged().then_some(event)
    }
}

/// Customers, as records that are imported.
pub struct ImportedCustomers;

impl Imported for ImportedCustomers {
    type Record = CustomerAggregate;
    type Customers = ();
    const KIND: ImportKind = ImportKind::Customers;
    const CLOSED_BY: EventType = CUSTOMERS_IMPORTED;
    const BATCHES: Batches = OF_CUSTOMERS;
    const EXTERNAL_IDS: &'static Table = &CUSTOMER_EXTERNAL_IDS;

    fn visible<'a>(record: Option<&'a Customer>, caller: &Caller) -> Result<&'a Customer, Error> {
        rules::visible(record, caller)
    }

    fn create(fields: &Map<String, Value>) -> Result<CustomerCommand, Error> {
        Ok(CustomerCommand::Create(rules::check_new(body::<NewCustomer>(fields)?)?))
    }

    fn change(fields: &Map<String, Value>) -> Result<CustomerCommand, Error> {
        Ok(CustomerCommand::Change(rules::check_changes(body::<CustomerChanges>(fields)?)?))
    }

    fn id(record: &Customer) -> Id {
        record.id
    }

    fn as_customer(record: &Customer) -> Option<&Customer> {
        Some(record)
    }

    fn unique_email(caller: &Caller, email: &str, except: Option<Id>) -> Option<UniqueCheck> {
        Some(queries::no_other_with_email(caller.only_owner(), email, except))
    }

    async fn with_emails(
        db: &Db,
        caller: &Caller,
        emails: &BTreeSet<String>,
    ) -> Result<Vec<Customer>, Error> {
        Ok(queries::with_emails(db, caller.only_owner(), emails).await?)
    }
}

impl CustomerService {
    pub(super) async fn create_import(&self, create: CreateImport) -> Result<Arc<Import>, Error> {
        let CreateImport { upload, kind, file_name, found, rows, context } = create;
        let received = uploads::find(&self.db, upload).await?;
        let earliest = self.clock.now().minus(TAKEN_WITHIN);
        let is_there = |it: &domain::attachment::record::Upload| {
            it.created_at >= earliest && it.user_id == context.caller.user_id
        };
        received.filter(is_there).ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        make_room(&self.db, context.caller.user_id, OPEN_MAX - 1).await?;
        let mut prepared = Prepared::from(context);
        prepared.with.writes = keep_rows(upload, 1, &rows);
        prepared.with.writes.push(uploads::take_over(upload));
        let command = ImportCommand::Create { kind, file_name, found: Box::new(found) };
        self.imports.create(upload, command, prepared).await
    }

    pub(super) async fn change_import(&self, change: ChangeImport) -> Result<Arc<Import>, Error> {
        let ChangeImport { id, found, rows, context } = change;
        let import = self.find_import(&FindImport { id, caller: context.caller }).await?;
        context.caller.scopes.check(to_import(import.kind))?;
        let mut prepared = Prepared::from(context);
        prepared.with.writes = keep_rows(id, import.version() + 1, &rows);
        self.imports.execute(id, ImportCommand::Preview(Box::new(found)), prepared).await
    }

    pub(super) async fn find_import(&self, find: &FindImport) -> Result<Arc<Import>, Error> {
        let import =
            self.imports.visible(find.id, |import| import_rules::visible(import, &find.caller)).await?;
        find.caller.scopes.check(to_see_import(import.kind))?;
        Ok(import)
    }

    pub(super) async fn list_imports(&self, asked: &ListImports) -> Result<Page<Import>, Error> {
        Ok(list(&self.db, asked.caller.only_owner(), &asked.page).await?)
    }

    pub(super) async fn import_rows(&self, asked: &ListImportRows) -> Result<Vec<ImportRow>, Error> {
        self.find_import(&FindImport { id: asked.id, caller: asked.caller }).await?;
        Ok(rows(&self.db, asked.id, asked.outcome).await?)
    }

    /// Begins the saga that carries out an import; its id. The saga, its first event and the import's new state are one commit.
    pub(super) async fn commit_import(&self, commit: CommitImport) -> Result<Id, Error> {
        let CommitImport { id, context } = commit;
        for _ in 0..RACES {
            let import = self.find_import(&FindImport { id, caller: context.caller }).await?;
            context.caller.scopes.check(to_import(import.kind))?;
            check_open(&import)?;
            context.check_version(import.version)?;
            let saga = import.staged.saga;
            let total = import.counts.new + import.counts.changed;
            let bulk = BulkProgress { total, ..BulkProgress::default() };
            let now = self.clock.now();
            let mut with = start_import(
                (import.kind.saga(), import.staged.saga, id),
                bulk,
                import.staged.batches,
                &context,
                now,
            );
            if let Some(claim) = &context.claim {
                let body = to_raw_value(&saga).map_err(Error::internal)?;
                with.writes.push(FirstAnswer::new(claim, saga, None, body, now).write());
            }
            let context = Context { if_match: Some(Versions::from(import.version)), ..plain(&context) };
            match self.imports.execute(id, ImportCommand::Commit, Prepared::new(context, with)).await {
                Err(error) if error.code == ErrorCode::StaleVersion => {}
                done => return done.map(|_| saga),
            }
        }
        Err(Error::overloaded().with_cause("the import was previewed again each time"))
    }

    /// The customers that the caller may see by their addresses and external ids.
    pub(super) async fn match_customers(&self, asked: MatchCustomers) -> Result<MatchedCustomers, Error> {
        let MatchCustomers { emails, external_ids, caller } = asked;
        let by_email = queries::with_emails(&self.db, caller.only_owner(), &emails).await?;
        let by_email =
            by_email.into_iter().filter_map(|customer| Some((customer.email?, customer.id))).collect();
        let by_external_id = self.import.with_external_ids(&external_ids, &caller).await?;
        let by_external_id = by_external_id
            .into_iter()
            .flat_map(|(key, records)| records.into_iter().map(move |record| (key.clone(), record.id)))
            .collect();
        Ok(MatchedCustomers { by_email, by_external_id })
    }
}

/// What the end of a saga says.
#[derive(Deserialize)]
struct Completed {
    saga: CompletedSaga,
}

#[derive(Deserialize)]
struct CompletedSaga {
    id: Id,
    kind: SagaKind,
    subject_id: Id,
    #[serde(default)]
    undoes: Option<Id>,
}

/// The import that a completed saga concerns, and what becomes of it: it is carried out, undone, or the undo is undone.
async fn concerned(db: &Db, saga: &CompletedSaga) -> Result<Option<(Id, ImportCommand)>, StoreError> {
    if saga.kind.is_import() {
        return Ok(Some((saga.subject_id, ImportCommand::Finish { saga: saga.id })));
    }
    let (mut undoes, mut is_undone) = (saga.undoes, false);
    while let Some(id) = undoes {
        let Some(before) = sagas::find(db, id).await? else { break };
        is_undone = !is_undone;
        if before.kind.is_import() {
            let command = match is_undone {
                true => ImportCommand::Undo { saga: before.id },
                false => ImportCommand::Redo { saga: before.id },
            };
            return Ok(Some((before.subject_id, command)));
        }
        undoes = before.undoes;
    }
    Ok(None)
}

/// Gives the import that a completed saga concerns its new state.
///
/// # Errors
/// As a consumer's.
pub async fn finish(
    db: &Db,
    imports: &Entities<ImportAggregate>,
    event: &LoggedEvent,
) -> Result<(), EffectError> {
    let Completed { saga } = event.payload()?;
    let Some((import, command)) = concerned(db, &saga).await? else { return Ok(()) };
    let context = Context { correlation_id: saga.id.to_string().into(), ..Context::caused_by(&event.event) };
    match imports.execute(import, command, context).await {
        Ok(_) => Ok(()),
        // It was too old to be kept.
        Err(error) if error.code == ErrorCode::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

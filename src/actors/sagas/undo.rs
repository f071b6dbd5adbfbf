//! The saga service's part in undoing sagas and merging customers.

use futures_util::try_join;

use crate::actors::sagas::service::SagaService;
use crate::persistence::sagas as queries;
use domain::api_key::needs::{to_preview_undo, to_undo};
use domain::customer::merge::{FindMerged, MergePreview, PreviewMerge};
use domain::saga::messages::DeleteUser;
use domain::saga::record::{Counted, Saga, SagaKind};
use domain::undo::messages::{
    FindChanges, FindCreated, FindInUse, IN_USE_MAX, PreviewUndo, RestoreUser, RevertCustomer, RevertMany,
    UndoSaga,
};
use domain::undo::record::{FoundChanges, LeftRecord, UndoPreview};
use domain::undo::rules::check_undo;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

impl SagaService {
    /// Begins the saga that undoes another one. Which saga that is depends on the kind of the other.
    pub(super) async fn undo(&self, asked: UndoSaga) -> Result<Id, Error> {
        let UndoSaga { id, context } = asked;
        let saga = self.undoable(id, &context).await?;
        context.caller.scopes.check(to_undo(saga.kind))?;
        match self.begin_undo(saga, context.clone()).await {
            // Another undo may have been faster.
            Err(error) if error.is_passing() => {
                self.undoable(id, &context).await?;
                Err(error)
            }
            answer => answer,
        }
    }

    async fn undoable(&self, id: Id, context: &Context) -> Result<Saga, Error> {
        let saga = queries::find(&self.db, id).await?;
        check_undo(saga.as_ref(), &context.caller, self.clock.now())?;
        saga.ok_or_else(|| Error::new(ErrorCode::NotFound))
    }

    async fn begin_undo(&self, saga: Saga, context: Context) -> Result<Id, Error> {
        match saga.kind {
            SagaKind::UserDeletion => self.auth.ask(RestoreUser { saga, context }).await,
            SagaKind::UserRestoration => {
                let id = saga.subject_id;
                self.delete_user(DeleteUser { id, reassign_to: None, context }, Some(saga)).await
            }
            SagaKind::CustomerDeletion | SagaKind::CustomerMerge | SagaKind::CustomerRestoration => {
                self.customers.ask(RevertCustomer { saga, context }).await
            }
            SagaKind::CustomersChange | SagaKind::CustomersImport => {
                let except = self.in_use(&saga).await?;
                self.customers.ask(RevertMany { saga, except, context }).await
            }
            SagaKind::MeetingsChange
            | SagaKind::TasksChange
            | SagaKind::MeetingsImport
            | SagaKind::TasksImport => self.sales.ask(RevertMany { saga, except: Vec::new(), context }).await,
            SagaKind::DealsChange | SagaKind::DealsImport => {
                self.opportunity.ask(RevertMany { saga, except: Vec::new(), context }).await
            }
        }
    }

    /// The customers that a saga created, and for which others have recorded something since: they stay.
    async fn in_use(&self, saga: &Saga) -> Result<Vec<LeftRecord>, Error> {
        let created = self.customers.ask(FindCreated { saga: saga.id }).await?;
        let mut used = Vec::new();
        for ids in created.chunks(IN_USE_MAX) {
            let find = || FindInUse { ids: ids.to_vec() };
            let (sales, opportunity) = try_join!(self.sales.ask(find()), self.opportunity.ask(find()))?;
            used.extend(sales.into_iter().chain(opportunity));
        }
        used.sort_unstable();
        used.dedup();
        Ok(used.into_iter().map(|id| LeftRecord { kind: Counted::Customers, id }).collect())
    }

    /// What an undo would do, as each service finds it.
    pub(super) async fn preview_undo(&self, asked: PreviewUndo) -> Result<UndoPreview, Error> {
        let context = Context { caller: asked.caller, ..Context::system() };
        let saga = self.undoable(asked.id, &context).await?;
        asked.caller.scopes.check(to_preview_undo(saga.kind))?;
        let mut found = match saga.kind {
            SagaKind::CustomerRestoration | SagaKind::UserRestoration => {
                self.deleted_again(&saga, &context).await?
            }
            _ => self.find_changes(&saga, &context).await?,
        };
        if matches!(saga.kind, SagaKind::CustomersChange | SagaKind::CustomersImport) {
            for used in self.in_use(&saga).await? {
                // It has not been changed itself, or it is named already.
                if !found.left.contains(&used) {
                    *found.counts.entry(Counted::Customers).or_insert(0) -= 1;
                    found.leave(used);
                }
            }
        }
        let FoundChanges { counts, left, left_count } = found;
        Ok(UndoPreview { saga_id: saga.id, kind: saga.kind, counts, left, left_count })
    }

    async fn find_changes(&self, saga: &Saga, context: &Context) -> Result<FoundChanges, Error> {
        let find = || FindChanges { saga: saga.clone(), caller: context.caller };
        let mut found = match saga.kind {
            SagaKind::CustomersChange | SagaKind::CustomersImport => {
                return self.customers.ask(find()).await;
            }
            SagaKind::MeetingsChange
            | SagaKind::TasksChange
            | SagaKind::MeetingsImport
            | SagaKind::TasksImport => return self.sales.ask(find()).await,
            SagaKind::DealsChange | SagaKind::DealsImport => return self.opportunity.ask(find()).await,
            _ => self.customers.ask(find()).await?,
        };
        let (sales, opportunity, analytics) =
            try_join!(self.sales.ask(find()), self.opportunity.ask(find()), self.analytics.ask(find()))?;
        [sales, opportunity, analytics].into_iter().for_each(|more| found.join(more));
        Ok(found)
    }

    /// A restored customer or user is deleted again as any is, with all that there is by then.
    async fn deleted_again(&self, saga: &Saga, context: &Context) -> Result<FoundChanges, Error> {
        let kind = match saga.kind {
            SagaKind::UserRestoration => SagaKind::UserDeletion,
            _ => SagaKind::CustomerDeletion,
        };
        let mut found = match saga.kind {
            SagaKind::UserRestoration => FoundChanges::default(),
            _ => self.customers.ask(FindChanges { saga: saga.clone(), caller: context.caller }).await?,
        };
        // A customer that was changed since is left, with everything.
        if found.left_count == 0 {
            found.join(FoundChanges {
                counts: self.counts(kind, saga.subject_id, context.caller).await?,
                ..FoundChanges::default()
            });
        }
        Ok(found)
    }

    /// What a merge would do.
    pub(super) async fn preview_merge(&self, asked: PreviewMerge) -> Result<MergePreview, Error> {
        let PreviewMerge { id, merge, caller } = asked;
        let find = FindMerged { id, other_id: merge.other_id, caller };
        let (this, other) = self.customers.ask(find).await?;
        let counts = self.counts(SagaKind::CustomerMerge, merge.other_id, caller).await?;
        let fields = merge.keep.compared(&this, &other);
        Ok(MergePreview { id, other_id: merge.other_id, fields, counts })
    }
}

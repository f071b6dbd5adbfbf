//! Saved views: kept for each user, changed by that user alone, and gone with the user.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::actors::auth::service::AuthService;
use crate::persistence::auth as queries;
use crate::persistence::saved_views::USER_VIEWS;
use domain::saved_view::messages::{ChangeView, ListViews, RemoveView, SaveView};
use domain::saved_view::record::{SavedView, UserViews};
use domain::saved_view::rules;
use domain::saved_view::rules::{ViewsChanged, ViewsCommand};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::raw;
use kernel::ids::{Id, new_id};
use runtime::entity::Aggregate;
use runtime::prepared::Prepared;
use store::table::Table;

/// How often a change is decided again because its user changed meanwhile.
const ATTEMPTS: usize = 3;

/// All views of a user.
pub struct ViewsAggregate;

impl Aggregate for ViewsAggregate {
    const KIND: &'static str = "auth.views";
    type State = UserViews;
    type Command = ViewsCommand;
    type Event = ViewsChanged;

    const TABLE: &'static Table = &USER_VIEWS;

    fn decide(
        state: Option<&UserViews>,
        command: &ViewsCommand,
        _: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<ViewsChanged>, Error> {
        rules::decide(state, command, id, now)
    }

    fn logged(_: &ViewsChanged) -> Option<&ViewsChanged> {
        None
    }

    /// The answer that is kept is that to a new view, which is the last.
    fn view(state: &UserViews) -> Box<RawValue> {
        raw(&state.views.last())
    }

    fn made(state: &UserViews, id: Id) -> Id {
        state.views.last().map_or(id, |view| view.id)
    }
}

impl AuthService {
    pub(super) async fn list_views(&self, list: ListViews) -> Result<Vec<SavedView>, Error> {
        let Some(of_user) = self.views.get(list.caller.user_id).await? else { return Ok(Vec::new()) };
        let wanted = |view: &&SavedView| list.list.is_none_or(|list| view.list == list);
        Ok(of_user.views.iter().filter(wanted).cloned().collect())
    }

    pub(super) async fn save_view(&self, save: SaveView) -> Result<SavedView, Error> {
        let (id, view) = (new_id(), rules::check_new(save.view)?);
        let command = || ViewsCommand::Save { id, view: view.clone() };
        view_of(&*self.change_views(command, save.context).await?, id)
    }

    pub(super) async fn change_view(&self, change: ChangeView) -> Result<SavedView, Error> {
        let ChangeView { id, changes, mut context } = change;
        let (changes, if_match) = (rules::check_changes(changes)?, context.if_match.take());
        let command = || ViewsCommand::Change { id, changes: changes.clone(), if_match: if_match.clone() };
        view_of(&*self.change_views(command, context).await?, id)
    }

    pub(super) async fn remove_view(&self, remove: RemoveView) -> Result<(), Error> {
        let RemoveView { id, mut context } = remove;
        let if_match = context.if_match.take();
        let command = || ViewsCommand::Remove { id, if_match: if_match.clone() };
        self.change_views(command, context).await.map(drop)
    }

    /// Changes the caller's views on condition that the caller is not deleted meanwhile: what goes with a user stays gone.
    async fn change_views(
        &self,
        command: impl Fn() -> ViewsCommand,
        context: Context,
    ) -> Result<Arc<UserViews>, Error> {
        let user = context.caller.user_id;
        for attempt in 1.. {
            let found = self.users.get(user).await?.filter(|user| user.is_live());
            let found = found.ok_or_else(|| Error::new(ErrorCode::SessionEnded))?;
            let mut prepared = Prepared::from(context.clone());
            prepared.with.writes.push(queries::is_at(user, found.user.version));
            match self.views.execute(user, command(), prepared).await {
                Err(error) if error.is_passing() && attempt < ATTEMPTS => {}
                answer => return answer,
            }
        }
        Err(Error::overloaded())
    }
}

fn view_of(of_user: &UserViews, id: Id) -> Result<SavedView, Error> {
    let found = of_user.views.iter().find(|view| view.id == id);
    found.cloned().ok_or_else(|| Error::internal("a view is not among its user's after it was changed"))
}

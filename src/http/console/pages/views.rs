//! Forms of saved views: a new one, and what is done with one.

use actix_web::post;
use actix_web::web::Data;

use crate::http::console::kit::form::{is_mendable, why_each};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Outcome, html, redirect};
use crate::http::console::kit::once::once;
use crate::http::console::kit::return_to::done_at;
use crate::http::console::kit::saved_views::{Settings, address_of};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::Refused;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::lists::ListName;
use domain::saved_view::messages::{ChangeView, ListViews, RemoveView, SaveView};
use domain::saved_view::record::{NewView, SavedView, ViewChanges};
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The list that a form names.
fn list_of(posted: &Fields) -> Result<ListName, Error> {
    let named = posted.get("list").unwrap_or_default();
    let found = ListName::ALL.into_iter().find(|list| list.as_str() == named);
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// What the list showed, whose address the form carries.
fn settings(list: ListName, posted: &Fields) -> Settings {
    Settings::of(list, &Fields::parsed(posted.get("query").unwrap_or_default().as_bytes()))
}

fn name(posted: &Fields) -> String {
    posted.get("name").unwrap_or_default().to_owned()
}

async fn find(gateway: &Gateway, me: &SessionUser, id: Id) -> Result<SavedView, Error> {
    let views = gateway.auth.service.ask(ListViews { caller: me.caller(), list: None }).await?;
    views.into_iter().find(|view| view.id == id).ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// The page that says what is wrong; a script shows it beside the form.
async fn answer(me: &SessionUser, done: Result<String, Error>) -> HttpResult {
    match done {
        Ok(address) => Ok(redirect(&address)),
        Err(error) if is_mendable(&error) => {
            let f = me.frame("").await;
            let why = why_each(&f, &error);
            Ok(html(Outcome(Some(&error)), &Refused::saying(f, &error, why)))
        }
        Err(error) => Err(error.into()),
    }
}

#[post("/views")]
pub async fn create(gateway: Data<Gateway>, me: SessionUser, posted: Posted) -> HttpResult {
    let list = list_of(&posted.0)?;
    let saved = once(&me, &posted.0, async |context| {
        let Settings { filter, sort, columns, limit } = settings(list, &posted.0);
        let is_default = posted.0.get("default").is_some();
        let view = NewView { list, name: name(&posted.0), filter, sort, columns, limit, is_default };
        Ok(gateway.auth.service.ask(SaveView { view, context }).await?.id)
    });
    let done = match saved.await {
        Ok(id) => find(&gateway, &me, id).await.map(|view| done_at(&address_of(&view), "view-saved")),
        Err(error) => Err(error),
    };
    answer(&me, done).await
}

#[post("/views/{id}")]
pub async fn change(gateway: Data<Gateway>, me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let view = find(&gateway, &me, id.0).await?;
    let context = me.context(None);
    let changes = match posted.0.get("act") {
        Some("remove") => {
            gateway.auth.service.ask(RemoveView { id: id.0, context }).await?;
            return Ok(redirect(&format!("/{}?view=all&done=view-removed", view.list.as_str())));
        }
        Some("settings") => {
            let Settings { filter, sort, columns, limit } = settings(view.list, &posted.0);
            ViewChanges {
                filter: Some(filter),
                sort: Some(sort),
                columns: Some(columns),
                limit: Some(limit),
                ..ViewChanges::default()
            }
        }
        _ => ViewChanges {
            name: Some(name(&posted.0)),
            is_default: Some(posted.0.get("default").is_some()),
            ..ViewChanges::default()
        },
    };
    let changed = gateway.auth.service.ask(ChangeView { id: id.0, changes, context }).await;
    answer(&me, changed.map(|view| done_at(&address_of(&view), "view-saved"))).await
}

//! `/admin/users`: who may sign in (ADMIN).

use crate::http::error::HttpResult;
use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::http::api::users::UserParams;
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::choices::{locales, zones};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable, why};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, Outcome, api_word, html};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{Names, References};
use crate::http::console::kit::once::once;
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EditPage, ListPage, NewForm, new_form};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{Edit, Removal, list_params};
use crate::http::console::pages::sagas::counted;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::saga::messages::{DeleteUser, PreviewUserDeletion};
use domain::user::messages::{ChangeUser, CreateUser, FindUser, ListUsers, USERS_BY_CREATION, UserFilter};
use domain::user::record::{NewUser, UserChanges};
use domain::user::record::{User, UserView};
use domain::user::rules::{DEFAULT_TIME_ZONE, check_not_self, may_manage_users};
use kernel::caller::{Caller, Role};
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::locale::Locale;

struct Row {
    user: User,
    role: &'static str,
    manager: Option<String>,
}

#[derive(Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    f: Frame,
    rows: Vec<Row>,
    pager: Pager,
    q: String,
    form: Form,
}

/// The pages of users.
pub struct Users;

impl ListPage for Users {
    const SECTION: &'static str = "admin";
    const DONE: &'static str = "added";
    const NEW: NewForm = NewForm { id: "new-user", action: "/admin/users", submit: "submit-add" };
    type Record = User;
    type New = NewUser;
    type View = UsersPage;

    fn may_open(caller: &Caller) -> Result<(), Error> {
        may_manage_users(caller)
    }

    async fn fields(
        me: &SessionUser,
        f: &Frame,
        user: Option<&User>,
        _: Option<Id>,
    ) -> Result<Vec<Field>, Error> {
        let roles = [Role::Sales, Role::Manager, Role::Admin]
            .map(|role| Choice { value: role.as_str().to_owned(), label: f.word("role", role.as_str()) });
        let manager = user.and_then(|user| user.manager_id);
        let names = lookups::load(&me.gateway, me.caller(), References::default().users(manager)).await?;
        let zone = user.map_or(DEFAULT_TIME_ZONE, |user| user.time_zone.as_str());
        let password = Field::password("password", "new-password");
        Ok(vec![
            Field::text("name").required().holding_some(user.map(|user| &user.name)),
            Field::email("email").required().holding_some(user.map(|user| &user.email)),
            if user.is_none() { password.required() } else { password.hint("user-password-hint") },
            Field::choice("role", roles.into())
                .required()
                .holding(user.map_or(Role::Sales, |user| user.role).as_str()),
            Field::search("manager_id", Source::ManagersOf(user.map(|user| user.id)))
                .choosing(manager.and_then(|id| names.user_choice(id))),
            Field::choice("locale", locales(f))
                .required()
                .holding(api_word(&user.map_or(Locale::default(), |user| user.locale))),
            Field::choice("time_zone", zones(zone)).required().holding(zone),
        ])
    }

    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<UsersPage, Error> {
        let (params, _): (UserParams, _) = list_params(&me.request)?;
        let page = params.page(|keyset| USERS_BY_CREATION.fits(keyset))?;
        let is_first = page.is_first();
        let q = params.q.clone().unwrap_or_default();
        let filter = UserFilter { role: params.role, q: params.q };
        let caller = me.caller();
        let page = me.gateway.auth.service.ask(ListUsers { caller, filter, page }).await?;
        let pager = Pager::of(&me.request, is_first, &page);
        let users = page.items.into_iter().map(UserView::full).collect::<Result<Vec<_>, _>>()?;
        let references = References::default().users(users.iter().filter_map(|user| user.manager_id));
        let names = lookups::load(&me.gateway, caller, references).await?;
        let row = |user: User| Row {
            role: user.role.as_str(),
            manager: user.manager_id.map(|id| names.user(&f, id)),
            user,
        };
        let rows = users.into_iter().map(row).collect();
        let form = match form {
            Some(form) => form,
            None => new_form::<Self>(me, &f, None).await?,
        };
        Ok(UsersPage { f, rows, pager, q, form })
    }

    async fn create(me: &SessionUser, user: NewUser, _: &Fields, context: Context) -> Result<Id, Error> {
        Ok(me.gateway.auth.service.ask(CreateUser { user, context }).await?.user.id)
    }

    fn made(_: Id) -> String {
        "/admin/users".to_owned()
    }
}

impl EditPage for Users {
    const FORM: &'static str = "user";
    type Changes = UserChanges;
    type EditView = Edit;

    async fn find(me: &SessionUser, id: Id) -> Result<Arc<User>, Error> {
        find(&me.gateway, me, id).await.map(Arc::new)
    }

    fn action(user: &User) -> String {
        format!("/admin/users/{}", user.id)
    }

    async fn view_of(_: &SessionUser, f: Frame, user: &User, form: Form) -> Result<Edit, Error> {
        let title = f.with("user-edit", &user.name);
        let is_self = f.who.as_ref().is_some_and(|who| check_not_self(user.id, &who.caller).is_err());
        let removal = (!is_self).then(|| format!("/admin/users/{}/delete", user.id));
        Ok(Edit { f, title, form, back: "/admin/users".to_owned(), removal })
    }

    async fn change(
        me: &SessionUser,
        user: &User,
        changes: UserChanges,
        context: Context,
    ) -> Result<String, Error> {
        me.gateway.auth.service.ask(ChangeUser { id: user.id, changes, context }).await?;
        Ok("/admin/users?done=saved".to_owned())
    }
}

async fn find(gateway: &Gateway, me: &SessionUser, id: Id) -> Result<User, Error> {
    gateway.auth.service.ask(FindUser { id, caller: me.caller() }).await?.user.full()
}

#[get("/admin/users")]
pub async fn index(me: SessionUser) -> HttpResult {
    record_pages::index::<Users>(me).await
}

#[post("/admin/users")]
pub async fn create(me: SessionUser, sent: Sent) -> HttpResult {
    record_pages::create::<Users>(me, sent).await
}

#[get("/admin/users/{id}")]
pub async fn edit(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::edit::<Users>(me, id).await
}

#[post("/admin/users/{id}")]
pub async fn change(me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    record_pages::change::<Users>(me, id, sent).await
}

/// The choice of the user who takes over: as it was sent, or the one whom the preview names.
fn successor_field(names: &Names, user: Id, successor: Option<Id>, sent: Option<Field>) -> Field {
    sent.unwrap_or_else(|| {
        let choice = successor.and_then(|id| names.user_choice(id));
        Field::search("reassign_to", Source::OthersThan(user)).required().choosing(choice)
    })
}

async fn removal(
    gateway: &Gateway,
    me: &SessionUser,
    id: Id,
    successor: Option<Id>,
    sent: Option<Field>,
    error: Option<&Error>,
) -> HttpResult {
    let user = find(gateway, me, id).await?;
    let f = me.frame("admin").await;
    // Of an successor who was refused there is no preview.
    let reassign_to = successor.filter(|_| error.is_none());
    let preview = PreviewUserDeletion { id, reassign_to, caller: me.caller() };
    let preview = gateway.sagas.ask(preview).await?;
    let references = References::default().users(preview.approver_id).users(preview.successor_id);
    let names = lookups::load(gateway, me.caller(), references).await?;
    let action = format!("/admin/users/{id}/delete");
    let page = Removal {
        title: f.with("user-removal", &user.name),
        about: f.t("user-removal-about"),
        counts: counted(&preview.counts),
        version: user.version,
        back: format!("/admin/users/{id}"),
        problem: error.map(|error| why(&f, error)),
        successor: Some(successor_field(&names, id, preview.successor_id, sent)),
        approver: preview.approver_id.map(|id| names.user(&f, id)),
        action,
        f,
    };
    Ok(html(Outcome(error), &page))
}

#[get("/admin/users/{id}/delete")]
pub async fn ask_removal(
    gateway: Data<Gateway>,
    request: HttpRequest,
    me: SessionUser,
    id: PathId,
) -> HttpResult {
    let successor = Fields::parsed(request.query_string().as_bytes()).id("reassign_to");
    removal(&gateway, &me, id.0, successor, None, None).await
}

#[post("/admin/users/{id}/delete")]
pub async fn remove(gateway: Data<Gateway>, me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let mut field = [Field::search("reassign_to", Source::OthersThan(id.0)).required()];
    let posted = search::settle(&me, &mut field, posted.0).await?;
    let [mut field] = field;
    let successor = posted.id("reassign_to");
    let deleted = match field.searched().and_then(|search| search.fault) {
        Some(fault) => Err(Error::field("reassign_to", fault)),
        None => {
            once(&me, &posted, |context| {
                gateway.sagas.ask(DeleteUser { id: id.0, reassign_to: successor, context })
            })
            .await
        }
    };
    match deleted {
        Ok(saga) => Ok(redirect(&format!("/sagas?done=deleted#saga-{saga}"))),
        Err(error) if is_mendable(&error) && error.code.status() != 403 => {
            field.value = successor.map(|id| id.to_string()).unwrap_or_default();
            let mut fields = [field];
            search::name_chosen(&me, &mut fields).await?;
            let [field] = fields;
            removal(&gateway, &me, id.0, successor, Some(field), Some(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

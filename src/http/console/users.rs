//! `/admin/users`: who may sign in (ADMIN).

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::domain::saga::messages::{DeleteUser, PreviewUserDeletion};
use crate::domain::user::messages::{ChangeUser, CreateUser, FindUser, ListUsers, UserFilter};
use crate::domain::user::record::{User, UserView};
use crate::domain::user::rules::{can_be_manager, may_manage_users};
use crate::http::api::users::UserParams;
use crate::http::console::field::{Choice, Field};
use crate::http::console::form::{Form, is_mendable, why};
use crate::http::console::frame::{Frame, api_word, html, ok};
use crate::http::console::names::References;
use crate::http::console::posted::{Fields, Posted};
use crate::http::console::sagas::counted;
use crate::http::console::shown::{Edit, Removal, asked, status_of};
use crate::http::console::visitor::Visitor;
use crate::http::console::{names, see};
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use crate::persistence::auth::USERS_BY_CREATION;
use kernel::caller::Role;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::locale::Locale;
use kernel::page::Page;

struct Row {
    user: User,
    role: &'static str,
    manager: Option<String>,
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    f: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    is_first: bool,
    q: String,
    form: Form,
}

async fn fields(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    user: Option<&User>,
) -> Result<Vec<Field>, Error> {
    let roles = [Role::Sales, Role::Manager, Role::Admin]
        .map(|role| Choice { value: role.as_str().to_owned(), label: frame.word("role", role.as_str()) });
    let locales = [Locale::Ja, Locale::En].map(api_word_choice(frame));
    let managers = names::people(gateway, visitor.caller(), |other| {
        can_be_manager(other.role()) && Some(other.id()) != user.map(|user| user.id)
    });
    let zone = user.map_or("Asia/Tokyo", |user| user.time_zone.as_str());
    let password = Field::password("password", "new-password");
    Ok(vec![
        Field::text("name").required().holding_some(user.map(|user| &user.name)),
        Field::email("email").required().holding_some(user.map(|user| &user.email)),
        if user.is_none() { password.required() } else { password.hint("user-password-hint") },
        Field::choice("role", roles.into())
            .required()
            .holding(user.map_or(Role::Sales, |user| user.role).as_str()),
        Field::choice("manager_id", managers.await?).holding_some(user.and_then(|user| user.manager_id)),
        Field::choice("locale", locales.into())
            .required()
            .holding(api_word(&user.map_or(Locale::Ja, |user| user.locale))),
        Field::choice("time_zone", zones(zone)).required().holding(zone),
    ])
}

fn api_word_choice(frame: &Frame) -> impl Fn(Locale) -> Choice {
    |locale| {
        let value = api_word(&locale);
        Choice { label: frame.word("locale", &value), value }
    }
}

async fn find(gateway: &Gateway, visitor: &Visitor, id: Id) -> Result<User, Error> {
    gateway.auth.service.ask(FindUser { id, caller: visitor.caller() }).await?.user.full()
}

/// Every zone that pages can show times in, and the one that is set.
fn zones(present: &str) -> Vec<Choice> {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    if !names.contains(&present) {
        names.insert(0, present);
    }
    names.into_iter().map(|name| Choice { value: name.to_owned(), label: name.to_owned() }).collect()
}

#[get("/admin/users")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor) -> HttpResult {
    may_manage_users(&visitor.caller())?;
    let f = visitor.frame("admin").await;
    let form = new_form(&gateway, &f, &visitor).await?;
    Ok(ok(&list(&gateway, &request, &visitor, f, form).await?))
}

async fn new_form(gateway: &Gateway, frame: &Frame, visitor: &Visitor) -> Result<Form, Error> {
    Ok(Form::new("new-user", "/admin/users", "submit-add", fields(gateway, frame, visitor, None).await?))
}

async fn list(
    gateway: &Gateway,
    request: &HttpRequest,
    visitor: &Visitor,
    f: Frame,
    form: Form,
) -> Result<UsersPage, Error> {
    let (params, _): (UserParams, _) = asked(request)?;
    let page = params.page(|keyset| USERS_BY_CREATION.fits(keyset))?;
    let is_first = page.after.is_none();
    let q = params.q.clone().unwrap_or_default();
    let filter = UserFilter { role: params.role, q: params.q };
    let caller = visitor.caller();
    let Page { items, next, .. } = gateway.auth.service.ask(ListUsers { caller, filter, page }).await?;
    let items = items.into_iter().map(UserView::full).collect::<Result<Vec<_>, _>>()?;
    let references = References::default().users(items.iter().filter_map(|user| user.manager_id));
    let names = names::load(gateway, caller, references).await?;
    let row = |user: User| Row {
        role: user.role.as_str(),
        manager: user.manager_id.map(|id| names.user(&f, id)),
        user,
    };
    let rows = items.into_iter().map(row).collect();
    let next = next.map(|next| next_address(request, &next));
    Ok(UsersPage { f, rows, next, is_first, q, form })
}

#[post("/admin/users")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> HttpResult {
    may_manage_users(&visitor.caller())?;
    let f = visitor.frame("admin").await;
    let (form, posted) = (new_form(&gateway, &f, &visitor).await?, posted.0);
    let made = match form.read(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(user) => gateway.auth.service.ask(CreateUser { user, context: visitor.context(None) }).await,
    };
    match made {
        Ok(_) => Ok(see("/admin/users?done=added")),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            Ok(html(status_of(Some(&error)), &list(&gateway, &request, &visitor, f, form).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn form(gateway: &Gateway, frame: &Frame, visitor: &Visitor, user: &User) -> Result<Form, Error> {
    let action = format!("/admin/users/{}", user.id);
    let fields = fields(gateway, frame, visitor, Some(user)).await?;
    Ok(Form::new("user", action, "submit-save", fields).of_version(user.version))
}

fn editor(f: Frame, user: &User, form: Form) -> Edit {
    let title = f.with("user-edit", &user.name);
    // Nobody deletes themselves; there is no use in asking.
    let removal = (!f.is_me(&user.id)).then(|| format!("/admin/users/{}/delete", user.id));
    Edit { f, title, form, back: "/admin/users".to_owned(), removal, asks: true }
}

#[get("/admin/users/{id}")]
pub async fn edit(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> HttpResult {
    may_manage_users(&visitor.caller())?;
    let user = find(&gateway, &visitor, id.0).await?;
    let f = visitor.frame("admin").await;
    let form = form(&gateway, &f, &visitor, &user).await?;
    Ok(editor(f, &user, form).answer(None))
}

#[post("/admin/users/{id}")]
pub async fn change(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    may_manage_users(&visitor.caller())?;
    let user = find(&gateway, &visitor, id.0).await?;
    let f = visitor.frame("admin").await;
    let (form, posted) = (form(&gateway, &f, &visitor, &user).await?, posted.0);
    let changed = match form.read_changes(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(changes) => {
            let change = ChangeUser { id: id.0, changes, context: visitor.context(posted.version()) };
            gateway.auth.service.ask(change).await
        }
    };
    match changed {
        Ok(_) => Ok(see("/admin/users?done=saved")),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            Ok(editor(f, &user, form).answer(Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn removal(
    gateway: &Gateway,
    visitor: &Visitor,
    id: Id,
    successor: Option<Id>,
    error: Option<&Error>,
) -> HttpResult {
    let user = find(gateway, visitor, id).await?;
    let f = visitor.frame("admin").await;
    // Of an successor who was refused there is no preview.
    let reassign_to = successor.filter(|_| error.is_none());
    let preview = PreviewUserDeletion { id, reassign_to, caller: visitor.caller() };
    let preview = gateway.sagas.ask(preview).await?;
    let references = References::default().users(preview.approver_id);
    let names = names::load(gateway, visitor.caller(), references).await?;
    let action = format!("/admin/users/{id}/delete");
    let page = Removal {
        title: f.with("user-removal", &user.name),
        about: f.t("user-removal-about"),
        counts: counted(&preview.counts),
        version: user.version,
        back: format!("/admin/users/{id}"),
        problem: error.map(|error| why(&f, error)),
        successors: names::people(gateway, visitor.caller(), |other| other.id() != id).await?,
        successor: preview.successor_id.map(|id| id.to_string()).unwrap_or_default(),
        approver: preview.approver_id.map(|id| names.user(&f, id)),
        action,
        f,
    };
    Ok(html(status_of(error), &page))
}

#[get("/admin/users/{id}/delete")]
pub async fn ask_removal(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    id: PathId,
) -> HttpResult {
    let successor = Fields::parsed(request.query_string().as_bytes()).id("reassign_to");
    removal(&gateway, &visitor, id.0, successor, None).await
}

#[post("/admin/users/{id}/delete")]
pub async fn remove(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let (successor, version) = (posted.0.id("reassign_to"), posted.0.version());
    let delete = DeleteUser { id: id.0, reassign_to: successor, context: visitor.context(version) };
    match gateway.sagas.ask(delete).await {
        Ok(saga) => Ok(see(&format!("/sagas?done=deleted#saga-{saga}"))),
        Err(error) if is_mendable(&error) && error.code.status() != 403 => {
            removal(&gateway, &visitor, id.0, successor, Some(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

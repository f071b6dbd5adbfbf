//! `/admin/api-keys`: the keys by which programs use the API (ADMIN). A new key is on the page that answers its form, and
//! nowhere else.

use std::cell::Cell;

use actix_web::web::Data;
use actix_web::{get, post};
use askama::Template;
use serde::Deserialize;

use crate::http::api::api_keys::ApiKeyParams;
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, html, redirect};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::once::once;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use crate::http::problem::FieldProblem;
use crate::http::state::Gateway;
use domain::api_key::messages::{CreateApiKey, KEYS_NEWEST_FIRST, ListApiKeys, RevokeApiKey};
use domain::api_key::record::{ApiKeyView, NewApiKey};
use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::error::{Error, FieldError};
use kernel::scopes::Scope;
use kernel::validation::Rules;

/// The name of the boxes of scopes.
const SCOPES: &str = "scopes";

#[derive(Template)]
#[template(path = "api_keys.html")]
struct KeysPage {
    f: Frame,
    /// What a form has made.
    made: Option<Made>,
    rows: Vec<Row>,
    pager: Pager,
    form: Form,
    scopes: Vec<ScopeBox>,
    /// What is wrong with the scopes that were chosen.
    scopes_error: Option<String>,
}

/// A key that was just made.
struct Made {
    name: String,
    /// The key itself; `None` if the form was sent before.
    key: Option<String>,
}

struct Row {
    key: ApiKeyView,
    scopes: String,
    user: String,
    is_over: bool,
}

/// A scope that can be chosen.
struct ScopeBox {
    name: &'static str,
    label: String,
    is_chosen: bool,
}

/// The form of a new key, but for its scopes.
#[derive(Deserialize)]
struct KeyForm {
    name: String,
    role: Role,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

impl Rules for KeyForm {}

fn new_form(f: &Frame) -> Form {
    let roles = [Role::Sales, Role::Manager, Role::Admin]
        .map(|role| Choice { value: role.as_str().to_owned(), label: f.word("role", role.as_str()) });
    let fields = vec![
        Field::text("name").required(),
        Field::choice("role", roles.into()).required().holding(Role::Sales.as_str()).hint("hint-key-role"),
        Field::moment("expires_at").hint("hint-key-expires"),
    ];
    Form::new("new-api-key", "/admin/api-keys", "submit-add", fields)
}

fn boxes(f: &Frame, posted: Option<&Fields>) -> Vec<ScopeBox> {
    let is_chosen = |name| posted.is_some_and(|posted| chosen(posted).any(|chosen| chosen == name));
    let of = |scope: &Scope| {
        let name = scope.as_str();
        ScopeBox {
            name,
            label: f.t(&format!("scope-{}", name.replace(':', "-"))),
            is_chosen: is_chosen(name),
        }
    };
    Scope::ALL.iter().map(of).collect()
}

fn chosen(posted: &Fields) -> impl Iterator<Item = &str> {
    posted.pairs().filter(|(name, _)| *name == SCOPES).map(|(_, scope)| scope)
}

/// The page; with a form as it was refused, or with what it has made.
async fn page(me: &SessionUser, refused: Option<(&Fields, &Error)>, made: Option<Made>) -> HttpResult {
    let f = me.frame("admin").await;
    let (params, _): (ApiKeyParams, _) = list_params(&me.request)?;
    let asked = params.page(|keyset| KEYS_NEWEST_FIRST.fits(keyset))?;
    let is_first = asked.is_first();
    let keys = me.gateway.auth.service.ask(ListApiKeys { caller: me.caller(), page: asked }).await?;
    let pager = Pager::of(&me.request, is_first, &keys);
    let references = References::default().users(keys.items.iter().map(|key| key.user_id));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let now = me.gateway.clock.now();
    let row = |key: ApiKeyView| Row {
        scopes: key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
        user: names.user(&f, key.user_id),
        is_over: key.expires_at.is_some_and(|end| end <= now),
        key,
    };
    let rows = keys.items.into_iter().map(row).collect();
    let (mut form, mut scopes_error) = (new_form(&f), None);
    if let Some((posted, error)) = refused {
        let (of_scopes, others): (Vec<FieldError>, _) =
            error.fields.iter().cloned().partition(|fault| fault.field.starts_with(SCOPES));
        scopes_error = of_scopes.first().map(|fault| FieldProblem::message(fault, f.locale));
        match others.is_empty() && scopes_error.is_some() {
            true => form.fill(posted),
            false => form.refuse(posted, &Error { fields: others, ..error.clone() }, &f),
        }
    }
    let scopes = boxes(&f, refused.map(|(posted, _)| posted));
    let error = refused.map(|(_, error)| error);
    Ok(html(Outcome(error), &KeysPage { made, rows, pager, form, scopes, scopes_error, f }))
}

fn read(f: &Frame, posted: &Fields) -> Result<NewApiKey, Error> {
    let scopes: Option<Vec<Scope>> = chosen(posted).map(Scope::parse).collect();
    let scopes = scopes.ok_or_else(|| Error::field(SCOPES, "invalid_choice"));
    let mut form: KeyForm = new_form(f).read(posted, f.zone)?;
    let name = std::mem::take(&mut form.name);
    Ok(NewApiKey { name, scopes: scopes?, role: form.role, expires_at: form.expires_at })
}

#[get("/admin/api-keys")]
pub async fn index(me: SessionUser) -> HttpResult {
    page(&me, None, None).await
}

#[post("/admin/api-keys")]
pub async fn create(gateway: Data<Gateway>, me: SessionUser, posted: Posted) -> HttpResult {
    let f = me.frame("admin").await;
    let (name, shown) = (posted.0.get("name").unwrap_or_default().to_owned(), Cell::new(None));
    let done = match read(&f, &posted.0) {
        Ok(api_key) => {
            once(&me, &posted.0, async |context| {
                let made = gateway.auth.service.ask(CreateApiKey { api_key, context }).await?;
                shown.set(made.key);
                Ok(made.view.id)
            })
            .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => page(&me, None, Some(Made { name, key: shown.take() })).await,
        Err(error) if is_mendable(&error) && error.code.status() != 403 => {
            page(&me, Some((&posted.0, &error)), None).await
        }
        Err(error) => Err(error.into()),
    }
}

#[post("/admin/api-keys/{id}/revoke")]
pub async fn revoke(gateway: Data<Gateway>, me: SessionUser, id: PathId, _: Posted) -> HttpResult {
    gateway.auth.service.ask(RevokeApiKey { id: id.0, context: me.context(None) }).await?;
    Ok(redirect("/admin/api-keys?done=key-revoked"))
}

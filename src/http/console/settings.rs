//! `/settings`: one's own account. What stands in it only an ADMIN changes (SPEC §1), but for the password.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;

use super::field::Field;
use super::form::{Form, is_mendable};
use super::frame::{Frame, api_word, html, ok};
use super::posted::Posted;
use super::see;
use super::shown::status_of;
use super::visitor::Visitor;
use crate::actors::auth::domain::User;
use crate::actors::auth::messages::ChangePassword;
use crate::actors::refusal::Refusal;
use crate::http::extract::address;
use crate::http::state::Gateway;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    f: Frame,
    user: User,
    role: &'static str,
    locale: String,
    form: Form,
}

fn form() -> Form {
    let fields = vec![
        Field::password("current_password", "current-password").required(),
        Field::password("new_password", "new-password").required(),
    ];
    Form::new("password", "/settings/password", "submit-change", fields)
}

fn shown(f: Frame, visitor: &Visitor, form: Form) -> SettingsPage {
    let user = visitor.user().clone();
    SettingsPage { f, role: user.role.as_str(), locale: api_word(&user.locale), user, form }
}

#[get("/settings")]
pub async fn index(visitor: Visitor) -> HttpResponse {
    let f = visitor.frame("settings").await;
    ok(&shown(f, &visitor, form()))
}

#[post("/settings/password")]
pub async fn change_password(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Refusal> {
    let text = |name| posted.0.get(name).unwrap_or_default().to_owned();
    let change = ChangePassword {
        current_password: text("current_password"),
        new_password: text("new_password"),
        address: address(&request),
        context: visitor.context(None),
    };
    match gateway.auth.service.ask(change).await {
        Ok(()) => Ok(see("/settings?done=password")),
        Err(refusal) if is_mendable(&refusal) => {
            let f = visitor.frame("settings").await;
            let form = form().refused(&posted.0, &refusal, &f);
            Ok(html(status_of(Some(&refusal)), &shown(f, &visitor, form)))
        }
        Err(refusal) => Err(refusal),
    }
}

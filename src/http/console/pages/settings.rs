//! `/settings`: one's own account. What stands in it only an ADMIN changes (SPEC §1), but for the password.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;

use crate::http::client_address::client_address;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, Outcome, api_word, html, ok};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::state::Gateway;
use domain::user::messages::ChangePassword;
use domain::user::record::User;

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

fn shown(f: Frame, me: &SessionUser, form: Form) -> SettingsPage {
    let user = me.user().clone();
    SettingsPage { f, role: user.role.as_str(), locale: api_word(&user.locale), user, form }
}

#[get("/settings")]
pub async fn index(me: SessionUser) -> HttpResponse {
    let f = me.frame("settings").await;
    ok(&shown(f, &me, form()))
}

#[post("/settings/password")]
pub async fn change_password(
    gateway: Data<Gateway>,
    request: HttpRequest,
    me: SessionUser,
    posted: Posted,
) -> HttpResult {
    let text = |name| posted.0.get(name).unwrap_or_default().to_owned();
    let change = ChangePassword {
        current_password: text("current_password"),
        new_password: text("new_password"),
        address: client_address(&request),
        context: me.context(None),
    };
    match gateway.auth.service.ask(change).await {
        Ok(()) => Ok(redirect("/settings?done=password")),
        Err(error) if is_mendable(&error) => {
            let f = me.frame("settings").await;
            let form = form().refused(&posted.0, &error, &f);
            Ok(html(Outcome(Some(&error)), &shown(f, &me, form)))
        }
        Err(error) => Err(error.into()),
    }
}

//! `/login`: signing in and out.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;

use crate::http::client_info::client_info;
use crate::http::console::kit::form::{is_mendable, why};
use crate::http::console::kit::form_data::{Fields, Posted, Unproven, is_here};
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::session;
use crate::http::console::kit::session_user::{SessionUser, frame_of, identity};
use crate::http::state::Gateway;
use domain::user::messages::Logout;

/// Where whoever is signed in begins.
const HOME: &str = "/customers";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    email: String,
    problem: Option<String>,
    /// Where to go then.
    next: String,
}

/// The beginning.
#[get("/")]
pub async fn home(_: SessionUser) -> HttpResponse {
    redirect(HOME)
}

#[get("/login")]
pub async fn index(request: HttpRequest) -> HttpResponse {
    if identity(&request).is_some() {
        return redirect(HOME);
    }
    let query = Fields::parsed(request.query_string().as_bytes());
    let f = frame_of(&request, "login").await;
    let next = query.back("next").unwrap_or(HOME).to_owned();
    ok(&LoginPage { f, email: String::new(), problem: None, next })
}

#[post("/login")]
pub async fn login(request: HttpRequest, posted: Unproven) -> HttpResult {
    let fields = posted.0;
    let next = fields.back("next").unwrap_or(HOME);
    let email = fields.get("email").unwrap_or_default();
    match session::open(&request, email, fields.get("password").unwrap_or_default()).await {
        Ok(opened) => {
            let mut answer = redirect(next);
            session::begin(&request, &mut answer, &opened);
            Ok(answer)
        }
        Err(error) if error.code.status() == 401 || is_mendable(&error) => {
            let f = frame_of(&request, "login").await;
            let problem = Some(why(&f, &error));
            let page = LoginPage { f, email: email.to_owned(), problem, next: next.to_owned() };
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

#[post("/logout")]
pub async fn logout(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser, _: Posted) -> HttpResult {
    let logout = Logout { client: client_info(&request), context: me.context(None) };
    gateway.auth.service.ask(logout).await?;
    let mut answer = redirect("/login");
    session::clear(&request, &mut answer);
    Ok(answer)
}

/// For the script whose socket was closed because the token ran out: the middleware has renewed it by now.
#[get("/session")]
pub async fn renewed(_: SessionUser) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Sends somebody who is not signed in to the sign-in, and from there back to the page wanted. The cookies stay: to a
/// link on another site the browser sends but one of them, and the sign-in page finds that the session is good.
pub fn first(request: &HttpRequest) -> HttpResponse {
    let wanted = request.uri().path_and_query().map_or("/", |address| address.as_str());
    let mut address = "/login".to_owned();
    if request.method() == actix_web::http::Method::GET && is_here(wanted) && wanted != "/" {
        let next = form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
        address = format!("/login?{next}");
    }
    redirect(&address)
}

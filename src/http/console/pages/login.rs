//! `/login`: signing in and out.

use crate::http::error::HttpResult;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;

use crate::http::client_info::client_info;
use crate::http::console::kit::form::{is_mendable, why};
use crate::http::console::kit::form_data::{Fields, Posted, Unproven, is_here};
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::resume::{KEPT, RESUME, is_form};
use crate::http::console::kit::session;
use crate::http::console::kit::session_user::{SessionUser, frame_of, identity};
use crate::http::state::Gateway;
use domain::user::messages::Logout;
use kernel::error::{Error, ErrorCode};

/// Where whoever is signed in begins.
const HOME: &str = "/";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    email: String,
    problem: Option<String>,
    /// Where to go then.
    next: String,
    /// The form to go on with, and what was typed into it.
    resume: Option<(String, Vec<(String, String)>)>,
}

#[get("/login")]
pub async fn index(request: HttpRequest) -> HttpResponse {
    if identity(&request).is_some() {
        return redirect(HOME);
    }
    let query = Fields::parsed(request.query_string().as_bytes());
    let f = frame_of(&request, "login").await;
    let next = query.back("next").unwrap_or(HOME).to_owned();
    let has_ended = query.get("ended").is_some() || session::had_session(&request);
    let problem = has_ended.then(|| f.t("login-ended"));
    ok(&LoginPage { f, email: String::new(), problem, next, resume: None })
}

#[post("/login")]
pub async fn login(request: HttpRequest, posted: Unproven) -> HttpResult {
    let fields = posted.0;
    let next = fields.back("next").unwrap_or(HOME);
    let email = fields.get("email").unwrap_or_default();
    match session::open(&request, email, fields.get("password").unwrap_or_default()).await {
        Ok(opened) => {
            // The browser sends the same once more, to the form, which is shown again with it.
            let mut answer = match resume(&fields) {
                Some((form, _)) => HttpResponse::TemporaryRedirect().insert_header((LOCATION, form)).finish(),
                None => redirect(next),
            };
            session::begin(&request, &mut answer, &opened);
            Ok(answer)
        }
        Err(error) if error.code.status() == 401 || is_mendable(&error) => {
            let f = frame_of(&request, "login").await;
            let problem = Some(why(&f, &error));
            let (email, next, resume) = (email.to_owned(), next.to_owned(), resume(&fields));
            Ok(html(Outcome(Some(&error)), &LoginPage { f, email, problem, next, resume }))
        }
        Err(error) => Err(error.into()),
    }
}

/// The form that a sign-in goes on with.
fn resume(fields: &Fields) -> Option<(String, Vec<(String, String)>)> {
    let form = fields.get(RESUME).filter(|form| is_form(form))?;
    let kept = fields.pairs().filter_map(|(name, value)| Some((name.strip_prefix(KEPT)?, value)));
    Some((form.to_owned(), kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
}

/// The sign-in that keeps a form which was sent without a session; `None` if nothing was typed.
pub async fn keeping(request: &HttpRequest, sent: &Fields) -> Option<HttpResponse> {
    let kept: Vec<_> = sent.said().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if kept.is_empty() {
        return None;
    }
    let f = frame_of(request, "login").await;
    let form = request.path().to_owned();
    let problem = Some(f.t("login-kept"));
    let page =
        LoginPage { f, email: String::new(), problem, next: HOME.to_owned(), resume: Some((form, kept)) };
    Some(html(Outcome(Some(&Error::new(ErrorCode::SessionEnded))), &page))
}

/// Addresses that take forms alone lead to the page that their form is on.
pub async fn lead(_: SessionUser, request: HttpRequest) -> HttpResponse {
    let (path, last) = request.path().rsplit_once('/').unwrap_or_default();
    redirect(match (path, last) {
        ("" | "/news", _) => HOME,
        ("/settings", _) => "/settings",
        (path, _) if path.starts_with("/settings/") => "/settings",
        (path, _) if path.starts_with("/admin/") => "/admin",
        (path, _) => path,
    })
}

#[post("/logout")]
pub async fn logout(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser, _: Posted) -> HttpResult {
    let logout = Logout { client: client_info(&request), context: me.context(None) };
    gateway.auth.service.ask(logout).await?;
    let mut answer = redirect("/login");
    session::clear(&request, &mut answer);
    Ok(answer)
}

/// For the script whose socket was closed because the token ran out: the middleware has renewed it by now. It tells
/// whose the session is.
#[get("/session")]
pub async fn renewed(me: SessionUser) -> HttpResponse {
    HttpResponse::NoContent().insert_header(("kizuna-user", me.caller().user_id.to_string())).finish()
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

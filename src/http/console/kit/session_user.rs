//! The signed-in user before a page.

use crate::http::error::HttpError;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::session;
use crate::http::console::kit::session::Identity;
use crate::http::language::asked_locale;
use crate::http::request_ids::RequestIds;
use crate::http::state::{Gateway, gateway};
use domain::notification::messages::{ListNotifications, Which};
use domain::user::messages::Principal;
use domain::user::record::{Preferences, User};
use kernel::caller::Caller;
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::locale::Locale;
use kernel::page::PageRequest;

/// The signed-in user before a page.
pub struct SessionUser {
    pub principal: Principal,
    pub gateway: Data<Gateway>,
    pub request: HttpRequest,
}

impl SessionUser {
    pub fn caller(&self) -> Caller {
        self.principal.caller
    }

    pub fn user(&self) -> &User {
        &self.principal.user.user
    }

    /// What the user has chosen for themselves.
    pub fn preferences(&self) -> &Preferences {
        &self.principal.user.preferences
    }

    /// What a command of this request carries; `version` is the one that its form was made of.
    pub fn context(&self, version: Option<i64>) -> Context {
        let ids = RequestIds::of(&self.request);
        Context { caller: self.caller(), if_match: version.map(Versions::from), ..ids.context() }
    }

    /// What every page has around it.
    pub async fn frame(&self, section: &'static str) -> Frame {
        frame_of(&self.request, section).await
    }
}

impl FromRequest for SessionUser {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = identity(request).ok_or_else(|| Error::new(ErrorCode::MissingToken));
        ready(principal.map_err(HttpError).map(|principal| Self {
            principal,
            gateway: gateway(request),
            request: request.clone(),
        }))
    }
}

/// The cursor of the live feed before a page was made, in the request's extensions.
pub struct PageCursor(pub Option<String>);

/// Who asks, if somebody is signed in.
pub fn identity(request: &HttpRequest) -> Option<Principal> {
    request.extensions().get::<Identity>().and_then(|identity| identity.0.clone())
}

/// The frame of a page for whoever asks: in the user's language, else in the browser's, else in Japanese.
pub async fn frame_of(request: &HttpRequest, section: &'static str) -> Frame {
    let gateway = gateway(request);
    let done = form_urlencoded::parse(request.query_string().as_bytes())
        .find_map(|(name, value)| (name == "done").then(|| value.into_owned()));
    let Some(principal) = identity(request) else {
        return Frame::nobodys(asked_locale(request).unwrap_or(Locale::Ja), gateway.clock.now());
    };
    let Principal { caller, user, .. } = &principal;
    let form = session::vouch(&gateway, caller.user_id, caller.session_id).unwrap_or_default();
    let unread = unread(&gateway, caller).await;
    let frame = Frame::of(user, *caller, section, gateway.clock.now(), form, unread, done.as_deref());
    let (first, here) = (&["cursor", "done", "kept"][..], &["done"][..]);
    let cursor = request.extensions().get::<PageCursor>().and_then(|cursor| cursor.0.clone());
    Frame { first: address_without(request, first), here: address_without(request, here), cursor, ..frame }
}

/// The address of a page without some of its parameters.
pub fn address_without(request: &HttpRequest, names: &[&str]) -> String {
    let given = form_urlencoded::parse(request.query_string().as_bytes());
    let kept = given.filter(|(name, _)| !names.contains(&name.as_ref()));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if query.is_empty() { request.path().to_owned() } else { format!("{}?{query}", request.path()) }
}

/// The address of a page with other values of some of its parameters, or without them.
pub fn address_with(request: &HttpRequest, others: &[(&str, Option<&str>)]) -> String {
    let given = form_urlencoded::parse(request.query_string().as_bytes());
    let kept =
        given.filter(|(name, value)| !value.is_empty() && !others.iter().any(|(other, _)| other == name));
    let set = others.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).extend_pairs(set).finish();
    if query.is_empty() { request.path().to_owned() } else { format!("{}?{query}", request.path()) }
}

/// The badge. A page without it is better than none while analytics is away.
async fn unread(gateway: &Gateway, caller: &Caller) -> i64 {
    let page = PageRequest::first(1).counted();
    let asked = ListNotifications { caller: *caller, which: Which::Unread, page };
    gateway.analytics.service.ask(asked).await.ok().and_then(|page| page.total).unwrap_or(0)
}

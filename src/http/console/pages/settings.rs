//! `/settings`: one's own account: name, language, time zone, theme, which notifications one wants, password and
//! sessions. The rest only an ADMIN changes (SPEC §1).

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;
use serde_json::Value;

use crate::http::client_info::client_info;
use crate::http::console::kit::agent::program;
use crate::http::console::kit::choices::{locales, themes, zones};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, Outcome, api_word, html};
use crate::http::console::kit::merge;
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::notification::kinds::NotificationKind;
use domain::session::record::SessionView;
use domain::user::messages::{ChangePassword, ChangePreferences, ChangeProfile, EndSession, ListSessions};
use domain::user::record::{PreferenceChanges, Preferences, ProfileChanges, User};
use kernel::error::{Error, ErrorCode};
use kernel::page::PageRequest;

/// The boxes of the notifications that one wants.
const WANTED: &str = "wanted";
/// The sessions that the page shows, the newest; and at most, when all are asked for (`?sessions=all`).
const SESSIONS_SHOWN: i64 = 20;
const SESSIONS_MAX: i64 = 200;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    f: Frame,
    user: User,
    role: &'static str,
    forms: Vec<Form>,
    theme: Field,
    notifications: Vec<NotificationRow>,
    sessions: Vec<SessionRow>,
    has_more_sessions: bool,
}

/// A kind of notification, to be switched on or off.
struct NotificationRow {
    name: &'static str,
    is_wanted: bool,
}

struct SessionRow {
    session: SessionView,
    kind: String,
    agent: String,
    address: String,
}

fn profile(f: &Frame, user: &User) -> Form {
    let fields = vec![
        Field::text("name").required().holding(&user.name),
        Field::choice("locale", locales(f)).required().holding(api_word(&user.locale)),
        Field::choice("time_zone", zones(&user.time_zone)).required().holding(&user.time_zone),
    ];
    Form::new("profile", "/settings/profile", "submit-save", fields).of_version(user.version)
}

fn password() -> Form {
    let fields = vec![
        Field::password("current_password", "current-password").required(),
        Field::password("new_password", "new-password").required(),
    ];
    Form::new("password", "/settings/password", "submit-change", fields)
}

fn notifications(mine: &Preferences) -> Vec<NotificationRow> {
    let row = |kind: NotificationKind| NotificationRow {
        name: kind.name(),
        is_wanted: !mine.muted_notifications.contains(&kind),
    };
    NotificationKind::ALL.map(row).into()
}

/// The page, with one of its forms as it was refused.
async fn page(me: &SessionUser, refused: Option<(&Posted, &Error)>, id: &str) -> HttpResult {
    let change = |form: &mut Form, f: &Frame| {
        if let Some((posted, error)) = refused.filter(|_| form.id == id) {
            form.refuse(&posted.0, error, f);
        }
    };
    page_with(me, refused.map(|(_, error)| error), change).await
}

/// The page, with its forms as `change` makes them.
async fn page_with(
    me: &SessionUser,
    error: Option<&Error>,
    change: impl Fn(&mut Form, &Frame),
) -> HttpResult {
    let f = me.frame("settings").await;
    let user = me.user().clone();
    let mut forms = vec![profile(&f, &user), password()];
    forms.iter_mut().for_each(|form| change(form, &f));
    let are_all = Fields::parsed(me.request.query_string().as_bytes()).get("sessions") == Some("all");
    let page = PageRequest::first(if are_all { SESSIONS_MAX } else { SESSIONS_SHOWN });
    let sessions = me.gateway.auth.service.ask(ListSessions { caller: me.caller(), page }).await?;
    let unknown = || f.t("sessions-unknown");
    let row = |session: SessionView| SessionRow {
        kind: f.word("session-kind", &api_word(&session.kind)),
        agent: session.agent.as_deref().map_or_else(unknown, program),
        address: session.address.map_or_else(unknown, |address| address.to_string()),
        session,
    };
    let has_more_sessions = !are_all && sessions.next.is_some();
    let sessions = sessions.items.into_iter().map(row).collect();
    let mine = me.preferences();
    Ok(html(
        Outcome(error),
        &SettingsPage {
            role: user.role.as_str(),
            user,
            forms,
            theme: Field::choice("theme", themes(&f)).required().holding(api_word(&mine.theme)),
            notifications: notifications(mine),
            sessions,
            has_more_sessions,
            f,
        },
    ))
}

/// The answer to a form: on to `then`, or the page with what was wrong with the form.
async fn answer(
    me: &SessionUser,
    posted: &Posted,
    done: Result<(), Error>,
    id: &str,
    then: &str,
) -> HttpResult {
    match done {
        Ok(()) => Ok(redirect(then)),
        Err(error) if is_mendable(&error) => page(me, Some((posted, &error)), id).await,
        Err(error) => Err(error.into()),
    }
}

#[get("/settings")]
pub async fn index(me: SessionUser) -> HttpResult {
    page(&me, None, "").await
}

#[post("/settings/profile")]
pub async fn change_profile(gateway: Data<Gateway>, me: SessionUser, sent: Sent) -> HttpResult {
    let f = me.frame("settings").await;
    let only = |form: &mut Form, change: &dyn Fn(&mut Form)| {
        if form.id == "profile" {
            change(form)
        }
    };
    if let Some(again) = sent.again {
        let show = |form: &mut Form, f: &Frame| only(form, &|form| again.show(form, &sent.fields, f));
        return page_with(&me, again.error().as_ref(), show).await;
    }
    let (form, version) = (profile(&f, me.user()), me.user().version);
    let Some(changed) = merge::settled(&form.fields, &sent.fields, version) else {
        let stale = Error::new(ErrorCode::StaleVersion);
        let oppose = |form: &mut Form, f: &Frame| only(form, &|form| form.oppose(&sent.fields, version, f));
        return page_with(&me, Some(&stale), oppose).await;
    };
    let done = match form.read_changes::<ProfileChanges>(&sent.fields, f.zone, &changed) {
        Ok(changes) => {
            let change = ChangeProfile { changes, context: me.context(Some(version)) };
            gateway.auth.service.ask(change).await.map(drop)
        }
        Err(error) => Err(error),
    };
    answer(&me, &Posted(sent.fields), done, "profile", "/settings?done=saved").await
}

/// The boxes that are checked name what is wanted.
#[post("/settings/preferences")]
pub async fn change_preferences(gateway: Data<Gateway>, me: SessionUser, posted: Posted) -> HttpResult {
    let wanted: Vec<&str> =
        posted.0.pairs().filter(|(name, _)| *name == WANTED).map(|(_, kind)| kind).collect();
    let muted = NotificationKind::ALL.into_iter().filter(|kind| !wanted.contains(&kind.name()));
    let theme = Value::from(posted.0.get("theme").unwrap_or_default());
    let theme = serde_json::from_value(theme).map_err(|_| Error::field("theme", "invalid_choice"))?;
    let changes = PreferenceChanges { theme: Some(theme), muted_notifications: Some(muted.collect()) };
    gateway.auth.service.ask(ChangePreferences { changes, context: me.context(None) }).await?;
    Ok(redirect("/settings?done=saved"))
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
        client: client_info(&request),
        context: me.context(None),
    };
    let done = gateway.auth.service.ask(change).await;
    answer(&me, &posted, done, "password", "/settings?done=password").await
}

#[post("/settings/sessions/{id}/end")]
pub async fn end_session(
    gateway: Data<Gateway>,
    request: HttpRequest,
    me: SessionUser,
    id: PathId,
    _: Posted,
) -> HttpResult {
    let end = EndSession { id: id.0, client: client_info(&request), context: me.context(None) };
    gateway.auth.service.ask(end).await?;
    Ok(redirect("/settings?done=session"))
}

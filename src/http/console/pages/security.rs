//! `/admin/security`: the security log (ADMIN).

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use askama::Template;

use crate::http::api::security::{SecurityParams, find};
use crate::http::console::kit::agent::program;
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::state::Gateway;
use domain::security::record::{SecurityEntry, SecurityKind};

#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage {
    f: Frame,
    rows: Vec<Row>,
    pager: Pager,
    kinds: Vec<Choice>,
    kind: String,
}

struct Row {
    entry: SecurityEntry,
    kind: String,
    who: String,
    address: String,
    agent: String,
}

#[get("/admin/security")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let f = me.frame("admin").await;
    let (params, given): (SecurityParams, _) = list_params(&request)?;
    let is_first = params.cursor.is_none();
    let page = find(&gateway, me.caller(), params).await?;
    let pager = Pager::of(&request, is_first, &page);
    let references = References::default().users(page.items.iter().filter_map(|entry| entry.user_id));
    let names = lookups::load(&gateway, me.caller(), references).await?;
    let unknown = || f.t("sessions-unknown");
    let row = |entry: SecurityEntry| Row {
        kind: f.word("security", entry.kind.as_str()),
        who: entry.user_id.map_or_else(|| f.t("security-nobody"), |user| names.user(&f, user)),
        address: entry.address.map_or_else(unknown, |address| address.to_string()),
        agent: entry.agent.as_deref().map_or_else(unknown, program),
        entry,
    };
    let choice = |kind: &SecurityKind| Choice {
        value: kind.as_str().to_owned(),
        label: f.word("security", kind.as_str()),
    };
    Ok(ok(&SecurityPage {
        rows: page.items.into_iter().map(row).collect(),
        pager,
        kinds: SecurityKind::ALL.iter().map(choice).collect(),
        kind: narrowed(&given, "kind"),
        f,
    }))
}

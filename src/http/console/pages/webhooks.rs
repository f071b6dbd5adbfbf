//! `/admin/webhooks`: addresses to which events are sent, and the form of a new one (ADMIN).

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::http::api::webhooks::WebhookParams;
use crate::http::console::kit::form::{is_mendable, why_each};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, api_word, html, ok};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::error::HttpResult;
use crate::http::state::Gateway;
use domain::webhook::form::NewWebhook;
use domain::webhook::messages::{CountDeliveries, CreateWebhook, ListWebhooks, NEWEST_FIRST, WithSecret};
use domain::webhook::record::WebhookView;
use domain::webhook::wanted::{ALL_TYPES, WantedType};
use kernel::error::Error;

/// A webhook in the list.
struct Row {
    webhook: WebhookView,
    state: String,
    pending: i64,
    dead: i64,
}

/// A type of event to choose.
pub(super) struct TypeChoice {
    pub name: &'static str,
    pub is_chosen: bool,
}

/// What may be typed of a webhook: a new one, or one that is changed.
pub(super) struct WebhookForm {
    pub url: String,
    pub has_all: bool,
    pub types: Vec<TypeChoice>,
    pub problem: Option<String>,
}

impl WebhookForm {
    /// Whether it chooses types one by one.
    pub fn has_some(&self) -> bool {
        self.types.iter().any(|one| one.is_chosen)
    }

    pub fn of(url: &str, chosen: &[String], problem: Option<String>) -> Self {
        let is_chosen = |name: &str| chosen.iter().any(|one| one == name);
        let names = WantedType::names().filter(|name| *name != ALL_TYPES);
        Self {
            url: url.to_owned(),
            has_all: is_chosen(ALL_TYPES),
            types: names.map(|name| TypeChoice { name, is_chosen: is_chosen(name) }).collect(),
            problem,
        }
    }
}

/// The types that a form chooses.
pub(super) fn chosen(posted: &Fields) -> Vec<String> {
    posted.pairs().filter(|(name, _)| *name == "type").map(|(_, value)| value.to_owned()).collect()
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    f: Frame,
    rows: Vec<Row>,
    pager: Pager,
    form: WebhookForm,
}

/// The secret of a webhook, which no other page shows.
#[derive(Template)]
#[template(path = "webhook_secret.html")]
pub(super) struct SecretPage {
    pub f: Frame,
    pub made: WithSecret,
}

async fn page(
    gateway: &Gateway,
    request: &HttpRequest,
    me: &SessionUser,
    form: WebhookForm,
) -> Result<WebhooksPage, Error> {
    let f = me.frame("admin").await;
    let params = match request.query_string() {
        "" => WebhookParams::default(),
        _ => list_params::<WebhookParams>(request)?.0,
    };
    let asked = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let found = gateway.webhooks.ask(ListWebhooks { caller: me.caller(), page: asked }).await?;
    let counts = gateway.webhooks.ask(CountDeliveries { caller: me.caller() }).await?;
    let pager = Pager::of(request, params.cursor.is_none(), &found);
    let row = |webhook: WebhookView| {
        let (pending, dead) = counts.get(&webhook.id).copied().unwrap_or_default();
        Row { state: state_of(&webhook), webhook, pending, dead }
    };
    Ok(WebhooksPage { rows: found.items.into_iter().map(row).collect(), pager, form, f })
}

/// The word for whether a webhook is enabled, and if not, why.
pub(super) fn state_of(webhook: &WebhookView) -> String {
    webhook.disabled_reason.map_or_else(|| "enabled".to_owned(), |reason| api_word(&reason))
}

#[get("/admin/webhooks")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    Ok(ok(&page(&gateway, &request, &me, WebhookForm::of("", &[], None)).await?))
}

#[post("/admin/webhooks")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    me: SessionUser,
    posted: Posted,
) -> HttpResult {
    let url = posted.0.get("url").unwrap_or_default().trim().to_owned();
    let new = NewWebhook { url: url.clone(), event_types: chosen(&posted.0), enabled: true };
    // Not once for each key: the secret is in no answer but the first.
    match gateway.webhooks.ask(CreateWebhook { new, context: me.context(None) }).await {
        Ok(made) => Ok(ok(&SecretPage { f: me.frame("admin").await, made })),
        Err(error) if is_mendable(&error) => {
            let f = me.frame("admin").await;
            let form = WebhookForm::of(&url, &chosen(&posted.0), Some(why_each(&f, &error)));
            Ok(html(Outcome(Some(&error)), &page(&gateway, &request, &me, form).await?))
        }
        Err(error) => Err(error.into()),
    }
}

//! `/admin/webhooks/{id}`: a webhook, what is done with it, and its deliveries (ADMIN).

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::actors::webhooks::courier;
use crate::http::api::webhooks::DeliveryParams;
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::form::{is_mendable, why_each};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::pages::webhooks::{SecretPage, WebhookForm, chosen, state_of};
use crate::http::error::HttpResult;
use crate::http::extract::{PartId, PathId};
use crate::http::state::Gateway;
use domain::webhook::delivery::{Delivery, DeliveryState};
use domain::webhook::form::WebhookChanges;
use domain::webhook::messages::{
    ChangeWebhook, DeleteWebhook, DeliveryReading, FindWebhook, ListDeliveries, NEWEST_FIRST, PingWebhook,
    Redeliver, Replay, ReplayWebhook, RotateSecret,
};
use domain::webhook::record::WebhookView;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;

/// A delivery on the page.
struct Row {
    delivery: Delivery,
    state: &'static str,
    failure: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: String,
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    f: Frame,
    webhook: WebhookView,
    state: String,
    form: WebhookForm,
    rows: Vec<Row>,
    pager: Pager,
    states: Vec<Choice>,
    chosen_state: String,
}

fn row(reading: DeliveryReading) -> Row {
    let DeliveryReading { delivery, event } = reading;
    let signed = delivery.tried_at.zip(delivery.signature.as_deref());
    let headers = signed.map(|(at, signature)| courier::headers(&delivery.id.to_string(), at, signature));
    let body: serde_json::Value = serde_json::from_slice(&courier::body_of(&event)).unwrap_or_default();
    Row {
        state: delivery.state.as_str(),
        failure: delivery.failure.map(|failure| failure.as_str()),
        headers: headers.into_iter().flatten().collect(),
        body: serde_json::to_string_pretty(&body).unwrap_or_default(),
        delivery,
    }
}

async fn page(
    gateway: &Gateway,
    request: &HttpRequest,
    me: &SessionUser,
    id: Id,
    refused: Option<(&Fields, String)>,
) -> Result<WebhookPage, Error> {
    let f = me.frame("admin").await;
    let webhook = gateway.webhooks.ask(FindWebhook { id, caller: me.caller() }).await?;
    let (params, given): (DeliveryParams, Fields) = list_params(request)?;
    let is_first = params.cursor.is_none();
    let asked = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let list = ListDeliveries { webhook: id, state: params.state, caller: me.caller(), page: asked };
    let found = gateway.webhooks.ask(list).await?;
    let pager = Pager::of(request, is_first, &found);
    let choice = |state: DeliveryState| Choice {
        value: state.as_str().to_owned(),
        label: f.word("delivery", state.as_str()),
    };
    let webhook = WebhookView::from(&webhook);
    let form = match refused {
        Some((posted, why)) => {
            WebhookForm::of(posted.get("url").unwrap_or_default(), &chosen(posted), Some(why))
        }
        None => WebhookForm::of(&webhook.url, &webhook.event_types, None),
    };
    Ok(WebhookPage {
        state: state_of(&webhook),
        rows: found.items.into_iter().map(row).collect(),
        pager,
        states: [DeliveryState::Pending, DeliveryState::Delivered, DeliveryState::Dead].map(choice).into(),
        chosen_state: narrowed(&given, "state"),
        form,
        webhook,
        f,
    })
}

#[get("/admin/webhooks/{id}")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser, id: PathId) -> HttpResult {
    Ok(ok(&page(&gateway, &request, &me, id.0, None).await?))
}

/// What a form asks of a webhook; answers with the word for what was done, unless that is a page of its own.
#[post("/admin/webhooks/{id}")]
pub async fn change(
    gateway: Data<Gateway>,
    request: HttpRequest,
    me: SessionUser,
    id: PathId,
    posted: Posted,
) -> HttpResult {
    let (id, context, posted) = (id.0, me.context(None), posted.0);
    let webhooks = &gateway.webhooks;
    let saved = format!("/admin/webhooks/{id}?done=saved");
    let enabled = |is_enabled| WebhookChanges { enabled: Some(is_enabled), ..WebhookChanges::default() };
    let changes = match posted.get("act") {
        Some("ping") => {
            webhooks.ask(PingWebhook { id, context }).await?;
            return Ok(redirect(&format!("/admin/webhooks/{id}?done=pinged")));
        }
        Some("rotate") => {
            let made = webhooks.ask(RotateSecret { id, context }).await?;
            return Ok(ok(&SecretPage { f: me.frame("admin").await, made }));
        }
        Some("delete") => {
            webhooks.ask(DeleteWebhook { id, context }).await?;
            return Ok(redirect("/admin/webhooks?done=removed"));
        }
        Some("replay") => {
            let hours = posted.get("hours").and_then(|hours| hours.parse().ok()).filter(|it| *it <= 720);
            let hours: u64 = hours.ok_or_else(|| Error::field("hours", "invalid_choice"))?;
            let from = ago(gateway.clock.now(), hours);
            webhooks.ask(ReplayWebhook { id, order: Replay { from }, context }).await?;
            return Ok(redirect(&format!("/admin/webhooks/{id}?done=replayed")));
        }
        Some("enable") => enabled(true),
        Some("disable") => enabled(false),
        _ => {
            let url = posted.get("url").map(|url| url.trim().to_owned());
            let event_types = Some(chosen(&posted));
            WebhookChanges { url, event_types, enabled: None }
        }
    };
    match webhooks.ask(ChangeWebhook { id, changes, context }).await {
        Ok(_) => Ok(redirect(&saved)),
        Err(error) if is_mendable(&error) => {
            let f = me.frame("admin").await;
            let refused = Some((&posted, why_each(&f, &error)));
            Ok(html(Outcome(Some(&error)), &page(&gateway, &request, &me, id, refused).await?))
        }
        Err(error) => Err(error.into()),
    }
}

fn ago(now: Timestamp, hours: u64) -> Timestamp {
    now.minus(std::time::Duration::from_secs(3_600 * hours))
}

#[post("/admin/webhooks/{id}/deliveries/{delivery_id}/redeliver")]
pub async fn redeliver(gateway: Data<Gateway>, me: SessionUser, id: PartId, _: Posted) -> HttpResult {
    let again = Redeliver { webhook: id.record, id: id.id, context: me.context(None) };
    gateway.webhooks.ask(again).await?;
    Ok(redirect(&format!("/admin/webhooks/{}?done=redelivered", id.record)))
}

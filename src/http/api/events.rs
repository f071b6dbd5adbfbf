//! `/api/events`: the event log for readers outside (SPEC §3), and why an event happened.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::LINK;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use crate::actors::operations::chain::ChainStep;
use crate::actors::operations::messages::ReadChain;
use crate::actors::subscriptions::watch::Wanted;
use crate::http::api::long_poll;
use crate::http::api::long_poll::{Found, Span, until_found};
use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, NoParams, Params, PathId};
use crate::http::paging;
use crate::http::state::Gateway;
use domain::chain::Rule;
use domain::events as catalogue;
use domain::subscription::messages::{After, LogPage, ReadLog};
use domain::subscription::rules::types_named;
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::event::EventType;
use kernel::ids::Id;

/// The longest text that may be a cursor.
const CURSOR_MAX: usize = 100;

/// Which events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventParams {
    /// The cursor of another answer, from which it goes on; or `start`, as without it, or `now`.
    #[serde(default)]
    #[param(max_length = 100, pattern = r"^[A-Za-z0-9_-]+$", example = "start")]
    after: Option<String>,
    /// Events of these types, separated by commas; without it, of every type.
    #[serde(default)]
    #[param(schema_with = type_list, example = "customer.created,deal.won")]
    types: Option<String>,
    /// Events of an answer.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// How long to wait for an event, if there is none yet: at most 30s.
    #[serde(default)]
    #[param(value_type = String, pattern = r"^([1-9]|[12][0-9]|30)s$", example = "20s")]
    wait: Option<Span>,
}

fn type_list() -> Object {
    let names: Vec<_> = catalogue::CATALOGUE.0.iter().map(|event_type| event_type.name()).collect();
    let one = format!("({})", names.join("|").replace('.', r"\."));
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^({one}(,{one})*)?$"))).build()
}

fn is_like_a_cursor(text: &str) -> bool {
    let is_of_it = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= CURSOR_MAX && text.bytes().all(is_of_it)
}

impl EventParams {
    fn after(&self) -> Result<After, Error> {
        match self.after.as_deref() {
            None | Some("start") => Ok(After::Start),
            Some("now") => Ok(After::Now),
            Some(cursor) if is_like_a_cursor(cursor) => Ok(After::Cursor(cursor.to_owned())),
            Some(_) => Err(Error::parameter("after", "invalid_value")),
        }
    }

    fn types(&self) -> Result<Vec<EventType>, Error> {
        let given = self.types.as_deref().filter(|given| !given.is_empty());
        types_named(given.into_iter().flat_map(|given| given.split(',')))
    }
}

/// The event log, oldest first, from a cursor on (ADMIN)
///
/// `X-Next-Cursor` and `Link` say where to go on, also after an empty page. With `wait` an empty answer comes only after
/// that time.
#[utoipa::path(tag = "events", params(EventParams), responses((status = 200, body = Vec<CloudEvent>)))]
#[get("/events")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<EventParams>,
) -> HttpResult {
    let params = params.0;
    let limit = paging::request(params.limit, None, None, |_| true)?.limit;
    let types = params.types()?;
    let wait = long_poll::wait(params.wait)?;
    let wanted = Wanted { types: types.clone(), subscription: None };
    // What is committed while the request waits comes after the first look.
    let after = std::cell::RefCell::new(params.after()?);
    let look = async |caller| {
        let asked = ReadLog { caller, after: after.borrow().clone(), types: types.clone(), limit };
        let page = gateway.events.service.ask(asked).await?;
        after.replace(After::Cursor(page.cursor.clone()));
        Ok(page)
    };
    let found = |page: &LogPage| match page.events.is_empty() {
        true => Found::Nothing { again: page.has_more.then_some(Duration::ZERO), types: types.clone() },
        false => Found::Something,
    };
    let page = until_found(&gateway, &request, &auth, (wait, wanted), look, found).await?;
    let events: Vec<CloudEvent> = page.events.iter().map(CloudEvent::from).collect();
    Ok(HttpResponse::Ok()
        .insert_header((LINK, format!("<{}>; rel=\"next\"", address_after(&request, &page.cursor))))
        .insert_header(("X-Next-Cursor", page.cursor.as_str()))
        .json(events))
}

/// This request's address with another cursor.
fn address_after(request: &HttpRequest, cursor: &str) -> String {
    let kept = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "after");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("after", cursor);
    format!("{}?{}", request.path(), query.finish())
}

/// A step of the way from an effect back to the request: the event, who caused it, and what made it.
#[derive(Serialize, ToSchema)]
pub struct ChainStepView {
    pub event: EventSummary,
    /// The user who caused it; null where Kizuna did.
    #[schema(required)]
    pub actor: Option<Actor>,
    pub rule: Rule,
}

/// A CloudEvent without its data.
#[derive(Serialize, ToSchema)]
pub struct EventSummary {
    pub id: Id,
    #[schema(example = "/services/customer")]
    pub source: &'static str,
    #[schema(example = "customer.created")]
    pub r#type: &'static str,
    pub subject: Id,
    pub time: Timestamp,
    pub sequence: i64,
    /// The request or saga it belongs to.
    pub correlationid: String,
    /// The event that caused it: the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Id>,
}

/// A user who caused an event.
#[derive(Clone, Serialize, ToSchema)]
pub struct Actor {
    pub id: Id,
    /// Null if it is not known any more.
    #[schema(required)]
    pub name: Option<String>,
}

/// Why an event happened: from the event back to the request, step by step (MANAGER, ADMIN)
///
/// The first step is the event itself; each further one caused the one before it. At most 50 steps.
#[utoipa::path(tag = "events", params(("id" = Id, Path)), responses((status = 200, body = Vec<ChainStepView>)))]
#[get("/events/{id}/chain")]
pub async fn chain(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let steps = gateway.operations.ask(ReadChain { caller: auth.caller, id: id.0 }).await?;
    let mut actors: BTreeMap<Id, Actor> = BTreeMap::new();
    for id in steps.iter().filter_map(|step| step.event.event.actor_id) {
        if let std::collections::btree_map::Entry::Vacant(place) = actors.entry(id) {
            // Without the name the step says as much.
            let user = gateway.auth.user(id).await.unwrap_or_default();
            place.insert(Actor { id, name: user.map(|user| user.user.name.clone()) });
        }
    }
    let view = |ChainStep { event, rule }: &ChainStep| {
        let event = &event.event;
        ChainStepView {
            event: EventSummary {
                id: event.id,
                source: event.event_type.source(),
                r#type: event.event_type.name(),
                subject: event.subject,
                time: event.time,
                sequence: event.sequence,
                correlationid: event.correlation_id.to_string(),
                causationid: event.causation_id,
            },
            actor: event.actor_id.and_then(|id| actors.get(&id).cloned()),
            rule: *rule,
        }
    };
    Ok(HttpResponse::Ok().json(steps.iter().map(view).collect::<Vec<_>>()))
}

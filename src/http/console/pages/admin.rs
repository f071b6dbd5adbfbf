//! `/admin`: what the node does (ADMIN). MANAGER have the audit log alone.

use crate::http::error::HttpResult;
use actix_web::web::{Data, Path};
use actix_web::{get, post};
use askama::Template;

use crate::actors::operations::messages::{
    BreakerOrder, CheckIntegrity, ClusterReading, ConsumerReading, DeadLetter, Force, ForceBreaker,
    IntegrityReport, ListDeadLetters, ReadActors, ReadBreakers, ReadCluster, ReadConsumers,
    RedriveDeadLetter, may_audit, may_operate,
};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, api_word, ok};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use kernel::error::Error;
use kernel::page::PageRequest;
use runtime::breaker::BreakerReading;
use runtime::stats::ActorReading;

/// Dead letters on the page; the command line and the API have them all.
const LETTERS: i64 = 50;

struct BreakerRow {
    reading: BreakerReading,
    state: String,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    f: Frame,
    cluster: ClusterReading,
    integrity: IntegrityReport,
    /// Whether any event was lost, doubled or out of order.
    is_whole: bool,
    consumers: Vec<ConsumerReading>,
    breakers: Vec<BreakerRow>,
    letters: Vec<DeadLetter>,
    actors: Vec<ActorReading>,
}

#[get("/admin")]
pub async fn index(gateway: Data<Gateway>, me: SessionUser) -> HttpResult {
    let caller = me.caller();
    may_audit(&caller)?;
    if may_operate(&caller).is_err() {
        return Ok(redirect("/admin/audit"));
    }
    let f = me.frame("admin").await;
    let page = PageRequest::first(LETTERS);
    let operations = &gateway.operations;
    let integrity = operations.ask(CheckIntegrity { caller }).await?;
    let amiss = |integrity: &IntegrityReport| {
        integrity
            .consumers
            .iter()
            .map(|it| it.integrity.lost + it.integrity.duplicated + it.integrity.out_of_order)
            .sum::<i64>()
    };
    let breakers = operations.ask(ReadBreakers { caller }).await?;
    Ok(ok(&AdminPage {
        cluster: operations.ask(ReadCluster { caller }).await?,
        is_whole: amiss(&integrity) == 0,
        integrity,
        consumers: operations.ask(ReadConsumers { caller }).await?,
        breakers: breakers
            .into_iter()
            .map(|reading| BreakerRow { state: api_word(&reading.state), reading })
            .collect(),
        letters: operations.ask(ListDeadLetters { caller, consumer: None, page }).await?.items,
        actors: operations.ask(ReadActors { caller }).await?,
        f,
    }))
}

#[post("/admin/breakers/{name}")]
pub async fn force_breaker(
    gateway: Data<Gateway>,
    me: SessionUser,
    name: Path<String>,
    posted: Posted,
) -> HttpResult {
    let force = match posted.0.get("force") {
        Some("open") => Force::Open,
        Some("closed") => Force::Closed,
        Some("none") => Force::None,
        _ => return Err(Error::field("force", "invalid_choice").into()),
    };
    let order = BreakerOrder { force };
    gateway
        .operations
        .ask(ForceBreaker { context: me.context(None), name: name.into_inner(), order })
        .await?;
    Ok(redirect("/admin?done=breaker-set#breakers"))
}

#[post("/admin/dead-letters/{id}/redrive")]
pub async fn redrive(gateway: Data<Gateway>, me: SessionUser, id: PathId, _: Posted) -> HttpResult {
    gateway.operations.ask(RedriveDeadLetter { id: id.0, context: me.context(None) }).await?;
    Ok(redirect("/admin?done=redriven#dead-letters"))
}

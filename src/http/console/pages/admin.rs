//! `/admin`: what the node does (ADMIN). MANAGER have the audit log alone.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use askama::Template;

use crate::actors::operations::history::HistoryReading;
use crate::actors::operations::messages::{
    BreakerOrder, CheckIntegrity, ClusterReading, ConsumerReading, DeadLetter, Force, ForceBreaker,
    IntegrityReport, ListDeadLetters, ReadActors, ReadBreakers, ReadCluster, ReadConsumers, ReadHistory,
    RedriveDeadLetter, may_audit, may_operate,
};
use crate::actors::operations::problems::{Figures, Problem, ProblemKind, problems};
use crate::http::console::kit::actor_groups::{ActorGroup, groups};
use crate::http::console::kit::chart::{Sparkline, sparkline};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::{Frame, api_word, ok, redirect};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use kernel::caller::Caller;
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

struct ConsumerRow {
    reading: ConsumerReading,
    /// Its lag in the last hour.
    pending: Sparkline,
    has_problem: bool,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    f: Frame,
    /// The worst first.
    problems: Vec<Problem>,
    /// Events that came into the log in each minute of the last hour.
    events: Sparkline,
    events_of_hour: i64,
    cluster: ClusterReading,
    /// How Redis is, in a cluster.
    redis: Option<String>,
    integrity: IntegrityReport,
    consumers: Vec<ConsumerRow>,
    breakers: Vec<BreakerRow>,
    letters: Vec<DeadLetter>,
    groups: Vec<ActorGroup>,
}

/// What the services say of the node.
struct Readings {
    cluster: ClusterReading,
    integrity: IntegrityReport,
    consumers: Vec<ConsumerReading>,
    breakers: Vec<BreakerReading>,
    actors: Vec<ActorReading>,
    history: HistoryReading,
}

impl Readings {
    async fn read(gateway: &Gateway, caller: Caller) -> Result<Self, Error> {
        let operations = &gateway.operations;
        Ok(Self {
            integrity: operations.ask(CheckIntegrity { caller }).await?,
            breakers: operations.ask(ReadBreakers { caller }).await?,
            cluster: operations.ask(ReadCluster { caller }).await?,
            consumers: operations.ask(ReadConsumers { caller }).await?,
            actors: operations.ask(ReadActors { caller }).await?,
            history: operations.ask(ReadHistory { caller }).await?,
        })
    }

    fn problems(&self) -> Vec<Problem> {
        problems(&Figures {
            integrity: &self.integrity,
            consumers: &self.consumers,
            breakers: &self.breakers,
            actors: &self.actors,
            cluster: &self.cluster,
            history: &self.history,
        })
    }
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
    let readings = Readings::read(&gateway, caller).await?;
    let letters = gateway.operations.ask(ListDeadLetters { caller, consumer: None, page }).await?.items;
    let problems = readings.problems();
    let Readings { cluster, integrity, consumers, breakers, actors, history } = readings;
    let breaker = |reading: BreakerReading| BreakerRow { state: api_word(&reading.state), reading };
    let mut breakers: Vec<BreakerRow> = breakers.into_iter().map(breaker).collect();
    breakers.sort_by_key(|row| !problems.iter().any(|problem| *problem.name == *row.reading.name));
    Ok(ok(&AdminPage {
        events: sparkline(&history.events),
        events_of_hour: history.events.iter().flatten().sum(),
        consumers: consumer_rows(consumers, &history, &problems),
        groups: groups(actors, &history, &problems),
        breakers,
        problems,
        redis: cluster.redis.as_ref().map(api_word),
        cluster,
        integrity,
        letters,
        f,
    }))
}

/// The consumers, those with a problem first.
fn consumer_rows(
    consumers: Vec<ConsumerReading>,
    history: &HistoryReading,
    problems: &[Problem],
) -> Vec<ConsumerRow> {
    let row = |reading: ConsumerReading| {
        let course = history.consumers.iter().find(|it| it.name == reading.name);
        ConsumerRow {
            pending: sparkline(course.map_or(&[], |course| &course.pending)),
            has_problem: problems.iter().any(|problem| problem.name == reading.name),
            reading,
        }
    };
    let mut rows: Vec<ConsumerRow> = consumers.into_iter().map(row).collect();
    rows.sort_by_key(|row| !row.has_problem);
    rows
}

/// The part of the page that has more about a problem.
fn section_of(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::DeadLetters => "#letters",
        ProblemKind::BreakerOpen | ProblemKind::BreakerForced => "#breakers",
        ProblemKind::RedisAway => "#cluster",
        ProblemKind::NotWhole | ProblemKind::Retrying | ProblemKind::Lagging => "#consumers",
        ProblemKind::Queueing | ProblemKind::Restarted => "#actors",
    }
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

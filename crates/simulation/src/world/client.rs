//! Clients: what they ask, how they repeat it, and what they remember for the histories.

use std::time::Duration;

use history::operation::Operation;
use history::record::{Answer, Call, RecordOperation};
use kernel::clock::Timestamp;
use kernel::context::{Context, IdempotencyClaim, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use runtime::service::Service;
use store::{Db, idempotency};
use tokio::time::{sleep, timeout};

use crate::chance;
use crate::ledger::Seen;
use crate::ledger::service::{
    Add, BeginTransfer, EraseNote, Ledger, LookAtAccount, LookAtNote, OpenAccount, WriteNote,
};
use crate::time;
use crate::world::plan::{Ask, Request};
use crate::world::run::World;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(6);
/// So many of ten thousand answers do not reach the client, also in fair weather: its connection breaks.
const LOST_ANSWERS: u64 = 300;
/// How often it repeats a request with a key.
const TRIES: usize = 12;

/// What a client got.
enum Got {
    Seen(Option<Seen>),
    Refused(Error),
    /// No answer, or one that says nothing about the outcome.
    Unknown,
}

/// A request under way.
struct Asking<'a> {
    world: &'a World,
    request: &'a Request,
    /// Its name in the log.
    name: String,
    record: Id,
    /// For `If-Match`.
    on: Option<i64>,
    /// The id of a new transfer.
    fresh: Id,
}

/// Carries out a request, and remembers it.
pub async fn ask(world: World, number: usize, request: Request) {
    let record = world.record_of(&request.ask);
    let on = match &request.ask {
        Ask::Change { on: true, .. } => Some(world.model.floor(record).max(1)),
        _ => None,
    };
    let name = format!("request-{number}");
    let asking = Asking { world: &world, request: &request, name, record, on, fresh: new_id() };
    let (called, floor) = (time::elapsed(), world.model.floor(record));
    let tries = if request.has_key || asking.is_read() { TRIES } else { 1 };
    let mut got = Got::Unknown;
    for attempt in 0..tries {
        if attempt > 0 {
            sleep(chance::millis(50, 1_500)).await;
        }
        got = asking.send().await;
        if !matches!(got, Got::Unknown) {
            break;
        }
    }
    asking.remember(called, floor, &got);
}

impl Asking<'_> {
    fn is_read(&self) -> bool {
        matches!(self.request.ask, Ask::LookAtAccount { .. } | Ask::LookAtNote { .. })
    }

    /// Sends it to some node.
    async fn send(&self) -> Got {
        let Some(node) = self.world.some_node() else { return Got::Unknown };
        let (request, name, record, on, fresh) =
            (self.request.clone(), self.name.clone(), self.record, self.on, self.fresh);
        let (ledger, db, model) = (node.ledger.clone(), node.db.clone(), self.world.clone());
        let work = async move {
            let gateway = Gateway { ledger, db };
            gateway.answer(&model, &request, &name, record, on, fresh).await
        };
        let answered = async {
            sleep(self.world.weather.message_delay()).await;
            node.process.awake().await;
            // What runs in the node goes on there when the client waits no longer.
            let answer = actix::spawn(work).await;
            node.process.awake().await;
            sleep(self.world.weather.message_delay()).await;
            let is_lost = chance::happens(LOST_ANSWERS + self.world.weather.get().lost_messages);
            (!is_lost).then_some(answer)
        };
        let answer = tokio::select! {
            biased;
            answer = timeout(PATIENCE, answered) => answer,
            () = node.process.death() => return Got::Unknown,
        };
        match answer {
            Ok(Some(Ok(Ok(seen)))) => Got::Seen(seen),
            Ok(Some(Ok(Err(error))))
                if error.code.status() < 500 && error.code != ErrorCode::RequestInFlight =>
            {
                Got::Refused(error)
            }
            Ok(Some(Ok(Err(error)))) if error.code == ErrorCode::Internal => {
                self.world.model.expect(crate::model::broken("no request finds a defect", error.to_string()));
                Got::Unknown
            }
            _ => Got::Unknown,
        }
    }

    /// Checks the answer against the model, and adds it to the history of its record.
    fn remember(&self, called: i64, floor: i64, got: &Got) {
        let model = &self.world.model;
        match got {
            Got::Seen(seen) if self.is_read() => {
                model.read(self.record, seen.as_ref().map_or(0, |seen| seen.version), floor);
            }
            Got::Seen(Some(seen)) => {
                let record = match self.request.ask {
                    Ask::Transfer { .. } => self.fresh,
                    _ => self.record,
                };
                model.acknowledged(&self.name, record, seen.version);
            }
            Got::Seen(None) | Got::Unknown => model.state().happened("no answer"),
            Got::Refused(error) => model.state().happened(error.code.as_str()),
        }
        if let Some(operation) = self.operation(called, got) {
            self.world
                .histories
                .lock()
                .expect("no panic under this lock")
                .entry(self.record)
                .or_default()
                .push(operation);
        }
    }

    /// The operation on a note for its history; `None` for other records, and what the checker does not know.
    fn operation(&self, called: i64, got: &Got) -> Option<RecordOperation> {
        let call = match &self.request.ask {
            Ask::Create { .. } => Call::Create { text: self.name.clone() },
            Ask::Change { .. } => Call::Change { text: self.name.clone(), on: self.on },
            Ask::Erase { .. } => Call::Delete,
            Ask::LookAtNote { .. } => Call::Read,
            _ => return None,
        };
        let shown = |seen: &Seen| match seen.is_deleted {
            true if call == Call::Delete => Answer::Deleted,
            true => Answer::Missing,
            false => Answer::Record { version: seen.version, text: seen.text.clone() },
        };
        let answer = match got {
            Got::Seen(Some(seen)) => shown(seen),
            Got::Seen(None) => Answer::Missing,
            Got::Refused(error) => match error.code {
                ErrorCode::NotFound => Answer::Missing,
                ErrorCode::StaleVersion => Answer::Stale,
                // The title is taken: nothing has happened.
                _ => return None,
            },
            Got::Unknown if call == Call::Read => return None,
            Got::Unknown => return Some(Operation::unanswered(call, called as u64)),
        };
        Some(Operation::answered(call, called as u64, answer, time::elapsed() as u64))
    }
}

/// What stands in front of the service on each node, as the server's HTTP does.
struct Gateway {
    ledger: Service<Ledger>,
    db: Db,
}

impl Gateway {
    /// Answers a request. One with a key is answered as it was first.
    async fn answer(
        &self,
        world: &World,
        request: &Request,
        name: &str,
        record: Id,
        on: Option<i64>,
        fresh: Id,
    ) -> Result<Option<Seen>, Error> {
        let mut context = Context::system();
        context.correlation_id = name.into();
        context.if_match = on.map(Versions::from);
        if request.has_key {
            if let Some(first) = self.first(name).await? {
                return Ok(Some(first));
            }
            context.claim = Some(IdempotencyClaim {
                id: name.to_owned(),
                fingerprint: String::new(),
                status: 200,
                location: None,
            });
        }
        match self.pass_on(world, &request.ask, name, record, fresh, context).await {
            // It may have been refused because of what it did itself, when it came before.
            Err(error) if request.has_key => self.first(name).await.ok().flatten().map(Some).ok_or(error),
            done => done,
        }
    }

    /// The first answer under a key, if there is one.
    async fn first(&self, key: &str) -> Result<Option<Seen>, Error> {
        let first = idempotency::find(&self.db, key, Timestamp::from_micros(0)).await?;
        first.map(|first| serde_json::from_str(first.body.get()).map_err(Error::internal)).transpose()
    }

    async fn pass_on(
        &self,
        world: &World,
        ask: &Ask,
        name: &str,
        record: Id,
        fresh: Id,
        context: Context,
    ) -> Result<Option<Seen>, Error> {
        let (ledger, id, text) = (&self.ledger, record, name.to_owned());
        let seen = match ask {
            Ask::LookAtAccount { .. } => return ledger.ask(LookAtAccount { id }).await,
            Ask::LookAtNote { .. } => return ledger.ask(LookAtNote { id }).await,
            Ask::Open { amount, .. } => ledger.ask(OpenAccount { id, amount: *amount, context }).await,
            Ask::Add { amount, note, .. } => {
                let note = note.map(|note| world.notes[note]);
                ledger.ask(Add { id, amount: *amount, note, context }).await
            }
            Ask::Transfer { target, amount, .. } => {
                let (source, target) = (id, world.accounts[*target]);
                ledger.ask(BeginTransfer { id: fresh, source, target, amount: *amount, context }).await
            }
            Ask::Create { title, .. } => {
                ledger.ask(WriteNote { id, title: Some(format!("title-{title}")), text, context }).await
            }
            Ask::Change { .. } => ledger.ask(WriteNote { id, title: None, text, context }).await,
            Ask::Erase { .. } => ledger.ask(EraseNote { id, context }).await,
        };
        seen.map(Some)
    }
}

//! A transfer from one account to another: a saga whose steps follow from events.

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, Versioned, raw};
use kernel::ids::Id;
use runtime::entity::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::table::{Kind, OnConflict, Table};

use crate::ledger::{BEGUN, ENDED, Seen};

pub static TRANSFERS: Table = Table {
    name: "transfers",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("source", Kind::Id),
        ("target", Kind::Id),
        ("amount", Kind::Int),
        ("state", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferState {
    Begun,
    Done,
    Refused,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transfer {
    pub id: Id,
    pub version: i64,
    pub source: Id,
    pub target: Id,
    pub amount: i64,
    pub state: TransferState,
}

#[derive(Clone, Debug)]
pub enum TransferCommand {
    Begin {
        source: Id,
        target: Id,
        amount: i64,
    },
    /// Ends it, once.
    End(TransferState),
}

pub struct TransferEvent(EventType, Transfer);

impl Versioned for Transfer {
    fn version(&self) -> i64 {
        self.version
    }
}

impl StateAfter for TransferEvent {
    type State = Transfer;

    fn after(&self) -> &Transfer {
        &self.1
    }
}

impl DomainEvent for TransferEvent {
    fn event_type(&self) -> EventType {
        self.0
    }

    fn data(&self) -> Box<RawValue> {
        raw(&self.1)
    }
}

impl Transfer {
    pub fn seen(&self) -> Seen {
        Seen { version: self.version, text: format!("{:?}", self.state), is_deleted: false }
    }
}

impl Aggregate for Transfer {
    const KIND: &'static str = "transfer";
    const TABLE: &'static Table = &TRANSFERS;
    type State = Self;
    type Command = TransferCommand;
    type Event = TransferEvent;

    fn decide(
        state: Option<&Self>,
        command: &TransferCommand,
        _: &Caller,
        id: Id,
        _: Timestamp,
    ) -> Result<Vec<TransferEvent>, Error> {
        match (state, command) {
            (None, TransferCommand::Begin { source, target, amount }) => {
                let (source, target, amount) = (*source, *target, *amount);
                let begun = Transfer { id, version: 1, source, target, amount, state: TransferState::Begun };
                Ok(vec![TransferEvent(BEGUN, begun)])
            }
            (Some(_), TransferCommand::Begin { .. }) => Err(Error::new(ErrorCode::StaleVersion)),
            (None, TransferCommand::End(_)) => Err(Error::new(ErrorCode::NotFound)),
            (Some(transfer), TransferCommand::End(state)) if transfer.state == TransferState::Begun => {
                let ended = Transfer { version: transfer.version + 1, state: *state, ..transfer.clone() };
                Ok(vec![TransferEvent(ENDED, ended)])
            }
            (Some(_), TransferCommand::End(_)) => Ok(Vec::new()),
        }
    }

    fn view(state: &Self) -> Box<RawValue> {
        raw(&state.seen())
    }
}

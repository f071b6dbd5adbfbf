//! An account: its balance, and the transfers that have moved it.

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, Versioned, raw};
use kernel::ids::Id;
use runtime::entity::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::table::{Kind, OnConflict, Table};

use crate::ledger::{ADDED, GIVEN, OPENED, REFUSED, Seen, TAKEN};

pub static ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[("id", Kind::Id), ("version", Kind::Int), ("balance", Kind::Int), ("moves", Kind::Json)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub id: Id,
    pub version: i64,
    pub balance: i64,
    /// The legs of transfers that have come here: the transfer's id, and whether it took.
    pub moves: Vec<(Id, bool)>,
}

#[derive(Clone, Debug)]
pub enum AccountCommand {
    Open(i64),
    /// Adds an amount each time that it comes. With a note: on condition that the note lives.
    Add {
        amount: i64,
        note: Option<Id>,
    },
    /// Takes an amount for a transfer, once.
    Take {
        amount: i64,
        transfer: Id,
    },
    /// Gives it, once.
    Give {
        amount: i64,
        transfer: Id,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountData {
    pub amount: i64,
    pub transfer: Option<Id>,
    pub note: Option<Id>,
    pub account: Account,
}

pub struct AccountEvent {
    event_type: EventType,
    data: AccountData,
}

impl Versioned for Account {
    fn version(&self) -> i64 {
        self.version
    }
}

impl StateAfter for AccountEvent {
    type State = Account;

    fn after(&self) -> &Account {
        &self.data.account
    }
}

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn data(&self) -> Box<RawValue> {
        raw(&self.data)
    }
}

impl Account {
    pub fn seen(&self) -> Seen {
        Seen { version: self.version, text: self.balance.to_string(), is_deleted: false }
    }

    /// The account after a movement.
    fn moved(&self, by: i64, leg: Option<(Id, bool)>) -> Self {
        let mut moves = self.moves.clone();
        moves.extend(leg);
        Self { version: self.version + 1, balance: self.balance + by, moves, id: self.id }
    }
}

impl Aggregate for Account {
    const KIND: &'static str = "account";
    const TABLE: &'static Table = &ACCOUNTS;
    type State = Self;
    type Command = AccountCommand;
    type Event = AccountEvent;

    fn decide(
        state: Option<&Self>,
        command: &AccountCommand,
        _: &Caller,
        id: Id,
        _: Timestamp,
    ) -> Result<Vec<AccountEvent>, Error> {
        let event = |event_type, amount, (transfer, note), account| {
            Ok(vec![AccountEvent { event_type, data: AccountData { amount, transfer, note, account } }])
        };
        let account = match (state, command) {
            (None, AccountCommand::Open(amount)) => {
                let account = Account { id, version: 1, balance: *amount, moves: Vec::new() };
                return event(OPENED, *amount, (None, None), account);
            }
            (Some(_), AccountCommand::Open(_)) => return Err(Error::new(ErrorCode::StaleVersion)),
            (None, _) => return Err(Error::new(ErrorCode::NotFound)),
            (Some(account), _) => account,
        };
        match command {
            AccountCommand::Open(_) => Ok(Vec::new()),
            AccountCommand::Add { amount, note } => {
                event(ADDED, *amount, (None, *note), account.moved(*amount, None))
            }
            AccountCommand::Take { transfer, .. } if account.moves.contains(&(*transfer, true)) => {
                Ok(Vec::new())
            }
            AccountCommand::Give { transfer, .. } if account.moves.contains(&(*transfer, false)) => {
                Ok(Vec::new())
            }
            AccountCommand::Take { amount, transfer } => {
                let (event_type, by) =
                    if account.balance < *amount { (REFUSED, 0) } else { (TAKEN, -*amount) };
                event(
                    event_type,
                    *amount,
                    (Some(*transfer), None),
                    account.moved(by, Some((*transfer, true))),
                )
            }
            AccountCommand::Give { amount, transfer } => {
                let after = account.moved(*amount, Some((*transfer, false)));
                event(GIVEN, *amount, (Some(*transfer), None), after)
            }
        }
    }

    fn view(state: &Self) -> Box<RawValue> {
        raw(&state.seen())
    }
}

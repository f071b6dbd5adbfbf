//! The service in front of the ledger's records.

use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use runtime::entity::Entities;
use runtime::prepared::Prepared;
use runtime::serve;
use serde::{Deserialize, Serialize};
use store::unit_of_work::{LiveCheck, UnitOfWork};

use crate::ledger::Seen;
use crate::ledger::account::{Account, AccountCommand};
use crate::ledger::note::{NOTES, Note, NoteCommand, title_is_free};
use crate::ledger::transfer::{Transfer, TransferCommand};

/// The one service of the world.
pub const LEDGER: ServiceId = ServiceId("ledger");

/// Its name, as the macro wants it.
struct Name;

impl Name {
    const fn id(self) -> ServiceId {
        LEDGER
    }
}

/// The service's logic.
pub struct Ledger {
    pub accounts: Entities<Account>,
    pub transfers: Entities<Transfer>,
    pub notes: Entities<Note>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct OpenAccount {
    pub id: Id,
    pub amount: i64,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Add {
    pub id: Id,
    pub amount: i64,
    pub note: Option<Id>,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct BeginTransfer {
    pub id: Id,
    pub source: Id,
    pub target: Id,
    pub amount: i64,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct WriteNote {
    pub id: Id,
    /// Of a new note.
    pub title: Option<String>,
    pub text: String,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct EraseNote {
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct LookAtAccount {
    pub id: Id,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct LookAtNote {
    pub id: Id,
}

kernel::needs! {
    OpenAccount: context [];
    Add: context [];
    BeginTransfer: context [];
    WriteNote: context [];
    EraseNote: context [];
    LookAtAccount: nobody [];
    LookAtNote: nobody [];
}

serve!(Ledger as Name, {
    OpenAccount command => |ledger, message| Seen {
        let opened = ledger.accounts.create(message.id, AccountCommand::Open(message.amount), message.context);
        Ok(opened.await?.seen())
    },
    Add command => |ledger, message| Seen {
        let Add { id, amount, note, context } = message;
        let lives = |id| LiveCheck { table: &NOTES, id, code: ErrorCode::NotFound };
        let with = UnitOfWork { live_checks: note.map(lives).into_iter().collect(), ..UnitOfWork::default() };
        let command = AccountCommand::Add { amount, note };
        Ok(ledger.accounts.execute(id, command, Prepared::new(context, with)).await?.seen())
    },
    BeginTransfer command => |ledger, message| Seen {
        let BeginTransfer { id, source, target, amount, context } = message;
        for account in [source, target] {
            ledger.accounts.get(account).await?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        }
        let command = TransferCommand::Begin { source, target, amount };
        Ok(ledger.transfers.create(id, command, context).await?.seen())
    },
    WriteNote command => |ledger, message| Seen {
        let WriteNote { id, title, text, context } = message;
        let Some(title) = title else {
            return Ok(ledger.notes.execute(id, NoteCommand::Change { text }, context).await?.seen());
        };
        let with = UnitOfWork { unique_checks: vec![title_is_free(&title)], ..UnitOfWork::default() };
        let command = NoteCommand::Create { title, text };
        Ok(ledger.notes.create(id, command, Prepared::new(context, with)).await?.seen())
    },
    EraseNote command => |ledger, message| Seen {
        Ok(ledger.notes.execute(message.id, NoteCommand::Erase, message.context).await?.seen())
    },
    LookAtAccount read => |ledger, message| Option<Seen> {
        Ok(ledger.accounts.get(message.id).await?.map(|account| account.seen()))
    },
    LookAtNote read => |ledger, message| Option<Seen> {
        Ok(ledger.notes.get(message.id).await?.map(|note| note.seen()))
    },
});

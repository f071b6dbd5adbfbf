//! A note: a text with a title that no other living note has. It is marked as deleted.

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, Versioned, raw};
use kernel::ids::Id;
use runtime::entity::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::UniqueCheck;

use crate::ledger::{ERASED, Seen, WRITTEN};

pub static NOTES: Table = Table {
    name: "notes",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("title", Kind::Text),
        ("text", Kind::Text),
        ("owner_id", Kind::Id),
        ("deleted_at", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Note {
    pub id: Id,
    pub version: i64,
    pub title: String,
    pub text: String,
    pub owner_id: Id,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub enum NoteCommand {
    Create { title: String, text: String },
    Change { text: String },
    Erase,
}

pub struct NoteEvent(EventType, Note);

impl Versioned for Note {
    fn version(&self) -> i64 {
        self.version
    }
}

impl StateAfter for NoteEvent {
    type State = Note;

    fn after(&self) -> &Note {
        &self.1
    }
}

impl DomainEvent for NoteEvent {
    fn event_type(&self) -> EventType {
        self.0
    }

    fn data(&self) -> Box<RawValue> {
        raw(&self.1)
    }
}

/// The condition that no living note has this title.
pub fn title_is_free(title: &str) -> UniqueCheck {
    let value = title.to_owned();
    UniqueCheck {
        table: &NOTES,
        column: "title",
        value,
        owner: None,
        except: None,
        code: ErrorCode::EmailTaken,
    }
}

impl Note {
    pub fn seen(&self) -> Seen {
        Seen { version: self.version, text: self.text.clone(), is_deleted: self.deleted_at.is_some() }
    }
}

impl Aggregate for Note {
    const KIND: &'static str = "note";
    const TABLE: &'static Table = &NOTES;
    type State = Self;
    type Command = NoteCommand;
    type Event = NoteEvent;

    fn decide(
        state: Option<&Self>,
        command: &NoteCommand,
        _: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<NoteEvent>, Error> {
        let living = state.filter(|note| note.deleted_at.is_none());
        match (state, living, command) {
            (None, _, NoteCommand::Create { title, text }) => {
                let (title, text) = (title.clone(), text.clone());
                let note = Note { id, version: 1, title, text, owner_id: Id::nil(), deleted_at: None };
                Ok(vec![NoteEvent(WRITTEN, note)])
            }
            (Some(_), _, NoteCommand::Create { .. }) => Err(Error::new(ErrorCode::StaleVersion)),
            (_, None, _) => Err(Error::new(ErrorCode::NotFound)),
            (_, Some(note), NoteCommand::Change { text }) => {
                let after = Note { version: note.version + 1, text: text.clone(), ..note.clone() };
                Ok(vec![NoteEvent(WRITTEN, after)])
            }
            (_, Some(note), NoteCommand::Erase) => {
                let after = Note { version: note.version + 1, deleted_at: Some(now), ..note.clone() };
                Ok(vec![NoteEvent(ERASED, after)])
            }
        }
    }

    fn view(state: &Self) -> Box<RawValue> {
        raw(&state.seen())
    }
}

//! Users and sessions as aggregates: which rules, which table.

use serde::Serialize;
use serde_json::value::RawValue;

use super::domain::{self, Session, SessionCommand, SessionEvent, UserCommand, UserEvent, UserState};
use crate::actors::context::Caller;
use crate::actors::event::raw;
use crate::actors::fields::search_text;
use crate::actors::refusal::{Code, Refusal};
use crate::actors::runtime::entity::Aggregate;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::auth::{SESSIONS, USERS};
use crate::persistence::table::Table;

/// A user.
pub struct UserAggregate;

impl Aggregate for UserAggregate {
    const KIND: &'static str = "auth.user";
    type State = UserState;
    type Command = UserCommand;
    type Event = UserEvent;

    fn table() -> &'static Table {
        &USERS
    }

    fn version(state: &UserState) -> i64 {
        state.user.version
    }

    fn decide(
        state: Option<&UserState>,
        command: &UserCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<UserEvent>, Refusal> {
        domain::decide_user(state, command, caller, id, now)
    }

    fn apply(_: Option<UserState>, event: &UserEvent) -> UserState {
        match event {
            UserEvent::Created(after)
            | UserEvent::Updated { after, .. }
            | UserEvent::Deleted { after, .. } => after.clone(),
        }
    }

    fn view(state: &UserState) -> Box<RawValue> {
        raw(&state.user)
    }

    fn row(state: &UserState) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a UserState,
            search: String,
        }
        let search = search_text(&[Some(&state.user.name), Some(&state.user.email)]);
        serde_json::to_string(&Row { state, search }).expect("states are plain structs")
    }

    fn duplicate() -> Code {
        Code::EmailTaken
    }
}

/// A session.
pub struct SessionAggregate;

impl Aggregate for SessionAggregate {
    const KIND: &'static str = "auth.session";
    type State = Session;
    type Command = SessionCommand;
    type Event = SessionEvent;

    fn table() -> &'static Table {
        &SESSIONS
    }

    fn version(state: &Session) -> i64 {
        state.version
    }

    fn decide(
        state: Option<&Session>,
        command: &SessionCommand,
        _: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<SessionEvent>, Refusal> {
        domain::decide_session(state, command, id, now)
    }

    fn apply(_: Option<Session>, event: &SessionEvent) -> Session {
        let (SessionEvent::Opened(after) | SessionEvent::Rotated(after) | SessionEvent::Revoked(after)) =
            event;
        after.clone()
    }

    fn logged(event: &SessionEvent) -> Option<&SessionEvent> {
        matches!(event, SessionEvent::Opened(_)).then_some(event)
    }

    fn view(_: &Session) -> Box<RawValue> {
        raw(&serde_json::Value::Null)
    }
}

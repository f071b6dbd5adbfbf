//! Users and sessions as aggregates: which rules, which table.

use domain::session::rules as session_rules;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::persistence::auth::{SESSIONS, USERS};
use domain::session::record::Session;
use domain::session::rules::{SessionCommand, SessionEvent};
use domain::user::keys::UserKeys;
use domain::user::record::UserState;
use domain::user::rules;
use domain::user::rules::{UserCommand, UserEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::raw;
use kernel::ids::Id;
use runtime::entity::Aggregate;
use store::table::Table;

/// A user.
pub struct UserAggregate;

impl Aggregate for UserAggregate {
    const KIND: &'static str = "auth.user";
    type State = UserState;
    type Command = UserCommand;
    type Event = UserEvent;

    const TABLE: &'static Table = &USERS;

    fn decide(
        state: Option<&UserState>,
        command: &UserCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<UserEvent>, Error> {
        rules::decide_user(state, command, caller, id, now)
    }

    fn view(state: &UserState) -> Box<RawValue> {
        raw(&state.user)
    }

    fn row(state: &UserState) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a UserState,
            #[serde(flatten)]
            keys: UserKeys,
        }
        let keys = UserKeys::of(&state.user.name, &state.user.email);
        serde_json::to_string(&Row { state, keys }).expect("states are plain structs")
    }

    fn duplicate() -> ErrorCode {
        ErrorCode::EmailTaken
    }
}

/// A session.
pub struct SessionAggregate;

impl Aggregate for SessionAggregate {
    const KIND: &'static str = "auth.session";
    type State = Session;
    type Command = SessionCommand;
    type Event = SessionEvent;

    const TABLE: &'static Table = &SESSIONS;

    fn decide(
        state: Option<&Session>,
        command: &SessionCommand,
        _: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<SessionEvent>, Error> {
        session_rules::decide_session(state, command, id, now)
    }

    fn logged(event: &SessionEvent) -> Option<&SessionEvent> {
        matches!(event, SessionEvent::Opened(_)).then_some(event)
    }

    fn view(_: &Session) -> Box<RawValue> {
        raw(&serde_json::Value::Null)
    }
}

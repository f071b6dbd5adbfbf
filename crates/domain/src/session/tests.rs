//! Tests of the rules of refresh tokens.

use std::time::Duration;

use crate::session::record::Session;
use crate::session::rules::{SessionCommand, SessionEvent, decide_session};
use kernel::clock::Timestamp;
use kernel::ids::{Id, new_id};

const LASTS: Duration = Duration::from_secs(3_600);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(1_000_000_000_000_000 + millis * 1_000)
}

/// A session whose last rotation, to this generation, was at 0 ms.
fn session(generation: i64) -> Session {
    Session {
        id: Id::nil(),
        version: generation,
        created_at: at(0),
        updated_at: at(0),
        user_id: new_id(),
        generation,
        expires_at: at(3_600_000),
        valid_from: at(0),
        revoked_at: None,
    }
}

fn rotate(session: &Session, generation: i64, with_grace: bool, millis: i64) -> Vec<SessionEvent> {
    let command = SessionCommand::Rotate { generation, lasts: LASTS, with_grace };
    decide_session(Some(session), &command, session.id, at(millis)).expect("an open session")
}

#[test]
fn grace_takes_the_token_before_the_present_one_and_changes_nothing() {
    let session = session(5);
    assert!(rotate(&session, 4, true, 0).is_empty());
    assert!(rotate(&session, 4, true, 29_999).is_empty());
    assert!(matches!(rotate(&session, 4, true, 30_000)[..], [SessionEvent::Revoked(_)]));
    assert!(matches!(rotate(&session, 3, true, 0)[..], [SessionEvent::Revoked(_)]), "an older one");
    assert!(matches!(rotate(&session, 6, true, 0)[..], [SessionEvent::Revoked(_)]), "one that never was");
    assert!(
        matches!(&rotate(&session, 5, true, 0)[..], [SessionEvent::Rotated(after)] if after.generation == 6)
    );
}

#[test]
fn without_grace_a_used_token_ends_the_session_at_once() {
    let session = session(5);
    assert!(matches!(rotate(&session, 4, false, 0)[..], [SessionEvent::Revoked(_)]));
    assert!(matches!(rotate(&session, 5, false, 0)[..], [SessionEvent::Rotated(_)]));
}

#[test]
fn grace_opens_no_session_that_has_ended() {
    let ended = Session { revoked_at: Some(at(0)), ..session(5) };
    let command = SessionCommand::Rotate { generation: 4, lasts: LASTS, with_grace: true };
    assert!(decide_session(Some(&ended), &command, ended.id, at(1)).is_err());
    assert!(decide_session(Some(&session(5)), &command, Id::nil(), at(3_600_000)).is_err());
}

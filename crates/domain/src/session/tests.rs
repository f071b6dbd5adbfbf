//! Tests of the rules of refresh tokens.

use std::time::Duration;

use crate::session::record::{ClientInfo, Session, SessionKind};
use crate::session::rules::{SessionCommand, SessionEvent, SessionLifetimes, decide_session};
use kernel::clock::Timestamp;
use kernel::error::ErrorCode;
use kernel::ids::{Id, new_id};

use SessionKind::{Api, Console};

const LIFETIMES: SessionLifetimes =
    SessionLifetimes { unused: Duration::from_secs(3_600), total: Duration::from_secs(10_000) };

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
        kind: Console,
        address: None,
        agent: None,
    }
}

fn present(generation: i64, kind: SessionKind) -> SessionCommand {
    SessionCommand::Rotate { generation, kind, client: ClientInfo::default(), lifetimes: LIFETIMES }
}

fn rotate(session: &Session, generation: i64, kind: SessionKind, millis: i64) -> Vec<SessionEvent> {
    let command = present(generation, kind);
    decide_session(Some(session), &command, session.id, at(millis)).expect("an open session")
}

#[test]
fn grace_takes_the_token_before_the_present_one_and_changes_nothing() {
    let session = session(5);
    assert!(rotate(&session, 4, Console, 0).is_empty());
    assert!(rotate(&session, 4, Console, 29_999).is_empty());
    assert!(matches!(rotate(&session, 4, Console, 30_000)[..], [SessionEvent::Revoked(_)]));
    assert!(matches!(rotate(&session, 3, Console, 0)[..], [SessionEvent::Revoked(_)]), "an older one");
    assert!(matches!(rotate(&session, 6, Console, 0)[..], [SessionEvent::Revoked(_)]), "one that never was");
    assert!(
        matches!(&rotate(&session, 5, Console, 0)[..], [SessionEvent::Rotated(after)] if after.generation == 6)
    );
}

#[test]
fn without_grace_a_used_token_ends_the_session_at_once() {
    let session = Session { kind: Api, ..session(5) };
    assert!(matches!(rotate(&session, 4, Api, 0)[..], [SessionEvent::Revoked(_)]));
    assert!(matches!(rotate(&session, 5, Api, 0)[..], [SessionEvent::Rotated(_)]));
}

#[test]
fn a_token_presented_as_one_of_the_other_kind_is_refused_and_a_used_one_ends_the_session() {
    for (own, other) in [(Api, Console), (Console, Api)] {
        let session = Session { kind: own, ..session(5) };
        let refused = decide_session(Some(&session), &present(5, other), session.id, at(0)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidToken, "{own:?}");
        assert!(matches!(rotate(&session, 4, other, 0)[..], [SessionEvent::Revoked(_)]), "{own:?}");
    }
}

#[test]
fn use_prolongs_a_session_up_to_its_total_lifetime() {
    let end = |session: &Session, millis| match &rotate(session, session.generation, Console, millis)[..] {
        [SessionEvent::Rotated(after)] => after.expires_at,
        other => panic!("{other:?}"),
    };
    let session = Session { expires_at: at(9_000_000), ..session(5) };
    assert_eq!(end(&session, 1_000_000), at(4_600_000));
    assert_eq!(end(&session, 8_000_000), at(10_000_000));
}

#[test]
fn grace_opens_no_session_that_has_ended() {
    let ended = Session { revoked_at: Some(at(0)), ..session(5) };
    let command = present(4, Console);
    assert!(decide_session(Some(&ended), &command, ended.id, at(1)).is_err());
    assert!(decide_session(Some(&session(5)), &command, Id::nil(), at(3_600_000)).is_err());
}

#[test]
fn what_a_client_calls_itself_is_bounded_and_has_no_control_characters() {
    let agent = |text: &str| ClientInfo::new(None, Some(text)).agent;
    assert_eq!(agent("a\u{1b}[2J\u{85}b\n").as_deref(), Some("a[2Jb"));
    assert_eq!(agent("\u{7f}"), None);
    assert_eq!(agent(&"絆".repeat(1_000)).map(|agent| agent.chars().count()), Some(200));
}

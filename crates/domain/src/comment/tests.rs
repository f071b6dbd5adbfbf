use super::*;
use crate::search::record::RecordType;
use kernel::ids::new_id;
use kernel::scopes::Scopes;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn caller(user_id: Id, role: Role) -> Caller {
    Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL }
}

fn record(owner_id: Id) -> AboutRecord {
    let customer_id = Some(new_id());
    AboutRecord {
        r#type: RecordType::Meeting,
        id: new_id(),
        title: "初回訪問".into(),
        owner_id,
        customer_id,
        merged: Vec::new(),
    }
}

fn user(role: Role) -> Mentionable {
    let id = new_id();
    Mentionable { id, name: "佐藤".into(), email: format!("{id}@example.com"), role }
}

fn text(text: &str) -> CheckedText {
    CheckedText(text.to_owned())
}

fn one(decided: Result<Vec<CommentEvent>, Error>) -> CommentEvent {
    let mut events = decided.expect("a decision");
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn added(author: Id, record: &AboutRecord, said: &str) -> CommentEvent {
    let add = CommentCommand::Add { text: text(said), record: record.clone() };
    one(decide(None, &add, &caller(author, Role::Sales), new_id(), at(1)))
}

fn edited(comment: &Comment, record: &AboutRecord, said: &str) -> CommentEvent {
    let edit = CommentCommand::Edit { text: text(said), record: record.clone() };
    one(decide(Some(comment), &edit, &caller(comment.author_id, Role::Sales), comment.id, at(2)))
}

fn codes(refused: Error) -> Vec<(String, Option<String>)> {
    refused.fields.into_iter().map(|fault| (fault.code.into_owned(), fault.allowed)).collect()
}

#[test]
fn a_mention_and_the_owner_are_notified_once_and_never_the_author() {
    let (author, owner, other) = (new_id(), new_id(), new_id());
    let record = record(owner);
    let said = format!("@[{other}] @[{author}] @[{other}]");
    let made = added(author, &record, &said);
    assert_eq!(made.notify, [other, owner]);
    assert_eq!(made.after.mentions, [other, author]);
    let without = edited(&made.after, &record, "nobody");
    assert_eq!((without.notify.len(), without.after.mentions.len()), (0, 0));
    let third = new_id();
    let again = edited(&without.after, &record, &format!("@[{other}] @[{owner}] @[{third}]"));
    assert_eq!(again.notify, [third], "the others have been notified of this comment");
    assert_eq!(again.after.version, 3);
    assert!(added(owner, &record, "mine").notify.is_empty(), "an owner's own comment");
}

#[test]
fn only_the_author_edits_and_an_admin_deletes_too() {
    let (author, record) = (new_id(), record(new_id()));
    let comment = added(author, &record, "a").after;
    let edit = CommentCommand::Edit { text: text("b"), record: record.clone() };
    let delete = CommentCommand::Delete { record: record.clone() };
    let code = |command: &CommentCommand, by: Caller| {
        decide(Some(&comment), command, &by, comment.id, at(2)).err().map(|error| error.code)
    };
    for role in [Role::Sales, Role::Manager, Role::Admin] {
        let other = caller(new_id(), role);
        assert_eq!(code(&edit, other), Some(ErrorCode::Forbidden), "{role:?}");
        assert_eq!(code(&delete, other).is_none(), role == Role::Admin, "{role:?}");
        assert_eq!((code(&edit, caller(author, role)), code(&delete, caller(author, role))), (None, None));
    }
    let same = CommentCommand::Edit { text: text("a"), record: record.clone() };
    let unchanged = decide(Some(&comment), &same, &caller(author, Role::Sales), comment.id, at(2));
    assert!(unchanged.expect("allowed").is_empty());
    let gone = one(decide(Some(&comment), &delete, &caller(author, Role::Sales), comment.id, at(2)));
    assert_eq!(gone.event_type(), catalogue::COMMENT_DELETED);
    let twice = decide(Some(&gone.after), &delete, &caller(author, Role::Sales), comment.id, at(3));
    assert_eq!(twice.unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_comment_is_found_on_its_own_record_only() {
    let comment = added(new_id(), &record(new_id()), "a").after;
    let own = AboutRecord { id: comment.record_id, ..record(new_id()) };
    assert!(on(Some(&comment), &own).is_ok());
    let other = record(new_id());
    assert_eq!(on(Some(&comment), &other).unwrap_err().code, ErrorCode::NotFound);
    let merged = AboutRecord { merged: vec![comment.record_id], ..other };
    assert!(on(Some(&comment), &merged).is_ok(), "its customer has gone into this one");
    assert_eq!(on(None, &own).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_mention_is_of_somebody_who_lives_and_may_read_the_record() {
    let (mine, other, boss) = (user(Role::Sales), user(Role::Sales), user(Role::Manager));
    let found = [mine.clone(), other.clone(), boss.clone()];
    let said = format!("@{} @[{}]", mine.email, boss.id);
    let checked = check_mentions(&said, &found, mine.id, &[]).expect("both may read it");
    assert_eq!(checked.0, format!("@[{}] @[{}]", mine.id, boss.id));
    let refused = check_mentions(&format!("@[{}]", other.id), &found, mine.id, &[]).unwrap_err();
    assert_eq!(codes(refused), [("mention_cannot_read".to_owned(), Some("佐藤".to_owned()))]);
    let stranger = new_id();
    let refused = check_mentions(&format!("@[{stranger}] @a@b.example"), &found, mine.id, &[]).unwrap_err();
    let named = format!("@[{stranger}], @a@b.example");
    assert_eq!(codes(refused), [("unknown_mention".to_owned(), Some(named))]);
    let stays = check_mentions(&format!("@[{stranger}]"), &found, mine.id, &[stranger]);
    assert!(stays.is_ok(), "whom it mentioned before may be deleted by now");
}

#[test]
fn mentions_are_bounded_and_a_resolved_text_is_no_longer_than_others() {
    let many: String = (0..=MENTIONS_MAX).map(|_| mentions::stored(new_id())).collect();
    assert_eq!(codes(check_number(&many).unwrap_err())[0].0, "too_many_mentions");
    let short = Mentionable { email: "a@b".into(), ..user(Role::Admin) };
    let said = format!("{} @a@b", "あ".repeat(4_990));
    let long = check_mentions(&said, &[short], new_id(), &[]).unwrap_err();
    assert_eq!(codes(long)[0].0, "too_long");
}

#[test]
fn the_events_of_a_comment_are_ordered_with_its_record() {
    let record = record(new_id());
    let made = added(new_id(), &record, "a");
    assert_eq!(made.partition_key(made.after.id), record.id);
    let payload: CommentPayload = serde_json::from_str(made.data().get()).expect("a payload");
    assert_eq!((payload.record, payload.comment.text.as_str()), (record, "a"));
}

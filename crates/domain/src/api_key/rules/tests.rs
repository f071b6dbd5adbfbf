use super::*;
use kernel::ids::new_id;
use kernel::scopes::{Scope, Scopes};

fn now() -> Timestamp {
    Timestamp::from_micros(1_000_000_000)
}

fn later() -> Timestamp {
    Timestamp::from_micros(2_000_000_000)
}

fn live_user(role: Role) -> Arc<UserState> {
    let at = now().to_string();
    let user = serde_json::json!({
        "id": new_id(), "version": 1, "created_at": at, "updated_at": at, "email": "a@example.com", "name": "A",
        "role": role, "manager_id": null, "locale": "en", "time_zone": "Asia/Tokyo", "theme": "SYSTEM",
        "muted_notifications": [], "deleted_at": null, "password_hash": "", "sessions_valid_from": at,
        "kept_session_id": null
    });
    Arc::new(serde_json::from_value(user).expect("a user"))
}

fn admin() -> Caller {
    Caller { user_id: new_id(), role: Role::Admin, session_id: new_id(), scopes: Scopes::ALL }
}

fn wanted(scopes: &[Scope]) -> NewApiKey {
    NewApiKey { name: " 連携 ".into(), scopes: scopes.to_vec(), role: Role::Manager, expires_at: None }
}

fn create(new: NewApiKey, caller: &Caller) -> Result<ApiKey, Error> {
    let command = ApiKeyCommand::Create {
        new: check_new(new)?,
        prefix: "kzn_abc".into(),
        secret_hash: "c0ffee".into(),
    };
    let events = decide(None, &command, caller, new_id(), now())?;
    Ok(events[0].after().clone())
}

#[test]
fn a_key_needs_a_name_and_scopes_each_of_which_stands_once() {
    let new = check_new(wanted(&[Scope::TasksRead, Scope::CustomersRead, Scope::TasksRead])).unwrap();
    assert_eq!((new.name.as_str(), &new.scopes[..]), ("連携", &[Scope::CustomersRead, Scope::TasksRead][..]));
    let error = check_new(NewApiKey { name: " ".into(), ..wanted(&[]) }).unwrap_err();
    let fields: Vec<_> = error.fields.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["name", "scopes"]);
    assert_eq!(check_new(wanted(&[Scope::TasksRead; 51])).unwrap_err().fields[0].code, "too_many");
}

#[test]
fn only_an_admin_makes_and_revokes_keys_and_a_revoked_one_is_gone() {
    let caller = admin();
    let sales = Caller { role: Role::Sales, ..caller };
    let refused = create(wanted(&[Scope::TasksRead]), &sales).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let key = create(wanted(&[Scope::TasksRead]), &caller).unwrap();
    assert_eq!((key.user_id, key.version, key.revoked_at), (caller.user_id, 1, None));
    let revoke =
        |state: &ApiKey, by: &Caller| decide(Some(state), &ApiKeyCommand::Revoke, by, state.id, later());
    assert_eq!(revoke(&key, &sales).unwrap_err().code, ErrorCode::Forbidden);
    let revoked = revoke(&key, &admin()).unwrap()[0].after().clone();
    assert_eq!((revoked.version, revoked.revoked_at), (2, Some(later())));
    assert_eq!(revoke(&revoked, &caller).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_key_cannot_begin_expired() {
    let at = |end| create(NewApiKey { expires_at: Some(end), ..wanted(&[Scope::TasksRead]) }, &admin());
    assert_eq!(at(now()).unwrap_err().fields[0].code, "not_in_future");
    assert_eq!(at(later()).unwrap().expires_at, Some(later()));
}

#[test]
fn the_events_have_neither_key_nor_hash() {
    let key = create(wanted(&[Scope::TasksRead]), &admin()).unwrap();
    for event in [ApiKeyEvent::Created(key.clone()), ApiKeyEvent::Revoked(key)] {
        let data = event.data();
        assert!(!data.get().contains("c0ffee") && data.get().contains("tasks:read"), "{data}");
    }
}

#[test]
fn a_key_may_do_what_it_allows_and_not_more_than_its_user() {
    for (ceiling, role, may) in [
        (Role::Manager, Role::Admin, Role::Manager),
        (Role::Manager, Role::Sales, Role::Sales),
        (Role::Admin, Role::Manager, Role::Manager),
        (Role::Sales, Role::Admin, Role::Sales),
    ] {
        let user = live_user(role);
        let maker = Caller { user_id: user.user.id, ..admin() };
        let new = NewApiKey { role: ceiling, ..wanted(&[Scope::DealsWrite]) };
        let key = create(new, &maker).unwrap();
        let caller = principal(&key, &user, later()).unwrap().caller;
        assert_eq!((caller.role, caller.user_id, caller.session_id), (may, user.user.id, key.id));
        assert_eq!(caller.api_key_id(), Some(key.id));
        assert!(caller.scopes.contains(Scope::DealsRead) && !caller.scopes.contains(Scope::TasksRead));
    }
}

#[test]
fn a_key_ends_with_its_time_its_revocation_and_its_user() {
    let user = live_user(Role::Admin);
    let maker = Caller { user_id: user.user.id, ..admin() };
    let new = NewApiKey { expires_at: Some(later()), ..wanted(&[Scope::TasksRead]) };
    let key = create(new, &maker).unwrap();
    let code = |key: &ApiKey, user: &Arc<UserState>, at| principal(key, user, at).map_err(|error| error.code);
    assert!(code(&key, &user, now()).is_ok());
    assert_eq!(code(&key, &user, later()).unwrap_err(), ErrorCode::TokenExpired);
    let revoked = ApiKey { revoked_at: Some(now()), ..key.clone() };
    assert_eq!(code(&revoked, &user, now()).unwrap_err(), ErrorCode::KeyRevoked);
    let gone = Arc::new(UserState { deleted_at: Some(now()), ..(*user).clone() });
    assert_eq!(code(&key, &gone, now()).unwrap_err(), ErrorCode::KeyRevoked);
    assert_eq!(code(&key, &live_user(Role::Admin), now()).unwrap_err(), ErrorCode::KeyRevoked);
}

#[test]
fn hashes_are_the_same_or_not() {
    assert!(is_same_hash("c0ffee", "c0ffee"));
    for other in ["c0ffef", "c0ffe", "c0ffee0", ""] {
        assert!(!is_same_hash("c0ffee", other), "{other}");
    }
}

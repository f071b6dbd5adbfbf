//! The messages of the auth service.

use super::*;
use domain::api_key::messages as api_keys;
use domain::api_key::record::{ApiKey, ApiKeyView, CreatedKey, NewApiKey};
use domain::lists::ListName;
use domain::saved_view::messages as saved_views;
use domain::saved_view::record::{NewView, SavedView, ViewChanges};
use domain::user::record::UserState;
use kernel::scopes::Scope;

#[test]
fn of_auth() {
    let state = Arc::new(user("ann"));
    let tokens = || auth::Tokens {
        access_token: TEXT.into(),
        token_type: auth::TokenType::Bearer,
        expires_in: 900,
        refresh_token: TEXT.into(),
        user: state.user.clone(),
    };
    let session = Session {
        id: new_id(),
        version: 2,
        created_at: begin(),
        updated_at: moment(),
        user_id: state.user.id,
        generation: 3,
        expires_at: moment(),
        valid_from: moment(),
        revoked_at: Some(moment()),
        kind: SessionKind::Console,
        address: Some("::1".parse().expect("an address")),
        agent: Some(TEXT.into()),
    };
    let new = NewUser {
        email: TEXT.into(),
        name: TEXT.into(),
        role: Role::Admin,
        manager_id: Some(new_id()),
        locale: Some(Locale::En),
        time_zone: Some("Asia/Tokyo".into()),
        password: TEXT.into(),
    };
    let live = auth::LiveUser { id: new_id(), version: 3, role: Role::Sales, manager_id: Some(new_id()) };
    let successors = auth::Successors { successor: live, approver: Some(live) };
    let (email, password) = (TEXT.to_owned(), TEXT.to_owned());
    let client = || ClientInfo { address: session.address, agent: session.agent.clone() };
    let mut tried = Tried::<AuthService>::new();
    let (kind, replaces) = (SessionKind::Console, Some(session.id));
    let device = Some(TEXT.to_owned());
    let login = auth::Login { email, password, kind, client: client(), replaces, device, context: context() };
    tried.call(login, [auth::SignedIn { tokens: tokens(), device: TEXT.into() }]);
    let refresh_token = TEXT.to_owned();
    let refresh = auth::Refresh { refresh_token, kind, client: client(), context: context() };
    tried.call(refresh, [tokens()]);
    let list = auth::ListSessions { caller: caller(), page: page() };
    tried.call(list, pages(SessionView::new(session.clone(), session.id)));
    let end = auth::EndSession { id: session.id, client: ClientInfo::default(), context: context() };
    tried.call(end, [()]);
    let entry = SecurityEntry {
        id: new_id(),
        kind: SecurityKind::TokenReused,
        at: begin(),
        last_at: moment(),
        count: 3,
        user_id: Some(new_id()),
        session_id: None,
        actor_id: Some(new_id()),
        address: session.address,
        agent: Some(TEXT.into()),
    };
    for kind in SecurityKind::ALL.iter().copied().map(Some).chain([None]) {
        let (user_id, address) = (Some(new_id()), session.address);
        let filter = SecurityFilter { kind, user_id, address, from: Some(begin()), to: None };
        let read = ReadSecurityLog { caller: caller(), filter, page: page() };
        tried.call(read, pages(entry.clone()));
    }
    let changes = ProfileChanges { name: Some(TEXT.into()), locale: None, time_zone: Some("UTC".into()) };
    let preferences = PreferenceChanges {
        theme: Some(Theme::Dark),
        muted_notifications: Some(NotificationKind::ALL.into()),
    };
    tried.call(auth::ChangePreferences { changes: preferences, context: context() }, [state.clone()]);
    tried.call(auth::ChangeProfile { changes, context: context() }, [state.clone()]);
    tried.call(auth::Logout { client: client(), context: Context::system() }, [()]);
    let (current_password, new_password) = (TEXT.to_owned(), TEXT.to_owned());
    tried.call(
        auth::ChangePassword { current_password, new_password, client: client(), context: context() },
        [()],
    );
    tried.call(auth::CreateUser { user: new, context: context() }, [state.clone()]);
    for changes in [
        UserChanges::default(),
        UserChanges { manager_id: Some(None), ..UserChanges::default() },
        UserChanges {
            email: Some(TEXT.into()),
            name: Some(TEXT.into()),
            role: Some(Role::Sales),
            manager_id: Some(Some(new_id())),
            locale: Some(Locale::Ja),
            time_zone: Some("UTC".into()),
            password: Some(TEXT.into()),
        },
    ] {
        tried.call(auth::ChangeUser { id: new_id(), changes, context: context() }, [state.clone()]);
    }
    tried.call(auth::RemoveUser { id: new_id(), successors, undoes: None, context: context() }, [new_id()]);
    let removed = Some(Box::new(undo_messages::saga()));
    tried
        .call(auth::RemoveUser { id: new_id(), successors, undoes: removed, context: context() }, [new_id()]);
    let restore = domain::undo::messages::RestoreUser { saga: undo_messages::saga(), context: context() };
    tried.call(restore, [new_id()]);
    tried.call(auth::LiveUsers, [vec![live], vec![]]);
    let user = UserView::Full(state.user.clone());
    let card = UserView::Card(UserCard { id: new_id(), name: TEXT.into(), role: Role::Sales });
    let found = |user: &UserView| auth::FoundUser { version: i64::MAX, user: user.clone() };
    tried.call(auth::FindUser { id: new_id(), caller: caller() }, [found(&user), found(&card)]);
    let name = auth::UserName { id: new_id(), name: TEXT.into(), is_deleted: true };
    tried.call(auth::FindUsers { ids: vec![new_id()], caller: caller() }, [vec![name], vec![]]);
    let found = auth::Mentionable { id: new_id(), name: TEXT.into(), email: TEXT.into(), role: Role::Sales };
    let find = auth::FindMentioned { ids: vec![new_id()], addresses: vec![TEXT.into()] };
    tried.call(find, [vec![found.clone()], vec![]]);
    tried.call(auth::FindUsersByAddress { addresses: vec![TEXT.into()] }, [vec![found], vec![]]);
    tried.call(auth::RecallUser { id: new_id() }, [Some(state.clone()), None]);
    let proof = auth::SessionState { session, user: state.clone() };
    tried.call(auth::FindSession { session_id: new_id(), user_id: new_id() }, [proof]);
    let filter = auth::UserFilter { role: Some(Role::Admin), q: Some(TEXT.into()) };
    let list = auth::ListUsers { caller: caller(), filter, page: page() };
    tried.call(list, pages(user).into_iter().chain(pages(card)).collect::<Vec<_>>());
    views(&mut tried);
    of_api_keys(&mut tried, &state);
    tried.all();
}

fn of_api_keys(tried: &mut Tried<AuthService>, user: &Arc<UserState>) {
    let key = ApiKey {
        id: new_id(),
        version: 2,
        created_at: begin(),
        updated_at: moment(),
        name: TEXT.into(),
        prefix: "kzn_AZ5tXw8bcYqk".into(),
        scopes: Scope::ALL.to_vec(),
        role: Role::Manager,
        user_id: new_id(),
        expires_at: Some(moment()),
        revoked_at: Some(moment()),
        secret_hash: "c0ffee".into(),
    };
    let open = ApiKey { expires_at: None, revoked_at: None, ..key.clone() };
    let new =
        NewApiKey { name: TEXT.into(), scopes: Scope::ALL.to_vec(), role: Role::Sales, expires_at: None };
    let view = |key: &ApiKey| ApiKeyView::new(key.clone(), Some(moment()));
    let made = |text: Option<&str>| CreatedKey { view: view(&key), key: text.map(str::to_owned) };
    tried
        .call(api_keys::CreateApiKey { api_key: new, context: context() }, [made(Some("kzn_x")), made(None)]);
    tried.call(api_keys::RevokeApiKey { id: new_id(), context: context() }, [()]);
    tried.call(api_keys::ListApiKeys { caller: caller(), page: page() }, pages(view(&key)));
    let state = |key: &ApiKey| api_keys::ApiKeyState { key: key.clone(), user: user.clone() };
    tried.call(api_keys::FindApiKey { id: new_id() }, [state(&key), state(&open)]);
    tried.call(api_keys::NoteKeyUse { id: new_id(), at: moment() }, [()]);
}

fn views(tried: &mut Tried<AuthService>) {
    let view = || SavedView {
        id: new_id(),
        version: 3,
        created_at: begin(),
        updated_at: moment(),
        list: ListName::Approvals,
        name: TEXT.into(),
        filter: [("status".to_owned(), "PENDING".to_owned())].into(),
        sort: Some("-amount".into()),
        columns: vec!["amount".into()],
        limit: Some(25),
        is_default: true,
    };
    let SavedView { list, name, filter, sort, columns, limit, is_default, .. } = view();
    let changes = ViewChanges {
        name: Some(name.clone()),
        filter: Some(filter.clone()),
        sort: Some(None),
        columns: Some(columns.clone()),
        limit: Some(limit),
        is_default: Some(false),
    };
    let new = NewView { list, name, filter, sort, columns, limit, is_default };
    tried.call(saved_views::ListViews { caller: caller(), list: Some(list) }, [vec![view()], vec![]]);
    tried.call(saved_views::SaveView { view: new, context: context() }, [view()]);
    for changes in [changes, ViewChanges::default()] {
        tried.call(saved_views::ChangeView { id: new_id(), changes, context: context() }, [view()]);
    }
    tried.call(saved_views::RemoveView { id: new_id(), context: context() }, [()]);
}

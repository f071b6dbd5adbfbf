//! Users and sessions.

use domain::session::record::Session;
use domain::user::messages::{LiveUser, Mentionable, SESSIONS_NEWEST_FIRST, USERS_BY_CREATION, UserName};
use domain::user::record::{User, UserState};
use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

pub static USERS: Table = Table {
    name: "users",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("deleted_at", Kind::Time),
        ("email", Kind::Text),
        ("name", Kind::Text),
        ("role", Kind::Text),
        ("manager_id", Kind::Id),
        ("locale", Kind::Text),
        ("time_zone", Kind::Text),
        ("theme", Kind::Text),
        ("muted_notifications", Kind::Json),
        ("password_hash", Kind::Text),
        ("sessions_valid_from", Kind::Time),
        ("kept_session_id", Kind::Id),
        ("search", Kind::Search),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

pub static SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("user_id", Kind::Id),
        ("generation", Kind::Int),
        ("expires_at", Kind::Time),
        ("valid_from", Kind::Time),
        ("revoked_at", Kind::Time),
        ("kind", Kind::Text),
        ("address", Kind::Text),
        ("agent", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The live user with this address (in lower case).
pub async fn user_by_email(db: &Db, email: &str) -> Result<Option<UserState>, StoreError> {
    let tail = Sql::default().filter("deleted_at IS NULL", []).filter("email = ?", [email.into()]);
    Ok(db.rows(&USERS, tail).await?.into_iter().next())
}

/// Whether there is any user at all, live or deleted.
pub async fn has_users(db: &Db) -> Result<bool, StoreError> {
    Ok(db.number(Sql::new("SELECT CAST(count(*) AS TEXT) FROM (SELECT id FROM users LIMIT 1) AS u")).await?
        > 0)
}

/// The oldest live ADMIN other than `id`.
pub async fn another_admin(db: &Db, id: Id) -> Result<Option<LiveUser>, StoreError> {
    let tail = Sql::default()
        .filter("deleted_at IS NULL", [])
        .filter("role = 'ADMIN'", [])
        .filter("id <> ?", [id.into()])
        .push(" ORDER BY created_at, id", [])
        .limit(1);
    let rows: Vec<User> = db.rows(&USERS, tail).await?;
    Ok(rows.into_iter().next().map(live))
}

fn live(user: User) -> LiveUser {
    LiveUser { id: user.id, version: user.version, role: user.role, manager_id: user.manager_id }
}

/// All live users in the order of their creation: as many as a company has.
pub async fn live_users(db: &Db) -> Result<Vec<LiveUser>, StoreError> {
    let tail = Sql::default().filter("deleted_at IS NULL", []).push(" ORDER BY created_at, id", []);
    let rows: Vec<User> = db.rows(&USERS, tail).await?;
    Ok(rows.into_iter().map(live).collect())
}

/// The names of the users with these ids, live or deleted, in no order.
pub async fn user_names(db: &Db, ids: &[Id]) -> Result<Vec<UserName>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(ids)?.into()]);
    let users: Vec<UserState> = db.rows(&USERS, tail).await?;
    let name = |state: UserState| UserName {
        is_deleted: !state.is_live(),
        id: state.user.id,
        name: state.user.name,
    };
    Ok(users.into_iter().map(name).collect())
}

/// The live users with these ids or addresses (in lower case), in no order.
pub async fn mentioned(db: &Db, ids: &[Id], addresses: &[String]) -> Result<Vec<Mentionable>, StoreError> {
    let dialect = db.dialect();
    let chosen = format!("(id IN ({}) OR email IN ({}))", dialect.ids(), dialect.texts());
    let (ids, addresses) = (serde_json::to_string(ids)?, serde_json::to_string(addresses)?);
    let tail =
        Sql::default().filter("deleted_at IS NULL", []).filter(&chosen, [ids.into(), addresses.into()]);
    let users: Vec<User> = db.rows(&USERS, tail).await?;
    let mentionable =
        |user: User| Mentionable { id: user.id, name: user.name, email: user.email, role: user.role };
    Ok(users.into_iter().map(mentionable).collect())
}

/// The condition that a user's row is unchanged.
pub fn unchanged(user: &LiveUser) -> Write {
    Write::check(&USERS, user.id).expecting(user.version)
}

/// The condition that a user's row has this version.
pub fn is_at(user: Id, version: i64) -> Write {
    Write::check(&USERS, user).expecting(version)
}

/// Live users with all of `words`, in the order of their creation; with `by_name_only`, the words are those of names only.
pub async fn list_users(
    db: &Db,
    role: Option<Role>,
    words: &Words,
    by_name_only: bool,
    request: &PageRequest,
) -> Result<Page<User>, StoreError> {
    let holds = if by_name_only { db.dialect().first_line_holds() } else { db.dialect().search_holds() };
    let narrow = |sql: Sql| {
        let sql = sql.filter("deleted_at IS NULL", []).filter_some("role = ?", role.map(Role::as_str));
        words.iter().fold(sql, |sql, word| sql.filter(holds, [word.into()]))
    };
    let key = |state: &UserState| USERS_BY_CREATION.keyset(state.user.created_at, state.user.id);
    let page = paging::page(db, &USERS, request, &USERS_BY_CREATION, narrow, key).await?;
    Ok(page.map(|state: UserState| state.user))
}

fn open(sql: Sql, user: Id, now: Timestamp) -> Sql {
    sql.filter("user_id = ?", [user.into()])
        .filter("revoked_at IS NULL", [])
        .filter("expires_at > ?", [now.into()])
}

/// The sessions of a user that are valid now, the newest first.
pub async fn list_sessions(
    db: &Db,
    user: &UserState,
    now: Timestamp,
    request: &PageRequest,
) -> Result<Page<Session>, StoreError> {
    // As `session::rules::is_valid` says: those from before a change of the password have ended, but for one.
    let kept = user.kept_session_id.unwrap_or(Id::nil());
    let narrow = |sql: Sql| {
        open(sql, user.user.id, now)
            .filter("(valid_from = ? OR id = ?)", [user.sessions_valid_from.into(), kept.into()])
    };
    let key = |session: &Session| SESSIONS_NEWEST_FIRST.keyset(session.created_at, session.id);
    paging::page(db, &SESSIONS, request, &SESSIONS_NEWEST_FIRST, narrow, key).await
}

/// The open sessions of a user but for the `kept` ones that were used last; at most `limit`.
pub async fn sessions_beyond(
    db: &Db,
    user: Id,
    now: Timestamp,
    kept: i64,
    limit: i64,
) -> Result<Vec<Id>, StoreError> {
    let tail = open(Sql::default(), user, now)
        .push(" ORDER BY updated_at DESC, id DESC", [])
        .limit(limit)
        .push(" OFFSET ? + 0", [kept.into()]);
    let sessions: Vec<Session> = db.rows(&SESSIONS, tail).await?;
    Ok(sessions.into_iter().map(|session| session.id).collect())
}

/// Deletes sessions that expired before `now` or were revoked before `revoked`, at most `limit`; returns how many.
pub async fn purge_sessions(
    db: &Db,
    now: Timestamp,
    revoked: Timestamp,
    limit: i64,
) -> Result<u64, StoreError> {
    let sql = Sql::new("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions")
        .filter("(expires_at < ? OR revoked_at < ?)", [now.into(), revoked.into()])
        .limit(limit)
        .push(")", []);
    db.execute(sql).await
}

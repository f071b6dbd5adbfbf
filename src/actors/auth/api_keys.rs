//! API keys: made and revoked by ADMIN, and presented by programs in the place of a token.
//!
//! A key is `kzn_` and 64 characters: its id and 256 random bits in base64url. So a node finds a key by its id, as it finds
//! a session, and compares a hash of the random bits. A fast hash is enough, because nobody can try 2^256 of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::time::Duration;

use crate::actors::auth::service::AuthService;
use crate::persistence::api_keys as queries;
use crate::persistence::api_keys::API_KEYS;
use domain::api_key::messages::{
    ApiKeyState, CreateApiKey, FindApiKey, ListApiKeys, NoteKeyUse, RevokeApiKey,
};
use domain::api_key::record::{ApiKey, ApiKeyView, CreatedKey};
use domain::api_key::rules;
use domain::api_key::rules::{ApiKeyCommand, ApiKeyEvent, KEYS_MAX};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::raw;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use runtime::entity::Aggregate;
use store::table::Table;
use store::{Db, StoreError};

/// How every key begins.
pub const BEGINNING: &str = "kzn_";
/// The random bytes of a key.
const SECRET_BYTES: usize = 32;
const ID_BYTES: usize = 16;
/// The characters after [`BEGINNING`] by which one recognises a key: those of its id.
const SHOWN: usize = 12;
/// How long a revoked key is kept: longer than any node may hold an older state of it.
const REVOKED_KEPT: Duration = Duration::from_hours(24 * 30);

/// An API key as an aggregate.
pub struct ApiKeyAggregate;

impl Aggregate for ApiKeyAggregate {
    const KIND: &'static str = "auth.api_key";
    type State = ApiKey;
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;

    const TABLE: &'static Table = &API_KEYS;

    fn decide(
        state: Option<&ApiKey>,
        command: &ApiKeyCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<ApiKeyEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    /// What a repeated answer shows: everything but the key.
    fn view(state: &ApiKey) -> Box<RawValue> {
        raw(&CreatedKey { view: ApiKeyView::new(state.clone(), None), key: None })
    }
}

/// A key as a program presents it.
#[derive(Debug, PartialEq, Eq)]
pub struct PresentedKey {
    pub id: Id,
    /// As [`ApiKey::secret_hash`].
    pub hash: String,
}

impl PresentedKey {
    /// Reads a token; `None` if it is no API key.
    ///
    /// # Errors
    /// `invalid_token` if it begins as a key and is not one.
    pub fn read(token: &str) -> Option<Result<Self, Error>> {
        let rest = token.strip_prefix(BEGINNING)?;
        let parts = URL_SAFE_NO_PAD.decode(rest).ok().filter(|bytes| bytes.len() == ID_BYTES + SECRET_BYTES);
        Some(match parts {
            Some(bytes) => {
                let (id, secret) = bytes.split_at(ID_BYTES);
                let bits = id.try_into().map(u128::from_be_bytes).unwrap_or_default();
                Ok(Self { id: Id::of_bits(bits), hash: hash(secret) })
            }
            None => Err(Error::new(ErrorCode::InvalidToken)),
        })
    }
}

/// A key that was just made: its id, its text and how that begins, and the hash to keep.
struct MadeKey {
    id: Id,
    text: String,
    prefix: String,
    hash: String,
}

impl MadeKey {
    #[expect(clippy::disallowed_methods, reason = "secrets are the one thing that must not be reproducible")]
    fn new() -> Self {
        let id = new_id();
        let mut secret = [0; SECRET_BYTES];
        rand::rng().fill_bytes(&mut secret);
        let mut bytes = id.bits().to_be_bytes().to_vec();
        bytes.extend_from_slice(&secret);
        let text = format!("{BEGINNING}{}", URL_SAFE_NO_PAD.encode(bytes));
        let prefix = text[..BEGINNING.len() + SHOWN].to_owned();
        Self { id, text, prefix, hash: hash(&secret) }
    }
}

fn hash(secret: &[u8]) -> String {
    let digest = Sha256::digest(secret);
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl AuthService {
    pub(super) async fn create_api_key(&self, create: CreateApiKey) -> Result<CreatedKey, Error> {
        create.context.caller.require(&[Role::Admin])?;
        let new = rules::check_new(create.api_key)?;
        if queries::count(&self.db).await? >= KEYS_MAX {
            return Err(Error::new(ErrorCode::TooManyKeys));
        }
        let MadeKey { id, text, prefix, hash: secret_hash } = MadeKey::new();
        let command = ApiKeyCommand::Create { new, prefix, secret_hash };
        let key = self.api_keys.create(id, command, create.context).await?;
        Ok(CreatedKey { view: ApiKeyView::new((*key).clone(), None), key: Some(text) })
    }

    pub(super) async fn revoke_api_key(&self, revoke: RevokeApiKey) -> Result<(), Error> {
        revoke.context.caller.require(&[Role::Admin])?;
        self.api_keys.execute(revoke.id, ApiKeyCommand::Revoke, revoke.context).await.map(drop)
    }

    pub(super) async fn list_api_keys(&self, list: ListApiKeys) -> Result<Page<ApiKeyView>, Error> {
        list.caller.require(&[Role::Admin])?;
        Ok(queries::list(&self.db, &list.page).await?)
    }

    pub(super) async fn find_api_key(&self, find: FindApiKey) -> Result<ApiKeyState, Error> {
        let missing = || Error::new(ErrorCode::InvalidToken);
        if !self.api_keys.exists(find.id).await? {
            return Err(missing());
        }
        let key = self.api_keys.get(find.id).await?.ok_or_else(missing)?;
        let user = self.users.get(key.user_id).await?.ok_or_else(missing)?;
        Ok(ApiKeyState { key: (*key).clone(), user })
    }

    pub(super) async fn note_key_use(&self, note: NoteKeyUse) -> Result<(), Error> {
        // A clock of another node that is ahead must not hide later uses.
        let at = note.at.min(self.clock.now());
        Ok(queries::note_use(&self.db, note.id, at).await?)
    }
}

/// Deletes keys that were revoked long ago; returns how many.
///
/// # Errors
/// The database's.
pub async fn purge(db: &Db, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    queries::purge(db, now.minus(REVOKED_KEPT), limit).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_made() {
        let made = MadeKey::new();
        assert_eq!(made.text.len(), 68);
        assert!(made.text.starts_with(&made.prefix) && made.prefix.len() == 16);
        assert!(!made.text.contains(&made.hash) && made.hash.len() == 64);
        let read = PresentedKey::read(&made.text).expect("a key").expect("a whole one");
        assert_eq!(read, PresentedKey { id: made.id, hash: made.hash });
        let other = MadeKey::new();
        assert_ne!((other.prefix, other.text), (made.prefix, made.text));
    }

    #[test]
    fn what_is_no_key_is_a_token_and_half_a_key_is_neither() {
        assert!(PresentedKey::read("eyJhbGciOiJIUzI1NiJ9.e30.x").is_none());
        let whole = MadeKey::new().text;
        for broken in ["kzn_", "kzn_絆", &whole[..67], &format!("{whole}A"), &whole.replace("kzn_", "kzn_*")]
        {
            let read = PresentedKey::read(broken).expect("it begins as one");
            assert_eq!(read.map_err(|error| error.code), Err(ErrorCode::InvalidToken), "{broken}");
        }
    }
}

//! What can be done with one kind of record.

use std::marker::PhantomData;

use futures_util::Stream;
use futures_util::stream::{iter, try_unfold};
use futures_util::{StreamExt, TryStreamExt};
use kernel::ids::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::client::Client;
use crate::page::{Page, Query};
use crate::problem::Error;
use crate::records::Deleted;

/// A kind of record that can be listed and read.
pub trait Resource: DeserializeOwned {
    /// The path of its list.
    const PATH: &'static str;
}

/// A kind of record that can be made.
pub trait Creatable: Resource {
    type New: Serialize + Sync;
}

/// A kind of record that can be changed and deleted.
pub trait Editable: Resource {
    type Changes: Serialize + Sync;
}

/// The records of a kind, as the signed-in user sees them.
#[derive(Debug)]
pub struct Collection<'a, R> {
    client: &'a Client,
    kind: PhantomData<fn() -> R>,
}

impl<'a, R: Resource> Collection<'a, R> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client, kind: PhantomData }
    }

    fn path(id: Id) -> String {
        format!("{}/{id}", R::PATH)
    }

    /// Reads one.
    ///
    /// # Errors
    /// `not_found`, also where the user may not see it.
    pub async fn get(&self, id: Id) -> Result<Answer<R>, Error> {
        self.client.send(&Call::get(Self::path(id))).await?.answer()
    }

    /// The first page of a list.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub async fn list(&self, query: &Query) -> Result<Page<R>, Error> {
        self.follow(&query.on(R::PATH)).await
    }

    /// The page at an address that a page before it gave as its `next`.
    ///
    /// # Errors
    /// `Address` for one of another server.
    pub async fn follow(&self, next: &str) -> Result<Page<R>, Error> {
        Page::read(&self.client.send(&Call::get(next)).await?)
    }

    /// All rows of a list; a page is fetched when the one before it is used up.
    pub fn stream(&self, query: &Query) -> impl Stream<Item = Result<R, Error>> + use<'a, R> {
        let first = Some(query.on(R::PATH));
        let collection = Self::new(self.client);
        let pages = try_unfold((collection, first), async |(collection, next)| {
            let Some(next) = next else { return Ok::<_, Error>(None) };
            let page = collection.follow(&next).await?;
            Ok(Some((page.items, (collection, page.next))))
        });
        pages.map_ok(|items| iter(items).map(Ok)).try_flatten()
    }
}

impl<R: Creatable> Collection<'_, R> {
    /// Makes one, once: under a key of its own, which its retries keep.
    ///
    /// # Errors
    /// `invalid_fields`, and what the kind refuses.
    pub async fn create(&self, new: &R::New) -> Result<Answer<R>, Error> {
        self.create_once(&Uuid::new_v4().to_string(), new).await
    }

    /// Makes one under the caller's key, for callers that may crash and try again.
    ///
    /// # Errors
    /// `idempotency_key_reused` for another body under the same key.
    pub async fn create_once(&self, key: &str, new: &R::New) -> Result<Answer<R>, Error> {
        self.client.send(&Call::post(R::PATH).json(&given(new)?)?.once(key)).await?.answer()
    }
}

/// The fields of a new record that have a value: the server gives the others theirs.
fn given(new: &impl Serialize) -> Result<Value, Error> {
    let mut fields = serde_json::to_value(new).map_err(Error::Unreadable)?;
    if let Value::Object(fields) = &mut fields {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(fields)
}

impl<R: Editable> Collection<'_, R> {
    /// Changes one; with a version only if it has that still.
    ///
    /// # Errors
    /// `stale_version`, `invalid_fields`, `not_found`.
    pub async fn update(
        &self,
        id: Id,
        version: Option<i64>,
        changes: &R::Changes,
    ) -> Result<Answer<R>, Error> {
        let call = Call::patch(Self::path(id)).json(changes)?.if_match(version);
        self.client.send(&call).await?.answer()
    }

    /// Deletes one; with a version only if it has that still.
    ///
    /// # Errors
    /// `stale_version`, `not_found`.
    pub async fn delete(&self, id: Id, version: Option<i64>) -> Result<Deleted, Error> {
        self.client.send(&Call::delete(Self::path(id)).if_match(version)).await?.json()
    }
}

impl Collection<'_, crate::records::Notification> {
    /// The first page of those neither read nor archived; its `total` is the badge.
    ///
    /// # Errors
    /// As any call's.
    pub async fn unread(&self, query: &Query) -> Result<Page<crate::records::Notification>, Error> {
        self.follow(&query.on("/api/notifications/unread")).await
    }
}

//! Webhooks, their secrets, and their positions in the log.

use domain::webhook::messages::NEWEST_FIRST;
use domain::webhook::record::Webhook;
use kernel::clock::Timestamp;
use kernel::event::PARTITIONS;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

pub static WEBHOOKS: Table = Table {
    name: "webhooks",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("created_by", Kind::Id),
        ("url", Kind::Text),
        ("event_types", Kind::Json),
        ("disabled_at", Kind::Time),
        ("disabled_reason", Kind::Text),
        ("secret_made_at", Kind::Time),
        ("place", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The secrets of a webhook, encrypted, in a row with its id.
pub static WEBHOOK_SECRETS: Table = Table {
    name: "webhook_secrets",
    columns: &[("id", Kind::Id), ("version", Kind::Int), ("current", Kind::Text), ("previous", Kind::Json)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

pub static WEBHOOK_POSITIONS: Table = Table {
    name: "webhook_positions",
    columns: &[
        ("id", Kind::Text),
        ("webhook_id", Kind::Id),
        ("slice", Kind::Int),
        ("position", Kind::Int),
        ("queued", Kind::Int),
        ("replay_from", Kind::Time),
        ("revision", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "revision",
};

/// Webhooks whose deliveries are still to be deleted.
pub static DELETED_WEBHOOKS: Table = Table {
    name: "deleted_webhooks",
    columns: &[("id", Kind::Id), ("version", Kind::Int)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The secrets of a webhook, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecrets {
    pub id: Id,
    pub version: i64,
    pub current: String,
    /// Those before it, the newest first.
    pub previous: Vec<OldSecret>,
}

/// A secret that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSecret {
    pub sealed: String,
    /// It signs until then.
    pub until: Timestamp,
}

impl SealedSecrets {
    /// Stores them in the place of the version before.
    pub fn write(&self) -> Write {
        Write::put(&WEBHOOK_SECRETS, self.id, self).expecting(self.version - 1)
    }
}

/// How far the events of a partition have become deliveries of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub webhook_id: Id,
    #[serde(rename = "slice")]
    pub partition: i64,
    pub position: i64,
    /// The farthest position so far. Below it events are replayed: their deliveries may be there.
    pub queued: i64,
    /// Of what is replayed, events before this time are passed over.
    pub replay_from: Option<Timestamp>,
    /// Grows with each change of the row.
    pub revision: i64,
}

impl Position {
    /// Whether events are replayed.
    pub fn is_replaying(&self) -> bool {
        self.position < self.queued
    }

    /// This row after a change that leads to `position`.
    pub fn moved(&self, position: i64) -> Self {
        let queued = self.queued.max(position);
        let replay_from = self.replay_from.filter(|_| position < queued);
        Self { position, queued, replay_from, revision: self.revision + 1, ..self.clone() }
    }

    /// Stores it in the place of the revision before.
    pub fn write(&self) -> Write {
        #[derive(Serialize)]
        struct Row<'a> {
            id: &'a str,
            #[serde(flatten)]
            position: &'a Position,
        }
        let id = position_id(self.webhook_id, self.partition);
        Write::put(&WEBHOOK_POSITIONS, &id, &Row { id: &id, position: self }).expecting(self.revision - 1)
    }
}

fn position_id(webhook: Id, partition: i64) -> String {
    format!("{webhook}/{partition}")
}

/// The positions of a new webhook: at these heads of the partitions.
pub fn begin(webhook: Id, heads: &[(i64, i64)]) -> Vec<Write> {
    let position = |(partition, head): &(i64, i64)| Position {
        webhook_id: webhook,
        partition: *partition,
        position: *head,
        queued: *head,
        replay_from: None,
        revision: 1,
    };
    heads.iter().map(|head| position(head).write()).collect()
}

/// What goes with a webhook, and a note that its deliveries are to be deleted.
pub fn deletions(webhook: Id) -> Vec<Write> {
    #[derive(Serialize)]
    struct Deleted {
        id: Id,
        version: i64,
    }
    let positions =
        (0..PARTITIONS).map(|partition| Write::delete(&WEBHOOK_POSITIONS, position_id(webhook, partition)));
    let rest = [
        Write::delete(&WEBHOOK_SECRETS, webhook),
        Write::put(&DELETED_WEBHOOKS, webhook, &Deleted { id: webhook, version: 1 }),
    ];
    positions.chain(rest).collect()
}

/// All webhooks: they are few.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn all(db: &Db) -> Result<Vec<Webhook>, StoreError> {
    db.rows(&WEBHOOKS, Sql::default().push(" ORDER BY id", [])).await
}

/// Webhooks, the newest first.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn list(db: &Db, request: &PageRequest) -> Result<Page<Webhook>, StoreError> {
    let key = |row: &Webhook| NEWEST_FIRST.keyset(row.created_at, row.id);
    paging::page(db, &WEBHOOKS, request, &NEWEST_FIRST, |sql| sql, key).await
}

/// The secrets of all webhooks.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn all_secrets(db: &Db) -> Result<Vec<SealedSecrets>, StoreError> {
    db.rows(&WEBHOOK_SECRETS, Sql::default()).await
}

/// The secrets of a webhook.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn secrets(db: &Db, webhook: Id) -> Result<Option<SealedSecrets>, StoreError> {
    db.row(&WEBHOOK_SECRETS, webhook).await
}

/// The positions of a webhook, in the order of partitions.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn positions(db: &Db, webhook: Id) -> Result<Vec<Position>, StoreError> {
    let tail = Sql::default().filter("webhook_id = ?", [webhook.into()]);
    db.rows(&WEBHOOK_POSITIONS, tail.push(" ORDER BY slice", [])).await
}

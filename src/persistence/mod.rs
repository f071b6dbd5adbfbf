//! The tables and queries of the records, one file for each. SQL only: rules are in `domain`.

pub mod analytics;
pub mod api_keys;
pub mod approvals;
pub mod attachments;
pub mod auth;
pub mod backups;
pub mod batches;
pub mod comments;
mod customer_lists;
pub mod customer_matches;
pub mod customer_replicas;
pub mod customers;
pub mod deal_reports;
pub mod deals;
pub mod deletions;
pub mod discarded;
pub mod external_ids;
pub mod found;
pub mod imports;
pub mod login_buckets;
pub mod login_failures;
pub mod meetings;
pub mod news;
pub mod record_activity;
pub mod saga_items;
pub mod sagas;
pub mod saved_views;
pub mod security_log;
pub mod subscriptions;
pub mod tallies;
pub mod tally_folds;
mod tally_periods;
pub mod tasks;
pub mod text_folds;
pub mod text_keys;
pub mod uploads;
pub mod webhook_deliveries;
pub mod webhooks;

use sqlx::migrate::Migrator;
use store::settings::Schema;
use store::{Db, StoreError};

use domain::events::CATALOGUE;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The schema of Kizuna's database.
pub const SCHEMA: Schema = Schema { sqlite: &SQLITE, postgres: &POSTGRES, events: CATALOGUE };

/// Brings a database's schema up to date, and makes the keys of rows that have none; returns the names of all applied
/// migrations.
///
/// # Errors
/// When a migration fails or the schema is newer than this binary; `Unavailable`. What was done until then is stored.
pub async fn migrate(db: &Db) -> Result<Vec<String>, StoreError> {
    let names = db.migrate().await?;
    text_keys::renew(db).await?;
    Ok(names)
}

//! The tables and queries of the records, one file for each. SQL only: rules are in `domain`.

pub mod analytics;
pub mod approvals;
pub mod auth;
pub mod customer_replicas;
pub mod customers;
pub mod deletions;
pub mod login_buckets;
pub mod login_failures;
pub mod meetings;
pub mod sagas;
pub mod security_log;
pub mod tasks;

use sqlx::migrate::Migrator;
use store::settings::Schema;

use domain::events::CATALOGUE;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The schema of Kizuna's database.
pub const SCHEMA: Schema = Schema { sqlite: &SQLITE, postgres: &POSTGRES, events: CATALOGUE };

//! The database of a test: empty at first, with ways to read and change it besides the server.

use kizuna::persistence::SCHEMA;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use store::Db;
use store::settings::DatabaseSettings;
use tempfile::TempDir;

use crate::app::{Database, Postgres, Sqlite};
use crate::postgres;

/// The database of one test. Dropping it removes its files.
pub struct TestDatabase {
    pub url: String,
    files: Option<TempDir>,
}

impl TestDatabase {
    /// Makes an empty database; a SQLite file does not exist yet.
    pub fn fresh(on: Database) -> Self {
        match on {
            Sqlite => {
                let files = TempDir::with_prefix("kizuna-test.").expect("a temporary directory");
                Self { url: format!("sqlite://{}/kizuna.db", files.path().display()), files: Some(files) }
            }
            Postgres => Self { url: postgres::server().fresh_database(), files: None },
        }
    }

    /// The PostgreSQL database of this URL.
    pub fn of(url: String) -> Self {
        Self { url, files: None }
    }

    /// The folder of a SQLite file.
    pub fn folder(&self) -> &std::path::Path {
        self.files.as_ref().expect("a database in files").path()
    }

    /// Opens it as the server does, on the runtime this is called from.
    pub async fn open(&self) -> Db {
        let settings = DatabaseSettings { url: self.url.clone(), pool_size: 4 };
        Db::connect(&settings, SCHEMA).await.expect("a database that opens")
    }

    /// Opens it and applies the migrations.
    pub async fn migrated(&self) -> Db {
        let db = self.open().await;
        db.migrate().await.expect("a schema");
        db
    }

    /// Runs statements past the server, on a connection of their own.
    pub async fn raw(&self, statements: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        let done = if self.files.is_some() {
            let mut connection = SqliteConnection::connect(&self.url).await.expect("a file that opens");
            sql.execute(&mut connection).await.map(drop)
        } else {
            let mut connection = PgConnection::connect(&self.url).await.expect("a server that answers");
            sql.execute(&mut connection).await.map(drop)
        };
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Makes a template of its content. No connection may be open.
    pub fn into_template(self) -> Template {
        match &self.files {
            Some(files) => {
                let read = |name: &str| std::fs::read(files.path().join(name));
                assert!(read("kizuna.db-wal").is_err(), "the database was not closed");
                Template::File(read("kizuna.db").expect("a database file"))
            }
            None => Template::Database(self.url),
        }
    }
}

/// The content of a database, to be copied per test.
pub enum Template {
    File(Vec<u8>),
    Database(String),
}

impl Template {
    pub fn copy(&self) -> TestDatabase {
        match self {
            Self::File(bytes) => {
                let database = TestDatabase::fresh(Sqlite);
                std::fs::write(database.folder().join("kizuna.db"), bytes).expect("room for a file");
                database
            }
            Self::Database(url) => TestDatabase { url: postgres::server().copy_of(url), files: None },
        }
    }
}

//! A client of Kizuna's REST API.
//!
//! What the API asks of every client is done here once: tokens are renewed before they run out, lists follow their
//! `Link`, a `POST` carries an `Idempotency-Key` that stays the same over its retries, `Retry-After` is waited for, and
//! an error is a [`Problem`] with its stable `code`.
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use kizuna_client::{Client, Error, Query, records::{CustomerChanges, CustomerStatus, NewCustomer}};
//!
//! # async fn tour() -> Result<(), Error> {
//! let kizuna = Client::new("http://127.0.0.1:8080")?.login("sales@example.com", "kizuna-demo").await?;
//!
//! let new = NewCustomer { name: "佐々木 商店".into(), ..NewCustomer::default() };
//! let made = kizuna.customers().create(&new).await?;
//!
//! let changes = CustomerChanges { status: Some(CustomerStatus::Active), ..CustomerChanges::default() };
//! match kizuna.customers().update(made.id, made.etag, &changes).await {
//!     Err(error) if error.code() == Some("stale_version") => println!("somebody was faster"),
//!     changed => println!("now at version {}", changed?.version),
//! }
//!
//! let mut leads = std::pin::pin!(kizuna.customers().stream(&Query::new().with("status", "LEAD")));
//! while let Some(lead) = leads.try_next().await? {
//!     println!("{}", lead.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Client`]: the way to one server; [`Collection`]: what can be done with one kind of record
//! - [`records`]: what the server answers, and what it is sent
//! - [`RetryPolicy`]: which requests are sent again, and when
//!
//! `https://` needs the feature `tls`.

mod actions;
mod call;
mod client;
mod collection;
mod page;
mod problem;
pub mod records;
mod retry;
mod session;

pub use client::{Builder, Client};
pub use collection::{Collection, Creatable, Editable, Resource};
pub use page::{Page, Query};
pub use problem::{Error, FieldProblem, Problem};
pub use retry::RetryPolicy;

pub use call::Answer;
pub use kernel::clock::Timestamp;
/// The ids of all records.
pub use kernel::ids::Id;

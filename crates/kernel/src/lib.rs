//! The types that every other part of Kizuna uses: ids, time, errors, callers, events and pages.
//!
//! There is no actor, SQL or HTTP here, so that pure rules can use all of it.
//!
//! - [`ids`], [`clock`], [`day`], [`duration`], [`locale`], [`whole_number`], [`service_id`]: values
//! - [`error`]: the error of every part, with a stable code
//! - [`caller`], [`context`]: the user behind a request, and what travels with a command
//! - [`scopes`], [`scoped`]: what an API key may be used for, and what a message needs
//! - [`event`], [`cloud_event`]: the envelope of every event, inside and outside
//! - [`page`]: keyset pages of lists
//! - [`validation`], [`patch`], [`text_schemas`], [`characters`]: checking request bodies, and describing them
//! - [`text_key`], [`search`], [`rank`], [`name_order`]: how texts are compared, searched and sorted
//! - [`address`]: the addresses of clients
//! - [`alarm`]: how often the log says what happens again and again
//! - [`failpoint`]: faults that tests switch on by name; [`simulation`]: what the simulation needs of the code

pub mod address;
pub mod alarm;
pub mod caller;
pub mod characters;
pub mod clock;
pub mod cloud_event;
pub mod context;
pub mod currency;
pub mod day;
pub mod duration;
pub mod error;
pub mod event;
pub mod failpoint;
pub mod ids;
pub mod locale;
pub mod name_order;
pub mod page;
pub mod patch;
pub mod rank;
pub mod scoped;
pub mod scopes;
pub mod search;
pub mod service_id;
pub mod simulation;
pub mod text_key;
pub mod text_schemas;
pub mod validation;
pub mod whole_number;

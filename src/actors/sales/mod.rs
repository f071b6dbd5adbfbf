//! sales: meetings with customers (SPEC §1, §3; flow 3) in the files here, tasks in `tasks/`; one service, one client.

pub mod aggregate;
pub mod client;
pub mod departures;
pub mod domain;
pub mod events;
pub mod messages;
pub mod service;
pub mod tasks;

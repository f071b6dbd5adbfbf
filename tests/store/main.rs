//! One suite that runs every store function on both databases, and the machinery on top of them.
//!
//! - `durability`, `journal`, `races`: the guarantees of a commit, alone and among several nodes
//! - `rows`, `keys`: every table keeps its rows unchanged; `queries`, `accounts`, `tasks`, `approvals`, `log`: every
//!   query; `growth`: that they have indexes, tallies and searches by index
//! - `feed`, `dead_letters`, `entities`, `schedules`: consumers, aggregates and jobs against a real database; `node`:
//!   their actors; `copier`: a consumer that can be made to fail; `integrity`: every fault of consumers is found
//! - `dealt_with`: notifications are marked as read once, however often their cause is applied
//! - `wire`: messages and answers between nodes; `remote`: how they travel over a real Redis; `hostile_redis`: what
//!   somebody else writes there; `tls`: the links to PostgreSQL and Redis by TLS
//! - `shared`, `hot`: states in memory and in Redis while other nodes commit; `admins`, `throttle`: rules that hold
//!   across nodes
//! - `text_keys`: keys for rows that have none; `beside`: what stands beside a record lives and goes with it
//! - `outcomes`, `connections`: the database or a connection to it fails
//! - `simulated`: the simulated database does what PostgreSQL does
//! - `common`: rows and units to commit

mod accounts;
mod admins;
mod approvals;
mod batches;
mod beside;
mod common;
mod connections;
mod copier;
mod dead_letters;
mod dealt_with;
mod durability;
mod entities;
mod feed;
mod growth;
mod hostile_redis;
mod hot;
mod integrity;
mod journal;
mod keys;
mod log;
mod node;
mod nodes;
mod outcomes;
mod queries;
mod races;
mod remote;
mod rows;
mod schedules;
mod security_log;
mod shared;
mod simulated;
mod subscriptions;
mod tasks;
mod text_keys;
mod throttle;
mod tls;
mod wire;

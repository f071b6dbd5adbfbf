//! One suite that runs every store function on both databases, and the machinery on top of them.
//!
//! - `durability`, `journal`, `races`: what a commit promises, by itself and among several nodes
//! - `rows`, `keys`: every table keeps what it is given; `queries`, `accounts`, `tasks`, `approvals`, `log`: every question is answered
//! - `feed`, `dead_letters`, `entities`, `schedules`: consumers, aggregates and jobs against a real database; `node`: their actors;
//!   `copier`: a consumer that fails when it is told to; `integrity`: every fault of theirs is found
//! - `wire`: messages and answers between nodes; `remote`: how they travel over a real Redis
//! - `shared`, `hot`: what a node has in memory and in Redis while others commit; `admins`, `throttle`: rules that hold across nodes
//! - `common`: rows and units to commit

mod accounts;
mod admins;
mod approvals;
mod common;
mod copier;
mod dead_letters;
mod durability;
mod entities;
mod feed;
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
mod shared;
mod tasks;
mod throttle;
mod wire;

//! Many nodes as one system: real processes, a real PostgreSQL and a real Redis, all of which die.
//!
//! - `reads`: what one node has acknowledged every other shows; `contention`: one record changed by all at once
//! - `kills`, `redis`, `crash`, `paused`: a node, Redis, PostgreSQL killed, stopped or hung under load
//! - `membership`: partitions go where nodes live; `partial_services`: services on chosen nodes; `replica`: one that is gone
//! - `live`: notifications across nodes; `sessions`: what holds everywhere at once; `due`: alerts are once
//! - `logs`: one request in the logs of two nodes
//! - `rolling`: every node restarted behind a load balancer; `compose`: what `docker-compose.yml` starts
//! - `cluster`: the nodes of a test; `plan`: how they are started; `staff`: the users that they know
//! - `load`: work under way, which remembers what was acknowledged; `watcher`: a user who receives the notifications;
//!   `ledger`: whether all of it is there; `proxy`: HAProxy

mod cluster;
mod compose;
mod contention;
mod crash;
mod due;
mod kills;
mod ledger;
mod live;
mod load;
mod logs;
mod membership;
mod partial_services;
mod paused;
mod plan;
mod proxy;
mod reads;
mod redis;
mod replica;
mod rolling;
mod sessions;
mod staff;
mod watcher;

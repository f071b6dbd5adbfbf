//! Many nodes as one system: real processes, a real PostgreSQL and a real Redis, all of which are killed.
//!
//! - `reads`: every node shows what another has acknowledged; `contention`: one record changed by all nodes at once
//! - `kills`, `redis`, `crash`, `paused`: a node, Redis, PostgreSQL killed, stopped or hung under load
//! - `membership`: partitions move to living nodes; `partial_services`: services on chosen nodes; `replica`: a service
//!   without a node
//! - `live`: notifications across nodes; `events`: events for readers outside; `sessions`: sign-outs and limits that hold on every node; `due`: each alert
//!   once
//! - `imports`: imports and changes of many, whose nodes die; `undo`: merges and undos, likewise
//! - `logs`, `traces`: one request in the logs of two nodes, and in their spans; `backup`: a restored cluster beside the Redis of before
//! - `rolling`: every node restarted behind a load balancer; `compose`: what `docker-compose.yml` starts;
//!   `exposed`: what the load balancer lets through
//! - `load`: a load that records what was acknowledged; `watcher`: a user who receives the notifications; `ledger`:
//!   whether all of it is stored
//! - `recorder`: clients that record what they ask and are answered; `log_readers`: readers of the log beside them

// What the soak uses too.
use testing::cluster;
use testing::cluster::{plan, proxy, staff};

mod backup;
mod compose;
mod contention;
mod crash;
mod due;
mod events;
mod exposed;
mod imports;
mod kills;
mod ledger;
mod live;
mod load;
mod log_readers;
mod logs;
mod membership;
mod partial_services;
mod paused;
mod reads;
mod recorder;
mod redis;
mod replica;
mod rolling;
mod sessions;
mod traces;
mod undo;
mod watcher;
mod webhooks;

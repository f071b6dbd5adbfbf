//! A connection to Redis, or to the Redis of a simulated world.

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, Value};

#[cfg(feature = "simulation")]
use crate::simulated;

/// A connection, or what makes connections; clones share it.
#[derive(Clone)]
pub enum Connection<C> {
    Real(C),
    #[cfg(feature = "simulation")]
    Simulated(std::sync::Arc<dyn simulated::Redis>),
}

impl<C: ConnectionLike> ConnectionLike for Connection<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Real(connection) => connection.req_packed_command(cmd),
            #[cfg(feature = "simulation")]
            Self::Simulated(redis) => redis.command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Real(connection) => connection.req_packed_commands(pipeline, offset, count),
            #[cfg(feature = "simulation")]
            Self::Simulated(redis) => redis.pipeline(pipeline),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Real(connection) => connection.get_db(),
            #[cfg(feature = "simulation")]
            Self::Simulated(_) => 0,
        }
    }
}

//! Webhooks: events are sent to addresses outside. Every node has all of this, and sends what is of its partitions.
//!
//! - [`service`]: what the API and the console ask; [`aggregate`]: a webhook; [`secrets`]: what signs
//! - [`dispatcher`]: starts an endpoint, with its circuit breaker, for each webhook
//! - [`endpoint`]: makes deliveries of the log's events and sends them, as a `lane` of this node's partitions; `queue`: what waits
//!   in a lane
//! - `attempt`: one try, through the breaker; [`courier`]: one HTTP exchange; [`resolver`]: only to addresses that are allowed

pub mod aggregate;
mod attempt;
pub mod courier;
pub mod dispatcher;
pub mod endpoint;
mod lane;
mod queue;
pub mod resolver;
pub mod secrets;
pub mod service;

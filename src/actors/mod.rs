//! Services, aggregates and consumers as supervised actors.
//!
//! ```text
//! Supervisor
//! ├─ registry              who hears of a commit
//! ├─ journal               the one writer
//! ├─ breaker.auth, .customer, .sales, .opportunity, .analytics
//! ├─ auth ─────── auth.user, auth.session        one child per aggregate,
//! ├─ customer ─── customer.customer              found in the kind's directory
//! ├─ sales ────── sales.meeting, sales.task
//! ├─ opportunity  opportunity.approval
//! ├─ analytics ── analytics.notification, and analytics.listener: one per user with open sockets
//! ├─ live                  tells the listeners of events
//! ├─ cluster.responder, cluster.replies           calls of other nodes, and answers to this one's
//! ├─ scheduler             jobs at fixed times
//! ├─ operations           what all of these show of themselves
//! ├─ cluster.lease, .relay, .reader, .trimmer        where there are other nodes
//! ├─ cluster.responder, .replies                     calls to our services, and answers to ours
//! └─ feeds: sales.customers, opportunity.customers, analytics.metrics, analytics.activity,
//!           analytics.notifications, sagas.progress, and the departures of each service
//! ```
//!
//! A slice (`auth/`, `customer/`, …) imports of another its `messages`, `events` and `client`, never its
//! inside. `runtime/` imports no slice.

pub mod analytics;
pub mod auth;
pub mod catalogue;
pub mod cloud_event;
pub mod context;
pub mod customer;
pub mod customers_known;
pub mod departures;
pub mod event;
pub mod fields;
pub mod guards;
pub mod live;
pub mod operations;
pub mod opportunity;
pub mod owners;
pub mod page;
pub mod refusal;
pub mod replica;
pub mod runtime;
pub mod sagas;
pub mod sales;
pub mod service_name;
pub mod shapes;

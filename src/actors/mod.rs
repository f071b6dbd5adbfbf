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
//! └─ consumers: sales.customers, opportunity.customers, analytics.metrics, analytics.activity,
//!           analytics.notifications, sagas.progress, and the deletions of each service
//! ```
//!
//! A partition (`auth/`, `customer/`, …) imports of another its `messages`, `events` and `client`, never its
//! inside. `runtime/` imports no partition.

pub mod analytics;
pub mod auth;
pub mod customer;
pub mod customer_check;
pub mod customer_replicas;
pub mod deletions;
pub mod live;
pub mod operations;
pub mod opportunity;
pub mod sagas;
pub mod sales;
pub mod user_check;

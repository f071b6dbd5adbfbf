//! Services, aggregates and consumers as supervised actors.
//!
//! ```text
//! Supervisor
//! ├─ registry              passes commits to subscribers
//! ├─ journal               the one writer
//! ├─ breaker.auth, .customer, .sales, .opportunity, .analytics
//! ├─ auth ─────── auth.user, auth.session        one child per aggregate,
//! ├─ customer ─── customer.customer, .import     found in the kind's directory
//! ├─ sales ────── sales.meeting, sales.task
//! ├─ opportunity  opportunity.approval, opportunity.deal    each of these four with its comments and attachments:
//! │                                              customer.comment, customer.attachment, …
//! ├─ analytics ── analytics.notification, and analytics.listener: one per user with open sockets
//! ├─ live                  passes events to the listeners
//! ├─ scheduler             jobs at fixed times
//! ├─ operations            shows the state of all of these
//! ├─ subscriptions, and .watch    events for readers outside, and who waits for them
//! ├─ webhooks ─── webhooks.webhook; webhooks.dispatcher, and of each webhook webhooks.endpoint.ID and its breaker webhook.ID
//! ├─ cluster.lease, .relay, .reader, .trimmer        on a node of a cluster
//! ├─ cluster.responder, .replies                     calls from other nodes, and answers from them
//! └─ consumers: attachments.bytes, sales.customers, opportunity.customers, analytics.metrics, analytics.activity,
//!           analytics.notifications, sagas.progress, and the deletions of each service
//! ```
//!
//! A service (`auth/`, `customer/`, …) names of another only its `client`; `tests/layers` has the few exceptions.

pub mod analytics;
pub mod attachments;
pub mod auth;
pub mod bulk;
mod bulk_batch;
pub mod comments;
pub mod customer;
pub mod customer_check;
pub mod customer_replicas;
pub mod deletions;
pub mod first_answers;
mod import_commit;
pub mod importer;
pub mod importing;
pub mod live;
pub mod operations;
pub mod opportunity;
mod outcomes;
pub mod sagas;
pub mod sales;
pub mod subscriptions;
pub mod undo;
pub mod uploads;
pub mod user_check;
pub mod webhooks;

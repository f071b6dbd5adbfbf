//! Calls to services of other nodes, over Redis Streams.
//!
//! ```text
//! Service::ask ─ breaker ─ caller ── XADD calls:<node> ──► responder ─ the service's actor
//!                            ▲                                 │
//!                       its replies ◄── XADD replies:<node> ───┘
//! ```
//!
//! A node has one stream of calls and one of replies; both are named by its incarnation, so that nothing meant for a
//! process reaches the next one. What is read is deleted, what nobody reads runs out.
//!
//! A read is asked again, of the next node that hosts the service. A command is sent to one node alone: sent twice under
//! one id when it is unknown whether Redis has it, carried out once. Without an answer its outcome is unknown, as with
//! any server that went silent; who must know sends an `Idempotency-Key`, which is in the database.
//!
//! Who can write to Redis can speak for anybody, and sees passwords on their way: it belongs to the cluster as much as
//! the database does.
//!
//! - `calls`: what stands on the wire; `seen`: which calls have come already; both pure
//! - `mailbox`: a stream that a node reads; `caller`: asks; `responder`: answers

pub mod caller;
pub mod calls;
mod dedup;
pub mod mailbox;
pub mod responder;

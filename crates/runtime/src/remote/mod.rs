//! Calls to services of other nodes, over Redis Streams.
//!
//! ```text
//! Service::ask ─ breaker ─ caller ── XADD calls:<node> ──► responder ─ the service's actor
//!                            ▲                                 │
//!                       its replies ◄── XADD replies:<node> ───┘
//! ```
//!
//! A node has one stream of calls and one of replies. Both are named by its incarnation, so that the next process does
//! not read entries of the previous one. Entries are deleted after they are read, and streams without a reader expire.
//!
//! A read is repeated at the next node that hosts the service. A command is sent to one node only. If it is unknown
//! whether Redis has it, it is sent again under its id, and is carried out once. Without an answer its outcome is
//! unknown, as with any server that stops answering; a client that must know sends an `Idempotency-Key`, which is
//! stored in the database.
//!
//! Entries are sealed for the stream that they are sent to, so that a process that can access Redis can neither make a
//! call nor read one. Somebody who sends an entry again finds its id remembered or its deadline past.
//!
//! - `calls`: the entries on the wire; `dedup`: the ids of calls that have arrived; both pure
//! - `mailbox`: a stream that a node reads; `caller`: sends calls; `responder`: answers them

pub mod caller;
pub mod calls;
mod dedup;
pub mod mailbox;
pub mod responder;

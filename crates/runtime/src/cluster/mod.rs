//! Many nodes as one system. PostgreSQL is the record, Redis only transports; there is no consensus protocol.
//!
//! ```text
//! journal ─ registry ─► feeds, live hub of this node
//!              │  ▲
//!            relay └──── reader        one stream per partition: XADD <partition_seq>-0, plain XREAD
//!              ▼           ▲
//!            Redis ────────┘           away, empty or behind: the log is read instead
//! ```
//!
//! - `node`: this node; `members`: the living nodes; `lease`: how they are known, by PostgreSQL
//! - `clock`: PostgreSQL's clock, by which nodes compare times
//! - `watched`: a value whose changes tasks wait for
//! - `placement`: which node works on which partition; pure
//! - `relay`: publishes this node's events to Redis; `reader`: reads those of other nodes; `trimmer`: keeps the streams
//!   short, and free of what no node has written

pub mod clock;
pub mod lease;
pub mod members;
pub mod node;
pub mod placement;
pub mod reader;
pub mod relay;
pub mod trimmer;
pub mod watched;

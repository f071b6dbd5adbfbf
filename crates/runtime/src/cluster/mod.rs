//! Many nodes as one system. PostgreSQL keeps the truth, Redis carries news, nothing here is a consensus of its own.
//!
//! ```text
//! journal ─ registry ─► feeds, live hub of this node
//!              │  ▲
//!            relay └──── reader        one stream a partition: XADD <partition_seq>-0, plain XREAD
//!              ▼           ▲
//!            Redis ────────┘           away, empty or behind: the log is read instead
//! ```
//!
//! - `node`: who this node is; `members`: who lives; `lease`: how both are known, in PostgreSQL
//! - `placement`: who works on which partition; pure
//! - `relay`: tells the other nodes what was committed here; `reader`: hears it; `trimmer`: keeps the streams short

pub mod lease;
pub mod members;
pub mod node;
pub mod placement;
pub mod reader;
pub mod relay;
pub mod trimmer;

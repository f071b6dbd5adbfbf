//! Circuit breakers: one per callee, shared by all callers of a node (SPEC §7).
//!
//! - [`machine`]: when a breaker opens, probes and closes; [`window`]: the calls by which it decides. Both are pure.
//! - [`actor`]: holds the machine of one callee; [`handle`]: what callers use
//! - [`reading`]: its state and figures, for operators
//!
//! Four things differ from other breakers on purpose. A call that finds the breaker at its capacity is refused but is
//! no failure of the callee. An outcome counts only in the state in which its call was admitted. Nothing is counted
//! while no node hosts the callee. The figures and a forced state survive a restart of the actor.

pub mod actor;
pub mod handle;
pub mod machine;
pub mod reading;
pub mod window;

pub use actor::BreakerActor;
pub use handle::{Breakers, CALL_RETRY, CanBeSent, CircuitBreaker};
pub use machine::{Breaker, BreakerSettings, CallOutcome, Forced, State, Ticket};
pub use reading::{BreakerReading, BreakerState, Counters, Shared};

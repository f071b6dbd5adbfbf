//! The live feed (SPEC §6), as its clients see it.
//!
//! - `feed`: what comes, in which order, from which cursor on; `topics`: who sees what; `stream`: the same as
//!   Server-Sent Events
//! - `sign_in`: who gets in; `endings`: what closes a socket; `malformed`: frames that are none
//! - `slow`: a client that stops reading; `cut`: 200 clients whose connections break, and a server that is killed
//! - `asyncapi`: the contract; `watch`: the terminal client
//! - `client`: a client of the tests; `wire`: one that speaks byte by byte; `proxy`: a wire that breaks

mod asyncapi;
mod cut;
mod endings;
mod feed;
mod malformed;
mod proxy;
mod sign_in;
mod slow;
mod stream;
mod topics;
mod watch;
mod wire;

//! The live feed (SPEC §6), as its clients see it.
//!
//! - `feed`: which frames come, from which cursor; `order`: in which order; `topics`: who sees which events; `stream`:
//!   Server-Sent Events
//! - `sign_in`: who may connect; `endings`: what closes a socket; `malformed`: invalid frames
//! - `slow`: a client that stops reading; `cut`: 200 clients whose connections break, and a server that is killed
//! - `asyncapi`: the contract; `watch`: the terminal client
//! - `wire`: a client that writes single bytes; `proxy`: a connection that breaks

mod asyncapi;
mod cut;
mod endings;
mod feed;
mod malformed;
mod order;
mod proxy;
mod sign_in;
mod slow;
mod stream;
mod topics;
mod watch;
mod wire;

//! The contracts between parts, as pacts: what a consumer needs, checked against what the running provider does.
//!
//! - `seed`: the seed's own contract, word for word
//! - `api`: what `kizuna-client` needs of the API; `api_interactions`: its requests and their answers
//!   `running`: the client at the running server
//! - `messages`: what each consumer of events needs of them, `examples`: as JSON; `effects`: that the consumer's code
//!   takes just that; `flows`: events of a running server, which must satisfy all of it
//! - `provider`: the real binary under pact's verifier; `states`: how it comes into a state that a contract names

mod api;
mod api_interactions;
mod effects;
mod examples;
mod flows;
mod messages;
mod provider;
mod running;
mod seed;
mod states;

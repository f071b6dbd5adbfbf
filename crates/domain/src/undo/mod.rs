//! Taking back what a saga did (SPEC §3, `POST /sagas/{id}/undo`): each record that it changed becomes what it was, if nobody has
//! changed it since. An undo is a saga of its own, which can be undone too.

pub mod messages;
pub mod record;
pub mod revert;
pub mod rules;

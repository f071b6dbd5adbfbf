//! The import of customers, meetings, tasks and deals from a file (SPEC §3): which columns there are, how cells are read, what
//! becomes of a row, and the import as a record.

pub mod fields;
pub mod form;
pub mod mapping;
pub mod messages;
pub mod record;
pub mod row;
pub mod rules;
pub mod spelling;

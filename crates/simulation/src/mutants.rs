//! The program with one of its safety parts removed: that each is found shows that such a defect would be.

/// The mutants by name, and what each of them lacks.
pub const MUTANTS: [(&str, &str); 0] = [];

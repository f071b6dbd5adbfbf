//! How the database carries out the queries of a handle, for tests: see [`crate::Db::watched`].

use std::sync::Mutex;

/// The plan of a query.
#[derive(Clone, Debug)]
pub struct Plan {
    pub query: String,
    /// In the database's own words.
    pub steps: Vec<String>,
}

/// The plans of all queries of a handle, in their order.
#[derive(Debug, Default)]
pub struct Plans(Mutex<Vec<Plan>>);

impl Plans {
    /// Takes what was gathered.
    pub fn take(&self) -> Vec<Plan> {
        std::mem::take(&mut self.0.lock().expect("no panic under this lock"))
    }

    pub(crate) fn add(&self, query: &str, steps: Vec<String>) {
        let plan = Plan { query: query.to_owned(), steps };
        self.0.lock().expect("no panic under this lock").push(plan);
    }
}

//! A filled database whose queries are explained, and what their plans must not have.

use std::sync::Arc;

use store::Db;
use store::plans::{Plan, Plans};
use testing::{Database, Postgres, TestDatabase};

use super::{People, RECORDS_EACH, fill, fold_all};

/// A database with records, whose plans can be read.
pub struct Scene {
    pub db: Db,
    plans: Arc<Plans>,
    pub people: People,
    pub database: TestDatabase,
}

impl Scene {
    pub async fn of(on: Database) -> Self {
        let database = TestDatabase::fresh(on);
        let db = database.migrated().await;
        let people = fill(&db, RECORDS_EACH).await;
        fold_all(&db).await;
        db.close().await;
        if on == Postgres {
            // So few rows are scanned and sorted as fast: only what has no index is now.
            let setting = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_seqscan = off', current_database()); \
                EXECUTE format('ALTER DATABASE %I SET enable_sort = off', current_database()); END $$; ANALYZE";
            database.raw(setting).await;
        }
        let plans = Arc::new(Plans::default());
        let db = database.open().await.watched(plans.clone());
        Self { db, plans, people, database }
    }

    /// Checks that every query since the last check got the rows of `table` in their order by an index that has `columns`.
    pub fn in_order(&self, what: &str, table: &str, columns: &[&str]) {
        let plans = self.plans.take();
        assert!(!plans.is_empty(), "{what}: no query");
        for plan in plans {
            has_no_scan(what, &plan);
            assert!(!sorts(&plan), "{what} sorts: {plan:#?}");
            for column in columns {
                has_in_index(what, &plan, table, column);
            }
        }
    }

    /// Checks that no query since the last check reads a whole table.
    pub fn no_scan(&self, what: &str) -> Vec<Plan> {
        let plans = self.plans.take();
        plans.iter().for_each(|plan| has_no_scan(what, plan));
        plans
    }
}

/// The tables that grow.
const GROWING: [&str; 16] = [
    "approval_texts",
    "approvals",
    "customers",
    "customer_activity",
    "customer_texts",
    "deal_progress",
    "deal_texts",
    "deals",
    "events",
    "meeting_texts",
    "meetings",
    "notifications",
    "tallies",
    "task_texts",
    "tasks",
    "webhook_deliveries",
];

fn step(line: &str) -> &str {
    line.trim_start().trim_start_matches("->").trim_start()
}

/// No step reads a whole table that grows.
fn has_no_scan(what: &str, plan: &Plan) {
    for line in &plan.steps {
        let words: Vec<&str> = step(line).split(' ').collect();
        let is_scan = match words[..] {
            // A list of all is read along its index, as far as the page goes.
            ["SCAN", _, "USING", "INDEX", ..] => sorts(plan),
            ["SCAN", table, ..] => GROWING.contains(&table) && !is_made(plan, table),
            ["Seq", "Scan", "on", table, ..] => GROWING.contains(&table),
            _ => false,
        };
        assert!(!is_scan, "{what} scans: {plan:#?}");
    }
}

/// Whether the name is that of a subquery.
fn is_made(plan: &Plan, name: &str) -> bool {
    plan.steps.iter().any(|line| step(line) == format!("CO-ROUTINE {name}"))
}

fn sorts(plan: &Plan) -> bool {
    let is_sort = |line: &String| {
        let sorts = ["Sort", "Incremental Sort", "USE TEMP B-TREE FOR ORDER BY"];
        sorts.iter().any(|sort| step(line).starts_with(sort)) && !step(line).starts_with("Sort Key")
    };
    plan.steps.iter().any(is_sort)
}

/// Every look-up in the table goes by this column.
fn has_in_index(what: &str, plan: &Plan, table: &str, column: &str) {
    let searched = format!("SEARCH {table} ");
    for line in &plan.steps {
        let step = step(line);
        let misses = step.starts_with(&searched) && !step.contains(&format!("{column}=?"));
        let filters = step.starts_with("Filter:") && step.contains(&format!("({column} ="));
        assert!(!misses && !filters, "{what} does not find {column} in an index: {plan:#?}");
    }
}

//! What clients were acknowledged, and whether it is still there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::iter;
use testing::Api;
use testing::cluster::Cluster;

use crate::table::Table;

/// Requests at a time when all is looked for again.
const AT_ONCE: usize = 8;

/// All notes of all clients.
#[derive(Default)]
pub struct Notes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Acknowledged requests by what they were.
    done: BTreeMap<&'static str, usize>,
    /// The last version acknowledged of each customer, and whether it is there.
    customers: BTreeMap<String, (i64, bool)>,
    /// Other records: their path, the customer that they go with, and a status that is settled.
    records: BTreeMap<String, Noted>,
    hiccups: usize,
}

/// A record that goes with a customer.
#[derive(Clone)]
pub struct Noted {
    pub customer: String,
    pub status: Option<&'static str>,
}

impl Notes {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was acknowledged.
    pub fn did(&self, what: &'static str) {
        *self.inner().done.entry(what).or_default() += 1;
    }

    /// A request was answered by "try again later", or not at all.
    pub fn hiccup(&self) {
        self.inner().hiccups += 1;
    }

    pub fn customer(&self, id: &str, version: i64) {
        let mut inner = self.inner();
        let known = inner.customers.entry(id.to_owned()).or_insert((version, true));
        known.0 = known.0.max(version);
    }

    /// Whether a customer is there from now on.
    pub fn is_there(&self, id: &str, is_there: bool) {
        if let Some(known) = self.inner().customers.get_mut(id) {
            known.1 = is_there;
        }
    }

    pub fn record(&self, path: String, customer: &str, status: Option<&'static str>) {
        self.inner().records.insert(path, Noted { customer: customer.to_owned(), status });
    }

    /// The customers that were created.
    pub fn customers(&self) -> Vec<String> {
        self.inner().customers.keys().cloned().collect()
    }

    pub fn report(&self, table: &mut Table) {
        let inner = self.inner();
        for (what, count) in &inner.done {
            table.figure(what, count);
        }
        table.figure("requests that were sent again", inner.hiccups);
    }

    /// What is not there though it was acknowledged, or there though it was deleted.
    pub async fn missing(&self, cluster: &Cluster) -> Vec<String> {
        let (customers, records) = {
            let inner = self.inner();
            (inner.customers.clone(), inner.records.clone())
        };
        let of_customer = |(id, (version, is_there)): (&String, &(i64, bool))| Look {
            path: format!("/api/customers/{id}"),
            version: is_there.then_some(*version),
            status: None,
        };
        let mut looks: Vec<Look> = customers.iter().map(of_customer).collect();
        for (path, Noted { customer, status }) in records {
            if customers.get(&customer).is_some_and(|(_, is_there)| *is_there) {
                looks.push(Look { path, version: Some(1), status });
            }
        }
        let nodes = cluster.size();
        let look = |(number, look): (usize, Look)| look.again(cluster.staff.admin.at(number % nodes));
        let found: Vec<Option<String>> =
            iter(looks.into_iter().enumerate()).map(look).buffer_unordered(AT_ONCE).collect().await;
        found.into_iter().flatten().collect()
    }
}

/// A record as it must be.
#[derive(Debug)]
struct Look {
    path: String,
    /// The least version; `None` if it is gone.
    version: Option<i64>,
    status: Option<&'static str>,
}

impl Look {
    /// Reads the record; what is wrong with it.
    async fn again(self, api: &Api) -> Option<String> {
        let answer = api.get(&self.path).await;
        let holds = match self.version {
            None => answer.status == 404,
            Some(version) => {
                let is_settled = self.status.is_none_or(|status| answer.body["status"] == status);
                answer.status == 200 && answer.version().unwrap_or(0) >= version && is_settled
            }
        };
        (!holds).then(|| format!("{self:?}, and it answers {answer}"))
    }
}

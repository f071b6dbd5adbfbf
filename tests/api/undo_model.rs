//! Sequences of creating, merging, deleting and undoing give the state of a plain model, whatever their order.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rstest::rstest;
use serde_json::json;

use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

/// What may happen; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Act {
    Create,
    Meet(usize),
    Rename(usize),
    Delete(usize),
    Merge(usize, usize),
    Undo(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        1 => Just(Act::Create),
        2 => any::<usize>().prop_map(Act::Meet),
        1 => any::<usize>().prop_map(Act::Rename),
        2 => any::<usize>().prop_map(Act::Delete),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(into, other)| Act::Merge(into, other)),
        4 => any::<usize>().prop_map(Act::Undo),
    ];
    prop::collection::vec(act, 4..14)
}

/// A customer (without `of`) or a meeting, as the model has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    /// Of a meeting: its customer.
    of: Option<String>,
    name: String,
    live: bool,
    merged_into: Option<String>,
}

/// A record that a saga has changed.
#[derive(Clone, Debug)]
struct Item {
    id: String,
    before: State,
    after: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deletion,
    Merge,
    Restoration,
}

/// A saga, as the model has it.
#[derive(Clone, Debug)]
struct Saga {
    id: String,
    kind: Kind,
    subject: String,
    items: Vec<Item>,
    undone: bool,
}

#[derive(Default)]
struct Model {
    records: BTreeMap<String, (u32, State)>,
    sagas: Vec<Saga>,
}

impl Model {
    fn live(&self, meetings: bool) -> Vec<String> {
        let is_one = |state: &State| state.live && state.of.is_some() == meetings;
        self.records.iter().filter(|(_, (_, state))| is_one(state)).map(|(id, _)| id.clone()).collect()
    }

    fn add(&mut self, id: String, of: Option<String>, name: &str) {
        let state = State { of, name: name.to_owned(), live: true, merged_into: None };
        self.records.insert(id, (1, state));
    }

    /// Gives a record another state, if it differs; the item of a saga that did so.
    fn set(&mut self, id: &str, state: State) -> Option<Item> {
        let (version, current) = self.records.get_mut(id).expect("a record");
        if *current == state {
            return None;
        }
        let before = std::mem::replace(current, state);
        *version += 1;
        Some(Item { id: id.to_owned(), before, after: *version })
    }

    fn meetings_of(&self, customer: &str) -> Vec<String> {
        let of = |state: &State| state.live && state.of.as_deref() == Some(customer);
        self.records.iter().filter(|(_, (_, state))| of(state)).map(|(id, _)| id.clone()).collect()
    }

    /// A deletion, or, with `into`, a merge.
    fn go(&mut self, customer: &str, into: Option<&str>) -> Vec<Item> {
        let mut items = Vec::new();
        let state = self.records[customer].1.clone();
        let gone = State { live: false, merged_into: into.map(str::to_owned), ..state };
        items.extend(self.set(customer, gone));
        for meeting in self.meetings_of(customer) {
            let state = self.records[&meeting].1.clone();
            let state = match into {
                Some(into) => State { of: Some(into.to_owned()), ..state },
                None => State { live: false, ..state },
            };
            items.extend(self.set(&meeting, state));
        }
        items
    }

    /// Takes back what nobody has changed since.
    fn take_back(&mut self, items: &[Item]) -> Vec<Item> {
        let mut taken = Vec::new();
        for item in items {
            if self.records[&item.id].0 == item.after {
                taken.extend(self.set(&item.id, item.before.clone()));
            }
        }
        taken
    }
}

struct Run<'a> {
    by: &'a Member,
    model: Model,
    names: usize,
}

impl Run<'_> {
    /// Waits until a saga has ended; its id.
    async fn ended(&self, answer: &Answer) -> String {
        let href = answer.text_at("/saga/href");
        for _ in 0..2_000 {
            let saga = self.by.get(&href).await.expect(200);
            if saga.body["status"] == json!("completed") {
                return saga.id();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a saga did not end: {href}");
    }

    async fn act(&mut self, act: &Act) {
        let customers = self.model.live(false);
        let chosen = |n: &usize| customers.get(n % customers.len().max(1)).cloned();
        self.names += 1;
        let name = format!("名 {}", self.names);
        match act {
            Act::Create => {
                let id = self.by.customer(&name).await.id();
                self.model.add(id, None, &name);
            }
            Act::Meet(n) => {
                let Some(customer) = chosen(n) else { return };
                let id = self.by.meeting(&customer, &name).await.id();
                self.model.add(id, Some(customer), &name);
            }
            Act::Rename(n) => {
                let Some(customer) = chosen(n) else { return };
                self.by.patch(&format!("/api/customers/{customer}"), json!({"name": name})).await.expect(200);
                let state = self.model.records[&customer].1.clone();
                self.model.set(&customer, State { name, ..state });
            }
            Act::Delete(n) => {
                let Some(customer) = chosen(n) else { return };
                let answer = self.by.delete(&format!("/api/customers/{customer}")).await.expect(200);
                let id = self.ended(&answer).await;
                let items = self.model.go(&customer, None);
                self.model.sagas.push(Saga {
                    id,
                    kind: Kind::Deletion,
                    subject: customer,
                    items,
                    undone: false,
                });
            }
            Act::Merge(into, other) => {
                let (Some(into), Some(other)) = (chosen(into), chosen(other)) else { return };
                if into != other {
                    self.merge(&into, &other).await;
                }
            }
            Act::Undo(n) if !self.model.sagas.is_empty() => self.undo(n % self.model.sagas.len()).await,
            Act::Undo(_) => {}
        }
    }

    /// The name of the other customer is kept, so that both are changed.
    async fn merge(&mut self, into: &str, other: &str) {
        let body = json!({"other_id": other, "keep": {"name": "other"}});
        let answer = self.by.post(&format!("/api/customers/{into}/merge"), body).await.expect(202);
        let id = self.ended(&answer).await;
        let name = self.model.records[other].1.name.clone();
        let state = self.model.records[into].1.clone();
        let mut items: Vec<Item> = self.model.set(into, State { name, ..state }).into_iter().collect();
        items.extend(self.model.go(other, Some(into)));
        let subject = other.to_owned();
        self.model.sagas.push(Saga { id, kind: Kind::Merge, subject, items, undone: false });
    }

    async fn undo(&mut self, place: usize) {
        let saga = self.model.sagas[place].clone();
        let answer = self.by.post(&format!("/api/sagas/{}/undo", saga.id), json!({})).await;
        if saga.undone {
            answer.expect_problem(409, "already_undone");
            return;
        }
        let subject = saga.items.iter().find(|item| item.id == saga.subject).expect("its own item").clone();
        let into = subject.before.merged_into.clone();
        if saga.kind == Kind::Restoration {
            if self.model.records[&saga.subject].0 != subject.after {
                answer.expect_problem(409, "changed_since");
                return;
            }
            if into.as_ref().is_some_and(|into| !self.model.records[into].1.live) {
                answer.expect_problem(409, "merge_conflict");
                return;
            }
        }
        let id = self.ended(&answer.expect(202)).await;
        let (kind, items) = match saga.kind {
            Kind::Restoration => {
                let others: Vec<Item> =
                    saga.items.iter().filter(|item| item.id != saga.subject).cloned().collect();
                let customers =
                    others.into_iter().filter(|item| item.before.of.is_none()).collect::<Vec<_>>();
                let kind = if into.is_some() { Kind::Merge } else { Kind::Deletion };
                let mut items = self.model.go(&saga.subject, into.as_deref());
                // The customer into which it goes again is what it was before the undo.
                if into.is_some() {
                    items.extend(self.model.take_back(&customers));
                }
                (kind, items)
            }
            _ => (Kind::Restoration, self.model.take_back(&saga.items)),
        };
        self.model.sagas[place].undone = true;
        self.model.sagas.push(Saga { id, kind, subject: saga.subject, items, undone: false });
    }

    /// Compares every record with the model.
    async fn check(&self) {
        for (id, (version, state)) in &self.model.records {
            let path = if state.of.is_some() { "meetings" } else { "customers" };
            let found = self.by.get(&format!("/api/{path}/{id}")).await;
            if !state.live {
                let problem = found.expect_problem(404, "not_found");
                assert_eq!(problem.body["merged_into"].as_str(), state.merged_into.as_deref(), "{problem}");
                continue;
            }
            let found = found.expect(200).body;
            let name = if state.of.is_some() { &found["title"] } else { &found["name"] };
            assert_eq!((name, &found["version"]), (&json!(state.name), &json!(version)), "{path} {id}");
            if let Some(of) = &state.of {
                assert_eq!(found["customer_id"], json!(of), "{found}");
            }
        }
    }
}

#[rstest]
#[case(Sqlite, 200)]
#[case(Postgres, 20)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_merged_deleted_and_undone_the_state_is_that_of_a_plain_model(
    #[case] on: Database,
    #[case] cases: u32,
) {
    let app = TestApp::start(on).await;
    let Team { manager, .. } = Team::of(&app).await;
    let handle = tokio::runtime::Handle::current();
    let sequences = tokio::task::spawn_blocking(move || {
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
        TestRunner::new(config).run(&acts(), |acts| {
            handle.block_on(async {
                let mut run = Run { by: &manager, model: Model::default(), names: 0 };
                run.act(&Act::Create).await;
                run.act(&Act::Create).await;
                for act in &acts {
                    run.act(act).await;
                }
                run.check().await;
            });
            Ok::<(), TestCaseError>(())
        })
    });
    sequences.await.expect("no panic").unwrap_or_else(|failure| panic!("{failure}"));
    app.settle().await;
}

//! The columns of API keys: an operation by a key that has just the scopes for it, and by one that has all but one of them.

use std::collections::HashMap;

use domain::api_key::event_scopes::of_types;
use kernel::scopes::{Scope, Scopes};
use testing::keys::Key;

use super::rules::{Rule, Who, Whose, kind_of};
use super::{Operation, World, operations};

/// What a key needs for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Needed {
    /// Nothing: nobody needs a token, or the operation looks for itself at what the key may read.
    Nothing,
    /// A session in its place.
    Session,
    /// These scopes.
    Scopes(Vec<Scope>),
}

const ALL_RECORDS: [Scope; 5] =
    [Scope::CustomersRead, Scope::MeetingsRead, Scope::TasksRead, Scope::DealsRead, Scope::ApprovalsRead];

/// The scopes of each operation; the first one is what its service asks for first.
fn needed(operation: &str) -> Option<Needed> {
    use Needed::{Nothing, Session};
    let scopes = |scopes: &[Scope]| Some(Needed::Scopes(scopes.to_vec()));
    let (method, path) = operation.split_once(' ')?;
    let reads = method == "GET";
    let mut parts = path.split('/').skip(2);
    let (first, rest) = (parts.next().unwrap_or_default(), parts.collect::<Vec<_>>());
    match (first, &rest[..]) {
        _ if !path.starts_with("/api/") => Some(Nothing),
        ("auth", ["login" | "refresh"]) => Some(Nothing),
        ("auth", ["me"]) if reads => scopes(&[Scope::UsersRead]),
        ("auth", ["users", .., "deletion-preview"]) => {
            scopes(&[&[Scope::UsersWrite][..], &ALL_RECORDS].concat())
        }
        ("auth", ["users", ..]) => scopes(&[if reads { Scope::UsersRead } else { Scope::UsersWrite }]),
        ("auth" | "api-keys", _) => Some(Session),
        ("ws" | "stream" | "search", []) => Some(Nothing),
        ("customers", [.., "activity" | "deletion-preview" | "merge-preview"]) => scopes(&ALL_RECORDS),
        ("notifications", _) => {
            // The matrix has some about customers.
            scopes(&[
                if reads { Scope::NotificationsRead } else { Scope::NotificationsWrite },
                Scope::CustomersRead,
            ])
        }
        ("reports", _) => scopes(&[Scope::ReportsRead]),
        // The matrix has sagas that delete customers, and imports of tasks.
        ("sagas", [_, "undo"]) => scopes(&[Scope::SagasWrite, Scope::CustomersWrite]),
        ("sagas", [_, "undo-preview"]) => scopes(&[&[Scope::SagasRead][..], &ALL_RECORDS].concat()),
        ("sagas", _) => scopes(&[Scope::SagasRead]),
        ("imports", [] | [_, "undo"]) if reads => scopes(&[Scope::ImportsRead]),
        ("imports", [_] | [_, "rows"]) if reads => scopes(&[Scope::ImportsRead, Scope::TasksRead]),
        ("imports", []) => scopes(&[Scope::ImportsWrite]),
        // It reads the import, and then starts a saga.
        ("imports", [_, "undo"]) => scopes(&[Scope::ImportsRead, Scope::SagasWrite, Scope::TasksWrite]),
        ("imports", [_] | [_, "commit"]) => scopes(&[Scope::ImportsWrite, Scope::TasksWrite]),
        ("events", [_, "chain"]) => scopes(&[Scope::AuditRead]),
        // The matrix has subscriptions to every type, and webhooks for those of deals.
        ("subscriptions", [_, "events"]) => {
            let every = Scope::ALL.iter().copied().filter(|scope| of_types(&[]).contains(*scope));
            Some(Needed::Scopes([Scope::EventsRead].into_iter().chain(every).collect()))
        }
        ("events" | "subscriptions", _) => scopes(&[Scope::EventsRead]),
        ("webhooks", _) if reads => scopes(&[Scope::WebhooksRead]),
        ("webhooks", _) => scopes(&[Scope::WebhooksWrite, Scope::DealsRead]),
        ("audit", _) => scopes(&[Scope::AuditRead]),
        ("admin", _) => scopes(&[if reads { Scope::AdminRead } else { Scope::AdminWrite }]),
        _ => {
            let noun = kind_of(operation)?;
            let word =
                format!("{}s:{}", format!("{noun:?}").to_lowercase(), if reads { "read" } else { "write" });
            scopes(&[Scope::parse(&word)?])
        }
    }
}

/// Keys of the ADMIN, by what they may do.
struct Keys<'a> {
    world: &'a World,
    made: HashMap<Vec<Scope>, Key>,
}

impl Keys<'_> {
    async fn with(&mut self, scopes: Vec<Scope>) -> Key {
        if let Some(key) = self.made.get(&scopes) {
            return key.clone();
        }
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let key = Key::of(&self.world.team.admin, &names).await;
        self.made.insert(scopes, key.clone());
        key
    }
}

/// Every scope that does not bring `scope` with it.
fn all_but(scope: Scope) -> Vec<Scope> {
    let without = |other: &Scope| !Scopes::of(&[*other]).contains(scope);
    Scope::ALL.iter().copied().filter(without).collect()
}

/// The status for a key that may do it: the ADMIN's, but for what touches the ADMIN's own account.
fn expected(operation: &Operation, whose: Whose) -> u16 {
    match (operation.name().as_str(), whose) {
        ("PATCH /api/auth/users/{id}", Whose::Own) => 403,
        _ => operation.rule.status(Who::Admin, whose),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_may_do_what_its_scopes_say_and_nothing_else() {
    let world = World::with(&["--api-key-rate", "1000000/m"]).await;
    let mut keys = Keys { world: &world, made: HashMap::new() };
    let (mut wrong, mut tried) = (Vec::new(), Scopes::NONE);
    for operation in &operations(&world.app.nobody()).await {
        let name = operation.name();
        let needed = needed(&name).unwrap_or_else(|| panic!("{name} has no scopes"));
        let (with, without) = match &needed {
            Needed::Scopes(scopes) => {
                tried = tried.and(Scopes::of(scopes));
                (scopes.clone(), Some((all_but(scopes[0]), "missing_scope")))
            }
            Needed::Session => (Vec::new(), Some((Scope::ALL.to_vec(), "session_required"))),
            Needed::Nothing => (vec![Scope::EventsRead], None),
        };
        for whose in operation.rule.targets() {
            if !with.is_empty() {
                let key = keys.with(with.clone()).await;
                let answer = world.ask_by(operation, Who::Admin, *whose, Some(&key.api)).await;
                let right = match expected(operation, *whose) {
                    200 => (200..300).contains(&answer.status),
                    status => answer.status == status,
                };
                let is_told = answer.header("ratelimit").is_some() || !operation.path.starts_with("/api/");
                if !right || !is_told {
                    wrong.push(format!("{name} with {with:?}, {whose:?}: {answer}"));
                }
            }
            if let Some((scopes, code)) = &without
                && !matches!(operation.rule, Rule::Public)
            {
                let key = keys.with(scopes.clone()).await;
                let answer = world.ask_by(operation, Who::Admin, *whose, Some(&key.api)).await;
                let touches_oneself = name == "PATCH /api/auth/users/{id}" && *whose == Whose::Own;
                let code = if touches_oneself { "session_required" } else { *code };
                if (answer.status, answer.code()) != (403, Some(code)) {
                    wrong.push(format!("{name} without {needed:?}, {whose:?}: {answer}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let untried: Vec<&str> =
        Scope::ALL.iter().filter(|scope| !tried.contains(**scope)).map(|scope| scope.as_str()).collect();
    assert!(untried.is_empty(), "no operation needs {untried:?}");
}

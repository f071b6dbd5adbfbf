//! SPEC §1 as a matrix: who × every operation of the document × whose record. An operation without an
//! expectation fails the test.

mod keys;
mod origins;
mod rules;

use serde_json::{Value, json};

use rules::{Kind, Rule, Who, Whose, rule};
use testing::app::PASSWORD;
use testing::keys::Key;
use testing::upload::{form, send};
use testing::{Answer, Api, Member, Sqlite, Team, TestApp};

const MISSING: &str = "0198c0de-0000-7000-8000-000000000000";

/// Everybody, and how their records are made.
struct World {
    app: TestApp,
    team: Team,
    /// A MANAGER who requests nothing, so that everything may wait for them.
    chief: Member,
    deleted: Api,
    made: std::cell::Cell<u32>,
}

impl World {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(args: &[&str]) -> Self {
        let app = TestApp::with(Sqlite, args).await;
        let team = Team::of(&app).await;
        let chief = team.admin.hire("MANAGER", "chief", None).await;
        let leaver = team.admin.hire("SALES", "leaver", None).await;
        team.admin.delete(&format!("/api/auth/users/{}", leaver.id)).await.expect(200);
        app.settle().await;
        let deleted = (*leaver).clone();
        Self { app, team, chief, deleted, made: 0.into() }
    }

    fn unique(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("matrix-{}", self.made.get())
    }

    fn api(&self, who: Who) -> Api {
        match who {
            Who::Nobody => self.app.nobody(),
            Who::Deleted => self.deleted.clone(),
            signed => (**self.member(signed)).clone(),
        }
    }

    /// Nobody and the deleted stand for a SALES user where a record is to be somebody's.
    fn member(&self, who: Who) -> &Member {
        match who {
            Who::Other => &self.team.colleague,
            Who::Manager => &self.team.manager,
            Who::Admin => &self.team.admin,
            Who::Nobody | Who::Owner | Who::Deleted => &self.team.sales,
        }
    }

    fn owner(&self, who: Who, whose: Whose) -> &Member {
        match (whose, who) {
            (Whose::Others, Who::Owner) => &self.team.colleague,
            (Whose::Others, _) => &self.team.sales,
            _ => self.member(who),
        }
    }

    /// A fresh record of this kind that is `owner`'s.
    async fn record(&self, kind: Kind, owner: &Member, whose: Whose) -> String {
        let customer = async || owner.customer(&self.unique()).await.id();
        match kind {
            _ if whose == Whose::Missing => MISSING.to_owned(),
            Kind::DeadLetter | Kind::Event | Kind::Delivery => MISSING.to_owned(),
            Kind::Webhook => {
                let webhook = json!({"url": "https://example.com/", "event_types": ["deal.won"]});
                self.team.admin.post("/api/webhooks", webhook).await.expect(201).id()
            }
            Kind::User if whose == Whose::Own => owner.id.clone(),
            Kind::User => self.team.admin.make_user("SALES", &self.unique(), None).await.id(),
            Kind::Customer => customer().await,
            Kind::Meeting => owner.meeting(&customer().await, "訪問").await.id(),
            Kind::Task => owner.task("電話", "2026-03-05T09:00:00Z").await.id(),
            Kind::Approval => owner.approval(&customer().await, "値引き").await.id(),
            Kind::Deal => owner.deal(&customer().await, "契約").await.id(),
            Kind::Saga => {
                let path = format!("/api/customers/{}", customer().await);
                let saga = owner.delete(&path).await.expect(200).text_at("/saga/id");
                self.app.settle().await;
                saga
            }
            Kind::Session => {
                let session = Member::sign_in(&self.app.nobody(), &owner.email, PASSWORD).await;
                let sessions = session.get("/api/auth/sessions?limit=200").await.expect(200);
                let current = sessions.items().iter().find(|session| session["current"] == json!(true));
                current.expect("the present one")["id"].as_str().expect("an id").to_owned()
            }
            Kind::ApiKey => Key::of(&self.team.admin, &["tasks:read"]).await.id,
            Kind::View => {
                let view = json!({"list": "tasks", "name": self.unique()});
                owner.post("/api/auth/me/views", view).await.expect(201).id()
            }
            Kind::Import => {
                let file = form(&[("kind", "tasks")], "a.csv", "title,due\n電話,2026/3/5\n".as_bytes());
                send(owner, "/api/imports", file).await.expect(201).id()
            }
            Kind::Notification => {
                let named = json!({"name": self.unique(), "owner_id": owner.id});
                let made = self.chief.post("/api/customers", named).await.expect(201).id();
                self.app.settle().await;
                let unread = owner.get("/api/notifications/unread?limit=200").await.expect(200);
                let about = |row: &&Value| row["subject"]["id"] == json!(made);
                unread.items().iter().find(about).expect("the owner was told")["id"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            }
        }
    }

    /// A body that the operation takes.
    async fn body(&self, operation: &str, who: Who) -> Value {
        // Whoever is nobody has none.
        let customer = async || match who {
            Who::Nobody | Who::Deleted => MISSING.to_owned(),
            _ => self.member(who).customer(&self.unique()).await.id(),
        };
        match operation {
            "POST /api/auth/login" => json!({"email": self.team.sales.email, "password": PASSWORD}),
            "POST /api/auth/refresh" => {
                let session = Member::sign_in(&self.app.nobody(), &self.team.sales.email, PASSWORD).await;
                json!({"refresh_token": session.refresh_token})
            }
            "POST /api/auth/password" => json!({"current_password": "not it", "new_password": "long enough"}),
            "POST /api/auth/users" => {
                let name = self.unique();
                json!({"email": format!("{name}@example.com"), "name": name, "role": "SALES", "password": PASSWORD})
            }
            "POST /api/customers" => json!({"name": self.unique()}),
            "POST /api/customers/bulk"
            | "POST /api/meetings/bulk"
            | "POST /api/tasks/bulk"
            | "POST /api/deals/bulk" => {
                json!({"ids": [MISSING], "change": {"delete": true}})
            }
            "POST /api/customers/{id}/merge" => json!({"other_id": customer().await}),
            "POST /api/api-keys" => {
                json!({"name": self.unique(), "scopes": ["tasks:read"], "role": "SALES"})
            }
            "POST /api/auth/me/views" => json!({"list": "customers", "name": self.unique()}),
            "POST /api/meetings" => {
                json!({"customer_id": customer().await, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"})
            }
            "POST /api/webhooks" => json!({"url": "https://example.com/", "event_types": ["deal.won"]}),
            "POST /api/webhooks/{id}/replay" => json!({"from": "2026-03-01T10:00:00Z"}),
            "POST /api/tasks" => json!({"title": "電話", "due_at": "2026-03-05T09:00:00Z"}),
            "POST /api/approvals" => json!({"customer_id": customer().await, "title": "値引き", "amount": 1}),
            "POST /api/deals" => json!({"customer_id": customer().await, "title": "契約", "amount": 1}),
            "PATCH /api/approvals/{id}/reject" => json!({"comment": "高すぎる"}),
            "PATCH /api/approvals/{id}/reassign" => json!({"approver_id": self.chief.id}),
            "POST /api/admin/breakers/{name}" => json!({"force": "none"}),
            "POST /api/subscriptions/{name}/ack" => json!({"lease": MISSING}),
            "PATCH /api/auth/users/{id}" => json!({"time_zone": "Europe/Rome"}),
            add if add.ends_with("/comments") => json!({"text": "はい"}),
            _ => json!({}),
        }
    }

    async fn ask(&self, operation: &Operation, who: Who, whose: Whose) -> Answer {
        self.ask_by(operation, who, whose, None).await
    }

    /// As `who`, but by this API: with a key of theirs, or from another origin.
    async fn ask_by(&self, operation: &Operation, who: Who, whose: Whose, by: Option<&Api>) -> Answer {
        let mut path = operation.path.replace("/breakers/{name}", "/breakers/breaker.sales");
        if path.contains("/subscriptions/{name}") {
            let name = self.unique();
            path = path.replace("{name}", &name);
            let admin = self.team.admin.header("content-type", "application/json");
            admin.raw("PUT", &format!("/api/subscriptions/{name}"), "{}").await.expect(201);
        }
        if path == "/api/stream" && !matches!(who, Who::Nobody | Who::Deleted) {
            path.push_str("?nonsense=1");
        }
        if path == "/api/imports/{id}/rows" {
            path.push_str("?outcome=new");
        }
        if path == "/api/search" {
            path.push_str("?q=x");
        }
        if path.ends_with("/merge-preview") && !matches!(who, Who::Nobody | Who::Deleted) {
            let other = self.member(who).customer(&self.unique()).await.id();
            path.push_str(&format!("?other_id={other}"));
        }
        if let Some(kind) = operation.rule.kind() {
            let id = self.record(kind, self.owner(who, whose), whose).await;
            path = path.replace("{id}", &id);
        }
        path = path.replace("{delivery_id}", MISSING);
        if path.contains("{part_id}") {
            let all = path.split("/{part_id}").next().expect("a collection");
            let said = match all.ends_with("/attachments") {
                true => attached(&self.api(who), all).await,
                false => self.api(who).post(all, json!({"text": self.unique()})).await,
            };
            // Whoever may not see the record has nothing beside it.
            let id = if said.status == 201 { said.id() } else { MISSING.to_owned() };
            path = path.replace("{part_id}", &id);
        }
        let mut api = by.cloned().unwrap_or_else(|| self.api(who));
        if by.is_none()
            && operation.name() == "POST /api/auth/logout"
            && !matches!(who, Who::Nobody | Who::Deleted)
        {
            let member = self.member(who);
            api = (*Member::sign_in(&self.app.nobody(), &member.email, PASSWORD).await).clone();
        }
        let body = self.body(&operation.name(), who).await;
        let answer = match operation.has_body {
            true => {
                api.header("content-type", "application/json")
                    .raw(&operation.method, &path, body.to_string())
                    .await
            }
            false => api.raw(&operation.method, &path, "").await,
        };
        if operation.method == "GET" {
            let head = api.raw("HEAD", &path, "").await;
            assert_eq!(
                (head.status, head.text.as_str()),
                (answer.status, ""),
                "HEAD {path} by {who:?}: {answer}"
            );
        }
        answer
    }
}

async fn attached(by: &Api, all: &str) -> Answer {
    let file =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\na\r\n--b--\r\n";
    by.header("content-type", "multipart/form-data; boundary=b").raw("POST", all, file).await
}

struct Operation {
    method: String,
    path: String,
    has_body: bool,
    rule: Rule,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every operation of the document with its rule.
async fn operations(api: &Api) -> Vec<Operation> {
    let document = api.get("/openapi.json").await.expect(200).body;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, described) in item.as_object().expect("operations") {
            let method = method.to_uppercase();
            let name = format!("{method} {path}");
            let rule = rule(&name).unwrap_or_else(|| panic!("{name} has no expectation"));
            let has_body = described["requestBody"].is_object();
            operations.push(Operation { method, path: path.clone(), has_body, rule });
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_may_do_what_the_contract_says_and_nothing_else() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    let operations = operations(&world.app.nobody()).await;
    assert!(operations.len() >= 50, "{} operations", operations.len());
    for operation in &operations {
        for who in [Who::Nobody, Who::Owner, Who::Other, Who::Manager, Who::Admin, Who::Deleted] {
            for whose in operation.rule.targets() {
                let answer = world.ask(operation, who, *whose).await;
                let expected = operation.rule.status(who, *whose);
                let right = match expected {
                    200 => (200..300).contains(&answer.status),
                    status => answer.status == status,
                };
                if !right {
                    wrong.push(format!(
                        "{} by {who:?}, {whose:?}: {expected}, not {answer}",
                        operation.name()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

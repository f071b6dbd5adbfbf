//! What a client does: the whole API and pages of the console, in the mixture of an office.

use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testing::Answer;
use testing::upload::form;

use crate::load::Client;

/// Rows of an import, and records of a change of many.
const ROWS: usize = 20;
const MANY: usize = 5;
/// Customers that a client works with at a time; the oldest are left alone from then on.
const CUSTOMERS_MAX: usize = 200;
/// How soon a saga ends, also if its node dies.
const SAGA_ENDS_WITHIN: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(300);

const PAGES: [&str; 7] = ["/", "/customers", "/deals", "/tasks", "/meetings", "/approvals", "/notifications"];
const READS: [&str; 9] = [
    "/api/customers?limit=20&sort=-updated_at",
    "/api/deals?limit=20&stage=WON",
    "/api/tasks?limit=20&status=OPEN",
    "/api/search?q=soak&limit=10",
    "/api/reports/sales-summary",
    "/api/reports/metrics",
    "/api/notifications/unread?limit=5",
    "/api/deals/stats",
    "/api/sagas?limit=5",
];

impl Client {
    /// One piece of work.
    pub async fn turn(&mut self) {
        if self.customers.len() < MANY {
            return self.create().await;
        }
        match self.random.below(100) {
            0..15 => self.create().await,
            15..30 => self.change().await,
            30..42 => self.add_record().await,
            42..50 => self.approve().await,
            50..56 => self.deal().await,
            56..58 => self.delete_and_undo().await,
            58..60 => self.merge().await,
            60..62 => self.import().await,
            62..64 => self.change_many().await,
            64..66 => self.export().await,
            66..82 => self.look().await,
            _ => self.browse().await,
        }
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        let sales = self.sales.clone();
        self.write(&sales, Method::POST, path, body).await.expect(201)
    }

    fn any(&mut self) -> usize {
        self.random.below(self.customers.len())
    }

    async fn create(&mut self) {
        let name = format!("soak {}", self.key());
        let made = self.post("/api/customers", json!({"name": name})).await;
        self.notes.did("customers created");
        self.notes.customer(&made.id(), 1);
        self.customers.push((made.id(), 1));
        if self.customers.len() > CUSTOMERS_MAX {
            self.customers.remove(0);
        }
    }

    /// Changes a customer, and reads it again: it has at least that version.
    async fn change(&mut self) {
        let at = self.any();
        let (id, _) = self.customers[at].clone();
        let path = format!("/api/customers/{id}");
        let body = json!({"notes": self.key(), "status": "ACTIVE"});
        let sales = self.sales.clone();
        let changed = self.write(&sales, Method::PATCH, &path, body).await.expect(200);
        let version = changed.version().expect("an ETag");
        self.notes.did("customers changed");
        self.notes.customer(&id, version);
        self.customers[at].1 = version;
        let read = self.read(&path).await.expect(200);
        assert!(read.version() >= Some(version), "a read after a write shows less: {read}");
        self.notes.did("reads after a write");
    }

    async fn add_record(&mut self) {
        let at = self.any();
        let customer = self.customers[at].0.clone();
        let title = self.key();
        let (path, body) = match self.random.below(2) {
            0 => (
                "/api/meetings",
                json!({"customer_id": customer, "title": title, "met_at": "2026-03-01T10:00:00Z"}),
            ),
            _ => (
                "/api/tasks",
                json!({"customer_id": customer, "title": title, "due_at": "2099-01-01T00:00:00Z"}),
            ),
        };
        let made = self.post(path, body).await;
        let place = format!("{path}/{}", made.id());
        let mut status = None;
        if path == "/api/tasks" && self.random.below(2) == 0 {
            let sales = self.sales.clone();
            self.write(&sales, Method::PATCH, &place, json!({"status": "DONE"})).await.expect(200);
            status = Some("DONE");
        }
        self.notes.did("meetings and tasks created");
        self.notes.record(place, &customer, status);
    }

    /// Requests an approval, which the manager decides.
    async fn approve(&mut self) {
        let at = self.any();
        let customer = self.customers[at].0.clone();
        let body = json!({"customer_id": customer, "title": self.key(), "amount": 120_000});
        let asked = self.post("/api/approvals", body).await.id();
        let (word, status) = match self.random.below(2) {
            0 => ("approve", "APPROVED"),
            _ => ("reject", "REJECTED"),
        };
        let manager = self.manager.clone();
        let path = format!("/api/approvals/{asked}/{word}");
        self.write(&manager, Method::PATCH, &path, json!({"comment": "soak"})).await.expect(200);
        self.notes.did("approvals decided");
        self.notes.record(format!("/api/approvals/{asked}"), &customer, Some(status));
    }

    async fn deal(&mut self) {
        let at = self.any();
        let customer = self.customers[at].0.clone();
        let body = json!({"customer_id": customer, "title": self.key(), "amount": 5_000, "stage": "PROPOSE"});
        let made = self.post("/api/deals", body).await.id();
        let path = format!("/api/deals/{made}");
        let sales = self.sales.clone();
        self.write(&sales, Method::PATCH, &path, json!({"stage": "WON"})).await.expect(200);
        self.notes.did("deals won");
        self.notes.record(path, &customer, None);
    }

    /// Deletes a customer; half of them are brought back.
    async fn delete_and_undo(&mut self) {
        let at = self.any();
        let (id, _) = self.customers.swap_remove(at);
        let sales = self.sales.clone();
        let path = format!("/api/customers/{id}");
        // Without a key: a repetition is answered by 404.
        let gone = self.write(&sales, Method::DELETE, &path, Value::Null).await;
        self.notes.is_there(&id, false);
        self.notes.did("customers deleted");
        if gone.status != 200 {
            assert_eq!(gone.status, 404, "{gone}");
            return;
        }
        let saga = gone.text_at("/saga/id");
        self.ended(&saga).await;
        if self.random.below(2) == 0 {
            self.undo(&saga).await;
            self.notes.is_there(&id, true);
            self.notes.did("deletions undone");
        }
    }

    async fn undo(&mut self, saga: &str) {
        let sales = self.sales.clone();
        let undo =
            self.write(&sales, Method::POST, &format!("/api/sagas/{saga}/undo"), json!({})).await.expect(202);
        let undo = undo.text_at("/saga/id");
        self.ended(&undo).await;
    }

    /// Merges two customers: the other goes.
    async fn merge(&mut self) {
        let at = self.any();
        let (other, _) = self.customers.swap_remove(at);
        let at = self.any();
        let one = self.customers[at].0.clone();
        let sales = self.sales.clone();
        let path = format!("/api/customers/{one}/merge");
        let merge = self.write(&sales, Method::POST, &path, json!({"other_id": other})).await.expect(202);
        self.notes.is_there(&other, false);
        self.ended(&merge.text_at("/saga/id")).await;
        let gone = self.read(&format!("/api/customers/{other}")).await.expect(404);
        assert_eq!(gone.text_at("/merged_into"), one, "{gone}");
        self.notes.did("customers merged");
    }

    async fn import(&mut self) {
        let name = self.key();
        let rows: String = (0..ROWS).map(|row| format!("import {name} {row}\n")).collect();
        let file = form(&[("kind", "customers")], "a.csv", format!("name\n{rows}").as_bytes());
        let import = self.upload(&file).await.expect(201);
        let sales = self.sales.clone();
        let path = format!("/api/imports/{}/commit", import.id());
        let commit = self.write(&sales, Method::POST, &path, json!({})).await.expect(202);
        let ended = self.ended(&commit.text_at("/saga/id")).await;
        assert_eq!(ended.body["bulk"]["changed"], ROWS, "{ended}");
        self.notes.did("imports carried out");
    }

    async fn change_many(&mut self) {
        let at = self.random.below(self.customers.len() - MANY + 1);
        let ids: Vec<String> = self.customers[at..at + MANY].iter().map(|(id, _)| id.clone()).collect();
        let sales = self.sales.clone();
        let body = json!({"ids": ids, "change": {"status": "DORMANT"}});
        let begun = self.write(&sales, Method::POST, "/api/customers/bulk", body).await.expect(202);
        let ended = self.ended(&begun.text_at("/saga/id")).await;
        assert_eq!(ended.body["bulk"]["refused"], 0, "{ended}");
        self.notes.did("changes of many");
    }

    /// Waits until a saga has ended.
    async fn ended(&mut self, saga: &str) -> Answer {
        let began = Instant::now();
        loop {
            let answer = self.read(&format!("/api/sagas/{saga}")).await.expect(200);
            if answer.body["status"] == "completed" {
                self.notes.did("sagas that ended");
                return answer;
            }
            assert!(began.elapsed() < SAGA_ENDS_WITHIN, "a saga does not end: {answer}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn export(&mut self) {
        let csv = self.sales.header("accept", "text/csv");
        let path = "/api/tasks?status=OPEN";
        // An export that is cut off is begun again by whoever wants it.
        match csv.attempt(Method::GET, path, None).await {
            Ok(answer) if answer.status == 200 => self.notes.did("exports"),
            _ => self.notes.hiccup(),
        }
    }

    async fn look(&mut self) {
        let path = READS[self.random.below(READS.len())];
        self.read(path).await.expect(200);
        self.notes.did("reads");
    }

    async fn browse(&mut self) {
        let at = self.any();
        let path = match self.random.below(PAGES.len() + 2) {
            page if page < PAGES.len() => PAGES[page].to_owned(),
            _ => format!("/customers/{}", self.customers[at].0),
        };
        self.page(&path).await.expect(200);
        self.notes.did("pages");
    }
}

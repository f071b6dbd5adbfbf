//! Calls between nodes, over a real Redis: two nodes of which each hosts what the other does not, and calls that no node
//! would send, sealed as a node's. What is not sealed: `hostile_redis`.

use std::time::{Duration, Instant};

use domain::customer::messages::{CreateCustomer, FindCustomer};
use domain::customer::record::NewCustomer;
use domain::service_name::ServiceName;
use kernel::caller::{Caller, Role};
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kernel::scopes::Scopes;
use redis::streams::StreamRangeReply;
use runtime::breaker::BreakerState;
use runtime::cluster::clock::ClusterTime;
use runtime::remote::calls::{Message, Question, Reply, Request};
use runtime::remote::mailbox::post;
use serde::Serialize;
use serde_json::json;
use store::Db;
use store::leases as nodes;
use store::redis::{Redis as Way, RedisSettings};
use store::streams::FIELD;

use testing::app::SECRET;
use testing::{Member, Postgres, Redis, TestApp, eventually};

const SOON: Duration = Duration::from_secs(10);
/// Longer than any entry takes that is going to be answered.
const QUIET: Duration = Duration::from_millis(500);

/// Two nodes; `back` has customers and the rest, `front` has the users.
pub struct Pair {
    pub back: TestApp,
    pub front: TestApp,
    pub redis: Redis,
}

/// The node that has the users.
async fn front(redis: &Redis) -> TestApp {
    TestApp::with(Postgres, &["--redis-url", &redis.url(), "--services", "auth"]).await
}

/// The node that has all else, beside it; it is among the living.
async fn back(front: &TestApp, redis: &Redis) -> TestApp {
    let services = "customer,sales,opportunity,analytics";
    let back = front.beside(&["--redis-url", &redis.url(), "--services", services]).await;
    eventually(SOON, async || nodes::living(&front.db).await.unwrap().len() == 2).await;
    back
}

impl Pair {
    pub async fn start() -> Self {
        let redis = Redis::start();
        let front = front(&redis).await;
        Self { back: back(&front, &redis).await, front, redis }
    }

    /// The first ADMIN, at each of the nodes.
    pub async fn admin(&self) -> [Member; 2] {
        let login = json!({"email": testing::app::ADMIN, "password": testing::app::PASSWORD});
        let (front, back) = (self.front.nobody(), self.back.nobody());
        // Until each knows of the other, and has reached Redis.
        let answer = eventually(SOON, async || match back.post("/api/auth/login", login.clone()).await {
            answer if answer.status == 200 => Ok(answer),
            answer => Err(answer.to_string()),
        })
        .await;
        let [front, back] = [front, back].map(|api| Member::of(&api, &answer));
        eventually(SOON, async || front.get("/api/customers").await.status == 200).await;
        [front, back]
    }

    /// A stranger's way to the calls of `back`.
    async fn stranger(&self) -> Stranger {
        let cluster = nodes::cluster(&self.back.db).await.unwrap();
        let way = Way::new(&RedisSettings::new(&self.redis.url()), cluster, &[SECRET.into()]).unwrap();
        let living = nodes::living(&self.back.db).await.unwrap();
        let back =
            living.iter().find(|node| node.services.contains(&ServiceName::Customer.to_string())).unwrap();
        Stranger { way, db: self.back.db.clone(), back: back.incarnation, me: new_id() }
    }

    async fn customers(&self) -> i64 {
        self.back.rows("customers").await
    }
}

/// Writes into a node's stream what it likes.
struct Stranger {
    way: Way,
    db: Db,
    back: Id,
    me: Id,
}

impl Stranger {
    async fn now(&self) -> ClusterTime {
        ClusterTime(nodes::leases(&self.db).await.unwrap()[0].read_at)
    }

    async fn request(&self, name: &str, message: &impl Serialize) -> Request {
        Request {
            id: new_id(),
            deadline: self.now().await.plus(Duration::from_secs(3)),
            reply_to: self.me,
            question: Question {
                service: ServiceName::Customer.to_string(),
                name: name.into(),
                payload: serde_json::to_string(message).unwrap(),
                correlation_id: None,
                traceparent: None,
            },
        }
    }

    async fn send(&self, request: &Request) {
        post(&self.way, &self.way.calls(self.back), &request.fields()).await.unwrap();
    }

    async fn replies(&self) -> Vec<Reply> {
        let key = self.way.replies(self.me);
        let mut range = redis::cmd("XRANGE");
        range.arg(&key.name).arg("-").arg("+");
        let found: StreamRangeReply = range.query_async(&mut self.way.shared()).await.unwrap();
        let sealed = found.ids.iter().map(|entry| entry.get::<Vec<u8>>(FIELD).expect("a sealed entry"));
        let messages = sealed.map(|sealed| self.way.open(&key, 0, &sealed).expect("an entry that opens"));
        let messages = messages.map(|text| Message::unpack(&text).expect("a message"));
        messages.map(|message| Reply::read(|field| message.text(field)).expect("a reply")).collect()
    }

    /// The one reply to this request, once it is there.
    async fn reply(&self, id: Id) -> Result<String, Error> {
        let found = async || self.replies().await.into_iter().find(|reply| reply.id == id);
        eventually(SOON, found).await.outcome
    }
}

fn create(name: &str) -> CreateCustomer {
    let customer = NewCustomer { name: name.into(), ..NewCustomer::default() };
    CreateCustomer { customer, allow_duplicate: false, context: Context::system() }
}

fn find(id: Id) -> FindCustomer {
    FindCustomer {
        id,
        caller: Caller { user_id: new_id(), role: Role::Manager, session_id: new_id(), scopes: Scopes::ALL },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_answers_for_what_the_other_does_not_host() {
    let pair = Pair::start().await;
    let [front, back] = pair.admin().await;
    let made = front.post("/api/customers", json!({"name": "絆商事"})).await.expect(201);
    let path = made.header("location").expect("a place").to_owned();
    assert_eq!(back.get(&path).await.expect(200).text, front.get(&path).await.expect(200).text);
    front.if_match(9).patch(&path, json!({"name": "x"})).await.expect_problem(412, "stale_version");
    let unnamed = front.post("/api/customers", json!({"name": " "})).await;
    let here = back.post("/api/customers", json!({"name": " "})).await;
    assert_eq!((unnamed.status, &unnamed.body["errors"]), (422, &here.body["errors"]));
    // A meeting is checked by two services on two nodes.
    let owner = back.hire("SALES", "ann", None).await;
    let meeting = json!({"customer_id": made.id(), "title": "t", "met_at": "2026-03-01T00:00:00Z", "owner_id": owner.id});
    front.post("/api/meetings", meeting).await.expect(201);
    // The same key through the other node is the same request.
    let keyed = |member: &Member| member.idempotency_key("k");
    let first = keyed(&front).post("/api/customers", json!({"name": "一"})).await.expect(201);
    assert_eq!(keyed(&back).post("/api/customers", json!({"name": "一"})).await.expect(201).id(), first.id());
    assert_eq!(pair.customers().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_there_within_a_second_of_its_first_host_however_often_it_was_asked_before() {
    let redis = Redis::start();
    let front = front(&redis).await;
    let admin = Member::first(&front).await;
    for _ in 0..20 {
        let began = Instant::now();
        is_nowhere(&admin).await;
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "at once, not after retries: {:?}",
            began.elapsed()
        );
    }
    let reading = front.breakers.of(ServiceName::Customer.id()).read().await.unwrap();
    assert_eq!((reading.state, reading.calls), (BreakerState::Closed, 0));
    let back = back(&front, &redis).await;
    eventually(Duration::from_secs(1), async || answers(&admin).await).await;
    // Whatever had opened the breaker, its last host is gone, and the next one is another.
    for _ in 0..5 {
        let _ = front
            .breakers
            .of(ServiceName::Customer.id())
            .call(async { Err::<(), _>(Error::unavailable()) })
            .await;
    }
    assert_eq!(front.breakers.of(ServiceName::Customer.id()).read().await.unwrap().state, BreakerState::Open);
    drop(back);
    eventually(SOON, async || nodes::living(&front.db).await.unwrap().len() == 1).await;
    let _back = self::back(&front, &redis).await;
    eventually(Duration::from_secs(1), async || answers(&admin).await).await;
}

/// No node hosts the customers.
async fn is_nowhere(admin: &Member) {
    let answer = admin.get("/api/customers").await.expect_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer}");
}

async fn answers(admin: &Member) -> Result<(), String> {
    match admin.get("/api/customers").await {
        answer if answer.status == 200 => Ok(()),
        answer => Err(answer.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_through_a_node_without_auth_is_out_there_at_once() {
    let pair = Pair::start().await;
    let [front, back] = pair.admin().await;
    back.get("/api/auth/me").await.expect(200);
    back.post("/api/auth/logout", json!({})).await.expect(204);
    back.get("/api/auth/me").await.expect(401);
    front.get("/api/auth/me").await.expect(401);
    // And within a second the other way round.
    let [front, back] = pair.admin().await;
    back.get("/api/auth/me").await.expect(200);
    front.post("/api/auth/logout", json!({})).await.expect(204);
    eventually(Duration::from_secs(1), async || back.get("/api/auth/me").await.status == 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_comes_again_is_carried_out_once() {
    let pair = Pair::start().await;
    let stranger = pair.stranger().await;
    let request = stranger.request("CreateCustomer", &create("絆商事")).await;
    for _ in 0..20 {
        stranger.send(&request).await;
    }
    stranger.reply(request.id).await.expect("a customer");
    stranger.send(&request).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!((pair.customers().await, stranger.replies().await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_past_its_deadline_is_dropped() {
    let pair = Pair::start().await;
    let stranger = pair.stranger().await;
    let now = stranger.now().await;
    for deadline in [ClusterTime(0), ClusterTime(i64::MIN), now, ClusterTime(i64::MAX)] {
        let request = stranger.request("CreateCustomer", &create("late")).await;
        stranger.send(&Request { deadline, ..request }).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!((pair.customers().await, stranger.replies().await.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_entries_are_refused_or_passed_over_and_stop_nobody() {
    let pair = Pair::start().await;
    let stranger = pair.stranger().await;
    let key = stranger.way.calls(stranger.back);
    for fields in [
        vec![("a", "\0".to_owned())],
        vec![("id", "x".repeat(1 << 20))],
        stranger.request("FindCustomer", &find(new_id())).await.fields().split_off(2),
    ] {
        post(&stranger.way, &key, &fields).await.unwrap();
    }
    let mut unreadable = redis::cmd("XADD");
    unreadable.arg(&key.name).arg("*").arg(b"id\xff".as_slice()).arg(b"\xff\xfe\0".as_slice());
    unreadable.exec_async(&mut stranger.way.shared()).await.unwrap();
    let mut refused = Vec::new();
    for (name, payload) in [
        ("FindCustomer", json!(null)),
        ("FindCustomer", json!({"id": "\0", "caller": {}})),
        ("CreateCustomer", json!({"customer": {"name": "x", "shoe_size": 43}})),
        ("DropCustomers", json!({})),
        ("", json!("\0")),
        ("FindUser", json!({"id": new_id(), "caller": Caller::system()})),
    ] {
        refused.push(stranger.request(name, &payload).await);
    }
    // One of a service that the node does not host.
    let mut misled = stranger.request("FindUser", &json!({"id": new_id(), "caller": Caller::system()})).await;
    misled.question.service = ServiceName::Auth.to_string();
    refused.push(misled);
    for request in &refused {
        stranger.send(request).await;
    }
    for request in &refused {
        assert_eq!(stranger.reply(request.id).await, Err(Error::unavailable()), "{request:?}");
    }
    let nul = stranger.request("CreateCustomer", &create("a\0b")).await;
    stranger.send(&nul).await;
    let error = stranger.reply(nul.id).await.unwrap_err();
    assert_eq!((error.code, &*error.fields[0].code), (ErrorCode::InvalidFields, "nul_character"));
    let last = stranger.request("FindCustomer", &find(new_id())).await;
    stranger.send(&last).await;
    assert_eq!(stranger.reply(last.id).await, Err(Error::new(ErrorCode::NotFound)));
    // What was read is deleted, whatever it was.
    eventually(SOON, async || {
        let mut shared = stranger.way.shared();
        redis::cmd("XLEN").arg(&key.name).query_async::<i64>(&mut shared).await.unwrap() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_call_fails_soon_and_works_again_by_itself() {
    let mut pair = Pair::start().await;
    let [front, _] = pair.admin().await;
    pair.redis.kill();
    let begun = Instant::now();
    let answer = front.post("/api/customers", json!({"name": "x"})).await.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some(), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    pair.redis.restart_empty();
    eventually(SOON, async || {
        // The breaker's half minute passes.
        pair.front.clock.advance(Duration::from_secs(31));
        match front.post("/api/customers", json!({"name": "y"})).await {
            answer if answer.status == 201 => Ok(()),
            answer => Err(answer.to_string()),
        }
    })
    .await;
    pair.redis.pause();
    let begun = Instant::now();
    front.get("/api/customers").await.expect_problem(503, "unavailable");
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    pair.redis.resume();
    pair.redis.flush();
    eventually(SOON, async || {
        pair.front.clock.advance(Duration::from_secs(31));
        front.get("/api/customers").await.status == 200
    })
    .await;
}

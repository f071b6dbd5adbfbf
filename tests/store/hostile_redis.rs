//! A Redis that somebody else writes to (SPEC §8.11): forged calls and events, entries that are copied, moved and sent
//! again, garbage of every kind. Nobody is served by them, nothing changes, they are counted, and delivery goes on.

use std::time::Duration;

use domain::customer::messages::CreateCustomer;
use domain::customer::record::{Customer, CustomerPayload, NewCustomer};
use domain::user::messages::CreateUser;
use domain::user::record::NewUser;
use kernel::caller::Role;
use kernel::context::Context;
use kernel::event::{LoggedEvent, PARTITIONS};
use kernel::ids::{Id, new_id};
use redis::Value;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamRangeReply;
use runtime::cluster::clock::ClusterTime;
use runtime::remote::calls::{Question, Request, pack};
use serde::Serialize;
use serde_json::json;
use store::redis::{Redis as Way, RedisKey, RedisSettings};
use store::streams::FIELD;
use store::{leases, log};

use crate::common::event_of;
use crate::remote::Pair;
use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::live_client::Client;
use testing::{Member, Postgres, Redis, TestApp, eventually};

const SOON: Duration = Duration::from_secs(15);
/// How soon a notification arrives, whether by Redis or by the log, which is read every second.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// A secret that the cluster does not have.
const OTHER_SECRET: &str = "a secret of somebody else, 32 bytes or more";

/// Two nodes that host everything, and somebody who may write to their Redis.
struct Site {
    one: TestApp,
    other: TestApp,
    redis: Redis,
    /// Knows the cluster's secret.
    way: Way,
    attacker: Attacker,
}

/// Somebody with access to Redis, who knows how entries are made, but not the secret.
struct Attacker {
    connection: MultiplexedConnection,
    way: Way,
}

impl Site {
    async fn start() -> Self {
        let redis = Redis::start();
        let one = TestApp::with(Postgres, &["--redis-url", &redis.url()]).await;
        let other = one.beside(&["--redis-url", &redis.url()]).await;
        eventually(SOON, async || leases::living(&one.db).await.unwrap().len() == 2).await;
        let cluster = leases::cluster(&one.db).await.unwrap();
        let way = Way::new(&RedisSettings::new(&redis.url()), cluster, &[SECRET.into()]).unwrap();
        let attacker = Attacker::new(&redis, cluster).await;
        Self { one, other, redis, way, attacker }
    }

    /// The first ADMIN, at each of the nodes.
    async fn admin(&self) -> [Member; 2] {
        let first = Member::first(&self.one).await;
        let body = json!({"refresh_token": first.refresh_token});
        let answer = self.other.nobody().post("/api/auth/refresh", body).await.expect(200);
        [Member::of(&self.one.nobody(), &answer), Member::of(&self.other.nobody(), &answer)]
    }

    /// The incarnations of the nodes.
    async fn incarnations(&self) -> Vec<Id> {
        leases::living(&self.one.db).await.unwrap().iter().map(|node| node.incarnation).collect()
    }

    async fn head(&self, partition: i64) -> i64 {
        let heads = log::heads(&self.one.db).await.unwrap();
        heads.iter().find(|(of, _)| *of == partition).map_or(0, |(_, head)| *head)
    }

    async fn last_of(&self, subject: Id) -> LoggedEvent {
        let filter = log::AuditFilter { subject: Some(subject), ..log::AuditFilter::default() };
        log::audit(&self.one.db, &filter, None, 1).await.unwrap().remove(0)
    }

    /// Waits until the consumers have applied everything, and checks that no event was lost, applied twice or out of
    /// order.
    async fn integrity(&self, admin: &Member) {
        self.one.settle().await;
        let report = admin.get("/api/admin/integrity").await.expect(200);
        for consumer in report.body["consumers"].as_array().expect("a list") {
            for amiss in ["lost", "duplicated", "out_of_order", "pending"] {
                assert_eq!(consumer[amiss], 0, "{consumer}");
            }
        }
    }

    /// Checks that a notification of what is done at one node reaches a socket at the other in time.
    async fn tells(&self, admin: &[Member; 2], name: &str) {
        let manager = admin[0].hire("MANAGER", name, None).await;
        self.one.settle().await;
        let there = self.other.nobody().token(manager.access_token().expect("signed in"));
        let mut socket = Client::of(&there).await;
        let customer = admin[0].customer(name).await.id();
        let told = tokio::time::timeout(TOLD_WITHIN, socket.next("notification")).await;
        let told = told.unwrap_or_else(|_| panic!("{name}: nothing within {TOLD_WITHIN:?}"));
        assert_eq!(told["notification"]["subject"]["id"], *customer, "{told}");
    }

    /// Waits until what is committed in this partition stands in Redis again.
    async fn redis_carries_events(&self, admin: &Member, partition: i64) {
        let key = self.way.events(partition).name;
        eventually(SOON, async || {
            let event = self.event_in(admin, partition).await;
            let id = format!("{}-0", event.partition_seq);
            let range = redis::cmd("XRANGE").arg(&key).arg(&id).arg(&id).to_owned();
            // It is published soon after the commit, and stays there for a moment.
            for _ in 0..100 {
                let mut connection = self.attacker.connection.clone();
                let found: Vec<Value> = range.query_async(&mut connection).await.unwrap_or_default();
                if !found.is_empty() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            false
        })
        .await;
    }

    /// Makes customers until one has its event in this partition.
    async fn event_in(&self, admin: &Member, partition: i64) -> LoggedEvent {
        loop {
            let made = admin.customer("next").await.id();
            let event = self.last_of(Id::parse(&made).unwrap()).await;
            if event.partition == partition {
                return event;
            }
        }
    }
}

impl Attacker {
    async fn new(redis: &Redis, cluster: Id) -> Self {
        let client = redis::Client::open(redis.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        Self {
            connection,
            way: Way::new(&RedisSettings::new(&redis.url()), cluster, &[OTHER_SECRET.into()]).unwrap(),
        }
    }

    async fn add(&self, key: &RedisKey, id: &str, fields: &[(&str, &[u8])]) {
        let mut add = redis::cmd("XADD");
        add.arg(&key.name).arg(id);
        for (name, value) in fields {
            add.arg(*name).arg(*value);
        }
        add.exec_async(&mut self.connection.clone()).await.unwrap();
    }

    async fn delete(&self, key: &RedisKey) {
        redis::cmd("DEL").arg(&key.name).exec_async(&mut self.connection.clone()).await.unwrap();
    }

    /// A call as an earlier version wrote it, and one sealed by another secret.
    async fn call(&self, key: &RedisKey, request: &Request) {
        let fields = request.fields();
        let plain: Vec<(&str, &[u8])> =
            fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        self.add(key, "*", &plain).await;
        self.add(key, "*", &[(FIELD, &self.way.seal(key, 0, &pack(&fields)))]).await;
    }

    /// An event as an earlier version wrote it, or sealed by another secret.
    async fn event(&self, key: &RedisKey, event: &LoggedEvent, is_sealed: bool) {
        let (id, json) = (format!("{}-0", event.partition_seq), log::to_json(event));
        let text = [new_id().bits().to_be_bytes().as_slice(), json.as_bytes()].concat();
        let sealed = self.way.seal(key, event.partition_seq, &text);
        let from = new_id().to_string();
        if is_sealed {
            self.add(key, &id, &[(FIELD, &sealed)]).await;
        } else {
            self.add(key, &id, &[("from", from.as_bytes()), ("event", json.as_bytes())]).await;
        }
    }

    async fn exists(&self, key: &RedisKey) -> bool {
        let exists = redis::cmd("EXISTS").arg(&key.name).to_owned();
        exists.query_async(&mut self.connection.clone()).await.unwrap()
    }

    async fn length(&self, key: &RedisKey) -> i64 {
        let length = redis::cmd("XLEN").arg(&key.name).to_owned();
        length.query_async(&mut self.connection.clone()).await.unwrap()
    }

    /// The entries of a stream: their ids, and what is sealed in them.
    async fn entries(&self, key: &RedisKey) -> Vec<(String, Vec<u8>)> {
        let range = redis::cmd("XRANGE").arg(&key.name).arg("-").arg("+").to_owned();
        let found: StreamRangeReply = range.query_async(&mut self.connection.clone()).await.unwrap();
        let sealed = |entry: &redis::streams::StreamId| Some((entry.id.clone(), entry.get(FIELD)?));
        found.ids.iter().filter_map(sealed).collect()
    }
}

async fn request(app: &TestApp, service: &str, name: &str, message: &impl Serialize) -> Request {
    let now = ClusterTime(leases::leases(&app.db).await.unwrap()[0].read_at);
    Request {
        id: new_id(),
        deadline: now.plus(Duration::from_secs(30)),
        reply_to: new_id(),
        question: Question {
            service: service.into(),
            name: name.into(),
            payload: serde_json::to_string(message).unwrap(),
            correlation_id: None,
            traceparent: None,
        },
    }
}

fn customer(name: &str, owner: &str) -> CreateCustomer {
    let owner_id = Id::parse(owner);
    let customer = NewCustomer { name: name.into(), owner_id, ..NewCustomer::default() };
    CreateCustomer { customer, allow_duplicate: true, context: Context::system() }
}

/// How many entries were refused in this process.
async fn refused(app: &TestApp, purpose: &str) -> u64 {
    let text = app.nobody().get("/metrics").await.expect(200).text;
    let line = format!("kizuna_redis_refused_total{{purpose=\"{purpose}\"}} ");
    let value = text.lines().find_map(|shown| shown.strip_prefix(&line));
    value.unwrap_or_else(|| panic!("no {line}")).parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_call_is_refused_before_it_is_read() {
    let pair = Pair::start().await;
    let [front, _] = pair.admin().await;
    let cluster = leases::cluster(&pair.front.db).await.unwrap();
    let attacker = Attacker::new(&pair.redis, cluster).await;
    let before = refused(&pair.front, "calls").await;
    let user = NewUser {
        email: "mallory@example.com".into(),
        name: "mallory".into(),
        role: Role::Admin,
        manager_id: None,
        locale: None,
        time_zone: None,
        password: PASSWORD.into(),
    };
    let forged = CreateUser { user, context: Context::system() };
    let forged = request(&pair.front, "auth", "CreateUser", &forged).await;
    for node in leases::living(&pair.front.db).await.unwrap() {
        attacker.call(&attacker.way.calls(node.incarnation), &forged).await;
    }
    // A stream is read in order: what is answered after the forged call was read after it.
    front.get("/api/customers").await.expect(200);
    for node in leases::living(&pair.front.db).await.unwrap() {
        let key = attacker.way.calls(node.incarnation);
        eventually(SOON, async || attacker.length(&key).await == 0).await;
    }
    let login = json!({"email": "mallory@example.com", "password": PASSWORD});
    pair.front.nobody().post("/api/auth/login", login).await.expect_problem(401, "invalid_credentials");
    assert_eq!(pair.front.rows("users").await, 1);
    assert!(refused(&pair.front, "calls").await >= before + 4);
    assert!(!attacker.exists(&attacker.way.replies(forged.reply_to)).await, "nobody has answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_the_cluster_is_carried_out_once_and_only_where_it_was_sent() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let nodes = site.incarnations().await;
    let [one, other] = [site.way.calls(nodes[0]), site.way.calls(nodes[1])];
    let call = request(&site.one, "customer", "CreateCustomer", &customer("絆商事", &admin[0].id)).await;
    let sealed = site.way.seal(&one, 0, &pack(&call.fields()));
    let before = refused(&site.one, "calls").await;
    for _ in 0..5 {
        site.attacker.add(&one, "*", &[(FIELD, &sealed)]).await;
        site.attacker.add(&other, "*", &[(FIELD, &sealed)]).await;
    }
    // The answer to the one that was carried out, put into other streams, is none there.
    let replies = site.way.replies(call.reply_to);
    let (_, answer) = eventually(SOON, async || site.attacker.entries(&replies).await.pop()).await;
    for node in &nodes {
        site.attacker.add(&site.way.replies(*node), "*", &[(FIELD, &answer)]).await;
    }
    eventually(SOON, async || {
        let count = refused(&site.one, "calls").await;
        if count >= before + 5 { Ok(()) } else { Err(format!("{count} after {before}")) }
    })
    .await;
    for key in [&one, &other] {
        eventually(SOON, async || site.attacker.length(key).await == 0).await;
    }
    assert_eq!(site.attacker.entries(&replies).await.len(), 1);
    assert_eq!(site.one.rows("customers").await, 1);
    site.integrity(&admin[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_event_takes_no_effect_and_later_ones_arrive() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let made = admin[0].customer("絆商事").await;
    let (id, meeting) = (Id::parse(&made.id()).unwrap(), admin[0].meeting(&made.id(), "商談").await.id());
    site.one.settle().await;
    let stored = site.one.stored().await;
    let created = site.last_of(id).await;
    let CustomerPayload { customer, .. } = created.payload().unwrap();
    let gone = Customer { version: 2, deleted_at: Some(site.one.clock.now()), ..customer };
    let partition = created.partition;
    let key = site.way.events(partition);
    for (seq, is_sealed) in
        [(None, false), (None, true), (Some(9_007_199_254_740_993), false), (Some(i64::MAX), true)]
    {
        let before = refused(&site.one, "events").await;
        // Only ids beyond those in the stream are possible.
        site.attacker.delete(&key).await;
        let seq = match seq {
            Some(seq) => seq,
            None => site.head(partition).await + 1,
        };
        let forged =
            LoggedEvent { partition, partition_seq: seq, log_seq: Some(seq), event: event_of(&gone) };
        site.attacker.event(&key, &forged, is_sealed).await;
        eventually(SOON, async || !site.attacker.exists(&key).await).await;
        assert!(refused(&site.one, "events").await > before);
    }
    // An id that is in the way and has no entry that could be refused.
    let before = refused(&site.one, "events").await;
    site.attacker.add(&key, "9000000000000000000-0", &[("a", b"b")]).await;
    let mut delete = redis::cmd("XDEL");
    delete.arg(&key.name).arg("9000000000000000000-0");
    delete.exec_async(&mut site.attacker.connection.clone()).await.unwrap();
    site.tells(&admin, "after-forged-events").await;
    site.redis_carries_events(&admin[0], partition).await;
    assert!(refused(&site.one, "events").await > before);
    admin[0].get(&format!("/api/meetings/{meeting}")).await.expect(200);
    admin[1].get(&format!("/api/customers/{id}")).await.expect(200);
    site.integrity(&admin[0]).await;
    let rows = |stored: &[String]| stored.iter().find(|line| line.starts_with("meetings")).cloned();
    assert_eq!(rows(&site.one.stored().await), rows(&stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_copied_to_another_place_is_refused() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let find = async || {
        admin[0].customer("絆商事").await;
        for partition in 0..PARTITIONS {
            if let Some((id, sealed)) = site.attacker.entries(&site.way.events(partition)).await.pop() {
                return Some((partition, id, sealed));
            }
        }
        None
    };
    let (partition, id, sealed) = eventually(SOON, find).await;
    let seq: i64 = id.split('-').next().unwrap().parse().unwrap();
    let event = site.way.open(&site.way.events(partition), seq, &sealed).expect("a real one");
    assert!(String::from_utf8_lossy(&event[16..]).contains("slice_seq"), "what is shown is what is sealed");
    let next = (partition + 1) % PARTITIONS;
    for (to, id) in [
        (partition, format!("{}-0", site.head(partition).await + 1)),
        (partition, format!("{}-1", site.head(partition).await)),
        (next, format!("{}-0", site.head(next).await + 1)),
        (next, format!("{}-0", seq.max(site.head(next).await + 1))),
    ] {
        let (key, before) = (site.way.events(to), refused(&site.one, "events").await);
        site.attacker.delete(&key).await;
        site.attacker.add(&key, &id, &[(FIELD, &sealed)]).await;
        eventually(SOON, async || !site.attacker.exists(&key).await).await;
        assert!(refused(&site.one, "events").await > before, "{id} in {to}");
    }
    site.tells(&admin, "after-copies").await;
    site.integrity(&admin[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_of_every_kind_stops_nobody() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let customer = admin[0].customer("絆商事").await.id();
    let mut keys: Vec<RedisKey> = (0..PARTITIONS).map(|partition| site.way.events(partition)).collect();
    for node in site.incarnations().await {
        keys.extend([site.way.calls(node), site.way.replies(node)]);
    }
    keys.push(site.way.hot("customer", Id::parse(&customer).unwrap()));
    let big = vec![0xff; 1 << 20];
    let many: Vec<(String, Vec<u8>)> = (0..1_000).map(|n| (format!("field {n}"), vec![1])).collect();
    let many: Vec<(&str, &[u8])> =
        many.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let entries: [&[(&str, &[u8])]; 6] = [
        &[(FIELD, b"")],
        &[(FIELD, b"\x01\xff\xfe")],
        &[(FIELD, &big)],
        &[("", b"")],
        &[("\0", b"\0"), (FIELD, b"x")],
        &many,
    ];
    for key in &keys {
        for entry in entries {
            site.attacker.delete(key).await;
            site.attacker.add(key, "9000000000000-7", entry).await;
        }
        for foreign in [["SET", "text"], ["RPUSH", "item"], ["SADD", "member"]] {
            site.attacker.delete(key).await;
            site.redis.command(&[foreign[0], &key.name, foreign[1]]);
        }
    }
    admin[1].get(&format!("/api/customers/{customer}")).await.expect(200);
    for round in 0..10 {
        let name = format!("customer {round}");
        let path = format!("/api/customers/{customer}");
        admin[round % 2].patch(&path, json!({"name": name})).await.expect(200);
        assert_eq!(admin[(round + 1) % 2].get(&path).await.expect(200).text_at("/name"), name);
    }
    // Every foreign key of a stream is deleted, and the hot customer's as soon as it is read.
    for key in &keys {
        eventually(SOON, async || {
            let kind = redis::cmd("TYPE").arg(&key.name).to_owned();
            let kind: String = kind.query_async(&mut site.attacker.connection.clone()).await.unwrap();
            if kind == "set" { Err(key.name.clone()) } else { Ok(()) }
        })
        .await;
    }
    for purpose in ["events", "calls", "replies", "hot"] {
        assert!(refused(&site.one, purpose).await > 0, "{purpose}");
    }
    site.tells(&admin, "after-garbage").await;
    site.integrity(&admin[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_rolled_out_node_by_node() {
    // Commas separate accepted secrets.
    const OLD: &str = "the secret of the tests: 32 bytes or more";
    const NEW: &str = "the next secret of the tests: 32 bytes or more";
    const REST: &str = "customer,sales,opportunity,analytics";
    let redis = Redis::start();
    let url = redis.url();
    let node = |services: &'static str, secrets: &[&'static str]| {
        [&["--redis-url", &url, "--services", services], secrets].concat()
    };
    let old_first: &[&str] = &["--jwt-secret", OLD, "--jwt-secret-accepted", NEW];
    let new_first: &[&str] = &["--jwt-secret", NEW, "--jwt-secret-accepted", OLD];
    let front = TestApp::with(Postgres, &node("auth", old_first)).await;
    let back = front.beside(&node(REST, new_first)).await;
    let old = serve_together(&front, &back).await;

    // The other node, too, signs and seals with the new secret; then the old one is given up.
    let next = front.beside(&node("auth", new_first)).await;
    drop(front);
    serve_together(&next, &back).await;
    let last = next.beside(&node(REST, &["--jwt-secret", NEW])).await;
    drop(back);
    serve_together(&next, &last).await;
    next.nobody().token(&old).get("/api/auth/me").await.expect(200);
    last.nobody().token(&old).get("/api/auth/me").await.expect_problem(401, "invalid_token");
}

/// Checks that calls go from each of two nodes to the other, and that both accept a token; returns the token.
async fn serve_together(front: &TestApp, back: &TestApp) -> String {
    eventually(SOON, async || leases::living(&front.db).await.unwrap().len() == 2).await;
    let signed_in = eventually(SOON, async || {
        let login = json!({"email": ADMIN, "password": PASSWORD});
        let answer = back.nobody().post("/api/auth/login", login).await;
        if answer.status == 200 { Ok(answer) } else { Err(answer.to_string()) }
    })
    .await;
    let [here, there] = [front, back].map(|app| Member::of(&app.nobody(), &signed_in));
    eventually(SOON, async || here.get("/api/customers").await.status == 200).await;
    let made = here.customer("絆商事").await.id();
    there.get(&format!("/api/customers/{made}")).await.expect(200);
    here.access_token().expect("signed in").to_owned()
}

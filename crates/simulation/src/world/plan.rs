//! What a seed draws: how many nodes and clients there are, what they ask, and what goes wrong.

use crate::chance;
use crate::weather::Conditions;

/// A moment, in milliseconds since the world's begin.
pub type Moment = u64;

/// What a client asks.
#[derive(Clone, Debug)]
pub enum Ask {
    Open { account: usize, amount: i64 },
    Add { account: usize, amount: i64, note: Option<usize> },
    Transfer { source: usize, target: usize, amount: i64 },
    Create { note: usize, title: u64 },
    Change { note: usize, on: bool },
    Erase { note: usize },
    LookAtAccount { account: usize },
    LookAtNote { note: usize },
}

/// A request of a client.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Moment,
    pub ask: Ask,
    /// Whether it has an idempotency key: then it is repeated until it is answered.
    pub has_key: bool,
    /// Whether it is not made at all: a smaller world.
    pub is_left_out: bool,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A node dies, and is started again after a while.
    Crash {
        node: usize,
        down: Moment,
    },
    /// A node does nothing for a while.
    Hang {
        node: usize,
        lasts: Moment,
    },
    /// A node hangs, and another process is started in its place before it goes on.
    Replace {
        node: usize,
        lasts: Moment,
    },
    /// A node leaves, and comes back after a while.
    Leave {
        node: usize,
        down: Moment,
    },
    /// A node more.
    Join,
    /// The database does not answer.
    DatabaseAway {
        lasts: Moment,
    },
    DiskFull {
        lasts: Moment,
    },
    RedisAway {
        lasts: Moment,
    },
    RedisFlushed,
    /// The clock of a node jumps by so many milliseconds.
    ClockJump {
        node: usize,
        by: i64,
    },
    /// Messages and statements are late, lost, doubled.
    Storm {
        conditions: Conditions,
        lasts: Moment,
    },
}

/// A world before it begins.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Whether all that happens is printed.
    pub is_told: bool,
    pub nodes: usize,
    /// With leases and other nodes; else a node by itself.
    pub is_cluster: bool,
    /// Whether a cluster has Redis at first: without it nodes read the log.
    pub has_redis: bool,
    /// Whether the first node does not host the service, and calls the others.
    pub has_front: bool,
    pub accounts: usize,
    /// The most living aggregates of a kind on each node.
    pub children: usize,
    /// One in so many events fails for a while in a consumer; none if it is 0.
    pub stubborn: u64,
    pub requests: Vec<Request>,
    pub faults: Vec<(Moment, Fault)>,
}

const ACCOUNTS: usize = 4;
/// Fewer than a batch of events needs.
const CHILDREN: usize = 6;
pub const NOTES: usize = 5;
/// How long clients ask, and faults happen.
const BUSY: Moment = 12_000;

impl Plan {
    /// The plan of this seed. A world must have begun on this thread: it draws from there.
    pub fn draw(seed: u64) -> Self {
        let is_cluster = chance::below(8) > 0;
        let nodes = if is_cluster { chance::between(1, 3) as usize } else { 1 };
        let has_redis = is_cluster && chance::below(5) > 0;
        let has_front = has_redis && nodes > 1 && chance::below(3) > 0;
        let stubborn = if chance::below(3) == 0 { chance::between(3, 9) } else { 0 };
        let opened = (0..ACCOUNTS).map(|account| Request {
            at: chance::below(1_000),
            ask: Ask::Open { account, amount: chance::between(50, 200) as i64 },
            has_key: true,
            is_left_out: false,
        });
        let mut requests: Vec<Request> = opened.collect();
        for _ in 0..chance::between(10, 40) {
            let last = requests.last().map_or(500, |request| request.at).max(500);
            // One in three comes together with the one before.
            let at = if chance::below(3) == 0 { last + chance::below(4) } else { chance::between(500, BUSY) };
            let (ask, has_key) = (ask(), chance::below(2) == 0);
            let request = Request { at, ask, has_key, is_left_out: false };
            requests.extend(rival(&request));
            requests.push(request);
        }
        requests.sort_by_key(|request| request.at);
        let count = chance::below(6);
        let mut faults: Vec<(Moment, Fault)> =
            (0..count).map(|_| (chance::below(BUSY), fault(nodes, is_cluster))).collect();
        faults.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            is_told: false,
            nodes,
            is_cluster,
            has_redis,
            has_front,
            accounts: ACCOUNTS,
            children: CHILDREN,
            stubborn,
            requests,
            faults,
        }
    }
}

/// Of two notes with one title at most one is created.
fn rival(request: &Request) -> Option<Request> {
    let Ask::Create { note, title } = request.ask else { return None };
    let ask = Ask::Create { note: (note + 1) % NOTES, title };
    (chance::below(2) == 0).then(|| Request { at: request.at + chance::below(4), ask, ..request.clone() })
}

fn ask() -> Ask {
    let account = chance::below(ACCOUNTS as u64) as usize;
    let note = chance::below(NOTES as u64) as usize;
    let amount = chance::between(1, 60) as i64;
    match chance::below(16) {
        0..3 => Ask::Add { account, amount, note: None },
        3..5 => Ask::Add { account, amount, note: Some(note) },
        5..8 => {
            let target = (account + 1 + chance::below(ACCOUNTS as u64 - 1) as usize) % ACCOUNTS;
            Ask::Transfer { source: account, target, amount }
        }
        8..10 => Ask::Create { note, title: chance::below(3) },
        10..12 => Ask::Change { note, on: chance::below(2) == 0 },
        12 => Ask::Erase { note },
        13 => Ask::LookAtAccount { account },
        _ => Ask::LookAtNote { note },
    }
}

fn fault(nodes: usize, is_cluster: bool) -> Fault {
    let node = chance::below(nodes as u64) as usize;
    let lasts = chance::between(200, 6_000);
    match chance::below(if is_cluster { 13 } else { 7 }) {
        0..2 => Fault::Crash { node, down: chance::between(50, 4_000) },
        2 => Fault::DatabaseAway { lasts: lasts / 2 },
        3 => Fault::DiskFull { lasts: lasts / 2 },
        4 => Fault::ClockJump { node, by: chance::between(0, 20_000) as i64 - 10_000 },
        5 | 6 => Fault::Storm { conditions: storm(), lasts },
        7 => Fault::Hang { node, lasts },
        8 => Fault::Replace { node, lasts },
        9 => Fault::Leave { node, down: chance::between(50, 4_000) },
        10 => Fault::Join,
        11 => Fault::RedisAway { lasts },
        _ => Fault::RedisFlushed,
    }
}

fn storm() -> Conditions {
    let often = |most| if chance::below(2) == 0 { chance::below(most) } else { 0 };
    Conditions {
        database_delay: chance::between(1, 40),
        slow_statements: often(300),
        lost_statements: often(600),
        lost_answers: often(900),
        message_delay: chance::between(1, 60),
        slow_messages: often(800),
        lost_messages: often(2_500),
        doubled_messages: often(5_000),
        stale_reads: often(2_000),
    }
}

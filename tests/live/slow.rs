//! A client that stops reading is closed and reconnects; other clients notice nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::wire::{Raw, Wire};
use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::live_client::Client;
use testing::{Api, Kizuna, Member, Sqlite, TestDatabase};

const BINARY: &str = env!("CARGO_BIN_EXE_kizuna");
const PATH: &str = "/api/ws?topics=customers";
/// Changes of one customer, each an event of some 30 KB: far more than the kernel and the queue hold.
const CHANGES: usize = 600;
/// The memory that one slow client may cost the server, with the caches of the log.
const GROWTH_MAX_KB: usize = 48 * 1024;

/// Resident memory in KiB.
fn resident(server: &Kizuna) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn version_of(frame: &Value) -> i64 {
    frame["event"]["data"]["customer"]["version"].as_i64().unwrap_or_else(|| panic!("{frame}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_reading_is_closed_with_1013_within_bounded_memory_and_resumes() {
    let database = TestDatabase::fresh(Sqlite);
    let launch = Kizuna::launch(BINARY).database(&database.url).env("KIZUNA_JWT_SECRET", SECRET);
    let server = launch.env("KIZUNA_ADMIN_PASSWORD", PASSWORD).start().await;
    let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
    let customer = admin.customer("絆商事").await.id();
    let (mut fast, _) = Client::at(&admin, PATH).await;
    let address = format!("/api/customers/{customer}");
    let alone = change_and_follow(&admin, &address, &mut fast, 0).await;
    let mut slow = Wire::open(&admin, PATH, Some(16 * 1024)).await;
    let before = resident(&server);
    let beside = change_and_follow(&admin, &address, &mut fast, CHANGES).await;
    assert!(
        beside < alone * 3,
        "others are served in {beside:?} beside a slow client, and in {alone:?} without"
    );
    let growth = resident(&server).saturating_sub(before);
    assert!(growth < GROWTH_MAX_KB, "the server has grown by {growth} KiB");
    let (last, code) = read_on(&mut slow).await;
    assert_eq!(code, Some(1013));
    let last = last.expect("some frames came");
    let first = CHANGES as i64 + 2;
    assert!(version_of(&last) < first + CHANGES as i64 / 2, "most were never sent");
    let cursor = last["cursor"].as_str().expect("a cursor");
    let (mut again, _) = Client::at(&admin, &format!("{PATH}&cursor={cursor}")).await;
    for version in version_of(&last) + 1..=2 * CHANGES as i64 + 1 {
        assert_eq!(version_of(&again.next("event").await), version);
    }
}

/// Changes a customer again and again while a client follows; how long that takes. `done`: changes before these.
async fn change_and_follow(admin: &Member, address: &str, reader: &mut Client, done: usize) -> Duration {
    let begun = Instant::now();
    let writing = async {
        for number in done..done + CHANGES {
            let notes = format!("{number:05}{}", "絆".repeat(9_900));
            admin.patch(address, json!({"notes": notes})).await.expect(200);
        }
    };
    let reading = async {
        for number in done..done + CHANGES {
            assert_eq!(version_of(&reader.next("event").await), number as i64 + 2);
        }
    };
    tokio::join!(writing, reading);
    begun.elapsed()
}

/// Reads to the end: the last event, and the code of the close frame.
async fn read_on(wire: &mut Wire) -> (Option<Value>, Option<u16>) {
    let mut last: Option<Value> = None;
    while let Some(Raw { opcode, payload }) = wire.next().await {
        match opcode {
            1 => {
                let frame: Value = serde_json::from_slice(&payload).expect("JSON");
                let expected = last.as_ref().map_or(CHANGES as i64 + 2, |last| version_of(last) + 1);
                assert_eq!(version_of(&frame), expected);
                last = Some(frame);
            }
            8 => return (last, payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]))),
            _ => {}
        }
    }
    (last, None)
}

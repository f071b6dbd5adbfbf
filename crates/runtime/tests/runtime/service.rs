//! A service's actor: it dies of a panic in its work and comes back, and bounds how much is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kernel::error::{Error, ErrorCode};
use kizuna_runtime::serve;
use kizuna_runtime::service::{Local, WORK_MAX};
use kizuna_runtime::supervisor::STUCK_AFTER;
use tokio::sync::Semaphore;

use crate::node::{Node, eventually, run};

const NAME: &str = "bell";
/// Far beyond what a test takes: an answer by then is no matter of a deadline.
const DEADLINE: Duration = Duration::from_secs(120);
const AT_ONCE: Duration = Duration::from_secs(5);

/// Answers, holds messages until they are released, and panics if told to.
struct Bell {
    held: AtomicUsize,
    released: Semaphore,
}

struct Echo(u32);
struct Hold;
struct Crash;

kernel::needs! {
    Echo: nobody [];
    Hold: nobody [];
    Crash: nobody [];
}

serve!(Bell, {
    Echo => |_service, message| u32 { Ok(message.0) },
    Hold => |service, _message| () {
        service.held.fetch_add(1, Ordering::SeqCst);
        service.released.acquire().await.expect("it is never closed").forget();
        Ok(())
    },
    Crash => |_service, _message| () {
        // After an await: in the task, and not while the actor takes the message up.
        tokio::task::yield_now().await;
        panic!("a panic on purpose")
    },
});

fn start(node: &Node) -> (Arc<Bell>, Local<Bell>) {
    let bell = Arc::new(Bell { held: AtomicUsize::new(0), released: Semaphore::new(0) });
    (bell.clone(), Local::start(&node.supervisor, NAME, &node.arbiters.serving(), DEADLINE, bell))
}

/// So many messages on their way, all of which are under way when this comes back.
async fn hold(
    bell: &Bell,
    service: &Local<Bell>,
    count: usize,
) -> Vec<tokio::task::JoinHandle<Result<(), Error>>> {
    let held = (0..count).map(|_| {
        let service = service.clone();
        tokio::spawn(async move { service.ask(Hold).await })
    });
    let held = held.collect();
    eventually("all are under way", async || bell.held.load(Ordering::SeqCst) == count).await;
    held
}

#[test]
fn a_panic_in_a_task_ends_the_actor_and_no_other_task() {
    run(async |runtime| {
        let node = Node::start(&runtime, STUCK_AFTER).await;
        let (bell, service) = start(&node);
        let held = hold(&bell, &service, 3).await;
        let error = service.ask(Crash).await.expect_err("it panics");
        assert_eq!((error.code, error.code.status()), (ErrorCode::Unavailable, 503));
        eventually("its supervisor starts it again", async || {
            let reading = node.reading(NAME);
            (reading.restarts, reading.live) == (1, 1)
        })
        .await;
        assert_eq!(service.ask(Echo(7)).await, Ok(7));
        bell.released.add_permits(held.len());
        for other in join_all(held).await {
            assert_eq!(other.expect("no panic"), Ok(()), "what was under way goes on");
        }
        assert_eq!(node.reading(NAME).restarts, 1);
    });
}

#[test]
fn what_exceeds_the_places_for_work_is_overloaded_at_once() {
    run(async |runtime| {
        let node = Node::start(&runtime, STUCK_AFTER).await;
        let (bell, service) = start(&node);
        let held = hold(&bell, &service, WORK_MAX).await;
        let more = tokio::time::timeout(AT_ONCE, service.ask(Echo(1))).await.expect("an answer at once");
        assert_eq!(more.expect_err("there is no place").code, ErrorCode::Overloaded);
        bell.released.add_permits(WORK_MAX);
        for other in join_all(held).await {
            assert_eq!(other.expect("no panic"), Ok(()));
        }
        assert_eq!(service.ask(Echo(2)).await, Ok(2), "there is room again");
    });
}

#[test]
fn work_that_panicked_leaves_its_place_to_others() {
    run(async |runtime| {
        let node = Node::start(&runtime, STUCK_AFTER).await;
        let (bell, service) = start(&node);
        let held = hold(&bell, &service, WORK_MAX - 1).await;
        assert!(service.ask(Crash).await.is_err());
        eventually("it answers", async || service.ask(Echo(3)).await == Ok(3)).await;
        bell.released.add_permits(held.len());
    });
}

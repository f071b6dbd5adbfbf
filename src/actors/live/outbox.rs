//! What waits for one socket, bounded in frames and bytes; and why a socket ends.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, watch};

use crate::actors::live::frames::Frame;
use crate::actors::live::topics::Topics;

/// Why a feed has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The session is no longer valid: logout, new password, deletion, expired token.
    SessionEnded,
    /// The client did not drain its queue.
    TooSlow,
    /// A part in between was lost, and perhaps an event with it.
    Lost,
    /// The node stops.
    Stopping,
}

/// The bounds of what waits for a socket.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub frames: usize,
    pub bytes: usize,
}

/// A frame with the number of its event in the log.
#[derive(Debug)]
pub struct Queued {
    pub number: i64,
    pub frame: Frame,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Queued>,
    bytes: usize,
    /// The reader takes frames from here, so that an overflow ends it. Before that it reads the log, which also has
    /// the frames that overflow.
    is_live: bool,
    has_overflowed: bool,
}

struct Inner {
    queue: Mutex<Queue>,
    more: Notify,
    ended: watch::Sender<Option<Ended>>,
    topics: AtomicU8,
    is_dropped: AtomicBool,
    bounds: Bounds,
}

/// The listener's end of the queue. Dropping it ends the socket.
pub struct Outbox(Arc<Inner>);

/// The socket's end of the queue.
pub struct Inbox(Arc<Inner>);

/// An empty queue whose reader is still behind.
pub fn outbox(topics: Topics, bounds: Bounds) -> (Outbox, Inbox) {
    let inner = Arc::new(Inner {
        queue: Mutex::default(),
        more: Notify::new(),
        ended: watch::Sender::new(None),
        topics: AtomicU8::new(topics.bits()),
        is_dropped: AtomicBool::new(false),
        bounds,
    });
    (Outbox(inner.clone()), Inbox(inner))
}

impl Outbox {
    /// The topics that its reader follows.
    pub fn topics(&self) -> Topics {
        Topics::from_bits(self.0.topics.load(Ordering::Acquire))
    }

    /// Whether the reader is gone.
    pub fn is_over(&self) -> bool {
        self.0.is_dropped.load(Ordering::Acquire) || self.0.ended.borrow().is_some()
    }

    /// Adds a frame, if there is room; a live reader without room ends with [`Ended::TooSlow`].
    pub fn push(&self, queued: Queued) {
        if self.is_over() {
            return;
        }
        let mut queue = self.0.queue.lock().expect("no panic under this lock");
        if queue.has_overflowed {
            return;
        }
        let bytes = queue.bytes + queued.frame.text.len();
        if queue.frames.len() < self.0.bounds.frames && bytes <= self.0.bounds.bytes {
            queue.bytes = bytes;
            queue.frames.push_back(queued);
        } else {
            *queue = Queue { has_overflowed: true, is_live: queue.is_live, ..Queue::default() };
            if queue.is_live {
                self.end(Ended::TooSlow);
            }
        }
        drop(queue);
        self.0.more.notify_one();
    }

    /// Ends the socket; the first reason counts.
    pub fn end(&self, why: Ended) {
        self.0.ended.send_if_modified(|ended| {
            let is_first = ended.is_none();
            ended.get_or_insert(why);
            is_first
        });
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.end(Ended::Lost);
    }
}

impl Inbox {
    /// Follows these topics from now on.
    pub fn set_topics(&self, topics: Topics) {
        self.0.topics.store(topics.bits(), Ordering::Release);
    }

    pub fn topics(&self) -> Topics {
        Topics::from_bits(self.0.topics.load(Ordering::Acquire))
    }

    /// Empties the queue, because its reader turns to the log.
    pub fn restart(&self) {
        *self.0.queue.lock().expect("no panic under this lock") = Queue::default();
    }

    /// The reader has caught up with the log, and from now on reads the queue. Returns false if the queue has
    /// overflowed meanwhile.
    pub fn go_live(&self) -> bool {
        let mut queue = self.0.queue.lock().expect("no panic under this lock");
        queue.is_live = !queue.has_overflowed;
        queue.is_live
    }

    /// Waits for the next frame. Dropping this future loses nothing.
    pub async fn next(&self) -> Queued {
        loop {
            let more = self.0.more.notified();
            if let Some(queued) = self.take() {
                return queued;
            }
            more.await;
        }
    }

    fn take(&self) -> Option<Queued> {
        let mut queue = self.0.queue.lock().expect("no panic under this lock");
        let queued = queue.frames.pop_front()?;
        queue.bytes -= queued.frame.text.len();
        if queue.frames.is_empty() {
            // Frees the memory of a busy moment while the socket is idle.
            queue.frames = VecDeque::new();
        }
        Some(queued)
    }

    /// Waits for the end.
    pub async fn wait_ended(&self) -> Ended {
        let mut ended = self.0.ended.subscribe();
        let why = ended.wait_for(Option::is_some).await.map(|why| *why);
        why.ok().flatten().unwrap_or(Ended::Lost)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.0.is_dropped.store(true, Ordering::Release);
        self.restart();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn queued(number: i64, text: &str) -> Queued {
        Queued { number, frame: Frame { kind: "event", cursor: None, text: text.into() } }
    }

    fn small() -> (Outbox, Inbox) {
        outbox(Topics::default(), Bounds { frames: 2, bytes: 10 })
    }

    #[test]
    fn a_live_reader_without_room_is_too_slow_and_holds_nothing() {
        for texts in [["a", "b", "c"], ["aaaa", "bbbbbb", "c"]] {
            let (outbox, inbox) = small();
            assert!(inbox.go_live());
            texts.iter().zip(1..).for_each(|(text, number)| outbox.push(queued(number, text)));
            assert_eq!(inbox.wait_ended().now_or_never(), Some(Ended::TooSlow));
            assert!(inbox.next().now_or_never().is_none());
        }
    }

    #[test]
    fn a_reader_of_the_log_begins_anew_when_the_queue_runs_over() {
        let (outbox, inbox) = small();
        (1..=3).for_each(|number| outbox.push(queued(number, "a")));
        assert_eq!(inbox.wait_ended().now_or_never(), None);
        assert!(!inbox.go_live());
        inbox.restart();
        outbox.push(queued(4, "d"));
        assert!(inbox.go_live());
        assert_eq!(inbox.next().now_or_never().map(|queued| queued.number), Some(4));
    }

    #[test]
    fn the_first_reason_stands_and_a_lost_listener_is_one() {
        let (outbox, inbox) = small();
        outbox.end(Ended::SessionEnded);
        drop(outbox);
        assert_eq!(inbox.wait_ended().now_or_never(), Some(Ended::SessionEnded));
        let (outbox, inbox) = small();
        drop(outbox);
        assert_eq!(inbox.wait_ended().now_or_never(), Some(Ended::Lost));
    }
}

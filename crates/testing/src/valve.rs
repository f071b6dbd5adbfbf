//! A TCP proxy to a server that can be cut as a network is, wholly or in part: bytes vanish, and neither side notices.

use std::thread::JoinHandle;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};

/// Passes connections on to one server until it is dropped.
pub struct Valve {
    port: u16,
    state: watch::Sender<State>,
    _end: oneshot::Sender<()>,
    _thread: JoinHandle<()>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// How often all open connections were cut.
    cuts: u64,
    /// How often all but the first were.
    losses: u64,
    /// Whether new connections are taken and lead nowhere.
    swallows: bool,
}

impl State {
    /// Whether a connection that began in the state `begun` is dead.
    fn has_ended(&self, begun: &Self, is_first: bool) -> bool {
        self.cuts != begun.cuts || (!is_first && self.losses != begun.losses)
    }
}

impl Valve {
    /// To a server on this port of 127.0.0.1.
    pub fn to(server: u16) -> Self {
        let state = watch::Sender::new(State::default());
        let ((ready, port), (_end, end)) = (std::sync::mpsc::channel(), oneshot::channel());
        let states = state.subscribe();
        // On a thread of its own: the test's own work must not slow it down.
        let _thread = std::thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
                ready.send(listener.local_addr().expect("its address").port()).expect("somebody waits");
                tokio::select! {
                    () = accept(&listener, server, states) => {}
                    _ = end => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { port: port.recv().expect("a valve that starts"), state, _end, _thread }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the valve: nothing passes any more. Open connections stay open, but nothing will ever pass on them again.
    pub fn cut(&self) {
        self.state.send_modify(|state| *state = State { cuts: state.cuts + 1, swallows: true, ..*state });
    }

    /// Nothing will ever pass again on the open connections but the first; new ones work.
    pub fn lose_all_but_the_first(&self) {
        self.state.send_modify(|state| state.losses += 1);
    }

    /// Lets new connections pass again.
    pub fn mend(&self) {
        self.state.send_modify(|state| state.swallows = false);
    }
}

async fn accept(listener: &TcpListener, server: u16, states: watch::Receiver<State>) {
    let mut is_first = true;
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        tokio::spawn(pass(client, server, states.clone(), std::mem::take(&mut is_first)));
    }
}

async fn pass(mut client: TcpStream, server: u16, mut states: watch::Receiver<State>, is_first: bool) {
    let begun = *states.borrow();
    let passing = async {
        if begun.swallows {
            return std::future::pending().await;
        }
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
        let is_cut = async {
            let _ = states.wait_for(|state| state.has_ended(&begun, is_first)).await;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            // Both ends are held open.
            () = is_cut => std::future::pending().await,
        }
    };
    passing.await;
}

//! A TCP proxy to a server that can be cut as a network is: bytes vanish, and neither side notices.

use std::thread::JoinHandle;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};

/// Passes connections on to one server until it is dropped.
pub struct Valve {
    port: u16,
    /// How often it was cut, and whether it is.
    state: watch::Sender<(u64, bool)>,
    _end: oneshot::Sender<()>,
    _thread: JoinHandle<()>,
}

impl Valve {
    /// To a server on this port of 127.0.0.1.
    pub fn to(server: u16) -> Self {
        let state = watch::Sender::new((0, false));
        let ((ready, port), (_end, end)) = (std::sync::mpsc::channel(), oneshot::channel());
        let cuts = state.subscribe();
        // On a thread of its own: the test's own work must not slow it down.
        let _thread = std::thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
                ready.send(listener.local_addr().expect("its address").port()).expect("somebody waits");
                tokio::select! {
                    () = accept(&listener, server, cuts) => {}
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
        self.state.send_modify(|(cuts, is_cut)| (*cuts, *is_cut) = (*cuts + 1, true));
    }

    /// Lets new connections pass again.
    pub fn mend(&self) {
        self.state.send_modify(|(_, is_cut)| *is_cut = false);
    }
}

async fn accept(listener: &TcpListener, server: u16, cuts: watch::Receiver<(u64, bool)>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        tokio::spawn(pass(client, server, cuts.clone()));
    }
}

async fn pass(mut client: TcpStream, server: u16, mut cuts: watch::Receiver<(u64, bool)>) {
    let (begun, is_cut) = *cuts.borrow();
    let passing = async {
        if is_cut {
            return std::future::pending().await;
        }
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
        let is_cut = async {
            let _ = cuts.wait_for(|(cuts, _)| *cuts != begun).await;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            // Both ends are held open.
            () = is_cut => std::future::pending().await,
        }
    };
    passing.await;
}

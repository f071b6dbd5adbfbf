//! A TCP proxy to a server that may move, which cuts connections at random byte positions.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on to its target until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Cuts each connection after a random number of bytes from the server within `cuts`; never, if that range is
    /// empty.
    pub async fn to(base: &str, cuts: Range<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let target = Arc::new(Mutex::new(parse(base)));
        let aim = target.clone();
        let accepting = tokio::spawn(async move {
            let mut draws = StdRng::seed_from_u64(20_261_125);
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                let cut = if cuts.is_empty() { usize::MAX } else { draws.random_range(cuts.clone()) };
                let to = *aim.lock().expect("no panic under this lock");
                tokio::spawn(pass(client, to, cut));
            }
        });
        Self { address, target, accepting }
    }

    /// Sends new connections to this target.
    pub fn aim(&self, base: &str) {
        *self.target.lock().expect("no panic under this lock") = parse(base);
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn parse(base: &str) -> SocketAddr {
    base.trim_start_matches("http://").parse().expect("an address")
}

/// One connection, to its cut; dropping both ends breaks it for both.
async fn pass(mut client: TcpStream, to: SocketAddr, mut left: usize) {
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    let (mut up, mut down) = ([0; 4_096], [0; 4_096]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(read @ 1..) if server.write_all(&up[..read]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(read @ 1..) => {
                    let sent = read.min(left);
                    if client.write_all(&down[..sent]).await.is_err() || sent < read {
                        return;
                    }
                    left -= sent;
                }
                _ => return,
            },
        }
    }
}

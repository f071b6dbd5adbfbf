//! The ports of a node. They are taken before anything is on disk, so that a start on a port in use leaves nothing behind.

use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{HttpConfig, Listen};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 2_048;

/// The ports of a node: that of the API, and that of `/metrics` if it has one of its own.
pub(super) struct Ports {
    pub api: Port,
    pub ops: Option<Port>,
}

impl Ports {
    /// Takes the ports that the settings name.
    ///
    /// # Errors
    /// One line that names the flag of a port that can't be had.
    pub fn bind(http: &HttpConfig) -> anyhow::Result<Self> {
        let api = Port::bind("--listen", &http.listen)?;
        let ops = http.ops_listen.as_ref().map(|listen| Port::bind("--ops-listen", listen)).transpose()?;
        Ok(Self { api, ops })
    }
}

/// A port of this process, on one address or, where a name has several, on each that can be had. Clients are refused until
/// [`Port::listen`]: the node is still starting.
pub(super) struct Port {
    sockets: Vec<Socket>,
    flag: &'static str,
    listen: Listen,
}

impl Port {
    fn bind(flag: &'static str, listen: &Listen) -> anyhow::Result<Self> {
        let (mut sockets, mut refused) = (Vec::new(), None);
        for address in listen.addresses() {
            match bound(*address) {
                Ok(socket) => sockets.push(socket),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if sockets.is_empty() => Err(error).with_context(|| format!("{flag} {listen}")),
            _ => Ok(Self { sockets, flag, listen: listen.clone() }),
        }
    }

    /// Lets clients connect.
    ///
    /// # Errors
    /// When another process began to listen there meanwhile.
    pub fn listen(self) -> anyhow::Result<Vec<TcpListener>> {
        let Self { sockets, flag, listen } = self;
        let listening = |socket: Socket| -> io::Result<TcpListener> {
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        };
        let listeners: io::Result<_> = sockets.into_iter().map(listening).collect();
        listeners.with_context(|| format!("{flag} {listen}"))
    }
}

fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the last process on this port may be closing still.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

//! The ports of a node. They are taken before anything is on disk, so that a start on a port in use leaves nothing behind.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::HttpConfig;

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
        let api = Port::bind("--listen", http.listen)?;
        let ops = http.ops_listen.map(|listen| Port::bind("--ops-listen", listen)).transpose()?;
        Ok(Self { api, ops })
    }
}

/// A port of this process. Clients are refused until [`Port::listen`]: the node is still starting.
pub(super) struct Port {
    socket: Socket,
    flag: &'static str,
    address: SocketAddr,
}

impl Port {
    fn bind(flag: &'static str, address: SocketAddr) -> anyhow::Result<Self> {
        let bound = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
        let bound = bound.and_then(|socket| {
            // Connections of the last process on this port may be closing still.
            socket.set_reuse_address(true)?;
            socket.bind(&address.into())?;
            Ok(socket)
        });
        let socket = bound.with_context(|| format!("{flag} {address}"))?;
        Ok(Self { socket, flag, address })
    }

    /// Lets clients connect.
    ///
    /// # Errors
    /// When another process began to listen there meanwhile.
    pub fn listen(self) -> anyhow::Result<TcpListener> {
        let Self { socket, flag, address } = self;
        socket.listen(BACKLOG).with_context(|| format!("{flag} {address}"))?;
        Ok(socket.into())
    }
}

//! How long a server takes from its start until it says that it is ready.

use std::io::stderr;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::probe;

const POLL_EVERY: Duration = Duration::from_millis(2);
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

/// Ends its process when dropped, whichever way the measurement went.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended by itself is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `command`, waits until `/readyz` at `addr` answers 200, kills it, and gives the milliseconds between.
pub fn measure(addr: SocketAddr, command: &[String]) -> Result<String> {
    let (program, arguments) = command.split_first().context("no command given")?;
    let output = stderr().as_fd().try_clone_to_owned()?;
    let started = Instant::now();
    let child = Command::new(program)
        .args(arguments)
        .stdout(output)
        .spawn()
        .with_context(|| format!("{program} does not start"))?;
    let mut running = Running(child);
    while !is_ready(addr) {
        if let Some(status) = running.0.try_wait()? {
            bail!("{program} ended before it was ready: {status}");
        }
        if started.elapsed() > GIVE_UP_AFTER {
            bail!("{program} is not ready after {GIVE_UP_AFTER:?}");
        }
        sleep(POLL_EVERY);
    }
    Ok(format!("{:.1}", started.elapsed().as_secs_f64() * 1e3))
}

/// Nobody listening yet is not an error here.
fn is_ready(addr: SocketAddr) -> bool {
    probe::get(addr, "/readyz").is_ok_and(|answer| answer.status == 200)
}

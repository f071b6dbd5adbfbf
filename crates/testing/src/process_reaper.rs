//! Ends everything that a test starts when the test's process ends, also when that is killed: a shell script
//! (`process_reaper.sh`) reads this process's pipe, and when that closes it ends the other processes.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};

const SCRIPT: &str = include_str!("process_reaper.sh");

/// This process runs from now on.
pub fn started(pid: u32) {
    tell(&format!("started {pid}"));
}

/// It has ended: its number may be another's soon.
pub fn ended(pid: u32) {
    tell(&format!("ended {pid}"));
}

/// What is in this folder is of the test alone.
pub fn folder(path: &Path) {
    tell(&format!("folder {}", path.display()));
}

fn tell(line: &str) {
    static PIPE: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let mut pipe = PIPE.get_or_init(|| Mutex::new(start())).lock().expect("no panic while it is held");
    writeln!(pipe, "{line}").expect("a reaper that listens");
}

#[expect(clippy::zombie_processes, reason = "it outlives this process, that is what it is for")]
fn start() -> ChildStdin {
    let mut command = Command::new("sh");
    // Out of this process group, or Ctrl-C would end it before it has done its work.
    command.args(["-c", SCRIPT, "process-reaper"]).current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("sh starts");
    child.stdin.take().expect("stdin is piped")
}

//! The process that outlives its parent, to stop the server when the parent is gone.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads the server's pid, each newest one, until the parent closes the pipe or dies. Then ends the
/// server (fast shutdown, after 10 s immediate, after 15 s by force) and removes `$1`. Some
/// systems' `sleep` knows whole seconds only.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
server=0
while read -r told; do server=$told; done
if [ "$server" -gt 0 ] && kill -INT "$server" 2>/dev/null; then
    tries=0
    while [ "$tries" -lt 150 ] && kill -0 "$server" 2>/dev/null; do
        [ "$tries" -eq 100 ] && kill -QUIT "$server" 2>/dev/null
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
    kill -KILL "$server" 2>/dev/null
fi
rm -rf -- "$1"
"#;

/// The watching process; dropping it lets it finish, and waits for that.
#[derive(Debug)]
pub(crate) struct Watchdog {
    process: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts it. It removes `folder` at the end.
    ///
    /// It has its own process group, so that Ctrl-C in a terminal does not reach it.
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "postgres-watchdog"])
            .arg(folder)
            .process_group(0)
            .current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn()?;
        let pipe = process.stdin.take();
        Ok(Self { process, pipe })
    }

    /// Tells it which process to end; 0 for none.
    pub(crate) fn watch(&mut self, pid: u32) -> io::Result<()> {
        let pipe = self.pipe.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(pipe, "{pid}")
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.pipe = None;
        let _gone = self.process.wait();
    }
}

//! A process that runs in the background, ends with its owner and keeps its log in a file.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch::Scratch;
use crate::wait;

/// Leaves its id for the janitor of the scratch directory, then becomes the program itself.
const LEAVE_ID_AND_BECOME: &str = r#"echo $$ > "$0" && exec "$@""#;

/// A running program. It is killed when this is dropped, and by the janitor of its scratch
/// directory when this process ends.
pub struct Process {
    name: String,
    child: Child,
    id_file: PathBuf,
    log_file: PathBuf,
    log_start: u64,
}

impl Process {
    /// Starts a command. Its output is appended to `<name>.log` in the scratch directory. Of the
    /// command's environment, only single variables are set or removed.
    pub fn start(scratch: &Scratch, name: &str, command: &Command) -> Self {
        let log_file = scratch.file(&format!("{name}.log"));
        let id_file = scratch.unused_file(name, "id");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log_file)
            .expect("the scratch directory is writable");
        let log_start = log.metadata().expect("an open file has a length").len();
        let mut shell = Command::new("sh");
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(variable, value),
                None => shell.env_remove(variable),
            };
        }
        let child = shell
            .args(["-c", LEAVE_ID_AND_BECOME])
            .arg(&id_file)
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(scratch.directory())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be had twice"))
            .stderr(log)
            .spawn()
            .expect("sh is on the PATH");
        Self {
            name: name.to_owned(),
            child,
            id_file,
            log_file,
            log_start,
        }
    }

    /// Waits until a probe succeeds. Panics with the end of the log when the process ends before, or
    /// at the deadline.
    pub async fn until_up(
        &mut self,
        deadline: Duration,
        mut probe: impl AsyncFnMut() -> Result<(), String>,
    ) {
        let outcome = wait::poll(deadline, async || match self.ended() {
            Some(status) => Ok(Err(format!("it ended: {status}"))),
            None => probe().await.map(Ok),
        })
        .await;
        if let Err(seen) = outcome.and_then(|early| early) {
            panic!("{} is not up: {seen}\n{}", self.name, self.log_tail());
        }
    }

    /// The exit status, if the process has ended by itself or by a signal.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("a child can be waited for");
        if status.is_some() {
            self.forget_id();
        }
        status
    }

    /// Sends SIGTERM to the process.
    pub fn terminate(&mut self) {
        self.send(Signal::TERM);
    }

    /// Pauses the process with SIGSTOP. It keeps its connections.
    pub fn pause(&mut self) {
        self.send(Signal::STOP);
    }

    /// Resumes a paused process.
    pub fn resume(&mut self) {
        self.send(Signal::CONT);
    }

    /// Ends the process at once, with SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.forget_id();
    }

    /// The exit status of a process that must end within the deadline.
    pub async fn until_ended(&mut self, deadline: Duration) -> ExitStatus {
        wait::poll(deadline, async || self.ended().ok_or_else(String::new))
            .await
            .unwrap_or_else(|_| {
                panic!(
                    "{} did not end within {deadline:?}\n{}",
                    self.name,
                    self.log_tail()
                )
            })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its whole log, without the output of earlier processes of its name.
    pub fn log(&self) -> String {
        let mut bytes = Vec::new();
        let mut file = File::open(&self.log_file).expect("the log is there from the start");
        file.seek(SeekFrom::Start(self.log_start))
            .and_then(|_| file.read_to_end(&mut bytes))
            .expect("the log can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of the log, under a heading.
    pub fn log_tail(&self) -> String {
        const LINES: usize = 40;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(LINES)..];
        format!("the end of {}'s log:\n{}", self.name, tail.join("\n"))
    }

    /// After a wait, the id of a process may soon belong to another one.
    fn forget_id(&self) {
        let _ = fs::remove_file(&self.id_file);
    }

    fn send(&mut self, signal: Signal) {
        if self.ended().is_none() {
            kill_process(Pid::from_child(&self.child), signal)
                .unwrap_or_else(|error| panic!("{} takes no signal: {error}", self.name));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

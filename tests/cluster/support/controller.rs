//! `sceau-controller` as a process: started as in production, watched from outside.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::clock::Clock;
use crate::loopback::{free_addresses, http_get};
use crate::processes::Process;
use crate::wait::{self, SOON};
use crate::{Cluster, Identity, manifests, programs};

/// A running `sceau-controller`.
pub struct Controller {
    process: Process,
    address: SocketAddr,
}

/// How to start a controller. By default: as the `ServiceAccount` of `deploy/manifests`, in its
/// namespace, listening on loopback.
#[must_use]
pub struct ControllerCommand {
    name: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    identity: Option<Identity>,
    clock: Option<Clock>,
}

impl Controller {
    /// Describes a controller. The name is its identity in the leader election and the name of its
    /// log.
    pub fn named(name: &str) -> ControllerCommand {
        ControllerCommand {
            name: name.to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            identity: None,
            clock: None,
        }
    }

    /// Waits until `/readyz` succeeds.
    pub async fn until_ready(&mut self) {
        let address = self.address;
        let ready = async || http_get(address, "/readyz").await.map(drop);
        self.process.until_up(SOON, ready).await;
    }

    /// The response of `/healthz`, `/readyz` or `/metrics`.
    ///
    /// # Errors
    /// The status if it is not 200, or why there is no response.
    pub async fn get(&self, path: &str) -> Result<String, String> {
        http_get(self.address, path).await
    }

    /// All metrics, in Prometheus' text format.
    pub async fn metrics(&self) -> String {
        self.get("/metrics")
            .await
            .unwrap_or_else(|error| panic!("expected metrics: {error}"))
    }

    /// The value of one series, named as in the text format, labels and all.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.metrics().await;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        line.split(' ').next()?.parse().ok()
    }

    /// Its whole log.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        self.process.log_tail()
    }

    /// Waits until a line of the log contains the text, and returns the line.
    pub async fn until_logged(&self, text: &str) -> String {
        wait::until(&format!("the log has `{text}`"), SOON, async || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains(text));
            line.map(str::to_owned).ok_or_else(|| self.log_tail())
        })
        .await
    }

    /// Terminates it with SIGTERM, and waits for its end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.until_ended(SOON).await
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// The process behind it, to pause, to measure.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Drop for Controller {
    #[expect(
        clippy::print_stderr,
        reason = "the test is failing, and this says why"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
    }
}

impl ControllerCommand {
    /// Adds arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it with another identity than its `ServiceAccount`.
    pub fn identity(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// Runs it with this clock.
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Starts it and waits until it answers on `/healthz`. That is before it is ready.
    pub async fn start(self, cluster: &Cluster) -> Controller {
        let identity = match &self.identity {
            Some(identity) => identity.clone(),
            None => cluster.controller_account().await,
        };
        let [address] = free_addresses();
        let command = self.command(programs::sceau_controller().await, &identity, address);
        let scratch = cluster.api_server.scratch();
        let mut process = Process::start(scratch, &log_name(&self.name), &command);
        let alive = async || http_get(address, "/healthz").await.map(drop);
        process.until_up(SOON, alive).await;
        Controller { process, address }
    }

    fn command(&self, program: &Path, identity: &Identity, address: SocketAddr) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command
            .env("KUBECONFIG", identity.kubeconfig())
            .env("SCEAU_NAMESPACE", manifests::NAMESPACE)
            .env("SCEAU_LISTEN", address.to_string())
            .env("SCEAU_IDENTITY", &self.name)
            .envs(self.variables.iter().cloned())
            .envs(self.clock.iter().flat_map(Clock::variables))
            .args(&self.arguments);
        command
    }
}

/// The name of a controller's log, without its extension.
fn log_name(controller: &str) -> String {
    format!("sceau-controller-{controller}")
}

/// What all controllers of a cluster have logged about a namespace, to show when its test fails.
pub(crate) fn logged_about(namespace: &str, scratch: &Path) -> String {
    let files = fs::read_dir(scratch).into_iter().flatten().flatten();
    let logs = files.map(|file| file.path()).filter(|path| is_log(path));
    let texts: String = logs
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
    let lines: Vec<&str> = texts
        .lines()
        .filter(|line| line.contains(namespace))
        .collect();
    lines.join("\n")
}

fn is_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(&log_name("")) && name.ends_with(".log")
}

/// Whether a variable of the test's own environment would be a setting of the controller.
fn is_setting(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("SCEAU_")
}

//! Wires the parts and runs them. All tasks are joined. If one ends that should not, the program
//! ends.
//!
//! A standby watches what the store holds. The leader also watches SealedSecrets and their Secrets,
//! and writes.

use std::{future::Future, sync::Arc, thread::available_parallelism, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use kube::Client;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    Error, Settings,
    run::leader_election::Election,
    store::{self, ClusterStore},
    telemetry::{
        events::Events,
        metrics::Metrics,
        probes::Phase,
        probes::{self, Probes},
    },
};

mod controllers;
pub(crate) mod leader_election;

/// Resolves when the program receives SIGTERM or SIGINT.
type Shutdown = Shared<BoxFuture<'static, ()>>;

/// Tasks by name, for the error about one that ended.
type Tasks = JoinSet<&'static str>;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`Error`] when it cannot continue. Another replica, or the next start, takes over.
pub async fn run(settings: Settings) -> Result<(), Error> {
    let shutdown = shutdown()?;
    let client = Client::try_default()
        .await
        .map_err(|error| Error::Client(Box::new(error)))?;
    let (store_writer, store) = watch::channel(ClusterStore::default());
    let (phase, phase_now) = watch::channel(Phase::Syncing);
    let metrics = Arc::new(Metrics::new(store.clone()));
    let probes = Probes {
        phase: phase_now,
        metrics: Arc::clone(&metrics),
    };

    let mut standby_tasks = Tasks::new();
    let listener = probes::listen(settings.listen).await?;
    spawn(&mut standby_tasks, "http", probes::serve(listener, probes));
    for watch in store::watches(&client, &settings.namespace, &store_writer) {
        spawn(&mut standby_tasks, "store", watch);
    }
    let cores = available_parallelism().map_or(1, usize::from);
    let replica = Replica {
        events: Events::new(
            client.clone(),
            &settings.lease.identity,
            Arc::clone(&metrics),
        ),
        client,
        settings,
        store,
        phase,
        metrics,
        private_key_operations: Arc::new(Semaphore::new(cores)),
        shutdown: shutdown.clone(),
    };
    tokio::select! {
        outcome = replica.stand_by_and_lead() => outcome,
        Some(ended) = standby_tasks.join_next() => Err(ended_early(ended)),
    }
}

fn spawn(tasks: &mut Tasks, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(task.map(move |()| name));
}

fn ended_early(ended: Result<&'static str, tokio::task::JoinError>) -> Error {
    Error::TaskEnded(ended.unwrap_or("a task"))
}

fn shutdown() -> Result<Shutdown, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let signalled = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
    };
    Ok(signalled.boxed().shared())
}

/// The parts of this replica.
struct Replica {
    settings: Settings,
    client: Client,
    store: watch::Receiver<ClusterStore>,
    events: Events,
    phase: watch::Sender<Phase>,
    metrics: Arc<Metrics>,
    /// One permit for each core.
    private_key_operations: Arc<Semaphore>,
    shutdown: Shutdown,
}

/// Less than the 30 s after which Kubernetes kills a Pod.
const DRAIN: Duration = Duration::from_secs(20);

impl Replica {
    /// Returns without an error after a shutdown signal.
    async fn stand_by_and_lead(self) -> Result<(), Error> {
        let election = Election::new(
            self.client.clone(),
            &self.settings.namespace,
            self.settings.lease.clone(),
        );
        let elected = async {
            self.until_synced().await;
            self.phase.send_replace(Phase::Standby);
            election.acquire().await
        };
        let mut term = tokio::select! {
            term = elected => term,
            () = self.shutdown.clone() => return Ok(()),
        };
        let led = tokio::select! {
            led = self.lead() => led,
            () = term.renew() => return Err(Error::LeaseLost),
        };
        term.release().await;
        led
    }

    /// No decision is made before: an Environment that was not listed yet looks like a deleted one.
    async fn until_synced(&self) {
        let mut store = self.store.clone();
        // The sender lives as long as the watches. When these end, the program ends.
        let _ = store.wait_for(ClusterStore::are_synced).await;
    }

    /// Runs the leader's tasks until shutdown, and then until reconciles in progress have ended.
    async fn lead(&self) -> Result<(), Error> {
        self.phase.send_replace(Phase::TakingOver);
        self.metrics.begin_leading();
        let mut tasks = Tasks::new();
        for (name, task) in controllers::tasks(self) {
            spawn(&mut tasks, name, task);
        }
        tokio::select! {
            // Polled first: after a shutdown signal, tasks end as intended.
            biased;
            () = self.shutdown.clone() => {}
            Some(ended) = tasks.join_next() => return Err(ended_early(ended)),
        }
        // Before that, the tasks only wait for lists, which are no longer polled. Nothing has to be
        // drained.
        if *self.phase.borrow() != Phase::Leading {
            return Ok(());
        }
        timeout(DRAIN, async { while tasks.join_next().await.is_some() {} })
            .await
            .map_err(|_| Error::Drain)
    }
}

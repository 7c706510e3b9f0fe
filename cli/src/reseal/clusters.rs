//! Wrapping through the clusters of the environments: ResealRequests with the user's login.

use std::collections::{BTreeMap, btree_map::Entry};

use sealing::{
    Certificate, EnvironmentName, KeyId,
    resource::{ResealOutcome, ResealRequestSpec, ResealResult, SealHeader},
};

use super::{
    finding::{Finding, Problem},
    plan::{NativeTask, Rewrapped, Task, needs_keys},
};
use crate::{
    cluster::{Cluster, ClusterError, login::Login},
    error::{CommandError, Result as CommandResult},
    project::Project,
    ui::Progress,
};

/// The most seals in one request.
const MAX_SEALS: usize = 512;

/// The clusters of the environments, each connected when it is first needed.
pub(super) struct Clusters<'a> {
    login: Login,
    project: &'a Project,
    connections: BTreeMap<EnvironmentName, Connection>,
}

/// The cluster of an environment.
struct Connection {
    cluster: Cluster,
    /// The key that it wraps for.
    active: KeyId,
    /// The size of an outcome with a file key that is wrapped for it.
    outcome_bytes: usize,
}

impl<'a> Clusters<'a> {
    pub(super) fn new(login: Login, project: &'a Project) -> Self {
        Self {
            login,
            project,
            connections: BTreeMap::new(),
        }
    }

    /// Wraps every seal that lacks the active key of its cluster. Results have the order of the
    /// tasks.
    pub(super) fn wrap(
        &mut self,
        tasks: &[&Task<'_>],
        progress: &Progress,
    ) -> CommandResult<Vec<Result<Rewrapped, Problem>>> {
        let mut results: Vec<Result<Rewrapped, Problem>> =
            tasks.iter().map(|task| without_request(task)).collect();
        let mut by_environment: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, task) in tasks.iter().enumerate() {
            if let Task::Native(task) = task
                && task.missing().next().is_some()
            {
                let own = by_environment.entry(task.environment).or_default();
                own.push((index, task));
            }
        }
        for (environment, own) in by_environment {
            for (index, result) in self.wrap_in(environment, &own)? {
                results[index] = result;
            }
        }
        progress.advance(tasks.len());
        Ok(results)
    }

    fn wrap_in(
        &mut self,
        environment: &EnvironmentName,
        tasks: &[(usize, &NativeTask<'_>)],
    ) -> CommandResult<Vec<(usize, Result<Rewrapped, Problem>)>> {
        let deadline = self.login.deadline;
        let connection = self.connection(environment)?;
        let mut results = Vec::new();
        let mut requested = Vec::new();
        for (index, task) in tasks {
            match connection.header(task) {
                Ok(Some(header)) => requested.push((*index, header)),
                Ok(None) => {}
                Err(problem) => results.push((*index, Err(problem))),
            }
        }
        for batch in batches(&requested, connection.outcome_bytes) {
            let request = ResealRequestSpec {
                environment: environment.to_string(),
                seals: batch.iter().map(|(_, header)| header.clone()).collect(),
            };
            let outcomes = connection.cluster.reseal(request, deadline);
            let outcomes = outcomes.map_err(explain)?;
            let indexes = batch.iter().map(|(index, _)| *index);
            results
                .extend(indexes.zip(outcomes.into_iter().map(|outcome| connection.read(outcome))));
        }
        Ok(results)
    }

    fn connection(&mut self, environment: &EnvironmentName) -> CommandResult<&Connection> {
        match self.connections.entry(environment.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => Ok(new.insert(connect(&self.login, environment, self.project)?)),
        }
    }
}

/// The largest request with its outcomes: etcd rejects objects over 1.5 MiB.
const MAX_BYTES: usize = 1024 * 1024;

/// Splits seals into requests within both limits.
fn batches(
    mut requested: &[(usize, SealHeader)],
    outcome_bytes: usize,
) -> Vec<&[(usize, SealHeader)]> {
    let mut batches = Vec::new();
    while !requested.is_empty() {
        let mut bytes = 0;
        let fitting = requested.iter().take(MAX_SEALS).take_while(|(_, header)| {
            bytes += outcome_bytes + size(header);
            bytes <= MAX_BYTES
        });
        let (batch, rest) = requested.split_at(fitting.count().max(1));
        batches.push(batch);
        requested = rest;
    }
    batches
}

fn size(header: &SealHeader) -> usize {
    serde_json::to_vec(header).map_or(0, |json| json.len())
}

/// The result of a task before any request.
fn without_request(task: &Task<'_>) -> Result<Rewrapped, Problem> {
    match task {
        Task::Native(_) => Ok(Rewrapped::Recipients(Vec::new())),
        Task::Bitnami(_) => Err(needs_keys()),
    }
}

fn connect(
    login: &Login,
    environment: &EnvironmentName,
    project: &Project,
) -> CommandResult<Connection> {
    let cluster = login.cluster(environment, project)?;
    let pem = cluster.certificate(environment).map_err(explain)?;
    let certificate = Certificate::parse_pem(&pem)
        .map_err(|error| CommandError::cluster(format!("the cluster's certificate: {error}")))?;
    Ok(Connection {
        cluster,
        active: certificate.key_id(),
        // Base64, and the JSON around it.
        outcome_bytes: certificate.recipient.bits() / 6 + 256,
    })
}

impl Connection {
    /// The header of a seal to request; nothing if it has this cluster's recipient.
    fn header(&self, task: &NativeTask<'_>) -> Result<Option<SealHeader>, Problem> {
        let is_active = |id: KeyId| id == self.active;
        if !task.pins.iter().any(|pin| is_active(pin.recipient.id())) {
            return Err(Problem::new(
                Finding::ActiveKeyNotPinned,
                format!(
                    "the cluster's active key {} is not pinned: run `sceau certificate fetch --environment {}`",
                    self.active, task.environment
                ),
            ));
        }
        let lacks_it = task.missing().any(|pin| is_active(pin.recipient.id()));
        Ok(lacks_it.then(|| SealHeader {
            namespace: task.place.namespace.to_string(),
            name: task.place.name.to_string(),
            scope: task.scope,
            commitment: task.seal.commitment.clone(),
            recipients: task.seal.recipients.clone(),
        }))
    }

    fn read(&self, outcome: ResealOutcome) -> Result<Rewrapped, Problem> {
        let finding = match outcome.result {
            ResealResult::Resealed => return self.recipient(outcome),
            ResealResult::Malformed => Finding::Malformed,
            ResealResult::Refused => Finding::Refused,
            ResealResult::RevokedSealingKey => Finding::RevokedSealingKey,
            ResealResult::UnknownSealingKey => Finding::UnknownSealingKey,
        };
        let message = outcome.message.unwrap_or_default();
        Err(Problem::new(finding, message))
    }

    fn recipient(&self, outcome: ResealOutcome) -> Result<Rewrapped, Problem> {
        match outcome.recipient {
            Some(wrapped) if wrapped.key_id == self.active.to_string() => {
                Ok(Rewrapped::Recipients(vec![wrapped]))
            }
            _ => Err(Problem::new(
                Finding::ActiveKeyNotPinned,
                "the cluster's active key changed during the run: run this again",
            )),
        }
    }
}

fn explain(error: ClusterError) -> CommandError {
    let hint = match &error {
        ClusterError::Refused(_) => "bind the ClusterRole `sceau-resealer` to your user",
        ClusterError::Unreachable(_) => {
            "run this again, or pass the private keys with `--keys`: resealed seals stay"
        }
        _ => return error.into(),
    };
    CommandError::cluster(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use sealing::{Scope, resource::WrappedFileKey};

    use super::*;

    fn sizes(count: usize, recipients: usize) -> Vec<usize> {
        let recipient = WrappedFileKey {
            key_id: "k".repeat(71),
            suite: "RSA-OAEP-SHA256".to_owned(),
            wrapped: "w".repeat(693),
        };
        let header = SealHeader {
            namespace: "shop".to_owned(),
            name: "api".to_owned(),
            scope: Scope::Strict,
            commitment: "c".repeat(53),
            recipients: vec![recipient; recipients],
        };
        let requested: Vec<_> = (0..count).map(|index| (index, header.clone())).collect();
        let batches = batches(&requested, 4096 / 6 + 256);
        batches.into_iter().map(<[_]>::len).collect()
    }

    #[test]
    fn requests_are_bounded_in_seals_and_in_bytes() {
        assert_eq!(sizes(0, 1), [0; 0]);
        assert_eq!(sizes(513, 1), [512, 1]);
        let large = sizes(512, 16);
        assert_eq!(large.iter().sum::<usize>(), 512);
        assert!(large.iter().all(|seals| *seals < 90), "{large:?}");
    }
}

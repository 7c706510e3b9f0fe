//! The parts of the story: a cluster, a repository, and the processes to kill.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cluster::processes::Process;
use cluster::wait::until;
use cluster::{Cluster, Controller, manifests};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};
use sealing::resource::{
    Environment, EnvironmentStatus, ResealRequest, SealedSecret, SealingKeyState,
};
use serde_json::{Value, json};

use crate::replicas::{start, until_leading};
use crate::repository::Repository;

/// The process to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    /// The leader. Another controller is started, and `sceau` continues.
    Controller,
    /// `sceau`, which is run again.
    Sceau,
}

/// What can be observed since a step began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// A ResealRequest exists.
    Asked,
    /// This file is different, or this directory has a list.
    Changed(&'static str),
    /// This many keys were generated.
    KeysMade(usize),
    /// This many Environments have a different spec.
    Ordered(usize),
    /// This many manifests are different.
    Resealed(usize),
}

/// Which process is killed when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill(pub(super) Victim, pub(super) Moment);

pub(super) const ENVIRONMENTS: [&str; 3] = ["dev", "preprod", "prod"];

const MANIFESTS: usize = 200;

/// Long enough for a step of the story.
const PATIENCE: Duration = Duration::from_mins(2);

/// The controllers of the story, and the values of its manifests.
pub(super) struct Story<'a> {
    cluster: &'a Cluster,
    client: Client,
    controller: Controller,
    /// The number of controllers that were started.
    controllers: usize,
    pub(super) repository: Repository,
}

/// The state before a step.
struct Found {
    generations: BTreeMap<String, i64>,
    keys: BTreeMap<String, usize>,
    files: BTreeMap<String, String>,
}

impl<'a> Story<'a> {
    /// Three environments, and a repository whose manifests were sealed and committed two months ago
    /// and are applied.
    pub(super) async fn begin(cluster: &'a Cluster) -> Self {
        let controller = start(cluster, "controller-0").await;
        until_leading(&controller).await;
        let project = "environments:\n".to_owned()
            + &ENVIRONMENTS.map(project_of).concat()
            + "people:\n  alice: {operates: [preprod, prod]}\n  bob: {operates: [dev, preprod, prod]}\n";
        let story = Self {
            cluster,
            client: cluster.admin().client().await,
            controller,
            controllers: 1,
            repository: Repository::create(cluster.admin(), &project).await,
        };
        for name in ENVIRONMENTS {
            story.kubectl_apply(&environment(name).to_string()).await;
            let ready = [
                "wait",
                "--for=condition=Ready",
                "--timeout=60s",
                "environment",
                name,
            ];
            let _ = cluster.admin().kubectl(&ready).await.succeeded();
            story
                .sceau(&format!("certificate fetch --environment {name} --yes"))
                .await;
        }
        story.seal_everything().await;
        story.repository.commit("Two months ago", 60).await;
        story.apply().await;
        story
    }

    async fn seal_everything(&self) {
        let mut line = "seal --in-place".to_owned();
        for number in 0..MANIFESTS {
            let environment = ENVIRONMENTS[number % 3];
            let path = format!("deploy/app-{number}/{environment}/secret.yaml");
            self.repository.write(&path, &plain(number, environment));
            line = format!("{line} {path}");
        }
        self.sceau(&line).await;
        for (path, text) in self.repository.files("deploy") {
            self.repository.write(&path, &sealed_long_ago(&text));
        }
    }

    /// Runs a step, and checks its result.
    pub(super) async fn take(&mut self, line: &str, kills: &[Kill], re_keys: &[&str]) {
        let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
        let line = &line.replace("YESTERDAY", &yesterday.strftime("%Y-%m-%d").to_string());
        let found = self.look().await;
        for kill in kills {
            self.kill(line, *kill, &found).await;
        }
        if kills
            .last()
            .is_none_or(|Kill(victim, _)| *victim == Victim::Sceau)
        {
            self.sceau(line).await;
        }
        for (environment, keys) in self.look().await.keys {
            let made = usize::from(re_keys.contains(&environment.as_str()));
            assert_eq!(
                keys,
                found.keys[&environment] + made,
                "{line}: {environment}"
            );
        }
        assert_eq!(self.repository.leftovers(), [""; 0], "{line}");
        self.is_sealed_to_active().await;
    }

    /// Runs `sceau` and kills a process at a moment.
    async fn kill(&mut self, line: &str, Kill(victim, moment): Kill, found: &Found) {
        let mut sceau = self.repository.spawn(line);
        while !self.has_come(moment, found).await {
            if sceau.ended().is_some() {
                // The moment, and the end of the command, may have come since the last look.
                let has_come = self.has_come(moment, found).await;
                assert!(has_come, "{line}: not {moment:?}\n{}", sceau.log_tail());
                break;
            }
        }
        match victim {
            Victim::Sceau => sceau.kill(),
            Victim::Controller => {
                self.replace_controller().await;
                succeeds(&mut sceau).await;
            }
        }
    }

    /// Kills the leader, and starts another controller.
    pub(super) async fn replace_controller(&mut self) {
        self.controller.kill();
        let name = format!("controller-{}", self.controllers);
        self.controllers += 1;
        self.controller = start(self.cluster, &name).await;
    }

    async fn has_come(&self, moment: Moment, found: &Found) -> bool {
        match moment {
            Moment::Asked => {
                let requests: Api<ResealRequest> = Api::all(self.client.clone());
                let listed = requests.list_metadata(&ListParams::default()).await;
                !listed.expect("an administrator may").items.is_empty()
            }
            Moment::Changed(path) => changed(&self.repository.files("."), &found.files, path) > 0,
            Moment::KeysMade(count) => {
                let made = self.keys().await.into_values().sum::<usize>();
                made >= count + found.keys.values().sum::<usize>()
            }
            Moment::Ordered(count) => {
                let generations = self.generations().await.into_iter();
                generations
                    .filter(|(name, it)| found.generations[name] != *it)
                    .count()
                    >= count
            }
            Moment::Resealed(count) => {
                changed(&self.repository.files("deploy"), &found.files, "deploy") >= count
            }
        }
    }

    async fn look(&self) -> Found {
        Found {
            generations: self.generations().await,
            keys: self.keys().await,
            files: self.repository.files("."),
        }
    }

    async fn generations(&self) -> BTreeMap<String, i64> {
        let environments = self.environments().await.into_iter();
        let generations = environments.map(|it| (it.name_any(), it.metadata.generation));
        generations
            .map(|(name, it)| (name, it.unwrap_or_default()))
            .collect()
    }

    /// The number of key Secrets of each environment.
    async fn keys(&self) -> BTreeMap<String, usize> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), manifests::NAMESPACE);
        let ours = ListParams::default().labels("sceau.dev/environment");
        let listed = secrets
            .list_metadata(&ours)
            .await
            .expect("an administrator may");
        let mut keys = BTreeMap::new();
        for secret in &listed.items {
            *keys
                .entry(secret.labels()["sceau.dev/environment"].clone())
                .or_default() += 1;
        }
        keys
    }

    async fn environments(&self) -> Vec<Environment> {
        let environments: Api<Environment> = Api::all(self.client.clone());
        let listed = environments.list(&ListParams::default()).await;
        listed.expect("an administrator may").items
    }

    /// The status of an environment.
    pub(super) async fn status(&self, environment: &str) -> EnvironmentStatus {
        let environments: Api<Environment> = Api::all(self.client.clone());
        let found = environments.get(environment).await;
        found.expect("it is there").status.unwrap_or_default()
    }

    /// Asserts that every manifest is wrapped for the active key of its environment alone, and that
    /// the repository agrees.
    async fn is_sealed_to_active(&self) {
        let mut active = BTreeMap::new();
        for environment in ENVIRONMENTS {
            let newest = self.status(environment).await.sealing_keys.remove(0);
            active.insert(environment, newest.key_id);
        }
        for (path, text) in self.repository.files("deploy") {
            let environment = environment_of(&path);
            let ids: Vec<&str> = text.split("keyId: ").skip(1).collect();
            let all_are = ids.iter().all(|id| id.starts_with(&active[environment]));
            assert!(ids.len() == 1 && all_are, "{path}: {text}");
        }
        self.sceau("reseal --dry-run").await;
    }

    /// Applies every manifest and waits until each is unsealed.
    pub(super) async fn apply(&self) {
        let directory = self.repository.root().join("deploy");
        let directory = directory.to_str().expect("the path is UTF-8");
        let apply = [
            "apply",
            "--server-side",
            "--recursive",
            "--filename",
            directory,
        ];
        let _ = self.cluster.admin().kubectl(&apply).await.succeeded();
        self.until_unsealed().await;
        self.until_counted().await;
    }

    /// Waits until the Environments report that the cluster needs no old key.
    async fn until_counted(&self) {
        until("old keys are not needed", PATIENCE, async || {
            let environments = self.environments().await.into_iter();
            let keys = environments.flat_map(|it| it.status.unwrap_or_default().sealing_keys);
            let needed =
                keys.filter(|it| it.state != SealingKeyState::Active && it.sealed_secrets > 0);
            let needed: Vec<_> = needed.collect();
            needed
                .is_empty()
                .then_some(())
                .ok_or_else(|| format!("{needed:?}"))
        })
        .await;
    }

    async fn until_unsealed(&self) {
        let objects: Api<SealedSecret> = Api::all(self.client.clone());
        until("everything is unsealed", PATIENCE, async || {
            let listed = objects.list(&ListParams::default()).await;
            let listed = listed.map_err(|error| error.to_string())?.items;
            let done = listed.iter().filter(|it| is_unsealed(it)).count();
            (done == MANIFESTS)
                .then_some(())
                .ok_or_else(|| format!("{done} are"))
        })
        .await;
    }

    /// All Secrets that were unsealed, without what any write changes.
    pub(super) async fn secrets(&self) -> BTreeMap<String, Value> {
        let secrets: Api<Secret> = Api::all(self.client.clone());
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=sceau");
        let listed = secrets.list(&ours).await.expect("an administrator may");
        assert_eq!(listed.items.len(), MANIFESTS);
        let contents = listed.items.into_iter().map(|mut secret| {
            secret.metadata.managed_fields = None;
            secret.metadata.resource_version = None;
            let place = format!(
                "{}/{}",
                secret.namespace().unwrap_or_default(),
                secret.name_any()
            );
            (place, serde_json::to_value(secret).expect("it is JSON"))
        });
        contents.collect()
    }

    /// Gives every value of these environments a new, generated one.
    pub(super) async fn renew(&self, environments: &[&str]) {
        let files = self.repository.files("deploy");
        let paths = files
            .keys()
            .filter(|path| environments.contains(&environment_of(path)));
        let lines = paths.map(|path| format!("set {path} PASSPHRASE --generate 24:base64"));
        let renewals = stream::iter(lines).map(async |line| self.sceau(&line).await);
        renewals.buffer_unordered(4).collect::<Vec<_>>().await;
    }

    /// Applies a manifest that is rejected for this reason, and then the present one again. Its
    /// Secret stays all the time.
    pub(super) async fn is_refused(&self, path: &str, manifest: &str, reason: &str) {
        let before = self.secrets().await;
        self.kubectl_apply(manifest).await;
        let place = [
            "--namespace",
            environment_of(path),
            "sealedsecret",
            app_of(path),
        ];
        let refused =
            format!("--for=jsonpath={{.status.conditions[?(@.type==\"Ready\")].reason}}={reason}");
        let wait = [&["wait", "--timeout=30s", &refused], &place[..]].concat();
        let _ = self.cluster.admin().kubectl(&wait).await.succeeded();
        assert_eq!(self.secrets().await, before);
        self.kubectl_apply(&self.repository.text(path)).await;
        self.until_unsealed().await;
    }

    /// Runs `sceau` to a successful end.
    pub(super) async fn sceau(&self, line: &str) -> String {
        self.repository.run(line).await.succeeded()
    }

    async fn kubectl_apply(&self, objects: &str) {
        let apply = ["apply", "--server-side", "--filename", "-"];
        let admin = self.cluster.admin();
        let _ = admin.kubectl_with_input(&apply, objects).await.succeeded();
    }
}

async fn succeeds(sceau: &mut Process) {
    let status = sceau.until_ended(PATIENCE).await;
    assert!(status.success(), "{}", sceau.log_tail());
}

/// The number of files below a path that are different from before.
fn changed(now: &BTreeMap<String, String>, before: &BTreeMap<String, String>, path: &str) -> usize {
    let own = now
        .iter()
        .filter(|(name, _)| Path::new(name).starts_with(path));
    own.filter(|(name, text)| before.get(*name) != Some(text))
        .count()
}

/// The environment of `deploy/app/environment/file`.
fn environment_of(path: &str) -> &str {
    path.split('/').nth(2).expect("it is a manifest")
}

fn app_of(path: &str) -> &str {
    path.split('/').nth(1).expect("it is a manifest")
}

fn project_of(environment: &str) -> String {
    format!(
        "  {environment}: {{certificates: [certificates/{environment}.pem], paths: [\"deploy/*/{environment}/**\"]}}\n"
    )
}

/// An Environment of the namespace with its name. Its keys are small, so that they are generated
/// fast.
fn environment(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "sceau.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": name},
            "spec": {"namespaces": [name], "sealingKeys": {"bits": 2048}},
        },
    ]})
}

/// A Secret with unique values.
fn plain(number: usize, environment: &str) -> String {
    format!(
        "# What app {number} needs in {environment}.\napiVersion: v1\nkind: Secret\nmetadata:\n  name: app-{number}\n  namespace: {environment}\nstringData:\n  PASSPHRASE: correct horse {number}\n"
    )
}

/// A manifest as if it had been sealed two months ago.
fn sealed_long_ago(manifest: &str) -> String {
    let then = Timestamp::now() - SignedDuration::from_hours(60 * 24);
    let lines = manifest
        .lines()
        .map(|line| match line.split_once("sealedAt: ") {
            Some((indent, _)) => format!(
                "{indent}sealedAt: \"{}\"\n",
                then.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
            None => format!("{line}\n"),
        });
    lines.collect()
}

fn is_unsealed(object: &SealedSecret) -> bool {
    let Some(status) = &object.status else {
        return false;
    };
    let ready = status
        .conditions
        .iter()
        .any(|it| it.type_ == "Ready" && it.status == "True");
    ready && status.observed_generation == object.metadata.generation
}

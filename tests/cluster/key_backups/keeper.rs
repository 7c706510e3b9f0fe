//! A person who keeps sealing keys: a login, a directory, and the commands they run there.

use std::path::Path;
use std::time::Duration;

use cluster::commands::{self, Finished};
use cluster::scratch::Scratch;
use cluster::tools::Tool;
use cluster::{Cluster, Identity, manifests, programs};
use kube::ResourceExt as _;
use sealing::resource::SealedSecret;

use crate::sealed::Sealer;

const PATIENCE: Duration = Duration::from_mins(1);

/// A person who keeps an environment's keys, with a directory and the role for it.
pub(super) struct Keeper {
    pub(super) directory: Scratch,
    pub(super) login: Identity,
    environment: String,
    /// The recipient of backups; `alice.txt` has its identity.
    pub(super) recipient: String,
}

impl Keeper {
    /// A keeper with the role in the controller's namespace and a new identity in `alice.txt`.
    pub(super) async fn of(cluster: &Cluster, sealer: &Sealer<'_>) -> Self {
        let name = format!("keeper-of-{}", sealer.environment);
        let group = format!("--group={name}");
        let (role, namespace) = ("--role=sceau-key-keeper", manifests::NAMESPACE);
        let binding = [
            "create",
            "rolebinding",
            &name,
            role,
            &group,
            "-n",
            namespace,
        ];
        cluster.admin().kubectl(&binding).await.succeeded();
        let role = "--clusterrole=sceau-environment-reader";
        let binding = ["create", "clusterrolebinding", &name, role, &group];
        cluster.admin().kubectl(&binding).await.succeeded();
        let mut keeper = Self {
            directory: Scratch::create(),
            login: cluster.person("keeper", &name),
            environment: sealer.environment.to_string(),
            recipient: String::new(),
        };
        let keygen = Tool::AgeKeygen.path();
        let _ = keeper
            .runs(keygen, &["-o", "alice.txt"], "")
            .await
            .succeeded();
        let recipient = keeper
            .runs(keygen, &["-y", "alice.txt"], "")
            .await
            .succeeded();
        recipient.trim().clone_into(&mut keeper.recipient);
        keeper
    }

    /// Runs a program in the directory, with this standard input.
    pub(super) async fn runs(&self, program: &Path, words: &[&str], input: &str) -> Finished {
        let directory = self.directory.directory();
        let mut command = self.login.command(program, directory);
        command.args(words);
        commands::run(command, input.as_bytes(), PATIENCE).await
    }

    /// Runs `sceau`, which prints no private key.
    pub(super) async fn sceau(&self, line: &str) -> Finished {
        let words: Vec<&str> = line.split_whitespace().collect();
        let finished = self.runs(programs::sceau().await, &words, "").await;
        for private in ["PRIVATE KEY", "AGE-SECRET-KEY"] {
            assert!(!finished.stdout.contains(private), "{finished:?}");
            assert!(!finished.stderr.contains(private), "{finished:?}");
        }
        finished
    }

    /// Backs the environment's keys up and returns the table of them.
    pub(super) async fn back_up(&self, file: &str) -> String {
        let Self {
            environment,
            recipient,
            ..
        } = self;
        let line = format!(
            "keys backup --environment {environment} --recipient {recipient} --write {file}"
        );
        self.sceau(&line).await.succeeded()
    }

    /// Restores a backup with these flags.
    pub(super) async fn restore(&self, file: &str, flags: &str) -> Finished {
        self.sceau(&format!("keys restore {file} --identity alice.txt {flags}"))
            .await
    }

    /// Tries whether a backup opens the manifests.
    pub(super) async fn drill(&self, file: &str) -> Finished {
        self.sceau(&format!("keys drill {file} --identity alice.txt manifests"))
            .await
    }

    /// Puts a manifest where drills find it.
    pub(super) fn keep_manifest(&self, object: &SealedSecret) {
        let directory = self.directory.file("manifests");
        std::fs::create_dir_all(&directory).expect("the directory is ours");
        let text = serde_json::to_string(object).expect("it is JSON");
        let file = directory.join(format!("{}.json", object.name_any()));
        std::fs::write(file, text).expect("the directory is ours");
    }
}

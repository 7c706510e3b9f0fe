//! A renewal happens once: with replicas that are killed or paused in the middle, outages of the
//! API server, and clocks that are set back and forth. Each time there is one new key.

use cluster::clock::Clock;
use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace, manifests};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use sealing::resource::{EnvironmentStatus, SealingKeyState};
use serde_json::json;

use crate::replicas::{start, until_leading};
use crate::sealed::{certificate, create_environment, environments, patch_environment};

/// An Environment whose key is being renewed.
struct Renewing<'a> {
    cluster: &'a Cluster,
    namespace: Namespace,
    /// The Secret of the new key.
    secret: String,
}

impl<'a> Renewing<'a> {
    /// Creates an Environment with its first key. A controller must lead.
    async fn create(cluster: &'a Cluster) -> Self {
        let namespace = Namespace::create(cluster).await;
        let spec = json!({"namespaces": [namespace.name()]});
        create_environment(&namespace, spec).await;
        let first = certificate(&namespace, |_| true).await.key_id();
        let secret = format!("sceau-{}-after-{}", namespace.name(), first.short());
        Self {
            cluster,
            namespace,
            secret,
        }
    }

    /// Requests a new key, as `sceau rekey` does. It is large, so that its generation takes a
    /// while.
    async fn ask(&self) {
        let newest = self.status().await.sealing_keys.remove(0);
        let later = newest.created_at.0.max(Timestamp::now()) + SignedDuration::from_secs(1);
        let later = Timestamp::from_second(later.as_second()).expect("it is an instant");
        let order = json!({"bits": 4096, "cutoffTime": later.to_string()});
        patch_environment(&self.namespace, &json!({"sealingKeys": order})).await;
    }

    async fn status(&self) -> EnvironmentStatus {
        let environment = environments(&self.namespace);
        let environment = environment.get(self.namespace.name()).await;
        environment.expect("it is there").status.unwrap_or_default()
    }

    /// Waits until the leader has checked whether the new key exists: then it begins to generate
    /// it.
    async fn until_begun(&self) {
        until("a key is being generated", SOON, async || {
            let looks = self.cluster.api_server.audit().requests("get", "secrets");
            let mut looks = looks.iter();
            let begun = looks.any(|look| look["objectRef"]["name"] == self.secret.as_str());
            begun.then_some(()).ok_or_else(String::new)
        })
        .await;
    }

    async fn until_made(&self) {
        until("the key is generated", SOON, async || {
            let keys = self.keys().await?;
            let made = keys.iter().any(|secret| secret.name_any() == self.secret);
            made.then_some(())
                .ok_or_else(|| format!("{} keys", keys.len()))
        })
        .await;
    }

    /// Waits until the status shows the new key and the old one.
    async fn until_reported(&self) {
        until("the status shows the new key", SOON, async || {
            let reported = self.reported().await?;
            let wanted = reported == [SealingKeyState::Active, SealingKeyState::Retired];
            wanted.then_some(()).ok_or_else(|| format!("{reported:?}"))
        })
        .await;
    }

    async fn reported(&self) -> Result<Vec<SealingKeyState>, String> {
        let environment = environments(&self.namespace)
            .get(self.namespace.name())
            .await;
        let environment = environment.map_err(|error| error.to_string())?;
        let keys = environment.status.unwrap_or_default().sealing_keys;
        Ok(keys.iter().map(|reported| reported.state).collect())
    }

    /// The key Secrets of the Environment.
    async fn keys(&self) -> Result<Vec<Secret>, String> {
        let secrets: Api<Secret> = Api::namespaced(self.namespace.client(), manifests::NAMESPACE);
        let ours = format!("sceau.dev/environment={}", self.namespace.name());
        let listed = secrets.list(&ListParams::default().labels(&ours)).await;
        Ok(listed.map_err(|error| error.to_string())?.items)
    }

    /// Asserts that this many keys exist in the end, that no other one ever existed, and that the
    /// certificate is that of the newest.
    async fn is_renewed(&self, keys: usize) {
        let found = self.keys().await.expect("an administrator may");
        assert_eq!(found.len(), keys);
        let deleted = self
            .cluster
            .api_server
            .audit()
            .requests("delete", "secrets");
        assert!(deleted.is_empty(), "{deleted:?}");
        let status = self.status().await;
        assert_eq!(status.sealing_keys.len(), keys);
        let active = certificate(&self.namespace, |_| true)
            .await
            .key_id()
            .to_string();
        assert_eq!(status.sealing_keys[0].key_id, active);
    }
}

/// The number of key Secrets of this file's Environments that the API server created.
fn made(cluster: &Cluster) -> usize {
    let creations = cluster.api_server.audit().requests("create", "secrets");
    let made = creations.iter().filter(|creation| {
        let name = creation["objectRef"]["name"].as_str().unwrap_or_default();
        name.starts_with("sceau-renewal-") && creation["responseStatus"]["code"] == 201
    });
    made.count()
}

/// Revokes the controllers' permission to write the status of Environments, or grants it again.
async fn let_status_be_written(cluster: &Cluster, allowed: bool) {
    if allowed {
        manifests::apply(cluster.admin()).await;
    } else {
        let resources = "/rules/2/resources";
        let patch = json!([
            {"op": "test", "path": resources, "value": ["sealedsecrets/status", "environments/status"]},
            {"op": "replace", "path": resources, "value": ["sealedsecrets/status"]},
        ]);
        let patch = format!("--patch={patch}");
        let role = [
            "patch",
            "clusterrole",
            "sceau-controller",
            "--type=json",
            &patch,
        ];
        let _ = cluster.admin().kubectl(&role).await.succeeded();
    }
    let account = cluster.controller_account().await;
    let question = [
        "auth",
        "can-i",
        "patch",
        "environments.sceau.dev",
        "--subresource=status",
    ];
    until("the permission is in effect", SOON, async || {
        let answer = account.kubectl(&question).await.stdout;
        let counts = (answer.trim() == "yes") == allowed;
        counts.then_some(()).ok_or(answer)
    })
    .await;
}

#[test]
fn a_leader_that_is_killed_while_it_renews_leaves_one_new_key() {
    cluster::run(async {
        let cluster = Cluster::start_audited().await;
        let mut leader = start(&cluster, "leader-0").await;
        until_leading(&leader).await;
        let moments = ["asked", "begun", "made", "reported"];
        for (number, moment) in moments.into_iter().enumerate() {
            let standby = start(&cluster, &format!("leader-{}", number + 1)).await;
            let renewing = Renewing::create(&cluster).await;
            let_status_be_written(&cluster, moment != "made").await;
            renewing.ask().await;
            match moment {
                "begun" => renewing.until_begun().await,
                "made" => renewing.until_made().await,
                "reported" => renewing.until_reported().await,
                _ => {}
            }
            leader.kill();
            if moment == "made" {
                assert_eq!(renewing.status().await.sealing_keys.len(), 1);
                let_status_be_written(&cluster, true).await;
            }
            until_leading(&standby).await;
            renewing.until_reported().await;
            renewing.is_renewed(2).await;
            assert_eq!(made(&cluster), 2 * (number + 1), "{moment}");
            leader = standby;
        }
    });
}

#[test]
fn a_leader_that_is_paused_while_it_renews_leaves_the_key_of_its_successor() {
    cluster::run(async {
        let cluster = Cluster::start_audited().await;
        let mut leader = start(&cluster, "leader-0").await;
        until_leading(&leader).await;
        for (number, moment) in ["begun", "before", "before"].into_iter().enumerate() {
            let standby = start(&cluster, &format!("leader-{}", number + 1)).await;
            let renewing = Renewing::create(&cluster).await;
            if moment == "begun" {
                renewing.ask().await;
                renewing.until_begun().await;
                leader.process().pause();
            } else {
                leader.process().pause();
                renewing.ask().await;
            }
            until_leading(&standby).await;
            renewing.until_reported().await;
            have_it_looked_at(&renewing, number).await;
            // It wakes to all events of its watches since then.
            leader.process().resume();
            assert_eq!(leader.process().until_ended(SOON).await.code(), Some(1));
            renewing.is_renewed(2).await;
            assert_eq!(made(&cluster), 2 * (number + 1), "{moment}");
            leader = standby;
        }
    });
}

#[test]
fn an_api_server_that_restarts_during_a_renewal_is_given_one_new_key() {
    cluster::run(async {
        let cluster = Cluster::start_audited().await;
        let mut controllers = Vec::new();
        for name in ["one", "two"] {
            let mut controller = Controller::named(name).start(&cluster).await;
            controller.until_ready().await;
            controllers.push(controller);
        }
        for moment in ["asked", "begun", "made"] {
            let renewing = Renewing::create(&cluster).await;
            renewing.ask().await;
            match moment {
                "begun" => renewing.until_begun().await,
                "made" => renewing.until_made().await,
                _ => {}
            }
            cluster.api_server.stop();
            cluster.api_server.resume().await;
            renewing.until_reported().await;
            renewing.is_renewed(2).await;
        }
        for controller in &mut controllers {
            assert!(controller.process().ended().is_none());
        }
    });
}

const DAY: i64 = 24 * 60 * 60;

/// Triggers a reconcile of the Environment, and waits for its end.
async fn have_it_looked_at(renewing: &Renewing<'_>, round: usize) {
    let namespaces = [
        renewing.namespace.name().to_owned(),
        format!("round-{round}"),
    ];
    patch_environment(&renewing.namespace, &json!({"namespaces": namespaces})).await;
    until("it is looked at and well", SOON, async || {
        let environment = environments(&renewing.namespace)
            .get(renewing.namespace.name())
            .await;
        let environment = environment.map_err(|error| error.to_string())?;
        let status = environment.status.unwrap_or_default();
        let ready = status
            .conditions
            .iter()
            .any(|it| it.type_ == "Ready" && it.status == "True");
        let looked = ready && status.observed_generation == environment.metadata.generation;
        looked.then_some(()).ok_or_else(|| format!("{status:?}"))
    })
    .await;
}

#[test]
fn a_clock_that_is_set_back_and_forth_makes_one_new_key() {
    cluster::run(async {
        let cluster = Cluster::start_audited().await;
        let clocks = [(); 2].map(|()| Clock::create(cluster.api_server.scratch()));
        let replica = async |number: usize, clock: &Clock| {
            let named = Controller::named(&format!("replica-{number}"));
            let short = named.arguments(&crate::replicas::SHORT_LEASE);
            let mut controller = short.clock(clock).start(&cluster).await;
            controller.until_ready().await;
            controller
        };
        let mut leader = replica(0, &clocks[0]).await;
        until_leading(&leader).await;
        let renewing = Renewing::create(&cluster).await;

        let settings = [0, -40, 0, 40, 0, 40, -40, 40, 0];
        for (round, days) in settings.into_iter().enumerate() {
            clocks[0].set(days * DAY);
            have_it_looked_at(&renewing, round).await;
            let is_old = settings[..=round].contains(&40);
            assert_eq!(made(&cluster), 1 + usize::from(is_old), "at {days} days");
        }

        // From one replica to the other, which has another clock.
        for (round, days) in [40, -40, 40].into_iter().enumerate() {
            let clock = &clocks[(round + 1) % 2];
            clock.set(days * DAY);
            let successor = replica(round + 1, clock).await;
            leader.kill();
            until_leading(&successor).await;
            have_it_looked_at(&renewing, settings.len() + round).await;
            assert_eq!(made(&cluster), 2, "at {days} days");
            leader = successor;
        }
        renewing.is_renewed(2).await;

        renewing.ask().await;
        until("a third key exists", SOON, async || {
            let reported = renewing.reported().await?;
            (reported.len() == 3)
                .then_some(())
                .ok_or_else(|| format!("{reported:?}"))
        })
        .await;
        for (round, days) in [-40, 0, 40].into_iter().enumerate() {
            clocks[1].set(days * DAY);
            have_it_looked_at(&renewing, 100 + round).await;
        }
        renewing.is_renewed(3).await;
        assert_eq!(made(&cluster), 3);
    });
}

//! Several controllers, none, and the cost of a restart.

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace};
use futures::{StreamExt as _, stream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::DeleteParams;

use crate::sealed::Sealer;

/// Short, so that a killed leader soon has a successor.
pub(crate) const SHORT_LEASE: [&str; 3] = [
    "--lease-duration=4s",
    "--lease-renew-deadline=3s",
    "--lease-retry-period=200ms",
];

pub(crate) async fn start(cluster: &Cluster, name: &str) -> Controller {
    let mut controller = Controller::named(name)
        .arguments(&SHORT_LEASE)
        .start(cluster)
        .await;
    controller.until_ready().await;
    controller
}

pub(crate) async fn until_leading(controller: &Controller) {
    until("it leads", SOON, async || {
        match controller.metric("sceau_leading").await {
            Some(1.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

async fn holder(cluster: &Cluster) -> String {
    let leases: Api<Lease> = Api::namespaced(
        cluster.admin().client().await,
        cluster::manifests::NAMESPACE,
    );
    let lease = leases
        .get("sceau-controller")
        .await
        .expect("there is a Lease");
    let spec = lease.spec.unwrap_or_default();
    spec.holder_identity.unwrap_or_default()
}

/// The number of private-key uses.
fn attempts(controller: &Controller) -> usize {
    let log = controller.log();
    log.lines()
        .filter(|line| line.contains("\"target\":\"audit\""))
        .count()
}

#[test]
fn when_the_leader_is_killed_the_standby_takes_over() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut leader = start(&cluster, "one").await;
        until_leading(&leader).await;
        let standby = start(&cluster, "two").await;
        let sealer = Sealer::create(&namespace).await;
        sealer.unseal("before", &[("A", b"1")]).await;
        assert_eq!(holder(&cluster).await, "one");
        assert_eq!(standby.metric("sceau_leading").await, Some(0.0));

        leader.kill();
        sealer.unseal("after", &[("A", b"2")]).await;
        assert_eq!(holder(&cluster).await, "two");
        assert_eq!(standby.metric("sceau_leading").await, Some(1.0));
        assert_eq!(
            attempts(&standby),
            1,
            "what was unsealed before was not unsealed again"
        );
    });
}

#[test]
fn a_leader_that_was_paused_too_long_ends_and_writes_no_more() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let mut leader = start(&cluster, "one").await;
        until_leading(&leader).await;
        let standby = start(&cluster, "two").await;
        leader.process().pause();
        until_leading(&standby).await;
        leader.process().resume();
        let status = leader.process().until_ended(SOON).await;
        assert_eq!(status.code(), Some(1));
        assert_eq!(holder(&cluster).await, "two");
    });
}

#[test]
fn a_controller_that_is_asked_to_end_gives_the_lease_back() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let mut leader = Controller::named("one")
            .arguments(&["--lease-duration=1h", "--lease-renew-deadline=30m"])
            .start(&cluster)
            .await;
        leader.until_ready().await;
        until_leading(&leader).await;
        assert_eq!(leader.terminate().await.code(), Some(0));
        assert_eq!(holder(&cluster).await, "");

        let successor = start(&cluster, "two").await;
        until_leading(&successor).await;
    });
}

#[test]
fn what_changed_while_no_controller_ran_is_made_good() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = start(&cluster, "one").await;
        let sealer = Sealer::create(&namespace).await;
        for name in ["changed", "deleted", "edited", "lost", "same"] {
            sealer.unseal(name, &[("A", b"old")]).await;
        }
        assert_eq!(controller.terminate().await.code(), Some(0));

        sealer
            .apply(&sealer.seal("changed", &[("A", b"new")]))
            .await;
        sealer
            .apply(&sealer.seal("created", &[("A", b"new")]))
            .await;
        let deleted = sealer
            .sealed_secrets()
            .delete("deleted", &DeleteParams::default())
            .await;
        deleted.expect("it is there");
        sealer
            .patch_secret(
                "edited",
                &serde_json::json!({"stringData": {"A": "by hand"}}),
            )
            .await;
        sealer.delete_secret("lost").await;
        let same = sealer.secret("same").await.metadata.resource_version;

        let controller = start(&cluster, "two").await;
        sealer.until_items("changed", &[("A", b"new")]).await;
        sealer.until_items("created", &[("A", b"new")]).await;
        sealer.until_items("edited", &[("A", b"old")]).await;
        sealer.until_items("lost", &[("A", b"old")]).await;
        sealer.until("lost", "Unsealed").await;
        assert_eq!(sealer.secret("same").await.metadata.resource_version, same);
        assert_eq!(attempts(&controller), 4);
    });
}

#[test]
fn a_restart_with_nothing_changed_writes_and_opens_nothing() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = start(&cluster, "one").await;
        let sealer = Sealer::create(&namespace).await;
        for n in 0..10 {
            sealer.unseal(&format!("api-{n}"), &[("A", b"1")]).await;
        }
        sealer.until_counted(10).await;
        assert_eq!(controller.terminate().await.code(), Some(0));

        let controller = start(&cluster, "two").await;
        // This one is reconciled later than all that a restart triggers.
        sealer.unseal("marker", &[("A", b"1")]).await;
        sealer.until_counted(11).await;
        let metrics = controller.metrics().await;
        let writes: Vec<&str> = metrics
            .lines()
            .filter(|line| {
                line.starts_with("sceau_writes_total{") || line.starts_with("sceau_unseals")
            })
            .collect();
        for line in writes {
            let status = line.contains("EnvironmentStatus");
            assert!(line.ends_with(" 1") || status, "{line}");
        }
        assert_eq!(attempts(&controller), 1);
    });
}

#[test]
fn what_a_leader_writes_that_wakes_too_late_is_put_right() {
    const COUNT: usize = 100;
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut leader = start(&cluster, "one").await;
        until_leading(&leader).await;
        let standby = start(&cluster, "two").await;
        let sealer = Sealer::create(&namespace).await;
        let names: Vec<String> = (0..COUNT).map(|number| format!("api-{number}")).collect();
        let apply_all = async |value: &[u8]| {
            let objects = names.iter().map(|name| sealer.seal(name, &[("A", value)]));
            let applied = stream::iter(objects).map(async |object| sealer.apply(&object).await);
            applied.buffer_unordered(8).collect::<Vec<_>>().await;
        };

        apply_all(b"old").await;
        leader.process().pause();
        until_leading(&standby).await;
        apply_all(b"new").await;
        for name in &names {
            sealer.until_items(name, &[("A", b"new")]).await;
            sealer.until(name, "Unsealed").await;
        }
        leader.process().resume();
        assert_eq!(leader.process().until_ended(SOON).await.code(), Some(1));
        for name in &names {
            sealer.until_items(name, &[("A", b"new")]).await;
            sealer.until(name, "Unsealed").await;
        }
    });
}

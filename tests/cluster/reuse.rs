//! The same value in more than one Secret: to whom it is reported, and to whom not.

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Identity, Namespace};
use serde_json::Value;

use crate::fingerprints::fingerprint;
use crate::sealed::{self, Sealer};

/// The lines of the audit about values that are in this namespace and elsewhere.
fn reported(controller: &Controller, namespace: &str) -> Vec<Value> {
    let log = controller.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("\"message\":\"reuse\""));
    lines
        .filter(|line| line.contains(namespace))
        .map(|line| serde_json::from_str(line).expect("logs are JSON"))
        .collect()
}

pub(crate) async fn until_reported(controller: &Controller, namespace: &str) -> Value {
    until("reuse is reported", SOON, async || {
        reported(controller, namespace)
            .pop()
            .ok_or_else(|| "not yet".to_owned())
    })
    .await
}

/// An identity with all permissions in one namespace, and none elsewhere.
pub(crate) async fn tenant(cluster: &Cluster, namespace: &Namespace) -> Identity {
    let name = format!("tenant-of-{}", namespace.name());
    let bound = [
        "create",
        "rolebinding",
        "tenant",
        "--clusterrole=admin",
        &format!("--user={name}"),
        &format!("--namespace={}", namespace.name()),
    ];
    cluster.admin().kubectl(&bound).await.succeeded();
    cluster.person(&name, "tenants")
}

/// All that a tenant may read in a namespace.
pub(crate) async fn readable(tenant: &Identity, namespace: &Namespace) -> String {
    let kinds = "sealedsecrets,secrets,events,configmaps";
    let here = format!("--namespace={}", namespace.name());
    let question = [
        "get",
        kinds,
        &here,
        "--output=yaml",
        "--show-managed-fields",
    ];
    tenant.kubectl(&question).await.succeeded()
}

#[test]
fn the_same_value_in_two_environments_is_told_to_operations_and_to_no_tenant() {
    sealed::test(async |cluster, one| {
        let namespace = Namespace::create(cluster).await;
        let other = Sealer::create(&namespace).await;
        let value: &[u8] = b"only these two have this";
        one.unseal("api", &[("A", value), ("B", value), ("C", b"0123")])
            .await;
        other.unseal("web", &[("D", value), ("E", b"0123")]).await;

        let controller = cluster.shared_controller().await;
        let line = until_reported(controller, namespace.name()).await;
        let (a, b) = (one.namespace.name(), namespace.name());
        let places = [
            format!("{a}:{a}/api/A"),
            format!("{a}:{a}/api/B"),
            format!("{b}:{b}/web/D"),
        ];
        assert_eq!(line["places"], places.join(", "));
        assert_eq!(
            (&line["target"], &line["count"]),
            (&"audit".into(), &3.into())
        );
        assert!(controller.metric("sceau_reused_values").await >= Some(1.0));

        let shared = fingerprint(&one.secret("api").await, "A");
        assert_eq!(shared, fingerprint(&other.secret("web").await, "D"));
        let log = controller.log();
        assert!(!log.contains(&shared) && !log.contains("only these two"));
        for (here, elsewhere) in [(one.namespace, b), (&namespace, a)] {
            let tenant = tenant(cluster, here).await;
            let text = readable(&tenant, here).await;
            assert!(text.contains("sceau.dev/fingerprints"), "{text}");
            assert!(!text.contains(elsewhere), "{text}");
        }
        assert_eq!(reported(controller, b).len(), 1, "it is reported once");
    });
}

#[test]
fn a_value_that_was_renewed_is_reused_no_more() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = Controller::named("one").start(&cluster).await;
        controller.until_ready().await;
        let sealer = Sealer::create(&namespace).await;
        let until_count = async |expected: f64| {
            until(&format!("{expected} values are reused"), SOON, async || {
                let count = controller.metric("sceau_reused_values").await;
                if count == Some(expected) {
                    Ok(())
                } else {
                    Err(format!("{count:?}"))
                }
            })
            .await;
        };
        sealer
            .unseal("one", &[("A", b"correct horse"), ("B", b"0123")])
            .await;
        sealer
            .unseal("two", &[("A", b"correct horse"), ("B", b"0123")])
            .await;
        until_count(1.0).await;
        sealer.unseal("two", &[("A", b"battery staple")]).await;
        until_count(0.0).await;
    });
}

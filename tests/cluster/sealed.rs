//! The common part of the controller's tests: an Environment for the test's namespace,
//! SealedSecrets for it, and waiting for their status.

use std::collections::BTreeMap;

use cluster::wait::{SOON, until};
use cluster::{Cluster, Namespace, manifests};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use sealing::resource::{Environment, SealedSecret, SecretTemplate};
use sealing::{
    Certificate, EnvironmentName, ItemName, Plaintext, Recipient, Scope, SealRequest, SecretRef,
};
use serde_json::{Value, json};

/// Seals for the Environment of a test's namespace, which has the namespace's name.
pub(crate) struct Sealer<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) environment: EnvironmentName,
    pub(crate) recipient: Recipient,
}

/// Runs a test with a namespace, its Environment and the shared controller.
pub(crate) fn test(body: impl AsyncFnOnce(&'static Cluster, &Sealer<'_>)) {
    cluster::test(async |cluster, namespace| {
        cluster.shared_controller().await;
        let sealer = Sealer::create(namespace).await;
        body(cluster, &sealer).await;
    });
}

impl<'a> Sealer<'a> {
    /// Creates an Environment of this one namespace and waits for its certificate. A controller
    /// must be running.
    pub(crate) async fn create(namespace: &'a Namespace) -> Self {
        create_environment(namespace, json!({"namespaces": [namespace.name()]})).await;
        Self::existing(namespace).await
    }

    /// Waits for the certificate of an existing Environment.
    pub(crate) async fn existing(namespace: &'a Namespace) -> Self {
        let certificate = certificate(namespace, |_| true).await;
        Self {
            namespace,
            environment: environment_name(namespace),
            recipient: certificate.recipient,
        }
    }

    /// A SealedSecret of this name with one seal.
    pub(crate) fn seal(&self, name: &str, items: &[(&str, &[u8])]) -> SealedSecret {
        self.seal_in(self.namespace.name(), name, items)
    }

    /// A SealedSecret in any namespace, with one seal.
    pub(crate) fn seal_in(
        &self,
        namespace: &str,
        name: &str,
        items: &[(&str, &[u8])],
    ) -> SealedSecret {
        let items = items.iter().map(|(item, value)| {
            let item = ItemName::parse(*item).expect("tests use good names");
            (item, Plaintext::new(value.to_vec()))
        });
        let secret = sealing::Secret {
            place: SecretRef::parse(namespace, name).expect("tests use good names"),
            template: SecretTemplate::default(),
            items: items.collect(),
        };
        sealing::seal(&SealRequest {
            secret: &secret,
            environment: &self.environment,
            scope: Scope::Strict,
            recipients: std::slice::from_ref(&self.recipient),
            sealed_at: Timestamp::now(),
        })
        .expect("tests stay within the bounds")
    }

    /// Applies a SealedSecret as Argo CD and Flux do, and returns it as it is stored.
    pub(crate) async fn apply(&self, object: &SealedSecret) -> SealedSecret {
        self.try_apply(object)
            .await
            .expect("the API server takes it")
    }

    /// Applies a SealedSecret, and returns the error of the API server if there is one.
    pub(crate) async fn try_apply(&self, object: &SealedSecret) -> kube::Result<SealedSecret> {
        let mut object = object.clone();
        object.metadata.namespace = Some(self.namespace.name().to_owned());
        let parameters = PatchParams::apply("somebody").force();
        self.sealed_secrets()
            .patch(&object.name_any(), &parameters, &Patch::Apply(&object))
            .await
    }

    /// Seals, applies and waits until it is unsealed.
    pub(crate) async fn unseal(&self, name: &str, items: &[(&str, &[u8])]) -> SealedSecret {
        self.apply(&self.seal(name, items)).await;
        self.until(name, "Unsealed").await
    }

    /// Waits until the current generation of a SealedSecret has this reason.
    pub(crate) async fn until(&self, name: &str, reason: &str) -> SealedSecret {
        let object = until(&format!("{name} is {reason}"), SOON, async || {
            let object = self.sealed_secrets().get(name).await;
            let object = object.map_err(|error| error.to_string())?;
            let said = said(&object);
            let wanted = is_current(&object) && said.starts_with(&format!("{reason}: "));
            if wanted { Ok(object) } else { Err(said) }
        })
        .await;
        check_row(&object);
        object
    }

    pub(crate) fn sealed_secrets(&self) -> Api<SealedSecret> {
        self.namespace.api()
    }

    pub(crate) fn secrets(&self) -> Api<Secret> {
        self.namespace.api()
    }

    /// The existing Secret of this name.
    pub(crate) async fn secret(&self, name: &str) -> Secret {
        self.secrets().get(name).await.expect("the Secret is there")
    }

    /// Waits until a Secret of this name exists.
    pub(crate) async fn until_secret(&self, name: &str) {
        until(&format!("{name} is written"), SOON, async || {
            match self.secrets().get_metadata_opt(name).await {
                Ok(Some(_)) => Ok(()),
                other => Err(format!("{:?}", other.map(|_| "none"))),
            }
        })
        .await;
    }

    /// The items of the Secret of this name.
    pub(crate) async fn items(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        items_of(&self.secret(name).await)
    }

    /// Waits until the Secret of this name has these items and no others.
    pub(crate) async fn until_items(&self, name: &str, items: &[(&str, &[u8])]) {
        let expected = items
            .iter()
            .map(|(item, value)| ((*item).to_owned(), value.to_vec()));
        let expected: BTreeMap<_, _> = expected.collect();
        until(&format!("{name} has its items"), SOON, async || {
            let secret = self
                .secrets()
                .get(name)
                .await
                .map_err(|error| error.to_string())?;
            let found = items_of(&secret);
            if found == expected {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
    }

    /// Patches a Secret, as a person with `kubectl patch` would.
    pub(crate) async fn patch_secret(&self, name: &str, patch: &Value) {
        let patched = self
            .secrets()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        patched.expect("the API server takes the patch");
    }

    /// Creates a Secret that is not ours.
    pub(crate) async fn create_secret(&self, secret: Value) -> Secret {
        let secret = serde_json::from_value(secret).expect("it is a Secret");
        let created = self.secrets().create(&PostParams::default(), &secret).await;
        created.expect("the API server takes it")
    }

    pub(crate) async fn delete_secret(&self, name: &str) {
        let deleted = self.secrets().delete(name, &DeleteParams::default()).await;
        deleted.expect("it is there");
    }

    /// Annotates a SealedSecret, which triggers a reconcile.
    pub(crate) async fn touch(&self, name: &str) {
        let patch = json!({"metadata": {"annotations": {"example.com/touched": "yes"}}});
        self.patch_sealed_secret(name, &patch).await;
    }

    /// Removes the finalizers of a SealedSecret that is being deleted.
    pub(crate) async fn release_finalizers(&self, name: &str) {
        self.patch_sealed_secret(name, &json!({"metadata": {"finalizers": null}}))
            .await;
    }

    async fn patch_sealed_secret(&self, name: &str, patch: &Value) {
        let patched = self
            .sealed_secrets()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        patched.expect("the API server takes the patch");
    }

    /// Waits until the Environment counts this many SealedSecrets for the active key.
    pub(crate) async fn until_counted(&self, count: u32) {
        let id = self.recipient.id().to_string();
        until(
            &format!("{count} SealedSecrets are counted"),
            SOON,
            async || {
                let environment = environments(self.namespace)
                    .get(self.namespace.name())
                    .await;
                let environment = environment.map_err(|error| error.to_string())?;
                let keys = environment.status.unwrap_or_default().sealing_keys;
                let found = keys.iter().find(|found| found.key_id == id);
                let counted = found.map(|found| found.sealed_secrets);
                if counted == Some(count) {
                    Ok(())
                } else {
                    Err(format!("{counted:?}"))
                }
            },
        )
        .await;
    }

    /// Allows the controller to adopt existing Secrets of the namespace. With the admission plugin
    /// that is on in this cluster, that needs the permission to delete them.
    pub(crate) async fn allow_taking_over(&self, cluster: &Cluster) {
        let account = format!(
            "--serviceaccount={}:{}",
            manifests::NAMESPACE,
            manifests::SERVICE_ACCOUNT
        );
        let namespace = format!("--namespace={}", self.namespace.name());
        let role = [
            "create",
            "role",
            "taking-over",
            "--verb=delete",
            "--resource=secrets",
        ];
        let binding = [
            "create",
            "rolebinding",
            "taking-over",
            "--role=taking-over",
            &account,
        ];
        for arguments in [role, binding] {
            let arguments = [&arguments[..], &[&namespace]].concat();
            cluster.admin().kubectl(&arguments).await.succeeded();
        }
    }

    /// Changes the Environment.
    pub(crate) async fn patch_environment(&self, spec: &Value) {
        patch_environment(self.namespace, spec).await;
    }
}

/// Creates an Environment with the namespace's name. Its keys are small, so that they are generated
/// fast.
pub(crate) async fn create_environment(namespace: &Namespace, mut spec: Value) {
    if spec["sealingKeys"]["bits"].is_null() {
        spec["sealingKeys"]["bits"] = json!(2048);
    }
    let environment = json!({
        "apiVersion": "sceau.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": namespace.name()},
        "spec": spec,
    });
    let environment = serde_json::from_value(environment).expect("it is an Environment");
    environments(namespace)
        .create(&PostParams::default(), &environment)
        .await
        .expect("the API server takes it");
}

pub(crate) async fn patch_environment(namespace: &Namespace, spec: &Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    environments(namespace)
        .patch(namespace.name(), &PatchParams::default(), &patch)
        .await
        .expect("the API server takes the patch");
}

/// Waits until the Environment with the namespace's name has a certificate that fits.
pub(crate) async fn certificate(
    namespace: &Namespace,
    wanted: impl Fn(&Certificate) -> bool,
) -> Certificate {
    until("the Environment has a certificate", SOON, async || {
        let environment = environments(namespace).get(namespace.name()).await;
        let status = environment.map_err(|error| error.to_string())?.status;
        let pem = status
            .and_then(|status| status.certificate)
            .ok_or("none yet")?;
        let certificate = Certificate::parse_pem(&pem).map_err(|error| error.to_string())?;
        let id = certificate.key_id();
        Some(certificate)
            .filter(|found| wanted(found))
            .ok_or_else(|| id.to_string())
    })
    .await
}

pub(crate) fn environments(namespace: &Namespace) -> Api<Environment> {
    Api::all(namespace.client())
}

pub(crate) fn environment_name(namespace: &Namespace) -> EnvironmentName {
    EnvironmentName::parse(namespace.name()).expect("namespaces are labels")
}

pub(crate) fn items_of(secret: &Secret) -> BTreeMap<String, Vec<u8>> {
    let items = secret.data.clone().unwrap_or_default();
    items
        .into_iter()
        .map(|(name, value)| (name, value.0))
        .collect()
}

/// Reason and message of the Ready condition.
pub(crate) fn said(object: &SealedSecret) -> String {
    let mut conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions
        .find(|condition| condition.type_ == "Ready")
        .map(|condition| format!("{}: {}", condition.reason, condition.message))
        .unwrap_or_default()
}

fn is_current(object: &SealedSecret) -> bool {
    let observed = object
        .status
        .as_ref()
        .and_then(|status| status.observed_generation);
    observed == object.metadata.generation
}

/// Whatever is said is one of the four rows of the status table, with `Synced` first.
fn check_row(object: &SealedSecret) {
    const ROWS: [&str; 4] = [
        "Synced=True Ready=True",
        "Synced=Unknown Ready=Unknown Reconciling=True",
        "Synced=Unknown Ready=False Reconciling=True",
        "Synced=False Ready=False Stalled=True",
    ];
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    let row: Vec<String> = conditions
        .map(|condition| format!("{}={}", condition.type_, condition.status))
        .collect();
    assert!(ROWS.contains(&row.join(" ").as_str()), "{row:?}");
}

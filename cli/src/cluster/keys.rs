//! Key Secrets in the controller's namespace, read and created with the user's login.

use k8s_openapi::{ByteString, api::core::v1};
use kube::{
    Api,
    api::{ListParams, PostParams},
    core::Request,
};
use sealing::{
    EnvironmentName, ItemName, Namespace, Plaintext, Secret, SecretRef,
    resource::{
        SecretTemplate, TemplateMetadata,
        key_secret::{ENVIRONMENT_LABEL, SEALING_KEY_LABEL},
    },
};
use zeroize::Zeroizing;

use super::{Cluster, ClusterError, explain, with_timeout};
use crate::manifest::{self, Format, LAST_APPLIED, SecretManifest};

/// Whether the API server creates an object, or only checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    DryRun,
    Real,
}

impl Cluster {
    /// Reads the key Secrets of a namespace, all or those of one environment.
    pub(crate) fn key_secrets(
        &self,
        namespace: &Namespace,
        environment: Option<&EnvironmentName>,
    ) -> Result<Vec<Secret>, ClusterError> {
        let api = Api::<v1::Secret>::namespaced(self.client.clone(), namespace.as_str());
        let of_environment = environment.map(|name| format!(",{ENVIRONMENT_LABEL}={name}"));
        let labels = format!("{SEALING_KEY_LABEL}{}", of_environment.unwrap_or_default());
        let listed = self.runtime.block_on(with_timeout(async {
            let listed = api.list(&ListParams::default().labels(&labels)).await;
            listed.map_err(|error| explain(&error, || no_namespace(namespace)))
        }));
        let listed = listed.map_err(of_key_secrets)?;
        Ok(listed.items.into_iter().filter_map(into_secret).collect())
    }

    /// Reads one Secret.
    pub(crate) fn secret(&self, place: &SecretRef) -> Result<Secret, ClusterError> {
        let SecretRef { namespace, name } = place;
        let api = Api::<v1::Secret>::namespaced(self.client.clone(), namespace.as_str());
        let gone = || ClusterError::KeySecretsRefused(format!("{place} does not exist"));
        let read = self.runtime.block_on(with_timeout(async {
            let read = api.get(name.as_str()).await;
            read.map_err(|error| explain(&error, gone))
        }));
        into_secret(read.map_err(of_key_secrets)?).ok_or_else(gone)
    }

    /// Creates a Secret. An existing Secret of its name stays unchanged.
    pub(crate) fn create_secret(&self, secret: &Secret, mode: Mode) -> Result<(), ClusterError> {
        let SecretRef { namespace, name } = &secret.place;
        let text = manifest::to_text(&SecretManifest::of(secret), Format::Json)
            .map_err(|error| ClusterError::KeySecretsRefused(error.message))?;
        let parameters = PostParams {
            dry_run: mode == Mode::DryRun,
            ..PostParams::default()
        };
        let request = Request::new(format!("/api/v1/namespaces/{namespace}/secrets"))
            .create(&parameters, text.as_bytes().to_vec())
            .map_err(|error| ClusterError::KeySecretsRefused(error.to_string()))?;
        let created = self.runtime.block_on(with_timeout(async {
            // The response repeats the Secret.
            let answer = self.client.request_text(request).await.map(Zeroizing::new);
            answer.map(drop).map_err(|error| match &error {
                kube::Error::Api(status) if status.is_already_exists() => {
                    ClusterError::SecretExists(name.to_string())
                }
                error => explain(error, || no_namespace(namespace)),
            })
        }));
        created.map_err(of_key_secrets)
    }
}

fn no_namespace(namespace: &Namespace) -> ClusterError {
    ClusterError::NoNamespace(namespace.clone())
}

fn of_key_secrets(error: ClusterError) -> ClusterError {
    match error {
        ClusterError::Refused(message) => ClusterError::KeySecretsRefused(message),
        other => other,
    }
}

/// A Secret without the fields of the API server. Its values are moved, not copied.
fn into_secret(secret: v1::Secret) -> Option<Secret> {
    let metadata = secret.metadata;
    let place = SecretRef::parse(&metadata.namespace?, &metadata.name?).ok()?;
    let mut annotations = metadata.annotations.unwrap_or_default();
    // This annotation repeats the whole Secret.
    drop(annotations.remove(LAST_APPLIED).map(Zeroizing::new));
    let items = secret.data.unwrap_or_default().into_iter();
    Some(Secret {
        place,
        template: SecretTemplate {
            secret_type: secret.type_,
            immutable: secret.immutable,
            metadata: TemplateMetadata {
                labels: metadata.labels.unwrap_or_default(),
                annotations,
            },
        },
        items: items
            .filter_map(|(name, ByteString(bytes))| {
                Some((ItemName::parse(name).ok()?, Plaintext::new(bytes)))
            })
            .collect(),
    })
}

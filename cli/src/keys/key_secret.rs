//! Key Secrets, the Kubernetes Secrets that hold sealing keys, and backups of them.
//!
//! A backup is an age file around a List, which `kubectl create` restores without this program.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use sealing::{
    EnvironmentName, KeyId, Namespace, Plaintext, SealingKey, Secret, SecretRef,
    resource::{
        SecretTemplate, TemplateMetadata,
        key_secret::{
            CERTIFICATE_ITEM, ENVIRONMENT_LABEL, IN_USE_LABEL, PRIVATE_KEY_ITEM,
            REVOKED_ANNOTATION, SEALING_KEY_LABEL, SECRET_TYPE,
        },
    },
};
use zeroize::Zeroizing;

use super::files;
use crate::{
    error::{CommandError, Result},
    input,
    keys::{
        age::{self, Identities, RecoveryRecipient},
        files::KeyPair,
    },
    manifest::{self, Format, Object, SecretManifest},
    ui::{self, Io},
};

/// A key Secret that holds a sealing key.
pub(crate) struct KeySecret {
    pub(crate) secret: Secret,
    /// The environment in its label. Keys of the Bitnami controller have none.
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) sealing_key: Arc<SealingKey>,
}

impl KeySecret {
    /// Reads a Secret, without the label of a key in use, which the controller restores. The error
    /// says why it holds no sealing key.
    pub(crate) fn read(mut secret: Secret) -> std::result::Result<Self, String> {
        let labels = &mut secret.template.metadata.labels;
        labels.remove(IN_USE_LABEL);
        let name = labels.get(ENVIRONMENT_LABEL).map(String::as_str);
        let environment = name.map(EnvironmentName::parse).transpose().map_err(|_| {
            format!("the label {ENVIRONMENT_LABEL} is not the name of an environment")
        })?;
        let sealing_key = Arc::new(files::sealing_key(&secret.items)?);
        Ok(Self {
            secret,
            environment,
            sealing_key,
        })
    }

    /// The key Secret for a key pair in PEM.
    fn of_pair(
        pair: KeyPair,
        environment: &EnvironmentName,
        namespace: &Namespace,
    ) -> Result<Self> {
        let id = pair.sealing_key.id();
        let name = format!("sceau-{environment}-{}", id.short());
        let labels = [
            (ENVIRONMENT_LABEL, environment.as_str()),
            (SEALING_KEY_LABEL, "active"),
        ];
        let pem = pair.sealing_key.to_pem().map_err(CommandError::bug)?;
        let item = |name: &str, text: &str| {
            let plaintext = Plaintext::new(text.as_bytes().to_vec());
            name.parse()
                .map(|name| (name, plaintext))
                .map_err(CommandError::bug)
        };
        let template = SecretTemplate {
            secret_type: Some(SECRET_TYPE.to_owned()),
            immutable: Some(true),
            metadata: TemplateMetadata {
                labels: labels
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                annotations: BTreeMap::new(),
            },
        };
        Ok(Self {
            secret: Secret {
                place: SecretRef::parse(namespace.as_str(), &name).map_err(CommandError::bug)?,
                template,
                items: BTreeMap::from([
                    item(CERTIFICATE_ITEM, &pair.certificate)?,
                    item(PRIVATE_KEY_ITEM, &pem)?,
                ]),
            },
            environment: Some(environment.clone()),
            sealing_key: Arc::new(pair.sealing_key),
        })
    }

    /// The id of its key.
    pub(crate) fn id(&self) -> KeyId {
        self.sealing_key.id()
    }

    /// Whether the backup records that the key was revoked.
    pub(crate) fn was_revoked(&self) -> bool {
        let annotations = &self.secret.template.metadata.annotations;
        annotations.contains_key(REVOKED_ANNOTATION)
    }

    /// Records in the backup whether the key is revoked.
    pub(crate) fn mark_revoked(&mut self, is_revoked: bool) {
        let annotations = &mut self.secret.template.metadata.annotations;
        annotations.remove(REVOKED_ANNOTATION);
        if is_revoked {
            annotations.insert(REVOKED_ANNOTATION.to_owned(), "true".to_owned());
        }
    }

    /// The name of its environment in reports.
    pub(crate) fn environment_name(&self) -> &str {
        self.environment
            .as_ref()
            .map_or("-", EnvironmentName::as_str)
    }
}

/// The Secrets that hold usable keys. The others are skipped with a warning.
pub(crate) fn read_usable(secrets: Vec<Secret>, io: &mut Io<'_>) -> Vec<KeySecret> {
    let mut usable = Vec::new();
    for secret in secrets {
        let place = secret.place.to_string();
        match KeySecret::read(secret) {
            Ok(key_secret) => usable.push(key_secret),
            Err(problem) => ui::warn(
                io,
                format_args!("{place}: {problem}; the Secret is skipped"),
            ),
        }
    }
    usable
}

/// The environment and namespace of keys from files.
pub(crate) struct Home<'a> {
    /// The environment of keys in PEM, which do not name it.
    pub(crate) environment: Option<&'a EnvironmentName>,
    /// The namespace of Secrets that do not name it.
    pub(crate) namespace: &'a Namespace,
}

/// Reads key files: exported key Secrets, and keys in PEM with their certificates.
pub(crate) fn read_files(
    files: &[PathBuf],
    home: &Home<'_>,
    io: &mut Io<'_>,
) -> Result<Vec<KeySecret>> {
    let mut key_secrets = Vec::new();
    let mut pem = Zeroizing::new(String::new());
    for file in files {
        let text = input::read_text(&io.directory, file)?;
        if files::is_pem(&text) {
            pem = Zeroizing::new([pem.as_str(), text.as_str(), "\n"].concat());
        } else {
            let label = file.display().to_string();
            let secrets = read_secrets(&label, &text, home.namespace)?;
            key_secrets.extend(read_usable(secrets, io));
        }
    }
    if pem.is_empty() {
        return Ok(key_secrets);
    }
    let environment = home.environment.ok_or_else(|| {
        CommandError::user("a key in PEM does not name its environment")
            .hint("pass `--environment`")
    })?;
    for pair in files::key_pairs(&pem)? {
        key_secrets.push(KeySecret::of_pair(pair, environment, home.namespace)?);
    }
    Ok(key_secrets)
}

/// The Secrets of a text, single or in Lists. Other objects are errors.
fn read_secrets(label: &str, text: &str, namespace: &Namespace) -> Result<Vec<Secret>> {
    let objects = manifest::read_all(label, text)?.into_iter();
    objects
        .map(|(origin, object)| {
            let Object::Secret(secret) = object else {
                return Err(origin.error("this is not a Secret"));
            };
            let name = secret
                .name
                .ok_or_else(|| origin.error("metadata.name is missing"))?;
            Ok(Secret {
                place: SecretRef {
                    namespace: secret.namespace.unwrap_or_else(|| namespace.clone()),
                    name,
                },
                template: secret.template,
                items: secret.items,
            })
        })
        .collect()
}

/// Writes a backup.
pub(crate) fn back_up(
    key_secrets: &[KeySecret],
    recipients: &[RecoveryRecipient],
) -> Result<Vec<u8>> {
    let manifests: Vec<_> = key_secrets
        .iter()
        .map(|key_secret| SecretManifest::of(&key_secret.secret))
        .collect();
    let text = manifest::to_list(&manifests, Format::Json)?;
    age::encrypt(text.as_bytes(), recipients)
}

/// Reads a backup, which holds at least one key.
pub(crate) fn read_backup(
    file: &Path,
    identities: &Identities,
    namespace: &Namespace,
    io: &mut Io<'_>,
) -> Result<Vec<KeySecret>> {
    age::reject_identity(&file.to_string_lossy())?;
    let bytes = input::read_bytes(&io.directory, file)?;
    let plaintext = age::decrypt(&bytes, identities, file)?;
    let label = file.display().to_string();
    let no_backup =
        || CommandError::user(format!("{label} is not a backup: it holds no key Secret"));
    let text = std::str::from_utf8(&plaintext).map_err(|_| no_backup())?;
    let key_secrets = read_usable(read_secrets(&label, text, namespace)?, io);
    if key_secrets.is_empty() {
        return Err(no_backup());
    }
    Ok(key_secrets)
}

//! Builders for the unit tests. A test gives only what matters to it.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use kube::runtime::watcher::Event;
use sealing::{
    EnvironmentName, ItemName, Plaintext, Scope, SealRequest, SealingKey, SecretRef,
    resource::{SealedSecret, SecretTemplate},
};
use serde_json::{Value, json};

use crate::{
    keys::fingerprint_secret::{self, FingerprintSecret},
    keys::key_secret::{KeySecret, StoredKey},
    store::{ClusterStore, objects::ReceivedEnvironment},
};

/// Three throw-away sealing keys.
pub(crate) static KEYS: LazyLock<[Arc<SealingKey>; 3]> =
    LazyLock::new(|| [2048, 2048, 2048].map(|bits| Arc::new(SealingKey::generate(bits).unwrap())));

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn environment_name(name: &str) -> EnvironmentName {
    EnvironmentName::parse(name).unwrap()
}

/// The key of this index, generated for the environment at this instant.
pub(crate) fn stored_key(index: usize, environment: &str, created_at: &str) -> StoredKey {
    StoredKey {
        secret: format!("{environment}-{index}"),
        is_marked_in_use: false,
        environment: environment_name(environment),
        sealing_key: Arc::clone(&KEYS[index]),
        certificate: format!("certificate {index}"),
        created_at: at(created_at),
        not_before: at(created_at),
        cutoff: None,
        not_after: at("2036-01-01T00:00:00Z"),
    }
}

/// An Environment as the API server sends it, of generation 3.
pub(crate) fn received_environment(name: &str, spec: Value) -> ReceivedEnvironment {
    let metadata = json!({"name": name, "generation": 3});
    let body = [("metadata", metadata), ("spec", spec)];
    serde_json::from_value(body.into_iter().collect()).unwrap()
}

/// The spec of an Environment for the namespace `shop`.
pub(crate) fn for_shop() -> Value {
    json!({"namespaces": ["shop"]})
}

/// The spec of an Environment that has revoked the keys of these indices.
pub(crate) fn revoking(indices: &[usize]) -> Value {
    let ids = indices.iter().map(|index| KEYS[*index].id().to_string());
    let ids: Vec<String> = ids.collect();
    json!({"sealingKeys": {"revokedKeyIds": ids}})
}

/// Builds a store object by object.
#[derive(Default)]
pub(crate) struct Given(ClusterStore);

impl Given {
    /// The environment `prod` with this spec, and its keys 0 and 1, created at these instants.
    pub(crate) fn prod_with_two_keys(spec: Value, made_at: [&str; 2]) -> Self {
        let given = Self::default().environment("prod", spec);
        let given = given.sealing_key(0, "prod", made_at[0]);
        given.sealing_key(1, "prod", made_at[1])
    }

    pub(crate) fn environment(mut self, name: &str, spec: Value) -> Self {
        let received = received_environment(name, spec);
        self.0
            .handle_environment(Event::Apply((name.to_owned(), received.spec)));
        self
    }

    pub(crate) fn namespace(mut self, name: &str, labels: &[(&str, &str)]) -> Self {
        let labels = labels
            .iter()
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect();
        self.0
            .handle_namespace(Event::Apply((name.to_owned(), labels)));
        self
    }

    pub(crate) fn key_secret(mut self, name: &str, secret: KeySecret) -> Self {
        self.0
            .handle_key_secret(Event::Apply((name.to_owned(), secret)));
        self
    }

    pub(crate) fn fingerprint_secret(mut self, secret: FingerprintSecret) -> Self {
        let name = fingerprint_secret::SECRET.to_owned();
        self.0
            .handle_fingerprint_secret(Event::Apply((name, secret)));
        self
    }

    pub(crate) fn sealing_key(self, index: usize, environment: &str, created_at: &str) -> Self {
        let known = stored_key(index, environment, created_at);
        self.key_secret(&format!("{environment}-{index}"), KeySecret::Usable(known))
    }

    pub(crate) fn store(self) -> ClusterStore {
        self.0
    }
}

/// The SealedSecret `shop/api` for environment `prod`, sealed to the key of this index.
pub(crate) fn sealed(index: usize, items: &[(&str, &[u8])]) -> SealedSecret {
    let items = items.iter().map(|(name, value)| {
        let name = ItemName::parse(*name).unwrap();
        (name, Plaintext::new(value.to_vec()))
    });
    let mut object = sealing::seal(&SealRequest {
        secret: &sealing::Secret {
            place: SecretRef::parse("shop", "api").unwrap(),
            template: SecretTemplate::default(),
            items: items.collect(),
        },
        environment: &environment_name("prod"),
        scope: Scope::Strict,
        recipients: &[KEYS[index].recipient().clone()],
        sealed_at: at("2026-11-21T09:30:00Z"),
    })
    .unwrap();
    object.metadata.uid = Some("uid-of-api".to_owned());
    object.metadata.generation = Some(1);
    object
}

//! The sealing keys that a program may unseal with.

use std::{collections::BTreeMap, sync::Arc};

use crate::{KeyId, SealingKey};

/// Sealing keys by id. Copies share the keys themselves.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(BTreeMap<KeyId, Arc<SealingKey>>);

impl KeyRing {
    /// Adds a key; one with the same id is the same key.
    pub fn insert(&mut self, key: Arc<SealingKey>) {
        self.0.insert(key.id(), key);
    }

    /// The key of that id, when the ring holds it.
    pub fn find(&self, id: KeyId) -> Option<&SealingKey> {
        self.0.get(&id).map(AsRef::as_ref)
    }

    /// Whether the ring holds the key of that id.
    pub fn holds(&self, id: KeyId) -> bool {
        self.0.contains_key(&id)
    }

    /// Every key, in the order of the ids.
    pub fn keys(&self) -> impl Iterator<Item = &SealingKey> {
        self.0.values().map(AsRef::as_ref)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<SealingKey> for KeyRing {
    fn from_iter<T: IntoIterator<Item = SealingKey>>(keys: T) -> Self {
        Self(
            keys.into_iter()
                .map(|key| (key.id(), Arc::new(key)))
                .collect(),
        )
    }
}

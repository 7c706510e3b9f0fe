//! The sealing keys that a program unseals with.

use std::{collections::BTreeMap, sync::Arc};

use crate::{KeyId, SealingKey};

/// Sealing keys by id. Clones share the keys.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(BTreeMap<KeyId, Arc<SealingKey>>);

impl KeyRing {
    /// Adds a key. A key with the same id is the same key.
    pub fn insert(&mut self, key: Arc<SealingKey>) {
        self.0.insert(key.id(), key);
    }

    /// The key with this id; `None` when the ring does not hold it.
    pub fn find(&self, id: KeyId) -> Option<&SealingKey> {
        self.0.get(&id).map(AsRef::as_ref)
    }

    /// Whether the ring holds the key with this id.
    pub fn holds(&self, id: KeyId) -> bool {
        self.0.contains_key(&id)
    }

    /// All keys, in the order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = &SealingKey> {
        self.0.values().map(AsRef::as_ref)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds no key.
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

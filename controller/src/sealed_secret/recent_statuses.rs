//! Statuses that were written and that the watch has not shown yet.
//!
//! A written Secret triggers a reconcile of its SealedSecret, often before the watch shows the new
//! status. Without this cache, that reconcile would decrypt the seals again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use sealing::resource::SealedSecretStatus;

use crate::store::objects::ReceivedSealedSecret;

/// The last written status of each object, until the watch shows it.
#[derive(Debug, Default)]
pub(crate) struct RecentStatuses(Mutex<HashMap<String, Recent>>);

#[derive(Debug)]
struct Recent {
    uid: Option<String>,
    version: u64,
    status: SealedSecretStatus,
}

impl RecentStatuses {
    /// Stores a status that was written. `resource_version` is that of the object after the write.
    pub(super) fn remember(
        &self,
        object: &ReceivedSealedSecret,
        resource_version: &str,
        status: SealedSecretStatus,
    ) {
        if let Ok(version) = resource_version.parse() {
            let uid = object.metadata.uid.clone();
            let recent = Recent {
                uid,
                version,
                status,
            };
            self.statuses().insert(object.path(), recent);
        }
    }

    /// The newest status of an object.
    pub(super) fn newest(&self, object: &ReceivedSealedSecret) -> SealedSecretStatus {
        let mut statuses = self.statuses();
        let path = object.path();
        match statuses.get(&path) {
            Some(recent) if recent.is_newer_than(object) => recent.status.clone(),
            _ => {
                statuses.remove(&path);
                object.status.clone().unwrap_or_default()
            }
        }
    }

    /// Forgets an object that was deleted.
    pub(super) fn forget(&self, path: &str) {
        self.statuses().remove(path);
    }

    fn statuses(&self) -> MutexGuard<'_, HashMap<String, Recent>> {
        self.0
            .lock()
            .expect("nothing panics while statuses are locked")
    }
}

impl Recent {
    /// Resource versions of one resource can be compared as numbers (KEP-5504).
    fn is_newer_than(&self, object: &ReceivedSealedSecret) -> bool {
        let version = object.metadata.resource_version.as_deref();
        self.uid == object.metadata.uid
            && version
                .and_then(|version| version.parse::<u64>().ok())
                .is_some_and(|version| version < self.version)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(uid: &str, version: &str) -> ReceivedSealedSecret {
        serde_json::from_value(json!({
            "metadata": {"namespace": "shop", "name": "api", "uid": uid, "resourceVersion": version},
            "status": {"observedGeneration": 1},
        }))
        .unwrap()
    }

    fn newest(recent: &RecentStatuses, object: &ReceivedSealedSecret) -> Option<i64> {
        recent.newest(object).observed_generation
    }

    #[test]
    fn a_status_counts_until_the_watch_shows_it_or_a_later_one() {
        let recent = RecentStatuses::default();
        let status = SealedSecretStatus {
            observed_generation: Some(2),
            ..SealedSecretStatus::default()
        };
        recent.remember(&object("a", "9"), "10", status);
        assert_eq!(newest(&recent, &object("a", "9")), Some(2));
        assert_eq!(newest(&recent, &object("a", "9")), Some(2));
        assert_eq!(newest(&recent, &object("a", "10")), Some(1));
        assert!(recent.statuses().is_empty());
    }

    #[test]
    fn a_status_does_not_count_for_another_object_of_the_same_name() {
        let recent = RecentStatuses::default();
        recent.remember(&object("a", "9"), "10", SealedSecretStatus::default());
        assert_eq!(newest(&recent, &object("b", "8")), Some(1));
    }
}

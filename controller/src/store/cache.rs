//! The objects that a watch has shown, reduced to the parts that are needed.
//!
//! The store of kube-runtime keeps whole objects and does not report whether anything changed.

use std::collections::BTreeMap;

use kube::runtime::watcher::Event;

/// Parts of objects by name.
#[derive(Debug)]
pub(super) struct WatchCache<T> {
    current: BTreeMap<String, T>,
    /// The objects of a list that is not complete yet.
    listed: BTreeMap<String, T>,
    synced: bool,
}

impl<T> Default for WatchCache<T> {
    fn default() -> Self {
        Self {
            current: BTreeMap::new(),
            listed: BTreeMap::new(),
            synced: false,
        }
    }
}

impl<T: PartialEq> WatchCache<T> {
    /// Stores an event. Returns whether anything changed.
    pub(super) fn handle(&mut self, event: Event<(String, T)>) -> bool {
        match event {
            Event::Apply((name, part)) => {
                let same = self.current.get(&name) == Some(&part);
                self.current.insert(name, part);
                !same
            }
            Event::Delete((name, _)) => self.current.remove(&name).is_some(),
            // The list may fail halfway. Until it is complete, the former state counts.
            Event::Init => {
                self.listed.clear();
                false
            }
            Event::InitApply((name, part)) => {
                self.listed.insert(name, part);
                false
            }
            Event::InitDone => self.take_list(),
        }
    }

    fn take_list(&mut self) -> bool {
        let listed = std::mem::take(&mut self.listed);
        // The first list counts as a change even if it is empty: others wait for it.
        let same = self.synced && self.current == listed;
        self.current = listed;
        self.synced = true;
        !same
    }

    /// Whether all objects were listed once.
    pub(super) fn is_synced(&self) -> bool {
        self.synced
    }

    pub(super) fn find(&self, name: &str) -> Option<&T> {
        self.current.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.current
            .iter()
            .map(|(name, part)| (name.as_str(), part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, part: u8) -> (String, u8) {
        (name.to_owned(), part)
    }

    #[test]
    fn a_list_replaces_everything_when_it_is_complete() {
        let mut cache = WatchCache::default();
        assert!(!cache.handle(Event::Init));
        assert!(!cache.handle(Event::InitApply(object("a", 1))));
        assert!(!cache.is_synced());
        assert_eq!(cache.iter().count(), 0);
        assert!(cache.handle(Event::InitDone));
        assert!(cache.is_synced());
        assert_eq!(cache.find("a"), Some(&1));

        cache.handle(Event::Init);
        cache.handle(Event::InitApply(object("b", 2)));
        assert_eq!(cache.find("a"), Some(&1));
        assert!(cache.handle(Event::InitDone));
        assert_eq!(cache.iter().collect::<Vec<_>>(), [("b", &2)]);
    }

    #[test]
    fn what_says_nothing_new_changes_nothing() {
        let mut cache = WatchCache::default();
        assert!(cache.handle(Event::InitDone), "the first list is a change");
        assert!(cache.handle(Event::Apply(object("a", 1))));
        assert!(!cache.handle(Event::Apply(object("a", 1))));
        assert!(cache.handle(Event::Apply(object("a", 2))));

        cache.handle(Event::Init);
        cache.handle(Event::InitApply(object("a", 2)));
        assert!(!cache.handle(Event::InitDone));

        assert!(cache.handle(Event::Delete(object("a", 2))));
        assert!(!cache.handle(Event::Delete(object("a", 2))));
    }
}

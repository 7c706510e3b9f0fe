//! What a watch has said so far, reduced to what is needed of each object.
//!
//! A store of kube-runtime keeps whole objects and does not tell whether anything changed.

use std::collections::BTreeMap;

use kube::runtime::watcher::Event;

/// Parts of objects by the objects' names.
#[derive(Debug)]
pub(super) struct WatchCache<T> {
    current: BTreeMap<String, T>,
    /// What a list that is under way has brought.
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
    /// Takes in what the watch says, and whether anything is different now.
    pub(super) fn take_in(&mut self, event: Event<(String, T)>) -> bool {
        match event {
            Event::Apply((name, part)) => {
                let same = self.current.get(&name) == Some(&part);
                self.current.insert(name, part);
                !same
            }
            Event::Delete((name, _)) => self.current.remove(&name).is_some(),
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
        let same = self.synced && self.current == listed;
        self.current = listed;
        self.synced = true;
        !same
    }

    /// Whether all objects have been listed once.
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
        let mut mirror = WatchCache::default();
        assert!(!mirror.take_in(Event::Init));
        assert!(!mirror.take_in(Event::InitApply(object("a", 1))));
        assert!(!mirror.is_synced());
        assert_eq!(mirror.iter().count(), 0);
        assert!(mirror.take_in(Event::InitDone));
        assert!(mirror.is_synced());
        assert_eq!(mirror.find("a"), Some(&1));

        mirror.take_in(Event::Init);
        mirror.take_in(Event::InitApply(object("b", 2)));
        assert_eq!(mirror.find("a"), Some(&1));
        assert!(mirror.take_in(Event::InitDone));
        assert_eq!(mirror.iter().collect::<Vec<_>>(), [("b", &2)]);
    }

    #[test]
    fn what_says_nothing_new_changes_nothing() {
        let mut mirror = WatchCache::default();
        assert!(mirror.take_in(Event::InitDone), "being synced is new");
        assert!(mirror.take_in(Event::Apply(object("a", 1))));
        assert!(!mirror.take_in(Event::Apply(object("a", 1))));
        assert!(mirror.take_in(Event::Apply(object("a", 2))));

        mirror.take_in(Event::Init);
        mirror.take_in(Event::InitApply(object("a", 2)));
        assert!(!mirror.take_in(Event::InitDone));

        assert!(mirror.take_in(Event::Delete(object("a", 2))));
        assert!(!mirror.take_in(Event::Delete(object("a", 2))));
    }
}

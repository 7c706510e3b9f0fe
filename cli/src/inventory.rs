//! The items that manifests hold, by environment, Secret and name: what is known of each without
//! any key.
//!
//! Two items with the same sealed text have the same value. What an item's value is, and whether
//! two texts stand for one value, cannot be told here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
    rc::Rc,
    str::FromStr,
};

use jiff::Timestamp;
use sealing::{
    EnvironmentName,
    resource::{SealedSecret, bitnami},
};
use serde::Serialize;

use crate::{
    error::{CommandError, Result},
    git,
    manifest::{self, MaybeTemplated, Sealed, Target},
    project::Project,
    sources,
};

/// What stands for a name that a manifest does not say.
pub(crate) const UNKNOWN: &str = "?";

/// What stands for all items of a Secret that the original's first version sealed as one.
const WHOLE_SECRET: &str = "*";

/// Who may renew an item's value, and where: annotations of a SealedSecret, for people. With the
/// name of an item behind a slash they speak of that one alone.
const NOTES: [(&str, &str); 2] = [
    ("sceau.dev/owner", "owner.sceau.dev"),
    ("sceau.dev/provider", "provider.sceau.dev"),
];

/// Which item is meant, wherever its manifest stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct ItemId {
    pub(crate) environment: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) item: String,
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            environment,
            namespace,
            name,
            item,
        } = self;
        write!(f, "{environment}:{namespace}/{name}/{item}")
    }
}

impl FromStr for ItemId {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.split_once(':').and_then(|(environment, rest)| {
            let mut rest = rest.split('/').map(str::to_owned);
            let id = Self {
                environment: environment.to_owned(),
                namespace: rest.next()?,
                name: rest.next()?,
                item: rest.next()?,
            };
            rest.next().is_none().then_some(id)
        });
        parts.ok_or_else(|| "ENVIRONMENT:NAMESPACE/NAME/ITEM is expected".to_owned())
    }
}

/// A sealed item as one text holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedItem {
    /// The environment that the manifest says; the original's say none.
    environment: Option<String>,
    namespace: String,
    name: String,
    item: String,
    /// The end of its sealed text: it holds the authentication tag of the value's ciphertext.
    pub(crate) ending: String,
    /// When a person gave the value; not authenticated. The original does not say it.
    pub(crate) sealed_at: Option<Timestamp>,
    /// The keys that its seal is wrapped for.
    pub(crate) key_ids: Rc<[String]>,
    pub(crate) owner: Option<String>,
    pub(crate) provider: Option<String>,
}

impl SealedItem {
    /// Which items it is in a file of this name: the environments are those that the manifest or
    /// the project's path rules name.
    pub(crate) fn ids(&self, path: &str, project: Option<&Project>) -> Vec<ItemId> {
        let ruled = || {
            let environments = project.iter().flat_map(|it| &it.environments);
            let own = environments.filter(|(_, settings)| settings.paths.is_match(path));
            own.map(|(name, _)| name.to_string()).collect()
        };
        let mut environments: Vec<String> =
            self.environment.clone().map_or_else(ruled, |it| vec![it]);
        if environments.is_empty() {
            environments.push(UNKNOWN.to_owned());
        }
        let id = |environment| ItemId {
            environment,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            item: self.item.clone(),
        };
        environments.into_iter().map(id).collect()
    }
}

/// The items of a text that its user calls `label`, and an error for whatever speaks of a
/// SealedSecret and cannot be read.
pub(crate) fn read(label: &str, text: &str) -> (Vec<SealedItem>, Vec<CommandError>) {
    let (targets, faults) = manifest::survey(label, text);
    // The annotations of a template may be anything once it is rendered.
    let is_template = text.contains("{{");
    let items = targets.iter().flat_map(|target| {
        let mut items = items(target);
        if is_template {
            for item in &mut items {
                (item.owner, item.provider) = (None, None);
            }
        }
        items
    });
    (items.collect(), faults)
}

fn items(target: &Target) -> Vec<SealedItem> {
    match &target.sealed {
        Sealed::Native(sealed) => native(target, sealed),
        Sealed::Bitnami(sealed) => original(target, sealed),
    }
}

fn native(target: &Target, sealed: &SealedSecret) -> Vec<SealedItem> {
    let environment = EnvironmentName::parse(&sealed.spec.environment).ok();
    let notes = sealed.metadata.annotations.as_ref();
    let mut items = Vec::new();
    for seal in &sealed.spec.seals {
        let key_ids: Rc<[String]> = seal.recipients.iter().map(|it| it.key_id.clone()).collect();
        // One that says no time is as old as can be.
        let sealed_at = seal.sealed_at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        items.extend(seal.items.iter().map(|(item, text)| SealedItem {
            environment: environment.as_ref().map(ToString::to_string),
            sealed_at: Some(sealed_at),
            key_ids: Rc::clone(&key_ids),
            ..new_item(target, item, text, notes)
        }));
    }
    items
}

fn original(target: &Target, sealed: &bitnami::SealedSecret) -> Vec<SealedItem> {
    let notes = sealed.metadata.annotations.as_ref();
    let single = sealed.spec.encrypted_data.iter().flatten();
    let single = single.map(|(item, text)| (item.as_str(), text.as_str().unwrap_or_default()));
    let whole = sealed.spec.data.as_deref().map(|text| (WHOLE_SECRET, text));
    single
        .chain(whole)
        .map(|(item, text)| new_item(target, item, text, notes))
        .collect()
}

fn new_item(
    target: &Target,
    item: &str,
    text: &str,
    notes: Option<&BTreeMap<String, String>>,
) -> SealedItem {
    let shown = |named: &MaybeTemplated| match named {
        MaybeTemplated::Known(name) => name.clone(),
        MaybeTemplated::Absent | MaybeTemplated::Templated => UNKNOWN.to_owned(),
    };
    let [owner, provider] = NOTES.map(|(general, own)| {
        let own = notes?.get(&format!("{own}/{item}"));
        own.or_else(|| notes?.get(general)).cloned()
    });
    SealedItem {
        environment: None,
        namespace: shown(&target.namespace),
        name: shown(&target.name),
        item: item.to_owned(),
        ending: ending(text),
        sealed_at: None,
        key_ids: Rc::default(),
        owner,
        provider,
    }
}

/// As many characters of base64 as 16 bytes have at most, white space left out.
const ENDING: usize = 24;

/// The end of a sealed text.
pub(crate) fn ending(text: &str) -> String {
    let characters: Vec<char> = text.chars().filter(|it| !it.is_whitespace()).collect();
    characters[characters.len().saturating_sub(ENDING)..]
        .iter()
        .collect()
}

/// The items of the files of a project.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) items: BTreeMap<ItemId, Vec<Occurrence>>,
    /// By the end of a sealed text: the items that have it.
    by_ending: BTreeMap<String, BTreeSet<ItemId>>,
    /// What speaks of a SealedSecret and cannot be read.
    pub(crate) unreadable: Vec<CommandError>,
}

/// An item in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// The file, relative to the project's root.
    pub(crate) file: String,
    pub(crate) sealed: SealedItem,
}

impl Inventory {
    fn add(&mut self, id: ItemId, occurrence: Occurrence) {
        let ending = &occurrence.sealed.ending;
        if !ending.is_empty() {
            let known = self.by_ending.entry(ending.clone()).or_default();
            known.insert(id.clone());
        }
        self.items.entry(id).or_default().push(occurrence);
    }

    /// Where an item stands, and where a text that ends so stands, whatever item it is there: a
    /// value stays the same under another name.
    pub(crate) fn find<'a>(
        &self,
        id: &ItemId,
        endings: impl IntoIterator<Item = &'a String>,
    ) -> Vec<Occurrence> {
        let mut found = self.items.get(id).cloned().unwrap_or_default();
        for ending in endings {
            let ids = self.by_ending.get(ending).into_iter().flatten();
            for occurrence in ids.filter_map(|id| self.items.get(id)).flatten() {
                if occurrence.sealed.ending == *ending && !found.contains(occurrence) {
                    found.push(occurrence.clone());
                }
            }
        }
        found
    }
}

/// The files that may hold manifests: those that git does not ignore, and those that it tracks
/// whatever an ignore rule says.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let found = sources::manifest_files(&[root.to_owned()], Path::new("/"))?;
    let mut files: BTreeSet<PathBuf> = found.into_iter().collect();
    let tracked = git::tracked_files(root)?.into_iter();
    let tracked = tracked
        .filter(|name| sources::is_manifest_name(name))
        .map(|name| root.join(name));
    files.extend(tracked.filter(|path| fs::symlink_metadata(path).is_ok_and(|it| it.is_file())));
    Ok(files)
}

/// Reads the items of all files of the project that git tracks or does not ignore.
pub(crate) fn of_project(project: &Project) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    let root = &project.root;
    for path in files(root)? {
        let input = match sources::read_found(&path, root) {
            Ok(input) => input,
            Err(error) => {
                inventory.unreadable.push(error);
                continue;
            }
        };
        let (items, faults) = read(&input.label, &input.text);
        inventory.unreadable.extend(faults);
        for sealed in items {
            for id in sealed.ids(&input.label, Some(project)) {
                let occurrence = Occurrence {
                    file: input.label.clone(),
                    sealed: sealed.clone(),
                };
                inventory.add(id, occurrence);
            }
        }
    }
    Ok(inventory)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: &str = "apiVersion: sceau.dev/v1alpha1
kind: SealedSecret
metadata:
  name: api
  namespace: shop
  annotations:
    sceau.dev/owner: payments
    owner.sceau.dev/TOKEN: platform
    provider.sceau.dev/TOKEN: https://console.example
spec:
  environment: prod
  scope: strict
  seals:
  - sealedAt: \"2026-06-01T09:00:00Z\"
    commitment: sceau:v1:x
    recipients: [{keyId: 'sha256:1', suite: RSA-OAEP-SHA256, wrapped: x}]
    items: {PIN: 'sceau:v1:AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH', TOKEN: 'sceau:v1:t'}
";

    fn ids(text: &str) -> Vec<String> {
        let (items, faults) = read("a.yaml", text);
        assert!(faults.is_empty(), "{faults:?}");
        let ids = items.iter().flat_map(|it| it.ids("a.yaml", None));
        ids.map(|it| it.to_string()).collect()
    }

    #[test]
    fn notes_speak_of_one_item_or_of_all() {
        let (items, _) = read("a.yaml", NATIVE);
        let notes: Vec<_> = items
            .iter()
            .map(|it| (&*it.item, it.owner.as_deref(), it.provider.as_deref()))
            .collect();
        let expected = [
            ("PIN", Some("payments"), None),
            ("TOKEN", Some("platform"), Some("https://console.example")),
        ];
        assert_eq!(notes, expected);
        assert_eq!(items[0].ending, "CCCCDDDDEEEEFFFFGGGGHHHH");
        assert_eq!(*items[0].key_ids, ["sha256:1"]);
    }

    #[test]
    fn templates_are_read_as_far_as_they_are_certain() {
        let template = NATIVE
            .replace("name: api", "name: {{ .Release.Name }}")
            .replace(
                "environment: prod",
                "environment: {{ .Values.environment }}",
            );
        assert_eq!(ids(&template), ["?:shop/?/PIN", "?:shop/?/TOKEN"]);
    }

    #[test]
    fn a_secret_that_was_sealed_as_one_is_one_item() {
        let text = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a, namespace: b}\nspec: {data: AgB}\n";
        assert_eq!(ids(text), ["?:b/a/*"]);
    }

    #[test]
    fn the_id_of_an_item_is_read_as_it_is_written() {
        let id: ItemId = "prod:shop/api/PIN".parse().unwrap();
        assert_eq!(id.to_string(), "prod:shop/api/PIN");
        for bad in ["prod:shop/api", "shop/api/PIN", "prod:shop/api/PIN/x", ""] {
            assert!(bad.parse::<ItemId>().is_err(), "{bad}");
        }
    }
}

//! The items of manifests, by environment, Secret and name, as far as they are known without a key.
//!
//! Two items with the same sealed text have the same value. Two texts may still hold one value:
//! that cannot be decided here.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use jiff::Timestamp;
use sealing::{
    EnvironmentName, ItemRef,
    resource::{SealedSecret, bitnami},
};

use crate::{
    error::{CommandError, Result},
    manifest::{self, MaybeTemplated, Sealed, Target},
    project::Project,
    repository::files,
};

/// The placeholder for a name that a manifest does not have.
pub(crate) const UNKNOWN: &str = "?";

/// The name of all items together of a Secret that the first kubeseal format sealed as one.
const WHOLE_SECRET: &str = "*";

/// Annotations of a SealedSecret that name who rotates an item's value, and where. With the name of
/// an item behind a slash, they apply to that item only.
const NOTES: [(&str, &str); 2] = [
    ("sceau.dev/owner", "owner.sceau.dev"),
    ("sceau.dev/provider", "provider.sceau.dev"),
];

/// A sealed item of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedItem {
    /// The environment in the manifest; the kubeseal format has none.
    environment: Option<String>,
    namespace: String,
    name: String,
    item: String,
    /// The end of its sealed text, with the authentication tag of the ciphertext.
    pub(crate) tag_suffix: String,
    /// When the value was sealed; not authenticated. The kubeseal format does not record it.
    pub(crate) sealed_at: Option<Timestamp>,
    /// The keys that its seal is wrapped for.
    pub(crate) key_ids: Rc<[String]>,
    pub(crate) owner: Option<String>,
    pub(crate) provider: Option<String>,
}

impl SealedItem {
    /// The references to this item in a file of this name. The manifest or the project's path rules
    /// name the environments.
    pub(crate) fn ids(&self, path: &str, project: Option<&Project>) -> Vec<ItemRef> {
        let ruled = || {
            let environments = project.iter().flat_map(|project| &project.environments);
            let own = environments.filter(|(_, settings)| settings.paths.is_match(path));
            own.map(|(name, _)| name.to_string()).collect()
        };
        let mut environments: Vec<String> = self
            .environment
            .clone()
            .map_or_else(ruled, |name| vec![name]);
        if environments.is_empty() {
            environments.push(UNKNOWN.to_owned());
        }
        let id = |environment| ItemRef {
            environment,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            item: self.item.clone(),
        };
        environments.into_iter().map(id).collect()
    }
}

/// The items of a text that the user calls `label`, and an error for each SealedSecret that cannot
/// be read.
pub(crate) fn read(label: &str, text: &str) -> (Vec<SealedItem>, Vec<CommandError>) {
    let (targets, faults) = manifest::survey(label, text);
    // Rendering a template may change its annotations.
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
        Sealed::Bitnami(sealed) => bitnami(target, sealed),
    }
}

fn native(target: &Target, sealed: &SealedSecret) -> Vec<SealedItem> {
    let environment = EnvironmentName::parse(&sealed.spec.environment).ok();
    let notes = sealed.metadata.annotations.as_ref();
    let mut items = Vec::new();
    for seal in &sealed.spec.seals {
        let key_ids: Rc<[String]> = seal
            .recipients
            .iter()
            .map(|recipient| recipient.key_id.clone())
            .collect();
        // A seal without a time counts as the oldest: it must not pass for a rotated value.
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

fn bitnami(target: &Target, sealed: &bitnami::SealedSecret) -> Vec<SealedItem> {
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
        tag_suffix: tag_suffix(text),
        sealed_at: None,
        key_ids: Rc::default(),
        owner,
        provider,
    }
}

/// The most base64 characters that a tag of 16 bytes takes, without white space.
const TAG_SUFFIX_CHARACTERS: usize = 24;

/// The tag suffix of a sealed text: equal suffixes mean equal texts.
pub(crate) fn tag_suffix(text: &str) -> String {
    let characters: Vec<char> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    characters[characters.len().saturating_sub(TAG_SUFFIX_CHARACTERS)..]
        .iter()
        .collect()
}

/// The items of the files of a project.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) items: BTreeMap<ItemRef, Vec<Occurrence>>,
    /// By tag suffix: the items that have it.
    by_tag_suffix: BTreeMap<String, BTreeSet<ItemRef>>,
    /// SealedSecrets that cannot be read.
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
    fn add(&mut self, id: ItemRef, occurrence: Occurrence) {
        let tag_suffix = &occurrence.sealed.tag_suffix;
        if !tag_suffix.is_empty() {
            let known = self.by_tag_suffix.entry(tag_suffix.clone()).or_default();
            known.insert(id.clone());
        }
        self.items.entry(id).or_default().push(occurrence);
    }

    /// The occurrences of an item, and of any item with one of these tag suffixes: a value that was
    /// copied to another name is still the same value.
    pub(crate) fn find<'a>(
        &self,
        id: &ItemRef,
        tag_suffixes: impl IntoIterator<Item = &'a String>,
    ) -> Vec<Occurrence> {
        let mut found = self.items.get(id).cloned().unwrap_or_default();
        for tag_suffix in tag_suffixes {
            let ids = self.by_tag_suffix.get(tag_suffix).into_iter().flatten();
            for occurrence in ids.filter_map(|id| self.items.get(id)).flatten() {
                if occurrence.sealed.tag_suffix == *tag_suffix && !found.contains(occurrence) {
                    found.push(occurrence.clone());
                }
            }
        }
        found
    }
}

/// Reads the items of all manifests of the project.
pub(crate) fn of_project(project: &Project) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    let root = &project.root;
    for path in files::manifest_files(std::slice::from_ref(root), root)? {
        let input = match files::read_found(&path, root) {
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
        let ids = items.iter().flat_map(|item| item.ids("a.yaml", None));
        ids.map(|id| id.to_string()).collect()
    }

    #[test]
    fn notes_apply_to_one_item_or_to_all() {
        let (items, _) = read("a.yaml", NATIVE);
        let notes: Vec<_> = items
            .iter()
            .map(|item| (&*item.item, item.owner.as_deref(), item.provider.as_deref()))
            .collect();
        let expected = [
            ("PIN", Some("payments"), None),
            ("TOKEN", Some("platform"), Some("https://console.example")),
        ];
        assert_eq!(notes, expected);
        assert_eq!(items[0].tag_suffix, "CCCCDDDDEEEEFFFFGGGGHHHH");
        assert_eq!(*items[0].key_ids, ["sha256:1"]);
    }

    #[test]
    fn names_from_templates_are_unknown() {
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
    fn the_reference_of_an_item_is_parsed_as_it_is_written() {
        let id: ItemRef = "prod:shop/api/PIN".parse().unwrap();
        assert_eq!(id.to_string(), "prod:shop/api/PIN");
        for bad in ["prod:shop/api", "shop/api/PIN", "prod:shop/api/PIN/x", ""] {
            assert!(bad.parse::<ItemRef>().is_err(), "{bad}");
        }
    }
}

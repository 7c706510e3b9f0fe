//! Follows `mod` declarations from the crate's roots to every file.
#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use syn::{Expr, ExprLit, Item, ItemMod, Lit, Meta};

use super::{Crate, Module, collect, tests_only};

struct Loader {
    parsed: Crate,
    sources: BTreeMap<String, String>,
    reached: BTreeSet<String>,
}

/// Where a module's declarations are looked up.
struct At {
    path: Vec<String>,
    root: Vec<String>,
    file: String,
    /// Where the files of its submodules are.
    folder: PathBuf,
    is_test: bool,
}

pub(super) fn load(folder: &str, name: &str, sources: BTreeMap<String, String>) -> Crate {
    let mut loader = Loader {
        parsed: Crate {
            folder: folder.to_owned(),
            name: name.to_owned(),
            modules: Vec::new(),
            places: BTreeMap::new(),
        },
        sources,
        reached: BTreeSet::new(),
    };
    let source = PathBuf::from(folder).join("src");
    for (root, path) in [("lib.rs", vec![folder]), ("main.rs", vec![folder, "main"])] {
        let file = text(&source.join(root));
        if loader.sources.contains_key(&file) {
            let path: Vec<String> = path.into_iter().map(str::to_owned).collect();
            loader.file(At {
                root: path.clone(),
                path,
                file,
                folder: source.clone(),
                is_test: false,
            });
        }
    }
    loader.nothing_is_left();
    loader.parsed
}

impl Loader {
    fn nothing_is_left(&self) {
        let left: Vec<&String> = self
            .sources
            .keys()
            .filter(|file| !self.reached.contains(*file))
            .collect();
        assert!(left.is_empty(), "no `mod` leads to {left:?}");
        assert!(!self.reached.is_empty(), "a crate has files");
    }

    fn file(&mut self, mut at: At) {
        let text = &self.sources[&at.file];
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", at.file));
        self.reached.insert(at.file.clone());
        at.is_test |= tests_only::is_test_only(&file.attrs);
        self.module(&at, &file.items);
    }

    fn module(&mut self, at: &At, items: &[Item]) {
        let mut module = Module {
            path: at.path.clone(),
            root: at.root.clone(),
            file: at.file.clone(),
            is_test: at.is_test,
            mentions: Vec::new(),
            items: BTreeMap::new(),
            imports: Vec::new(),
        };
        if !at.is_test {
            collect::collect(&mut module, items);
        }
        self.parsed
            .places
            .insert(at.path.clone(), self.parsed.modules.len());
        self.parsed.modules.push(module);
        for item in items {
            if let Item::Mod(declared) = item {
                self.declared(at, declared);
            }
        }
    }

    fn declared(&mut self, at: &At, declared: &ItemMod) {
        let name = declared.ident.to_string();
        let mut below = At {
            path: [at.path.as_slice(), std::slice::from_ref(&name)].concat(),
            root: at.root.clone(),
            file: at.file.clone(),
            folder: at.folder.join(&name),
            is_test: at.is_test || tests_only::is_test_only(&declared.attrs),
        };
        if let Some((_, items)) = &declared.content {
            self.module(&below, items);
        } else {
            (below.file, below.folder) = self.file_of(at, declared, &name);
            self.file(below);
        }
    }

    /// The file of `mod name;`, and where the files of its own submodules are.
    fn file_of(&self, at: &At, declared: &ItemMod, name: &str) -> (String, PathBuf) {
        let given = given_path(declared);
        let candidates = match &given {
            Some(path) => vec![clean(&Path::new(&at.file).with_file_name(path))],
            None => vec![
                at.folder.join(format!("{name}.rs")),
                at.folder.join(name).join("mod.rs"),
            ],
        };
        let mut candidates = candidates.into_iter();
        let found = candidates.find(|file| self.sources.contains_key(&text(file)));
        let found = found.unwrap_or_else(|| panic!("{}: `mod {name};` has no file", at.file));
        // A file that an attribute names holds its submodules beside it, as `mod.rs` does.
        let folder = if given.is_some() || found.ends_with("mod.rs") {
            found.with_file_name("")
        } else {
            found.with_extension("")
        };
        (text(&found), folder)
    }
}

/// The file that `#[path = ".."]` names.
fn given_path(declared: &ItemMod) -> Option<String> {
    let attribute = declared
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(path),
                ..
            }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    }
}

fn clean(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
        clean
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

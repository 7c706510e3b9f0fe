//! The sources of one crate, parsed: its modules as `mod` declarations link them, and what each of
//! them names outside of tests.
//!
//! Nothing is searched as text. A file that no `mod` declares is an error, so that code cannot
//! leave the sight of a rule by moving.

mod collect;
mod load;
mod resolve;
mod tests_only;

pub use tests_only::of_item as attributes_of;

use std::collections::{BTreeMap, BTreeSet};

/// A crate as its files say it.
pub struct Crate {
    /// The folder it is in, which is also the first part of every path here.
    pub folder: String,
    /// The name that other crates, and its own program, use for it.
    pub name: String,
    /// Every module, those of tests included.
    pub modules: Vec<Module>,
    places: BTreeMap<Vec<String>, usize>,
}

/// One module: a file, or a block in one.
pub struct Module {
    /// Its path from the crate, as in `["cli", "commands", "seal"]`.
    pub path: Vec<String>,
    /// The file it is in, named from the repository's root.
    pub file: String,
    /// Whether only tests compile it.
    pub is_test: bool,
    /// What it names outside of tests.
    pub mentions: Vec<Mention>,
    /// The items that it defines, and the names that belong to each: methods, variants, fields.
    pub items: BTreeMap<String, Item>,
    /// Where `crate::` leads from here.
    root: Vec<String>,
    imports: Vec<Import>,
}

/// An item, or an `impl` of one.
#[derive(Debug, Default, Clone)]
pub struct Item {
    /// Whether it is a function.
    pub is_function: bool,
    /// Whether it is `pub` without a restriction.
    pub is_public: bool,
    /// Whether the item itself stands here, and not an `impl` of it alone.
    pub is_defined: bool,
    /// Its methods, constants, variants and fields.
    pub members: BTreeSet<String>,
}

/// One name of a `use` declaration.
#[derive(Debug, Clone)]
struct Import {
    /// The name it has here; none for `as _` and for a glob.
    local: Option<String>,
    path: Vec<String>,
    is_glob: bool,
    is_public: bool,
    line: usize,
}

/// Something that a line of code names.
#[derive(Debug, Clone)]
pub struct Mention {
    /// The line, from 1.
    pub line: usize,
    /// What is named.
    pub named: Named,
}

/// What a line can name.
#[derive(Debug, Clone)]
pub enum Named {
    /// A path, in an import, an expression, a type, an attribute or a macro's input.
    Path(NamedPath),
    /// A method or a field, after a dot; `.await` too.
    Member(String),
    /// A macro that is called.
    Macro(String),
    /// A string literal.
    Text(String),
}

/// A path, as it is written and as it resolves.
#[derive(Debug, Clone)]
pub struct NamedPath {
    /// As the source says it.
    pub written: Vec<String>,
    /// From the crate or from an external crate, aliases followed.
    pub absolute: Vec<String>,
    /// The same with re-exports followed to the definition.
    pub canonical: Vec<String>,
    /// The module of this crate that defines it.
    pub module: Option<usize>,
    /// Whether it is part of a `use` declaration.
    pub is_import: bool,
    /// Whether it is `path::*`.
    pub is_glob: bool,
}

impl Crate {
    /// Parses a crate from its files: paths from the repository's root, and texts.
    ///
    /// # Panics
    /// When a file cannot be parsed, a declared module has no file, or a file has no module.
    pub fn parse(
        folder: &str,
        name: &str,
        sources: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut parsed = load::load(folder, name, sources.into_iter().collect());
        parsed.resolve_mentions();
        parsed
    }

    /// The module at a path such as `cli::commands::seal`.
    pub fn module(&self, path: &str) -> Option<&Module> {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        Some(&self.modules[*self.places.get(&path)?])
    }

    /// The modules at and below a path, those of tests left out.
    pub fn below(&self, path: &str) -> impl Iterator<Item = &Module> {
        self.modules
            .iter()
            .filter(move |module| !module.is_test && module.is_below(path))
    }
}

impl Module {
    /// Its path as text.
    pub fn name(&self) -> String {
        self.path.join("::")
    }

    /// Whether it is the module at a path, or below it.
    pub fn is_below(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split("::").collect();
        self.path.len() >= parts.len() && parts.iter().zip(&self.path).all(|(a, b)| a == b)
    }
}

impl Crate {
    /// Whether a document may name this: `sceau::run` from the crate's root; otherwise a module by
    /// the end of its path, an item of one, or a member of an item.
    pub fn defines(&self, parts: &[&str]) -> bool {
        if let [first, rest @ ..] = parts
            && *first == self.name
        {
            return rest.is_empty() || self.defines_from_root(rest);
        }
        let modules = self.modules.iter().filter(|module| !module.is_test);
        modules
            .into_iter()
            .any(|module| (0..=parts.len()).any(|cut| module.holds(&parts[..cut], &parts[cut..])))
    }

    /// Whether a path leads to something from the crate's root, over re-exports.
    fn defines_from_root(&self, parts: &[&str]) -> bool {
        let parts = parts.iter().map(ToString::to_string);
        let path: Vec<String> = std::iter::once(self.folder.clone()).chain(parts).collect();
        let (module, canonical) = self.locate(&path, &mut Vec::new());
        let Some(module) = module.map(|at| &self.modules[at]) else {
            return false;
        };
        let rest = canonical.get(module.path.len()..).unwrap_or_default();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        rest.is_empty() || module.holds(&[], &rest)
    }

    /// Whether other crates can call a function by this name, from the root.
    pub fn has_public_function(&self, name: &str) -> bool {
        let root = std::slice::from_ref(&self.folder);
        let Some(module) = self.places.get(root).map(|at| &self.modules[*at]) else {
            return false;
        };
        let is_here = module.items.get(name).is_some_and(Item::is_public_function);
        let mut exported = module
            .imports
            .iter()
            .filter(|import| import.is_public && import.local.as_deref() == Some(name));
        is_here
            || exported.any(|_| {
                let path = [root, &[name.to_owned()]].concat();
                let (module, canonical) = self.locate(&path, &mut Vec::new());
                let module = module.map(|at| &self.modules[at]);
                let item = module
                    .zip(canonical.last())
                    .and_then(|(module, name)| module.items.get(name));
                item.is_some_and(Item::is_public_function)
            })
    }
}

impl Item {
    fn is_public_function(&self) -> bool {
        self.is_public && self.is_function
    }
}

impl Module {
    /// Whether its path ends with some parts and the others lead to an item in it, or a member.
    fn holds(&self, path: &[&str], rest: &[&str]) -> bool {
        let ends = self.path.len() >= path.len()
            && self
                .path
                .iter()
                .rev()
                .zip(path.iter().rev())
                .all(|(a, b)| a == b);
        ends && match rest {
            [] => !path.is_empty(),
            [name] => self.item(name).is_some(),
            [name, member] => self
                .item(name)
                .is_some_and(|item| item.members.contains(*member)),
            _ => false,
        }
    }

    /// An item, wherever its `impl` blocks are.
    fn item(&self, name: &str) -> Option<&Item> {
        self.items.get(name)
    }
}

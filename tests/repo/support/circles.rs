//! Modules that need each other.
//!
//! An arrow leads from the module that names something to the module that defines it; re-exports
//! are followed. At every level of the tree, the children of one module stand for all that is below
//! them, and no circle may join two of them. A parent and its children know each other: that is how
//! Rust's modules work, and it does not count here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::code::{Crate, Module, Named, NamedPath};

/// How many ties of an arrow are shown.
const SHOWN: usize = 5;

/// One name that ties two modules.
#[derive(Debug, Clone)]
pub struct Tie {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What it names, from the crate.
    pub name: String,
}

/// The arrows between the children of one module, each with what ties them.
pub type Arrows = BTreeMap<(String, String), Vec<Tie>>;

/// Children of one module that all need each other.
#[derive(Debug)]
pub struct Circle {
    /// The module whose children they are.
    pub parent: String,
    /// Their names.
    pub members: BTreeSet<String>,
    /// The arrows among them.
    pub arrows: Arrows,
}

impl Circle {
    /// The circle and its arrows, those first that the fewest names tie.
    pub fn describe(&self) -> String {
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        let mut text = format!("{}: {} need each other", self.parent, members.join(", "));
        let mut arrows: Vec<_> = self.arrows.iter().collect();
        arrows.sort_by_key(|(_, ties)| ties.len());
        for ((from, to), ties) in arrows {
            let _ = write!(text, "\n  {from} -> {to}");
            for tie in ties.iter().take(SHOWN) {
                let _ = write!(text, "\n    {}:{} names {}", tie.file, tie.line, tie.name);
            }
            if ties.len() > SHOWN {
                let _ = write!(text, "\n    and {} more", ties.len() - SHOWN);
            }
        }
        text
    }
}

/// The names of a module's children that are in the program.
pub fn children<'a>(parsed: &'a Crate, parent: &'a [String]) -> BTreeSet<&'a str> {
    let modules = parsed.modules.iter().filter(|module| !module.is_test);
    modules.filter_map(|module| child(module, parent)).collect()
}

/// Which child of a module another one is, or is below.
fn child<'a>(module: &'a Module, parent: &[String]) -> Option<&'a str> {
    let below = module.path.strip_prefix(parent)?;
    below.first().map(String::as_str)
}

/// The arrows between the children of a module.
pub fn arrows(parsed: &Crate, parent: &[String]) -> Arrows {
    let mut arrows = Arrows::new();
    for module in parsed.modules.iter().filter(|module| !module.is_test) {
        let Some(from) = child(module, parent) else {
            continue;
        };
        for mention in &module.mentions {
            let Named::Path(path) = &mention.named else {
                continue;
            };
            let target = path.module.map(|target| &parsed.modules[target]);
            let target = target.filter(|target| !target.is_test);
            let to = target.and_then(|target| child(target, parent));
            if let Some(to) = to.filter(|to| *to != from) {
                let ties = arrows.entry((from.to_owned(), to.to_owned()));
                add(ties.or_default(), module, mention.line, path);
            }
        }
    }
    arrows
}

/// Adds what a file names, once.
fn add(ties: &mut Vec<Tie>, module: &Module, line: usize, path: &NamedPath) {
    let name = path.canonical.join("::");
    let is_known = |tie: &Tie| tie.file == module.file && tie.name == name;
    if !ties.iter().any(is_known) {
        let file = module.file.clone();
        ties.push(Tie { file, line, name });
    }
}

/// Every circle of a crate, at every level.
pub fn circles(parsed: &Crate) -> Vec<Circle> {
    let parents = parsed.modules.iter().filter(|module| !module.is_test);
    parents
        .flat_map(|parent| among_children(parsed, parent))
        .collect()
}

fn among_children(parsed: &Crate, parent: &Module) -> Vec<Circle> {
    let arrows = arrows(parsed, &parent.path);
    let mut circles: Vec<Circle> = Vec::new();
    for name in children(parsed, &parent.path) {
        let is_known = |circle: &Circle| circle.members.contains(name);
        if circles.iter().any(is_known) {
            continue;
        }
        let reached = reached(&arrows, name);
        let members: BTreeSet<String> = reached
            .iter()
            .filter(|other| self::reached(&arrows, other).contains(name))
            .cloned()
            .collect();
        if !members.is_empty() {
            let inside =
                |(from, to): &(String, String)| members.contains(from) && members.contains(to);
            let arrows = arrows.clone().into_iter();
            circles.push(Circle {
                parent: parent.name(),
                arrows: arrows.filter(|(arrow, _)| inside(arrow)).collect(),
                members,
            });
        }
    }
    circles
}

/// Where the arrows lead from a child, over any number of them.
fn reached(arrows: &Arrows, start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(at) = open.pop() {
        for (_, to) in arrows.keys().filter(|(from, _)| *from == at) {
            if reached.insert(to.clone()) {
                open.push(to.clone());
            }
        }
    }
    reached
}

//! Who may name what, as data, and what breaks it.

use crate::code::{Crate, Module, Named, NamedPath};

/// Something that code can name.
#[derive(Debug, Clone, Copy)]
pub enum Thing {
    /// An item, a module or a crate, and all below it: `std::fs`, `cli::git`.
    Path(&'static str),
    /// The end or the middle of a path: `Timestamp::now`, whoever re-exports the type.
    Call(&'static str),
    /// A method or a field, called on a value or named by a path: `expose`; also `await`.
    Member(&'static str),
    /// A macro, however its path is written: `println`.
    Macro(&'static str),
    /// A part of a string literal.
    Text(&'static str),
}

/// What modules must not name.
#[derive(Debug)]
pub struct Rule {
    /// The modules that the rule is for, each with all below it.
    pub within: &'static [&'static str],
    /// What they must not name.
    pub named: &'static [Thing],
    /// The modules among them, each with all below it, that may name it, and do.
    pub only: &'static [&'static str],
    /// Why, as the failure says it.
    pub why: &'static str,
}

/// A line that names what it must not.
#[derive(Debug)]
pub struct Breach {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What it names.
    pub what: String,
}

impl Rule {
    /// The folder of the crate that the rule is for.
    pub fn folder(&self) -> &'static str {
        let first = self.within[0];
        first.split("::").next().unwrap_or(first)
    }

    /// Every line that breaks the rule.
    pub fn breaches(&self, parsed: &Crate) -> Vec<Breach> {
        let within = self.within.iter().flat_map(|path| parsed.below(path));
        within
            .filter(|module| !self.only.iter().any(|path| module.is_below(path)))
            .flat_map(|module| self.named_in(module))
            .collect()
    }

    /// What shows that the rule itself looks at nothing: a module that is gone, or one that has a
    /// permission it does not use.
    pub fn blind_spots(&self, parsed: &Crate) -> Vec<String> {
        let gone = self.within.iter().chain(self.only);
        let gone = gone.filter(|path| parsed.below(path).next().is_none());
        let gone = gone.map(|path| format!("there is no module {path}"));
        let unused = self.only.iter().filter(|path| {
            let mut named = parsed.below(path).flat_map(|module| self.named_in(module));
            named.next().is_none()
        });
        let unused = unused.map(|path| format!("{path} does not name any of {:?}", self.named));
        gone.chain(unused).collect()
    }

    fn named_in(&self, module: &Module) -> Vec<Breach> {
        let named = module.mentions.iter().filter_map(|mention| {
            let what = self.named.iter().find_map(|thing| thing.is(&mention.named));
            Some(Breach {
                file: module.file.clone(),
                line: mention.line,
                what: what?,
            })
        });
        named.collect()
    }
}

impl Thing {
    /// What a mention names, when it names this.
    fn is(&self, named: &Named) -> Option<String> {
        match (self, named) {
            (Self::Path(thing), Named::Path(path)) => {
                is_or_brings(path, thing).then(|| path.written.join("::"))
            }
            (Self::Call(thing), Named::Path(path)) => {
                let parts: Vec<&str> = thing.split("::").collect();
                let windows = path.absolute.windows(parts.len());
                let mut windows = windows.chain(path.canonical.windows(parts.len()));
                windows
                    .any(|window| window.iter().eq(parts.iter().copied()))
                    .then(|| path.written.join("::"))
            }
            (Self::Member(thing), Named::Member(name)) => {
                (name == thing).then(|| format!(".{name}"))
            }
            (Self::Member(thing), Named::Path(path)) => {
                let is_last =
                    path.written.len() > 1 && path.written.last().is_some_and(|name| name == thing);
                is_last.then(|| path.written.join("::"))
            }
            (Self::Macro(thing), Named::Macro(name)) => (name == thing).then(|| format!("{name}!")),
            (Self::Text(thing), Named::Text(text)) => {
                text.contains(thing).then(|| format!("{thing:?}"))
            }
            _ => None,
        }
    }
}

/// Whether a path leads to a thing or below it, or is a glob that brings it.
fn is_or_brings(path: &NamedPath, thing: &str) -> bool {
    let parts: Vec<&str> = thing.split("::").collect();
    // A name alone is a variable, unless an import gives it a meaning.
    if path.absolute.len() == 1 && !path.is_import {
        return false;
    }
    [&path.absolute, &path.canonical].into_iter().any(|found| {
        let begins = found.len() >= parts.len() && found.iter().zip(&parts).all(|(a, b)| a == b);
        let brings = path.is_glob
            && found.len() < parts.len()
            && found.iter().zip(&parts).all(|(a, b)| a == b);
        begins || brings
    })
}

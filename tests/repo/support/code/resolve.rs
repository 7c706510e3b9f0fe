//! From a path as it is written to the item that it names.
//!
//! Local modules, items, imports, their aliases and globs of this crate are followed. What a glob
//! of another crate brings, and what generics or methods stand for, is not known here.

use std::slice;

use super::{Crate, Mention, Module, Named, NamedPath};

/// The imports that are being followed, so that one that names itself ends.
type Followed = Vec<(usize, usize)>;

impl NamedPath {
    pub(super) fn new(written: Vec<String>, import_is_glob: Option<bool>) -> Self {
        Self {
            written,
            absolute: Vec::new(),
            canonical: Vec::new(),
            module: None,
            is_import: import_is_glob.is_some(),
            is_glob: import_is_glob == Some(true),
        }
    }
}

impl Crate {
    pub(super) fn resolve_mentions(&mut self) {
        let resolved: Vec<Vec<Mention>> = (0..self.modules.len())
            .map(|at| self.resolved(at))
            .collect();
        for (module, mentions) in self.modules.iter_mut().zip(resolved) {
            module.mentions = mentions;
        }
    }

    fn resolved(&self, at: usize) -> Vec<Mention> {
        let module = &self.modules[at];
        let imports = module.imports.iter().enumerate().map(|(number, import)| {
            let named = NamedPath::new(import.path.clone(), Some(import.is_glob));
            let followed = &mut vec![(at, number)];
            let absolute = self.absolute(at, &import.path, followed);
            let named = Named::Path(self.located(named, absolute));
            let line = import.line;
            Mention { line, named }
        });
        let rest = module.mentions.iter().cloned().map(|mut mention| {
            if let Named::Path(named) = mention.named {
                let absolute = self.absolute(at, &named.written, &mut Vec::new());
                mention.named = Named::Path(self.located(named, absolute));
            }
            mention
        });
        imports.chain(rest).collect()
    }

    fn located(&self, named: NamedPath, absolute: Vec<String>) -> NamedPath {
        let (module, canonical) = self.locate(&absolute, &mut Vec::new());
        NamedPath {
            absolute,
            canonical,
            module,
            ..named
        }
    }

    /// The path from the crate, or from another crate.
    fn absolute(&self, at: usize, written: &[String], followed: &mut Followed) -> Vec<String> {
        let module = &self.modules[at];
        let Some((first, rest)) = written.split_first() else {
            return module.path.clone();
        };
        let mut start = match first.as_str() {
            "crate" => module.root.clone(),
            "self" if !rest.is_empty() => module.path.clone(),
            "super" => parent(&module.path).to_vec(),
            _ => match self.in_scope(at, first, rest.is_empty(), followed) {
                Some(found) => found,
                None if *first == self.name => vec![self.folder.clone()],
                None => return written.to_vec(),
            },
        };
        for name in rest {
            match name.as_str() {
                "super" => drop(start.pop()),
                _ => start.push(name.clone()),
            }
        }
        start
    }

    /// What a bare name means in a module; a module's name cannot stand alone.
    fn in_scope(
        &self,
        at: usize,
        name: &String,
        stands_alone: bool,
        followed: &mut Followed,
    ) -> Option<Vec<String>> {
        let module = &self.modules[at];
        let here = [module.path.as_slice(), slice::from_ref(name)].concat();
        let is_namedem = module.items.get(name).is_some_and(|item| item.is_defined);
        let is_module = self.places.contains_key(&here);
        if (is_namedem && stands_alone) || (is_module && !stands_alone) {
            return Some(here);
        }
        for (number, import) in module.imports.iter().enumerate() {
            let is_named = import.local.as_ref() == Some(name);
            if is_named && !followed.contains(&(at, number)) {
                followed.push((at, number));
                let found = self.absolute(at, &import.path, followed);
                followed.pop();
                return Some(found);
            }
        }
        if is_namedem {
            return Some(here);
        }
        self.through_globs(at, name, stands_alone, followed)
    }

    fn through_globs(
        &self,
        at: usize,
        name: &String,
        stands_alone: bool,
        followed: &mut Followed,
    ) -> Option<Vec<String>> {
        let module = &self.modules[at];
        let globs = module.imports.iter().enumerate();
        for (number, import) in globs.filter(|(_, import)| import.is_glob) {
            if followed.contains(&(at, number)) {
                continue;
            }
            followed.push((at, number));
            let target = self.absolute(at, &import.path, followed);
            let target = self.places.get(&target).copied();
            let found =
                target.and_then(|target| self.in_scope(target, name, stands_alone, followed));
            followed.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The module that defines what an absolute path names, and the path to it there.
    pub(super) fn locate(
        &self,
        absolute: &[String],
        followed: &mut Followed,
    ) -> (Option<usize>, Vec<String>) {
        let root = absolute.get(..1).and_then(|root| self.places.get(root));
        let Some(&(mut at)) = root else {
            return (None, absolute.to_vec());
        };
        for depth in 1..absolute.len() {
            let (name, rest) = (&absolute[depth], &absolute[depth + 1..]);
            let below = self.places.get(&absolute_below(&self.modules[at], name));
            match below {
                Some(&below) if !rest.is_empty() => {
                    at = below;
                    continue;
                }
                _ => {}
            }
            let module = &self.modules[at];
            if module.items.get(name).is_some_and(|item| item.is_defined) {
                let path = [module.path.as_slice(), &absolute[depth..]].concat();
                return (Some(at), path);
            }
            if let Some(found) = self.in_scope_of(at, name, followed) {
                let found = [found.as_slice(), rest].concat();
                return self.locate(&found, followed);
            }
            match below {
                Some(&below) => at = below,
                None => return (Some(at), absolute.to_vec()),
            }
        }
        (Some(at), self.modules[at].path.clone())
    }

    /// What a module imports under a name; only once, since imports can lead in a circle.
    fn in_scope_of(
        &self,
        at: usize,
        name: &String,
        followed: &mut Followed,
    ) -> Option<Vec<String>> {
        let imports = self.modules[at].imports.iter().enumerate();
        for (number, import) in imports {
            let is_named = import.local.as_ref() == Some(name);
            if is_named && !followed.contains(&(at, number)) {
                followed.push((at, number));
                return Some(self.absolute(at, &import.path, &mut vec![(at, number)]));
            }
        }
        let through_globs = (at, usize::MAX);
        if followed.contains(&through_globs) {
            return None;
        }
        followed.push(through_globs);
        let own = absolute_below(&self.modules[at], name);
        let found = self.through_globs(at, name, true, &mut Vec::new());
        found.filter(|found| *found != own)
    }
}

fn absolute_below(module: &Module, name: &String) -> Vec<String> {
    [module.path.as_slice(), slice::from_ref(name)].concat()
}

fn parent(path: &[String]) -> &[String] {
    &path[..path.len() - 1]
}

//! Breaches of each rule in every form that code can take, in memory.

use repo::{
    CRATES,
    code::Crate,
    rules::{Rule, Thing},
};

/// A line of code that names a thing, and the form that it takes.
pub(super) struct Planted {
    pub(super) form: &'static str,
    text: String,
}

/// The forms that a breach can take; in each, the last line is the breach.
pub(super) fn forms(thing: Thing, folder: &str) -> Vec<Planted> {
    let lines = match thing {
        Thing::Path(path) => paths(&path.replacen(&format!("{folder}::"), "crate::", 1)),
        Thing::Call(call) => calls(call),
        Thing::Member(name) => members(name),
        Thing::Macro(name) => vec![
            ("a statement", format!("fn f() {{ {name}!(); }}")),
            ("an expression", format!("fn f() {{ g(std::{name}!(1)); }}")),
            ("a macro", format!("fn f() {{ g!(h({name}!(1))); }}")),
        ],
        Thing::Text(text) => vec![
            ("a constant", format!("const PLANTED: &str = \"{text}\";")),
            ("a macro", format!("fn f() {{ g!(\"{text}{{}}\", 1); }}")),
        ],
    };
    let lines = lines.into_iter();
    lines
        .flat_map(|(form, text)| [(form, text.clone()), ("after tests", after_tests(&text))])
        .map(|(form, text)| Planted { form, text })
        .collect()
}

/// The same line behind what only tests compile, which names it too.
fn after_tests(line: &str) -> String {
    format!("#[cfg(test)]\nmod tests {{\n{line}\n}}\n\n#[cfg(test)]\nuse planted_first;\n{line}")
}

type Lines = Vec<(&'static str, String)>;

fn paths(path: &str) -> Lines {
    let (parent, last) = match path.rsplit_once("::") {
        Some((parent, last)) => (format!("{parent}::"), last),
        None => (String::new(), path),
    };
    vec![
        ("an import", format!("use {path}::planted;")),
        ("an import of itself", format!("use {path};")),
        (
            "a grouped import",
            format!("use {parent}{{other, {last}::{{planted as alias}}}};"),
        ),
        ("an alias", format!("use {path} as alias;")),
        ("a glob", format!("use {path}::*;")),
        (
            "a public import",
            format!("pub(crate) use {path}::planted;"),
        ),
        (
            "an import in a function",
            format!("fn f() {{ use {path}::planted; }}"),
        ),
        ("an inline path", format!("fn f() {{ {path}::planted(); }}")),
        (
            "a type",
            format!("struct Planted(Option<{path}::Planted>);"),
        ),
        ("a bound", format!("fn f<T: {path}::Planted>() {{}}")),
        (
            "an attribute",
            format!("#[derive({path}::Planted)] struct Planted;"),
        ),
        (
            "a macro",
            format!("fn f() {{ g!(\"{{}}\", h({path}::planted())); }}"),
        ),
        (
            "a nested module",
            format!("mod nested {{ fn f() {{ {path}::planted(); }} }}"),
        ),
    ]
}

fn calls(call: &str) -> Lines {
    let (holder, function) = call.rsplit_once("::").unwrap();
    vec![
        (
            "an import",
            format!("use outer::{holder};\nfn f() {{ {call}(); }}"),
        ),
        (
            "a grouped alias",
            format!("use outer::{{other, {holder} as alias}};\nfn f() {{ alias::{function}(); }}"),
        ),
        ("an inline path", format!("fn f() {{ outer::{call}(); }}")),
        (
            "a function as a value",
            format!("fn f() {{ g(outer::{call}); }}"),
        ),
        (
            "a macro",
            format!("fn f() {{ g!(\"{{}}\", outer::{call}()); }}"),
        ),
    ]
}

fn members(name: &str) -> Lines {
    if name == "await" {
        return vec![
            ("an expression", "async fn f() { g().await; }".to_owned()),
            ("a macro", "async fn f() { g!(h().await); }".to_owned()),
        ];
    }
    vec![
        ("a method", format!("fn f() {{ value.{name}(); }}")),
        ("a path", format!("fn f() {{ g(Planted::{name}); }}")),
        (
            "a macro",
            format!("fn f() {{ g!(\"{{}}\", value.{name}()); }}"),
        ),
        (
            "a closure",
            format!("fn f() {{ g(|value| value.{name}()); }}"),
        ),
    ]
}

impl Planted {
    /// The breach's line.
    pub(super) fn line(&self) -> usize {
        self.text.lines().count()
    }

    /// A crate whose only code stands in one module.
    pub(super) fn into_crate(self, module: &str) -> Crate {
        let folder = module.split("::").next().unwrap();
        let name = CRATES.iter().find(|(known, _)| *known == folder).unwrap().1;
        Crate::parse(folder, name, sources(module, self.text))
    }
}

/// Files that lead to one module, whose text is given.
fn sources(module: &str, text: String) -> Vec<(String, String)> {
    let parts: Vec<&str> = module.split("::").collect();
    if let [folder, "main"] = parts[..] {
        return vec![(format!("{folder}/src/main.rs"), text)];
    }
    let (folder, below) = (parts[0], &parts[1..]);
    let file = |depth: usize| match depth {
        0 => format!("{folder}/src/lib.rs"),
        _ => format!("{folder}/src/{}.rs", below[..depth].join("/")),
    };
    let mut sources: Vec<(String, String)> = below
        .iter()
        .enumerate()
        .map(|(depth, name)| (file(depth), format!("mod {name};")))
        .collect();
    sources.push((file(below.len()), text));
    sources
}

/// Where a breach of a rule can stand: in each module that it is for, and below it.
pub(super) fn places(rule: &Rule) -> Vec<String> {
    let below = rule.within.iter().map(|path| format!("{path}::planted"));
    let itself = rule.within.iter().filter(|path| path.contains("::"));
    below.chain(itself.map(ToString::to_string)).collect()
}

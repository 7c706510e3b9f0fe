//! What documents name in backticks is there: files as files, items as items of parsed modules.

use repo::{CRATES, code::Crate};

use crate::markdown::{code_spans, documents, sections};

/// What ARCHITECTURE.md names and this repository does not define.
const FOREIGN: &[(&str, &str)] = &[
    ("Clone", "a trait of Rust"),
    ("Display", "a trait of Rust"),
    ("Serialize", "a trait of serde"),
    ("kubectl apply -k", "a command of Kubernetes"),
    ("sceau.yaml", "a file of the project that uses sceau"),
];

/// Where names of a section are looked up.
struct Names {
    files: Vec<String>,
}

impl Names {
    fn tracked() -> Self {
        Self {
            files: repo::tracked_files(),
        }
    }

    fn is_path(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        let mut files = self.files.iter();
        files.any(|file| file == path || file.starts_with(&folder))
    }

    /// A path from the root, from the section's folder or its sources, or from the sources of the
    /// only crate that has it.
    fn has_path(&self, path: &str, folder: Option<&str>) -> bool {
        let near = folder.into_iter();
        let mut near = near.flat_map(|folder| [format!("{folder}/src/"), format!("{folder}/")]);
        let in_crates = CRATES
            .iter()
            .filter(|(folder, _)| self.is_path(&format!("{folder}/src/{path}")));
        self.is_path(path)
            || near.any(|near| self.is_path(&format!("{near}{path}")))
            || in_crates.count() == 1
    }

    fn is_known(&self, name: &str, folder: Option<&str>) -> bool {
        if is_path(name) {
            return self.has_path(name, folder);
        }
        let parts: Vec<&str> = name.split("::").collect();
        let crates = CRATES.iter().filter(|(known, _)| match folder {
            Some(folder) if parts.len() == 1 && is_crate(folder) => *known == folder,
            _ => true,
        });
        let mut crates = crates.map(|(folder, _)| repo::parsed(folder));
        is_program(name) || crates.any(|parsed| parsed.defines(&parts))
    }
}

fn is_crate(folder: &str) -> bool {
    CRATES.iter().any(|(known, _)| *known == folder)
}

fn is_program(name: &str) -> bool {
    matches!(name, "sealing" | "sceau" | "sceau-controller")
}

fn is_path(name: &str) -> bool {
    let extensions = ["rs", "toml", "md", "yaml", "json", "pem"];
    let is_file = extensions
        .iter()
        .any(|extension| repo::has_extension(name, extension));
    (name.contains('/') || is_file) && !name.contains(' ') && !name.starts_with('/')
}

/// The folder that a heading names first.
fn folder(heading: &str) -> Option<String> {
    let first = code_spans(heading).next()?;
    Some(first.strip_suffix('/')?.to_owned())
}

#[test]
fn files_modules_and_types_that_the_architecture_names_exist() {
    let names = Names::tracked();
    let mut unknown = Vec::new();
    let mut foreign = Vec::new();
    for (heading, prose) in sections(&repo::read("ARCHITECTURE.md")) {
        let folder = folder(&heading);
        for name in code_spans(&prose) {
            let is_foreign = FOREIGN.iter().any(|(known, _)| *known == name);
            match (names.is_known(&name, folder.as_deref()), is_foreign) {
                (true, true) => panic!("`{name}` needs no exception"),
                (false, true) => foreign.push(name),
                (false, false) => unknown.push(format!("`{name}` under {heading:?}")),
                (true, false) => {}
            }
        }
    }
    assert!(unknown.is_empty(), "not there: {}", unknown.join("\n"));
    for (name, why) in FOREIGN {
        let is_named = foreign.iter().any(|known| known == name);
        assert!(is_named, "`{name}` ({why}) is not named any longer");
    }
}

/// Files that guides for contributors and decisions name; what users have is not here.
#[test]
fn files_and_items_that_decisions_and_the_guide_for_contributors_name_exist() {
    let names = Names::tracked();
    let about_code =
        documents().filter(|path| path.starts_with("docs/decisions/") || path == "CONTRIBUTING.md");
    let mut checked = 0;
    for document in about_code {
        let text = repo::read(&document);
        for (_, prose) in sections(&text) {
            let spans = code_spans(&prose);
            for name in spans.filter(|name| is_path(name) || is_ours(name)) {
                let is_foreign = FOREIGN.iter().any(|(known, _)| *known == name);
                let is_known = is_foreign || names.is_known(&name, None);
                assert!(is_known, "{document} names `{name}`");
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "{checked} names were found");
}

fn is_ours(name: &str) -> bool {
    let first = name.split("::").next().unwrap_or_default();
    name.contains("::") && CRATES.iter().any(|(_, known)| *known == first)
}

#[test]
fn words_that_only_occur_in_the_sources_are_not_names() {
    let names = Names::tracked();
    assert!(names.is_known("Plaintext::expose", None));
    assert!(names.is_known("cli/src/", None) && names.is_known("cli/src/lib.rs", None));
    for name in [
        "Plaintext::exposed",
        "plaintext::the",
        "cli/src/li",
        "lib/src.rs",
        "the",
    ] {
        assert!(!names.is_known(name, None), "{name}");
    }
}

#[test]
fn a_name_resolves_through_modules_items_and_members() {
    let files = [
        ("cli/src/lib.rs", "mod a; pub use a::deep::{Thing, f as g};"),
        ("cli/src/a.rs", "pub mod deep;"),
        (
            "cli/src/a/deep.rs",
            "pub struct Thing { field: u8 } impl Thing { fn method(&self) {} } pub fn f() {}",
        ),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let parsed = Crate::parse("cli", "sceau", files);
    for name in [
        "a",
        "a::deep",
        "deep::Thing",
        "Thing::method",
        "sceau::a",
        "sceau::Thing",
        "f",
    ] {
        let parts: Vec<&str> = name.split("::").collect();
        assert!(parsed.defines(&parts), "{name}");
    }
    for name in [
        "b",
        "deep::a",
        "Thing::other",
        "sceau::f",
        "a::Thing::method",
        "other::f",
    ] {
        let parts: Vec<&str> = name.split("::").collect();
        assert!(!parsed.defines(&parts), "{name}");
    }
    assert!(parsed.has_public_function("g") && !parsed.has_public_function("f"));
    assert!(!parsed.has_public_function("Thing"));
}

//! The functions that ARCHITECTURE.md says to read first can be called from outside their crate.

use repo::CRATES;

use crate::markdown::{code_spans, sections};

#[test]
fn the_entry_points_that_the_architecture_names_are_public_functions() {
    let sections = sections(&repo::read("ARCHITECTURE.md"));
    let section = sections
        .iter()
        .find(|(heading, _)| heading == "Entry points");
    let (_, prose) = section.expect("ARCHITECTURE.md has entry points");
    let mut named = Vec::new();
    for name in code_spans(prose) {
        let Some((first, function)) = name.split_once("::") else {
            continue;
        };
        let folder = CRATES.iter().find(|(_, known)| *known == first);
        let (folder, _) = folder.unwrap_or_else(|| panic!("`{name}` is of no crate"));
        let parsed = repo::parsed(folder);
        assert!(
            parsed.has_public_function(function),
            "`{name}` is not a public function"
        );
        named.push(*folder);
    }
    for (folder, _) in CRATES {
        assert!(named.contains(&folder), "{folder} has an entry point");
    }
}

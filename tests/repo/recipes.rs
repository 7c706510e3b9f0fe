//! The recipes of the justfile call what exists.

use std::{fs, os::unix::fs::PermissionsExt as _};

/// Programs that a recipe may call besides those of the repository.
const PROGRAMS: [&str; 2] = ["cargo", "mdbook"];

/// The names of the recipes, and their command lines.
fn recipes() -> (Vec<String>, Vec<String>) {
    let text = repo::read("justfile");
    let lines = || text.lines().filter(|line| !line.starts_with('#'));
    let names = lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split([' ', ':']).next())
        .filter(|name| !name.is_empty());
    let commands = lines().filter_map(|line| line.strip_prefix("    "));
    (
        names.map(str::to_owned).collect(),
        commands.map(str::to_owned).collect(),
    )
}

fn is_executable(path: &str) -> bool {
    let file = fs::metadata(repo::root().join(path));
    file.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether a package of the workspace has this name.
fn is_package(name: &str) -> bool {
    let manifests = repo::tracked_files();
    manifests
        .iter()
        .filter(|path| path.ends_with("Cargo.toml"))
        .any(|path| repo::read(path).contains(&format!("\nname = \"{name}\"\n")))
}

#[test]
fn the_recipes_are_the_six_that_contributing_names() {
    let (names, _) = recipes();
    assert_eq!(names, ["check", "test", "bench", "fuzz", "docs", "crds"]);
    let contributing = repo::read("CONTRIBUTING.md");
    for name in names {
        let call = format!("`just {name}`");
        assert!(contributing.contains(&call), "CONTRIBUTING.md lacks {call}");
    }
}

#[test]
fn every_recipe_calls_what_exists() {
    let (names, commands) = recipes();
    assert!(commands.len() >= names.len(), "each recipe has a command");
    for command in commands {
        let mut words = command.split(' ').skip_while(|word| word.contains('='));
        let program = words.next().unwrap_or_default();
        assert!(
            PROGRAMS.contains(&program) || is_executable(program),
            "`{command}` calls {program}"
        );
        let after_flag = words.skip_while(|word| *word != "-p").nth(1);
        assert!(
            after_flag.is_none_or(is_package),
            "`{command}` names no package of the workspace"
        );
    }
}

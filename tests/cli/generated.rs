//! Generated files are current. `UPDATE=1 cargo test -p sceau --test cli generated` writes them.

use std::path::Path;

#[track_caller]
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{name} is out of date: UPDATE=1 cargo test -p sceau --test cli generated"
    );
}

#[test]
fn docs_cli_md_is_current() {
    check("docs/cli.md", &sceau::reference());
}

#[test]
fn schema_of_the_project_file_is_current() {
    check("schemas/sceau.yaml.json", &sceau::project_file_schema());
}

#[test]
fn schema_of_the_lists_of_rotations_is_current() {
    check("schemas/rotations.json", &sceau::rotations_file_schema());
}

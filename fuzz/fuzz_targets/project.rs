//! A project file, and a file of keys. All commands that need them parse them.
#![no_main]

use std::sync::LazyLock;

use fuzz::Project;
use libfuzzer_sys::fuzz_target;

static PROJECT: LazyLock<Project> = LazyLock::new(Project::create);
const SECRET: &[u8] = include_bytes!("../../tests/vectors/secret.yaml");
const SEALED: &[u8] = include_bytes!("../../tests/vectors/sealed-strict.yaml");

fuzz_target!(|text: &[u8]| {
    PROJECT.write("sceau.yaml", text);
    PROJECT.run("sceau seal --environment prod", SECRET);
    PROJECT.write("keys.yaml", text);
    PROJECT.run("sceau unseal --keys keys.yaml", SEALED);
});

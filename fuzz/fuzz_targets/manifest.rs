//! A manifest on standard input of `sceau seal`, `unseal` and `inspect`, and one that is edited.
//! What seals must unseal, and what `sceau set` adds is all that `sceau unset` takes out.
#![no_main]

use std::sync::LazyLock;

use fuzz::Project;
use libfuzzer_sys::fuzz_target;

static PROJECT: LazyLock<Project> = LazyLock::new(Project::create);

fuzz_target!(|manifest: &[u8]| {
    let unseal = "sceau unseal --keys sealing.pem";
    PROJECT.run("sceau inspect", manifest);
    PROJECT.run(unseal, manifest);
    let (code, sealed) = PROJECT.run("sceau seal --environment prod", manifest);
    if code == 0 {
        let (code, _) = PROJECT.run(unseal, &sealed);
        assert_eq!(code, 0, "what was sealed does not open");
    } else {
        assert!(
            sealed.is_empty(),
            "something was printed before it was complete"
        );
    }
    edit(manifest);
});

/// Adds an item and takes it out again: only white space may differ then.
fn edit(manifest: &[u8]) {
    const ITEM: &str = "FUZZED_ITEM";
    if String::from_utf8_lossy(manifest).contains(ITEM) {
        return;
    }
    PROJECT.write("it.yaml", manifest);
    let (code, _) = PROJECT.run(&format!("sceau set it.yaml {ITEM} --from-stdin"), b"v");
    if code != 0 {
        assert_eq!(
            PROJECT.read("it.yaml"),
            manifest,
            "a refusal changed the file"
        );
        return;
    }
    let (code, _) = PROJECT.run(&format!("sceau unset it.yaml {ITEM}"), b"");
    assert_eq!(code, 0, "what was set cannot be taken out");
    let ink = |text: &[u8]| {
        text.iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ink(&PROJECT.read("it.yaml")),
        ink(manifest),
        "more than the item changed"
    );
}

//! A manifest on standard input of `sceau seal`, `unseal` and `inspect`. `unseal` must accept what
//! `seal` prints.
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
        assert_eq!(code, 0, "a sealed manifest was not unsealed");
    } else {
        assert!(sealed.is_empty(), "an incomplete result was printed");
    }
});

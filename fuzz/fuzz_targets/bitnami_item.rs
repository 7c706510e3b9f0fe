//! An item in the kubeseal format: parsed, and decrypted with a key of the vectors.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealing::{
    KeyRing, SealingKey, SecretRef,
    envelope::bitnami::{Item, Opener, Scope},
    resource::bitnami::SealedSecret,
    unseal_bitnami,
};

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let pem = include_str!("../../tests/vectors/test-2048.key");
    SealingKey::parse_pem(pem)
        .expect("the key is PEM")
        .into_iter()
        .collect()
});

fuzz_target!(|text: &str| {
    let place = SecretRef::parse("myns", "mysecret").expect("both names are good");
    if let Ok(item) = Item::parse(text) {
        let mut opener = Opener::new(&RING, Scope::Strict.label(&place));
        if let Some((plaintext, _)) = opener.open(&item) {
            assert_eq!(plaintext.len(), item.size());
        }
    }
    if let Ok(manifest) = serde_json::from_str::<SealedSecret>(text) {
        drop(unseal_bitnami(&manifest, &place, &RING));
    }
});

//! A native manifest as JSON: parsed, and unsealed with a key of the vectors.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealing::{KeyRing, SealingKey, SecretRef, UnsealError, resource::SealedSecretSpec, unseal};
use serde_json::Value;

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let vectors = include_str!("../../tests/vectors/native-v1.json");
    let vectors: Value = serde_json::from_str(vectors).expect("the vectors are JSON");
    let pem = vectors["keys"]["rsa-2048"]["privateKey"]
        .as_str()
        .expect("the vectors have this key");
    SealingKey::parse_pem(pem)
        .expect("the key is PEM")
        .into_iter()
        .collect()
});

fuzz_target!(|json: &[u8]| {
    let Ok(spec) = serde_json::from_slice::<SealedSecretSpec>(json) else {
        return;
    };
    let place = SecretRef::parse("shop", "api").expect("both names are good");
    match unseal(&spec, &place, &RING) {
        Ok(unsealed) => assert_eq!(unsealed.opened_by.len(), spec.seals.len()),
        Err(UnsealError::NoKeyOpens(_)) => panic!("an error of the other format"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

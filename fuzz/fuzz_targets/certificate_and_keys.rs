//! A PEM text: as a certificate and as private keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealing::{Certificate, SealingKey};

fuzz_target!(|text: &str| {
    if let Ok(certificate) = Certificate::parse_pem(text) {
        assert!((2048..=8192).contains(&certificate.recipient.bits()));
        assert_eq!(certificate.key_id(), certificate.recipient.id());
    }
    if let Ok(keys) = SealingKey::parse_pem(text) {
        assert!(!keys.is_empty());
    }
});

//! The formats and rules that all parts of sceau share.
//!
//! [`seal()`] turns a [`Secret`] into a SealedSecret, and [`unseal()`] turns it back. Both work on
//! values in memory. This crate does no I/O, reads no clock or environment variable, and never
//! logs. Random bytes come from the cryptographic provider only, so no caller can make a seal
//! predictable.
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod certificate;
mod context;
pub mod envelope;
mod fingerprint;
mod item_ref;
mod key_id;
mod key_ring;
mod keys;
mod names;
mod plaintext;
mod primitives;
mod reseal;
pub mod resource;
mod scope;
mod seal;
mod secret;
mod trace;
mod unseal;

pub use certificate::{Certificate, CertificateError, Issue, issue_certificate};
pub use context::Context;
pub use fingerprint::{
    COMPARABLE_BYTES, Fingerprint, FingerprintKey, ParseFingerprintError, is_traceable,
};
pub use item_ref::{ItemRef, ParseItemRefError};
pub use key_id::{KeyId, ParseKeyIdError};
pub use key_ring::KeyRing;
pub use keys::{KeyError, Recipient, SealingKey};
pub use names::{EnvironmentName, ItemName, NameError, NameRule, Namespace, SecretName};
pub use plaintext::Plaintext;
pub use primitives::ProviderError;
pub use reseal::{ResealError, reseal};
pub use scope::{ParseScopeError, Scope};
pub use seal::{SealError, SealRequest, seal, seal_items};
pub use secret::{Secret, SecretRef};
pub use trace::{LARGEST_TRACED, open_traced, seal_traced};
pub use unseal::{Malformed, UnsealError, Unsealed, unseal, unseal_bitnami};

//! Where a word that the glossary replaces is right, because the field uses it for something else.

/// Where a word may stand.
pub(super) enum Place {
    /// In this file.
    In(&'static str),
    /// As a part of this phrase, in lower case, anywhere.
    Phrase(&'static str),
    /// Anywhere: only a reader can tell the two meanings apart.
    Anywhere,
}

/// A word that may be used, where, and why.
pub(super) struct Exception {
    pub(super) word: &'static str,
    pub(super) place: Place,
    pub(super) why: &'static str,
}

use Place::{Anywhere, In, Phrase};

const fn new(word: &'static str, place: Place, why: &'static str) -> Exception {
    Exception { word, place, why }
}

pub(super) const EXCEPTIONS: &[Exception] = &[
    new(
        "additional data",
        In("docs/format.md"),
        "AES-GCM's own term",
    ),
    new(
        "credentials",
        Phrase("credentials of the cluster"),
        "what logs in to an API server",
    ),
    new(
        "duplicate",
        Phrase("duplicate names"),
        "a name twice in one YAML mapping",
    ),
    new(
        "duplicate",
        Phrase("duplicate versions"),
        "a crate twice in one program",
    ),
    new(
        "export",
        Phrase("optionally after `export `"),
        "the word of a shell",
    ),
    new(
        "export",
        Phrase("exported key secrets"),
        "kubectl writes an object to a file",
    ),
    new(
        "export",
        Phrase("-o yaml` exports them"),
        "kubectl writes an object to a file",
    ),
    new("hash", In("docs/format.md"), "the parameter of RFC 8017"),
    new(
        "label",
        Anywhere,
        "a label of Kubernetes; the context's other name looks the same",
    ),
    new(
        "policy",
        Phrase("admission policy"),
        "Kubernetes' ValidatingAdmissionPolicy",
    ),
    new(
        "policy",
        Phrase("admission-policy.yaml"),
        "Kubernetes' ValidatingAdmissionPolicy",
    ),
    new(
        "re-encrypt",
        Phrase("re-encrypted, so nothing"),
        "kubeseal's own term",
    ),
    new(
        "re-encrypt",
        Phrase("kubeseal --re-encrypt"),
        "kubeseal's own flag",
    ),
    new(
        "scan",
        Phrase("secret scan"),
        "a program that looks for plaintext in git",
    ),
    new(
        "scan",
        Phrase("secrets-scan.yaml"),
        "a program that looks for plaintext in git",
    ),
    new("session key", In("docs/format.md"), "kubeseal's own term"),
];

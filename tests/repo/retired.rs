//! Names that were replaced do not come back.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use repo::CRATES;

/// Types and functions, also as a part of a longer name: `Inquiry` in `InquiryStatus`.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("Surroundings", "ClusterStore"),
    ("Mirror", "WatchCache"),
    ("Belonging", "NamespaceMatch"),
    ("KnownEnvironment", "ResolvedEnvironment"),
    ("KeyFact", "KeyWithState"),
    ("KnownKey", "StoredKey"),
    ("Receipt", "WriteResponse"),
    ("Obstacle", "Failure"),
    ("Rival", "OtherHolder"),
    ("OnlyClaims", "NamespaceClaims"),
    ("Whereabouts", "ManifestLocation"),
    ("Inquiry", "ValueReview"),
    ("Inquiries", "ValueReviews"),
    ("ItemPlace", "ItemRef"),
    ("ValuePlace", "ItemRef"),
    ("Investigator", "RequestHandler"),
    ("Answerer", "RequestHandler"),
    ("KeyOrder", "NewKeySpec"),
    ("SealingKeyMade", "SealingKeyGenerated"),
    ("Announcement", "EventMessage"),
    ("Hopeless", "Blocked"),
    ("Clues", "EnvironmentHints"),
    ("Witness", "ClusterEvidence"),
];

/// Fields, labels, roles, resources and flags, in any text file.
const WORDS: &[(&str, &str)] = &[
    ("renewEvery", "renewPeriod"),
    ("renewBefore", "cutoffTime"),
    ("refusedSecretTypes", "deniedSecretTypes"),
    ("sceau-investigator", "sceau-auditor"),
    ("inquiries", "valuereviews"),
    ("Inquiry", "ValueReview"),
    ("Inquiries", "ValueReviews"),
    ("renew_every", "renew_period"),
    ("renew_before", "cutoff_time"),
    ("refused_secret_types", "denied_secret_types"),
    ("ROOM", "CIPHERTEXT_BUDGET"),
];

/// Modules of the crates.
const MODULES: &[(&str, &str)] = &[
    ("editing", "edit"),
    ("heals", "backoff"),
    ("inquiries", "value_review"),
    ("inquiring", "value_review"),
    ("key_secrets", "keys::key_secret"),
    ("offboarding", "offboard"),
    ("received", "store::objects"),
    ("rekeying", "rekey"),
    ("retries", "backoff"),
    ("surroundings", "store"),
    ("watching", "store::watches"),
    ("whereabouts", "location"),
];

/// This page names them all.
const THIS: &str = "tests/repo/retired.rs";

fn text_files() -> impl Iterator<Item = (String, String)> {
    let binary = ["png", "age", "lock"];
    let files = repo::tracked_files().into_iter();
    files
        .filter(|path| path != THIS)
        .filter(move |path| {
            !binary
                .iter()
                .any(|extension| repo::has_extension(path, extension))
        })
        .filter_map(|path| {
            let bytes = std::fs::read(repo::root().join(&path)).ok()?;
            Some((path, String::from_utf8(bytes).ok()?))
        })
}

/// Every identifier of a source file, those of tests and macros too.
fn identifiers(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => identifiers(group.stream(), found),
            TokenTree::Ident(name) => drop(found.insert(name.to_string())),
            _ => {}
        }
    }
}

/// Whether a name is, or has among the words that it is made of, another one.
fn contains(name: &str, retired: &str) -> bool {
    let is_start = |at: usize| {
        let before = name[..at].chars().next_back();
        let first = name[at..].chars().next();
        before.is_none_or(|before| !before.is_alphanumeric())
            || first.is_some_and(char::is_uppercase)
    };
    let is_end = |at: usize| {
        let next = name[at..].chars().next();
        next.is_none_or(|next| !next.is_lowercase())
    };
    let mut found = name.match_indices(retired);
    found.any(|(at, _)| is_start(at) && is_end(at + retired.len()))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|next: char| !next.is_alphanumeric() && next != '-' && next != '_')
}

/// A retired word, and what replaced it.
fn replaced(word: &str) -> Option<&'static (&'static str, &'static str)> {
    WORDS.iter().find(|(retired, _)| word == *retired)
}

#[test]
fn retired_identifiers_are_in_no_source() {
    let mut back = Vec::new();
    let mut files = 0;
    for (path, text) in text_files().filter(|(path, _)| repo::has_extension(path, "rs")) {
        let mut names = BTreeSet::new();
        identifiers(text.parse().unwrap(), &mut names);
        files += 1;
        for (retired, instead) in IDENTIFIERS {
            let mut names = names.iter();
            if let Some(name) = names.find(|name| contains(name, retired)) {
                back.push(format!("{path}: `{name}`: `{retired}` is `{instead}`"));
            }
        }
    }
    assert!(files > 200, "{files} sources were read");
    assert!(back.is_empty(), "{}", back.join("\n"));
}

#[test]
fn retired_fields_labels_roles_and_flags_are_in_no_file() {
    let mut back = Vec::new();
    for (path, text) in text_files() {
        for (at, line) in text.lines().enumerate() {
            if let Some((retired, instead)) = words(line).find_map(replaced) {
                back.push(format!("{path}:{}: `{retired}` is `{instead}`", at + 1));
            }
        }
    }
    assert!(back.is_empty(), "{}", back.join("\n"));
}

#[test]
fn retired_modules_are_in_no_crate() {
    let mut back = Vec::new();
    for (folder, _) in CRATES {
        for module in &repo::parsed(folder).modules {
            let name = module.path.last().map(String::as_str);
            let found = MODULES.iter().find(|(retired, _)| name == Some(*retired));
            if let Some((_, instead)) = found {
                back.push(format!("{} is `{instead}`", module.name()));
            }
        }
    }
    assert!(back.is_empty(), "{}", back.join("\n"));
}

#[test]
fn a_retired_name_is_found_in_longer_ones_and_not_in_other_words() {
    for name in ["Inquiry", "InquiryStatus", "TheInquiry", "an_Inquiry"] {
        assert!(contains(name, "Inquiry"), "{name}");
    }
    for name in ["Inquirying", "inquiry", "Inquire"] {
        assert!(!contains(name, "Inquiry"), "{name}");
    }
    assert!(!contains("disable_keys", "able_keys") && contains("two_able_keys", "able_keys"));
    assert!(
        words("--renewEvery=1, `sceau-investigator`:").any(|word| word == "sceau-investigator")
    );
}

//! Checks of a Secret's type, labels and annotations: Kubernetes would reject them only after the
//! SealedSecret is applied.

use sealing::{ItemName, Secret, SecretName, resource::RESERVED_PREFIX};

use crate::error::{CommandError, Result};

/// Checks a secret. Its names and its items' names are valid by their types. An invalid text is not
/// repeated: it may be a value in the wrong place.
pub(super) fn check(secret: &Secret) -> Result<()> {
    let metadata = &secret.template.metadata;
    if !metadata.labels.keys().all(|name| is_qualified(name)) {
        return Err(bad_name("a label"));
    }
    if !metadata.annotations.keys().all(|name| is_qualified(name)) {
        return Err(bad_name("an annotation"));
    }
    let mut names = metadata.labels.keys().chain(metadata.annotations.keys());
    let reserved = |name: &&String| name.starts_with(RESERVED_PREFIX);
    if let Some(name) = names.find(reserved) {
        return Err(CommandError::user(format!(
            "`{name}`: labels and annotations with {RESERVED_PREFIX} are reserved for the controller"
        )));
    }
    let bad_value = |(_, value): &(&String, &String)| !value.is_empty() && !is_word(value);
    if let Some((name, _)) = metadata.labels.iter().find(bad_value) {
        return Err(CommandError::user(format!(
            "the value of label `{name}` is invalid: use up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit first and last"
        )));
    }
    check_items(secret)
}

fn bad_name(what: &str) -> CommandError {
    CommandError::user(format!(
        "the name of {what} is invalid: use 1 to 63 letters, digits, `-`, `_` and `.`, with a letter or digit first and last, optionally after a domain and `/`"
    ))
}

/// `name` or `example.com/name`. Kubernetes accepts capitals in an annotation's domain.
fn is_qualified(name: &str) -> bool {
    match name.split_once('/') {
        Some((domain, name)) => SecretName::parse(domain.to_lowercase()).is_ok() && is_word(name),
        None => is_word(name),
    }
}

fn is_word(text: &str) -> bool {
    let ends = |at: Option<char>| at.is_some_and(|character| character.is_ascii_alphanumeric());
    let belongs = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    text.len() <= 63
        && text.chars().all(belongs)
        && ends(text.chars().next())
        && ends(text.chars().next_back())
}

/// Checks the items that some types of Secrets require.
fn check_items(secret: &Secret) -> Result<()> {
    let secret_type = secret.template.secret_type();
    let wanted: &[&str] = match secret_type {
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        _ => &[],
    };
    let is_there = |name: &str| {
        secret
            .items
            .keys()
            .map(ItemName::as_str)
            .any(|item| item == name)
    };
    if let Some(missing) = wanted.iter().find(|name| !is_there(name)) {
        return Err(CommandError::user(format!(
            "a Secret of type {secret_type} needs an item `{missing}`"
        )));
    }
    let is_login = secret_type == "kubernetes.io/basic-auth";
    if is_login && !is_there("username") && !is_there("password") {
        return Err(CommandError::user(format!(
            "a Secret of type {secret_type} needs an item `username` or `password`"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_a_domain() {
        let long = "a".repeat(63);
        for good in ["a", "A_b.c-1", "example.com/a", "Example.com/a", &long] {
            assert!(is_qualified(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "", "/a", "a/", "a/b/c", "-a", "a.", "a b", "a=b", "é", "a_b/c", &long,
        ] {
            assert!(!is_qualified(bad), "{bad}");
        }
    }
}

//! Resealing: the same values with a new wrapping.
//!
//! A seal's file key is unwrapped and wrapped for other recipients. Commitment, items and time stay
//! the same, byte for byte. Resealing does not protect values that were already read: rotate those.

use crate::{
    Context, KeyRing, Recipient, SealError, UnsealError,
    envelope::native::ParsedSeal,
    resource::WrappedFileKey,
    seal::{distinct, wrap},
    unseal::unwrap_file_key,
};

/// Why a seal was not resealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResealError {
    /// Its file key could not be unwrapped with a key of the ring in this context.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// Its file key could not be wrapped for the recipients.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Unwraps the file key of `seal` with a key of `ring` and wraps it for `recipients`. It costs one
/// private-key operation. Items are neither needed nor decrypted, so a request may leave them out.
///
/// Returns one wrapped file key for each distinct recipient.
///
/// # Errors
/// [`ResealError::Unseal`] when no key of the ring unwraps the file key, or when the file key does
/// not match the commitment in this context; [`ResealError::Seal`] for no recipient, too many
/// recipients, or a failure of the provider.
pub fn reseal(
    seal: &ParsedSeal,
    context: &Context,
    ring: &KeyRing,
    recipients: &[Recipient],
) -> Result<Vec<WrappedFileKey>, ResealError> {
    let recipients = distinct(recipients)?;
    let (_, file_key, _) = unwrap_file_key(seal, context, ring)?;
    let wrapped = recipients
        .into_iter()
        .map(|it| wrap(it, &file_key, context));
    Ok(wrapped.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::{
        EnvironmentName, ItemName, Plaintext, Scope, SealingKey, SecretRef,
        resource::{Seal, SealedSecretSpec, SecretTemplate},
        seal_items, unseal,
    };

    fn ring(pem: &str) -> KeyRing {
        SealingKey::parse_pem(pem).unwrap().into_iter().collect()
    }

    fn old() -> KeyRing {
        ring(include_str!("../../tests/vectors/test-2048.key"))
    }

    fn new() -> KeyRing {
        ring(include_str!("../../tests/vectors/test-4096.key"))
    }

    fn recipient(ring: &KeyRing) -> Recipient {
        ring.keys().next().unwrap().recipient().clone()
    }

    fn place() -> SecretRef {
        SecretRef::parse("shop", "api").unwrap()
    }

    fn context(namespace: &str) -> Context {
        let environment = EnvironmentName::parse("prod").unwrap();
        Context::new(
            Scope::Strict,
            &environment,
            &SecretRef::parse(namespace, "api").unwrap(),
        )
    }

    fn sealed() -> Seal {
        let items = [(
            ItemName::parse("a").unwrap(),
            Plaintext::new(b"value".to_vec()),
        )];
        seal_items(
            &items.into(),
            &context("shop"),
            &[recipient(&old())],
            Timestamp::UNIX_EPOCH,
        )
        .unwrap()
    }

    fn spec(seal: Seal) -> SealedSecretSpec {
        SealedSecretSpec {
            environment: "prod".to_owned(),
            scope: Scope::Strict,
            seals: vec![seal],
            template: SecretTemplate::default(),
        }
    }

    fn parsed(seal: &Seal) -> ParsedSeal {
        ParsedSeal::parse(1, seal).unwrap()
    }

    #[test]
    fn the_new_key_opens_what_was_resealed_and_nothing_else_of_it_has_changed() {
        let before = sealed();
        let recipients = [recipient(&new())];
        let wrapped = reseal(&parsed(&before), &context("shop"), &old(), &recipients).unwrap();
        let after = Seal {
            recipients: wrapped,
            ..before.clone()
        };
        assert_eq!(after.recipients[0].key_id, recipients[0].id().to_string());
        let opened = unseal(&spec(after), &place(), &new()).unwrap();
        assert_eq!(
            opened.items[&ItemName::parse("a").unwrap()].expose(),
            b"value"
        );
    }

    #[test]
    fn a_seal_without_its_items_is_resealed_the_same_way() {
        let bare = Seal {
            items: BTreeMap::new(),
            ..sealed()
        };
        assert!(
            reseal(
                &parsed(&bare),
                &context("shop"),
                &old(),
                &[recipient(&new())]
            )
            .is_ok()
        );
    }

    #[test]
    fn a_seal_is_resealed_only_where_it_belongs_and_by_whom_can_open_it() {
        let seal = parsed(&sealed());
        let to = [recipient(&new())];
        let refused = |result: Result<_, ResealError>| result.map(|_: Vec<_>| ()).unwrap_err();
        let elsewhere = refused(reseal(&seal, &context("billing"), &old(), &to));
        assert_eq!(elsewhere, ResealError::Unseal(UnsealError::Refused));
        let keyless = refused(reseal(&seal, &context("shop"), &new(), &to));
        assert!(matches!(
            keyless,
            ResealError::Unseal(UnsealError::UnknownSealingKey(_))
        ));
        let other = Seal {
            commitment: commitment_of_another_seal(),
            ..sealed()
        };
        let mixed = refused(reseal(&parsed(&other), &context("shop"), &old(), &to));
        assert_eq!(mixed, ResealError::Unseal(UnsealError::Refused));
    }

    fn commitment_of_another_seal() -> String {
        sealed().commitment
    }
}

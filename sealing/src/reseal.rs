//! Resealing: the same values under a new wrapping.
//!
//! A seal's file key is unwrapped and wrapped for other recipients; commitment, items and time stay
//! byte for byte. It does not make a value safe that somebody has read: only a new value does.

use crate::{
    Context, KeyRing, Recipient, SealError, UnsealError,
    envelope::native::ParsedSeal,
    resource::WrappedFileKey,
    seal::{distinct, wrap},
    unseal::unwrap_file_key,
};

/// A seal that was not resealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResealError {
    /// No key of the ring opens it, or it does not belong where it stands.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// It could not be wrapped for the recipients.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Wraps the file key of a seal for other recipients: one private-key operation, and no item is
/// opened. Needs no items, so that a request may leave them out.
///
/// # Errors
/// [`ResealError::Unseal`] when no key of the ring unwraps the file key or it does not commit to
/// this seal in this context; [`ResealError::Seal`] for too few or too many recipients.
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

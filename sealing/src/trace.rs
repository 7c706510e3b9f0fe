//! A value on its way to the controller in a ValueReview. It is sealed in a context that no
//! SealedSecret has (format.md, *Context*).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    Context, EnvironmentName, ItemName, KeyRing, Plaintext, Recipient, SealError, UnsealError,
    envelope::native::ParsedSeal,
    resource::{Seal, SealedValue},
    seal_items,
    unseal::open_seal,
};

/// Most bytes of a value that can be traced.
pub const LARGEST_TRACED: usize = 64 * 1024;

/// The name of the only item of such a seal.
const VALUE: &str = "value";

/// Seals a value for a ValueReview: one fresh file key, one public-key operation.
///
/// # Errors
/// [`SealError::Provider`] when the cryptographic provider fails.
pub fn seal_traced(
    value: Plaintext,
    environment: &EnvironmentName,
    recipient: &Recipient,
) -> Result<SealedValue, SealError> {
    let name = ItemName::parse(VALUE).expect("it is a valid name");
    let seal = seal_items(
        &BTreeMap::from([(name, value)]),
        &Context::of_trace(environment),
        std::slice::from_ref(recipient),
        Timestamp::UNIX_EPOCH,
    )?;
    Ok(SealedValue {
        commitment: seal.commitment,
        recipients: seal.recipients,
        value: seal.items.into_values().next().unwrap_or_default(),
    })
}

/// Decrypts a value that [`seal_traced`] sealed: one private-key operation.
///
/// # Errors
/// [`UnsealError`]. A seal for any other purpose is [`UnsealError::Refused`].
pub fn open_traced(
    value: &SealedValue,
    environment: &EnvironmentName,
    ring: &KeyRing,
) -> Result<Plaintext, UnsealError> {
    let seal = Seal {
        sealed_at: Timestamp::UNIX_EPOCH.to_string(),
        commitment: value.commitment.clone(),
        recipients: value.recipients.clone(),
        items: [(VALUE.to_owned(), value.value.clone())].into(),
    };
    let seal = ParsedSeal::parse(1, &seal)?;
    let (_, items) = open_seal(&seal, &Context::of_trace(environment), ring)?;
    items.into_values().next().ok_or(UnsealError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scope, SealingKey, SecretRef,
        resource::{SealedSecretSpec, SecretTemplate},
        unseal,
    };

    fn ring() -> KeyRing {
        let pem = include_str!("../../tests/vectors/test-2048.key");
        SealingKey::parse_pem(pem).unwrap().into_iter().collect()
    }

    fn environment(name: &str) -> EnvironmentName {
        EnvironmentName::parse(name).unwrap()
    }

    fn sealed() -> SealedValue {
        let ring = ring();
        let recipient = ring.keys().next().unwrap().recipient();
        let value = Plaintext::new(b"correct horse".to_vec());
        seal_traced(value, &environment("prod"), recipient).unwrap()
    }

    #[test]
    fn a_value_arrives_in_its_environment_and_in_no_other() {
        let opened = open_traced(&sealed(), &environment("prod"), &ring()).unwrap();
        assert_eq!(opened.expose(), b"correct horse");
        for (environment, ring, expected) in [
            (environment("dev"), ring(), "decryption failed"),
            (environment("prod"), KeyRing::default(), "sealed only for"),
        ] {
            let error = open_traced(&sealed(), &environment, &ring).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        let malformed = SealedValue {
            value: "sceau:v1:AA==".to_owned(),
            ..sealed()
        };
        let error = open_traced(&malformed, &environment("prod"), &ring()).unwrap_err();
        assert!(matches!(error, UnsealError::Malformed(_)), "{error}");
    }

    #[test]
    fn each_is_sealed_afresh() {
        assert_ne!(sealed().value, sealed().value);
        assert_ne!(sealed().commitment, sealed().commitment);
    }

    #[test]
    fn neither_opens_as_the_other() {
        let traced = sealed();
        let place = SecretRef::parse("shop", "api").unwrap();
        for scope in Scope::ALL {
            let seal = Seal {
                sealed_at: Timestamp::UNIX_EPOCH.to_string(),
                commitment: traced.commitment.clone(),
                recipients: traced.recipients.clone(),
                items: [(VALUE.to_owned(), traced.value.clone())].into(),
            };
            let spec = SealedSecretSpec {
                environment: "prod".to_owned(),
                scope,
                seals: vec![seal],
                template: SecretTemplate::default(),
            };
            let error = unseal(&spec, &place, &ring()).unwrap_err();
            assert_eq!(error, UnsealError::Refused, "{scope}");
        }

        let ring = ring();
        let recipients = [ring.keys().next().unwrap().recipient().clone()];
        let items = [(
            ItemName::parse(VALUE).unwrap(),
            Plaintext::new(b"correct horse".to_vec()),
        )];
        for scope in Scope::ALL {
            let context = Context::new(scope, &environment("prod"), &place);
            let items = items
                .iter()
                .map(|(name, value)| (name.clone(), Plaintext::new(value.expose().to_vec())));
            let seal = seal_items(
                &items.collect(),
                &context,
                &recipients,
                Timestamp::UNIX_EPOCH,
            );
            let mut seal = seal.unwrap();
            let value = SealedValue {
                commitment: seal.commitment,
                recipients: seal.recipients,
                value: seal.items.remove(VALUE).unwrap(),
            };
            let error = open_traced(&value, &environment("prod"), &ring).unwrap_err();
            assert_eq!(error, UnsealError::Refused, "{scope}");
        }
    }
}

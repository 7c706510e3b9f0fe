use std::sync::LazyLock;

use super::*;
use crate::{
    KeyRing, Malformed, SealingKey, SecretRef, UnsealError,
    envelope::native::{Envelope, MAX_SEALS, ParseError},
    unseal,
};

static KEY: LazyLock<KeyRing> = LazyLock::new(|| {
    let pem = include_str!("../../../tests/vectors/test-2048.key");
    SealingKey::parse_pem(pem).unwrap().into_iter().collect()
});

fn recipient() -> Recipient {
    KEY.keys().next().unwrap().recipient().clone()
}

fn place() -> SecretRef {
    SecretRef::parse("shop", "api").unwrap()
}

fn items(count: usize, bytes: usize) -> BTreeMap<ItemName, Plaintext> {
    (0..count)
        .map(|n| {
            (
                ItemName::parse(format!("item-{n}")).unwrap(),
                Plaintext::new(vec![7; bytes]),
            )
        })
        .collect()
}

fn sealed(
    items: &BTreeMap<ItemName, Plaintext>,
    recipients: &[Recipient],
) -> Result<Seal, SealError> {
    let environment = EnvironmentName::parse("prod").unwrap();
    let context = Context::new(Scope::Strict, &environment, &place());
    seal_items(
        items,
        &context,
        recipients,
        "2026-11-22T10:00:00.123Z".parse().unwrap(),
    )
}

fn manifest(seals: Vec<Seal>) -> SealedSecretSpec {
    SealedSecretSpec {
        environment: "prod".to_owned(),
        scope: Scope::Strict,
        seals,
        template: crate::resource::SecretTemplate::default(),
    }
}

#[test]
fn bounds_of_the_format_are_kept_when_sealing() {
    let one = [recipient()];
    assert!(sealed(&items(1024, 0), &one).is_ok());
    assert_eq!(
        sealed(&items(1025, 0), &one),
        Err(SealError::TooManyItems(1025))
    );
    assert!(sealed(&items(2, 512 * 1024), &one).is_ok());
    assert_eq!(
        sealed(&items(1, MAX_BYTES + 1), &one),
        Err(SealError::TooLarge(MAX_BYTES + 1))
    );
    assert_eq!(sealed(&items(1, 1), &[]), Err(SealError::NoRecipient));
}

#[test]
fn the_same_key_twice_is_one_recipient() {
    let seal = sealed(&items(1, 1), &[recipient(), recipient()]).unwrap();
    assert_eq!(seal.recipients.len(), 1);
}

#[test]
fn sealed_at_is_in_whole_seconds() {
    assert_eq!(
        sealed(&items(1, 1), &[recipient()]).unwrap().sealed_at,
        "2026-11-22T10:00:00Z"
    );
}

#[test]
fn a_manifest_has_at_most_128_seals() {
    let empty = sealed(&items(0, 0), &[recipient()]).unwrap();
    let opened = |count| unseal(&manifest(vec![empty.clone(); count]), &place(), &KEY).map(|_| ());
    let malformed = |seals| {
        Err(UnsealError::Malformed(Malformed::Native(
            ParseError::Seals(seals),
        )))
    };
    assert_eq!(opened(MAX_SEALS), Ok(()));
    assert_eq!(opened(MAX_SEALS + 1), malformed(129));
    assert_eq!(opened(0), malformed(0));
}

#[test]
fn bounds_of_the_format_are_kept_when_parsing() {
    let parse = |seals| Envelope::parse(&manifest(seals)).map(|_| ());
    let good = sealed(&items(1, 1), &[recipient()]).unwrap();

    let mut many_recipients = good.clone();
    many_recipients.recipients = vec![good.recipients[0].clone(); 17];
    assert_eq!(
        parse(vec![many_recipients]),
        Err(ParseError::Recipients {
            seal: 1,
            recipients: 17
        })
    );

    let mut many_items = good.clone();
    let value = good.items["item-0"].clone();
    many_items.items = (0..1025).map(|n| (n.to_string(), value.clone())).collect();
    assert_eq!(
        parse(vec![good.clone(), many_items]),
        Err(ParseError::Items {
            seal: 2,
            items: 1025
        })
    );

    let half = |name: &str| {
        let half = [(
            ItemName::parse(name).unwrap(),
            Plaintext::new(vec![0; MAX_BYTES / 2 + 1]),
        )];
        sealed(&half.into(), &[recipient()]).unwrap()
    };
    assert_eq!(
        parse(vec![half("a"), half("b")]),
        Err(ParseError::Bytes(MAX_BYTES + 2))
    );

    let mut timeless = good;
    timeless.sealed_at = "yesterday".to_owned();
    assert_eq!(parse(vec![timeless]), Err(ParseError::SealedAt { seal: 1 }));
}

#[test]
fn two_acts_of_sealing_have_nothing_in_common() {
    let [one, other] = [(); 2].map(|()| sealed(&items(1, 8), &[recipient()]).unwrap());
    assert_ne!(one.commitment, other.commitment);
    assert_ne!(one.items, other.items);
    assert_ne!(one.recipients, other.recipients);
}

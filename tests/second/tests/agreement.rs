//! Each implementation unseals what the other one seals, and neither does so elsewhere.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use proptest::prelude::*;
use rsa::{RsaPrivateKey, RsaPublicKey};
use sealing::{
    EnvironmentName, FingerprintKey, ItemName, ItemRef, KeyRing, Plaintext, Recipient, Scope,
    SealRequest, SealingKey, Secret, SecretRef, UnsealError,
    envelope::bitnami,
    resource::{SealedSecretSpec, SecretTemplate},
    seal, unseal,
};

type Items = BTreeMap<String, Vec<u8>>;

/// One key pair for both implementations.
struct Pair {
    ring: KeyRing,
    recipient: Recipient,
    private: RsaPrivateKey,
    public: RsaPublicKey,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let pem = include_str!("../../vectors/test-2048.key");
    let key = SealingKey::parse_pem(pem).unwrap().remove(0);
    let private = second::private_key(pem);
    let recipient = key.recipient().clone();
    let mut ring = KeyRing::default();
    ring.insert(Arc::new(key));
    Pair {
        ring,
        recipient,
        public: private.to_public_key(),
        private,
    }
});

fn items() -> impl Strategy<Value = Items> {
    let name = "[-._a-zA-Z0-9]{1,40}";
    prop::collection::btree_map(name, prop::collection::vec(any::<u8>(), 0..200), 0..6)
}

fn label() -> impl Strategy<Value = String> {
    "[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?"
}

fn scope() -> impl Strategy<Value = Scope> {
    prop::sample::select(&Scope::ALL[..])
}

fn secret(place: SecretRef, items: &Items) -> Secret {
    let items = items
        .iter()
        .map(|(name, value)| {
            (
                ItemName::parse(name).unwrap(),
                Plaintext::new(value.clone()),
            )
        })
        .collect();
    Secret {
        place,
        template: SecretTemplate::default(),
        items,
    }
}

fn sealed(place: &SecretRef, environment: &str, scope: Scope, items: &Items) -> SealedSecretSpec {
    let request = SealRequest {
        secret: &secret(place.clone(), items),
        environment: &EnvironmentName::parse(environment).unwrap(),
        scope,
        recipients: std::slice::from_ref(&PAIR.recipient),
        sealed_at: Timestamp::UNIX_EPOCH,
    };
    seal(&request).unwrap().spec
}

fn opened(spec: &SealedSecretSpec, place: &SecretRef) -> Result<Items, UnsealError> {
    let unsealed = unseal(spec, place, &PAIR.ring)?;
    let items = unsealed.items.iter();
    Ok(items
        .map(|(name, value)| (name.to_string(), value.expose().to_vec()))
        .collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_sealing_seals_both_open(
        items in items(), environment in label(), scope in scope(),
        namespace in label(), name in label(),
    ) {
        let place = SecretRef::parse(&namespace, &name).unwrap();
        let spec = sealed(&place, &environment, scope, &items);
        let json = serde_json::to_value(&spec).unwrap();
        let ring = std::slice::from_ref(&PAIR.private);
        prop_assert_eq!(second::native::open(&json, &namespace, &name, ring), Ok(items.clone()));
        prop_assert_eq!(opened(&spec, &place), Ok(items));
    }

    #[test]
    fn what_the_second_implementation_seals_sealing_opens(
        items in items(), environment in label(), scope in scope(),
        namespace in label(), name in label(),
    ) {
        let recipients = std::slice::from_ref(&PAIR.public);
        let spec = second::native::seal(
            &items, (&environment, scope.as_str()), (&namespace, &name), recipients,
        );
        let spec: SealedSecretSpec = serde_json::from_value(spec).unwrap();
        prop_assert_eq!(opened(&spec, &SecretRef::parse(&namespace, &name).unwrap()), Ok(items));
    }

    #[test]
    fn a_seal_opens_only_as_far_as_its_scope_reaches(
        items in items(), scope in scope(), other in label(),
    ) {
        prop_assume!(other != "shop" && other != "api" && other != "prod");
        let place = SecretRef::parse("shop", "api").unwrap();
        let spec = sealed(&place, "prod", scope, &items);
        let elsewhere = |namespace, name| opened(&spec, &SecretRef::parse(namespace, name).unwrap()).is_ok();
        prop_assert_eq!(elsewhere("shop", &other), scope != Scope::Strict);
        prop_assert_eq!(elsewhere(&other, "api"), scope == Scope::EnvironmentWide);
        let moved = SealedSecretSpec { environment: other, ..spec };
        prop_assert_eq!(opened(&moved, &place), Err(UnsealError::Refused));
    }

    #[test]
    fn one_changed_bit_is_refused(
        value in prop::collection::vec(any::<u8>(), 0..64), seed in any::<prop::sample::Index>(),
    ) {
        let place = SecretRef::parse("shop", "api").unwrap();
        let items = Items::from([("item".to_owned(), value)]);
        let spec = sealed(&place, "prod", Scope::Strict, &items);
        let changed = with_one_bit_changed(spec, seed);
        prop_assert!(opened(&changed, &place).is_err());
    }

    #[test]
    fn items_of_the_original_go_both_ways(
        value in prop::collection::vec(any::<u8>(), 0..200), namespace in label(), name in label(),
    ) {
        let place = SecretRef::parse(&namespace, &name).unwrap();
        for scope in [bitnami::Scope::Strict, bitnami::Scope::NamespaceWide, bitnami::Scope::ClusterWide] {
            let label = scope.label(&place);
            let text = match scope {
                bitnami::Scope::Strict => format!("{namespace}/{name}"),
                bitnami::Scope::NamespaceWide => namespace.clone(),
                bitnami::Scope::ClusterWide => String::new(),
            };
            let ours = bitnami::seal_item(&PAIR.recipient, &label, &Plaintext::new(value.clone())).unwrap();
            prop_assert_eq!(second::bitnami::open_item(&ours, &PAIR.private, &text), Ok(value.clone()));
            let theirs = second::bitnami::seal_item(&value, &PAIR.public, &text);
            let item = bitnami::Item::parse(&theirs).unwrap();
            let (opened, _) = bitnami::Opener::new(&PAIR.ring, label).open(&item).unwrap();
            prop_assert_eq!(opened.expose(), value.as_slice());
        }
    }
}

/// Changes one bit of the bytes behind one of the manifest's texts.
fn with_one_bit_changed(mut spec: SealedSecretSpec, seed: prop::sample::Index) -> SealedSecretSpec {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let sealed = &mut spec.seals[0];
    let texts = [
        &mut sealed.commitment,
        &mut sealed.recipients[0].wrapped,
        sealed.items.values_mut().next().unwrap(),
    ];
    let [mut at, text] = [seed.index(usize::MAX), seed.index(3)];
    let text = texts.into_iter().nth(text).unwrap();
    let mut bytes = STANDARD.decode(&text["sceau:v1:".len()..]).unwrap();
    at %= bytes.len() * 8;
    bytes[at / 8] ^= 1 << (at % 8);
    *text = format!("sceau:v1:{}", STANDARD.encode(bytes));
    spec
}

proptest! {
    #[test]
    fn both_make_the_same_fingerprints(
        key in prop::array::uniform32(any::<u8>()),
        value in prop::collection::vec(any::<u8>(), 0..30),
        environment in label(),
        namespace in label(),
    ) {
        let ours = FingerprintKey::from_bytes(&key).unwrap();
        prop_assert_eq!(ours.id(), second::fingerprint::id(&key));
        let at = ItemRef {
            environment: environment.clone(),
            namespace: namespace.clone(),
            name: "api".to_owned(),
            item: "A".to_owned(),
        };
        let ours = ours.of_item(&Plaintext::new(value.clone()), &at);
        let text = ours.map(|it| serde_json::to_value(it).unwrap());
        let theirs = second::fingerprint::of_item(&key, &value, [&environment, &namespace, "api", "A"]);
        prop_assert_eq!(text, theirs.map(Into::into));
    }
}

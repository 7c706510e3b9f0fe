//! What the benchmarks seal and open: secrets of some items, and rings of some RSA-4096 keys.

use std::{collections::BTreeMap, sync::LazyLock, thread};

use jiff::Timestamp;
use sealing::{
    EnvironmentName, ItemName, KeyRing, Plaintext, Recipient, Scope, SealRequest, SealingKey,
    Secret, SecretRef,
    resource::{SealedSecret, SecretTemplate},
};

/// Bytes of each value, as of a token or a password.
const VALUE_BYTES: usize = 40;
const LARGEST_RING: usize = 12;

static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let generate = || SealingKey::generate(4096).and_then(|key| key.to_pem());
    let threads: Vec<_> = (0..LARGEST_RING).map(|_| thread::spawn(generate)).collect();
    let join = |thread: thread::JoinHandle<_>| thread.join().expect("no thread panics");
    threads
        .into_iter()
        .map(|it| join(it).expect("keys can be made").to_string())
        .collect()
});

/// A ring of so many keys, at most 12; whatever its size, what [`recipient`] seals opens.
///
/// # Panics
/// Never: the keys were just made.
pub fn ring(keys: usize) -> KeyRing {
    let parse = |pem: &String| {
        SealingKey::parse_pem(pem)
            .expect("it was just written")
            .remove(0)
    };
    KEYS.iter().take(keys).map(parse).collect()
}

/// The key that everything is sealed to: in a ring of 12 the middle one by id, which is what a
/// reader that must try keys meets on average.
///
/// # Panics
/// Never: a ring of 12 has a middle.
pub fn recipient(ring: &KeyRing) -> Recipient {
    ring.keys()
        .nth(ring.len() / 2)
        .expect("the ring is not empty")
        .recipient()
        .clone()
}

/// Where everything stands.
///
/// # Panics
/// Never: the names are good.
pub fn place() -> SecretRef {
    SecretRef::parse("shop", "api").expect("both names are good")
}

/// A secret of so many items.
///
/// # Panics
/// Never: the names are good.
pub fn secret(items: usize) -> Secret {
    let item = |n| {
        let name = ItemName::parse(format!("ITEM_{n}")).expect("the name is good");
        (name, Plaintext::new(vec![b'x'; VALUE_BYTES]))
    };
    let items: BTreeMap<_, _> = (0..items).map(item).collect();
    Secret {
        place: place(),
        template: SecretTemplate::default(),
        items,
    }
}

/// A secret, sealed in the native format for environment `prod`.
///
/// # Panics
/// Never: the secret is within the format's bounds.
pub fn seal(secret: &Secret, recipients: &[Recipient]) -> SealedSecret {
    let environment = EnvironmentName::parse("prod").expect("the name is good");
    let request = SealRequest {
        secret,
        environment: &environment,
        scope: Scope::Strict,
        recipients,
        sealed_at: Timestamp::UNIX_EPOCH,
    };
    sealing::seal(&request).expect("it is within the format's bounds")
}

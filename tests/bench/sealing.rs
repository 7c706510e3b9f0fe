//! Sealing and unsealing one manifest, the native format beside the original's:
//! `cargo bench -p bench --bench sealing`.

use bench::{place, recipient, ring, seal, secret};
use divan::{Bencher, black_box};
use sealing::{
    Recipient, Secret,
    envelope::bitnami::{Label, Scope, seal_item},
    resource::bitnami::{Metadata, SealedSecret, Spec},
    unseal, unseal_bitnami,
};

const ITEMS: [usize; 3] = [1, 5, 50];
const RINGS: [usize; 2] = [1, 12];

fn main() {
    divan::main();
}

#[divan::bench(args = ITEMS)]
fn seal_native(bencher: Bencher<'_, '_>, items: usize) {
    let (secret, recipients) = (secret(items), [recipient(&ring(1))]);
    bencher.bench(|| seal(black_box(&secret), &recipients));
}

#[divan::bench(args = ITEMS)]
fn seal_original(bencher: Bencher<'_, '_>, items: usize) {
    let (secret, recipient) = (secret(items), recipient(&ring(1)));
    bencher.bench(|| seal_bitnami(black_box(&secret), &recipient));
}

#[divan::bench(args = ITEMS, consts = RINGS)]
fn unseal_native<const KEYS: usize>(bencher: Bencher<'_, '_>, items: usize) {
    let ring = ring(KEYS);
    let sealed = seal(&secret(items), &[recipient(&ring)]);
    bencher.bench(|| unseal(black_box(&sealed.spec), &place(), &ring).expect("it opens"));
}

#[divan::bench(args = ITEMS, consts = RINGS)]
fn unseal_original<const KEYS: usize>(bencher: Bencher<'_, '_>, items: usize) {
    let ring = ring(KEYS);
    let sealed = seal_bitnami(&secret(items), &recipient(&ring));
    bencher.bench(|| unseal_bitnami(black_box(&sealed), &place(), &ring).expect("it opens"));
}

fn seal_bitnami(secret: &Secret, recipient: &Recipient) -> SealedSecret {
    let label: Label = Scope::Strict.label(&secret.place);
    let seal = |plaintext| seal_item(recipient, &label, plaintext).expect("the provider works");
    let items = secret
        .items
        .iter()
        .map(|(name, it)| (name.to_string(), seal(it).into()));
    SealedSecret {
        metadata: Metadata::default(),
        spec: Spec {
            encrypted_data: Some(items.collect()),
            data: None,
            template: None,
        },
    }
}

//! How many SealedSecrets need a sealing key, in the Environment's status and by a count of the
//! test's own: from the manifests that kubectl shows, by the rule of docs/format.md.

use std::collections::{BTreeMap, BTreeSet};

use cluster::wait::{SOON, until};
use jiff::Timestamp;
use kube::api::DeleteParams;
use sealing::resource::SealedSecret;
use sealing::{Context, ItemName, Plaintext, Recipient, Scope, SealingKey, SecretRef, seal_items};
use serde_json::{Value, json};

use crate::resealing::re_key;
use crate::sealed::{self, Sealer};

/// The elements of a list; none if it is not a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn read(sealer: &Sealer<'_>, what: &[&str]) -> Value {
    let admin = cluster::Cluster::shared().await.admin();
    let here = ["--namespace", sealer.namespace.name(), "--output=json"];
    let arguments = [&["get"], what, &here].concat();
    let shown = admin.kubectl(&arguments).await.succeeded();
    serde_json::from_str(&shown).expect("kubectl prints JSON")
}

/// The Environment's keys by id: whether they are usable, and the number in the status.
async fn reported(sealer: &Sealer<'_>) -> BTreeMap<String, (bool, u64)> {
    let environment = read(sealer, &["environment", sealer.namespace.name()]).await;
    let keys = list(&environment["status"]["sealingKeys"]).iter();
    keys.map(|reported| {
        let count = reported["sealedSecrets"].as_u64().expect("it is a number");
        (
            text(&reported["keyId"]),
            (reported["state"] != "Revoked", count),
        )
    })
    .collect()
}

/// The keys that a SealedSecret needs: of each seal, the first recipient whose key is usable, or
/// all of them if none is.
fn needed(object: &Value, ring: &BTreeSet<String>) -> BTreeSet<String> {
    let seals = list(&object["spec"]["seals"]).iter();
    let needed = seals.flat_map(|seal| {
        let recipients = list(&seal["recipients"]).iter();
        let ids: Vec<String> = recipients.map(|it| text(&it["keyId"])).collect();
        let opening = ids.iter().find(|id| ring.contains(*id)).cloned();
        opening.map_or(ids, |id| vec![id])
    });
    needed.collect()
}

/// Waits until the Environment's status has the counts of this test and this many usable keys, and
/// returns the counts.
async fn until_agreed(sealer: &Sealer<'_>, opening: usize) -> BTreeMap<String, u64> {
    until("both counts are the same", SOON, async || {
        let reported = reported(sealer).await;
        let ring = reported.iter().filter(|(_, (opens, _))| *opens);
        let ring: BTreeSet<String> = ring.map(|(id, _)| id.clone()).collect();
        let mut counted: BTreeMap<String, u64> =
            reported.keys().map(|id| (id.clone(), 0)).collect();
        let objects = read(sealer, &["sealedsecrets"]).await;
        for id in list(&objects["items"])
            .iter()
            .flat_map(|object| needed(object, &ring))
        {
            counted.entry(id).and_modify(|count| *count += 1);
        }
        let reported: BTreeMap<String, u64> =
            reported.into_iter().map(|(id, (_, it))| (id, it)).collect();
        if reported == counted && ring.len() == opening {
            Ok(reported)
        } else {
            Err(format!(
                "reported {reported:?}, counted {counted:?}, with {ring:?}"
            ))
        }
    })
    .await
}

/// A SealedSecret with a seal for each of these lists of recipients.
fn object(sealer: &Sealer<'_>, name: &str, scope: Scope, seals: &[&[Recipient]]) -> SealedSecret {
    let place = SecretRef::parse(sealer.namespace.name(), name).expect("tests use good names");
    let context = Context::new(scope, &sealer.environment, &place);
    let mut object = sealer.seal(name, &[]);
    object.spec.scope = scope;
    let made = seals.iter().enumerate().map(|(number, recipients)| {
        let item = ItemName::parse(format!("ITEM_{number}")).expect("tests use good names");
        let items = [(item, Plaintext::new(b"1".to_vec()))].into();
        seal_items(&items, &context, recipients, Timestamp::now())
            .expect("tests stay within the bounds")
    });
    object.spec.seals = made.collect();
    object
}

const COUNT: usize = 40;

/// Applies SealedSecrets of one to three seals, for each of the keys and for several, for an
/// unknown key, in all scopes, and some that are damaged.
async fn apply_mixture(sealer: &Sealer<'_>, [one, two, three]: [&Recipient; 3]) {
    let foreign = SealingKey::generate(2048).expect("it can be made");
    let foreign = foreign.recipient();
    let recipients = [
        vec![one],
        vec![two],
        vec![three],
        vec![one, two],
        vec![two, one, three],
        vec![foreign, three],
        vec![foreign, two],
        vec![foreign],
    ];
    let recipients = recipients.map(|list| list.into_iter().cloned().collect::<Vec<_>>());
    let scopes = [Scope::Strict, Scope::NamespaceWide, Scope::EnvironmentWide];
    for number in 0..COUNT {
        let seals: Vec<&[Recipient]> = (0..=number % 3)
            .map(|seal| (number + 3 * seal + number / 8) % recipients.len())
            .map(|list| recipients[list].as_slice())
            .collect();
        let name = format!("api-{number}");
        let mut object = object(sealer, &name, scopes[number % 3], &seals);
        if number % 10 == 9 {
            // It names keys that would decrypt it.
            object.spec.seals[0].commitment = format!("sceau:v1:{}=", "A".repeat(43));
        }
        sealer.apply(&object).await;
    }
}

#[test]
fn what_keys_open_is_counted_as_anybody_would_count_it() {
    sealed::test(async |_, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        let one = sealer.recipient.clone();
        re_key(&mut sealer).await;
        let two = sealer.recipient.clone();
        re_key(&mut sealer).await;
        apply_mixture(&sealer, [&one, &two, &sealer.recipient]).await;
        let counted = until_agreed(&sealer, 3).await;
        assert!(counted.values().all(|count| *count > 3), "{counted:?}");

        let revoked = json!({"sealingKeys": {"revokedKeyIds": [two.id().to_string()]}});
        sealer.patch_environment(&revoked).await;
        let without = until_agreed(&sealer, 2).await;
        let of_one = one.id().to_string();
        assert!(
            without[&of_one] > counted[&of_one],
            "it takes over what names both"
        );
        assert!(
            without[&two.id().to_string()] > 0,
            "the others wait for values"
        );

        for number in (0..COUNT).step_by(4) {
            let name = format!("api-{number}");
            let deleted = sealer.sealed_secrets();
            let deleted = deleted.delete(&name, &DeleteParams::default()).await;
            deleted.expect("it is there");
        }
        sealer.unseal("api-1", &[("A", b"1")]).await;
        let fewer = until_agreed(&sealer, 2).await;
        assert!(fewer[&of_one] < without[&of_one]);
    });
}

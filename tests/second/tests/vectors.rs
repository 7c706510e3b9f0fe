//! Both implementations unseal the published vectors.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealing::{
    KeyRing, SealingKey, SecretRef, UnsealError,
    resource::{SealedSecretSpec, bitnami},
    unseal, unseal_bitnami,
};
use second::{Reason, private_key};
use serde_json::Value;

type Items = BTreeMap<String, Vec<u8>>;

fn read(name: &str) -> String {
    let path = format!("{}/../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn ring(pem: &str) -> KeyRing {
    SealingKey::parse_pem(pem).unwrap().into_iter().collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn decode(value: &Value) -> Vec<u8> {
    STANDARD.decode(text(value)).unwrap()
}

struct Case<'a> {
    case: &'a Value,
    pems: Vec<&'a str>,
}

impl Case<'_> {
    fn place(&self) -> (&str, &str) {
        (text(&self.case["namespace"]), text(&self.case["name"]))
    }

    fn first(&self) -> Result<Items, &'static str> {
        let (namespace, name) = self.place();
        let place = SecretRef::parse(namespace, name).unwrap();
        let keys = self
            .pems
            .iter()
            .flat_map(|pem| SealingKey::parse_pem(pem).unwrap())
            .collect();
        let spec = serde_json::from_value::<SealedSecretSpec>(self.case["spec"].clone())
            .map_err(|_| "Malformed")?;
        match unseal(&spec, &place, &keys) {
            Ok(unsealed) => Ok(exposed(&unsealed)),
            Err(UnsealError::Malformed(_)) => Err("Malformed"),
            Err(UnsealError::UnknownSealingKey(_)) => Err("UnknownSealingKey"),
            Err(UnsealError::Refused | UnsealError::NoKeyOpens(_)) => Err("Refused"),
        }
    }

    fn second(&self) -> Result<Items, &'static str> {
        let (namespace, name) = self.place();
        let ring: Vec<_> = self.pems.iter().map(|pem| private_key(pem)).collect();
        second::native::open(&self.case["spec"], namespace, name, &ring).map_err(Reason::as_str)
    }

    fn expected(&self) -> Result<Items, &str> {
        if self.case["expect"] == "refused" {
            return Err(text(&self.case["reason"]));
        }
        let items = self.case["items"].as_object().unwrap();
        Ok(items
            .iter()
            .map(|(name, value)| (name.clone(), decode(value)))
            .collect())
    }
}

fn exposed(unsealed: &sealing::Unsealed) -> Items {
    let items = unsealed.items.iter();
    items
        .map(|(name, value)| (name.to_string(), value.expose().to_vec()))
        .collect()
}

#[test]
fn both_implementations_agree_with_every_native_vector() {
    let vectors: Value = serde_json::from_str(&read("native-v1.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 42);
    for case in cases {
        let names = case["keyRing"].as_array().unwrap();
        let pems = names
            .iter()
            .map(|name| text(&vectors["keys"][text(name)]["privateKey"]));
        let case = Case {
            case,
            pems: pems.collect(),
        };
        let title = text(&case.case["title"]);
        assert_eq!(case.first(), case.expected(), "sealing: {title}");
        assert_eq!(case.second(), case.expected(), "second: {title}");
    }
}

#[test]
fn key_ids_of_the_vectors_are_computed() {
    let vectors: Value = serde_json::from_str(&read("native-v1.json")).unwrap();
    for (name, key) in vectors["keys"].as_object().unwrap() {
        let pem = text(&key["privateKey"]);
        let keys = SealingKey::parse_pem(pem).unwrap();
        assert_eq!(keys[0].id().to_string(), text(&key["keyId"]), "{name}");
        let public = private_key(pem).to_public_key();
        assert_eq!(
            second::native::key_id(&public),
            text(&key["keyId"]),
            "{name}"
        );
    }
}

#[test]
fn both_implementations_open_every_item_of_the_original() {
    let vectors: Vec<Value> = serde_json::from_str(&read("bitnami-v1alpha1.json")).unwrap();
    assert_eq!(vectors.len(), 30);
    for (number, vector) in vectors.iter().enumerate() {
        let pem = read(text(&vector["key"]));
        let plaintext = decode(&vector["plaintext_b64"]);
        let item = text(&vector["ciphertext_b64"]);
        let opened =
            second::bitnami::open_item(item, &private_key(&pem), text(&vector["oaep_label"]));
        assert_eq!(opened.as_ref(), Ok(&plaintext), "second: {number}");

        let mut manifest = serde_json::json!({
            "metadata": {"annotations": {}},
            "spec": {"encryptedData": {"item": item}},
        });
        let scope = text(&vector["scope"]);
        if scope != "strict" {
            let annotation = format!("sealedsecrets.bitnami.com/{scope}");
            manifest["metadata"]["annotations"][annotation] = "true".into();
        }
        let manifest: bitnami::SealedSecret = serde_json::from_value(manifest).unwrap();
        let place = SecretRef::parse(text(&vector["namespace"]), text(&vector["name"])).unwrap();
        let unsealed = unseal_bitnami(&manifest, &place, &ring(&pem)).unwrap();
        assert_eq!(exposed(&unsealed)["item"], plaintext, "sealing: {number}");
        if scope == "strict" {
            let elsewhere = SecretRef::parse("elsewhere", text(&vector["name"])).unwrap();
            let refused = unseal_bitnami(&manifest, &elsewhere, &ring(&pem));
            assert!(
                matches!(refused, Err(UnsealError::NoKeyOpens(_))),
                "{number}"
            );
        }
    }
}

#[test]
fn manifests_of_the_original_open_with_the_key_that_made_them() {
    let both = [read("test-2048.key"), read("test-4096.key")].concat();
    let place = SecretRef::parse("myns", "mysecret").unwrap();
    for name in [
        "sealed-strict.json",
        "sealed-template.json",
        "sealed-legacy-v1.json",
    ] {
        let manifest: bitnami::SealedSecret = serde_json::from_str(&read(name)).unwrap();
        let unsealed = unseal_bitnami(&manifest, &place, &ring(&both))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!unsealed.items.is_empty(), "{name}");
        assert_eq!(unsealed.opened_by.len(), 1, "{name}");
    }
}

#[test]
fn certificates_of_the_original_carry_the_keys_beside_them() {
    for bits in [2048, 4096] {
        let certificate =
            sealing::Certificate::parse_pem(&read(&format!("test-{bits}.crt"))).unwrap();
        let keys = SealingKey::parse_pem(&read(&format!("test-{bits}.key"))).unwrap();
        assert_eq!(certificate.key_id(), keys[0].id());
        assert_eq!(certificate.recipient.bits(), bits);
    }
}

//! The real kubeseal: what it seals we open, and what we seal in its format it opens.

use cluster::{programs, tools::Tool};
use interop::{Workplace, vector};
use sealing::{
    Certificate, Plaintext, SecretRef,
    envelope::bitnami::{Scope, seal_item},
};
use serde_json::{Value, json};

const SECRET: &str = r#"{
  "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
  "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}},
  "data": {"binary": "AP/+", "empty": "", "text": "aHVudGVyMg=="}
}"#;

fn workplace() -> Workplace {
    Workplace::empty()
        .with("certificate.pem", &vector("test-4096.crt"))
        .with("sealing.pem", &vector("test-4096.key"))
}

#[test]
fn what_kubeseal_seals_sceau_unseals() {
    cluster::run(async {
        let kubeseal = Tool::Kubeseal.path();
        let sceau = programs::sceau().await;
        for scope in ["strict", "namespace-wide", "cluster-wide"] {
            for format in ["json", "yaml"] {
                let here = workplace();
                let words = format!("--cert certificate.pem --scope {scope} --format {format}");
                let sealed = here.runs(kubeseal, &words, SECRET).await.succeeded();
                let here = here.with("sealed", &sealed);
                let opened = here
                    .runs(sceau, "unseal sealed --keys sealing.pem -o json", "")
                    .await;
                let secret: Value = serde_json::from_str(&opened.succeeded()).unwrap();
                let expected: Value = serde_json::from_str(SECRET).unwrap();
                assert_eq!(secret["data"], expected["data"], "{scope} {format}");
                assert_eq!(secret["type"], "Opaque");
                assert_eq!(secret["metadata"]["labels"], json!({"app": "api"}));
            }
        }
    });
}

#[test]
fn what_is_sealed_in_its_format_kubeseal_opens() {
    cluster::run(async {
        let certificate = Certificate::parse_pem(&vector("test-4096.crt")).unwrap();
        let place = SecretRef::parse("shop", "api").unwrap();
        for (scope, annotation) in [
            (Scope::Strict, None),
            (
                Scope::NamespaceWide,
                Some("sealedsecrets.bitnami.com/namespace-wide"),
            ),
            (
                Scope::ClusterWide,
                Some("sealedsecrets.bitnami.com/cluster-wide"),
            ),
        ] {
            let plaintext = Plaintext::new(vec![0, 255, 254]);
            let label = scope.label(&place);
            let item = seal_item(&certificate.recipient, &label, &plaintext).unwrap();
            let mut manifest = json!({
                "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
                "metadata": {"name": "api", "namespace": "shop", "annotations": {}},
                "spec": {"encryptedData": {"binary": item}},
            });
            if let Some(annotation) = annotation {
                manifest["metadata"]["annotations"][annotation] = "true".into();
            }
            let words = "--recovery-unseal --recovery-private-key sealing.pem";
            let opened = workplace()
                .runs(Tool::Kubeseal.path(), words, &manifest.to_string())
                .await;
            let secret: Value = serde_json::from_str(&opened.succeeded()).unwrap();
            assert_eq!(secret["data"]["binary"], "AP/+", "{}", scope.as_str());
        }
    });
}

#[test]
fn kubeseal_takes_a_certificate_that_sceau_generates() {
    cluster::run(async {
        let sceau = programs::sceau().await;
        let here = Workplace::empty();
        let words = "certificate generate --subject recovery --write-key own.key --write-certificate own.pem";
        let _ = here.runs(sceau, words, "").await.succeeded();
        let sealed = here
            .runs(Tool::Kubeseal.path(), "--cert own.pem", SECRET)
            .await
            .succeeded();
        let here = here.with("sealed.json", &sealed);
        let opened = here
            .runs(sceau, "unseal sealed.json --keys own.key -o json", "")
            .await;
        let secret: Value = serde_json::from_str(&opened.succeeded()).unwrap();
        assert_eq!(secret["data"]["text"], "aHVudGVyMg==");
    });
}

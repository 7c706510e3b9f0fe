//! No value and no file key leaks into requests, status, events, logs, metrics, the API server's
//! audit log, or the output of `sceau`.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use cluster::{Cluster, Controller, Namespace, manifests};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use sealing::resource::ValueReview;
use serde_json::{Value, json};

use crate::fingerprints::fingerprint;
use crate::repository::Repository;
use crate::sealed::{Sealer, environments};
use crate::{requests, resealing, value_reviews};

/// The forms of bytes in a text: raw, in hexadecimal, as a list of numbers, and in base64 at each
/// of the three offsets, without the characters that depend on their neighbours.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut hexadecimal = String::new();
    for byte in bytes {
        write!(hexadecimal, "{byte:02x}").expect("a string takes any text");
    }
    let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    let mut forms = vec![
        bytes.to_vec(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
        numbers.join(", ").into_bytes(),
        numbers.join(",").into_bytes(),
    ];
    for engine in [STANDARD, URL_SAFE] {
        for offset in 0..3 {
            let text = engine.encode([&b"xx"[..offset], bytes].concat());
            forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    forms
}

/// Where one of the forms is in a text.
fn find(text: &[u8], forms: &[Vec<u8>]) -> Option<String> {
    let found = forms.iter().find(|form| {
        let mut windows = text.windows(form.len());
        windows.any(|window| window == form.as_slice())
    });
    found.map(|form| String::from_utf8_lossy(form).into_owned())
}

#[test]
fn what_is_searched_for_would_be_found() {
    let value = b"correct horse battery";
    for text in [
        r#"{"value": "correct horse battery"}"#.to_owned(),
        format!("{value:?}"),
        format!("{value:02x?}").replace(", ", ""),
        STANDARD.encode(value),
        STANDARD.encode(format!("PASSWORD={}", String::from_utf8_lossy(value))),
        URL_SAFE.encode(format!("{{{}}}", String::from_utf8_lossy(value))),
    ] {
        assert!(find(text.as_bytes(), &forms(value)).is_some(), "{text}");
    }
    assert_eq!(find(b"correct battery", &forms(value)), None);
}

#[test]
fn a_value_or_a_file_key_is_seen_nowhere_but_where_it_belongs() {
    const VALUES: [&str; 2] = ["canary-5c7e0c5a9d", "canary-93d10be27f"];
    cluster::run(async {
        let cluster = Cluster::start_audited().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = Controller::named("one")
            .arguments(&["--log-level=trace"])
            .variable("RUST_LOG", "trace")
            .start(&cluster)
            .await;
        controller.until_ready().await;
        let sealer = Sealer::create(&namespace).await;
        meet_every_fate(&sealer, VALUES[0].as_bytes()).await;
        let printed = in_a_repository(&cluster, &sealer, VALUES).await;

        let revoked =
            json!({"sealingKeys": {"revokedKeyIds": [sealer.recipient.id().to_string()]}});
        sealer.patch_environment(&revoked).await;
        sealer.until("done", "RevokedSealingKey").await;
        controller.until_logged("\"message\":\"revoke\"").await;

        let mut secrets: Vec<Vec<u8>> = VALUES.map(|value| value.as_bytes().to_vec()).into();
        secrets.extend(file_keys(&sealer).await);
        secrets.push(fingerprint(&sealer.secret("done").await, "A").into_bytes());
        assert!(secrets.len() > 5, "{}", secrets.len());
        let mut reported = logs(&cluster);
        reported.push(("metrics".to_owned(), controller.metrics().await));
        reported.push(("objects".to_owned(), everything_but_secrets(&sealer).await));
        reported.push(("sceau".to_owned(), printed));
        for (name, text) in reported {
            assert!(text.len() > 100, "{name}: {text}");
            for secret in &secrets {
                assert_eq!(find(text.as_bytes(), &forms(secret)), None, "{name}");
            }
        }
        let secret = serde_json::to_vec(&sealer.secret("done").await).expect("it is JSON");
        let found = find(&secret, &forms(VALUES[0].as_bytes()));
        assert!(found.is_some(), "this is how it would look");
    });
}

/// The logs of all processes of a cluster, with the audit log, which has the requests.
fn logs(cluster: &Cluster) -> Vec<(String, String)> {
    let audit = cluster.api_server.audit();
    for (verb, resource) in [
        ("create", "resealrequests"),
        ("patch", "resealrequests"),
        ("create", "valuereviews"),
        ("patch", "valuereviews"),
        ("patch", "environments"),
        ("patch", "sealedsecrets"),
        ("create", "events"),
    ] {
        let requests = audit.requests(verb, resource);
        let logged = requests
            .iter()
            .any(|request| request["responseObject"].is_object());
        assert!(logged, "{verb} {resource}");
    }
    let directory = cluster.api_server.scratch().directory();
    let files = std::fs::read_dir(directory)
        .expect("it is a directory")
        .flatten();
    let logs = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|it| it == "log"));
    let logs = logs.map(|path| {
        let bytes = std::fs::read(&path).expect("it is a file");
        (
            path.display().to_string(),
            String::from_utf8_lossy(&bytes).into_owned(),
        )
    });
    logs.collect()
}

const MANIFEST: &str = "deploy/api/prod/secret.yaml";

/// Seals, re-keys and rotates values with `sceau`. Returns its output and the manifest.
async fn in_a_repository(cluster: &Cluster, sealer: &Sealer<'_>, values: [&str; 2]) -> String {
    let environment = sealer.environment.as_str();
    let project = format!(
        "environments:\n  {environment}: {{certificates: [prod.pem], paths: [\"deploy/*/prod/**\"]}}\n"
    );
    let repository = Repository::create(cluster.admin(), &project).await;
    let seal = format!(
        "seal --name cli --namespace {} --from-stdin A --write {MANIFEST}",
        sealer.namespace.name()
    );
    let mut printed = String::new();
    for (line, input) in [
        (
            format!("certificate fetch --environment {environment} --yes"),
            "",
        ),
        (seal, values[0]),
        (format!("rekey --environment {environment}"), ""),
        (format!("set {MANIFEST} B --from-stdin"), values[1]),
        (
            format!("rekey --environment {environment} --output json"),
            "",
        ),
        ("reseal".to_owned(), ""),
    ] {
        let finished = repository.run_with_input(&line, input).await;
        printed += &finished.stderr;
        printed += &finished.succeeded();
    }
    let manifest = repository.text(MANIFEST);
    let apply = ["apply", "--filename", "-"];
    let _ = cluster
        .admin()
        .kubectl_with_input(&apply, &manifest)
        .await
        .succeeded();
    let _ = sealer.until("cli", "Unsealed").await;
    sealer
        .until_items(
            "cli",
            &[("A", values[0].as_bytes()), ("B", values[1].as_bytes())],
        )
        .await;
    printed + &manifest
}

/// The file keys of all seals in the namespace that a sealing key decrypts, recovered with the
/// second implementation.
async fn file_keys(sealer: &Sealer<'_>) -> Vec<Vec<u8>> {
    let secrets: Api<Secret> = Api::namespaced(sealer.namespace.client(), manifests::NAMESPACE);
    let ours = format!("sceau.dev/environment={}", sealer.environment);
    let stored = secrets.list(&ListParams::default().labels(&ours)).await;
    let stored = stored.expect("an administrator may").items;
    let pems = stored
        .iter()
        .filter_map(|secret| Some(&secret.data.as_ref()?["tls.key"].0));
    let ring: Vec<_> = pems
        .map(|pem| second::private_key(std::str::from_utf8(pem).expect("PEM is text")))
        .collect();
    let objects = sealer.sealed_secrets().list(&ListParams::default()).await;
    let objects = serde_json::to_value(objects.expect("an administrator may").items);
    let objects: Vec<Value> =
        serde_json::from_value(objects.expect("it is JSON")).expect("it is a list");
    let keys = objects.iter().filter_map(|object| {
        let name = object["metadata"]["name"].as_str()?;
        // A manifest that was moved on purpose is decrypted by no key.
        second::native::file_keys(&object["spec"], sealer.namespace.name(), name, &ring).ok()
    });
    keys.flatten().map(|file_key| file_key.to_vec()).collect()
}

/// A value is unsealed, corrected after drift, resealed, traced, and rejected by the controller and
/// by the API server.
async fn meet_every_fate(sealer: &Sealer<'_>, value: &[u8]) {
    let text = std::str::from_utf8(value).expect("tests use text");
    sealer.unseal("done", &[("A", value)]).await;
    sealer
        .patch_secret(
            "done",
            &json!({"stringData": {"A": format!("not {text}"), "B": text}}),
        )
        .await;
    sealer.until_items("done", &[("A", value)]).await;

    let seals = ["done", "refused"].map(|name| {
        let mut object = sealer.seal("done", &[("A", value)]);
        object.metadata.name = Some(name.to_owned());
        resealing::header(&object)
    });
    resealing::answer(sealer, &seals).await;

    sealer.unseal("twin", &[("A", value)]).await;
    let traced = value_reviews::answer_trace(sealer, text).await;
    assert!(traced.found.len() > 1, "it is found");
    value_reviews::answer(sealer.namespace, &json!({"reuse": {}})).await;

    let mut moved = sealer.seal("elsewhere", &[("A", value)]);
    moved.metadata.name = Some("refused".to_owned());
    sealer.apply(&moved).await;
    sealer.until("refused", "Refused").await;

    let mut invalid = sealer.seal("invalid", &[("A", value)]);
    invalid.spec.template.secret_type = Some("kubernetes.io/dockerconfigjson".to_owned());
    sealer.apply(&invalid).await;
    sealer.until("invalid", "InvalidSecret").await;

    let mut immutable = sealer.seal("immutable", &[("A", b"1")]);
    immutable.spec.template.immutable = Some(true);
    sealer.apply(&immutable).await;
    sealer.until("immutable", "Unsealed").await;
    sealer
        .apply(&sealer.seal("immutable", &[("A", value)]))
        .await;
    sealer.until("immutable", "ImmutableSecret").await;

    sealer
        .create_secret(json!({"metadata": {"name": "foreign"}, "stringData": {"A": text}}))
        .await;
    sealer.apply(&sealer.seal("foreign", &[("A", value)])).await;
    sealer.until("foreign", "SecretExists").await;
}

/// SealedSecrets, ResealRequests, ValueReviews, events and Environments, as the API server keeps them.
async fn everything_but_secrets(sealer: &Sealer<'_>) -> String {
    let all = ListParams::default();
    let objects = sealer
        .sealed_secrets()
        .list(&all)
        .await
        .expect("an administrator may");
    let events: Api<Event> = Api::all(sealer.namespace.client());
    let events = events.list(&all).await.expect("an administrator may");
    let environments = environments(sealer.namespace)
        .list(&all)
        .await
        .expect("an administrator may");
    let requests = resealing::requests(sealer.namespace)
        .list(&all)
        .await
        .expect("an administrator may");
    assert_eq!(requests.items.len(), 1);
    let value_reviews: Api<ValueReview> = requests::requests(sealer.namespace);
    let value_reviews = value_reviews
        .list(&all)
        .await
        .expect("an administrator may");
    assert_eq!(value_reviews.items.len(), 2);
    [
        serde_json::to_string(&value_reviews),
        serde_json::to_string(&objects),
        serde_json::to_string(&requests),
        serde_json::to_string(&events),
        serde_json::to_string(&environments),
    ]
    .map(|text| text.expect("it is JSON"))
    .concat()
}

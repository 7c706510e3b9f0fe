//! ResealRequests: who may create them, their answers, and how long these are kept.

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace, manifests};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use sealing::resource::{
    RequestStatus as _, ResealOutcome, ResealRequest, ResealRequestStatus, ResealResult,
    SealHeader, SealedSecret, WrappedFileKey,
};
use sealing::{EnvironmentName, KeyRing, Scope, SealingKey, SecretRef, unseal};
use serde_json::{Value, json};

use crate::harness::bound;
use crate::requests::{self, audited, code, create, reported};
use crate::sealed::{self, Sealer, certificate, create_environment};

/// The header of a SealedSecret's first seal.
pub(crate) fn header(object: &SealedSecret) -> SealHeader {
    let seal = &object.spec.seals[0];
    SealHeader {
        namespace: object.namespace().expect("it has a namespace"),
        name: object.name_any(),
        scope: object.spec.scope,
        commitment: seal.commitment.clone(),
        recipients: seal.recipients.clone(),
    }
}

pub(crate) fn requests(namespace: &Namespace) -> Api<ResealRequest> {
    requests::requests(namespace)
}

/// Requests these seals to be resealed, and waits for the answer.
pub(crate) async fn answer(sealer: &Sealer<'_>, seals: &[SealHeader]) -> ResealRequestStatus {
    let request = request(sealer.environment.as_str(), seals);
    let created = create(&requests(sealer.namespace), &request).await;
    let created = created.expect("the API server takes it");
    until_answered(sealer.namespace, &created.name_any()).await
}

fn request(environment: &str, seals: &[SealHeader]) -> Value {
    json!({
        "apiVersion": "sceau.dev/v1alpha1",
        "kind": "ResealRequest",
        "metadata": {"generateName": "test-"},
        "spec": {"environment": environment, "seals": seals},
    })
}

async fn until_answered(namespace: &Namespace, name: &str) -> ResealRequestStatus {
    requests::until_answered(&requests(namespace), name).await
}

/// Has a new sealing key generated, and seals for it from now on.
pub(crate) async fn re_key(sealer: &mut Sealer<'_>) {
    // `createdAt` is the whole second in which a key was generated.
    let later = Timestamp::now() + SignedDuration::from_secs(1);
    let later = Timestamp::from_second(later.as_second()).expect("it is an instant");
    sealer
        .patch_environment(&json!({"sealingKeys": {"cutoffTime": later.to_string()}}))
        .await;
    until_sealed_to_another(sealer).await;
}

async fn until_sealed_to_another(sealer: &mut Sealer<'_>) {
    let old = sealer.recipient.id();
    let renewed = certificate(sealer.namespace, |found| found.key_id() != old).await;
    sealer.recipient = renewed.recipient;
}

/// A ring with only the active key.
async fn ring(sealer: &Sealer<'_>) -> KeyRing {
    let secrets: Api<Secret> = Api::namespaced(sealer.namespace.client(), manifests::NAMESPACE);
    let ours = format!("sceau.dev/environment={}", sealer.environment);
    let found = secrets.list(&ListParams::default().labels(&ours)).await;
    found
        .expect("an administrator may")
        .iter()
        .filter_map(|secret| {
            let pem = &secret.data.as_ref()?["tls.key"].0;
            let pem = std::str::from_utf8(pem).expect("PEM is text");
            SealingKey::parse_pem(pem).expect("it is a key").pop()
        })
        .filter(|sealing_key| sealing_key.id() == sealer.recipient.id())
        .collect()
}

/// The SealedSecret with the answered recipient in place of its own.
fn resealed(object: &SealedSecret, outcome: &ResealOutcome) -> SealedSecret {
    let mut object = object.clone();
    object.spec.seals[0].recipients = outcome.recipient.iter().cloned().collect();
    object
}

fn results(status: &ResealRequestStatus) -> Vec<ResealResult> {
    status.seals.iter().map(|outcome| outcome.result).collect()
}

#[test]
fn three_hundred_seals_are_wrapped_for_the_active_key_which_opens_them() {
    sealed::test(async |cluster, sealer| {
        const COUNT: usize = 300;
        let mut sealer = Sealer::existing(sealer.namespace).await;
        let objects: Vec<_> = (0..COUNT)
            .map(|n| sealer.seal(&format!("api-{n}"), &[("A", n.to_string().as_bytes())]))
            .collect();
        let headers: Vec<_> = objects.iter().map(header).collect();
        re_key(&mut sealer).await;

        let created = request(sealer.environment.as_str(), &headers);
        let created = create(&requests(sealer.namespace), &created).await;
        let name = created.expect("the API server takes it").name_any();
        let status = until_answered(sealer.namespace, &name).await;
        assert_eq!(
            reported(&status),
            "True Answered: 300 of 300 seals resealed"
        );
        let active = ring(&sealer).await;
        for (n, (object, outcome)) in objects.iter().zip(&status.seals).enumerate() {
            let place = SecretRef::parse(sealer.namespace.name(), &format!("api-{n}"));
            let place = place.expect("tests use good names");
            let opened = unseal(&resealed(object, outcome).spec, &place, &active);
            let items = opened.expect("the active key decrypts it").items;
            assert_eq!(
                items.into_values().next().map(|it| it.expose().to_vec()),
                Some(n.to_string().into_bytes())
            );
        }

        let controller = cluster.shared_controller().await;
        let answered = format!("\"request\":\"{name}\",\"outcome\":\"Answered\"");
        controller.until_logged(&answered).await;
        assert_eq!(audited(controller, "reseal", &name).len(), COUNT);
        assert_eq!(audited(controller, "answer", &name).len(), 1);
        let series = "sceau_reseals_total{result=\"Resealed\"}";
        assert!(controller.metric(series).await >= Some(300.0));
    });
}

#[test]
fn a_resealed_manifest_is_unsealed() {
    sealed::test(async |_, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        let object = sealer.unseal("api", &[("A", b"1")]).await;
        re_key(&mut sealer).await;
        let status = answer(&sealer, &[header(&object)]).await;
        let mut object = resealed(&object, &status.seals[0]);
        object.metadata = sealer.seal("api", &[]).metadata;
        object.status = None;
        sealer.apply(&object).await;
        sealer.until_counted(1).await;
        let object = sealer.until("api", "Unsealed").await;
        let opened_by = &object.status.expect("it has a status").seals[0].opened_by;
        assert_eq!(*opened_by, sealer.recipient.id().to_string());
        sealer.until_items("api", &[("A", b"1")]).await;
    });
}

#[test]
fn each_seal_has_an_outcome_of_its_own_and_none_can_be_moved() {
    sealed::test(async |_, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        let old = header(&sealer.seal("old", &[("A", b"1")]));
        let revoked =
            json!({"sealingKeys": {"revokedKeyIds": [sealer.recipient.id().to_string()]}});
        sealer.patch_environment(&revoked).await;
        until_sealed_to_another(&mut sealer).await;
        let unknown = SealingKey::generate(2048).expect("it can be made");

        let other = Sealer {
            environment: EnvironmentName::parse("elsewhere").expect("it is a label"),
            recipient: sealer.recipient.clone(),
            namespace: sealer.namespace,
        };
        let foreign = Sealer {
            recipient: unknown.recipient().clone(),
            environment: sealer.environment.clone(),
            namespace: sealer.namespace,
        };
        let sealed_by = |sealer: &Sealer<'_>| header(&sealer.seal("api", &[("A", b"1")]));
        let cases = [
            (sealed_by(&sealer), ResealResult::Resealed),
            (old, ResealResult::RevokedSealingKey),
            (sealed_by(&other), ResealResult::Refused),
            (sealed_by(&foreign), ResealResult::UnknownSealingKey),
        ];
        let cases = cases.into_iter().chain(moved(|| sealed_by(&sealer)));
        let (headers, expected): (Vec<_>, Vec<_>) = cases.unzip();
        let status = answer(&sealer, &headers).await;
        assert_eq!(reported(&status), "True Answered: 1 of 9 seals resealed");
        assert_eq!(results(&status), expected);
        let active = sealer.recipient.id().to_string();
        for outcome in &status.seals {
            let wrapped_for = outcome.recipient.as_ref().map(|it| it.key_id.as_str());
            let resealed = outcome.result == ResealResult::Resealed;
            assert_eq!(
                wrapped_for,
                resealed.then_some(active.as_str()),
                "{outcome:?}"
            );
            assert_eq!(outcome.message.is_none(), resealed, "{outcome:?}");
        }
    });
}

/// Seals with a namespace, name or scope that they were not sealed for.
fn moved(good: impl Fn() -> SealHeader) -> [(SealHeader, ResealResult); 5] {
    let (namespace, name) = ("billing".to_owned(), "web".to_owned());
    let (scope, commitment) = (Scope::EnvironmentWide, good().commitment);
    let malformed = "no name".to_owned();
    [
        (
            SealHeader {
                namespace,
                ..good()
            },
            ResealResult::Refused,
        ),
        (SealHeader { name, ..good() }, ResealResult::Refused),
        (SealHeader { scope, ..good() }, ResealResult::Refused),
        (
            SealHeader {
                commitment,
                ..good()
            },
            ResealResult::Refused,
        ),
        (
            SealHeader {
                name: malformed,
                ..good()
            },
            ResealResult::Malformed,
        ),
    ]
}

#[test]
fn a_request_for_no_environment_is_answered_with_the_reason() {
    sealed::test(async |_, sealer| {
        let headers = [header(&sealer.seal("api", &[("A", b"1")]))];
        let created = create(&requests(sealer.namespace), &request("nowhere", &headers)).await;
        let name = created.expect("the API server takes it").name_any();
        let status = until_answered(sealer.namespace, &name).await;
        assert_eq!(
            reported(&status),
            "False NoEnvironment: Environment nowhere does not exist"
        );
        assert!(status.seals.is_empty());
    });
}

#[test]
fn the_api_server_refuses_what_is_no_request_and_every_change_of_one() {
    sealed::test(async |_, sealer| {
        let requests = requests(sealer.namespace);
        let one = header(&sealer.seal("api", &[("A", b"1")]));
        let environment = sealer.environment.as_str();
        let unwrapped = SealHeader {
            recipients: Vec::new(),
            ..one.clone()
        };
        let many = vec![one.clone(); 513];
        for seals in [&[][..], &[unwrapped], &many] {
            let refused = create(&requests, &request(environment, seals)).await;
            assert_eq!(code(refused), Some(422), "{} seals", seals.len());
        }

        let created = create(&requests, &request(environment, &[one])).await;
        let name = created.expect("the API server takes it").name_any();
        let patch = Patch::Merge(json!({"spec": {"environment": "other"}}));
        let changed = requests.patch(&name, &PatchParams::default(), &patch).await;
        assert_eq!(code(changed), Some(422));
    });
}

/// Two leaders may have read the same request. This is the result of the second one's write.
#[test]
fn an_answer_is_never_written_over_another() {
    sealed::test(async |_, sealer| {
        let headers = [header(&sealer.seal("api", &[("A", b"1")]))];
        let requests = requests(sealer.namespace);
        let created = create(&requests, &request(sealer.environment.as_str(), &headers)).await;
        let created = created.expect("the API server takes it");
        let answered = until_answered(sealer.namespace, &created.name_any()).await;
        let second = json!({
            "apiVersion": "sceau.dev/v1alpha1",
            "kind": "ResealRequest",
            "metadata": {
                "name": created.name_any(),
                "uid": created.metadata.uid,
                "resourceVersion": created.metadata.resource_version,
            },
            "status": {"observedGeneration": 1},
        });
        let parameters = PatchParams::apply("sceau").force();
        let second = Patch::Apply(&second);
        let written = requests
            .patch_status(&created.name_any(), &parameters, &second)
            .await;
        assert_eq!(code(written), Some(409));
        assert_eq!(
            until_answered(sealer.namespace, &created.name_any()).await,
            answered
        );
    });
}

#[test]
fn whoever_has_the_role_may_ask_and_nobody_else() {
    sealed::test(async |cluster, sealer| {
        let headers = [header(&sealer.seal("api", &[("A", b"1")]))];
        let request = request(sealer.environment.as_str(), &headers);
        let reader = bound(cluster, sealer.namespace, "sceau-environment-reader").await;
        let refused = create::<ResealRequest>(&Api::all(reader.client().await), &request).await;
        assert_eq!(code(refused), Some(403));

        let resealer = bound(cluster, sealer.namespace, "sceau-resealer").await;
        let requests: Api<ResealRequest> = Api::all(resealer.client().await);
        let created = create(&requests, &request).await;
        let name = created.expect("the role allows it").name_any();
        until_answered(sealer.namespace, &name).await;
        let answered = requests.get(&name).await.expect("the role allows it");
        assert_eq!(
            results(&answered.status.unwrap_or_default()),
            [ResealResult::Resealed]
        );
    });
}

/// The largest request: 512 seals, each wrapped for two keys of 4096 bits.
#[test]
fn five_hundred_and_twelve_seals_for_two_large_keys_fit_into_a_request_with_its_answer() {
    cluster::test(async |cluster, namespace| {
        cluster.shared_controller().await;
        create_environment(
            namespace,
            json!({"namespaces": [namespace.name()], "sealingKeys": {"bits": 4096}}),
        )
        .await;
        let sealer = Sealer::existing(namespace).await;
        let seal = header(&sealer.seal("api", &[("A", b"1")]));
        let spare = WrappedFileKey {
            key_id: format!("sha256:{}", "0".repeat(64)),
            ..seal.recipients[0].clone()
        };
        let recipients = vec![seal.recipients[0].clone(), spare];
        let seals = vec![SealHeader { recipients, ..seal }; 512];
        let status = answer(&sealer, &seals).await;
        assert_eq!(
            reported(&status),
            "True Answered: 512 of 512 seals resealed"
        );

        let recipients = vec![seals[0].recipients[1].clone(); 3];
        let seals = vec![
            SealHeader {
                recipients,
                ..seals[0].clone()
            };
            500
        ];
        let status = answer(&sealer, &seals).await;
        assert!(
            reported(&status).starts_with("False TooLarge: "),
            "{}",
            reported(&status)
        );
    });
}

#[test]
fn two_replicas_answer_a_request_once_and_delete_it_after_its_time() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut replicas = Vec::new();
        for name in ["one", "two"] {
            let short = ["--request-ttl=4s"];
            let controller = Controller::named(name).arguments(&short);
            let mut controller = controller.start(&cluster).await;
            controller.until_ready().await;
            replicas.push(controller);
        }
        let sealer = Sealer::create(&namespace).await;
        let headers: Vec<_> = (0..20)
            .map(|n| header(&sealer.seal(&format!("api-{n}"), &[("A", b"1")])))
            .collect();
        let created = request(sealer.environment.as_str(), &headers);
        let created = create(&requests(&namespace), &created).await;
        let name = created.expect("the API server takes it").name_any();
        let status = until_answered(&namespace, &name).await;
        assert_eq!(reported(&status), "True Answered: 20 of 20 seals resealed");

        let answered_at = status
            .complete()
            .expect("it is answered")
            .last_transition_time
            .0;
        until("the request is deleted", SOON, async || {
            match requests(&namespace).get_opt(&name).await {
                Ok(None) => Ok(()),
                found => Err(format!("{:?}", found.map(drop))),
            }
        })
        .await;
        assert!(Timestamp::now() >= answered_at + SignedDuration::from_secs(4));
        for (message, count) in [("reseal", 20), ("answer", 1)] {
            let lines = replicas.iter().map(|it| audited(it, message, &name).len());
            assert_eq!(lines.sum::<usize>(), count, "{message}");
        }
    });
}

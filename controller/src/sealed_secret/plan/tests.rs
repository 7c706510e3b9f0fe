use std::collections::BTreeSet;

use jiff::Timestamp;
use sealing::{
    FingerprintKey, KeyRing,
    resource::{SealStatus, SealedSecretSpec, WrittenSecret},
};
use serde_json::json;

use super::*;
use crate::{
    fingerprint::annotation::Fingerprints,
    fixtures::{KEYS, environment_name, sealed},
    status::conditions::ObjectState,
};

/// A SealedSecret `shop/api` in environment `prod`, which has the first of the fixtures' keys. No
/// Secret exists, and nothing was written before.
fn observed() -> Observed {
    observed_of(api())
}

fn api() -> SealedSecret {
    sealed(0, &[("A", b"hunter2"), ("EMPTY", b"")])
}

fn observed_of(object: SealedSecret) -> Observed {
    Observed {
        object: Arc::new(object.into()),
        status: SealedSecretStatus::default(),
        namespace_match: NamespaceMatch::To(Arc::new(prod())),
        secret: Ok(None),
        fingerprint_key: None,
        now: Timestamp::UNIX_EPOCH,
    }
}

fn prod() -> ResolvedEnvironment {
    let mut ring = KeyRing::default();
    ring.insert(Arc::clone(&KEYS[0]));
    ResolvedEnvironment {
        name: environment_name("prod"),
        spec: serde_json::from_value(json!({})).unwrap(),
        ring,
    }
}

/// A Secret of the right name without an owner.
fn found() -> FoundSecret {
    FoundSecret {
        uid: "uid-of-secret".to_owned(),
        resource_version: "7".to_owned(),
        controller: None,
        may_be_adopted: false,
        is_being_deleted: false,
        fingerprints: None,
        annotations: BTreeMap::new(),
    }
}

const OURS: &str = "sceau.dev/v1alpha1";

fn controlled_by(api_version: &str, kind: &str, name: &str, uid: &str) -> FoundSecret {
    let controller = OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        ..OwnerReference::default()
    };
    FoundSecret {
        controller: Some(controller),
        ..found()
    }
}

/// The same SealedSecret after it was unsealed.
fn unsealed() -> Observed {
    let object_state = ObjectState {
        state: State::Done,
        reason: "Unsealed",
        message: "unsealed 2 items",
        generation: 1,
    };
    Observed {
        status: SealedSecretStatus {
            observed_generation: Some(1),
            conditions: object_state.conditions(&[], Timestamp::UNIX_EPOCH),
            seals: vec![SealStatus {
                opened_by: KEYS[0].id().to_string(),
            }],
            unchanged: Vec::new(),
            compared_since: None,
            secret: Some(WrittenSecret {
                uid: "uid-of-secret".to_owned(),
                resource_version: "7".to_owned(),
            }),
        },
        secret: Ok(Some(controlled_by(
            OURS,
            "SealedSecret",
            "api",
            "uid-of-api",
        ))),
        ..observed()
    }
}

fn changed(mut object: SealedSecret, change: impl FnOnce(&mut SealedSecretSpec)) -> SealedSecret {
    change(&mut object.spec);
    object
}

fn with_environment(change: impl FnOnce(&mut ResolvedEnvironment)) -> Observed {
    let mut environment = prod();
    change(&mut environment);
    Observed {
        namespace_match: NamespaceMatch::To(Arc::new(environment)),
        ..observed()
    }
}

fn with_secret(secret: FoundSecret) -> Observed {
    Observed {
        secret: Ok(Some(secret)),
        ..observed()
    }
}

/// The result of the plan, with its seals decrypted.
fn result(observed: &Observed) -> Result<&'static str, Failure> {
    result_with(observed, api().spec)
}

/// The result of the plan with these seals.
fn result_with(observed: &Observed, spec: SealedSecretSpec) -> Result<&'static str, Failure> {
    match plan(observed) {
        Plan::Leave => Ok("leave"),
        Plan::Report(failure) => Err(failure),
        Plan::Unseal(permitted) => {
            let unsealing = permitted.unsealing(spec)?;
            unsealing.open().map(|_| "write")
        }
    }
}

/// The seals to decrypt.
fn unsealing(object: SealedSecret) -> Unsealing {
    let spec = object.spec.clone();
    let Plan::Unseal(permitted) = plan(&observed_of(object)) else {
        panic!("it is not unsealed");
    };
    permitted.unsealing(spec).unwrap()
}

type Row = (Observed, SealedSecretSpec, Reason, String);

fn row(observed: Observed, reason: Reason, message: &str) -> Row {
    (observed, api().spec, reason, message.to_owned())
}

fn row_of(object: SealedSecret, reason: Reason, message: &str) -> Row {
    let spec = object.spec.clone();
    (observed_of(object), spec, reason, message.to_owned())
}

fn failures() -> Vec<Row> {
    [
        failures_of_environments(),
        failures_of_keys(),
        failures_of_manifests(),
        failures_of_secrets(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn failures_of_environments() -> Vec<Row> {
    let namespace_match = |namespace_match| Observed {
        namespace_match,
        ..observed()
    };
    let both = BTreeSet::from(["dev", "prod"].map(environment_name));
    vec![
        row(
            namespace_match(NamespaceMatch::None),
            Reason::NoEnvironment,
            "no Environment selects namespace shop: add it to one",
        ),
        row(
            namespace_match(NamespaceMatch::Ambiguous(both)),
            Reason::AmbiguousEnvironment,
            "more than one Environment selects namespace shop (dev, prod): keep one of them",
        ),
        row(
            namespace_match(NamespaceMatch::InvalidSpec(environment_name("prod"))),
            Reason::InvalidEnvironment,
            "the spec of Environment prod, which selects namespace shop, is not valid: check its status",
        ),
        row(
            namespace_match(NamespaceMatch::Unknown),
            Reason::Progressing,
            "waiting for the watch to show namespace shop",
        ),
        row(
            with_environment(|environment| environment.name = environment_name("dev")),
            Reason::WrongEnvironment,
            "sealed for environment prod, but namespace shop belongs to dev: seal it for that environment",
        ),
    ]
}

fn failures_of_keys() -> Vec<Row> {
    let id = |index: usize| KEYS[index].id();
    let without_keys =
        |environment: &mut ResolvedEnvironment| environment.ring = KeyRing::default();
    vec![
        row_of(
            sealed(1, &[("A", b"1")]),
            Reason::UnknownSealingKey,
            &format!(
                "sealed only for {}, which environment prod does not have: \
                 seal it again, or restore the key from a backup",
                id(1)
            ),
        ),
        row(
            with_environment(|environment| {
                without_keys(environment);
                environment.spec.sealing_keys.revoked_key_ids = vec![id(0).to_string()];
            }),
            Reason::RevokedSealingKey,
            &format!(
                "sealed only for {}, which environment prod has revoked: seal it again",
                id(0)
            ),
        ),
        row(
            with_environment(without_keys),
            Reason::Progressing,
            "waiting for the first sealing key of environment prod",
        ),
    ]
}

fn failures_of_manifests() -> Vec<Row> {
    let unreadable = ReceivedSealedSecret {
        outline: Err(InvalidSpec),
        ..api().into()
    };
    vec![
        row_of(
            changed(api(), |spec| spec.scope = sealing::Scope::NamespaceWide),
            Reason::Refused,
            "decryption failed: the manifest was modified, or was sealed for another environment, namespace, name or scope",
        ),
        row_of(
            changed(api(), |spec| spec.seals.clear()),
            Reason::Malformed,
            "0 seals: a manifest has 1 to 128",
        ),
        row(
            Observed {
                object: Arc::new(unreadable),
                ..observed()
            },
            Reason::Malformed,
            "the spec does not match this controller's schema: check its fields",
        ),
        row_of(
            too_large(),
            Reason::TooLarge,
            "all values together have 1200000 bytes: a manifest has at most 1048576",
        ),
        row_of(
            changed(api(), |spec| {
                spec.template.secret_type = Some("bootstrap.kubernetes.io/token".to_owned());
            }),
            Reason::DeniedSecretType,
            "environment prod denies Secrets of type bootstrap.kubernetes.io/token: change the type",
        ),
        row_of(
            changed(api(), |spec| {
                set_label(spec, "sceau.dev/sealing-key", "active");
            }),
            Reason::ReservedMetadata,
            "the template sets the label sceau.dev/sealing-key: remove it, labels of sceau.dev/ are reserved for the controller",
        ),
        row_of(
            changed(api(), |spec| {
                let annotations = &mut spec.template.metadata.annotations;
                annotations.insert("sceau.dev/fingerprints".to_owned(), String::new());
            }),
            Reason::ReservedMetadata,
            "the template sets the annotation sceau.dev/fingerprints: remove it, \
             annotations of sceau.dev/ are reserved for the controller",
        ),
    ]
}

fn failures_of_secrets() -> Vec<Row> {
    let adoptable = FoundSecret {
        may_be_adopted: true,
        ..controlled_by("cert-manager.io/v1", "Certificate", "web", "other")
    };
    let failed = Err(Failure::new(Reason::ApiError, "no answer"));
    vec![
        row(
            with_secret(found()),
            Reason::SecretExists,
            "a Secret of this name exists: to adopt it, annotate it with sceau.dev/adopt=true",
        ),
        row(
            with_secret(adoptable),
            Reason::SecretExists,
            "a Secret of this name exists and belongs to Certificate web of cert-manager.io/v1: rename the SealedSecret",
        ),
        row(
            with_secret(controlled_by(
                "bitnami.com/v1alpha1",
                "SealedSecret",
                "api",
                "uid-of-the-bitnami-one",
            )),
            Reason::SecretExists,
            "a Secret of this name exists and belongs to SealedSecret api of bitnami.com: \
             to adopt it, delete that object with \
             `kubectl delete sealedsecrets.bitnami.com api --cascade=orphan`, and then annotate \
             the Secret with sceau.dev/adopt=true",
        ),
        row(
            with_secret(controlled_by(
                OURS,
                "SealedSecret",
                "api",
                "uid-of-an-earlier-one",
            )),
            Reason::Progressing,
            "waiting for the previous SealedSecret's Secret to be garbage-collected",
        ),
        row(
            with_secret(FoundSecret {
                is_being_deleted: true,
                ..found()
            }),
            Reason::Progressing,
            "waiting for the previous Secret to be deleted",
        ),
        row(
            Observed {
                secret: failed,
                ..observed()
            },
            Reason::ApiError,
            "no answer",
        ),
    ]
}

fn set_label(spec: &mut SealedSecretSpec, label: &str, value: &str) {
    let labels = &mut spec.template.metadata.labels;
    labels.insert(label.to_owned(), value.to_owned());
}

/// Two seals that are within the limits each, and exceed them together.
fn too_large() -> SealedSecret {
    let half = vec![b'x'; 600_000];
    let mut object = sealed(0, &[("A", &half)]);
    object
        .spec
        .seals
        .extend(sealed(0, &[("B", &half)]).spec.seals);
    object
}

#[test]
fn every_failure_has_its_reason_and_message() {
    for (observed, spec, reason, message) in failures() {
        let failure = Failure { reason, message };
        assert_eq!(result_with(&observed, spec), Err(failure));
    }
}

#[test]
fn every_reason_is_planned_or_the_answer_to_a_write() {
    let planned: Vec<Reason> = failures()
        .into_iter()
        .map(|(_, _, reason, _)| reason)
        .collect();
    let answers = [
        Reason::Conflict,
        Reason::Forbidden,
        Reason::ImmutableSecret,
        Reason::InvalidSecret,
        Reason::TypeChange,
        Reason::Unsealed,
    ];
    for reason in Reason::ALL {
        assert!(
            planned.contains(&reason) != answers.contains(&reason),
            "{reason}"
        );
    }
}

#[test]
fn a_new_sealed_secret_is_unsealed() {
    let unsealing = unsealing(api());
    assert_eq!(unsealing.keys(), [KEYS[0].id()]);
    let opened = unsealing.open().unwrap();
    assert_eq!(opened.opened_by, [KEYS[0].id()]);
    let secret = opened.secret;
    assert_eq!(secret.precondition, None);
    assert_eq!(
        (secret.owner.name.as_str(), secret.owner.uid.as_str()),
        ("api", "uid-of-api")
    );
    assert_eq!(secret.summary(), "unsealed 2 items");
    insta::assert_snapshot!(secret, @r"
    Secret shop/api, type Opaque
      label app.kubernetes.io/managed-by: sceau
      item A: 7 bytes
      item EMPTY: 0 bytes
    ");
}

#[test]
fn what_is_as_it_was_written_is_left() {
    assert_eq!(result(&unsealed()), Ok("leave"));
}

#[test]
fn a_sealed_secret_that_is_being_deleted_is_left_alone() {
    let mut object = sealed(0, &[("A", b"1")]);
    object.metadata.deletion_timestamp = Some(
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH),
    );
    let observed = Observed {
        namespace_match: NamespaceMatch::None,
        ..observed_of(object)
    };
    assert_eq!(result(&observed), Ok("leave"));
}

#[test]
fn any_change_is_written_over_the_secret_that_was_found() {
    let drifted = FoundSecret {
        resource_version: "8".to_owned(),
        ..unsealed().secret.unwrap().unwrap()
    };
    let mut next_generation = sealed(0, &[("A", b"2")]);
    next_generation.metadata.generation = Some(2);
    let without = |change: fn(&mut SealedSecretStatus)| {
        let mut observed = unsealed();
        change(&mut observed.status);
        observed
    };
    for (what, observed) in [
        (
            "a changed Secret",
            Observed {
                secret: Ok(Some(drifted)),
                ..unsealed()
            },
        ),
        (
            "a new generation",
            Observed {
                object: Arc::new(next_generation.into()),
                ..unsealed()
            },
        ),
        (
            "without the record of the Secret",
            without(|status| status.secret = None),
        ),
        (
            "without conditions",
            without(|status| status.conditions.clear()),
        ),
        (
            "without the record of keys",
            without(|status| status.seals.clear()),
        ),
        (
            "a deleted key that decrypted it",
            without(|status| status.seals[0].opened_by = KEYS[2].id().to_string()),
        ),
    ] {
        let Plan::Unseal(permitted) = plan(&observed) else {
            panic!("{what} is not overwritten");
        };
        assert_eq!(
            permitted.precondition.as_deref(),
            Some("uid-of-secret"),
            "{what}"
        );
        let new = ["a new generation", "without conditions"];
        assert_eq!(permitted.corrects_drift(), !new.contains(&what), "{what}");
    }
}

#[test]
fn a_secret_that_has_gone_is_written_anew() {
    let Plan::Unseal(permitted) = plan(&Observed {
        secret: Ok(None),
        ..unsealed()
    }) else {
        panic!("it is not written");
    };
    assert_eq!(permitted.precondition, None);
}

#[test]
fn our_own_secret_stays_ours_without_owner_and_a_willing_one_is_adopted() {
    let disowned = Observed {
        secret: Ok(Some(FoundSecret {
            resource_version: "8".to_owned(),
            ..found()
        })),
        ..unsealed()
    };
    assert_eq!(result(&disowned), Ok("write"));
    let willing = FoundSecret {
        may_be_adopted: true,
        ..found()
    };
    assert_eq!(result(&with_secret(willing)), Ok("write"));
}

#[test]
fn a_revocation_is_obeyed_although_nothing_else_changed() {
    let mut environment = prod();
    environment.ring = KeyRing::default();
    environment.spec.sealing_keys.revoked_key_ids = vec![KEYS[0].id().to_string()];
    let observed = Observed {
        namespace_match: NamespaceMatch::To(Arc::new(environment)),
        ..unsealed()
    };
    assert_eq!(
        result(&observed).unwrap_err().reason,
        Reason::RevokedSealingKey
    );
}

#[test]
fn the_managed_by_label_is_ours_and_the_message_says_so() {
    let object = changed(sealed(0, &[("A", b"1")]), |spec| {
        set_label(spec, MANAGED_BY_LABEL, "Helm");
    });
    let secret = unsealing(object).open().unwrap().secret;
    assert_eq!(secret.labels()[MANAGED_BY_LABEL], MANAGED_BY);
    assert_eq!(
        secret.summary(),
        "unsealed 1 item; the label app.kubernetes.io/managed-by is sceau, not the template's value"
    );
}

#[test]
fn debug_shows_no_value() {
    assert!(!format!("{:?}", unsealing(api()).open()).contains("hunter2"));
}

/// The plan for an unsealed SealedSecret whose Secret has these fingerprints, with this fingerprint
/// key.
fn fingerprinted(found: Option<Fingerprints>, present: Option<&Arc<FingerprintKey>>) -> Observed {
    let found = FoundSecret {
        fingerprints: found,
        ..unsealed().secret.unwrap().unwrap()
    };
    Observed {
        secret: Ok(Some(found)),
        fingerprint_key: present.cloned(),
        ..unsealed()
    }
}

fn open(observed: &Observed) -> Opened {
    let Plan::Unseal(permitted) = plan(observed) else {
        panic!("it is left");
    };
    permitted.unsealing(api().spec).unwrap().open().unwrap()
}

#[test]
fn a_secret_is_opened_once_for_each_fingerprint_key() {
    let [one, other] = [(), ()].map(|()| Arc::new(FingerprintKey::generate().unwrap()));
    let made_with = |present| {
        open(&fingerprinted(None, Some(present)))
            .secret
            .fingerprints
    };
    let (by_one, by_other) = (made_with(&one), made_with(&other));
    for (found, present, expected) in [
        (&None, None, "leave"),
        (&by_one, None, "leave"),
        (&None, Some(&one), "write"),
        (&by_one, Some(&one), "leave"),
        (&by_other, Some(&one), "write"),
    ] {
        let observed = fingerprinted(found.clone(), present);
        assert_eq!(result(&observed), Ok(expected), "{found:?} {present:?}");
        if let Plan::Unseal(permitted) = plan(&observed) {
            assert!(permitted.corrects_drift(), "{found:?} {present:?}");
        }
    }
}

#[test]
fn fingerprints_are_an_annotation_and_are_not_printed() {
    let present = Arc::new(FingerprintKey::generate().unwrap());
    let secret = open(&fingerprinted(None, Some(&present))).secret;
    let annotation = secret.annotations()["sceau.dev/fingerprints"].to_string();
    assert!(
        annotation.contains("\"since\":\"2026-11-21T09:30:00Z\""),
        "{annotation}"
    );
    let known = secret.fingerprints.as_ref().unwrap();
    assert_eq!(known.items.keys().collect::<Vec<_>>(), ["A"]);
    let fingerprint = serde_json::to_value(known.items["A"].fingerprint).unwrap();
    let fingerprint = fingerprint.as_str().unwrap().to_owned();
    assert!(annotation.contains(&fingerprint));
    assert!(!format!("{secret} {secret:?}").contains(&fingerprint));
}

#[test]
fn fingerprints_that_do_not_fit_are_omitted_and_the_message_says_so() {
    let present = Arc::new(FingerprintKey::generate().unwrap());
    let mut observed = fingerprinted(None, Some(&present));
    if let Ok(Some(found)) = &mut observed.secret {
        found.annotations = [("other".to_owned(), 262_100)].into();
    }
    let secret = open(&observed).secret;
    assert_eq!(
        secret.summary(),
        "unsealed 2 items; the fingerprints of its items are too large for its annotations"
    );
    let left = fingerprinted(secret.fingerprints, Some(&present));
    assert_eq!(result(&left), Ok("leave"));
}

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
    status::conditions::Verdict,
};

/// A SealedSecret `shop/api` in environment `prod`, which has the first of the fixtures' keys. No
/// Secret is there, and nothing was written before.
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

/// A Secret of the right name that nobody controls.
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

/// The same, as it stands after it was unsealed.
fn unsealed() -> Observed {
    let verdict = Verdict {
        state: State::Done,
        reason: "Unsealed",
        message: "unsealed 2 items",
        generation: 1,
    };
    Observed {
        status: SealedSecretStatus {
            observed_generation: Some(1),
            conditions: verdict.conditions(&[], Timestamp::UNIX_EPOCH),
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

/// What the plan comes to, with its seals opened if it says so.
fn verdict(observed: &Observed) -> Result<&'static str, Failure> {
    verdict_with(observed, api().spec)
}

/// The same with these seals.
fn verdict_with(observed: &Observed, spec: SealedSecretSpec) -> Result<&'static str, Failure> {
    match plan(observed) {
        Plan::Leave => Ok("leave"),
        Plan::Report(failure) => Err(failure),
        Plan::Unseal(permitted) => {
            let unsealing = permitted.unsealing(spec)?;
            unsealing.open().map(|_| "write")
        }
    }
}

/// The seals that are to be opened.
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
        obstacles_of_environments(),
        obstacles_of_keys(),
        obstacles_of_manifests(),
        obstacles_of_secrets(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn obstacles_of_environments() -> Vec<Row> {
    let namespace_match = |namespace_match| Observed {
        namespace_match,
        ..observed()
    };
    let both = BTreeSet::from(["dev", "prod"].map(environment_name));
    vec![
        row(
            namespace_match(NamespaceMatch::None),
            Reason::NoEnvironment,
            "namespace shop belongs to no Environment",
        ),
        row(
            namespace_match(NamespaceMatch::Ambiguous(both)),
            Reason::AmbiguousEnvironment,
            "namespace shop belongs to more than one Environment: dev, prod",
        ),
        row(
            namespace_match(NamespaceMatch::InvalidSpec(environment_name("prod"))),
            Reason::InvalidEnvironment,
            "namespace shop belongs to Environment prod, which cannot be read",
        ),
        row(
            namespace_match(NamespaceMatch::Unknown),
            Reason::Progressing,
            "namespace shop has not been seen yet",
        ),
        row(
            with_environment(|environment| environment.name = environment_name("dev")),
            Reason::WrongEnvironment,
            "sealed for environment prod; namespace shop belongs to dev",
        ),
    ]
}

fn obstacles_of_keys() -> Vec<Row> {
    let id = |index: usize| KEYS[index].id();
    let without_keys =
        |environment: &mut ResolvedEnvironment| environment.ring = KeyRing::default();
    vec![
        row_of(
            sealed(1, &[("A", b"1")]),
            Reason::UnknownSealingKey,
            &format!("sealed to {}, which environment prod does not have", id(1)),
        ),
        row(
            with_environment(|environment| {
                without_keys(environment);
                environment.spec.sealing_keys.revoked_key_ids = vec![id(0).to_string()];
            }),
            Reason::RevokedSealingKey,
            &format!("sealed to {}, which environment prod has revoked", id(0)),
        ),
        row(
            with_environment(without_keys),
            Reason::Progressing,
            "environment prod has no sealing key yet",
        ),
    ]
}

fn obstacles_of_manifests() -> Vec<Row> {
    let unreadable = ReceivedSealedSecret {
        outline: Err(InvalidSpec),
        ..api().into()
    };
    vec![
        row_of(
            changed(api(), |spec| spec.scope = sealing::Scope::NamespaceWide),
            Reason::Refused,
            "refused: sealed for another place, or changed since it was sealed",
        ),
        row_of(
            changed(api(), |spec| spec.seals.clear()),
            Reason::Malformed,
            "0 seals; a manifest has 1 to 128",
        ),
        row(
            Observed {
                object: Arc::new(unreadable),
                ..observed()
            },
            Reason::Malformed,
            "its spec is not one that this version can read",
        ),
        row_of(
            too_large(),
            Reason::TooLarge,
            "the values have 1200000 bytes together; a manifest has at most 1048576",
        ),
        row_of(
            changed(api(), |spec| {
                spec.template.secret_type = Some("bootstrap.kubernetes.io/token".to_owned());
            }),
            Reason::DeniedSecretType,
            "environment prod writes no Secrets of type bootstrap.kubernetes.io/token",
        ),
        row_of(
            changed(api(), |spec| {
                set_label(spec, "sceau.dev/sealing-key", "active");
            }),
            Reason::ReservedMetadata,
            "the template sets the label sceau.dev/sealing-key; labels of sceau.dev/ are the controller's",
        ),
        row_of(
            changed(api(), |spec| {
                let annotations = &mut spec.template.metadata.annotations;
                annotations.insert("sceau.dev/fingerprints".to_owned(), String::new());
            }),
            Reason::ReservedMetadata,
            "the template sets the annotation sceau.dev/fingerprints; \
             annotations of sceau.dev/ are the controller's",
        ),
    ]
}

fn obstacles_of_secrets() -> Vec<Row> {
    let adoptable = FoundSecret {
        may_be_adopted: true,
        ..controlled_by("cert-manager.io/v1", "Certificate", "web", "other")
    };
    let failed = Err(Failure::new(Reason::ApiError, "no answer"));
    vec![
        row(
            with_secret(found()),
            Reason::SecretExists,
            "a Secret of this name exists; annotate it with sceau.dev/adopt=true to have it taken over",
        ),
        row(
            with_secret(adoptable),
            Reason::SecretExists,
            "a Secret of this name exists; it belongs to Certificate web of cert-manager.io/v1",
        ),
        row(
            with_secret(controlled_by(
                "bitnami.com/v1alpha1",
                "SealedSecret",
                "api",
                "uid-of-the-original",
            )),
            Reason::SecretExists,
            "a Secret of this name exists; it belongs to SealedSecret api of bitnami.com: \
             to have it taken over, delete that one with \
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
            "the Secret of an earlier SealedSecret of this name is about to be collected",
        ),
        row(
            with_secret(FoundSecret {
                is_being_deleted: true,
                ..found()
            }),
            Reason::Progressing,
            "a Secret of this name is being deleted",
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

/// Two seals that are within the bounds each and past them together.
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
fn every_obstacle_is_named_and_told() {
    for (observed, spec, reason, message) in failures() {
        let failure = Failure { reason, message };
        assert_eq!(verdict_with(&observed, spec), Err(failure));
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
fn what_nobody_has_written_yet_is_unsealed() {
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
    assert_eq!(verdict(&unsealed()), Ok("leave"));
}

#[test]
fn what_is_being_deleted_is_left_whatever_it_says() {
    let mut object = sealed(0, &[("A", b"1")]);
    object.metadata.deletion_timestamp = Some(
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH),
    );
    let observed = Observed {
        namespace_match: NamespaceMatch::None,
        ..observed_of(object)
    };
    assert_eq!(verdict(&observed), Ok("leave"));
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
            "no record of the Secret",
            without(|status| status.secret = None),
        ),
        (
            "conditions that were removed",
            without(|status| status.conditions.clear()),
        ),
        ("no record of keys", without(|status| status.seals.clear())),
        (
            "a key that opened it and is gone",
            without(|status| status.seals[0].opened_by = KEYS[2].id().to_string()),
        ),
    ] {
        let Plan::Unseal(permitted) = plan(&observed) else {
            panic!("{what} is not written over");
        };
        assert_eq!(
            permitted.precondition.as_deref(),
            Some("uid-of-secret"),
            "{what}"
        );
        let new = ["a new generation", "conditions that were removed"];
        assert_eq!(permitted.heals(), !new.contains(&what), "{what}");
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
    assert_eq!(verdict(&disowned), Ok("write"));
    let willing = FoundSecret {
        may_be_adopted: true,
        ..found()
    };
    assert_eq!(verdict(&with_secret(willing)), Ok("write"));
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
        verdict(&observed).unwrap_err().reason,
        Reason::RevokedSealingKey
    );
}

#[test]
fn the_label_that_finds_our_secrets_is_ours_and_that_is_said() {
    let object = changed(sealed(0, &[("A", b"1")]), |spec| {
        set_label(spec, MANAGED_BY_LABEL, "Helm");
    });
    let secret = unsealing(object).open().unwrap().secret;
    assert_eq!(secret.labels()[MANAGED_BY_LABEL], MANAGED_BY);
    assert_eq!(
        secret.summary(),
        "unsealed 1 item; the label app.kubernetes.io/managed-by is sceau, not the template's"
    );
}

#[test]
fn debug_shows_no_value() {
    assert!(!format!("{:?}", unsealing(api()).open()).contains("hunter2"));
}

/// What was unsealed, found with these fingerprints, while this fingerprint key is there.
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
        assert_eq!(verdict(&observed), Ok(expected), "{found:?} {present:?}");
        if let Plan::Unseal(permitted) = plan(&observed) {
            assert!(permitted.heals(), "{found:?} {present:?}");
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
fn fingerprints_that_do_not_fit_are_left_out_and_that_is_said() {
    let present = Arc::new(FingerprintKey::generate().unwrap());
    let mut observed = fingerprinted(None, Some(&present));
    if let Ok(Some(found)) = &mut observed.secret {
        found.annotations = [("other".to_owned(), 262_100)].into();
    }
    let secret = open(&observed).secret;
    assert_eq!(
        secret.summary(),
        "unsealed 2 items; the fingerprints of its items do not fit into its annotations"
    );
    let left = fingerprinted(secret.fingerprints, Some(&present));
    assert_eq!(verdict(&left), Ok("leave"));
}

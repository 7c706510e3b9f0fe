//! ValueReviews: which Secrets hold a value, who may ask, and what no answer discloses.

use cluster::commands::{self, Finished};
use cluster::scratch::Scratch;
use cluster::wait::SOON;
use cluster::{Cluster, Controller, Identity, Namespace, programs};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use sealing::resource::{SealedSecret, SealedValue, ValueReview, ValueReviewStatus};
use sealing::{ItemRef, Plaintext, seal_traced};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::fingerprints::fingerprint;
use crate::harness::bound;
use crate::requests::{audited, code, create, reported, requests, until_answered};
use crate::reuse::{tenant, until_reported};
use crate::sealed::{self, Sealer};

fn value_review(spec: &Value) -> Value {
    json!({
        "apiVersion": "sceau.dev/v1alpha1",
        "kind": "ValueReview",
        "metadata": {"generateName": "test-"},
        "spec": spec,
    })
}

/// A trace of a value, sealed for the environment of `sealer`.
fn trace(sealer: &Sealer<'_>, value: &str) -> Value {
    let value = Plaintext::new(value.as_bytes().to_vec());
    let seal = seal_traced(value, &sealer.environment, &sealer.recipient);
    traced(sealer, &seal.expect("it can be sealed"))
}

fn traced(sealer: &Sealer<'_>, seal: &SealedValue) -> Value {
    json!({"trace": {"environment": sealer.environment.as_str(), "seal": seal}})
}

/// Creates a ValueReview and waits for the answer. Returns its name and its status.
async fn ask(namespace: &Namespace, spec: &Value) -> (String, ValueReviewStatus) {
    let value_reviews = requests(namespace);
    let created: ValueReview = create(&value_reviews, &value_review(spec))
        .await
        .expect("the API server takes it");
    let name = created.name_any();
    let status = until_answered(&value_reviews, &name).await;
    (name, status)
}

pub(crate) async fn answer(namespace: &Namespace, spec: &Value) -> ValueReviewStatus {
    ask(namespace, spec).await.1
}

/// A trace as an administrator.
pub(crate) async fn answer_trace(sealer: &Sealer<'_>, value: &str) -> ValueReviewStatus {
    answer(sealer.namespace, &trace(sealer, value)).await
}

fn places(found: &[ItemRef]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

/// A cluster for one test: the rate limit counts all ValueReviews of a cluster.
async fn with_cluster(body: impl AsyncFnOnce(&Cluster, &Controller, &Namespace)) {
    let cluster = Cluster::start().await;
    let namespace = Namespace::create(&cluster).await;
    let mut controller = Controller::named("one").start(&cluster).await;
    controller.until_ready().await;
    body(&cluster, &controller, &namespace).await;
}

#[test]
fn a_value_is_traced_through_all_environments_until_it_is_renewed() {
    cluster::run(with_cluster(async |cluster, controller, namespace| {
        let one = Sealer::create(namespace).await;
        let elsewhere = Namespace::create(cluster).await;
        let other = Sealer::create(&elsewhere).await;
        let value = "correct horse";
        one.unseal("api", &[("A", value.as_bytes()), ("B", b"0123")])
            .await;
        let line = format!("{value}\n");
        other.unseal("web", &[("C", line.as_bytes())]).await;
        // The SealedSecrets that are counted are in the controller's view.
        one.until_counted(1).await;
        other.until_counted(1).await;
        let here = format!("{0}:{0}/api/A", namespace.name());
        let there = format!("{0}:{0}/web/C", elsewhere.name());

        for asked in [value, &line] {
            let (name, status) = ask(namespace, &trace(&one, asked)).await;
            assert_eq!(places(&status.found), [here.clone(), there.clone()]);
            let said = "True Answered: the value is in 2 places";
            assert_eq!(reported(&status), said);
            controller
                .until_logged(&format!("\"request\":\"{name}\",\"outcome\":\"Answered\""))
                .await;
            let lines = audited(controller, "trace", &name);
            assert_eq!(lines.len(), 1);
            assert_eq!(
                (&lines[0]["outcome"], &lines[0]["found"]),
                (&json!("Answered"), &json!(2))
            );
            assert_eq!(audited(controller, "answer", &name).len(), 1);
        }
        let status = answer(namespace, &trace(&other, "battery staple")).await;
        assert_eq!(reported(&status), "True Answered: the value is in 0 places");

        other.unseal("web", &[("C", b"battery staple")]).await;
        let status = answer(namespace, &trace(&other, value)).await;
        assert_eq!(places(&status.found), [here]);
        let series = "sceau_value_reviews_total{question=\"trace\",outcome=\"Answered\"}";
        assert_eq!(controller.metric(series).await, Some(4.0));

        let log = controller.log();
        let secret = fingerprint(&one.secret("api").await, "A");
        assert!(!log.contains(value) && !log.contains(&secret));
    }));
}

#[test]
fn more_than_ten_values_in_a_minute_are_not_traced() {
    cluster::run(with_cluster(async |_, controller, namespace| {
        let sealer = Sealer::create(namespace).await;
        sealer.unseal("api", &[("A", b"correct horse")]).await;
        for n in 0..10 {
            let status = answer_trace(&sealer, &format!("a guess, number {n}")).await;
            assert_eq!(reported(&status), "True Answered: the value is in 0 places");
        }
        let status = answer_trace(&sealer, "correct horse").await;
        let said = reported(&status);
        let expected = "False RateLimited: too many ValueReviews: try again in ";
        assert!(said.starts_with(expected), "{said}");
        assert!(status.found.is_empty());
        let series = "sceau_value_reviews_total{question=\"trace\",outcome=\"RateLimited\"}";
        assert_eq!(controller.metric(series).await, Some(1.0));
        // A tenant who seals guesses could find out with the other question.
        let status = answer(namespace, &json!({"reuse": {}})).await;
        assert!(reported(&status).starts_with(expected));
    }));
}

#[test]
fn what_is_reused_is_answered_by_places() {
    sealed::test(async |cluster, sealer| {
        let value: &[u8] = b"only these two know it";
        sealer.unseal("one", &[("A", value)]).await;
        sealer.unseal("two", &[("B", value)]).await;
        let controller = cluster.shared_controller().await;
        until_reported(controller, sealer.namespace.name()).await;
        let status = answer(sealer.namespace, &json!({"reuse": {}})).await;
        let here = sealer.namespace.name();
        let ours = status
            .reused
            .iter()
            .find(|group| group[0].namespace == here);
        let expected = [
            format!("{here}:{here}/one/A"),
            format!("{here}:{here}/two/B"),
        ];
        assert_eq!(places(ours.expect("it is reported")), expected);
        let said = reported(&status);
        assert!(said.starts_with("True Answered: reused: "), "{said}");
    });
}

/// The first seal of a SealedSecret as if it were a value to trace.
fn as_traced(object: &SealedSecret) -> SealedValue {
    let seal = &object.spec.seals[0];
    SealedValue {
        commitment: seal.commitment.clone(),
        recipients: seal.recipients.clone(),
        value: seal.items["value"].clone(),
    }
}

#[test]
fn a_captured_seal_opens_as_neither_the_one_nor_the_other() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("value", b"correct horse")]);
        let status = answer(sealer.namespace, &traced(sealer, &as_traced(&object))).await;
        let said = reported(&status);
        assert!(
            said.starts_with("False Refused: the value was not decrypted: "),
            "{said}"
        );

        let value = Plaintext::new(b"correct horse".to_vec());
        let seal = seal_traced(value, &sealer.environment, &sealer.recipient);
        let captured = seal.expect("it can be sealed");
        let seal = &mut object.spec.seals[0];
        seal.commitment = captured.commitment;
        seal.recipients = captured.recipients;
        seal.items = [("value".to_owned(), captured.value)].into();
        sealer.apply(&object).await;
        sealer.until("api", "Refused").await;
    });
}

#[test]
fn short_values_and_unknown_environments_are_refused_with_their_reason() {
    sealed::test(async |_, sealer| {
        let short = answer_trace(sealer, "eleven byte\n").await;
        let said =
            "False TooShort: values of less than 12 bytes are not traced: they could be guessed";
        assert_eq!(reported(&short), said);
        let mut spec = trace(sealer, "correct horse");
        spec["trace"]["environment"] = json!("nowhere");
        let status = answer(sealer.namespace, &spec).await;
        let said = "False NoEnvironment: Environment nowhere does not exist";
        assert_eq!(reported(&status), said);
    });
}

#[test]
fn the_api_server_refuses_what_is_no_value_review_and_every_change_of_one() {
    sealed::test(async |_, sealer| {
        let value_reviews: Api<ValueReview> = requests(sealer.namespace);
        let mut both = trace(sealer, "correct horse");
        both["reuse"] = json!({});
        let mut long = trace(sealer, "correct horse");
        let text = format!("sceau:v1:{}", "A".repeat(87_408));
        long["trace"]["seal"]["value"] = text.into();
        for spec in [json!({}), both, long] {
            let refused = create(&value_reviews, &value_review(&spec)).await;
            assert_eq!(code(refused), Some(422), "{spec}");
        }
        let largest = "x".repeat(sealing::LARGEST_TRACED);
        let status = answer_trace(sealer, &largest).await;
        assert_eq!(reported(&status), "True Answered: the value is in 0 places");

        let (name, _) = ask(sealer.namespace, &json!({"reuse": {}})).await;
        let spec = trace(sealer, "correct horse");
        let patch = json!({"spec": {"reuse": null, "trace": spec["trace"]}});
        let patch = Patch::Merge(patch);
        let changed = value_reviews
            .patch(&name, &PatchParams::default(), &patch)
            .await;
        assert_eq!(code(changed), Some(422));
    });
}

#[test]
fn whoever_has_the_role_may_ask_and_nobody_else() {
    sealed::test(async |cluster, sealer| {
        let question = value_review(&json!({"reuse": {}}));
        for role in [
            "sceau-operator",
            "sceau-resealer",
            "sceau-environment-reader",
        ] {
            let other = bound(cluster, sealer.namespace, role).await;
            let value_reviews: Api<ValueReview> = Api::all(other.client().await);
            assert_eq!(
                code(create(&value_reviews, &question).await),
                Some(403),
                "{role}"
            );
        }
        let investigator = bound(cluster, sealer.namespace, "sceau-auditor").await;
        let value_reviews: Api<ValueReview> = Api::all(investigator.client().await);
        let created = create(&value_reviews, &question).await;
        let name = created.expect("the role allows it").name_any();
        until_answered(&value_reviews, &name).await;
        let listed = value_reviews.list(&ListParams::default()).await;
        assert_eq!(code(listed), Some(403), "what others asked is not theirs");
    });
}

/// Runs `sceau` in a repository of its own, with this login; standard input is the value.
async fn sceau(login: &Identity, sealer: &Sealer<'_>, words: &str, input: &str) -> Finished {
    let directory = Scratch::create();
    let environment = &sealer.environment;
    let project = format!("environments:\n  {environment}: {{certificates: [unused.pem]}}\n");
    std::fs::write(directory.file("sceau.yaml"), project).expect("the directory is writable");
    let mut command = Command::new(programs::sceau().await);
    command
        .args(words.split(' '))
        .args(["--environment", environment.as_str()])
        .current_dir(directory.directory())
        .env("KUBECONFIG", login.kubeconfig());
    commands::run(command, input.as_bytes(), SOON).await
}

#[test]
fn an_investigator_finds_a_leaked_value_by_the_command_line_and_nobody_else_does() {
    cluster::run(with_cluster(async |cluster, controller, namespace| {
        let sealer = Sealer::create(namespace).await;
        let elsewhere = Namespace::create(cluster).await;
        let other = Sealer::create(&elsewhere).await;
        let value = "correct horse";
        sealer.unseal("api", &[("A", value.as_bytes())]).await;
        other.unseal("web", &[("B", value.as_bytes())]).await;
        until_reported(controller, elsewhere.name()).await;
        let role = "sceau-auditor";
        let investigator = bound(cluster, namespace, role).await;

        let found = sceau(&investigator, &sealer, "trace --from-stdin -o json", value).await;
        let places: Vec<ItemRef> = serde_json::from_str(&found.succeeded()).expect("it is JSON");
        let names: Vec<&str> = places.iter().map(|it| it.namespace.as_str()).collect();
        assert_eq!(names, [namespace.name(), elsewhere.name()]);
        let checked = sceau(&investigator, &sealer, "trace --from-stdin --check", value).await;
        assert_eq!(checked.code, Some(3), "{checked:?}");
        assert!(!format!("{checked:?}").contains(value), "{checked:?}");

        let reused = sceau(&investigator, &sealer, "report reuse --check", "").await;
        assert_eq!(reused.code, Some(3), "{reused:?}");
        assert_eq!(reused.stdout.lines().count(), 3, "{reused:?}");
        assert!(reused.stdout.contains(elsewhere.name()), "{reused:?}");

        other.unseal("web", &[("B", b"battery staple")]).await;
        let found = sceau(&investigator, &sealer, "trace --from-stdin -o json", value).await;
        let places: Vec<ItemRef> = serde_json::from_str(&found.succeeded()).expect("it is JSON");
        assert_eq!(places.len(), 1);
        let nowhere = sceau(
            &investigator,
            &sealer,
            "trace --from-stdin --check",
            "no Secret has it",
        )
        .await;
        assert_eq!(nowhere.code, Some(0), "{nowhere:?}");

        let tenant = tenant(cluster, namespace).await;
        for words in ["trace --from-stdin", "report reuse"] {
            let reported = sceau(&tenant, &sealer, words, value).await;
            assert_eq!(reported.code, Some(4), "{reported:?}");
            assert!(format!("{reported:?}").contains(role), "{reported:?}");
        }
    }));
}

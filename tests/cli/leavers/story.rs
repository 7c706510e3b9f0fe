//! The story itself: the commits of six months, one after the other.

use std::{collections::BTreeMap, fs};

use sealing::{Issue, SealingKey, issue_certificate};

use crate::support::{TestKey, TestProject};

/// A repository while its story is told.
pub(crate) struct Story {
    pub(crate) project: TestProject,
    /// The ends of the sealed texts of each item, in the order of its values.
    versions: BTreeMap<String, Vec<String>>,
}

impl Story {
    /// The name of a version by the end of its sealed text.
    pub(crate) fn version(&self, id: &str, ending: &str) -> String {
        let versions = &self.versions[id];
        let index = versions.iter().position(|it| it == ending).unwrap();
        format!("v{}", index + 1)
    }

    /// The next commit is made on that day, at 09:00.
    fn on(&mut self, day: &str) {
        self.project.set_clock(&format!("2026-{day}T09:00:00Z"));
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.project.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        self.project.text(name)
    }

    #[track_caller]
    fn sceau(&self, line: &str) {
        let _ = self.project.run(line).done();
    }

    /// Seals a new Secret of these items into a file; a commit.
    #[track_caller]
    fn seal(&mut self, id: &str, file: &str, items: &[&str]) {
        let (environment, place) = id.split_once(':').unwrap();
        let (namespace, name) = place.split_once('/').unwrap();
        self.write(".git/value", format!("a made-up value of {id}"));
        let sources = items
            .iter()
            .map(|item| format!(" --from-file {item}=.git/value"));
        let sources: Vec<String> = sources.collect();
        let sources = sources.concat();
        self.sceau(&format!("seal --environment {environment} --namespace {namespace} --name {name}{sources} --write {file}"));
        for item in items {
            self.note(&format!("{id}/{item}"), file);
        }
        self.project.commit(&format!("Seal {id}"));
    }

    /// Gives an item a new value; a commit.
    #[track_caller]
    fn set(&mut self, id: &str, file: &str) {
        self.set_only(id, file);
        self.project.commit(&format!("Renew {id}"));
    }

    #[track_caller]
    fn set_only(&mut self, id: &str, file: &str) {
        let (_, item) = id.rsplit_once('/').unwrap();
        self.write(".git/value", format!("another made-up value of {id}"));
        self.sceau(&format!("set {file} {item} --from-file .git/value"));
        self.note(id, file);
    }

    /// Remembers the sealed text that an item has now.
    fn note(&mut self, id: &str, file: &str) {
        let (_, item) = id.rsplit_once('/').unwrap();
        let text = self.text(file);
        let behind = |name: String| Some(text.rsplit_once(&name)?.1);
        let sealed = behind(format!("{item}: ")).or_else(|| behind(format!("{item}\": ")));
        let sealed = sealed.unwrap();
        let is_part = |c: char| c.is_ascii_alphanumeric() || ":+/=".contains(c);
        let sealed = sealed.trim_start_matches('"');
        let length = sealed.find(|c| !is_part(c)).unwrap_or(sealed.len());
        let ending = sealed[length - 24..length].to_owned();
        self.versions.entry(id.to_owned()).or_default().push(ending);
    }

    /// Writes sceau.yaml with these people; a commit.
    fn people(&self, people: &str) {
        self.write("sceau.yaml", project_file(people));
        self.project.commit("Who operates what");
    }

    /// Pins a new key for an environment and reseals for it; a commit.
    fn re_key(&self, environment: &str, certificate: &str, old_key: &str) {
        self.write(&format!("certificates/{environment}.pem"), certificate);
        self.write(".git/key", old_key);
        self.sceau(&format!(
            "reseal --environment {environment} --keys .git/key"
        ));
        self.project.commit(&format!("Re-key {environment}"));
    }

    /// A manifest in the original's format; a commit.
    fn original(&mut self) {
        self.write(
            LEGACY,
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: legacy\n  namespace: shop\nspec:\n  encryptedData: {}\n",
        );
        self.set(LEGACY_PASSWORD, LEGACY);
    }
}

fn project_file(people: &str) -> String {
    let environment = |name: &str| {
        format!(
            "  {name}: {{certificates: [certificates/{name}.pem], paths: [\"deploy/*/{name}/**\", \"apps/*/{name}/**\"]}}\n"
        )
    };
    let environments: String = ["dev", "preprod", "prod"].map(environment).concat();
    format!("environments:\n{environments}people:\n{people}")
}

/// A certificate that is valid for all of 2026.
fn certificate(key: &SealingKey) -> String {
    let issue = Issue {
        subject: "throw-away",
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2027-01-01T00:00:00Z".parse().unwrap(),
    };
    issue_certificate(key, &issue).unwrap()
}

fn known(key: TestKey) -> SealingKey {
    SealingKey::parse_pem(key.private_pem()).unwrap().remove(0)
}

fn new_key() -> SealingKey {
    SealingKey::generate(2048).unwrap()
}

const DEV: &str = "deploy/api/dev/secret.yaml";
const PREPROD: &str = "deploy/api/preprod/secret.yaml";
const PROD: &str = "deploy/api/prod/secret.yaml";
const MOVED: &str = "apps/api/prod/secret.yaml";
const LEGACY: &str = "deploy/legacy/prod/secret.yaml";
const LEGACY_PASSWORD: &str = "prod:shop/legacy/PASSWORD";
const WORKER: &str = "deploy/worker/dev/secret.yaml";

const ALICE: &str = "  alice: {operates: [dev, preprod, prod]}\n";
const BOB: &str = "  bob: {certificate: certificates/people/bob.pem, operates: [dev]}\n";
const CAROL: &str = "  carol: {operates: [preprod]}\n";

/// Tells the whole story; afterwards it is noon on 1 July.
pub(crate) fn tell() -> Story {
    let mut story = Story {
        project: TestProject::empty(),
        versions: BTreeMap::new(),
    };
    winter(&mut story);
    march(&mut story);
    april(&mut story);
    summer(&mut story);
    story.project.set_clock("2026-07-01T12:00:00Z");
    story
}

/// January and February: 12 commits.
fn winter(story: &mut Story) {
    story.on("01-05");
    let _ = story.project.git(&["init", "--quiet"]);
    for (name, key) in [
        ("dev", TestKey::Dev),
        ("preprod", TestKey::Prod),
        ("prod", TestKey::Other),
    ] {
        story.write(
            &format!("certificates/{name}.pem"),
            certificate(&known(key)),
        );
    }
    story.people(ALICE);
    story.on("01-06");
    story.seal("dev:shop/api", DEV, &["DATABASE_URL", "TOKEN"]);
    story.on("01-07");
    story.seal("preprod:shop/api", PREPROD, &["DATABASE_URL", "TOKEN"]);
    story.on("01-08");
    story.seal("prod:shop/api", PROD, &["DATABASE_URL", "TOKEN", "PIN"]);
    story.on("01-12");
    story.write("certificates/people/bob.pem", certificate(&new_key()));
    story.people(&[ALICE, BOB].concat());
    story.on("01-20");
    story.set("prod:shop/api/PIN", PROD);
    story.on("01-26");
    story.seal(
        "prod:billing/worker",
        "deploy/worker/prod/secret.yaml",
        &["QUEUE"],
    );
    story.on("02-02");
    story.seal("dev:billing/worker", WORKER, &["QUEUE"]);
    story.on("02-09");
    story.sceau(&format!("unset {PROD} PIN"));
    story.project.commit("No PIN any more");
    story.on("02-10");
    story.people(&[ALICE, BOB, CAROL].concat());
    story.on("02-16");
    // The private half is needed once more, in March.
    let second = new_key();
    story.re_key("dev", &certificate(&second), TestKey::Dev.private_pem());
    story.write(".git/dev.key", &*second.to_pem().unwrap());
    story.on("02-23");
    story.original();
}

/// March: 11 commits, two of them on a branch that nobody merges.
fn march(story: &mut Story) {
    const EXPERIMENT: &str = "deploy/experiment/prod/secret.yaml";
    let alice = "  alice: {operates: [preprod, prod]}\n";
    story.on("03-02");
    story.people(&[alice, BOB, CAROL].concat());
    story.on("03-03");
    story.set("dev:shop/api/TOKEN", DEV);
    let _ = story
        .project
        .git(&["checkout", "--quiet", "-b", "experiment"]);
    story.on("03-05");
    story.seal("prod:shop/experiment", EXPERIMENT, &["KEY"]);
    story.on("03-06");
    story.set("prod:shop/experiment/KEY", EXPERIMENT);
    let _ = story.project.git(&["checkout", "--quiet", "main"]);
    story.on("03-09");
    story.write(MOVED, story.text(PROD));
    fs::remove_file(story.project.path(PROD)).unwrap();
    story.project.commit("Apps have a directory of their own");
    story.on("03-16");
    let bob = "  bob: {certificate: certificates/people/bob.pem, operates: [prod]}\n";
    story.people(&[alice, bob, CAROL].concat());
    story.on("03-17");
    story.set("prod:shop/api/TOKEN", MOVED);
    story.on("03-20");
    let own_key = new_key();
    story.write("certificates/people/carol.pem", certificate(&own_key));
    let carol = "  carol: {certificate: certificates/people/carol.pem, operates: [preprod]}\n";
    story.people(&[alice, bob, carol].concat());
    story.on("03-23");
    let plain = story.text(WORKER);
    story.write(WORKER, wrapped_for(story, &certificate(&own_key)));
    story.project.commit("Carol looks into the worker's queue");
    story.on("03-24");
    story.write(WORKER, plain);
    story.project.commit("Carol has seen enough");
    story.on("03-26");
    story.set("preprod:shop/api/TOKEN", PREPROD);
}

/// The worker's manifest with its seal wrapped for a further certificate, as a project has it that
/// knows no better.
fn wrapped_for(story: &Story, further: &str) -> String {
    let careless = TestProject::empty()
        .file(
            "sceau.yaml",
            "environments:\n  dev: {certificates: [dev.pem, further.pem], paths: [\"**\"]}\n",
        )
        .file("dev.pem", story.text("certificates/dev.pem"))
        .file("further.pem", further)
        .file("dev.key", story.text(".git/dev.key"))
        .file("secret.yaml", story.text(WORKER));
    let outcome = careless.run("reseal --keys dev.key").done();
    outcome.file("secret.yaml").to_owned()
}

/// From 30 March to the end of April: 12 commits, one of them on a branch that is merged.
fn april(story: &mut Story) {
    const BROKEN: &str = "deploy/broken/prod/secret.yaml";
    let others = "  alice: {operates: [preprod, prod]}\n  bob: {certificate: certificates/people/bob.pem, operates: [prod]}\n";
    let carol = "  carol: {certificate: certificates/people/carol.pem, operates: [preprod]}\n";
    let dave = "  dave: {operates: [preprod]}\n";
    story.on("03-30");
    let broken = project_file(&format!("{others}{carol}  dave: {{operates: [preprod\n"));
    let good = story.text("sceau.yaml");
    story.write("sceau.yaml", &broken);
    story.project.commit("Dave joins");
    story.on("04-01");
    // Whoever does this has the project file as it was, and does not commit that.
    story.write("sceau.yaml", good);
    story.set_only("preprod:shop/api/TOKEN", PREPROD);
    story.write("sceau.yaml", broken);
    story.project.commit("Renew a token");
    story.on("04-02");
    story.people(&[others, carol, dave].concat());
    story.on("04-06");
    story.set("preprod:shop/api/DATABASE_URL", PREPROD);
    story.on("04-07");
    story.people(&[others, dave].concat());
    story.on("04-13");
    story.set("preprod:shop/api/TOKEN", PREPROD);
    story.on("04-20");
    story.write(BROKEN, "kind: SealedSecret\nmetadata: {name: [}\n");
    story.project.commit("Work in progress");
    story.on("04-21");
    fs::remove_file(story.project.path(BROKEN)).unwrap();
    story.project.commit("Not like that");
    let _ = story.project.git(&["checkout", "--quiet", "-b", "mail"]);
    story.on("04-22");
    story.seal(
        "preprod:shop/mail",
        "deploy/mail/preprod/secret.yaml",
        &["SMTP"],
    );
    let _ = story.project.git(&["checkout", "--quiet", "main"]);
    story.on("04-24");
    story.set("prod:shop/api/DATABASE_URL", MOVED);
    story.on("04-27");
    let _ = story
        .project
        .git(&["merge", "--quiet", "--no-ff", "--message", "Mail", "mail"]);
    let _ = story
        .project
        .git(&["branch", "--quiet", "--delete", "mail"]);
}

/// May and June: 9 commits.
fn summer(story: &mut Story) {
    let others = "  alice: {operates: [preprod]}\n  bob: {certificate: certificates/people/bob.pem, operates: [prod]}\n";
    let dave = "  dave: {operates: [preprod]}\n";
    story.on("05-04");
    fs::remove_file(story.project.path("deploy/worker/prod/secret.yaml")).unwrap();
    story.project.commit("No worker in prod");
    story.on("05-11");
    story.set(LEGACY_PASSWORD, LEGACY);
    story.on("05-18");
    story.people(&[others, dave].concat());
    story.on("05-19");
    story.set("prod:shop/api/TOKEN", MOVED);
    story.on("05-25");
    story.seal(
        "prod:shop/search",
        "deploy/search/prod/secret.yaml",
        &["SEARCH"],
    );
    story.on("06-01");
    story.re_key(
        "prod",
        &certificate(&new_key()),
        TestKey::Other.private_pem(),
    );
    // What the original sealed has another text now, and no other value.
    story.note(LEGACY_PASSWORD, LEGACY);
    story.on("06-08");
    story.set("dev:shop/api/DATABASE_URL", DEV);
    story.on("06-15");
    story.people(&format!(
        "{others}  dave: {{operates: [preprod], left: 2026-06-14}}\n"
    ));
    story.on("06-16");
    story.set("preprod:shop/api/DATABASE_URL", PREPROD);
}

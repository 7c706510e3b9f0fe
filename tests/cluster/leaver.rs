//! A person leaves: the whole story on a real control plane, with three environments, 200 manifests
//! and two people. `sceau` and the controller are killed at every step, and `sceau` is run again:
//! the end is the same.

mod story;

use std::collections::BTreeMap;

use cluster::Cluster;
use cluster::wait::{SOON, until};
use sealing::resource::SealingKeyState;
use serde_json::Value;

use self::story::{ENVIRONMENTS, Kill, Moment, Story, Victim};

/// A command, and the moments at which a process is killed while it runs. It is run once for each
/// of them, and then to its end.
struct Step {
    /// The words after `sceau`; `YESTERDAY` stands for that day.
    line: &'static str,
    kills: &'static [Kill],
    /// The environments that have one more key afterwards. All manifests are sealed for the newest.
    re_keys: &'static [&'static str],
}

/// The environments that alice operated, and one that she did not.
const LEAVING: [Step; 2] = [
    Step {
        line: "offboard alice --left YESTERDAY",
        kills: &[
            Kill(Victim::Sceau, Moment::Changed("sceau.yaml")),
            Kill(Victim::Sceau, Moment::Changed("rotations")),
            Kill(Victim::Sceau, Moment::Ordered(1)),
            Kill(Victim::Sceau, Moment::KeysMade(1)),
            Kill(Victim::Sceau, Moment::Asked),
            Kill(Victim::Sceau, Moment::Resealed(1)),
            Kill(Victim::Sceau, Moment::Resealed(20)),
            Kill(Victim::Controller, Moment::Ordered(2)),
        ],
        re_keys: &["preprod", "prod"],
    },
    Step {
        line: "rekey --environment dev",
        kills: &[
            Kill(Victim::Sceau, Moment::KeysMade(1)),
            Kill(Victim::Controller, Moment::Asked),
        ],
        re_keys: &["dev"],
    },
];

/// No manifest needs the old keys.
const FINISHING: [Step; 3] = [
    Step {
        line: "rekey --environment dev --finish --yes",
        kills: &[Kill(Victim::Sceau, Moment::Ordered(1))],
        re_keys: &[],
    },
    Step {
        line: "rekey --environment preprod --finish --yes",
        kills: &[Kill(Victim::Controller, Moment::Ordered(1))],
        re_keys: &[],
    },
    Step {
        line: "rekey --environment prod --finish --yes",
        kills: &[],
        re_keys: &[],
    },
];

#[test]
fn somebody_leaves_and_everybody_is_killed_on_the_way() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let mut story = Story::begin(&cluster).await;
        let before = story.secrets().await;
        let old = story.repository.text(OLD);
        for step in &LEAVING {
            story.take(step.line, step.kills, step.re_keys).await;
        }
        story.repository.commit("Offboard alice", 0).await;
        story.apply().await;
        assert_eq!(story.secrets().await, before, "no value was rotated");

        for step in &FINISHING {
            story.take(step.line, step.kills, step.re_keys).await;
        }
        assert_eq!(story.secrets().await, before, "no value was rotated");
        no_old_key_is_left(&story, &old).await;

        story.renew(&["preprod", "prod"]).await;
        story
            .repository
            .commit("Rotate what alice could read", 0)
            .await;
        story.replace_controller().await;
        story.apply().await;
        are_renewed(&before, &story.secrets().await);
        let tick = [Kill(Victim::Sceau, Moment::Changed("rotations"))];
        story.take("rotations --mark --cluster", &tick, &[]).await;
        story.sceau("rotations --check").await;
        let lists = story.repository.files("rotations");
        let list = lists.values().next().expect("there is a list");
        assert!(list.contains("\nclosed: \""), "{list}");
    });
}

/// A manifest of prod.
const OLD: &str = "deploy/app-2/prod/secret.yaml";

/// Every key but the active ones is revoked, and a manifest from before is rejected.
async fn no_old_key_is_left(story: &Story<'_>, old: &str) {
    for environment in ENVIRONMENTS {
        until(&format!("{environment} has one key"), SOON, async || {
            let keys = story.status(environment).await.sealing_keys;
            let reported: Vec<_> = keys
                .iter()
                .map(|it| (it.state, it.sealed_secrets))
                .collect();
            let wanted = matches!(
                reported.as_slice(),
                [
                    (SealingKeyState::Active, 66 | 67),
                    (SealingKeyState::Revoked, 0)
                ]
            );
            wanted.then_some(()).ok_or_else(|| format!("{reported:?}"))
        })
        .await;
    }
    story.is_refused(OLD, old, "RevokedSealingKey").await;
}

/// Every value of dev is the one from before, and every other is a new one.
fn are_renewed(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
    assert!(before.keys().eq(after.keys()));
    for (place, secret) in after {
        let same = secret["data"] == before[place]["data"];
        assert_eq!(same, place.starts_with("dev/"), "{place}");
        assert_eq!(secret["metadata"]["uid"], before[place]["metadata"]["uid"]);
    }
}

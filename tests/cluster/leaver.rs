//! Somebody leaves: the whole story on a real control plane, with three environments, 200 manifests
//! and two people. `sceau` and the controller are killed at every step, and `sceau` is run again: the
//! end is the same.

mod story;

use cluster::Cluster;

use self::story::{Kill, Moment, Story, Victim};

/// A command, and the moments at which somebody is killed while it runs: it is run once for each of
/// them, and then to its end.
struct Step {
    line: &'static str,
    kills: &'static [Kill],
    /// The environments that have a new key afterwards, and all of whose manifests are at it.
    re_keys: &'static [&'static str],
}

const STEPS: [Step; 3] = [
    Step {
        line: "rekey --environment dev",
        kills: &[
            Kill(Victim::Sceau, Moment::Ordered),
            Kill(Victim::Sceau, Moment::KeyMade),
            Kill(Victim::Sceau, Moment::Asked),
            Kill(Victim::Sceau, Moment::Written(1)),
            Kill(Victim::Sceau, Moment::Written(20)),
        ],
        re_keys: &["dev"],
    },
    Step {
        line: "rekey --environment preprod",
        kills: &[Kill(Victim::Controller, Moment::Ordered)],
        re_keys: &["preprod"],
    },
    Step {
        line: "rekey --environment prod",
        kills: &[
            Kill(Victim::Sceau, Moment::Asked),
            Kill(Victim::Controller, Moment::Asked),
        ],
        re_keys: &["prod"],
    },
];

#[test]
fn somebody_leaves_and_everybody_is_killed_on_the_way() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let mut story = Story::begin(&cluster).await;
        let before = story.secrets().await;
        for step in &STEPS {
            story.take(step.line, step.kills, step.re_keys).await;
        }
        story.apply().await;
        assert_eq!(story.secrets().await, before, "no value was renewed");
    });
}

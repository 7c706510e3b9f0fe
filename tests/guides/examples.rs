//! The programs under `examples/` run, and show what they are there to show.

use std::{path::Path, time::Duration};

use cluster::commands;
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_mins(5);

fn example(name: &str) -> String {
    cluster::run(async {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["run", "--quiet", "--locked", "--example", name])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        commands::run(cargo, b"", PATIENCE).await.succeeded()
    })
}

#[test]
fn quickstart_shows_what_may_be_committed_and_what_would_be_written() {
    let printed = example("quickstart");
    let (before, sealed) = printed
        .split_once("kind: SealedSecret")
        .expect("it is printed");
    assert!(
        before.contains("battery staple"),
        "the Secret is shown first"
    );
    assert!(
        !sealed.contains("battery staple"),
        "what may be committed holds no value"
    );
    assert!(sealed.contains("  item license.bin: 7 bytes\n"), "{sealed}");
}

#[test]
fn cluster_goes_the_whole_path_and_down_again() {
    let printed = example("cluster");
    let unsealed = |line: &&str| line.starts_with("shop ") && line.contains("Unsealed");
    assert!(printed.lines().any(|line| unsealed(&line)), "{printed}");
    assert!(
        printed.contains("license.bin:         7 bytes"),
        "{printed}"
    );
    assert!(
        printed.ends_with("controller: exit status: 0\n"),
        "{printed}"
    );
}

//! Workflows run nothing that its author can change afterwards, and have only the rights that they need.

const DIGEST_LENGTH: usize = 40;

fn workflows() -> impl Iterator<Item = (String, String)> {
    repo::tracked_files()
        .into_iter()
        .filter(|path| {
            path.starts_with(".github/workflows/") || path.ends_with("secrets-scan.yaml")
        })
        .map(|path| {
            let text = repo::read(&path);
            (path, text)
        })
}

/// Whether an action is named by a full commit digest, with the version beside it.
fn is_pinned(action: &str) -> bool {
    let Some((_, pin)) = action.split_once('@') else {
        return false;
    };
    let Some((digest, version)) = pin.split_once(" # v") else {
        return false;
    };
    let is_digest = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    digest.len() == DIGEST_LENGTH && digest.chars().all(is_digest) && !version.is_empty()
}

#[test]
fn only_a_full_digest_with_its_version_is_a_pin() {
    let digest = "0123456789abcdef0123456789abcdef01234567";
    assert!(is_pinned(&format!("actions/checkout@{digest} # v6.0.1")));
    assert!(!is_pinned(&format!("actions/checkout@{digest}")));
    assert!(!is_pinned("actions/checkout@v6.0.1"));
    assert!(!is_pinned("actions/checkout@01234567 # v6.0.1"));
    assert!(!is_pinned("actions/checkout"));
}

#[test]
fn every_action_is_pinned_by_its_digest() {
    let mut actions = 0;
    for (path, text) in workflows() {
        for line in text.lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            assert!(is_pinned(action), "{path} uses {action}");
            actions += 1;
        }
    }
    assert!(actions >= 3, "actions were found at all");
}

#[test]
fn every_workflow_says_what_it_may_do() {
    for (path, text) in workflows() {
        let permissions = text.lines().find(|line| line.starts_with("permissions:"));
        assert!(permissions.is_some(), "{path} has the default permissions");
        assert!(!text.contains("write"), "{path} may write");
    }
}

#[test]
fn the_pinned_compiler_is_of_the_version_that_the_crates_ask_for() {
    let quoted = |file: &str, name: &str| {
        let text = repo::read(file);
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches(['=', ' ', '"']).to_owned())
    };
    let asked = quoted("Cargo.toml", "rust-version").unwrap();
    let pinned = quoted("rust-toolchain.toml", "channel").unwrap();
    assert!(
        pinned
            .strip_prefix(&asked)
            .is_some_and(|patch| patch.starts_with('.')),
        "rust-toolchain.toml pins {pinned}, Cargo.toml asks for {asked}"
    );
}

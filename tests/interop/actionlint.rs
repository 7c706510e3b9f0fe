//! The workflows of this repository, and the one that `sceau init` writes, as actionlint sees them.

use cluster::{commands::Finished, repository, tools::Tool};
use interop::Workplace;

/// What actionlint says of one workflow. It asks no other linter, installed or not.
async fn actionlint_says(workflow: &str) -> Finished {
    let options = "-no-color -shellcheck= -pyflakes= -";
    let here = Workplace::empty();
    here.runs(Tool::Actionlint.path(), options, workflow).await
}

fn workflows() -> Vec<String> {
    let entries = repository().join(".github/workflows").read_dir();
    let own = entries
        .expect("there are workflows")
        .map(|entry| entry.expect("the directory can be read").path());
    own.chain([repository().join("cli/src/commands/init/secrets-scan.yaml")])
        .map(|path| std::fs::read_to_string(path).expect("a workflow is text"))
        .collect()
}

#[test]
fn actionlint_finds_nothing_in_the_workflows() {
    cluster::run(async {
        let workflows = workflows();
        assert!(workflows.len() >= 2, "workflows were found at all");
        for workflow in workflows {
            let _ = actionlint_says(&workflow).await.succeeded();
            let broken = workflow.replace("runs-on:", "run-on:");
            let found = actionlint_says(&broken).await;
            assert_eq!(found.code, Some(1), "{found:#?}");
            assert!(found.stdout.contains("run-on"), "{found:#?}");
        }
    });
}

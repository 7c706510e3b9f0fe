//! `sceau trace` and `sceau report reuse`, as far as they need no controller.

use insta::assert_snapshot;
use sceau::Terminals;

use crate::support::{ApiServer, TestProject, kubeconfig};

const TRACE: &str = "trace --environment prod --kubeconfig kubeconfig";
const REPORT: &str = "report reuse --environment prod --kubeconfig kubeconfig";

/// A project whose cluster cannot be reached: nobody may try.
fn project() -> TestProject {
    TestProject::new().file("kubeconfig", kubeconfig("127.0.0.1:1"))
}

#[test]
fn a_short_value_is_refused_before_anything_is_sent() {
    assert_snapshot!(project().typed(&["eleven byte"]).run(TRACE), @"
    exit 1
    stderr:
      error: the value has less than 12 bytes, so it could be guessed
      hint: inspect the Secrets that you may read
    files: unchanged
    ");
    for short in ["", "\n", "eleven byte", "eleven byte\n"] {
        let traced = project().stdin(short).run(&format!("{TRACE} --from-stdin"));
        let outcome = traced.refused(1);
        assert!(outcome.stderr().contains("less than 12 bytes"), "{outcome}");
    }
    let long = vec![b'x'; 64 * 1024 + 1];
    let traced = project().stdin(long).run(&format!("{TRACE} --from-stdin"));
    let outcome = traced.refused(1);
    assert!(outcome.stderr().contains("at most 65536"), "{outcome}");
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let outcome = project().run(&format!("{TRACE} correct-horse-battery"));
    assert_snapshot!(outcome, @"
    exit 2
    stderr:
      error: values are not accepted on the command line: other programs can see them, and the shell keeps them in its history
      hint: remove the value to get a prompt, or use `--from-stdin`
      hint: rotate the value that you typed if it is in use: it may be in the shell's history
    files: unchanged
    ");
}

#[test]
fn a_value_is_not_shown_while_it_is_typed() {
    let shown = Terminals {
        stdin: true,
        stdout: true,
    };
    let outcome = project()
        .terminals(shown)
        .run(&format!("{TRACE} --from-stdin"));
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: the terminal would show the value as you type
      hint: remove `--from-stdin` to use the prompt without echo
    files: unchanged
    ");
    assert_snapshot!(project().run(TRACE), @"
    exit 1
    stderr:
      error: the prompt for the value needs a terminal
      hint: use standard input: `--from-stdin`
    files: unchanged
    ");
}

#[test]
fn a_cluster_that_refuses_names_the_role() {
    let server = ApiServer::with_refusal(403, "Forbidden", "valuereviews is forbidden");
    let project = || TestProject::new().file("kubeconfig", server.kubeconfig());
    assert_snapshot!(project().run(REPORT), @"
    exit 4
    stderr:
      error: the API server rejected the request: valuereviews is forbidden
      hint: bind the ClusterRole `sceau-auditor` to your user
    files: unchanged
    ");
    let outcome = project()
        .typed(&["correct horse battery"])
        .run(TRACE)
        .refused(4);
    assert!(outcome.stderr().contains("sceau-auditor"), "{outcome}");
}

#[test]
fn an_unreachable_cluster_or_one_without_value_reviews_is_reported() {
    project().run(REPORT).refused(4);
    project()
        .typed(&["correct horse battery"])
        .run(TRACE)
        .refused(4);
    let server = ApiServer::with_refusal(404, "NotFound", "not found");
    let project = TestProject::new().file("kubeconfig", server.kubeconfig());
    let outcome = project.run(REPORT).refused(4);
    assert!(
        outcome.stderr().contains("has no ValueReviews"),
        "{outcome}"
    );
}

#[test]
fn an_environment_that_the_project_does_not_have_is_refused() {
    let outcome = project().run("report reuse --environment prdo").refused(1);
    assert!(
        outcome.stderr().contains("use the similar name `prod`"),
        "{outcome}"
    );
}

//! Who may know whom: the arrows of ARCHITECTURE.md.

mod planted;
mod rules;

use std::process::Command;

use repo::{code::Crate, rules::Thing};

use self::rules::RULES;

/// Whether a package's program contains a crate.
fn depends_on(package: &str, dependency: &str) -> bool {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}", "--package", package])
        .current_dir(repo::root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    tree.lines()
        .any(|line| line.split(' ').next() == Some(dependency))
}

#[test]
fn sealing_has_no_runtime_no_client_and_no_log() {
    for dependency in ["tokio", "kube-client", "hyper", "tracing", "rustls"] {
        assert!(
            !depends_on("sealing", dependency),
            "sealing depends on {dependency}"
        );
    }
    assert!(
        depends_on("sealing", "aws-lc-rs"),
        "the question itself works"
    );
}

#[test]
fn cli_and_controller_do_not_know_each_other() {
    assert!(!depends_on("sceau", "sceau-controller"));
    assert!(!depends_on("sceau-controller", "sceau"));
}

#[test]
fn the_leaking_implementation_of_rsa_is_in_no_program() {
    for package in ["sceau", "sceau-controller"] {
        assert!(!depends_on(package, "rsa"), "RUSTSEC-2023-0071");
    }
}

#[test]
fn no_line_breaks_a_rule() {
    let mut breaches = Vec::new();
    for rule in RULES {
        for breach in rule.breaches(repo::parsed(rule.folder())) {
            breaches.push(format!(
                "{}:{} names {}: {}",
                breach.file, breach.line, breach.what, rule.why
            ));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_rule_looks_at_modules_that_exist_and_allows_only_what_is_used() {
    for rule in RULES {
        let blind = rule.blind_spots(repo::parsed(rule.folder()));
        assert!(blind.is_empty(), "{}: {blind:?}", rule.why);
    }
}

#[test]
fn a_breach_of_each_rule_is_found_in_every_form_and_place() {
    let mut planted = 0;
    for rule in RULES {
        for &thing in rule.named {
            for place in planted::places(rule) {
                for breach in planted::forms(thing, rule.folder()) {
                    let (form, line) = (breach.form, breach.line());
                    let found = rule.breaches(&breach.into_crate(&place));
                    let lines: Vec<usize> = found.iter().map(|breach| breach.line).collect();
                    assert!(
                        !lines.is_empty() && lines.iter().all(|at| *at == line),
                        "{thing:?} as {form} in {place}, line {line}: found at {lines:?}"
                    );
                    planted += 1;
                }
            }
        }
    }
    assert!(planted > 1000, "{planted} breaches were planted");
}

#[test]
fn what_a_rule_allows_is_not_a_breach() {
    for rule in RULES {
        for place in rule.only {
            for &thing in rule.named {
                for breach in planted::forms(thing, rule.folder()) {
                    let found = rule.breaches(&breach.into_crate(place));
                    assert!(found.is_empty(), "{thing:?} in {place}: {found:?}");
                }
            }
        }
    }
}

fn cli(files: &[(&str, &str)]) -> Crate {
    let files = files
        .iter()
        .map(|(path, text)| (format!("cli/src/{path}"), (*text).to_owned()));
    Crate::parse("cli", "sceau", files)
}

fn knows_a_client(files: &[(&str, &str)]) -> bool {
    let rule = RULES.iter().find(|rule| {
        rule.named
            .iter()
            .any(|thing| matches!(thing, Thing::Path("kube")))
    });
    !rule.unwrap().breaches(&cli(files)).is_empty()
}

#[test]
fn modules_of_tests_in_files_of_their_own_are_left_out() {
    let tests = ("a/tests.rs", "mod deeper;\nuse kube::Client;");
    let deeper = ("a/tests/deeper.rs", "use kube::Client;");
    let declared = |attribute| format!("{attribute} mod tests;");
    for attribute in ["#[cfg(test)]", "#[cfg(all(test, unix))]"] {
        let a = declared(attribute);
        let files = [("lib.rs", "mod a;"), ("a.rs", a.as_str()), tests, deeper];
        assert!(!knows_a_client(&files), "{attribute}");
    }
    for attribute in ["", "#[cfg(not(test))]", "#[cfg(any(test, unix))]"] {
        let a = declared(attribute);
        let files = [("lib.rs", "mod a;"), ("a.rs", a.as_str()), tests, deeper];
        assert!(knows_a_client(&files), "{attribute}");
    }
}

#[test]
fn a_name_is_followed_through_aliases_globs_and_re_exports() {
    let lib = ("lib.rs", "mod a; mod b; mod cluster;");
    let cluster = ("cluster.rs", "pub(crate) use kube::Client as Connection;");
    for a in [
        "use crate::cluster::Connection;",
        "use super::cluster::*;\nfn f(_: Connection) {}",
        "use crate::cluster as c;\nfn f(_: c::Connection) {}",
        "use crate::b::again::Connection;",
        "use crate as me;\nfn f(_: me::cluster::Connection) {}",
    ] {
        let b = ("b.rs", "pub(crate) use crate::cluster as again;");
        assert!(knows_a_client(&[lib, ("a.rs", a), b, cluster]), "{a}");
    }
    let b = ("b.rs", "");
    let a = ("a.rs", "fn f(kube: u8) { g(kube); }");
    assert!(!knows_a_client(&[lib, a, b, cluster]), "a variable");
}

#[test]
fn modules_are_followed_to_every_place_that_a_file_can_have() {
    let client = "use kube::Client;";
    for files in [
        [("lib.rs", "mod a;"), ("a.rs", "mod b;"), ("a/b.rs", client)],
        [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b;"),
            ("a/b.rs", client),
        ],
        [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b;"),
            ("a/b/mod.rs", client),
        ],
        [("lib.rs", ""), ("main.rs", "mod b;"), ("b.rs", client)],
        [
            ("lib.rs", "mod a { mod b; }"),
            ("a/b.rs", "mod c;"),
            ("a/b/c.rs", client),
        ],
        [
            ("lib.rs", "#[path = \"other/x.rs\"] mod a;"),
            ("other/x.rs", "mod b;"),
            ("other/b.rs", client),
        ],
    ] {
        assert!(knows_a_client(&files), "{files:?}");
    }
}

#[test]
fn imports_that_lead_in_a_circle_end() {
    let lib = ("lib.rs", "mod a; mod b;");
    let a = ("a.rs", "pub use crate::b::*; pub use crate::b::x;");
    let b = (
        "b.rs",
        "pub use crate::a::*; pub use crate::a::x; fn f() { y::z(); x(); }",
    );
    assert!(!knows_a_client(&[lib, a, b]));
}

#[test]
fn a_file_without_a_module_and_a_module_without_a_file_are_errors() {
    for files in [
        [("lib.rs", "mod a;"), ("a/moved.rs", "")],
        [("lib.rs", ""), ("a.rs", "")],
        [("lib.rs", "fn f( {"), ("a.rs", "")],
    ] {
        let parsed = std::panic::catch_unwind(|| cli(&files));
        assert!(parsed.is_err(), "{files:?}");
    }
}

#[test]
fn a_rule_for_a_module_that_moved_or_is_not_used_is_an_error() {
    let rule = RULES
        .iter()
        .find(|rule| rule.why == "one file encrypts backups");
    let rule = rule.unwrap();
    let moved = cli(&[("lib.rs", "mod elsewhere;"), ("elsewhere.rs", "use age;")]);
    assert_eq!(rule.blind_spots(&moved).len(), 2);
    let unused = cli(&[
        ("lib.rs", "mod keys;"),
        ("keys.rs", "mod age;"),
        ("keys/age.rs", ""),
    ]);
    assert_eq!(rule.blind_spots(&unused).len(), 1);
    let used = cli(&[
        ("lib.rs", "mod keys;"),
        ("keys.rs", "mod age;"),
        ("keys/age.rs", "use age as a;"),
    ]);
    assert!(rule.blind_spots(&used).is_empty());
}

fn commands_that_know_each_other(parsed: &Crate) -> Vec<(String, String)> {
    let commands = ["cli".to_owned(), "commands".to_owned()];
    assert!(parsed.module("cli::commands").is_some(), "it moved");
    repo::circles::arrows(parsed, &commands)
        .into_keys()
        .collect()
}

#[test]
fn commands_do_not_know_each_other() {
    let known = commands_that_know_each_other(repo::parsed("cli"));
    assert!(known.is_empty(), "{known:?}");
    for seal in [
        "use crate::commands::unseal::f;",
        "use crate::{commands::{unseal::f as g}, error};",
        "use super::unseal;",
        "use super::*;\nfn g() { unseal::f(); }",
        "fn g() { h!(crate::commands::unseal::f()); }",
        "#[cfg(test)]\nmod tests {}\nfn g() { super::unseal::f(); }",
        "mod below { fn g() { super::super::unseal::f(); } }",
        "use super::f;",
    ] {
        let planted = cli(&[
            ("lib.rs", "mod commands;"),
            ("commands.rs", "mod seal; mod unseal; use self::unseal::f;"),
            ("commands/seal.rs", seal),
            ("commands/unseal.rs", "pub(super) fn f() {}"),
        ]);
        let known = commands_that_know_each_other(&planted);
        assert_eq!(known, [("seal".to_owned(), "unseal".to_owned())], "{seal}");
    }
}

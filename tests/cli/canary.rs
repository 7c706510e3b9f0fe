//! A value is sealed, unsealed and refused in every way; nothing that is printed or written holds
//! it, but what unsealing is for.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::support::{ResealServer, TestKey, TestProject};

const CANARY: &str = "canary-8f2b61d0-value";

/// Asserts that nothing printed or written by the program holds the canary, in plain or base64.
#[track_caller]
fn silent(project: &TestProject, line: &str) -> u8 {
    let outcome = project.spawn(line, &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "1")]);
    let written = outcome
        .changed_files()
        .into_iter()
        .filter_map(|name| outcome.after.get(name));
    for bytes in [&outcome.stdout, &outcome.stderr]
        .into_iter()
        .chain(written)
    {
        let text = String::from_utf8_lossy(bytes);
        for form in forms() {
            assert!(
                !text.contains(&form),
                "{form} in the output of `{line}`:\n{text}"
            );
        }
    }
    outcome.code
}

/// The canary, and its base64 at each of the three offsets, without what depends on neighbours.
fn forms() -> Vec<String> {
    let encoded = ["", "x", "xx"].map(|before| {
        let text = STANDARD.encode(format!("{before}{CANARY}"));
        text[4..text.len() - 4].to_owned()
    });
    encoded
        .into_iter()
        .chain([CANARY.to_owned(), CANARY[8..].to_owned()])
        .collect()
}

fn project() -> TestProject {
    TestProject::empty()
        .file(
            "sceau.yaml",
            "environments:\n  prod: {certificates: [prod.pem], paths: [\"prod/**\"]}\n",
        )
        .file(
            "prod.pem",
            TestKey::Prod.certificate(jiff::Timestamp::now()),
        )
        .private_key("prod.key", TestKey::Prod)
        .private_key("other.key", TestKey::Other)
}

fn secret(items: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\n{items}\n")
}

#[test]
fn sealing_keeps_silent() {
    let base64 = STANDARD.encode(CANARY);
    let plain = secret(&format!(
        "stringData: {{a: {CANARY}}}\ndata: {{b: {base64}}}"
    ));
    let annotated = plain.replace(
        "namespace: b",
        &format!("namespace: b, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{CANARY}'}}"),
    );
    let project = project()
        .file("secret.yaml", &plain)
        .file("annotated.yaml", annotated)
        .file(".env", format!("A={CANARY}\nB='{CANARY}'\n"))
        .file("prod/all.yaml", &plain)
        .stdin(CANARY);
    for line in [
        "seal secret.yaml --environment prod",
        "seal annotated.yaml --environment prod",
        "seal secret.yaml --environment prod -o json -w out.json",
        "seal --name a -n b --environment prod --from-env-file .env",
        "seal --name a -n b --environment prod --from-stdin x",
        "seal --name a -n b --environment prod --from-file x=secret.yaml",
        "seal --in-place prod/all.yaml",
    ] {
        assert_eq!(silent(&project, line), 0, "{line}");
    }
}

#[test]
fn refusing_to_seal_keeps_silent() {
    let base64 = STANDARD.encode(CANARY);
    for text in [
        secret(&format!("stringData: {{a: [{CANARY}]}}")),
        secret(&format!("stringData: {{a: {{{CANARY}: x}}}}")),
        secret(&format!("stringData: {CANARY}")),
        secret(&format!("stringData: [{CANARY}]")),
        secret(&format!("stringData: {{a: !!binary {base64}}}")),
        secret(&format!("stringData: {{a: !{CANARY} x}}")),
        secret(&format!("stringData: {{a: *{CANARY}}}")),
        secret(&format!("stringData: {{a: {{{{ {CANARY} }}}}}}")),
        secret(&format!("stringData:\n  a: @{CANARY}")),
        secret(&format!("stringData:\n  a: \"{CANARY}")),
        secret(&format!("stringData:\n  a: \"{CANARY}\\q\"")),
        secret(&format!("stringData:\n  a: {CANARY}\n b: x")),
        secret(&format!("stringData:\n  a: x: {CANARY}")),
        secret(&format!("stringData:\n  - {CANARY}")),
        secret(&format!("data: {{a: {CANARY}}}")),
        secret(&format!("data: {{a: {base64}!}}")),
        secret(&format!("data: {CANARY}")),
        secret(&format!("immutable: {CANARY}\ndata: {{a: {base64}}}")),
        secret(&format!("metadata2: {CANARY}")),
        secret(&format!("type: [{CANARY}]")),
        secret(&format!("stringData: {{PASSWORD:{CANARY}, b: c}}")),
        secret(&format!("stringData: {{PASSWORD={CANARY}}}")),
        secret(&format!(
            "stringData: {{PASSWORD={CANARY}: x, PASSWORD={CANARY}: y}}"
        )),
        secret(&format!("PASSWORD={CANARY}: x")),
        secret(&format!("{CANARY}: x")),
        secret("").replace("name: a", &format!("name: PASSWORD={CANARY}")),
        secret("").replace("name: a", &format!("PASSWORD={CANARY}: a")),
        secret("").replace("name: a", &format!("labels: {{PASSWORD={CANARY}: [a]}}")),
        secret("").replace("namespace: b", &format!("namespace: PASSWORD={CANARY}")),
        secret("").replace("kind: Secret", &format!("kind: PASSWORD={CANARY}")),
        secret(&format!("stringData: {{a: {CANARY}}}")).replace("namespace: b", "labels: {x: 1}"),
        secret(&format!("stringData: {{a: {CANARY}}}")).replace("kind: Secret", "kind: ConfigMap"),
        format!(
            "{{\"kind\": \"Secret\", \"apiVersion\": \"v1\", \"stringData\": {{\"a\": \"{CANARY}\""
        ),
        format!("{CANARY}\n"),
        format!("- {CANARY}\n"),
    ] {
        let project = project().file("secret.yaml", &text).stdin(&text);
        for line in [
            "seal secret.yaml --environment prod -w out.yaml",
            "seal --environment prod",
            "inspect secret.yaml",
            "unseal secret.yaml --keys prod.key",
            "unseal secret.yaml --keys secret.yaml",
            "certificate show secret.yaml",
        ] {
            assert_ne!(silent(&project, line), 0, "{line}\n{text}");
        }
    }
}

#[test]
fn editing_keeps_silent() {
    let sealed = |metadata: &str| {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {metadata}\nspec:\n  encryptedData: {{}}\n"
        )
    };
    let project = project()
        .file("secret.yaml", secret("stringData: {a: x}"))
        .file("value", CANARY)
        .file("prod/original.yaml", sealed("{name: a, namespace: b}"))
        .file("prod/nowhere.yaml", sealed("{name: a}"))
        .file(
            "prod/damaged.yaml",
            sealed("{name: a, namespace: b") + CANARY,
        )
        .stdin(CANARY);
    let seal = "seal secret.yaml --environment prod -w prod/native.yaml";
    assert_eq!(silent(&project, seal), 0);
    for line in [
        "set prod/native.yaml a --from-stdin",
        "set prod/native.yaml b --from-file value",
        "rename prod/native.yaml a c --keys prod.key",
        "unset prod/native.yaml b",
        "set prod/original.yaml a --from-stdin",
        "rename prod/original.yaml a b",
    ] {
        assert_eq!(silent(&project, line), 0, "{line}");
    }
    for line in [
        "set prod/nowhere.yaml a --from-stdin",
        "set prod/damaged.yaml a --from-stdin",
        "set secret.yaml a --from-stdin",
        "set value a --from-stdin",
        "rename prod/native.yaml c a --keys other.key",
        "rename prod/native.yaml c a --keys value",
        "unset prod/damaged.yaml a",
    ] {
        assert_eq!(silent(&project, line), 1, "{line}");
    }
}

#[test]
fn refusing_a_dotenv_file_keeps_silent() {
    for line in [
        CANARY.to_owned(),
        format!("{CANARY} = x"),
        format!("A = {CANARY}"),
        format!("A='{CANARY}"),
        format!("A=\"{CANARY}\\q\""),
        format!("A=${CANARY}"),
        format!("{}=", "x ".to_owned() + CANARY),
        format!("A={CANARY}\nA={CANARY}"),
    ] {
        let project = project().file(".env", &line);
        let code = silent(
            &project,
            "seal --name a -n b --environment prod --from-env-file .env",
        );
        assert_eq!(code, 1, "{line}");
    }
}

#[test]
fn a_value_on_the_command_line_is_not_repeated() {
    for line in [
        format!("seal --from-literal a={CANARY}"),
        format!("seal --from-literal=a={CANARY}"),
        format!("seal --name a -n b --from-literal a={CANARY}"),
        format!("seal --name a -n b --item password={CANARY}"),
        format!("seal --name a -n b --from-stdin password={CANARY}"),
        format!("seal --name a -n b --from-stdin=password={CANARY}"),
        format!("seal --name a -n b --from-file pass:word={CANARY}"),
        format!("seal --name a -n b --item password {CANARY}"),
        format!("seal --name a -n b --item password password={CANARY}"),
        format!("seal --name a -n b --label {CANARY}"),
        format!("seal --name password={CANARY} -n b"),
        format!("seal --name a -n password={CANARY}"),
        format!("seal --environment password={CANARY}"),
        format!("seal --output password={CANARY}"),
        format!("seal --scope password={CANARY}"),
        format!("seal --password={CANARY}"),
        format!("seal -p{CANARY}"),
        format!("init password={CANARY}"),
        format!("password={CANARY}"),
        format!("certificate password={CANARY}"),
    ] {
        assert_eq!(silent(&project(), &line), 2, "{line}");
    }
    for line in [
        format!("seal --name a -n b --environment prod --from-file password={CANARY}"),
        format!("seal --name a -n b --environment prod --from-env-file password={CANARY}"),
        format!("seal password={CANARY}"),
        format!("seal --in-place password={CANARY}"),
        format!("inspect password={CANARY}"),
        format!("unseal --keys password={CANARY}"),
        format!("certificate show password={CANARY}"),
    ] {
        assert_eq!(silent(&project(), &line), 1, "{line}");
    }
}

#[test]
fn refusing_to_unseal_keeps_silent() {
    let project = project().file(
        "secret.yaml",
        secret(&format!("stringData: {{a: {CANARY}}}")),
    );
    let sealed = project
        .spawn("seal secret.yaml --environment prod", &[])
        .done();
    let moved = sealed.stdout().replace("name: a", "name: z");
    let project = project
        .file("sealed.yaml", sealed.stdout())
        .file("moved.yaml", moved);
    for line in [
        "unseal sealed.yaml --keys other.key",
        "unseal moved.yaml --keys prod.key -w out.yaml",
        "unseal sealed.yaml moved.yaml --keys prod.key",
        "unseal secret.yaml --keys prod.key",
        "inspect secret.yaml",
    ] {
        assert_eq!(silent(&project, line), 1, "{line}");
    }
    assert_eq!(silent(&project, "inspect sealed.yaml secret.yaml"), 0);
}

#[test]
fn resealing_keeps_silent() {
    let plain = secret(&format!("stringData: {{a: {CANARY}}}"));
    let project = project().file("secret.yaml", &plain);
    let sealed = project
        .spawn("seal secret.yaml --environment prod", &[])
        .done();
    let moved = sealed.stdout().replace("name: a", "name: z");
    let project = project
        .file("prod/moved.yaml", moved)
        .file(
            "prod/sealed.yaml",
            format!("{plain}---\n{}", sealed.stdout()),
        )
        .file(
            "prod.pem",
            TestKey::Other.certificate(jiff::Timestamp::now()),
        );
    // The plain Secret stands in what is written, as it did before: not in what is printed.
    std::fs::remove_file(project.path("secret.yaml")).unwrap();
    assert_eq!(silent(&project, "reseal --dry-run"), 3);
    assert_eq!(
        silent(&project, "reseal prod/moved.yaml --keys prod.key"),
        1
    );
    assert_eq!(silent(&project, "reseal --keys other.key"), 1);
    let outcome = project.spawn("reseal prod/sealed.yaml --keys prod.key -o json", &[]);
    let outcome = outcome.done();
    for form in forms() {
        assert!(!outcome.stdout().contains(&form), "{outcome}");
        assert!(!outcome.stderr().contains(&form), "{outcome}");
    }
}

#[test]
fn revoking_keeps_silent() {
    let plain = secret(&format!("stringData: {{a: {CANARY}}}"));
    let server = ResealServer::renewing(&[TestKey::Prod, TestKey::Dev], TestKey::Other);
    let project = project().file("secret.yaml", &plain);
    let sealed = project
        .spawn("seal secret.yaml --environment prod", &[])
        .done();
    let damaged =
        format!("{plain}---\napiVersion: sceau.dev/v1alpha1\nkind: SealedSecret\nspec: {CANARY}\n");
    let project = project
        .file("prod/sealed.yaml", sealed.stdout())
        .file("prod/damaged.yaml", damaged)
        .file("kubeconfig", server.kubeconfig());
    let rekey = "rekey --environment prod --kubeconfig kubeconfig";
    assert_eq!(silent(&project, &format!("{rekey} --finish")), 1);
    assert_eq!(silent(&project, &format!("{rekey} --compromised --yes")), 3);
}

#[test]
fn unsealing_says_it_where_it_is_asked_to_and_nowhere_else() {
    let project = project().file(
        "secret.yaml",
        secret(&format!("stringData: {{a: {CANARY}}}")),
    );
    let sealed = project
        .spawn("seal secret.yaml --environment prod", &[])
        .done();
    let project = project.file("sealed.yaml", sealed.stdout());
    let outcome = project
        .spawn(
            "unseal sealed.yaml --keys prod.key",
            &[("RUST_LOG", "trace")],
        )
        .done();
    assert!(outcome.stdout().contains(&STANDARD.encode(CANARY)));
    assert_eq!(outcome.stderr(), "");
    assert_eq!(outcome.changed_files(), Vec::<&str>::new());
}

#[test]
fn offboarding_keeps_silent() {
    let people = "people:\n  alice: {operates: [prod]}\n";
    let plain = secret(&format!("stringData: {{a: {CANARY}}}"));
    let project = project().file("secret.yaml", &plain).stdin(CANARY);
    let project_file = format!("{}{people}", project.text("sceau.yaml"));
    let mut project = project.file("sceau.yaml", &project_file);
    let seal = "seal secret.yaml --environment prod -w prod/sealed.yaml";
    assert_eq!(silent(&project, seal), 0);
    // What should never be committed, was: beside a SealedSecret, and where nothing can be read.
    let both = format!("{plain}---\n{}", project.text("prod/sealed.yaml"));
    let damaged = format!("kind: SealedSecret\n{CANARY}: [{CANARY}\n{{{{ {CANARY} }}}}\n");
    project = project
        .file("prod/both.yaml", both)
        .file("prod/damaged.yaml", damaged)
        .file("sceau.yaml", format!("{people}  {CANARY}: [{CANARY}\n"));
    project.set_clock("2026-01-01T12:00:00Z");
    let _ = project.git(&["init", "--quiet"]);
    project.commit("Everything");
    std::fs::remove_file(project.path("secret.yaml")).unwrap();
    std::fs::remove_file(project.path("prod/both.yaml")).unwrap();
    let project = project.file("sceau.yaml", project_file);
    project.commit("Less");
    for (line, code) in [
        ("offboard alice --dry-run", 0),
        ("offboard alice --dry-run -o yaml", 0),
        ("offboard alice --no-rekey", 0),
        ("rotations", 0),
        ("set prod/sealed.yaml a --from-stdin", 0),
        ("rotations --mark", 0),
        ("rotations --check -o json", 3),
    ] {
        assert_eq!(silent(&project, line), code, "{line}");
    }
}

//! The real gitleaks with its default rules: quiet about what is sealed, loud about what is not.

use cluster::{commands::Finished, programs, tools::Tool};
use interop::{Workplace, vector};

/// Names that scanners look behind for a value.
const AWKWARD_NAMES: [&str; 20] = [
    "password",
    "PASSWORD",
    "api_key",
    "API-KEY",
    "apikey",
    "token",
    "access_token",
    "secret",
    "client_secret",
    "AWS_SECRET_ACCESS_KEY",
    "aws_access_key_id",
    "github_token",
    "slack.webhook",
    "STRIPE_SECRET_KEY",
    "private_key",
    "credentials",
    "auth",
    "jwt",
    "db.passwd",
    "bearer",
];
const MANIFESTS: usize = 1000;
const PROJECT: &str = "environments:\n  prod: {certificates: [certificate.pem]}\n";

/// Secrets in one stream, every item under an awkward name, none of the values twice.
fn secrets() -> String {
    let secret = |n: usize| {
        let item = |(m, name): (usize, &&str)| {
            let value = ((n * 31 + m) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!("  {name}: \"{value:016x}\"\n")
        };
        let names = AWKWARD_NAMES.iter().skip(n % 16).take(5).enumerate();
        let items: String = names.map(item).collect();
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: token-{n}, namespace: shop}}\nstringData:\n{items}"
        )
    };
    (0..MANIFESTS).map(secret).collect()
}

async fn gitleaks_says(here: &Workplace, file: &str) -> Finished {
    here.runs(
        Tool::Gitleaks.path(),
        &format!("dir {file} --no-banner --verbose"),
        "",
    )
    .await
}

#[test]
fn gitleaks_finds_nothing_in_a_thousand_sealed_manifests_and_a_plaintext_beside_them() {
    cluster::run(async {
        let here = Workplace::empty()
            .with("certificate.pem", &vector("test-4096.crt"))
            .with("sceau.yaml", PROJECT);
        let sceau = programs::sceau().await;
        let words = "seal - --environment prod --write sealed.yaml";
        let _ = here.runs(sceau, words, &secrets()).await.succeeded();
        let sealed = here.text_of("sealed.yaml");
        assert_eq!(sealed.matches("kind: SealedSecret").count(), MANIFESTS);
        let _ = gitleaks_says(&here, "sealed.yaml").await.succeeded();

        // Written in two parts, so that this file itself stays quiet.
        let planted = format!(
            "password: {}\n",
            ["9c1185a5c5e9fc54", "612808977ee8f548b2258d31"].concat()
        );
        let here = here.with("planted.yaml", &format!("{sealed}---\n{planted}"));
        let found = gitleaks_says(&here, "planted.yaml").await;
        assert_eq!(found.code, Some(1), "{found:#?}");
        assert!(found.stderr.contains("leaks found: 1"), "{found:#?}");
    });
}

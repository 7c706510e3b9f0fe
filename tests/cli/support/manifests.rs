//! Secrets and SealedSecrets as they stand in files.

use super::{NOW, Outcome, TestKey, TestProject};

/// The Secret shop/api with the item `password`.
pub(crate) const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: api
  namespace: shop
stringData:
  password: hunter2
";

/// Where the manifest of prod is in the projects of [`TestProject::sealed`].
pub(crate) const FILE: &str = "deploy/api/prod/secret.yaml";

/// An empty SealedSecret in the kubeseal format, with this metadata.
pub(crate) fn bitnami(metadata: &str) -> String {
    format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {metadata}\nspec:\n  encryptedData: {{}}\n"
    )
}

/// The Secret b/a with these further fields.
pub(crate) fn secret_with(fields: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\n{fields}")
}

/// [`SECRET`] under another name.
pub(crate) fn secret_named(name: &str) -> String {
    SECRET.replace("name: api", &format!("name: {name}"))
}

/// A List of these objects.
pub(crate) fn list_of(objects: &[impl AsRef<str>]) -> String {
    let items = objects.iter().map(|object| {
        let object = object.as_ref().trim_end().replace('\n', "\n  ");
        format!("- {object}\n")
    });
    let items: String = items.collect();
    format!("apiVersion: v1\nkind: List\nitems:\n{items}")
}

/// Projects that begin with a Secret, plain or sealed.
impl TestProject {
    /// A project whose `secret.yaml` holds this Secret.
    pub(crate) fn with_secret(secret: impl AsRef<[u8]>) -> Self {
        Self::new().file("secret.yaml", secret)
    }

    /// Seals `secret.yaml` for prod with these further flags.
    #[must_use = "a command line that nobody looks at tests nothing"]
    pub(crate) fn seal(&self, flags: &str) -> Outcome {
        self.run(&format!("seal secret.yaml --environment prod {flags}"))
    }

    /// A project in which this file holds [`SECRET`] sealed for prod, beside private keys: `prod.key`
    /// opens it, and `other.key` does not.
    #[track_caller]
    pub(crate) fn sealed_in(file: &str) -> Self {
        let project = Self::with_secret(SECRET)
            .private_key("prod.key", TestKey::Prod)
            .private_key("other.key", TestKey::Other);
        project.seal(&format!("-w {file}")).done();
        project
    }

    /// The same with the manifest in [`FILE`].
    #[track_caller]
    pub(crate) fn sealed() -> Self {
        Self::sealed_in(FILE)
    }

    /// The same where another key is pinned meanwhile: the manifest is sealed to Prod, and Other is
    /// pinned.
    #[track_caller]
    pub(crate) fn stale() -> Self {
        Self::sealed().pinning(&[TestKey::Other])
    }

    /// Pins these keys for prod, and takes the other environments out.
    pub(crate) fn pinning(self, keys: &[TestKey]) -> Self {
        let names: Vec<_> = keys
            .iter()
            .map(|key| format!("certificates/{key:?}.pem"))
            .collect();
        let project_file = format!(
            "environments:\n  prod: {{certificates: [{}], paths: [\"deploy/*/prod/**\"]}}\n",
            names.join(", ")
        );
        let now = NOW.parse().unwrap();
        keys.iter()
            .zip(&names)
            .fold(self, |project, (key, name)| {
                project.file(name, key.certificate(now))
            })
            .file("sceau.yaml", project_file)
    }

    /// A project of an environment with two clusters, whose manifest is sealed to the keys of both:
    /// Dev and Prod.
    #[track_caller]
    pub(crate) fn of_two_clusters() -> Self {
        let project = Self::sealed().pinning(&[TestKey::Dev, TestKey::Prod]);
        project.run("reseal --keys prod.key").done();
        project
    }

    /// Adds a copy of the manifest in [`FILE`] under a name that it was not sealed for.
    #[track_caller]
    pub(crate) fn with_moved_copy(self) -> Self {
        let moved = self.text(FILE).replace("name: api", "name: moved");
        self.file("deploy/api/prod/moved.yaml", moved)
    }

    /// Replaces a text in a file, which must have it.
    #[track_caller]
    pub(crate) fn replacing(self, file: &str, from: &str, to: &str) -> Self {
        let text = self.text(file);
        assert!(text.contains(from), "{text}");
        self.file(file, text.replace(from, to))
    }

    /// What `sceau unseal` prints of a file with the private keys of another.
    #[track_caller]
    pub(crate) fn unsealed(&self, file: &str, keys: &str) -> String {
        let outcome = self.run(&format!("unseal {file} --keys {keys}")).done();
        outcome.stdout().to_owned()
    }
}

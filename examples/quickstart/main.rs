//! The whole workflow without a cluster: `cargo run --example quickstart`.
//!
//! It generates a sealing key, seals `secret.yaml` as `sceau seal` does, and prints the result.
//! Then it asks the controller's own plan which Secret it would write.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::{error::Error, fs, io, path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use sceau::{Io, Terminals};
use sceau_controller::{NamespaceMatch, Observed, Plan, ResolvedEnvironment, plan};
use sealing::{
    EnvironmentName, Issue, KeyRing, SealingKey, issue_certificate,
    resource::{EnvironmentSpec, SealedSecret, SealedSecretStatus},
};

const SECRET: &str = include_str!("secret.yaml");
const PROJECT: &str = "environments:\n  prod: {certificates: [prod.pem]}\n";

fn main() -> Result<(), Box<dyn Error>> {
    println!("Generating a sealing key of 4096 bits, as the controller does ...\n");
    let key = SealingKey::generate(4096)?;

    println!("A Secret that must not be committed, examples/quickstart/secret.yaml:\n\n{SECRET}");
    let repository = tempfile::tempdir()?;
    fs::write(repository.path().join("prod.pem"), certificate_of(&key)?)?;
    fs::write(repository.path().join("sceau.yaml"), PROJECT)?;
    let sealed = seal(repository.path())?;

    println!("Sealed for environment prod; you may commit this:\n\n{sealed}");
    println!("A controller with this key would write:\n");
    print!("{}", what_would_be_written(&sealed, key)?);
    Ok(())
}

fn certificate_of(key: &SealingKey) -> Result<String, Box<dyn Error>> {
    let not_before = Timestamp::now();
    let not_after = not_before + SignedDuration::from_hours(24 * 365);
    Ok(issue_certificate(
        key,
        &Issue {
            subject: "sceau prod",
            not_before,
            not_after,
        },
    )?)
}

/// `sceau seal --environment prod < secret.yaml`, in this process.
fn seal(repository: &Path) -> Result<String, Box<dyn Error>> {
    let (mut printed, mut complaints) = (Vec::new(), Vec::new());
    let words = ["sceau", "seal", "--environment", "prod"];
    let code = sceau::run(
        words.map(Into::into),
        &mut Io {
            stdin: &mut SECRET.as_bytes(),
            stdout: &mut printed,
            help: &mut io::sink(),
            stderr: &mut complaints,
            prompt: &mut |_| Err(io::ErrorKind::Unsupported.into()),
            terminals: Terminals {
                stdin: false,
                stdout: false,
            },
            now: Timestamp::now(),
            directory: repository.to_owned(),
        },
    );
    if code != 0 {
        return Err(String::from_utf8(complaints)?.into());
    }
    Ok(String::from_utf8(printed)?)
}

/// The Secret that a controller with only this key would write, in a namespace of environment prod.
fn what_would_be_written(sealed: &str, key: SealingKey) -> Result<String, Box<dyn Error>> {
    let object: SealedSecret = serde_saphyr::from_str(sealed)?;
    let spec = object.spec.clone();
    let environment = ResolvedEnvironment {
        name: EnvironmentName::parse("prod")?,
        spec: serde_saphyr::from_str::<EnvironmentSpec>("namespaces: [shop]")?,
        ring: KeyRing::from_iter([key]),
    };
    let observed = Observed {
        object: Arc::new(object.into()),
        status: SealedSecretStatus::default(),
        namespace_match: NamespaceMatch::To(Arc::new(environment)),
        secret: Ok(None),
        fingerprint_key: None,
        now: Timestamp::now(),
    };
    let planned = match plan(&observed) {
        Plan::Unseal(permitted) => permitted
            .unsealing(spec)
            .and_then(|unsealing| unsealing.open()),
        Plan::Report(failure) => Err(failure),
        Plan::Leave => return Err("there is nothing to do".into()),
    };
    match planned {
        Ok(opened) => Ok(opened.secret.to_string()),
        Err(failure) => Err(failure.message.into()),
    }
}

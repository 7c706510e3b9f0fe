//! `sceau certificate generate`: a key pair for a person, a machine or recovery.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use sealing::{Issue, SealingKey, issue_certificate};

use crate::{
    error::{CommandError, Result},
    output::{self, Audience, Existing, NewFile},
    ui::{self, Io},
};

/// Generate a key pair for a person, a machine or offline recovery
///
/// Writes a private RSA key of 4096 bits, readable by you only, and a self-signed certificate for
/// it. Neither file may exist. Commit the certificate. Keep the private key on its machine, or, for
/// recovery, offline.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct GenerateArguments {
    /// The owner of the key: the common name in the certificate
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    subject: String,

    /// Write the private key to this new file
    #[arg(long, value_name = "FILE")]
    write_key: PathBuf,

    /// Write the certificate to this new file
    #[arg(long, value_name = "FILE")]
    write_certificate: PathBuf,

    /// How many days the certificate may be sealed to
    #[arg(long, value_name = "DAYS", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

const EXAMPLES: &str = "\
Examples:
  sceau certificate generate --subject alice --write-key ~/.config/sceau/alice.key \\
    --write-certificate certificates/people/alice.pem";

const BITS: usize = 4096;

pub(in crate::commands) fn run(arguments: &GenerateArguments, io: &mut Io<'_>) -> Result<()> {
    let files = [arguments.write_key.as_path(), &arguments.write_certificate];
    output::reject_existing(&io.directory, &files)?;
    let sealing_key = SealingKey::generate(BITS).map_err(CommandError::bug)?;
    let issue = Issue {
        subject: &arguments.subject,
        not_before: io.now,
        not_after: io.now + SignedDuration::from_hours(24 * i64::from(arguments.days)),
    };
    let certificate = issue_certificate(&sealing_key, &issue).map_err(CommandError::bug)?;
    let pem = sealing_key.to_pem().map_err(CommandError::bug)?;
    let stage = |name: &Path, text: &str, audience| {
        let file = NewFile {
            directory: &io.directory,
            name,
            bytes: text.as_bytes(),
            audience,
        };
        output::stage(&file, Existing::Keep)
    };
    output::commit(vec![
        stage(&arguments.write_key, &pem, Audience::Owner)?,
        stage(
            &arguments.write_certificate,
            &certificate,
            Audience::Everyone,
        )?,
    ])?;
    ui::note(
        io,
        format_args!(
            "{} holds the private key {}",
            arguments.write_key.display(),
            sealing_key.id()
        ),
    );
    ui::note(
        io,
        format_args!(
            "{} holds its certificate",
            arguments.write_certificate.display()
        ),
    );
    Ok(())
}

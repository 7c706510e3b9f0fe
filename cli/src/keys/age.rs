//! Files that several people can decrypt, each with their own key: age files
//! (<https://age-encryption.org/v1>), which the program `age` decrypts too.
//!
//! No other file names the age crate. An identity is a private key: no message repeats it, or a
//! text that may be one.

use std::{
    fmt,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use age::{
    DecryptError, Decryptor, Encryptor, IdentityFile,
    armor::{ArmoredReader, ArmoredWriter, Format},
    scrypt, secrecy, x25519,
};
use zeroize::Zeroizing;

use crate::{
    error::{CommandError, Result},
    input,
    ui::Io,
};

/// The first characters of an identity, in any case.
const IDENTITY_PREFIX: &str = "AGE-SECRET-KEY-";

/// The first bytes of an age file, in its two forms.
const BEGINNINGS: [&[u8]; 2] = [
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// A recipient of a backup.
pub(crate) struct RecoveryRecipient(x25519::Recipient);

impl fmt::Display for RecoveryRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads recipients from the command line, and from files with one recipient a line. Empty lines
/// and lines that begin with `#` are ignored. At least one is required; duplicates count once.
pub(crate) fn read_recipients(
    texts: &[String],
    files: &[PathBuf],
    io: &Io<'_>,
) -> Result<Vec<RecoveryRecipient>> {
    let mut recipients = Vec::new();
    for text in texts {
        recipients.push(parse_recipient(text).map_err(|error| error.at("--recipient"))?);
    }
    for file in files {
        reject_identity(&file.to_string_lossy())?;
        let text = input::read_text(&io.directory, file)?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let place = format!("{}:{number}", file.display());
                recipients.push(parse_recipient(line).map_err(|error| error.at(place))?);
            }
        }
    }
    recipients.sort_by_key(ToString::to_string);
    recipients.dedup_by_key(|recipient| recipient.to_string());
    if recipients.is_empty() {
        return Err(CommandError::user("no recipient was given")
            .hint("pass a public key of `age-keygen`: `--recipient age1...`"));
    }
    Ok(recipients)
}

fn parse_recipient(text: &str) -> Result<RecoveryRecipient> {
    reject_identity(text)?;
    text.parse().map(RecoveryRecipient).map_err(|_| {
        CommandError::user("this is not an age recipient").hint(
            "use a recipient that begins with `age1`: plug-ins and SSH keys are not supported",
        )
    })
}

/// Rejects a text of the command line that is an identity, without repeating it.
pub(crate) fn reject_identity(text: &str) -> Result<()> {
    if !text.to_uppercase().contains(IDENTITY_PREFIX) {
        return Ok(());
    }
    Err(
        CommandError::user("this is an identity, which is a private key, and is not repeated").hint(
            "generate another identity with `age-keygen`, back up for it, and destroy the earlier \
             backups: this one may have leaked",
        ),
    )
}

/// Private keys that decrypt backups.
pub(crate) struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// Reads identity files, as `age-keygen` writes them. Prompts for the passphrase of a protected
    /// file.
    pub(crate) fn read(files: &[PathBuf], io: &mut Io<'_>) -> Result<Self> {
        let mut identities = Vec::new();
        for file in files {
            reject_identity(&file.to_string_lossy())?;
            let bytes = input::read_bytes(&io.directory, file)?;
            let text = match decrypt_protected(&bytes, file, io)? {
                Some(text) => text,
                None => bytes,
            };
            identities.extend(parse_identities(&text, file)?);
        }
        Ok(Self(identities))
    }
}

fn parse_identities(text: &[u8], file: &Path) -> Result<Vec<Box<dyn age::Identity + Send + Sync>>> {
    let no_identity = || {
        let file = file.display();
        CommandError::user(format!("{file} is not an age identity file"))
            .hint("pass a file of `age-keygen`, with lines that begin with `AGE-SECRET-KEY-1`")
    };
    let identities = IdentityFile::from_buffer(text)
        .map_err(|_| no_identity())?
        .into_identities()
        .map_err(|_| no_identity())?;
    if identities.is_empty() {
        return Err(no_identity());
    }
    Ok(identities)
}

/// The text of an identity file that is protected by a passphrase; nothing for any other file.
fn decrypt_protected(
    bytes: &[u8],
    file: &Path,
    io: &mut Io<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    if !begins_as_age_file(bytes) {
        return Ok(None);
    }
    let file = file.display();
    let passphrase = (io.prompt)(&format!("Passphrase of {file}: ")).map_err(|_| {
        CommandError::user(format!(
            "{file} is protected by a passphrase, and its prompt needs a terminal"
        ))
    })?;
    let passphrase = secrecy::SecretString::from(passphrase.as_str());
    let decrypted = decrypt_bytes(bytes, &[Box::new(scrypt::Identity::new(passphrase))]);
    decrypted.map(Some).map_err(|fault| {
        CommandError::user(match fault {
            Fault::NotForThese => format!("the passphrase does not decrypt {file}"),
            Fault::NoAgeFile | Fault::Damaged => format!("{file} is damaged"),
        })
    })
}

/// Encrypts a text for all recipients, with ASCII armor.
pub(crate) fn encrypt(plaintext: &[u8], recipients: &[RecoveryRecipient]) -> Result<Vec<u8>> {
    let recipients = recipients
        .iter()
        .map(|recipient| &recipient.0 as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(CommandError::bug)?;
    let written = || -> io::Result<Vec<u8>> {
        let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armored)?;
        writer.write_all(plaintext)?;
        writer.finish()?.finish()
    };
    written().map_err(CommandError::bug)
}

/// Decrypts an age file, armored or not, that the user calls `file`. A truncated or modified file
/// is an error.
pub(crate) fn decrypt(
    bytes: &[u8],
    identities: &Identities,
    file: &Path,
) -> Result<Zeroizing<Vec<u8>>> {
    let file = file.display();
    decrypt_bytes(bytes, &identities.0).map_err(|fault| match fault {
        Fault::NoAgeFile => {
            CommandError::user(format!("{file} is not a backup: it is not an age file"))
        }
        Fault::NotForThese => {
            CommandError::user(format!("none of these identities decrypts {file}"))
                .hint("pass the identity file of one of its recipients with `--identity`")
        }
        Fault::Damaged => {
            CommandError::user(format!("{file} is damaged or incomplete, and was not used"))
                .hint("use another copy")
        }
    })
}

enum Fault {
    NoAgeFile,
    NotForThese,
    Damaged,
}

fn begins_as_age_file(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    BEGINNINGS
        .iter()
        .any(|beginning| bytes.starts_with(beginning))
}

fn decrypt_bytes(
    bytes: &[u8],
    identities: &[Box<dyn age::Identity + Send + Sync>],
) -> std::result::Result<Zeroizing<Vec<u8>>, Fault> {
    if !begins_as_age_file(bytes) {
        return Err(Fault::NoAgeFile);
    }
    let explain = |error: DecryptError| match error {
        // A wrong passphrase causes `DecryptionFailed`.
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed => Fault::NotForThese,
        _ => Fault::Damaged,
    };
    let identities = identities
        .iter()
        .map(|identity| &**identity as &dyn age::Identity);
    let mut reader = Decryptor::new_buffered(ArmoredReader::new(bytes))
        .and_then(|decryptor| decryptor.decrypt(identities))
        .map_err(explain)?;
    // Sized beforehand: a growing buffer would leave copies behind that are not wiped.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader
        .read_to_end(&mut plaintext)
        .map_err(|_| Fault::Damaged)?;
    Ok(plaintext)
}

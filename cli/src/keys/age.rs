//! Files that several people can open, each with a key of their own: age files
//! (<https://age-encryption.org/v1>), so that the program `age` opens them too.
//!
//! It is the only file that names that format's crate. An identity is a private key: neither it
//! nor what may be one is ever repeated.

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

/// How the text of an identity begins, in any case of its letters.
const IDENTITY_PREFIX: &str = "AGE-SECRET-KEY-";

/// What an age file begins with, in its two forms.
const BEGINNINGS: [&[u8]; 2] = [
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// Somebody who can open a backup.
pub(crate) struct RecoveryRecipient(x25519::Recipient);

impl fmt::Display for RecoveryRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads recipients from the command line and from files of one a line, in which empty lines and
/// lines that begin with `#` say nothing. There must be one; one that comes twice counts once.
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
        refuse_identity(&file.to_string_lossy())?;
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
        return Err(CommandError::user("there is no recipient")
            .hint("name who may open it: `--recipient age1...`, as `age-keygen` prints it"));
    }
    Ok(recipients)
}

fn parse_recipient(text: &str) -> Result<RecoveryRecipient> {
    refuse_identity(text)?;
    text.parse().map(RecoveryRecipient).map_err(|_| {
        CommandError::user("this is no recipient of age")
            .hint("a recipient begins with `age1`; those of plug-ins and of SSH are not supported")
    })
}

/// Refuses a text of the command line that is an identity, without repeating it.
pub(crate) fn refuse_identity(text: &str) -> Result<()> {
    if !text.to_uppercase().contains(IDENTITY_PREFIX) {
        return Ok(());
    }
    Err(
        CommandError::user("this is an identity, a private key, and not repeated").hint(
            "whoever saw it can open what was encrypted for it: make another one with `age-keygen`, \
             back up for that one, and destroy the backups of before",
        ),
    )
}

/// Private keys that open backups.
pub(crate) struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// Reads identity files, as `age-keygen` writes them. For one that is protected by a
    /// passphrase, that is asked for.
    pub(crate) fn read(files: &[PathBuf], io: &mut Io<'_>) -> Result<Self> {
        let mut identities = Vec::new();
        for file in files {
            refuse_identity(&file.to_string_lossy())?;
            let bytes = input::read_bytes(&io.directory, file)?;
            let text = match open_protected(&bytes, file, io)? {
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
        CommandError::user(format!("{file} is no identity file of age"))
            .hint("it holds lines that begin with `AGE-SECRET-KEY-1`, as `age-keygen` writes them")
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

/// The text of an identity file that is protected by a passphrase; nothing of any other.
fn open_protected(
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
            "{file} is protected by a passphrase, and there is no terminal to ask for it"
        ))
    })?;
    let passphrase = secrecy::SecretString::from(passphrase.as_str());
    let opened = open(bytes, &[Box::new(scrypt::Identity::new(passphrase))]);
    opened.map(Some).map_err(|fault| {
        CommandError::user(match fault {
            Fault::NotForThese => format!("the passphrase does not open {file}"),
            Fault::NoAgeFile | Fault::Damaged => format!("{file} is damaged"),
        })
    })
}

/// Encrypts a text for all recipients, as armored text: 64 letters a line.
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

/// Opens an age file, armored or not, that its user calls `file`. All of it is there and
/// unchanged, or it is an error.
pub(crate) fn decrypt(
    bytes: &[u8],
    identities: &Identities,
    file: &Path,
) -> Result<Zeroizing<Vec<u8>>> {
    let file = file.display();
    open(bytes, &identities.0).map_err(|fault| match fault {
        Fault::NoAgeFile => CommandError::user(format!("{file} is no backup: it is no age file")),
        Fault::NotForThese => CommandError::user(format!("{file} is for none of these identities"))
            .hint("give the identity file of one of its recipients with `--identity`"),
        Fault::Damaged => {
            CommandError::user(format!("{file} is damaged, or not all of it is there"))
                .hint("nothing of it was used: take another copy")
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

fn open(
    bytes: &[u8],
    identities: &[Box<dyn age::Identity + Send + Sync>],
) -> std::result::Result<Zeroizing<Vec<u8>>, Fault> {
    if !begins_as_age_file(bytes) {
        return Err(Fault::NoAgeFile);
    }
    let explain = |error: DecryptError| match error {
        // The latter is what a wrong passphrase comes to.
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed => Fault::NotForThese,
        _ => Fault::Damaged,
    };
    let identities = identities
        .iter()
        .map(|identity| &**identity as &dyn age::Identity);
    let mut reader = Decryptor::new_buffered(ArmoredReader::new(bytes))
        .and_then(|decryptor| decryptor.decrypt(identities))
        .map_err(explain)?;
    // Sized beforehand: a growing buffer would leave copies behind that nobody wipes.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader
        .read_to_end(&mut plaintext)
        .map_err(|_| Fault::Damaged)?;
    Ok(plaintext)
}

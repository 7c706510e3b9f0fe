//! The value of one item: from a file, standard input or a prompt, or generated here without
//! showing it.

use std::{fmt, path::PathBuf, str::FromStr};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sealing::{ItemName, Plaintext};
use zeroize::Zeroizing;

use super::{Flags, prompt, read_bytes, read_stdin, read_stdin_item};
use crate::{
    error::{CommandError, Result},
    ui::Io,
};

/// The source of one value.
#[derive(Debug, Clone)]
pub(crate) enum ValueSource {
    File(PathBuf),
    Generated(Recipe),
    Prompt,
    Stdin,
}

/// Reads or generates the value of `name`.
pub(crate) fn read_value(
    name: &ItemName,
    source: &ValueSource,
    io: &mut Io<'_>,
) -> Result<Plaintext> {
    let flags = Flags {
        empty_file: "`--from-file /dev/null`".to_owned(),
        prompt: "remove `--from-stdin`".to_owned(),
        stdin: "`--from-stdin`".to_owned(),
    };
    match source {
        ValueSource::File(path) => read_bytes(&io.directory, path).map(Plaintext::new),
        ValueSource::Generated(recipe) => recipe.generate(),
        ValueSource::Prompt => prompt(name, &flags, io),
        ValueSource::Stdin => read_stdin_item(name, &flags, io),
    }
}

/// Reads a value to trace, which is stored nowhere.
pub(crate) fn read_traced(from_stdin: bool, io: &mut Io<'_>) -> Result<Plaintext> {
    if from_stdin && io.terminals.stdin {
        return Err(
            CommandError::user("the terminal would show the value as you type")
                .hint("remove `--from-stdin` to use the prompt without echo"),
        );
    }
    if from_stdin {
        return read_stdin(io).map(Plaintext::new);
    }
    let mut typed = (io.prompt)("Value: ").map_err(|_| {
        CommandError::user("the prompt for the value needs a terminal")
            .hint("use standard input: `--from-stdin`")
    })?;
    Ok(Plaintext::new(std::mem::take(&mut *typed).into_bytes()))
}

/// A random value: its bytes and their encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipe {
    bytes: usize,
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64,
    Base64Url,
    Hex,
}

/// Fewer bytes can be guessed. No password or key needs more.
const BYTES: std::ops::RangeInclusive<usize> = 16..=4096;

impl FromStr for Recipe {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (bytes, encoding) = text
            .split_once(':')
            .ok_or("expected BYTES:ENCODING, such as 32:base64")?;
        let bytes = bytes.parse().ok().filter(|bytes| BYTES.contains(bytes));
        Ok(Self {
            bytes: bytes.ok_or_else(|| {
                format!(
                    "the number of bytes must be from {} to {}",
                    BYTES.start(),
                    BYTES.end()
                )
            })?,
            encoding: match encoding {
                "base64" => Encoding::Base64,
                "base64url" => Encoding::Base64Url,
                "hex" => Encoding::Hex,
                _ => return Err("the encoding must be base64, base64url or hex".to_owned()),
            },
        })
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoding = match self.encoding {
            Encoding::Base64 => "base64",
            Encoding::Base64Url => "base64url",
            Encoding::Hex => "hex",
        };
        write!(f, "{} random bytes as {encoding}", self.bytes)
    }
}

impl Recipe {
    fn generate(self) -> Result<Plaintext> {
        let random = Plaintext::random(self.bytes).map_err(CommandError::user)?;
        let mut text = Zeroizing::new(String::with_capacity(2 * self.bytes));
        match self.encoding {
            Encoding::Base64 => STANDARD.encode_string(random.expose(), &mut text),
            Encoding::Base64Url => URL_SAFE_NO_PAD.encode_string(random.expose(), &mut text),
            Encoding::Hex => {
                let digits = random
                    .expose()
                    .iter()
                    .flat_map(|byte| [byte >> 4, byte & 15]);
                text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
            }
        }
        let bytes = std::mem::take(&mut *text).into_bytes();
        Ok(Plaintext::new(bytes))
    }
}

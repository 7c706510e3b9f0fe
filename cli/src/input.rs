//! The sources of plaintext: files, standard input, dotenv files and prompts.
//!
//! Only this module and `output` open files. What is read is wiped when it is dropped. Errors name
//! files and items, never their contents.

mod dotenv;
mod value;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use sealing::{ItemName, Plaintext};
use zeroize::Zeroizing;

use crate::{
    error::{CommandError, Result, plain},
    paths,
    ui::{self, Io},
};

pub(crate) use value::{Recipe, ValueSource, read_traced, read_value};

/// The name of standard input among files.
pub(crate) const STDIN: &str = "-";

/// The mark that some editors put before a text.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a UTF-8 text that the user calls `file` in `directory`, without a byte order mark.
pub(crate) fn read_text(directory: &Path, file: &Path) -> Result<Zeroizing<String>> {
    let mut text = read_whole_text(directory, file)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(text)
}

fn read_whole_text(directory: &Path, file: &Path) -> Result<Zeroizing<String>> {
    let bytes = read_bytes(directory, file)?;
    into_text(bytes, &file.display().to_string())
}

/// A text of manifests.
pub(crate) struct Input {
    /// The file as the user named it.
    pub(crate) label: String,
    /// Its absolute path, unless it is standard input.
    pub(crate) path: Option<PathBuf>,
    pub(crate) text: Zeroizing<String>,
}

/// Reads every file, or standard input if there is none. At a terminal, a note says that sceau
/// reads `expected`.
pub(crate) fn read_inputs(
    files: &[PathBuf],
    expected: &str,
    io: &mut Io<'_>,
) -> Result<Vec<Input>> {
    if files.is_empty() {
        return Ok(vec![read_stdin_input(expected, io)?]);
    }
    files
        .iter()
        .map(|file| {
            if file.as_os_str() == STDIN {
                read_stdin_input(expected, io)
            } else {
                read_file_input(file, &io.directory)
            }
        })
        .collect()
}

/// Reads one file.
pub(crate) fn read_file_input(file: &Path, directory: &Path) -> Result<Input> {
    Ok(Input {
        label: file.display().to_string(),
        path: Some(paths::absolute(directory, file)),
        text: read_whole_text(directory, file)?,
    })
}

fn read_stdin_input(expected: &str, io: &mut Io<'_>) -> Result<Input> {
    if io.terminals.stdin {
        ui::note(io, format_args!("reading {expected} from standard input"));
    }
    let label = "standard input".to_owned();
    Ok(Input {
        text: into_text(read_stdin(io)?, &label)?,
        path: None,
        label,
    })
}

/// Reads a file that the user calls `file` in `directory`.
pub(crate) fn read_bytes(directory: &Path, file: &Path) -> Result<Zeroizing<Vec<u8>>> {
    fs::read(directory.join(file))
        .map(Zeroizing::new)
        .map_err(|error| CommandError::file("read", file, &error))
}

fn read_stdin(io: &mut Io<'_>) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    io.stdin
        .read_to_end(&mut bytes)
        .map_err(|error| CommandError::user(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

fn into_text(mut bytes: Zeroizing<Vec<u8>>, place: &str) -> Result<Zeroizing<String>> {
    String::from_utf8(std::mem::take(&mut *bytes))
        .map(Zeroizing::new)
        .map_err(|error| {
            // The error owns the bytes: dropping them here wipes them.
            drop(Zeroizing::new(error.into_bytes()));
            CommandError::user(format!("{place} is not UTF-8 text"))
        })
}

/// The sources of items on the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct ItemSources {
    pub(crate) files: Vec<ItemFile>,
    pub(crate) dotenv_files: Vec<PathBuf>,
    pub(crate) stdin: Option<ItemName>,
    pub(crate) prompted: Vec<ItemName>,
}

/// `NAME=PATH`, or `PATH` alone, whose file name is the item's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemFile {
    name: ItemName,
    path: PathBuf,
}

impl FromStr for ItemFile {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let file_name = Path::new(text).file_name().and_then(OsStr::to_str);
        let (name, path) = text
            .split_once('=')
            .unwrap_or_else(|| (file_name.unwrap_or_default(), text));
        let path = Path::new(path);
        if path.as_os_str().is_empty() {
            return Err("expected a path after `=`".to_owned());
        }
        Ok(Self {
            name: ItemName::parse(name)
                .map_err(|error| format!("{}; to set a name, use NAME=FILE", error.rule()))?,
            path: path.to_owned(),
        })
    }
}

/// Reads every item on the command line. A duplicate name is an error.
pub(crate) fn read_items(
    sources: &ItemSources,
    io: &mut Io<'_>,
) -> Result<BTreeMap<ItemName, Plaintext>> {
    let mut items = BTreeMap::new();
    for ItemFile { name, path } in &sources.files {
        let bytes = read_item_file(&io.directory, name, path)?;
        add(&mut items, name, Plaintext::new(bytes))?;
    }
    for path in &sources.dotenv_files {
        for (name, plaintext) in read_dotenv(&io.directory, path)? {
            add(&mut items, &name, plaintext)?;
        }
    }
    if let Some(name) = &sources.stdin {
        let plaintext = read_stdin_item(name, &Flags::of_items(name), io)?;
        add(&mut items, name, plaintext)?;
    }
    for name in &sources.prompted {
        let plaintext = prompt(name, &Flags::of_items(name), io)?;
        add(&mut items, name, plaintext)?;
    }
    Ok(items)
}

/// The error names the item and not the path, because the path may be the value by mistake.
fn read_item_file(directory: &Path, name: &ItemName, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    fs::read(directory.join(path))
        .map(Zeroizing::new)
        .map_err(|error| {
            let problem = plain(&error);
            CommandError::user(format!("cannot read the file of item `{name}`: {problem}"))
        })
}

fn add(
    items: &mut BTreeMap<ItemName, Plaintext>,
    name: &ItemName,
    plaintext: Plaintext,
) -> Result<()> {
    match items.insert(name.clone(), plaintext) {
        None => Ok(()),
        Some(_) => Err(CommandError::user(format!("item `{name}` is given twice"))),
    }
}

fn read_dotenv(directory: &Path, file: &Path) -> Result<Vec<(ItemName, Plaintext)>> {
    let text = read_text(directory, file)?;
    dotenv::parse(&text).map_err(|fault| {
        let line = fault.line;
        CommandError::user(format!("{}:{line}: {fault}", file.display())).hints(fault.hint())
    })
}

/// The flags in hints, as the present command spells them.
struct Flags {
    empty_file: String,
    prompt: String,
    stdin: String,
}

impl Flags {
    fn of_items(name: &ItemName) -> Self {
        Self {
            empty_file: format!("`--from-file {name}=/dev/null`"),
            prompt: format!("`--item {name}`"),
            stdin: format!("`--from-stdin {name}`"),
        }
    }
}

fn read_stdin_item(name: &ItemName, flags: &Flags, io: &mut Io<'_>) -> Result<Plaintext> {
    if io.terminals.stdin {
        return Err(CommandError::user(format!(
            "the terminal would show the value of `{name}` as you type"
        ))
        .hint(format!("use the prompt without echo: {}", flags.prompt)));
    }
    let bytes = read_stdin(io)?;
    let line = bytes.strip_suffix(b"\n");
    if line.is_some_and(|line| !line.contains(&b'\n')) {
        ui::warn(
            io,
            format_args!("the value of `{name}` ends with a line break, which becomes part of it"),
        );
    }
    Ok(Plaintext::new(bytes))
}

fn prompt(name: &ItemName, flags: &Flags, io: &mut Io<'_>) -> Result<Plaintext> {
    let mut typed = (io.prompt)(&format!("{name}: ")).map_err(|_| {
        CommandError::user(format!("the prompt for `{name}` needs a terminal"))
            .hint(format!("use standard input: {}", flags.stdin))
    })?;
    if typed.is_empty() {
        return Err(
            CommandError::user(format!("the value of `{name}` is empty"))
                .hint(format!("set an empty value with {}", flags.empty_file)),
        );
    }
    Ok(Plaintext::new(std::mem::take(&mut *typed).into_bytes()))
}

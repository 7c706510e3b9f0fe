//! The rotation list of a person who left: a file under `rotations/`, and its JSON schema for
//! editors.

use std::{
    fs::{self, FileType},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use sealing::ItemRef;

use crate::{
    error::{CommandError, Result},
    input,
    manifest::{self, Format},
    output::{self, Audience, NewFile},
    project::{Day, Project},
    repository::{
        exposure::{Departure, Reason},
        history::Span,
    },
};

/// The directory of the lists, relative to the project's root.
pub(crate) const DIRECTORY: &str = "rotations";

/// The extensions of their files.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The values that a person who left could have read, and which of them were rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "rotations/*.yaml")]
pub(crate) struct List {
    /// The person who left, as sceau.yaml names them.
    pub(crate) person: String,
    /// The day they left.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(crate) left: Day,
    /// They could not read a value that was set after this instant.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(crate) since: Timestamp,
    /// The last day to rotate everything: `sceau rotations --check` fails after it.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(crate) deadline: Day,
    /// The day on which the last item was marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(crate) closed: Option<Day>,
    /// The environments that they operated.
    #[serde(default)]
    pub(crate) environments: Vec<Operated>,
    /// The items they could have read.
    #[serde(default)]
    pub(crate) items: Vec<Entry>,
}

/// An environment that the person operated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Operated {
    /// Its name.
    pub(crate) name: String,
    /// When they operated it.
    pub(crate) spans: Vec<Span>,
    /// The keys that it was sealed to during that time.
    pub(crate) key_ids: Vec<String>,
}

/// An item that the person could have read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its environment; `?` if it is unknown.
    pub(crate) environment: String,
    /// The namespace of its Secret; `?` if the manifest does not name it.
    pub(crate) namespace: String,
    /// The name of its Secret.
    pub(crate) name: String,
    /// Its name; `*` for a Secret that was sealed as a whole.
    pub(crate) item: String,
    /// The file that holds it, or held it last.
    pub(crate) file: String,
    /// Why they could have read it.
    pub(crate) why: Vec<Reason>,
    /// Who rotates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// Where its value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<String>,
    /// They could not read a value that was sealed after this instant.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(crate) since: Timestamp,
    /// The last characters of the sealed texts that they could have read. The same text has the
    /// same value.
    pub(crate) exposed_tags: Vec<String>,
    /// The mark: when its present value was sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(crate) rotated: Option<Timestamp>,
    /// The evidence for the mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) known_by: Option<Evidence>,
    /// The last characters of a sealed text in which the controller found the exposed value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unchanged: Option<String>,
    /// The day on which a person confirmed that the exposed value is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(crate) confirmed: Option<Day>,
    /// The last characters of its texts on that day, in the kubeseal format: another text there may
    /// have the same value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirmed_text: Option<String>,
}

/// The evidence that a value was rotated.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Evidence {
    /// Its seal is newer.
    Seal,
    /// The controller unsealed it, and reports another value.
    Controller,
}

impl Entry {
    /// Which item it is.
    pub(crate) fn id(&self) -> ItemRef {
        ItemRef {
            environment: self.environment.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            item: self.item.clone(),
        }
    }
}

/// A list in its file.
#[derive(Debug, Clone)]
pub(crate) struct ListFile {
    /// The file, relative to the project's root.
    pub(crate) name: PathBuf,
    pub(crate) text: String,
    pub(crate) list: List,
}

impl ListFile {
    /// The person's leaving that the list is about.
    pub(crate) fn departure(&self) -> Departure<'_> {
        Departure {
            person: &self.list.person,
            left: self.list.left,
            since: self.list.since,
            list: &self.name,
        }
    }
}

const HEADER: &str = "\
# Values that a person who left could have read. `sceau offboard` writes this list, `sceau rotations`
# shows the open items, and `sceau rotations --mark` marks the rotated ones.
";

/// Reads every list of the project in `root`: all files below the directory, ignored ones included.
///
/// # Errors
///
/// When an entry may be a list but cannot be read as one: a symbolic link, not a regular file, or
/// an extension in another spelling.
pub(crate) fn read_all(root: &Path) -> Result<Vec<ListFile>> {
    let mut files = Vec::new();
    let mut directories = vec![PathBuf::from(DIRECTORY)];
    while let Some(directory) = directories.pop() {
        for (name, kind) in entries(root, &directory)? {
            if kind.is_dir() {
                directories.push(name);
            } else if is_list(&name, kind)? {
                files.push(name);
            }
        }
    }
    files.sort_unstable();
    files.iter().map(|file| read(root, file)).collect()
}

/// The entries of a directory below `root`, with paths relative to `root`; nothing if it does not
/// exist.
fn entries(root: &Path, directory: &Path) -> Result<Vec<(PathBuf, FileType)>> {
    let failed = |error: io::Error| CommandError::file("read", directory, &error);
    let path = root.join(directory);
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.is_dir() => {
            let problem = format!("{} is not a directory", directory.display());
            return Err(CommandError::user(problem).hint(
                "move it away: `sceau offboard` writes its lists to a directory of this name",
            ));
        }
        Ok(_) => {}
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        entries.push((directory.join(entry.file_name()), kind));
    }
    Ok(entries)
}

/// Whether this is the file of a list, by its name.
fn is_list(name: &Path, kind: FileType) -> Result<bool> {
    // A list that is passed over in silence would hide open items, so doubtful names are errors.
    let shown = name.display();
    if kind.is_symlink() {
        let problem =
            format!("{shown} is a symbolic link, and sceau does not follow links to lists");
        return Err(CommandError::user(problem)
            .hint("replace the link with the list itself: a commit holds only the link"));
    }
    let extension = name.extension().unwrap_or_default();
    let Some(usual) = EXTENSIONS
        .into_iter()
        .find(|known| extension.eq_ignore_ascii_case(known))
    else {
        return Ok(false);
    };
    if !kind.is_file() {
        let problem = format!("{shown} has the name of a list, but is not a regular file");
        return Err(CommandError::user(problem).hint("move it away"));
    }
    if extension != usual {
        return Err(CommandError::user(format!(
            "{shown} may be a list, but its extension is not spelled `.{usual}`"
        ))
        .hint("rename it"));
    }
    Ok(true)
}

fn read(root: &Path, file: &Path) -> Result<ListFile> {
    let input = input::read_file_input(file, root)?;
    let list = manifest::read_document(&input.text).map_err(|fault| {
        let place = format!("{}:{}", input.label, fault.line);
        CommandError::user(&fault).at(place).hints(fault.hint)
    })?;
    Ok(ListFile {
        name: input.label.into(),
        text: input.text.to_string(),
        list,
    })
}

/// The people who left by `today` according to the project file, and have no list of that day.
pub(crate) fn without_list<'a>(
    project: &'a Project,
    lists: &[ListFile],
    today: Day,
) -> Vec<&'a str> {
    let is_listed = |person: &str, left: Day| {
        let mut lists = lists.iter().map(|file| &file.list);
        lists.any(|list| list.person == person && list.left == left)
    };
    let people = project.people.iter().filter(|(person, settings)| {
        let left = settings.left.filter(|left| *left <= today);
        left.is_some_and(|left| !is_listed(person, left))
    });
    people.map(|(person, _)| person.as_str()).collect()
}

/// The file of a person's list, relative to the project's root. Its name has no path separators.
pub(crate) fn file_name(person: &str, left: Day) -> PathBuf {
    let harmless = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let person: String = person.chars().map(harmless).collect();
    Path::new(DIRECTORY).join(format!("{left}-{person}.yaml"))
}

impl List {
    /// Its text.
    pub(crate) fn to_text(&self) -> Result<String> {
        let yaml = manifest::to_text(self, Format::Yaml)?;
        Ok(format!("{HEADER}{}", *yaml))
    }
}

/// Writes a list below the project's root.
pub(crate) fn write(root: &Path, name: &Path, text: &str) -> Result<()> {
    output::write(&NewFile {
        directory: root,
        name,
        bytes: text.as_bytes(),
        audience: Audience::Everyone,
    })
}

/// The JSON schema of the lists, as the text of `schemas/rotations.json`.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<List>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

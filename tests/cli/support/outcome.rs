//! What a command line did: exit code, what it printed, which files it wrote.

use std::{collections::BTreeMap, fmt};

use super::TestKey;

/// What a command line did. Its `Display` is made for snapshots: what differs from run to run, and
/// what nobody wants to read, is replaced by a word in brackets.
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) before: BTreeMap<String, Vec<u8>>,
    pub(crate) after: BTreeMap<String, Vec<u8>>,
    /// Where the project stands.
    pub(crate) root: String,
}

impl Outcome {
    /// What was printed as a result.
    pub(crate) fn stdout(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// What was said about it.
    pub(crate) fn stderr(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap()
    }

    /// The files that were written, changed or removed.
    pub(crate) fn changed_files(&self) -> Vec<&str> {
        let names = self.before.keys().chain(self.after.keys());
        let mut changed: Vec<&str> = names
            .filter(|name| self.before.get(*name) != self.after.get(*name))
            .map(String::as_str)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// The text of a file after the command.
    #[track_caller]
    pub(crate) fn file(&self, name: &str) -> &str {
        let bytes = self.after.get(name).expect("the file is there");
        std::str::from_utf8(bytes).unwrap()
    }

    /// A file after the command, as snapshots show it.
    #[track_caller]
    pub(crate) fn filtered_file(&self, name: &str) -> String {
        self.filter(self.file(name))
    }

    /// Asserts that it was done, and hands itself on.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Asserts that it was refused with this exit code and that no file was touched.
    #[track_caller]
    pub(crate) fn refused(self, code: u8) -> Self {
        assert_eq!(self.code, code, "{self}");
        assert_eq!(self.changed_files(), Vec::<&str>::new(), "{self}");
        assert_eq!(self.stdout(), "", "{self}");
        self
    }

    fn filter(&self, text: &str) -> String {
        let mut text = text.replace(&self.root, "[PROJECT]");
        for key in TestKey::ALL {
            text = text.replace(key.id(), &format!("[KEY {key:?}]"));
        }
        mask(&text, "sceau:v1:", "[SEALED]")
    }
}

/// Replaces every word that begins with `prefix`.
fn mask(text: &str, prefix: &str, mask: &str) -> String {
    let mut parts = text.split(prefix);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        masked.push_str(mask);
        masked.push_str(part.trim_start_matches(is_part));
    }
    masked
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let text = self.filter(&String::from_utf8_lossy(bytes));
            if !text.is_empty() {
                writeln!(f, "{name}:\n{}", indent(&text))?;
            }
        }
        match self.changed_files().as_slice() {
            [] => write!(f, "files: unchanged"),
            changed => write!(f, "files: {}", changed.join(", ")),
        }
    }
}

fn indent(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

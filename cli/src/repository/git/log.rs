//! The output of `git log`, as commits.

use std::{collections::HashMap, rc::Rc};

use jiff::Timestamp;

/// The name of an object in git, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectId(pub(crate) Rc<str>);

impl ObjectId {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) id: ObjectId,
    /// When it was committed, in whole seconds.
    pub(crate) time: Timestamp,
    /// The indexes of its parents, which come before it.
    pub(crate) parents: Vec<usize>,
    /// The differences to its first parent.
    pub(crate) changes: Vec<Change>,
}

/// A file that a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// From the root of the repository.
    pub(crate) path: Rc<str>,
    /// Its content from then on; nothing if it is no longer a regular file.
    pub(crate) blob: Option<ObjectId>,
    /// Whether it is a symbolic link from then on.
    pub(crate) is_link: bool,
}

/// The header of each commit that [`parse`] expects, as git's `--format`.
pub(crate) const FORMAT: &str = "--format=commit %H %ct %P";

/// Reads the output of `git log -z --raw` with [`FORMAT`], parents before children; nothing if the
/// output is malformed.
pub(crate) fn parse(output: &[u8]) -> Option<Vec<Commit>> {
    let mut commits: Vec<Commit> = Vec::new();
    let mut indexes = HashMap::new();
    let mut tokens = output.split(|byte| *byte == 0);
    while let Some(token) = tokens.next() {
        let token = token.trim_ascii();
        if token.is_empty() {
            continue;
        }
        let token = std::str::from_utf8(token).ok()?;
        if let Some(header) = token.strip_prefix("commit ") {
            let commit = commit(header, &indexes)?;
            indexes.insert(commit.id.clone(), commits.len());
            commits.push(commit);
        } else {
            // A path is everything between two zeros.
            let path = String::from_utf8_lossy(tokens.next()?);
            let change = change(token, &path)?;
            commits.last_mut()?.changes.push(change);
        }
    }
    Some(commits)
}

fn commit(header: &str, indexes: &HashMap<ObjectId, usize>) -> Option<Commit> {
    let mut words = header.split(' ');
    let id = ObjectId::new(words.next()?);
    let seconds = words.next()?.parse().ok()?;
    let parents = words.filter(|word| !word.is_empty());
    Some(Commit {
        id,
        time: Timestamp::from_second(seconds).ok()?,
        parents: parents
            .map(|parent| indexes.get(&ObjectId::new(parent)).copied())
            .collect::<Option<_>>()?,
        changes: Vec::new(),
    })
}

/// `:<old mode> <new mode> <old id> <new id> <status>`: regular files have modes that begin with
/// `100`; links and submodules hold no manifest.
fn change(meta: &str, path: &str) -> Option<Change> {
    let mut words = meta.strip_prefix(':')?.split(' ');
    let mode = words.nth(1)?;
    let blob = words.nth(1)?;
    Some(Change {
        path: path.into(),
        blob: mode.starts_with("100").then(|| ObjectId::new(blob)),
        is_link: mode == "120000",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "commit aa 100 \0\n:000000 100644 00 b1 A\0a b/ü\nx.yaml\0:000000 120000 00 b2 A\0link\0commit bb 90 aa\0commit cc 110 bb aa\0\n:100644 000000 b1 00 D\0a b/ü\nx.yaml\0";

    #[test]
    fn commits_parents_and_changes_are_read_under_any_file_name() {
        let commits = parse(OUTPUT.as_bytes()).unwrap();
        let parents: Vec<_> = commits
            .iter()
            .map(|commit| commit.parents.clone())
            .collect();
        assert_eq!(parents, [vec![], vec![0], vec![1, 0]]);
        assert_eq!(commits[1].time.as_second(), 90);
        let blobs = |index: usize| -> Vec<(&str, Option<&str>)> {
            let changes = commits[index].changes.iter();
            changes
                .map(|change| (&*change.path, change.blob.as_ref().map(|id| &*id.0)))
                .collect()
        };
        assert_eq!(blobs(0), [("a b/ü\nx.yaml", Some("b1")), ("link", None)]);
        let links = commits[0].changes.iter().map(|change| change.is_link);
        assert_eq!(links.collect::<Vec<_>>(), [false, true]);
        assert_eq!(blobs(1), []);
        assert_eq!(blobs(2), [("a b/ü\nx.yaml", None)]);
    }

    #[test]
    fn malformed_output_is_rejected() {
        for output in [
            "commit aa",
            "commit aa 1 bb\0",
            ":0 1 2 3 A\0x\0",
            "commit aa 1 \0:x",
            "what",
        ] {
            assert_eq!(parse(output.as_bytes()), None, "{output}");
        }
        assert_eq!(parse(b""), Some(Vec::new()));
    }
}

//! The history of a project, read: its project file, certificates and manifests at each commit.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
};

use jiff::Timestamp;
use sealing::Certificate;

use super::commits::{Commits, Tree};
use crate::{
    error::{CommandError, Result},
    paths,
    project::{FILE_NAME, Project},
    repository::{
        files::is_manifest_name,
        git::{Change, Git, ObjectId},
        inventory::{self, SealedItem},
    },
};

/// The history of a project.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) commits: Commits,
    /// The path of the project in its repository: empty, or with a slash at its end.
    prefix: String,
    /// The project files that may apply at each commit. An unreadable one may have said what the
    /// readable ones before and after it say.
    pub(crate) project_files: Vec<Vec<Rc<Project>>>,
    /// The key ids of certificates.
    certificates: HashMap<ObjectId, String>,
    /// The items of files.
    pub(crate) manifests: HashMap<ObjectId, Vec<SealedItem>>,
    /// What could not be read, by file: the last of each.
    pub(crate) unreadable: BTreeMap<String, UnreadableBlob>,
}

/// A version of a file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnreadableBlob {
    /// The index of that commit.
    index: usize,
    /// The commit that added it.
    pub(crate) commit: String,
    /// The message of the error, with its place.
    pub(crate) problem: String,
}

impl Record {
    pub(crate) fn read(git: &Git, now: Timestamp) -> Result<Self> {
        let head = git.head()?;
        let commits = Commits::new(git.commits()?, &head, &git.branches()?, now)
            .ok_or_else(|| CommandError::bug("git log does not reach HEAD"))?;
        reject_link(&commits, &format!("{}{FILE_NAME}", git.prefix))?;
        let mut blobs = git.blobs()?;
        Self::new(commits, &git.prefix, |id| blobs.read(id))
    }

    /// Reads every distinct blob once.
    pub(crate) fn new(
        commits: Commits,
        prefix: &str,
        mut content: impl FnMut(&ObjectId) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let mut record = Self {
            project_files: Vec::new(),
            certificates: HashMap::new(),
            manifests: HashMap::new(),
            unreadable: BTreeMap::new(),
            commits,
            prefix: prefix.to_owned(),
        };
        let file = format!("{}{FILE_NAME}", record.prefix);
        let mut projects = HashMap::new();
        for (id, _) in record.contents(|path| path == file) {
            let text = text(content(&id)?);
            match Project::parse(PathBuf::new(), &text) {
                Ok(project) => drop(projects.insert(id, Rc::new(project))),
                Err(error) => record.report_unreadable(&id, &error.message),
            }
        }
        record.project_files = project_files(&record.commits, &file, &projects);
        record.read_certificates(&projects, &mut content)?;
        let is_manifest = |path: &str| path != file && may_hold_manifests(path, prefix);
        for (id, label) in record.contents(is_manifest) {
            let (items, faults) = inventory::read(&label, &text(content(&id)?));
            if let Some(fault) = faults.into_iter().next() {
                record.report_unreadable(&id, &fault.message);
            }
            record.manifests.insert(id, items);
        }
        Ok(record)
    }

    fn read_certificates(
        &mut self,
        projects: &HashMap<ObjectId, Rc<Project>>,
        content: &mut impl FnMut(&ObjectId) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let named = projects.values().flat_map(|project| {
            let own = project
                .people
                .values()
                .flat_map(|person| &person.certificate);
            let pinned = project
                .environments
                .values()
                .flat_map(|settings| &settings.certificates);
            own.chain(pinned)
        });
        let named: HashSet<String> = named.map(|path| self.place(path)).collect();
        for (id, label) in self.contents(|path| named.contains(path)) {
            match Certificate::parse_pem(&text(content(&id)?)) {
                Ok(certificate) => drop(
                    self.certificates
                        .insert(id, certificate.key_id().to_string()),
                ),
                Err(error) => self.report_unreadable(&id, &format!("{label}: {error}")),
            }
        }
        Ok(())
    }

    /// Each blob that these paths ever had, once, with one of its paths.
    fn contents(&self, is_meant: impl Fn(&str) -> bool) -> BTreeMap<ObjectId, String> {
        let changes = self.commits.all.iter().flat_map(|commit| &commit.changes);
        let meant = changes.filter(|change| is_meant(&change.path));
        let path = |change: &Change| self.relative(&change.path).to_owned();
        meant
            .filter_map(|change| Some((change.blob.clone()?, path(change))))
            .collect()
    }

    /// Records why a blob cannot be read, for each file that had it. Of each file, the last one is
    /// kept.
    fn report_unreadable(&mut self, id: &ObjectId, problem: &str) {
        for (index, commit) in self.commits.all.iter().enumerate() {
            let brings = |change: &&Change| change.blob.as_ref() == Some(id);
            for change in commit.changes.iter().filter(brings) {
                let file = change.path.strip_prefix(&self.prefix);
                let file = file.unwrap_or(&change.path).to_owned();
                let fault = UnreadableBlob {
                    index,
                    commit: commit.id.0.to_string(),
                    problem: problem.to_owned(),
                };
                match self.unreadable.get(&file) {
                    Some(known) if known.index > index => {}
                    _ => drop(self.unreadable.insert(file, fault)),
                }
            }
        }
    }

    /// A path of the project file, relative to the root of the repository.
    fn place(&self, path: &Path) -> String {
        let root = Path::new("/").join(&self.prefix);
        let absolute = paths::absolute(&root, path);
        let parts: Vec<_> = absolute
            .iter()
            .skip(1)
            .map(|part| part.to_string_lossy())
            .collect();
        parts.join("/")
    }

    /// A path of the repository, relative to the project.
    pub(crate) fn relative<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.prefix).unwrap_or(path)
    }

    /// The key id of the certificate that a commit's file holds.
    pub(crate) fn key_id(&self, tree: &Tree, path: &Path) -> Option<&str> {
        let blob = tree.get(self.place(path).as_str())?;
        self.certificates.get(blob).map(String::as_str)
    }

    /// The people whom any readable project file ever named.
    pub(crate) fn people(&self) -> BTreeSet<&str> {
        let projects = self.project_files.iter().flatten();
        projects
            .flat_map(|project| project.people.keys())
            .map(String::as_str)
            .collect()
    }
}

/// Rejects a history in which the project file was a link: the blob of a link is a path, and its
/// target may be another file at each commit or lie outside of the repository.
fn reject_link(commits: &Commits, file: &str) -> Result<()> {
    let is_link = |change: &Change| change.is_link && *change.path == *file;
    let mut all = commits.all.iter().rev();
    match all.find(|commit| commit.changes.iter().any(is_link)) {
        None => Ok(()),
        Some(commit) => {
            let id = commit.id.0.get(..12).unwrap_or(&commit.id.0);
            Err(CommandError::user(format!(
                "commit {id}: {FILE_NAME} is a symbolic link, so its history does not say who operated what"
            ))
            .hint("rewrite the branches and tags that have the link, or delete them"))
        }
    }
}

fn may_hold_manifests(path: &str, prefix: &str) -> bool {
    path.starts_with(prefix) && is_manifest_name(Path::new(path))
}

fn text(content: Vec<u8>) -> String {
    let text = String::from_utf8(content);
    let text = text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match text.strip_prefix(crate::input::BYTE_ORDER_MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// The project file at each commit. Where it cannot be read, the ones before and after it count:
/// both together never name too few people.
fn project_files(
    commits: &Commits,
    file: &str,
    projects: &HashMap<ObjectId, Rc<Project>>,
) -> Vec<Vec<Rc<Project>>> {
    let mut own: Vec<Option<Vec<Rc<Project>>>> = Vec::new();
    commits.walk(|_, tree| {
        own.push(match tree.get(file) {
            None => Some(Vec::new()),
            Some(id) => projects.get(id).map(|project| vec![Rc::clone(project)]),
        });
    });
    let count = own.len();
    let mut before = own.clone();
    for index in 0..count {
        let parents = &commits.all[index].parents;
        fill(&mut before, index, parents);
    }
    let mut after = own;
    for index in (0..count).rev() {
        fill(&mut after, index, commits.children(index));
    }
    let both = before.into_iter().zip(after);
    both.map(|(before, after)| {
        let mut both = before.unwrap_or_default();
        add(&mut both, after.unwrap_or_default());
        both
    })
    .collect()
}

/// Where nothing is known, takes what is known of the neighbours.
fn fill(known: &mut [Option<Vec<Rc<Project>>>], index: usize, neighbours: &[usize]) {
    if known[index].is_some() {
        return;
    }
    let mut all = Vec::new();
    for neighbour in neighbours {
        add(&mut all, known[*neighbour].clone().unwrap_or_default());
    }
    known[index] = Some(all);
}

fn add(projects: &mut Vec<Rc<Project>>, further: Vec<Rc<Project>>) {
    for project in further {
        if !projects.iter().any(|known| Rc::ptr_eq(known, &project)) {
            projects.push(project);
        }
    }
}

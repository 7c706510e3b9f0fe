//! The program git. No other file runs it.

mod log;

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{
    error::{CommandError, Result, plain},
    project,
};

pub(crate) use log::{Change, Commit, ObjectId};

/// The variables that point git at another repository, as `git rev-parse --local-env-vars` lists
/// them. git sets some of them when it runs a hook.
const REPOSITORY_VARIABLES: [&str; 13] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The files below a directory of a repository: those that git tracks, even if an ignore rule
/// matches them, and those that it neither tracks nor ignores. A nested repository is one name. A
/// tracked file may be missing.
///
/// # Errors
/// When git is not installed or fails.
pub(crate) fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let git = Git {
        directory: directory.to_owned(),
        prefix: String::new(),
    };
    let names = git.output(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])?;
    let names = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names.map(|name| directory.join(path(name))).collect())
}

/// A path as git prints it: on Unix, it may be any bytes.
#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// A path as git prints it.
#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// A repository with its whole history.
pub(crate) struct Git {
    directory: PathBuf,
    /// The path of the directory in the repository: empty, or with a slash at its end.
    pub(crate) prefix: String,
}

impl Git {
    /// Finds the repository of a directory.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let mut git = Self {
            directory: directory.to_owned(),
            prefix: String::new(),
        };
        if git
            .text(&["rev-parse", "--is-shallow-repository"])?
            .trim_end()
            == "true"
        {
            return Err(CommandError::user(
                "this clone is shallow: git has no history from before its first commit",
            )
            .hint("fetch the rest: git fetch --unshallow"));
        }
        let prefix = git.text(&["rev-parse", "--show-prefix"])?;
        prefix
            .strip_suffix('\n')
            .unwrap_or(&prefix)
            .clone_into(&mut git.prefix);
        Ok(git)
    }

    /// Every commit that a ref or HEAD reaches, parents before children.
    pub(crate) fn commits(&self) -> Result<Vec<Commit>> {
        let output = self.output(&[
            "-c",
            "log.showRoot=true",
            "log",
            "--all",
            "--topo-order",
            "--reverse",
            "--no-show-signature",
            "--no-decorate",
            "--diff-merges=first-parent",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
            "--no-relative",
            "--ignore-submodules=all",
            "--no-ext-diff",
            "--no-color",
            "-O/dev/null",
            log::FORMAT,
        ])?;
        log::parse(&output).ok_or_else(|| CommandError::bug("cannot parse the output of git log"))
    }

    /// The commit that is checked out.
    pub(crate) fn head(&self) -> Result<ObjectId> {
        let head = self.text(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
        let head = head.map_err(|_| {
            CommandError::user("this repository has no commits").hint("commit the project first")
        })?;
        Ok(ObjectId::new(head.trim_end()))
    }

    /// The tips of all branches, remote ones included.
    pub(crate) fn branches(&self) -> Result<Vec<ObjectId>> {
        let tips = self.text(&["rev-parse", "--branches", "--remotes"])?;
        Ok(tips.lines().map(ObjectId::new).collect())
    }

    /// A reader of blobs.
    pub(crate) fn blobs(&self) -> Result<Blobs> {
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_run(&error))?;
        let requests = child.stdin.take().expect("standard input is a pipe");
        let answers = child.stdout.take().expect("standard output is a pipe");
        Ok(Blobs {
            child,
            requests: Some(requests),
            answers: BufReader::new(answers),
        })
    }

    fn text(&self, arguments: &[&str]) -> Result<String> {
        let output = self.output(arguments)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn output(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.command(arguments).output();
        let output = output.map_err(|error| not_run(&error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.trim().trim_start_matches("fatal: ");
        let error = CommandError::user(format!("git: {message}"));
        Err(if project::repository_root(&self.directory).is_none() {
            error.hint("run this in a git repository: it reads the history of sceau.yaml and the manifests")
        } else {
            error
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        for variable in REPOSITORY_VARIABLES {
            command.env_remove(variable);
        }
        command
            .env("LC_ALL", "C")
            // Grafts and replaced objects would hide commits from the history.
            .env("GIT_GRAFT_FILE", "/dev/null")
            .current_dir(&self.directory)
            .args(["--no-optional-locks", "--no-replace-objects"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn not_run(error: &io::Error) -> CommandError {
    let error = CommandError::user(format!("cannot run git: {}", plain(error)));
    error.hint("install git: sceau lists the files of a repository and reads their history with it")
}

/// A running `git cat-file --batch`.
pub(crate) struct Blobs {
    child: Child,
    /// Taken when it is closed, at the end.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    /// Reads one file's content.
    pub(crate) fn read(&mut self, id: &ObjectId) -> Result<Vec<u8>> {
        self.ask(id).map_err(|error| {
            let problem = plain(&error);
            CommandError::user(format!("git cannot read the object {}: {problem}", id.0))
                .hint("check the repository: git fsck")
        })
    }

    fn ask(&mut self, id: &ObjectId) -> io::Result<Vec<u8>> {
        let requests = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(requests, "{}", id.0)?;
        requests.flush()?;
        // `<id> <type> <size>`, or `<id> missing`.
        let mut header = String::new();
        self.answers.read_line(&mut header)?;
        let size = header.trim_end().rsplit(' ').next();
        let size = size.and_then(|size| size.parse::<usize>().ok());
        let size = size.ok_or_else(|| io::Error::other("the object is missing"))?;
        let mut content = vec![0; size + 1];
        self.answers.read_exact(&mut content)?;
        content.pop();
        Ok(content)
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        self.requests.take();
        // git ends with its input. Its exit status no longer matters.
        let _ = self.child.wait();
    }
}

//! What goes wrong at the command line: one error type for all commands.
//!
//! An error says what happened to which thing; its hints say what to type next. Neither ever
//! holds a value of a secret.

use std::{error::Error, fmt, io, path::Path};

/// What an error is, and so how the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bug.
    Bug,
    /// A check found something.
    Check,
    /// The cluster cannot be reached or refuses.
    Cluster,
    /// Whoever reads the output went away: no failure, and nobody to tell.
    OutputClosed,
    /// The command line is wrong.
    Usage,
    /// The input is wrong: a file, a value, the project file.
    User,
}

impl Kind {
    /// The exit code, as the table at [`crate::run`] says.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::User => 1,
            Self::Usage => 2,
            Self::Check => 3,
            Self::Cluster => 4,
            Self::Bug => crate::BUG,
        }
    }
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
}

pub(crate) type Result<T> = std::result::Result<T, CommandError>;

impl CommandError {
    fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn bug(message: impl fmt::Display) -> Self {
        Self::new(Kind::Bug, message)
    }

    pub(crate) fn check(message: impl fmt::Display) -> Self {
        Self::new(Kind::Check, message)
    }

    pub(crate) fn cluster(message: impl fmt::Display) -> Self {
        Self::new(Kind::Cluster, message)
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn user(message: impl fmt::Display) -> Self {
        Self::new(Kind::User, message)
    }

    /// A file that could not be read or written: `verb` is what was tried.
    ///
    /// A path that is no file's but looks like `NAME=VALUE` is not repeated.
    pub(crate) fn file(verb: &str, path: &Path, error: &io::Error) -> Self {
        let (path, problem) = (path.display().to_string(), plain(error));
        let is_there = matches!(
            error.kind(),
            io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied
        );
        if path.contains('=') && !is_there {
            return Self::user(format!("cannot {verb} a file: {problem}"))
                .hint("its name looks like NAME=VALUE and is not repeated; see `sceau seal --help` for how to give a value");
        }
        Self::user(format!("cannot {verb} {path}: {problem}"))
    }

    /// Standard output that could not be written to.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::OutputClosed, "the reader went away"),
            _ => Self::user(format!("cannot write to standard output: {}", plain(error))),
        }
    }

    /// Says where it happened.
    #[must_use]
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Adds what to type next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what to type next, when something can be said.
    #[must_use]
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }
}

/// An error and its causes as one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// What an error of input or output says: the system's words without its error number, and of an
/// error that something was added to, such as a path, its kind alone.
pub(crate) fn plain(error: &io::Error) -> String {
    if let Some(code) = error.raw_os_error() {
        let text = error.to_string();
        let number = format!(" (os error {code})");
        return text.strip_suffix(&number).unwrap_or(&text).to_lowercase();
    }
    match (error.get_ref(), error.kind()) {
        (None, _) | (_, io::ErrorKind::Other) => error.to_string(),
        (Some(_), kind) => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_systems_error_is_left_out() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(plain(&missing), "no such file or directory");
    }

    #[test]
    fn what_was_added_to_a_systems_error_is_left_out() {
        let text = "Permission denied (os error 13) at path \"A=hunter2\"";
        let wrapped = io::Error::new(io::ErrorKind::PermissionDenied, text);
        assert_eq!(plain(&wrapped), "permission denied");
    }

    #[test]
    fn an_error_of_our_own_is_told_whole() {
        let text = "a name with (os error 2) in it";
        assert_eq!(plain(&io::Error::other(text)), text);
    }
}

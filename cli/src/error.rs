//! The error type of all commands.
//!
//! An error says what failed and why. Its hints say what to type next. Neither ever holds a value
//! of a secret.

use std::{error::Error, fmt, io, path::Path};

/// The kind of an error, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bug.
    Bug,
    /// A check found something.
    Check,
    /// The cluster is unreachable or rejected the request.
    Cluster,
    /// The reader of standard output closed it, which is not a failure.
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

    /// A file that could not be read or written; `verb` names the operation.
    ///
    /// A path that looks like `NAME=VALUE` is not repeated, unless such a file exists.
    pub(crate) fn file(verb: &str, path: &Path, error: &io::Error) -> Self {
        let (path, problem) = (path.display().to_string(), plain(error));
        let is_there = matches!(
            error.kind(),
            io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied
        );
        if path.contains('=') && !is_there {
            return Self::user(format!("cannot {verb} a file: {problem}"))
                .hint("the path looks like NAME=VALUE and is not repeated: see `sceau seal --help` for how to give a value");
        }
        Self::user(format!("cannot {verb} {path}: {problem}"))
    }

    /// Standard output that could not be written to.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => {
                Self::new(Kind::OutputClosed, "standard output was closed")
            }
            _ => Self::user(format!("cannot write to standard output: {}", plain(error))),
        }
    }

    /// Puts the place of the error before the message.
    #[must_use]
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Adds a hint: what to type next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds hints, if there are any.
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
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// The message of an I/O error, without the system's error number. An error with an added text,
/// such as a path, is shown as its kind alone.
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
    fn the_number_of_a_system_error_is_left_out() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(plain(&missing), "no such file or directory");
    }

    #[test]
    fn a_text_added_to_a_system_error_is_left_out() {
        let text = "Permission denied (os error 13) at path \"A=hunter2\"";
        let wrapped = io::Error::new(io::ErrorKind::PermissionDenied, text);
        assert_eq!(plain(&wrapped), "permission denied");
    }

    #[test]
    fn an_error_of_our_own_is_shown_whole() {
        let text = "a name with (os error 2) in it";
        assert_eq!(plain(&io::Error::other(text)), text);
    }
}

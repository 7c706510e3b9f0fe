//! Reads the `console` blocks of a document, runs them in order in one directory, and holds what
//! they print against what the document shows.
//!
//! A line that begins with `$ ` is a command, and with `> ` its continuation; the lines below are
//! its output. What differs from run to run (sealed bytes, key ids, times) is always shown alike.
#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

use std::{fmt::Write as _, path::Path, time::Duration};

use cluster::{commands, scratch::Scratch};
use jiff::{Timestamp, tz::TimeZone};
use regex::{Captures, Regex};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_mins(2);

/// Commands run in this empty directory, so that `..` is still a place of their own.
const REPOSITORY: &str = "repository";

/// Where a document's commands run, and what they find there.
pub struct Shell {
    directory: Scratch,
    variables: Vec<(&'static str, String)>,
}

impl Shell {
    /// A shell in an empty directory that finds these programs before all others.
    ///
    /// # Panics
    /// When a program stands in no directory.
    #[must_use]
    pub fn with_programs(programs: &[&Path]) -> Self {
        let folder = |program: &&Path| {
            program
                .parent()
                .expect("it is a file")
                .display()
                .to_string()
        };
        let mut path: Vec<String> = programs.iter().map(folder).collect();
        path.extend(std::env::var("PATH"));
        let directory = Scratch::create();
        std::fs::create_dir(directory.file(REPOSITORY)).expect("the directory is new");
        let home = directory.directory().display().to_string();
        Self {
            directory,
            variables: vec![("PATH", path.join(":")), ("HOME", home)],
        }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with_variable(mut self, name: &'static str, value: String) -> Self {
        self.variables.push((name, value));
        self
    }

    async fn run(&self, command: &str) -> String {
        let mut bash = Command::new("bash");
        bash.args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(self.directory.file(REPOSITORY))
            .env("COLUMNS", "100")
            .env_remove("KUBECONFIG")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        let finished = commands::run(bash, b"", PATIENCE).await;
        let code = finished.code.filter(|code| *code != 0);
        let exit = code
            .map(|code| format!("[exit {code}]\n"))
            .unwrap_or_default();
        same_every_time(&format!("{}{exit}", finished.stdout))
    }
}

/// Runs a document of this repository. With `UPDATE=1` it is rewritten with what was printed.
///
/// # Panics
/// When a command prints something else than the document shows.
pub async fn check(path: &str, shell: &Shell) {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path);
    let shown = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut real = String::new();
    let mut commands = 0;
    for part in parts(&shown) {
        match part {
            Part::Text(line) => writeln!(real, "{line}").expect("a string takes any text"),
            Part::Command(lines) => {
                let output = shell.run(&command_of(&lines)).await;
                write!(real, "{}\n{output}", lines.join("\n")).expect("a string takes any text");
                commands += 1;
            }
        }
    }
    assert!(commands > 0, "{path} shows no command");
    if std::env::var_os("UPDATE").is_some_and(|it| it == "1") {
        std::fs::write(&file, &real).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    assert!(
        shown == real,
        "{path} is out of date.\nUPDATE=1 cargo test -p guides gives:\n{real}"
    );
}

/// A document, taken apart.
enum Part<'a> {
    /// A line that stands as it is.
    Text(&'a str),
    /// The lines of a command; its output is left out.
    Command(Vec<&'a str>),
}

fn parts(document: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut in_console = false;
    for line in document.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
            parts.push(Part::Text(line));
        } else if !in_console {
            parts.push(Part::Text(line));
        } else if line.starts_with("$ ") {
            parts.push(Part::Command(vec![line]));
        } else if let (Some(Part::Command(lines)), true) =
            (parts.last_mut(), line.starts_with("> "))
        {
            lines.push(line);
        }
    }
    parts
}

fn command_of(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| &line[2..])
        .collect::<Vec<_>>()
        .join("\n")
}

/// What stands in the documents for every key id, every recipient of a backup and every instant: as wide as any other, so that
/// tables keep their columns.
const KEY_ID: &str = "sha256:155a647320d2d42cf2c8488542de35e823616c4f913cf9bdae11c7d8cf4ef313";
const RECIPIENT: &str = "age1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0q6z7m8v";
const INSTANT: &str = "2026-11-22T10:00:00Z";
const FAR_INSTANT: &str = "2036-11-19T10:00:00Z";
/// What stands there for today, and for every other day.
const TODAY: &str = "2026-11-22";
const OTHER_DAY: &str = "2026-12-22";

/// Replaces what differs from run to run, and ends the text with a line's end.
fn same_every_time(output: &str) -> String {
    let replacements = [
        (r"sceau:v1:[A-Za-z0-9+/]+={0,2}", "sceau:v1:…"),
        (r"sha256:[0-9a-f]{64}", KEY_ID),
        (r"-after-[0-9a-f]{12}\b", "-after-155a647320d2"),
        (r"\bage1[0-9a-z]{58}\b", RECIPIENT),
        (r"20[3-9]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", FAR_INSTANT),
        (r"202\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", INSTANT),
        (r"\b\d+s\b", "1s"),
        (r"[ \t]+\n", "\n"),
    ];
    let mut text = output.to_owned();
    for (pattern, replacement) in replacements {
        let pattern = Regex::new(pattern).expect("the pattern is one");
        text = pattern.replace_all(&text, replacement).into_owned();
    }
    let text = same_days(&text);
    if text.is_empty() || text.ends_with('\n') {
        text
    } else {
        text + "\n"
    }
}

fn same_days(text: &str) -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
    let day = Regex::new(r"\b20\d\d-\d\d-\d\d\b").expect("the pattern is one");
    let shown = |found: &Captures<'_>| {
        let after = &text[found.get_match().end()..];
        match &found[0] {
            instant if after.starts_with('T') => instant.to_owned(),
            day if day == today => TODAY.to_owned(),
            _ => OTHER_DAY.to_owned(),
        }
    };
    day.replace_all(text, shown).into_owned()
}

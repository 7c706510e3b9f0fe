//! `sceau offboard`: somebody leaves.
//!
//! What is found out, and what follows from it, is for [`crate::offboard`].

use std::{path::PathBuf, time::Duration};

use sealing::EnvironmentName;

use crate::{
    cluster::login::Login,
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format},
    offboard::{self, Found, Offboarding, Rekeying},
    output,
    project::{Day, FILE_NAME, Project},
    rekey, reseal,
    rotations::{self, Entry, List},
    ui::{self, Io},
};

/// List what somebody who leaves could have read, and re-key the environments they operated
///
/// Reads the git history of sceau.yaml and of the manifests: an item could be read when its value
/// was in use while they operated its environment, or when its seal was ever wrapped for their own
/// certificate. Then it
///
///   1. writes the list of these items to `rotations/DAY-PERSON.yaml`,
///   2. marks them as left in sceau.yaml, on one line,
///   3. re-keys each environment that is still sealed to a key from their time, as `sceau rekey`
///      does, with a login that has the cluster role `sceau-operator`.
///
/// The manifests are those that `sceau reseal` reads, and at old commits the files whose names end
/// in the same ways.
///
/// Interrupted at any step, it is continued by running it again; a further run changes nothing.
/// Every commit counts that a branch, a tag or HEAD reaches, so fetch first. What cannot be read is
/// told: a manifest is not on the list then, and a sceau.yaml may have said what was said before it
/// or after it.
///
/// Re-keying does not make a value safe again that somebody has read: only a new value does. Give
/// each item on the list one with `sceau set`; `sceau rotations` shows what is open.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, verbatim_doc_comment)]
pub(crate) struct OffboardArguments {
    /// Who leaves, as sceau.yaml names them now or did once
    person: String,

    /// The last day on which they could read anything, in UTC; today when they are not marked yet
    #[arg(long, value_name = "DAY")]
    left: Option<Day>,

    /// The last day for everything to be renewed; 30 days from now by default
    #[arg(long, value_name = "DAY")]
    deadline: Option<Day>,

    /// Re-key nothing; say which environments are still to be re-keyed
    #[arg(long, conflicts_with_all = ["kubeconfig", "timeout"])]
    no_rekey: bool,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// How many seconds to wait for a new key, and for the answer to each 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// Print what would be found, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// How to print it
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        requires = "dry_run"
    )]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  See what Alice could have read:
    sceau offboard alice --dry-run

  She left on Friday, and this is Monday:
    sceau offboard alice --left 2026-11-20

  On a machine that reaches no cluster:
    sceau offboard alice --no-rekey";

pub(super) fn run(arguments: &OffboardArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let found = Offboarding {
        project: &project,
        person: &arguments.person,
        left: arguments.left,
        deadline: arguments.deadline,
        now: io.now,
    }
    .find()?;
    report_unreadable(&found, io);
    if arguments.dry_run {
        return ui::print(io, render(&found.list, arguments.output)?);
    }
    let changed = record(&project, &found, io)?;
    // It says now that they left.
    let project = Project::load(&io.directory)?;
    let rekeyed = arguments.rekey(&found.list, &project, io);
    if changed {
        report_commit(&found.list, io);
    }
    report_next(&found.list, io);
    rekeyed
}

fn report_unreadable(found: &Found, io: &mut Io<'_>) {
    if found.list.items.is_empty() {
        ui::warn(
            io,
            "nothing is on the list: is the day right, and is everything fetched? `sceau rotations --mark` closes it if so",
        );
    }
    for error in &found.unreadable_now {
        ui::warn(
            io,
            format_args!("what it holds is not on the list: {}", error.message),
        );
    }
    for (file, fault) in &found.unreadable {
        let commit = fault.commit.get(..12).unwrap_or(&fault.commit);
        let verb = if file == FILE_NAME {
            "counts as what was said before it and after it"
        } else {
            "what it holds is not on the list"
        };
        ui::warn(
            io,
            format_args!("commit {commit}: {}; {verb}", fault.problem),
        );
    }
}

/// Writes the list and then marks them as left, so that nobody is marked without one; says whether
/// anything changed.
fn record(project: &Project, found: &Found, io: &mut Io<'_>) -> Result<bool> {
    let List { person, left, .. } = &found.list;
    let written = found.write(project)?;
    let name = &found.file;
    let name = name.display();
    if written {
        let (open, all) = counts(&found.list);
        ui::note(
            io,
            format_args!(
                "{name} lists {all} that {person} could have read, {open} of them to be renewed"
            ),
        );
    } else {
        ui::note(io, format_args!("{name} is there already"));
    }
    let marked = offboard::mark(project, person, *left)?;
    if marked {
        ui::note(
            io,
            format_args!("{FILE_NAME} says that {person} left on {left}"),
        );
    }
    Ok(marked || written)
}

fn counts(list: &List) -> (usize, String) {
    let open = list.items.iter().filter(|entry| is_open(entry)).count();
    let all = match list.items.len() {
        1 => "1 item".to_owned(),
        several => format!("{several} items"),
    };
    (open, all)
}

fn is_open(entry: &Entry) -> bool {
    entry.renewed.is_none() && entry.confirmed.is_none()
}

impl OffboardArguments {
    /// Re-keys what is due; one environment that fails does not keep the others.
    fn rekey(&self, list: &List, project: &Project, io: &mut Io<'_>) -> Result<()> {
        let mut outcome = Ok(());
        for due in offboard::rekeyings(list, project)? {
            match due {
                Rekeying::Once(environment) if !self.no_rekey => {
                    let done = self.rekey_one(&environment, project, io);
                    if let Err(error) = done {
                        ui::warn(
                            io,
                            format_args!("{environment} is not done: {}", error.message),
                        );
                        let error = error.hint("what is done stays: run this again to go on");
                        outcome = outcome.and(Err(error));
                    }
                }
                Rekeying::Once(environment) => ui::note(
                    io,
                    format_args!("still to be re-keyed: sceau rekey --environment {environment}"),
                ),
                Rekeying::EachCluster(environment) => ui::note(
                    io,
                    format_args!(
                        "still to be re-keyed, once against each of its clusters: sceau rekey --environment {environment} --context CONTEXT"
                    ),
                ),
            }
        }
        outcome
    }

    fn rekey_one(
        &self,
        environment: &EnvironmentName,
        project: &Project,
        io: &mut Io<'_>,
    ) -> Result<()> {
        let login = Login {
            context: None,
            kubeconfig: self.kubeconfig.as_ref().map(|file| io.directory.join(file)),
            deadline: Duration::from_secs(self.timeout),
        };
        let rekeying = rekey::Rekeying {
            project,
            environment,
            login,
            output: ReportFormat::Table,
        };
        let rows = rekey::run(&rekeying, io)?;
        reseal::verdict(&rows)
    }
}

fn report_commit(list: &List, io: &mut Io<'_>) {
    let directory = rotations::DIRECTORY;
    let message = output::shell_word(&format!("Offboard {}", list.person));
    ui::note(
        io,
        format_args!("commit it: git add {directory} && git commit --all --message {message}"),
    );
}

fn report_next(list: &List, io: &mut Io<'_>) {
    let person = &list.person;
    if counts(list).0 > 0 {
        ui::note(
            io,
            format_args!(
                "give each item a new value with `sceau set FILE ITEM` before {} is over: only that protects one that {person} has read",
                list.deadline
            ),
        );
        ui::note(
            io,
            "see what is open with `sceau rotations`, and tick with `sceau rotations --mark`",
        );
    }
}

/// The list as it would be written; a table shows its items.
fn render(list: &List, format: ReportFormat) -> Result<String> {
    Ok(match format {
        ReportFormat::Json => manifest::to_text(list, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(list, Format::Yaml)?.to_string(),
        ReportFormat::Table => {
            let header = [
                "ENVIRONMENT",
                "SECRET",
                "ITEM",
                "WHY",
                "RENEWED",
                "FILE",
                "OWNER",
                "PROVIDER",
            ];
            ui::table(&header, list.items.iter().map(cells))
        }
    })
}

fn cells(entry: &Entry) -> Vec<String> {
    let why: Vec<String> = entry
        .why
        .iter()
        .map(|reason| format!("{reason:?}"))
        .collect();
    vec![
        entry.environment.clone(),
        format!("{}/{}", entry.namespace, entry.name),
        entry.item.clone(),
        why.join(", "),
        entry.renewed.map_or_else(String::new, |at| at.to_string()),
        entry.file.clone(),
        entry.owner.clone().unwrap_or_default(),
        entry.provider.clone().unwrap_or_default(),
    ]
}

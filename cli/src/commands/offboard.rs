//! `sceau offboard`: the departure of a person.
//!
//! [`crate::offboard`] decides what they could have read and what follows.

use std::{path::PathBuf, time::Duration};

use sealing::EnvironmentName;

use crate::{
    cluster::login::Login,
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format},
    offboard::{self, DueRekey, Found, Offboarding},
    output,
    project::{Day, FILE_NAME, Project},
    rekey, reseal,
    rotations::{self, Entry, List},
    ui::{self, Io},
};

/// List what a person who leaves could have read, and re-key the environments they operated
///
/// Reads the git history of sceau.yaml and of the manifests. A person could read an item if they
/// operated its environment while its value was in use, or if its seal was ever wrapped for their
/// own certificate. Then it
///
///   1. writes the list of these items to `rotations/DAY-PERSON.yaml`,
///   2. marks the person as left in sceau.yaml, on one line,
///   3. re-keys each environment that is still sealed to a key from their time, as `sceau rekey`
///      does. Your login needs the cluster role `sceau-operator`.
///
/// The manifests are those that `sceau reseal` reads. At old commits, they are the files with the
/// same extensions.
///
/// To continue an interrupted run, run it again; a further run changes nothing. Every commit that a
/// branch, a tag or HEAD reaches counts, so fetch first. A warning names each file that cannot be
/// read. The items of an unreadable manifest are not on the list. For an unreadable sceau.yaml, the
/// versions before and after it count.
///
/// Re-keying does not protect values that were already read. Rotate each item on the list with
/// `sceau set`; `sceau rotations` shows the open ones.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, verbatim_doc_comment)]
pub(crate) struct OffboardArguments {
    /// The person, as sceau.yaml names them now or named them before
    person: String,

    /// The last day of their access, in UTC; today, unless they are already marked
    #[arg(long, value_name = "DAY")]
    left: Option<Day>,

    /// The last day to rotate everything; 30 days from now by default
    #[arg(long, value_name = "DAY")]
    deadline: Option<Day>,

    /// Re-key nothing; print the environments that are still to be re-keyed
    #[arg(long, conflicts_with_all = ["kubeconfig", "timeout"])]
    no_rekey: bool,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// How many seconds to wait for a new key, and for every 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// Print the list, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// The output format of the list
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
  List what Alice could have read:
    sceau offboard alice --dry-run

  Alice left on Friday, and today is Monday:
    sceau offboard alice --left 2026-11-20

  On a machine without access to the cluster:
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
    // It marks the person as left now, which changes who operates what.
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
            "the list is empty: check the day and fetch all branches; `sceau rotations --mark` closes an empty list",
        );
    }
    for error in &found.unreadable_now {
        ui::warn(
            io,
            format_args!(
                "the items of a manifest are not on the list: {}",
                error.message
            ),
        );
    }
    for (file, fault) in &found.unreadable {
        let commit = fault.commit.get(..12).unwrap_or(&fault.commit);
        let verb = if file == FILE_NAME {
            "the versions before and after it count"
        } else {
            "its items are not on the list"
        };
        ui::warn(
            io,
            format_args!("commit {commit}: {}; {verb}", fault.problem),
        );
    }
}

/// Writes the list, then marks the person as left: a marked person always has a list. Returns
/// whether anything changed.
fn record(project: &Project, found: &Found, io: &mut Io<'_>) -> Result<bool> {
    let List { person, left, .. } = &found.list;
    let written = found.write(project)?;
    let name = &found.file;
    let name = name.display();
    if written {
        let (open, all) = counts(&found.list);
        ui::note(
            io,
            format_args!("{name} lists {all} that {person} could have read; to rotate: {open}"),
        );
    } else {
        ui::note(io, format_args!("{name} already exists"));
    }
    let marked = offboard::mark_left(project, person, *left)?;
    if marked {
        ui::note(
            io,
            format_args!("{FILE_NAME} marks {person} as left on {left}"),
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
    entry.rotated.is_none() && entry.confirmed.is_none()
}

impl OffboardArguments {
    /// Re-keys what is due. An environment that fails does not prevent the others.
    fn rekey(&self, list: &List, project: &Project, io: &mut Io<'_>) -> Result<()> {
        let mut outcome = Ok(());
        for due in offboard::due_rekeys(list, project)? {
            match due {
                DueRekey::Once(environment) if !self.no_rekey => {
                    let done = self.rekey_one(&environment, project, io);
                    if let Err(error) = done {
                        ui::warn(
                            io,
                            format_args!("could not re-key {environment}: {}", error.message),
                        );
                        let error = error.hint("run this again to continue: finished steps stay");
                        outcome = outcome.and(Err(error));
                    }
                }
                DueRekey::Once(environment) => ui::note(
                    io,
                    format_args!("still to be re-keyed: sceau rekey --environment {environment}"),
                ),
                DueRekey::EachCluster(environment) => ui::note(
                    io,
                    format_args!(
                        "still to be re-keyed, once for each of its clusters: sceau rekey --environment {environment} --context CONTEXT"
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
                "rotate each item with `sceau set FILE ITEM` by {}: {person} may have read its value",
                list.deadline
            ),
        );
        ui::note(
            io,
            "show the open items with `sceau rotations`, and mark rotated ones with `sceau rotations --mark`",
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
                "ROTATED",
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
        entry.rotated.map_or_else(String::new, |at| at.to_string()),
        entry.file.clone(),
        entry.owner.clone().unwrap_or_default(),
        entry.provider.clone().unwrap_or_default(),
    ]
}

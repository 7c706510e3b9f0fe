//! `sceau rotations`: which values are still to be renewed after somebody left.
//!
//! What is open, and why, is for [`crate::rotations`].

use std::{path::PathBuf, time::Duration};

use sealing::ItemRef;

use crate::{
    cluster::login::Login,
    error::{CommandError, Result},
    flags::ReportFormat,
    output,
    project::{Day, FILE_NAME, Project},
    repository::inventory,
    rotations::{self, Judging, Progress, Row},
    ui::{self, Io},
};

/// Show which values are still to be renewed after somebody left
///
/// Reads the lists under `rotations/` that `sceau offboard` writes, and the manifests, which are
/// those that `sceau reseal` reads. An item is
/// done when its present value was sealed after the person could read it. Its seal says when, and
/// nobody vouches for that: with `--cluster`, the controller is asked besides whether the value is
/// really another one.
///
/// Two things no file can tell, so somebody has to look and confirm them with `--confirm`: that the
/// value of an item that was removed works no more where it came from, and that an item in the
/// original's format has another value.
///
/// Nothing is written without `--mark` or `--confirm`. The last tick closes a list. What the
/// controller knows to be unchanged is noted with the ticks, and known from then on without it.
///
/// Exit codes: 0; 3 with `--check` when something is open after its deadline, a list is closed
/// whose ticks are not true any more, for instance because an old manifest was put back, somebody
/// has left as sceau.yaml says and there is no list for them, or a manifest cannot be read. Nothing
/// is confirmed either while a manifest cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RotationsArguments {
    /// Write what was found into the lists, ticks that are not true any more included
    #[arg(long)]
    tick: bool,

    /// Say that the old value of an item works no more, and tick; may be given several times
    #[arg(long, value_name = "ENVIRONMENT:NAMESPACE/NAME/ITEM")]
    confirm: Vec<ItemRef>,

    /// Fail when something is open after its deadline, or cannot be looked at: for CI, without keys
    /// or a cluster
    #[arg(long, conflicts_with_all = ["tick", "confirm"])]
    check: bool,

    /// Ask the controllers of the environments too; it takes `get` on the SealedSecrets
    #[arg(long)]
    cluster: bool,

    /// The kubeconfig context, instead of those that sceau.yaml names
    #[arg(long, value_name = "NAME", requires = "cluster")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,

    /// How to write the report
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  See what is open, and tick what was renewed:
    sceau rotations
    sceau rotations --mark

  In CI:
    sceau rotations --check

  An item was removed, and its value was revoked where it came from:
    sceau rotations --confirm prod:shop/api/STRIPE_KEY";

pub(super) fn run(arguments: &RotationsArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let inventory = inventory::of_project(&project)?;
    for error in &inventory.unreadable {
        ui::warn(
            io,
            format_args!("what it holds is not known: {}", error.message),
        );
    }
    let judging = Judging {
        project: &project,
        inventory: &inventory,
        login: arguments.login(io),
        now: io.now,
    };
    let lists = rotations::read_all(&project.root)?;
    let unlisted = rotations::without_list(&project, &lists, Day::of(io.now));
    report_unlisted(&unlisted, io);
    let unseen = if lists.is_empty() {
        0
    } else {
        inventory.unreadable.len()
    };
    let mut progress = judging.judge_all(lists)?;
    if unseen > 0 && !arguments.confirm.is_empty() {
        return Err(not_confirmed(unseen));
    }
    for id in &arguments.confirm {
        progress.confirm(id, Day::of(io.now))?;
    }
    let rows = progress.rows(&inventory, io.now);
    ui::print(io, rotations::render(&rows, arguments.output)?)?;
    if arguments.tick || !arguments.confirm.is_empty() {
        tick(&progress, &project, io)?;
    }
    if rows.is_empty() && unlisted.is_empty() && unseen == 0 {
        ui::note(io, "nothing is open");
    }
    if arguments.check {
        verdict(&rows)?;
        all_was_seen(&unlisted, unseen)?;
    }
    Ok(())
}

fn report_unlisted(people: &[&str], io: &mut Io<'_>) {
    for person in people {
        ui::warn(
            io,
            format_args!(
                "{FILE_NAME} says that {person} left, and there is no list of what they could have read"
            ),
        );
    }
}

fn not_confirmed(unseen: usize) -> CommandError {
    CommandError::user(format!(
        "nothing is confirmed while {} cannot be read: the item may be in there",
        manifests(unseen)
    ))
    .hint("correct what is warned of above, and try again")
}

fn manifests(count: usize) -> String {
    match count {
        1 => "1 manifest".to_owned(),
        several => format!("{several} manifests"),
    }
}

/// Fails when something that may be open could not be looked at.
fn all_was_seen(unlisted: &[&str], unseen: usize) -> Result<()> {
    if let Some(person) = unlisted.first() {
        let word = output::shell_word(person);
        return Err(
            CommandError::check(format!("there is no list for {}", unlisted.join(", ")))
                .hint(format!("write it: sceau offboard {word}")),
        );
    }
    if unseen > 0 {
        return Err(CommandError::check(format!(
            "{} cannot be read: what is open in there is not known",
            manifests(unseen)
        ))
        .hint("correct what is warned of above"));
    }
    Ok(())
}

impl RotationsArguments {
    fn login(&self, io: &Io<'_>) -> Option<Login> {
        self.cluster.then(|| Login {
            context: self.context.clone(),
            kubeconfig: self.kubeconfig.as_ref().map(|file| io.directory.join(file)),
            deadline: Duration::ZERO,
        })
    }
}

fn tick(progress: &Progress, project: &Project, io: &mut Io<'_>) -> Result<()> {
    for (file, text) in progress.changed(Day::of(io.now))? {
        rotations::write(&project.root, &file.name, &text)?;
        ui::note(io, format_args!("{} is ticked", file.name.display()));
    }
    Ok(())
}

fn verdict(rows: &[Row]) -> Result<()> {
    match rows.iter().filter(|row| row.is_late()).count() {
        0 => Ok(()),
        late => {
            let items = if late == 1 {
                "1 item is".to_owned()
            } else {
                format!("{late} items are")
            };
            Err(CommandError::check(format!(
                "{items} open after the deadline, or on a closed list"
            ))
            .hint("the report says what to do about each"))
        }
    }
}

//! `sceau rotations`: the values that are still to be rotated after a person left.
//!
//! [`crate::rotations`] decides which items are open, and why.

use std::{path::PathBuf, time::Duration};

use sealing::ItemRef;

use crate::{
    cluster::login::Login,
    error::{CommandError, Result},
    flags::ReportFormat,
    output,
    project::{Day, FILE_NAME, Project},
    repository::inventory,
    rotations::{self, JudgedLists, Judging, RotationRow},
    ui::{self, Io},
};

/// Show which values are still to be rotated after a person left
///
/// Reads the lists under `rotations/` that `sceau offboard` writes, and the manifests that `sceau
/// reseal` reads. An item is done if its present value was sealed after the person could read it.
/// The time in a seal is not authenticated: with `--cluster`, the controller also reports whether
/// the value really changed.
///
/// Files cannot show two things, so a person has to confirm them with `--confirm`: that the value
/// of a removed item is revoked at its provider, and that an item in the kubeseal format has a new
/// value.
///
/// Nothing is written without `--mark` or `--confirm`. The last mark closes a list. A report of the
/// controller that a value is unchanged is written too, and holds in later runs without the
/// cluster.
///
/// Exit codes: 0; 3 with `--check` in these cases: an item is open after its deadline; a mark on a
/// closed list no longer holds, for example because an old manifest was restored; sceau.yaml marks
/// a person as left and there is no list for them; a manifest cannot be read. While a manifest
/// cannot be read, nothing can be confirmed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RotationsArguments {
    /// Write marks into the lists, and remove those that no longer hold
    #[arg(long)]
    mark: bool,

    /// Confirm that the old value of an item is revoked, and mark; may be repeated
    #[arg(long, value_name = "ENVIRONMENT:NAMESPACE/NAME/ITEM")]
    confirm: Vec<ItemRef>,

    /// Fail if an item is open after its deadline or cannot be read; needs no keys or cluster
    #[arg(long, conflicts_with_all = ["mark", "confirm"])]
    check: bool,

    /// Read the clusters of the environments too; needs `get` on the SealedSecrets
    #[arg(long)]
    cluster: bool,

    /// The kubeconfig context, instead of those in sceau.yaml
    #[arg(long, value_name = "NAME", requires = "cluster")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,

    /// The output format of the report
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  Show the open items, and mark the rotated ones:
    sceau rotations
    sceau rotations --mark

  In CI:
    sceau rotations --check

  An item was removed, and its value was revoked at the provider:
    sceau rotations --confirm prod:shop/api/STRIPE_KEY";

pub(super) fn run(arguments: &RotationsArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let inventory = inventory::of_project(&project)?;
    for error in &inventory.unreadable {
        ui::warn(
            io,
            format_args!("the items of a manifest are unknown: {}", error.message),
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
    let unreadable = if lists.is_empty() {
        0
    } else {
        inventory.unreadable.len()
    };
    let mut judged = judging.judge_all(lists)?;
    if unreadable > 0 && !arguments.confirm.is_empty() {
        return Err(not_confirmed(unreadable));
    }
    for id in &arguments.confirm {
        judged.confirm(id, Day::of(io.now))?;
    }
    let rows = judged.rows(&inventory, io.now);
    ui::print(io, rotations::render(&rows, arguments.output)?)?;
    if arguments.mark || !arguments.confirm.is_empty() {
        mark(&judged, &project, io)?;
    }
    if rows.is_empty() && unlisted.is_empty() && unreadable == 0 {
        ui::note(io, "no items are open");
    }
    if arguments.check {
        verdict(&rows)?;
        check_complete(&unlisted, unreadable)?;
    }
    Ok(())
}

fn report_unlisted(people: &[&str], io: &mut Io<'_>) {
    for person in people {
        ui::warn(
            io,
            format_args!(
                "{FILE_NAME} marks {person} as left, but there is no list of what they could have read"
            ),
        );
    }
}

fn not_confirmed(unreadable: usize) -> CommandError {
    CommandError::user(format!(
        "nothing was confirmed: {} cannot be read and may have the item",
        manifests(unreadable)
    ))
    .hint("fix the warnings above, and run this again")
}

fn manifests(count: usize) -> String {
    match count {
        1 => "1 manifest".to_owned(),
        several => format!("{several} manifests"),
    }
}

/// Fails if something that may be open could not be read.
fn check_complete(unlisted: &[&str], unreadable: usize) -> Result<()> {
    if let Some(person) = unlisted.first() {
        let word = output::shell_word(person);
        return Err(
            CommandError::check(format!("there is no list for {}", unlisted.join(", ")))
                .hint(format!("create it: sceau offboard {word}")),
        );
    }
    if unreadable > 0 {
        return Err(CommandError::check(format!(
            "{} cannot be read, so open items in it are unknown",
            manifests(unreadable)
        ))
        .hint("fix the warnings above"));
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

fn mark(judged: &JudgedLists, project: &Project, io: &mut Io<'_>) -> Result<()> {
    for (file, text) in judged.changed(Day::of(io.now))? {
        rotations::write(&project.root, &file.name, &text)?;
        ui::note(
            io,
            format_args!("updated the marks in {}", file.name.display()),
        );
    }
    Ok(())
}

fn verdict(rows: &[RotationRow]) -> Result<()> {
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
            .hint("follow the explanations in the report"))
        }
    }
}

//! What is open, for people and programs: the JSON of `sceau rotations -o json`.

use std::cmp::Ordering;

use serde::Serialize;

use super::{list::ListFile, state::State};
use sealing::ItemRef;

use crate::{
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format},
    project::Day,
    repository::inventory::Occurrence,
    ui,
};

/// An item that is still to be renewed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(super) deadline: Day,
    pub(super) due: Due,
    pub(super) person: String,
    pub(super) left: Day,
    /// The list that it stands in.
    pub(super) list: String,
    #[serde(flatten)]
    pub(super) id: ItemRef,
    pub(super) state: State,
    /// The files that hold it now, or the one that held it last.
    pub(super) files: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) provider: Option<String>,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Due {
    /// Before the deadline.
    InTime,
    /// After the deadline.
    Overdue,
    /// Its list was closed, and that is not true any more.
    Reopened,
}

impl Row {
    pub(super) fn new(file: &ListFile, index: usize, state: State, today: Day) -> Self {
        let list = &file.list;
        let entry = &list.items[index];
        Self {
            deadline: list.deadline,
            due: match list.closed {
                Some(_) => Due::Reopened,
                None if today > list.deadline => Due::Overdue,
                None => Due::InTime,
            },
            person: list.person.clone(),
            left: list.left,
            list: file.name.display().to_string(),
            id: entry.id(),
            state,
            files: vec![entry.file.clone()],
            owner: entry.owner.clone(),
            provider: entry.provider.clone(),
        }
    }

    /// Whether `--check` fails by it.
    pub(crate) fn is_late(&self) -> bool {
        self.due != Due::InTime
    }

    /// Names the files that hold it now.
    pub(super) fn is_in(&mut self, occurrences: &[Occurrence]) {
        self.files = occurrences
            .iter()
            .map(|occurrence| occurrence.file.clone())
            .collect();
        if let Some(first) = occurrences.first() {
            self.owner.clone_from(&first.sealed.owner);
            self.provider.clone_from(&first.sealed.provider);
        }
    }

    /// The most urgent first.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let order = |row: &Self| (row.deadline, row.person.clone(), row.id.clone());
        order(self).cmp(&order(other))
    }

    fn cells(&self) -> Vec<String> {
        let deadline = match self.due {
            Due::InTime => self.deadline.to_string(),
            Due::Overdue => format!("{} overdue", self.deadline),
            Due::Reopened => "reopened".to_owned(),
        };
        let id = &self.id;
        vec![
            deadline,
            self.person.clone(),
            id.environment.clone(),
            format!("{}/{}", id.namespace, id.name),
            id.item.clone(),
            format!("{:?}", self.state),
            self.files.join(", "),
            self.owner.clone().unwrap_or_default(),
            self.provider.clone().unwrap_or_default(),
        ]
    }
}

/// The report; a table has below it what each state means and what to do.
pub(crate) fn render(rows: &[Row], format: ReportFormat) -> Result<String> {
    Ok(match format {
        ReportFormat::Json => manifest::to_text(&rows, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&rows, Format::Yaml)?.to_string(),
        ReportFormat::Table if rows.is_empty() => String::new(),
        ReportFormat::Table => {
            let header = [
                "DEADLINE",
                "PERSON",
                "ENVIRONMENT",
                "SECRET",
                "ITEM",
                "STATE",
                "FILE",
                "OWNER",
                "PROVIDER",
            ];
            ui::table(&header, rows.iter().map(Row::cells)) + &explanations(rows)
        }
    })
}

/// Each state that occurs, once.
fn explanations(rows: &[Row]) -> String {
    const STATES: [State; 6] = [
        State::Gone,
        State::InFuture,
        State::NotRenewed,
        State::Bitnami,
        State::SameText,
        State::Unchanged,
    ];
    let occurring = STATES
        .iter()
        .filter(|state| rows.iter().any(|row| row.state == **state));
    let lines = occurring.map(|state| format!("\n{state:?}: {}\n", explanation(*state)));
    lines.collect()
}

fn explanation(state: State) -> &'static str {
    match state {
        State::Confirmed => "somebody confirmed that its old value works no more",
        State::Gone => {
            "no manifest holds it any more under this name: was it renamed, give it a new value there; make sure that its value works no more where it came from, then say so with `sceau rotations --confirm ENVIRONMENT:NAMESPACE/NAME/ITEM`"
        }
        State::InFuture => {
            "its seal claims a time that is still to come: seal it again with `sceau set FILE ITEM`"
        }
        State::NotRenewed => {
            "its seal is not newer than they left: give it a new value with `sceau set FILE ITEM`"
        }
        State::Bitnami => {
            "a file in the original's format does not tell whether its value changed; once it has, say so with `sceau rotations --confirm ENVIRONMENT:NAMESPACE/NAME/ITEM`"
        }
        State::Renewed(..) => "its value was renewed",
        State::SameText => {
            "it is the value that they could have read: give it a new one with `sceau set FILE ITEM`"
        }
        State::Unchanged => {
            "it was sealed again with the value that it had, as the controller says: give it a new one with `sceau set FILE ITEM`"
        }
    }
}

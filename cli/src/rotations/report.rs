//! The open items, for people and programs: the JSON of `sceau rotations -o json`.

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

/// An item that is still to be rotated.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RotationRow {
    pub(super) deadline: Day,
    pub(super) due: Due,
    pub(super) person: String,
    pub(super) left: Day,
    /// The file of its list.
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
    /// Its list was closed, but is no longer complete.
    Reopened,
}

impl RotationRow {
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

    /// Whether it makes `--check` fail.
    pub(crate) fn is_late(&self) -> bool {
        self.due != Due::InTime
    }

    /// Records the files that hold it now.
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

/// The report. Below a table, it explains each state and what to do.
pub(crate) fn render(rows: &[RotationRow], format: ReportFormat) -> Result<String> {
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
            ui::table(&header, rows.iter().map(RotationRow::cells)) + &explanations(rows)
        }
    })
}

/// Each state that occurs, once.
fn explanations(rows: &[RotationRow]) -> String {
    const STATES: [State; 6] = [
        State::Gone,
        State::InFuture,
        State::NotRotated,
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
        State::Confirmed => "a person confirmed that its old value is revoked",
        State::Gone => {
            "no manifest has it under this name: if it was renamed, rotate it under its new name; \
             else revoke its value at the provider, and confirm that with \
             `sceau rotations --confirm ENVIRONMENT:NAMESPACE/NAME/ITEM`"
        }
        State::InFuture => {
            "its seal has a time in the future: set it again with `sceau set FILE ITEM`"
        }
        State::NotRotated => "sealed before the person left: rotate it with `sceau set FILE ITEM`",
        State::Bitnami => {
            "the kubeseal format does not show whether a value changed: rotate it, and confirm that \
             with `sceau rotations --confirm ENVIRONMENT:NAMESPACE/NAME/ITEM`"
        }
        State::Rotated(..) => "its value was rotated",
        State::SameText => {
            "its sealed text is the one that the person could have read: rotate it with \
             `sceau set FILE ITEM`"
        }
        State::Unchanged => {
            "it was sealed again with its old value, as the controller reports: rotate it with \
             `sceau set FILE ITEM`"
        }
    }
}

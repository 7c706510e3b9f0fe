//! Reports for people.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::report::{Report, SealReport};
use crate::ui;

/// Each SealedSecret with a table of its seals' keys and one of its items.
pub(super) fn render(reports: &[Report], now: Timestamp) -> String {
    let texts: Vec<String> = reports.iter().map(|report| describe(report, now)).collect();
    texts.join("\n")
}

fn describe(report: &Report, now: Timestamp) -> String {
    let mut text = String::new();
    let or_unknown = |name: &Option<String>| ui::escaped(name.as_deref().unwrap_or("?"));
    let _ = writeln!(
        text,
        "{}/{}    {}:{} (document {})",
        or_unknown(&report.namespace),
        or_unknown(&report.name),
        ui::escaped(&report.file),
        report.line,
        report.document,
    );
    let environment = report.environment.as_deref().map_or_else(
        || "kubeseal format".to_owned(),
        |name| format!("environment {name}"),
    );
    let _ = writeln!(
        text,
        "{environment}, scope {}, type {}\n",
        report.scope,
        ui::escaped(&report.secret_type)
    );
    if report.seals.iter().any(|seal| !seal.recipients.is_empty()) {
        text.push_str(&keys(&report.seals, now));
        text.push('\n');
    }
    text.push_str(&items(&report.seals));
    text
}

fn keys(seals: &[SealReport], now: Timestamp) -> String {
    let rows = (1..).zip(seals).flat_map(|(number, seal)| {
        let sealed_at = seal.sealed_at.unwrap_or(now);
        seal.recipients.iter().map(move |recipient| {
            vec![
                number.to_string(),
                sealed_at.to_string(),
                ui::age(sealed_at, now),
                recipient.key_id.clone(),
                recipient.suite.to_owned(),
            ]
        })
    });
    ui::table(&["SEAL", "SEALED AT", "AGE", "KEY", "SUITE"], rows)
}

fn items(seals: &[SealReport]) -> String {
    let rows = (1..).zip(seals).flat_map(|(number, seal): (usize, _)| {
        seal.items.iter().map(move |item| {
            vec![
                number.to_string(),
                item.name.clone(),
                item.bytes.to_string(),
            ]
        })
    });
    ui::table(&["SEAL", "ITEM", "BYTES"], rows)
}

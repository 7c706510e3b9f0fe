//! The site of the documents is complete, and its links lead somewhere.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

const SUMMARY: &str = "docs/SUMMARY.md";

/// Every document of the site but its table of contents.
fn pages() -> BTreeSet<String> {
    let files = repo::tracked_files().into_iter();
    files
        .filter(|path| path.starts_with("docs/") && repo::has_extension(path, "md"))
        .filter(|path| path != SUMMARY)
        .collect()
}

/// The targets of the links in a document, what is code left out.
fn links(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let prose = text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    prose
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .collect()
}

/// A link of a page as a path from the root.
fn target(page: &str, link: &str) -> String {
    let folder = Path::new(page).parent().unwrap();
    let parts = folder.join(link);
    let clean = parts
        .components()
        .fold(PathBuf::new(), |mut clean, part| match part {
            Component::ParentDir => {
                clean.pop();
                clean
            }
            other => clean.join(other),
        });
    clean.to_string_lossy().into_owned()
}

/// The names under which the headings of a page are linked to.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            let kept = heading.chars().filter_map(|c| match c {
                ' ' => Some('-'),
                '-' | '_' => Some(c),
                _ => c.is_alphanumeric().then_some(c),
            });
            kept.collect()
        })
        .collect()
}

#[test]
fn the_table_of_contents_names_every_document() {
    let text = repo::read(SUMMARY);
    let listed: Vec<String> = links(&text)
        .iter()
        .map(|link| target(SUMMARY, link))
        .collect();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), once.len(), "a document is listed twice");
    assert_eq!(once, pages());
}

#[test]
fn links_of_the_site_lead_to_its_pages_and_their_headings() {
    let pages = pages();
    let mut checked = 0;
    for page in &pages {
        let text = repo::read(page);
        for link in links(&text)
            .into_iter()
            .filter(|link| !link.contains("://"))
        {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() {
                page.clone()
            } else {
                target(page, file)
            };
            assert!(
                pages.contains(&path),
                "{page} links to {link}, which is not on the site"
            );
            assert!(
                heading.is_empty() || anchors(&repo::read(&path)).contains(heading),
                "{page} links to {link}, and {path} has no such heading"
            );
            checked += 1;
        }
    }
    assert!(checked > 5, "links were found at all");
}

#[test]
fn code_is_searched_for_no_links_and_headings_become_anchors() {
    let text = "## What `sceau` asks: a_b\n[a](b.md#c)\n```\n[x](y)\n```\n[d](e)";
    assert_eq!(links(text), ["b.md#c", "e"]);
    assert!(anchors(text).contains("what-sceau-asks-a_b"));
}
